#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --package cmake: configured and built, for a CPU always, for a GPU where
# nvcc is.
# shellcheck source=tests/cuda/find.sh
. "$(dirname "$0")/find.sh"
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
have cmake || skip "no cmake"

# build FOLDER ARGUMENT...: writes into the folder, and builds what is there.
build() {
  folder=$1
  shift
  mkdir "$folder"
  expect 0 "$ONNX2C" "$@" --package cmake -o "$folder/net.c"
  expect 0 cmake -S "$folder" -B "$folder/build"
  expect 0 cmake --build "$folder/build"
  [ -s "$folder/build/libnet.a" ] || fail "no library of $folder"
}
for mode in string object incbin; do
  build "cpu $mode" "$DATA/zoo/tiny_dscnn/model.onnx" --weights $mode
done
# As a part of another project, which runs it.
mkdir user
cat >user/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.10)
project(user C)
add_subdirectory("../cpu object" net)
add_executable(user main.c)
target_link_libraries(user net)
END
cat >user/main.c <<'END'
#include "net.h"
int main(void)
{
  net_dims d = { 1 };
  return net_workspace_size(&d, 1) == 0 || net_model()->n_in != 1;
}
END
expect 0 cmake -S user -B user/build
expect 0 cmake --build user/build
user/build/user || fail "the program does not run"
mkdir other "a;b"
net=$DATA/zoo/tiny_dscnn/model.onnx
expect 1 "$ONNX2C" "$net" --package cmake -o net.c --header other/net.h
expect 1 "$ONNX2C" "$net" --package cmake -o "a;b/n;t.c" --name net
expect 1 "$ONNX2C" "$net" --package cmake -o -
expect 1 "$ONNX2C" "$net" --package cmake -o net.o
expect 1 "$ONNX2C" "$net" --package wheel -o net.c
for file in net.* other/* "a;b"/*; do
  [ ! -e "$file" ] || fail "it wrote $file"
done

# A model for a GPU: all files of the runtime.
"$PYTHON" "$ROOT/tests/cuda/make_models.py" net gpu
mkdir written
expect 0 "$ONNX2C" gpu/model.onnx --provider cuda,cpu --bundle \
  -o written/net.c
for file in net.c net.cu net.h o2c.h o2c_cuda.h o2c_cuda_own.h o2c_cuda.c \
    o2c_cuda_device.c o2c_cuda_dnn.c o2c_cuda_blas.c o2c_cuda_graph.c \
    o2c_cuda_plan.c; do
  [ -s "written/$file" ] || fail "--bundle writes no $file"
done
if nvcc=$(find_nvcc) && find_cudnn "$(dirname "$(dirname "$nvcc")")" >dnn; then
  export CUDACXX="$nvcc"
  build device gpu/model.onnx --provider cuda,cpu
else
  echo "no nvcc or cuDNN: the package of a model for a GPU is not built"
fi
