#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names that try to leave comments, strings, C or m4 stay names.
. "$(dirname "$0")/lib.sh"
"$PYTHON" "$ROOT/tests/cli/make_models.py" hostile 'net; $(x) *.onnx'
expect 0 "$ONNX2C" 'net; $(x) *.onnx' -o net.c --name net
cp "$ROOT/runtime_min/o2c.h" .
for cc in $(compilers); do
  expect 0 $cc $STRICT -c net.c -o net.o
done
[ ! -e pwned ] || fail "m4 ran a command of the model"
expect 0 "$ONNX2C" verify 'net; $(x) *.onnx'

# A text that is longer than C99's literals is all there.
cat >main.c <<'END'
#include "net.h"
#include <stdio.h>
#include <string.h>
int main(void)
{
  const o2c_model *m = net_model();
  for (int i = 0; i < (int)m->n_meta; i++)
    if (!strcmp(m->meta[i].key, "long"))
      fputs(m->meta[i].value, stdout);
  return 0;
}
END
expect 0 cc -std=c99 main.c net.c -lm -o net
./net >text
"$PYTHON" -c 'import sys; sys.stdout.buffer.write("\u00e9\n".encode() * 2500)' |
  cmp - text
