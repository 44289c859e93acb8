#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The CUDA that onnx2c writes, through the real nvcc without a warning: a case
# of the corpus for each operator of claimed.txt, the cases of operators.txt,
# networks, and the runtime; and their C by gcc and clang. Nothing runs.
#
#   nvcc.sh [--all NETWORK...]     every case that a GPU takes, these networks
#
# Most of nvcc's time goes into CUDA's own headers: a dozen cases are compiled
# as one file. Where that is refused, each of them is compiled by itself: only
# what is refused alone counts.
# shellcheck source=tests/cuda/find.sh
. "$(dirname "$0")/find.sh"
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
dozen=12
real=$(find_nvcc) || skip "no nvcc"
home=$(dirname "$(dirname "$real")")
cp "$ROOT"/runtime_min/o2c*.h "$ROOT"/runtime_min/o2c_cuda*.c .
flags="-std=c++17 -Xcompiler -Wall,-Wextra,-Werror -Werror all-warnings"
flags="$flags -Xptxas -v"
most_stack=1024
strict="-std=c99 -Wall -Wextra -Wpedantic -Werror -fsyntax-only"

# write NAME MODEL PROVIDER CODE: the model's files, m$count; the exit code may
# be CODE, too: a model that a GPU does not take whole.
count=0
write() {
  count=$((count + 1))
  code=0
  "$ONNX2C" "$2" --provider "$3" --weights file -o "m$count.c" \
    >out 2>&1 || code=$?
  [ "$code" = 0 ] || [ "$code" = "$4" ] || {
    cat out
    fail "$2: exit code $code"
  }
  echo "m$count: $1" >>names
}

# Cases, a dozen in a file, where functions of nodes and reference kernels have
# names by model.
if [ "${1:-}" = --all ]; then
  shift
  for dir in "$DATA"/corpus/node/*/; do
    write "$dir" "$dir/model.onnx" cuda 3
  done
  nets="$*"
else
  grep -v '^#' "$ROOT/tests/cuda/claimed.txt" >claimed
  while read -r name _ case; do
    write "$name" "$DATA/corpus/node/$case/model.onnx" cuda 0
  done <claimed
  expect 0 "$PYTHON" "$ROOT/tests/cuda/operators.py" "$DATA" others
  for model in others/*/*/model.onnx; do
    write "$model" "$model" cuda 0
  done
  nets="resnet50 minilm_shape mobilenet_v2"
fi
ls m*.cu >cases
while read -r file; do
  sed -E "s/\b(n[0-9]+|o2c_ref)_/\1_${file%.cu}_/g" "$file" >"part_$file"
  echo "#include \"part_$file\""
done <cases | split -l "$dozen" -a 3 --additional-suffix=.cu - group_
ls group_*.cu | sed 's/$/ -arch=sm_90/' >todo

# A network of halves, whose attention cuDNN is asked for.
"$ONNX2C" edit "$DATA/zoo/minilm_shape/model.onnx" -o half.onnx float16 \
  >out 2>&1 || fail "$(cat out)"
write minilm_half half.onnx cuda,cpu 0
grep -q o2c_cuda_sdpa "m$count.cu" || fail "no attention by cuDNN"
echo "m$count.cu -arch=sm_90" >>todo

# Networks; the last one for older GPUs, and for later ones.
for net in $nets; do
  [ -e "$DATA/zoo/$net" ] && dir=zoo || dir=models
  write "$net" "$(find "$DATA/$dir/$net/" -name '*.onnx' | head -n 1)" \
    cuda,cpu 0
  [ ! -e "m$count.cu" ] || echo "m$count.cu -arch=sm_90" >>todo
done
echo "m$count.cu -arch=sm_80" >>todo
echo "m$count.cu -gencode arch=compute_90,code=compute_90" >>todo

cat >one.sh <<'END'
# one.sh NVCC FLAGS LINE: compiles a line's file; says so where it fails.
nvcc=$1 flags=$2
file=${3%% *}
# shellcheck disable=SC2086
compile() { "$nvcc" $flags ${2#* } -I. -c "$1" -o "$1.o" >"$1.log" 2>&1; }
compile "$file" "$3" && exit
parts=$(sed -n 's/^#include "part_\(m[0-9]*\.cu\)"$/\1/p' "$file")
for part in ${parts:-$file}; do
  compile "$part" "$3" || {
    echo "nvcc refuses $part ${3#* }"
    cat "$part.log"
    bad=1
  }
done
exit ${bad:-0}
END
xargs -P 2 -d '\n' -n 1 sh one.sh "$real" "$flags" <todo >log 2>&1 || {
  cat log names
  fail "nvcc refuses something"
}
# Kernels that keep much in memory of a thread's own, or registers there: a list
# of numbers that is indexed may be there, what a fast kernel works with not.
cat ./*.cu.log | awk -v most=$most_stack '
  /Function properties for/ { name = $NF }
  /bytes stack frame/ && ($1 > most || $5 > 0) {
    print name ": " $1 " bytes of stack, " $5 " of spilled registers"
  }' >memory
[ ! -s memory ] || {
  sort -u memory
  fail "kernels with too much memory of their own"
}
for cc in gcc clang; do
  have $cc || continue
  # shellcheck disable=SC2086
  ls m*.c | xargs -n 200 $cc $strict -I. || fail "$cc refuses something"
done
dnn=$(find_cudnn "$home") || {
  echo "no cudnn.h: the runtime is not compiled"
  exit 0
}
expect 0 "$real" -Xcompiler -Wall,-Wextra,-Werror -I. -I"$dnn" -c o2c_cuda.c \
  -o runtime.o
for cc in gcc clang; do
  # CUDA's own headers are none of ours: -isystem.
  # shellcheck disable=SC2086
  ! have $cc || expect 0 $cc $strict -I. -isystem "$home/include" \
    -isystem "$dnn" o2c_cuda.c
done
echo "$(wc -l <cases) cases and $(echo "$nets" | wc -w) networks by nvcc," \
  "$(wc -l <todo) compilations"
