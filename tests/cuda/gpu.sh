#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All that wants a GPU, on a machine with the CUDA toolkit, cuDNN 9 and Python,
# and one report of it.
#
#   gpu.sh [--onnx2c FILE] [--data FOLDER] [--report FILE] [--quick]
#   gpu.sh --pack FOLDER [--onnx2c FILE] [--data FOLDER] [--quick]
#
# Without --onnx2c it is built, which takes protobuf-c, protoc-c and cmake; m4
# and a C compiler are needed in any case. Where a GPU's machine lacks them,
# --pack on another one of its kind puts all that is needed into FOLDER, and
# there `sh FOLDER/run.sh [--quick]` does the rest: nothing is missed but the
# toolkit, cuDNN and Python. --data is test data of tests/tools/prepare.sh: zoo/
# and corpus/. What is missing is left out, and the report says so.
#
# Steps: verify of networks, of convolutions with all that follows them and of
# corpus cases; what goes wrong on a device (errors.c); compute-sanitizer's
# memcheck and racecheck; times beside onnxruntime's CUDA provider, TensorRT and
# torch, and start-up (bench.py), f32 exact and with TF32, and f16. One that
# fails does not stop the others. --quick takes a few of each. The exit status
# is 1 if anything that must pass does not.
set -eu
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/cuda/find.sh
. "$ROOT/tests/cuda/find.sh"
ONNX2C=
DATA=${DATA:-$ROOT/build/test/testdata}
report=gpu_report.txt
quick=
pack=
while [ $# -gt 0 ]; do
  case $1 in
  --onnx2c) ONNX2C=$2; shift ;;
  --data) DATA=$2; shift ;;
  --report) report=$2; shift ;;
  --pack) pack=$2; shift ;;
  --quick) quick=1 ;;
  *) echo "gpu.sh: what is $1?" >&2; exit 1 ;;
  esac
  shift
done
[ ! -d "$DATA" ] || DATA=$(cd "$DATA" && pwd)
case $ONNX2C in
"" | /*) ;;
*) ONNX2C=$PWD/$ONNX2C ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
failed=
: >"$report"

say() { printf '%s\n' "$*" | tee -a "$report"; }
title() { say ""; say "== $*"; }

# try NAME COMMAND...: its last lines, the time, and whether it failed. No
# command may hang the rest: $limit seconds.
try() {
  name=$1
  shift
  begin=$(date +%s)
  code=0
  limited "$@" >"$work/log" 2>&1 || code=$?
  say "-- $name: exit code $code, $(($(date +%s) - begin)) s"
  tail -n "${lines:-3}" "$work/log" | sed 's/^/   /' | tee -a "$report"
  [ $code = 0 ] || failed="$failed $name"
}
limit=1200
limited() {
  case $1 in
  sanitize | errors) "$@" ;; # functions, which call this themselves
  *) timeout -k 10 "$limit" "$@" ;;
  esac
}

# sanitize TOOL PROGRAM...
sanitize() {
  tool=$1
  shift
  limited "$sanitizer" --target-processes all --tool "$tool" "$@" \
    >"$work/said" 2>&1 || :
  tail -n 20 "$work/said"
  grep -q 'SUMMARY: 0 ' "$work/said" && ! grep -q 'SUMMARY: [1-9]' "$work/said"
}

commit() {
  cat "$ROOT/commit" 2>/dev/null ||
    git -C "$ROOT" rev-parse HEAD 2>/dev/null || echo unknown
}

# python_has MODULE...
python_has() {
  for module; do
    [ -n "$python" ] && "$python" -c "import $module" 2>/dev/null || return 1
  done
}

nets="tiny_resnet8 tiny_ad mobilenet_v2 resnet50 minilm_shape"
share=40
if [ -z "$quick" ]; then
  nets="tiny_dscnn tiny_vww $nets densenet121 gpt2_shape lstm_tagger
    tiny_resnet8-s8 mobilenet_v2-s8 squeezenet shufflenet-logits"
  share=4
fi
# Those that are here.
all="$nets lstm_tagger tiny_resnet8-s8"
nets=
for net in $(printf '%s\n' $all | awk '!seen[$0]++'); do
  [ ! -e "$DATA/zoo/$net/model.onnx" ] || nets="$nets $net"
done
python=$DATA/venv/bin/python
[ -x "$python" ] || python=$(command -v python3 || :)

# Models that tests make: `net` for errors.c, `convs`.
make_models() {
  for kind in net convs; do
    [ -e "$1/$kind/model.onnx" ] ||
      "$python" "$ROOT/tests/cuda/make_models.py" $kind "$1/$kind" || return 1
  done
}

build_onnx2c() {
  [ -z "$ONNX2C" ] || return 0
  try configure cmake -S "$ROOT" -B "$work/build" -DBUILD_TESTING=OFF \
    -DCMAKE_BUILD_TYPE=Release
  try build cmake --build "$work/build" -j 8
  ONNX2C=$work/build/onnx2c
}

if [ -n "$pack" ]; then
  mkdir -p "$pack/bin" "$pack/data/zoo" "$pack/data/corpus/node"
  build_onnx2c
  cp "$ONNX2C" "$(command -v m4)" "$pack/bin"
  for lib in $(ldd "$ONNX2C" "$(command -v m4)" |
    awk '/libprotobuf-c|libsigsegv/ { print $3 }'); do
    cp "$lib" "$pack/bin"
  done
  mkdir -p "$pack/tree"
  (cd "$ROOT" && tar cf - tests/cuda tests/onnx tests/cli/*.h) |
    tar xf - -C "$pack/tree"
  commit >"$pack/tree/commit"
  make_models "$pack/data"
  for net in $nets; do
    cp -rL "$DATA/zoo/$net" "$pack/data/zoo"
  done
  # The claimed cases, of which a machine without onnx verifies each.
  grep -v '^#' "$ROOT/tests/cuda/claimed.txt" | while read -r _ _ case; do
    [ ! -e "$DATA/corpus/node/$case" ] ||
      cp -rL "$DATA/corpus/node/$case" "$pack/data/corpus/node"
  done
  cat >"$pack/run.sh" <<'END'
#!/bin/sh
# run.sh [--quick] [--report FILE]: the tests that were packed here.
here=$(cd "$(dirname "$0")" && pwd)
M4=$here/bin/m4
LD_LIBRARY_PATH=$here/bin${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export M4 LD_LIBRARY_PATH
exec sh "$here/tree/tests/cuda/gpu.sh" --onnx2c "$here/bin/onnx2c" \
  --data "$here/data" "$@"
END
  du -sh "$pack"
  exit 0
fi

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
say "commit $(commit)"
# Libraries where they are; pip's have no libcudnn.so, only libcudnn.so.9.
mkdir "$work/lib"
link="-L$work/lib"
for name in cudnn cublasLt; do
  folder=$(find_library $name "$home")
  [ -n "$folder" ] || continue
  for file in "$folder/lib$name.so" "$folder/lib$name.so."*; do
    [ ! -e "$file" ] || ln -sf "$file" "$work/lib/lib$name.so"
  done
  link="$link -Xlinker -rpath=$folder"
done
# With DRY_RUN set, the shim is the device.
NVCC="$real -arch=native -I$dnn $link"
[ -z "${DRY_RUN:-}" ] || NVCC=$ROOT/tests/cuda/nvcc_shim
export NVCC ONNX2C DATA ROOT

title "build"
build_onnx2c
"$ONNX2C" --version >/dev/null || { say "onnx2c does not run"; exit 1; }

title "right answers"
for net in $nets; do
  try "verify $net" "$ONNX2C" verify "$DATA/zoo/$net" --provider cuda,cpu
done
models=$DATA
[ -e "$DATA/net/model.onnx" ] || models=$work
if [ $models = "$DATA" ] || { python_has onnx onnxruntime &&
  make_models "$work"; }; then
  try "verify convs" "$ONNX2C" verify "$models/convs/model.onnx" --provider \
    cuda,cpu
else
  say "no onnx and onnxruntime packages: no convs, no errors"
  models=
fi
if python_has onnx && [ -d "$DATA/corpus/node" ]; then
  lines=6
  try "corpus" "$python" "$ROOT/tests/onnx/run_corpus.py" --onnx2c "$ONNX2C" \
    --corpus "$DATA/corpus" --kind node --provider cuda --claimed \
    "$ROOT/tests/cuda/claimed.txt" --share $share --fixed
  lines=3
elif [ -d "$DATA/corpus/node" ]; then
  say "no onnx package: a case of each claimed operator, by onnx2c itself"
  try "corpus" "$ONNX2C" verify --provider cuda,cpu "$DATA"/corpus/node/*/
else
  say "no corpus"
fi

title "what goes wrong"
# What errors.c asks of the shim, the device answers in live.c.
live=$ROOT/tests/cuda/live.c
[ -z "${DRY_RUN:-}" ] || live=
errors() {
  (cd "$work" && "$ONNX2C" "$models/net/model.onnx" --provider cuda,cpu \
    --bundle -o net.c && "$ONNX2C" "$models/net/model.onnx" -o cpu.c &&
    $NVCC -O2 -g -DO2C_FAKE -I. -I"$ROOT/tests/cuda" \
      "$ROOT/tests/cuda/errors.c" $live \
      cpu.c net.c net.cu o2c_cuda.c -lcudnn -lcublasLt -lm -o errors &&
    limited env O2C_SHIM_GRAPHS=1 ./errors)
}
[ -z "$models" ] || try errors errors

title "compute-sanitizer"
sanitizer=$(command -v compute-sanitizer || echo "$home/bin/compute-sanitizer")
if [ -n "${DRY_RUN:-}" ]; then
  say "not of the shim"
elif [ -x "$sanitizer" ]; then
  [ ! -x "$work/errors" ] ||
    try "memcheck errors" sanitize memcheck env O2C_SHIM_GRAPHS=1 "$work/errors"
  for net in tiny_resnet8 minilm_shape lstm_tagger tiny_resnet8-s8; do
    [ -e "$DATA/zoo/$net/model.onnx" ] || continue
    rm -rf "$work/bench"
    "$ONNX2C" bench "$DATA/zoo/$net" --provider cuda,cpu --runs 2 --dim S=32 \
      --save "$work/bench" >"$work/log" 2>&1 || {
      say "-- sanitize $net: it can't be built"
      failed="$failed sanitize-$net"
      continue
    }
    for tool in memcheck racecheck; do
      try "$tool $net" sanitize $tool "$work/bench/bench" \
        "$work/bench/bench.job" "$work/bench/result"
    done
    [ -z "$quick" ] || break
  done
else
  say "there is no compute-sanitizer"
fi

title "times"
lines=60
limit=7200
# bench MODEL [--fast|--half]
bench() {
  try "bench $(basename "$(dirname "$1")")${2:-}" "$python" \
    "$ROOT/tests/cuda/bench.py" --onnx2c "$ONNX2C" --nvcc "$NVCC" \
    ${quick:+--quick} "$@"
}
for net in resnet50 mobilenet_v2 minilm_shape; do
  model=$DATA/zoo/$net/model.onnx
  if [ -z "$python" ]; then
    say "there is no Python"
    break
  fi
  [ -e "$model" ] || continue
  bench "$model"
  [ -n "$quick" ] || bench "$model" --fast
  mkdir -p "$work/half/$net"
  if "$ONNX2C" edit "$model" -o "$work/half/$net/model.onnx" float16 \
    >"$work/log" 2>&1; then
    bench "$work/half/$net/model.onnx" --half
  else
    say "-- $net in f16: it can't be made"
    failed="$failed half-$net"
  fi
done

title "result"
if [ -n "$failed" ]; then
  say "FAILED:$failed"
  exit 1
fi
say "passed"
