#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything, no sampling: the whole corpus with both compilers and under the
# sanitizers, all networks, and the unit tests with onnx2c under ASan and UBSan.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
FULL=1 BUILD=$root/build/full sh "$root/tests/run.sh" "$@"
FULL=1 SANITIZE=1 BUILD=$root/build/full-asan sh "$root/tests/run.sh" \
  -L 'unit|fuzz'
date -u '+full.sh passed on %Y-%m-%d'
