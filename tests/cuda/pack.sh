#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gpu.sh: what --pack packs runs by itself, with the shim for a GPU, and writes
# a report of all its parts.
# shellcheck source=tests/cuda/find.sh
. "$(dirname "$0")/find.sh"
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
nvcc=$(find_nvcc) || skip "no nvcc"
find_cudnn "$(dirname "$(dirname "$nvcc")")" >/dev/null || skip "no cudnn.h"
mkdir -p data/zoo data/corpus/node
ln -s "$DATA/venv" data/venv
ln -s "$DATA/zoo/tiny_resnet8" data/zoo/tiny_resnet8
ln -s "$DATA/zoo/tiny_resnet8" data/zoo/resnet50 # its times are wanted
ln -s "$DATA/corpus/node/test_relu" data/corpus/node/test_relu
expect 0 sh "$ROOT/tests/cuda/gpu.sh" --pack packed --onnx2c "$ONNX2C" \
  --data data --quick --report log1
export DRY_RUN=1 SHIM_FLAGS=-O1
expect 0 sh packed/run.sh --quick --report report
for text in "verify tiny_resnet8: exit code 0" "verify convs: exit code 0" \
    "corpus: exit code 0" "errors: exit code 0" \
    "bench resnet50: exit code 0" "bench resnet50--half: exit code 0" passed; do
  grep -qF -e "$text" report || fail "it reports no: $text"
done
# One part that fails does not stop the others.
rm packed/data/zoo/tiny_resnet8/test_data_set_0/output_0.pb
expect 1 sh packed/run.sh --quick --report report
grep -q "FAILED:.*tiny_resnet8" report || fail "it reports no failure"
grep -qF "bench resnet50: exit code 0" report || fail "it stops at a failure"
