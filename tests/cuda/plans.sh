#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cuDNN has a plan for every convolution that models ask of it, and attentions:
# the shim notes them while it runs the models, plans.c asks for GPUs that are
# described here. Engines that cuDNN compiles want a driver: driver_stub.c is
# one, with every other function of the toolkit's stub, each of which fails.
#
#   plans.sh FOLDER...      models with data
# shellcheck source=tests/cuda/find.sh
. "$(dirname "$0")/find.sh"
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
real=$(find_nvcc) || skip "no CUDA toolkit"
home=$(dirname "$(dirname "$real")")
dnn=$(find_cudnn "$home") || skip "no cudnn.h"
export NVCC="$ROOT/tests/cuda/nvcc_shim"
export O2C_SHIM_CALLS="$WORK/calls"

expect 0 cc -I"$ROOT/runtime_min" -I"$home/include" -I"$dnn" \
  "$ROOT/tests/cuda/plans.c" -L"$home/lib64" -Wl,-rpath,"$home/lib64" \
  -lcudnn -lcublasLt -lcudart -lm -o plans
mkdir driver
{
  cat "$ROOT/tests/cuda/driver_stub.c"
  nm -D --defined-only "$home/lib64/stubs/libcuda.so" |
    sed -n 's/.* [TW] \(cu[A-Za-z0-9_]*\).*/\1/p' | sort -u |
    while read -r name; do
      grep -q "^status $name(" "$ROOT/tests/cuda/driver_stub.c" ||
        echo "status $name(void) { return 34; }"
    done
} >driver/stub.c
expect 0 cc -shared -fPIC driver/stub.c -o driver/libcuda.so.1
for kind in convs attentions; do
  "$PYTHON" "$ROOT/tests/cuda/make_models.py" $kind $kind
done
expect 0 "$ONNX2C" verify --provider cuda,cpu convs/model.onnx \
  attentions/model.onnx "$@"
for gpu in a100 h100; do
  code=0
  LD_LIBRARY_PATH=$WORK/driver${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
    ./plans "$ROOT/tests/cuda/$gpu.json" calls >log 2>&1 || code=$?
  case $code in
  0) echo "$gpu: $(tail -n 1 log)" ;;
  77) skip "$(cat log)" ;;
  *)
    cat log
    fail "$gpu lacks plans"
    ;;
  esac
done
says "clamp -inf to inf"
says "clamp 0 to 6"
says "residual"
says "4 groups"
says "40 queries, 24 keys, 16 to 32, mask: 1 graphs"
says "20 queries, 20 keys, 64 to 64, causal: 1 graphs"
says "own attention"
