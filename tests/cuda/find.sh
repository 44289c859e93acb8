# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by the tests of this folder: where CUDA is.

skip() {
  echo "skipped: $*"
  exit 77
}

# The real nvcc: $REAL_NVCC, on the path, or where the toolkit is installed.
find_nvcc() {
  for at in "${REAL_NVCC:-}" "$(command -v nvcc || :)" \
      "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc"; do
    if [ -n "$at" ] && [ -x "$at" ]; then
      echo "$at"
      return
    fi
  done
  return 1
}

# The folder of pip's cuDNN; nothing where there is none.
pip_cudnn() {
  python3 -c 'import nvidia.cudnn; print(list(nvidia.cudnn.__path__)[0])' \
    2>/dev/null || :
}

# find_cudnn TOOLKIT: the folder of cudnn.h.
find_cudnn() {
  for at in "${CUDNN_INCLUDE:-}" "$1/include" /usr/include /usr/local/include \
      /usr/include/x86_64-linux-gnu /usr/include/aarch64-linux-gnu \
      "$(pip_cudnn)/include"; do
    if [ -n "$at" ] && [ -e "$at/cudnn.h" ]; then
      echo "$at"
      return
    fi
  done
  return 1
}

# find_library NAME TOOLKIT: the folder of libNAME.so, or of libNAME.so.*; none:
# where the linker looks by itself.
find_library() {
  for at in "${CUDNN_LIB:-}" "$2/lib64" "$2/lib" \
      "$2/targets/x86_64-linux/lib" "$2/targets/sbsa-linux/lib" \
      /usr/lib/x86_64-linux-gnu /usr/lib/aarch64-linux-gnu /usr/lib64 \
      /usr/local/lib "$(pip_cudnn)/lib"; do
    [ -n "$at" ] || continue
    for file in "$at/lib$1.so" "$at/lib$1.so."*; do
      if [ -e "$file" ]; then
        echo "$at"
        return
      fi
    done
  done
}

# A GPU with its driver.
have_gpu() {
  command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null |
    grep -q '^GPU'
}
