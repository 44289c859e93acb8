#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shim by itself: what it says of itself, by gcc and clang.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
shim=$ROOT/tests/cuda/shim
for cxx in g++ clang++; do
  have $cxx || continue
  expect 0 env SHIM_CXX=$cxx "$ROOT/tests/cuda/nvcc_shim" -O1 \
    -Xcompiler -Wall,-Wextra,-Werror -I"$ROOT/runtime_min" \
    -I"$ROOT/runtime_min/kernels" "$shim/selftest.cu" "$shim/selftest_lib.cu" \
    "$shim/selftest_tile.cu" "$ROOT/runtime_min/o2c_cuda.c" -o selftest
  expect 0 ./selftest
  says "shim: ok"
done
