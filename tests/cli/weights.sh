#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every way in which weights reach the program, on this machine and another.
. "$(dirname "$0")/lib.sh"
for mode in array string object incbin file auto; do
  expect 0 "$ONNX2C" verify --weights $mode --cflags=-O1 "$zoo/tiny_dscnn"
  says "1 passed"
done
for cc in $(compilers); do
  case $cc in *-linux-gnu-gcc)
    expect 0 "$ONNX2C" verify --weights object --cflags=-O1 --cc "$cc" \
      "$zoo/tiny_dscnn"
    ;;
  esac
done

# Weights of another model, or none, are refused: the program says so.
expect 0 "$ONNX2C" bench --weights file --cflags=-O1 "$zoo/tiny_dscnn" \
  --runs 2 --save kept
expect 0 kept/bench kept/bench.job times
[ -s times ] || fail "no times"
good=$(od -An -tu8 -j16 -N16 times)
[ "$(echo $good)" = "0 0" ] || fail "kind and detail are $good"
printf 'X' | dd of=kept/net0.weights bs=1 seek=10 conv=notrunc 2>/dev/null
expect 0 kept/bench kept/bench.job times
bad=$(od -An -td8 -j16 -N16 times)
[ "$(echo $bad)" = "1 -5" ] || fail "O2C_E_WEIGHTS expected, not $bad"
