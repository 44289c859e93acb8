#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libonnx2c from an installed prefix: by CMake's package and by pkg-config,
# shared and static; the examples' models are checked.
. "${0%/*}/lib.sh"

build=$(dirname "$ONNX2C")
cmake --install "$build" --prefix "$WORK/prefix" >log 2>&1 ||
  { cat log; fail "cmake --install"; }
pc=$(find prefix -name onnx2c.pc)
[ -n "$pc" ] || fail "no onnx2c.pc"
so=$(find prefix -name libonnx2c.so)

# Only its own names, and nothing that ends the process.
if have nm; then
  nm -D --defined-only "$so" | awk '{ print $3 }' | grep -v '^onnx2c_' >names ||
    true
  [ ! -s names ] || { cat names; fail "names that are not the library's"; }
  nm -D --undefined-only "$so" | grep -wE 'exit|_exit|quick_exit' >names ||
    true
  [ ! -s names ] || fail "the library may end the process"
fi

example=$ROOT/examples/insert_node
cmake -S "$example" -B ex -DCMAKE_PREFIX_PATH="$WORK/prefix" >log 2>&1 &&
  cmake --build ex >>log 2>&1 || { cat log; fail "the example by CMake"; }
model=$zoo/tiny_resnet8/model.onnx
./ex/insert_node "$model" after.onnx after.c >log
grep -q '^input ' log || fail "types of inputs"
./ex/new_model new.onnx
"$PYTHON" "$ROOT/tests/cli/edit_library.py" "$model" after.onnx new.onnx
cc -std=c99 -Wall -Wextra -Wpedantic -Werror -I prefix/include -fsyntax-only \
  after.c || fail "the C that the library wrote"
if have pkg-config; then
  flags=$(PKG_CONFIG_PATH=$(dirname "$WORK/$pc") \
    pkg-config --cflags --libs onnx2c)
  # shellcheck disable=SC2086
  cc -std=c99 -Wall -Wextra -Wpedantic -Werror "$example/insert_node.c" \
    -o by_pc $flags -Wl,-rpath,"$(dirname "$WORK/$so")"
  ./by_pc "$model" again.onnx >log
  cmp after.onnx again.onnx || fail "pkg-config"
fi
if have c++; then
  printf '#include <onnx2c.h>\nint main() { return !onnx2c_load("x"); }\n' \
    >t.cpp
  c++ -Wall -Wextra -Wpedantic -Werror -I prefix/include -fsyntax-only t.cpp
fi
expect 1 ./ex/insert_node no.onnx out.onnx
says "no.onnx"
