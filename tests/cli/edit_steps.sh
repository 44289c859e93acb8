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
edit front m merge back_older.onnx:f=in
same chain.onnx m.onnx
edit back_older m merge front.onnx:y=x
[ "$("$ONNX2C" edit m.onnx json | grep -c '"version": "17"')" = 1 ] ||
  fail "the older model was not brought to opset 17"
expect 1 "$ONNX2C" edit front.onnx -o m.onnx merge back.onnx:f=nothing
says "whose inputs are: 'in'"
edit functions m inline-functions
same functions.onnx m.onnx
expect 2 "$ONNX2C" edit recursive.onnx -o m.onnx inline-functions
says "calls itself"
expect 3 "$ONNX2C" edit functions_older.onnx -o m.onnx inline-functions
says "put to-opset:17 before"
edit functions_older m to-opset:17 inline-functions
edit front m register functions.onnx
expect 1 "$ONNX2C" edit m.onnx -o n.onnx register functions.onnx
says "is there already"
expect 1 "$ONNX2C" edit front.onnx -o n.onnx register back.onnx
says "has no functions"
edit twins m cse
ops m.onnx "MatMul Relu LeakyRelu Add Add"
tensors m.onnx w
same twins.onnx m.onnx
edit twins m unfreeze w2
tensors m.onnx w
edit default m freeze 'a*'
edit m n fold
ops n.onnx "Add Mul"
expect 1 "$ONNX2C" edit default.onnx -o m.onnx freeze nothing
says "no input with an initializer"

# shape FILE KIND VALUE TEXT: dimensions of one of input, output, valueInfo.
shape() {
  got=$("$ONNX2C" edit "$1" json | tr -d ' \n' |
    sed 's/.*"'"$2"'":\[\(.*\)/\1/; s/.*{"name":"'"$3"'",\([^]]*\)].*/\1/
      s/[^\[]*"dim":\[//; s/"dim[A-Za-z]*"://g')
  [ "$got" = "$4" ] || fail "$3 of $1 has the shape $got"
}
edit shapes_dynamic m infer
shape m.onnx valueInfo s '{"3"}'
same shapes_dynamic.onnx m.onnx
edit shapes_dynamic m set-dim x:0=5 fold
ops m.onnx Reshape
shape m.onnx output y '{"5"},{"12"}'
edit shapes_static m set-dim x:0=M
shape m.onnx input x '{"M"},{"3"},{"4"}'
shape m.onnx output y '{"M"},{"12"}'
expect 1 "$ONNX2C" edit net.onnx -o m.onnx set-dim x:7=5
says "has 4 axes"
expect 1 "$ONNX2C" edit net.onnx -o m.onnx set-dim y:0=5
says "the inputs are: 'x'"
expect 1 "$ONNX2C" edit net.onnx -o m.onnx set-dim x=5
says "is not INPUT:AXIS=SIZE"
edit net m set-dim x:3=9

"$PYTHON" "$ROOT/tests/cli/same_answers.py" comparisons >same.log 2>&1 || {
  cat same.log >&2
  fail "answers differ"
}
