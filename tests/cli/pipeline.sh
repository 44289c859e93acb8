#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples/pipeline: every row equals scikit-learn's own answer, with sanitizers
# too.
. "$(dirname "$0")/lib.sh"
example=$ROOT/examples/pipeline
"$PYTHON" -W ignore "$example/pipeline.py" train .
expect 0 "$ONNX2C" wine.onnx -o wine.c --bundle
for cc in $(compilers | grep -v -e '-'); do
  for flags in "-O2" "-O1 -g -fsanitize=address,undefined"; do
    # shellcheck disable=SC2086
    expect 0 "$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror $flags -I. \
      "$example/main.c" wine.c -lm -o wine
    ./wine <rows.csv >others.csv
    expect 0 "$PYTHON" "$example/pipeline.py" compare answers.csv others.csv
    says "178 rows equal scikit-learn's"
  done
done
sed '5s/,.*/,0.5,0.25,0.25/' others.csv >wrong.csv
expect 1 "$PYTHON" "$example/pipeline.py" compare answers.csv wrong.csv
