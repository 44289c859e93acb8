#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Threads: the pool of o2c_threads.h, and steps divided among workers, which
# give the same bits for any number of workers and any split; also under
# ThreadSanitizer and AddressSanitizer.
. "$(dirname "$0")/lib.sh"
cp "$ROOT/runtime_min/o2c.h" "$ROOT/runtime_min/o2c_threads.h" \
  "$ROOT/runtime_min/o2c_threads.c" .

# The header in C++, the pool as both.
echo '#include "o2c_threads.h"' >header.cc
expect 0 gcc -x c++ -Wall -Wextra -Wpedantic -Werror -fsyntax-only header.cc
expect 0 gcc -x c++ -Wall -Wextra -Werror -fsyntax-only o2c_threads.c

mkdir made
"$PYTHON" "$ROOT/tests/cli/make_split_models.py" made
names="pixels pool columns depthwise rows symbols"
for name in $names; do
  expect 0 "$ONNX2C" "made/$name.onnx" -o "$name.c" --name "$name"
done
for name in squeezenet minilm_shape; do
  expect 0 "$ONNX2C" "$zoo/$name/model.onnx" -o "$name.c"
done

# divided COUNT NAME: so many steps are.
divided() {
  n=$(grep -c 'share_out(&its' "$2.c" || true)
  [ "$n" = "$1" ] || fail "$2 has $n divided steps, not $1"
}
divided 4 pixels
divided 2 pool
divided 2 columns
divided 3 depthwise
divided 4 rows
divided 3 symbols

# Nothing of it is left without threads, nor where no step is large.
expect 0 "$ONNX2C" made/pixels.onnx -o none.c --threads none
expect 0 "$ONNX2C" "$zoo/tiny_ad/model.onnx" -o small.c
! grep -q 'share_out' none.c small.c || fail "divided steps, not asked for"
expect 1 "$ONNX2C" made/pixels.onnx -o none.c --threads 65
expect 1 "$ONNX2C" made/pixels.onnx -o none.c --threads some

# build CC FLAGS MODELS..: the program.
build() {
  cc=$1 flags=$2
  shift 2
  objects=
  {
    echo '#include "o2c.h"'
    for m in "$@"; do echo "const o2c_model *${m}_model(void);"; done
    echo 'extern const o2c_model *(*const models[])(void);'
    echo 'const o2c_model *(*const models[])(void) = {'
    for m in "$@"; do echo "  ${m}_model,"; done
    echo '  0};'
  } >table.c
  for m in "$@"; do
    # shellcheck disable=SC2086
    expect 0 $cc $STRICT $flags $frames -c "$m.c" -o "$m.o"
    objects="$objects $m.o"
    [ ! -e "$m.weights.o" ] || objects="$objects $m.weights.o"
  done
  # shellcheck disable=SC2086
  expect 0 $cc $STRICT -D_POSIX_C_SOURCE=200809L $flags -I. \
    "$ROOT/tests/cli/threads.c" table.c o2c_threads.c $objects -o threads \
    -lm -pthread
}

# shellcheck disable=SC2086
{
  frames=-Wframe-larger-than=1024
  build gcc "-O2 -march=native" $names
  expect 0 ./threads
  says "all right"
  build clang "-O2" $names
  expect 0 ./threads
  says "all right"
  frames=
  build clang "-O1 -g -march=native -fsanitize=address,undefined" $names
  expect 0 ./threads
  says "all right"
  build gcc "-O1 -g -march=native -fsanitize=thread" $names squeezenet \
    minilm_shape
  expect 0 ./threads
  says "all right"
}
