#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Steps of edit that change values or bring in other graphs: each result passes
# the ONNX checker, and onnxruntime gives the same answers as before.
. "$(dirname "$0")/lib.sh"
"$PYTHON" "$ROOT/tests/cli/make_step_models.py" .

# same A B [OPTION...]: A and B give the same answers; told at the end, as one
# Python is enough.
count=0
same() {
  count=$((count + 1))
  cp "$2" "result$count.onnx"
  a=$1
  shift 2
  echo "$a result$count.onnx $*" >>comparisons
}

# ops FILE TEXT: the operators of the main graph, in order.
ops() {
  got=$("$ONNX2C" edit "$1" json |
    sed -n 's/^ \{8\}"opType": "\(.*\)",*$/\1/p' |
    tr '\n' ' ')
  [ "$got" = "$2 " ] || fail "$1 has the nodes: $got"
}

# tensors FILE TEXT: the initializers, sorted.
tensors() {
  got=$("$ONNX2C" edit "$1" json |
    sed -n '/^    "initializer"/,/^    ]/s/^ \{8\}"name": "\(.*\)",*$/\1/p' |
    sort | tr '\n' ' ')
  [ "$got" = "$2 " ] || fail "$1 has the initializers: $got"
}

edit() {
  in=$1
  out=$2
  shift 2
  expect 0 "$ONNX2C" edit "$in.onnx" -o "$out.onnx" "$@"
}

# fold
edit sums f fold
ops f.onnx Add
tensors f.onnx e
same sums.onnx f.onnx
edit shapes_static f fold
ops f.onnx Reshape
tensors f.onnx to
same shapes_static.onnx f.onnx
edit shapes_dynamic f fold
ops f.onnx "Shape Gather Unsqueeze Concat Reshape"
same shapes_dynamic.onnx f.onnx
edit grows f fold
ops f.onnx "Expand Add"
edit grows f fold:1M
ops f.onnx Add
same grows.onnx f.onnx
expect 1 "$ONNX2C" edit sums.onnx -o f.onnx fold:many
says "no number of bytes"
edit quantised f fold
ops f.onnx "DequantizeLinear MatMul Add"
same quantised.onnx f.onnx
edit chooses f fold
ops f.onnx "Add ReduceSum Less If Add"
same chooses.onnx f.onnx
edit constants f fold
ops f.onnx "Identity Add"
same constants.onnx f.onnx
edit f g fold
cmp f.onnx g.onnx || fail "a second fold changes something"
edit old f fold
ops f.onnx Mul
same old.onnx f.onnx
edit default f fold
ops f.onnx "Add Mul"
edit default f freeze fold
ops f.onnx Mul

# float16
edit net f float16
same net.onnx f.onnx --rtol 1e-2 --atol 2e-3
edit net f float16 keep=Softmax,head
same net.onnx f.onnx --rtol 1e-2 --atol 2e-3
edit net f float16:weights
same net.onnx f.onnx --rtol 1e-2 --atol 2e-3
edit net f float16:io
edit chooses f float16
same chooses.onnx f.onnx --rtol 1e-2 --atol 2e-3
edit quantised f float16
same quantised.onnx f.onnx --rtol 1e-2 --atol 2e-3

# merge, inline-functions, cse, freeze, set-dim, infer, register
edit front m merge back.onnx:f=in
same chain.onnx m.onnx
edit front m merge back.onnx f=in
same chain.onnx m.onnx
expect 3 "$ONNX2C" edit front.onnx -o m.onnx merge back_older.onnx:f=in
says to-opset
expect 1 "$ONNX2C" edit front.onnx -o m.onnx merge back.onnx:f=nothing
says "whose inputs are: 'in'"
edit functions m inline-functions
same functions.onnx m.onnx
edit twins m cse
ops m.onnx "MatMul Relu LeakyRelu Add Add"
tensors m.onnx w
same twins.onnx m.onnx
edit twins m unfreeze w2
tensors m.onnx w
edit shapes_dynamic m infer
edit shapes_dynamic m set-dim x:0=5 fold
ops m.onnx Reshape

"$PYTHON" "$ROOT/tests/cli/same_answers.py" comparisons >same.log 2>&1 || {
  cat same.log >&2
  fail "answers differ"
}
