#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All that wants a GPU, on a machine with the CUDA toolkit, cuDNN 9 and Python,
# and one report of it.
#
#   gpu.sh [--onnx2c FILE] [--data FOLDER] [--report FILE] [--quick]
#
# Without --onnx2c it is built, which takes protobuf-c, protoc-c and cmake; m4
# and a C compiler are needed in any case. FOLDER is test data of
# tests/tools/prepare.sh: zoo/ and corpus/. What is missing is left out, and the
# report says so. Steps: verify of networks and of corpus cases, the errors of
# errors.c's kind that a device shows, compute-sanitizer's memcheck and
# racecheck, times beside onnxruntime's CUDA provider, TensorRT and torch
# (bench.py), start-up. --quick takes a few of each. The exit status is 1 if
# anything that must pass does not.
set -eu
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/cuda/find.sh
. "$ROOT/tests/cuda/find.sh"
ONNX2C=
DATA=${DATA:-$ROOT/build/test/testdata}
report=gpu_report.txt
quick=
while [ $# -gt 0 ]; do
  case $1 in
  --onnx2c) ONNX2C=$2; shift ;;
  --data) DATA=$2; shift ;;
  --report) report=$2; shift ;;
  --quick) quick=1 ;;
  *) echo "gpu.sh: what is $1?" >&2; exit 1 ;;
  esac
  shift
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
failed=
: >"$report"

say() { printf '%s\n' "$*" | tee -a "$report"; }
title() { say ""; say "== $*"; }

# try NAME COMMAND...: its last lines, the time, and whether it failed.
try() {
  name=$1
  shift
  begin=$(date +%s)
  code=0
  "$@" >"$work/log" 2>&1 || code=$?
  say "-- $name: exit code $code, $(($(date +%s) - begin)) s"
  tail -n "${lines:-3}" "$work/log" | sed 's/^/   /' | tee -a "$report"
  [ $code = 0 ] || failed="$failed $name"
}

# sanitize TOOL: of the program in $work/bench.
sanitize() {
  "$sanitizer" --target-processes all --tool "$1" "$work/bench/bench" \
    "$work/bench/bench.job" "$work/bench/result" >"$work/said" 2>&1 || :
  tail -n 20 "$work/said"
  grep -q 'SUMMARY: 0 ' "$work/said" && ! grep -q 'SUMMARY: [1-9]' "$work/said"
}

title "machine"
if have_gpu; then
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm \
    --format=csv,noheader | tee -a "$report"
elif [ -z "${DRY_RUN:-}" ]; then
  say "there is no GPU"
  exit 77
fi
real=$(find_nvcc) || { say "there is no nvcc"; exit 77; }
home=$(dirname "$(dirname "$real")")
dnn=$(find_cudnn "$home") || { say "there is no cudnn.h"; exit 77; }
"$real" --version | tail -n 2 | tee -a "$report"
awk '/^#define CUDNN_(MAJOR|MINOR|PATCHLEVEL) / { v = v "." $3 }
  END { print "cuDNN " substr(v, 2) }' "$dnn/cudnn_version.h" |
  tee -a "$report"
say "commit $(git -C "$ROOT" rev-parse HEAD 2>/dev/null || echo unknown)"
# With DRY_RUN set, the shim is the device.
NVCC="$real -arch=native -I$dnn"
[ -z "${DRY_RUN:-}" ] || NVCC=$ROOT/tests/cuda/nvcc_shim
export NVCC ONNX2C DATA ROOT

title "build"
if [ -z "$ONNX2C" ]; then
  try configure cmake -S "$ROOT" -B "$work/build" -DBUILD_TESTING=OFF \
    -DCMAKE_BUILD_TYPE=Release
  try build cmake --build "$work/build" -j 8
  ONNX2C=$work/build/onnx2c
fi
"$ONNX2C" --version >/dev/null || { say "onnx2c does not run"; exit 1; }

nets="tiny_resnet8 tiny_ad mobilenet_v2 resnet50 minilm_shape"
share=40
if [ -z "$quick" ]; then
  nets="tiny_dscnn tiny_vww $nets densenet121 gpt2_shape lstm_tagger
    tiny_resnet8-s8 mobilenet_v2-s8 squeezenet shufflenet-logits"
  share=4
fi
# Those that are here.
all=$nets
nets=
for net in $all; do
  [ ! -e "$DATA/zoo/$net/model.onnx" ] || nets="$nets $net"
done

title "right answers"
for net in $nets; do
  try "verify $net" "$ONNX2C" verify "$DATA/zoo/$net" --provider cuda,cpu
done
python=$DATA/venv/bin/python
[ -x "$python" ] || python=$(command -v python3)
if "$python" -c 'import onnx' 2>/dev/null && [ -d "$DATA/corpus/node" ]; then
  lines=6
  try "corpus" "$python" "$ROOT/tests/onnx/run_corpus.py" --onnx2c "$ONNX2C" \
    --corpus "$DATA/corpus" --kind node --provider cuda --claimed \
    "$ROOT/tests/cuda/claimed.txt" --share $share --fixed
  lines=3
else
  say "no corpus, or no onnx package: only onnx2c's own look at it"
fi

title "compute-sanitizer"
sanitizer=$(command -v compute-sanitizer || echo "$home/bin/compute-sanitizer")
if [ -x "$sanitizer" ]; then
  for net in tiny_resnet8 minilm_shape lstm_tagger tiny_resnet8-s8; do
    [ -e "$DATA/zoo/$net/model.onnx" ] || continue
    rm -rf "$work/bench"
    "$ONNX2C" bench "$DATA/zoo/$net" --provider cuda,cpu --runs 2 --dim S=32 \
      --save "$work/bench" >/dev/null 2>&1 || continue
    for tool in memcheck racecheck; do
      try "$tool $net" sanitize $tool
    done
    [ -z "$quick" ] || break
  done
else
  say "there is no compute-sanitizer"
fi

title "times"
lines=60
for net in resnet50 mobilenet_v2 minilm_shape; do
  [ -e "$DATA/zoo/$net/model.onnx" ] || continue
  try "bench $net" "$python" "$ROOT/tests/cuda/bench.py" --onnx2c "$ONNX2C" \
    --nvcc "$NVCC" ${quick:+--quick} "$DATA/zoo/$net/model.onnx"
done

title "result"
if [ -n "$failed" ]; then
  say "FAILED:$failed"
  exit 1
fi
say "passed"
