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

# find_cudnn TOOLKIT: the folder of cudnn.h.
find_cudnn() {
  for at in "${CUDNN_INCLUDE:-}" "$1/include" /usr/include /usr/local/include \
      /usr/include/x86_64-linux-gnu /usr/include/aarch64-linux-gnu; do
    if [ -n "$at" ] && [ -e "$at/cudnn.h" ]; then
      echo "$at"
      return
    fi
  done
  return 1
}

# A GPU with its driver.
have_gpu() {
  command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null |
    grep -q '^GPU'
}
