#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a bare Debian to an answer: installs what is missing, builds onnx2c,
# compiles a real network (magika, which tells what kind of file a file is) to
# C, builds examples/filetype with it, and asks it about files of this tree.
#
#   sh examples/quickstart.sh [FILE...]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/build/quickstart
mkdir -p "$out"

say() {
  printf '\n== %s\n' "$*"
}

"$root/tests/tools/packages.sh" build python
say "Building onnx2c"
cmake -S "$root" -B "$root/build/release" -DCMAKE_BUILD_TYPE=Release \
  -DBUILD_TESTING=OFF >"$out/build.log" 2>&1 &&
  cmake --build "$root/build/release" -j "$(nproc)" --target onnx2c \
    >>"$out/build.log" 2>&1 || {
  tail -n 30 "$out/build.log" >&2
  exit 1
}
onnx2c=$root/build/release/onnx2c

say "Getting the network out of the package magika 1.0.3"
[ -x "$out/venv/bin/pip" ] || python3 -m venv "$out/venv"
"$out/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps \
  --dest "$out" magika==1.0.3
python3 "$root/examples/filetype/unpack.py" "$out"/magika-1.0.3*.whl "$out"
ls -l "$out/magika.onnx"

say "onnx2c magika.onnx -o magika.c"
"$onnx2c" "$out/magika.onnx" -o "$out/magika.c"
"$onnx2c" info "$out/magika.onnx" | head -n 20 || true
cp "$root/runtime_min/o2c.h" "$out"
wc -c "$out/magika.c" "$out/magika.h"

say "cc -O3 main.c magika.c"
set -x
cc -std=c99 -O3 -march=native -I "$out" -o "$out/filetype" \
  "$root/examples/filetype/main.c" "$out/magika.c" \
  $(ls "$out"/magika*.o 2>/dev/null) -lm
set +x

say "What kind of file is it?"
if [ $# = 0 ]; then
  cd "$root"
  set -- examples/filetype/main.c examples/filetype/unpack.py CMakeLists.txt \
    examples/quickstart.sh build/quickstart/filetype \
    build/quickstart/magika-1.0.3*.whl
fi
"$out/filetype" "$@"
