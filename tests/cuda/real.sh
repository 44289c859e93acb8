#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real runtime, o2c_cuda.c, on fake libraries of CUDA (fake/fake.h): misuse
# and failures (errors.c, real.c), recorded regions (rooms.c), convolutions with
# all that follows them, in one graph of cuDNN or in several. Wants the headers
# of CUDA and cuDNN. Of the libraries' calls one in eleven fails, or each
# (--all).
# shellcheck source=tests/cuda/find.sh
. "$(dirname "$0")/find.sh"
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
nvcc=$(find_nvcc) || skip "no CUDA"
home=$(dirname "$(dirname "$nvcc")")
dnn=$(find_cudnn "$home") || skip "no cudnn.h"
export O2C_SHIM_CUDA="$home/include:$dnn"
O2C_SHIM_KEEP=$WORK/fake
NVCC=$ROOT/tests/cuda/nvcc_shim
export O2C_SHIM_KEEP NVCC
cuda=$ROOT/tests/cuda
step=11
[ "${1:-}" != --all ] || step=1

# make KIND NAME: a model of make_models.py, for a GPU and without.
make() {
  "$PYTHON" "$cuda/make_models.py" "$1" .
  expect 0 "$ONNX2C" model.onnx --provider cuda,cpu --bundle -o net.c
  expect 0 "$ONNX2C" model.onnx -o cpu.c
}
# build FLAGS PROGRAM SOURCE...
build() {
  flags=$1
  program=$2
  shift 2
  expect 0 env SHIM_FLAGS="-O1 -g $flags" "$NVCC" -DO2C_FAKE -I. -I"$cuda" \
    "$@" net.c net.cu o2c_cuda.c -lcudnn -lcublasLt -lm -o "$program"
}
clean="-fsanitize=address,undefined -fno-sanitize-recover=all"
make net
build "$clean" errors "$cuda/errors.c" cpu.c
expect 0 ./errors
build "$clean" real "$cuda/real.c" cpu.c
expect 0 ./real "$step"
make rooms
build "$clean" rooms "$cuda/rooms.c"
expect 0 ./rooms
"$PYTHON" "$cuda/make_models.py" convs convs
for most in 9 1; do
  expect 0 env O2C_FAKE_OPS=$most SHIM_FLAGS=-O1 "$ONNX2C" verify \
    --provider cuda,cpu --cflags=-O1 convs/model.onnx
done
