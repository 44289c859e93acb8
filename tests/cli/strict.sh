#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Generated C under every compiler, strictly; the header as C++; frames below
# 1 KiB; nothing of malloc and stdio, and no mutable data, in the objects.
. "$(dirname "$0")/lib.sh"

# Symbols that a model may need from outside: memory, mathematics, and what
# compilers call by themselves.
allowed='^(mem(cpy|set|move|cmp)|str(len|cmp)|_GLOBAL_OFFSET_TABLE_'
allowed="$allowed|a?(sin|cos|tan)h?f?|atan2f?|(exp|log)(2|10|1p|m1)?f?|expm1f?"
allowed="$allowed|powf?|sqrtf?|cbrtf?|erfc?f?|fmodf?|floorf?|ceilf?|roundf?"
allowed="$allowed|truncf?|rintf?|nearbyintf?|lrintf?|fm(a|in|ax)f?|fabsf?"
allowed="$allowed|ldexpf?|frexpf?|l?gammaf?|copysignf?|hypotf?|remainderf?"
allowed="$allowed|logbf?|scalbnf?|lroundf?|__aeabi_.*|__aarch64_.*"
allowed="$allowed|__[a-z]*[sdt]i[0-9]?|__.*[sdht]f[0-9]?|net[0-9]*_weights.*)\$"

check_object() {
  tools=
  case $1 in
  aarch64*) tools=aarch64-linux-gnu- ;;
  arm*) tools=arm-none-eabi- ;;
  esac
  "${tools}nm" -u net.o | awk '{print $NF}' | grep -Ev "$allowed" >extern ||
    true
  [ ! -s extern ] || fail "$2, $1: it needs $(tr '\n' ' ' <extern)"
  # .data.rel.ro holds constants with addresses: not mutable.
  "${tools}size" -A net.o |
    awk '$1 ~ /^\.t?(data|bss)/ && $1 !~ /\.rel\.ro/ && $2 > 0' >mutable
  "${tools}nm" net.o | awk '$2 == "C"' >>mutable
  [ ! -s mutable ] || fail "$2, $1: mutable data: $(cat mutable)"
  "${tools}nm" --defined-only -g net.o | awk '$3 !~ /^net_/' >foreign
  [ ! -s foreign ] || fail "$2, $1: symbols without prefix: $(cat foreign)"
}

for name in tiny_dscnn tiny_dscnn-s8 tiny_resnet8 tiny_resnet8-s8 tiny_vww \
    squeezenet shufflenet; do
  expect 0 "$ONNX2C" "$zoo/$name/model.onnx" -o net.c
  [ -e o2c.h ] || cp "$ROOT/runtime_min/o2c.h" .
  for cc in $(compilers); do
    opt=-O2
    [ "$cc" != arm-none-eabi-gcc ] || opt="-O2 -mcpu=cortex-m4 -mthumb"
    expect 0 $cc $STRICT -Wframe-larger-than=1024 $opt -c net.c -o net.o
    check_object "$cc" "$name"
    # shellcheck disable=SC2086
    case $cc in gcc | clang)
      expect 0 $cc $STRICT -O3 -march=native -Wframe-larger-than=1024 \
        -c net.c -o net.o
      check_object "$cc" "$name"
      expect 0 $cc -x c++ -Wall -Wextra -Wpedantic -Werror -fsyntax-only net.h
      ;;
    esac
  done
done

# All models' headers together, in C++ and in C.
: >all.cc
for name in tiny_dscnn tiny_ad-s8; do
  id=$(echo $name | tr -c 'a-z0-9\n' _)
  expect 0 "$ONNX2C" "$zoo/$name/model.onnx" -o "$id.c"
  echo "#include \"$id.h\"" >>all.cc
  echo "#include \"$id.h\"" >>all.cc
done
cp all.cc all.c
expect 0 gcc -x c++ -Wall -Wextra -Wpedantic -Werror -fsyntax-only all.cc
expect 0 gcc $STRICT -fsyntax-only all.c
