#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sets up the tests and runs them: packages, build, data, CTest.
#
#   sh tests/run.sh [CTEST-OPTION...]      say -L unit, or -R cli
#
# BUILD names the build folder (build/test), FULL=1 takes everything instead of
# samples (see full.sh), SANITIZE=1 builds onnx2c itself with ASan and UBSan.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build/test}
"$root/tests/tools/packages.sh" build python compilers
"$root/tests/tools/packages.sh" images ||
  echo "tests/run.sh: going without libraries of images"
"$root/tests/tools/packages.sh" browser ||
  echo "tests/run.sh: going without a browser"
cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON \
  -DO2C_TEST_FULL="${FULL:-0}" -DO2C_SANITIZE="${SANITIZE:-0}"
cmake --build "$build" -j "$(nproc)"
cd "$build"
exec ctest --output-on-failure -j "$(nproc)" "$@"
