#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The CUDA that onnx2c writes, through the real nvcc without a warning: a case
# of the corpus for each operator of claimed.txt, networks, and the runtime; and
# their C by gcc and clang. Nothing runs.
#
#   nvcc.sh [--every N]     of N operators one, which the commit chooses
# shellcheck source=tests/cuda/find.sh
. "$(dirname "$0")/find.sh"
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
every=1
[ "${1:-}" != --every ] || every=$2
commit=$(git -C "$ROOT" rev-parse HEAD 2>/dev/null || echo none)
real=$(find_nvcc) || skip "no nvcc"
home=$(dirname "$(dirname "$real")")
cp "$ROOT"/runtime_min/o2c*.h "$ROOT"/runtime_min/o2c_cuda*.c .
flags="-std=c++17 -Xcompiler -Wall,-Wextra,-Werror -Werror all-warnings"
strict="-std=c99 -Wall -Wextra -Wpedantic -Werror -fsyntax-only"

# chosen NAME: is it this commit's turn?
chosen() {
  [ $(($(printf '%s' "$1$commit" | cksum | cut -d ' ' -f 1) % every)) = 0 ]
}

# write NAME MODEL PROVIDER: the model's files; a line of what to compile.
: >todo
count=0
write() {
  count=$((count + 1))
  expect 0 "$ONNX2C" "$2" --provider "$3" --weights file -o "m$count.c"
  [ ! -e "m$count.cu" ] || echo "m$count.cu -arch=sm_90" >>todo
  echo "m$count.c: $1" >>names
}
grep -v '^#' "$ROOT/tests/cuda/claimed.txt" >claimed
while read -r name _ case; do
  ! chosen "$name" || write "$name" "$DATA/corpus/node/$case/model.onnx" cuda
done <claimed
for net in resnet50 minilm_shape mobilenet_v2; do
  write $net "$DATA/zoo/$net/model.onnx" cuda,cpu
done
# The last one for older GPUs, and for later ones.
echo "m$count.cu -arch=sm_80" >>todo
echo "m$count.cu -gencode arch=compute_90,code=compute_90" >>todo

cat >one.sh <<'END'
# one.sh NVCC FLAGS LINE: compiles a line's file; says so where it fails.
nvcc=$1 flags=$2
file=${3%% *}
out=$(mktemp ./XXXXXX.o)
# shellcheck disable=SC2086
"$nvcc" $flags ${3#* } -I. -c "$file" -o "$out" >"$out.log" 2>&1 || {
  echo "nvcc refuses $3"
  cat "$out.log"
  exit 1
}
rm -f "$out" "$out.log"
END
xargs -P 2 -d '\n' -n 1 sh one.sh "$real" "$flags" <todo >log 2>&1 || {
  cat log names
  fail "nvcc refuses something"
}
for cc in gcc clang; do
  have $cc || continue
  # shellcheck disable=SC2086
  expect 0 $cc $strict -I. m*.c
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
echo "$(wc -l <todo) compilations by nvcc, $(wc -l <claimed) operators claimed"
