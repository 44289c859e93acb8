#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Nodes that the GPU lacks between two that it has: three parts, two copies,
# right answers; --provider cuda alone names it and writes nothing. Shapes are
# computed on the host. And what info and -o say of a model for a GPU.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
export NVCC="${NVCC:-$ROOT/tests/cuda/nvcc_shim}"
for kind in split shapes; do
  "$PYTHON" "$ROOT/tests/cuda/make_models.py" $kind $kind
done
for kind in branches labels; do
  "$PYTHON" "$ROOT/tests/cuda/make_branches.py" $kind $kind
done
both="--provider cuda,cpu"
# The words of $both are two.
# shellcheck disable=SC2086
{
  "$ONNX2C" info split/model.onnx $both --json >split.json
  "$ONNX2C" info shapes/model.onnx $both --json >shapes.json
  expect 0 "$ONNX2C" info split/model.onnx $both
  says "in 2 regions of the GPU, 2 on the CPU"
  says "1 of inputs, 1 of outputs, 1 to the GPU, 1 from it; 1 wait"
  says "the_text: strings, sequences or optional values"
  expect 0 "$ONNX2C" verify split shapes $both
  says "2 passed"
  O2C_SHIM_LATE=1 O2C_SHIM_ORDER=2 O2C_SHIM_FILL=1 \
    expect 0 "$ONNX2C" verify split shapes $both
  expect 0 "$ONNX2C" split/model.onnx $both -o split.c
  # What branches share, either of them, and what follows.
  # Shapes are computed before, outputs leave at the end.
  expect 0 "$ONNX2C" info branches/model.onnx $both
  says "in 4 regions of the GPU, 2 on the CPU"
  says "2 of outputs, "
  says "0 from it; 0 waits"
  # The GPU has classes as numbers, the CPU their names.
  expect 0 "$ONNX2C" info labels/model.onnx $both
  says "in 1 region of the GPU, 1 on the CPU"
  says "0 to the GPU, 1 from it; 1 wait"
  expect 0 "$ONNX2C" verify branches labels $both
  says "2 passed"
}
expect 0 "$ONNX2C" verify branches --provider cuda
expect 3 "$ONNX2C" labels/model.onnx --provider cuda -o labels.c
says "CUDA has no kernel for it here (strings"
"$PYTHON" - <<'END' || fail "what the JSON says"
import json
d = json.load(open("split.json"))
assert d["device"]["regions"] == 2 and d["device"]["cpu_steps"] == 2, d
assert d["device"]["copies"] == {"inputs": 1, "outputs": 1, "to_device": 1,
                                 "from_device": 1}, d["device"]
assert d["device"]["waits_in_trips"] == 0
assert d["device"]["waits"] == 1 and d["device"]["weights"] > 0
cpu = [s for s in d["steps"] if s["provider"] == "cpu"]
assert [s["nodes"][0]["op"] for s in cpu] == ["Cast"] * 2, cpu
assert cpu[0]["why"].startswith("strings"), cpu
where = [s["provider"] for s in d["steps"]]
assert where[0] == where[-1] == "copy" and "cuda" in where, where
s = json.load(open("shapes.json"))
assert s["device"]["arena"] >= s["device"]["lower_bound"] > 0
assert s["device"]["waits"] == s["device"]["cpu_steps"] == 0, s["device"]
assert not {n["op"] for step in s["steps"] for n in step["nodes"]} & {
    "Shape", "Gather"}
END
[ "$(grep -c '^extern "C" o2c_status split_region_' split.cu)" = 2 ] ||
  fail "the .cu has not two regions"
rm -f split.c split.cu split.h
expect 3 "$ONNX2C" split/model.onnx --provider cuda -o split.c
says "Cast"
says "CUDA has no kernel"
for file in split.c* split.h o2c*; do
  [ ! -e "$file" ] || fail "it wrote $file"
done
# Objects are nvcc's to make.
expect 1 "$ONNX2C" shapes/model.onnx --provider cuda -o shapes.o
says "nvcc"
