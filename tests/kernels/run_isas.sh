#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A kernel test for each instruction set that this machine runs, natively or
# under QEMU:  run_isas.sh test_u8.c [compiler]
# What is not installed is left out, and said; Cortex-M with MCU=no, since QEMU
# takes minutes for floats on cores without them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=$1
cc=${2:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=c99 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror"
flags="$flags -I$here/../../runtime_min"
bad=0

has() { command -v "$1" >/dev/null; }

# one LABEL RUNNER COMPILER FLAGS...
one() {
  label=$1
  runner=$2
  shift 2
  # shellcheck disable=SC2086
  if "$@" $flags "$here/$name" -lm -o "$work/t" && $runner "$work/t" \
      >"$work/log"; then
    echo "$label: ok"
  else
    echo "$label: FAILED"
    tail -5 "$work/log" || true
    bad=1
  fi
}

# mcu LABEL FLAGS CORE
mcu() {
  if CPU=$2 CORE=$3 "$here/run_mcu.sh" "$name" >"$work/log"; then
    echo "$1: ok"
  else
    echo "$1: FAILED"
    bad=1
  fi
}

one native "" "$cc" -march=native
one portable "" "$cc" -DO2C_U8_PORTABLE
if [ "$(uname -m)" = x86_64 ]; then
  one x86-64 "" "$cc" -march=x86-64
  if grep -qw avx2 /proc/cpuinfo; then
    one x86-64-v3 "" "$cc" -march=x86-64-v3
  fi
  if grep -qw avx_vnni /proc/cpuinfo; then
    one avx-vnni "" "$cc" -march=x86-64-v3 -mavxvnni
  fi
  if [ "$name" = test_u8.c ] && grep -qw avx512_vnni /proc/cpuinfo; then
    one "amx, emulated" "" "$cc" -march=x86-64-v4 -mavx512vnni \
      -include "$here/amx_shim.h"
  fi
  if [ "$name" = test_u8.c ]; then
    runner=true
    if grep -qw amx_int8 /proc/cpuinfo; then runner=; fi
    one "amx${runner:+, compiled only}" "$runner" "$cc" -march=x86-64-v4 \
      -mavx512vnni -mamx-tile -mamx-int8
  fi
fi
if has aarch64-linux-gnu-gcc && has qemu-aarch64; then
  q="qemu-aarch64 -L /usr/aarch64-linux-gnu"
  one armv8-a "$q" aarch64-linux-gnu-gcc -march=armv8-a -DSTEP=19997
  if [ "$name" = test_u8.c ]; then # nothing else uses them
    one armv8.2-a+dotprod "$q" aarch64-linux-gnu-gcc \
      -march=armv8.2-a+dotprod -DSTEP=19997
    one armv8.2-a+dotprod+i8mm "$q -cpu max" aarch64-linux-gnu-gcc \
      -march=armv8.2-a+dotprod+i8mm -DSTEP=19997
  fi
else
  echo "aarch64: no cross compiler or QEMU, left out"
fi
if [ "${MCU:-}" = no ]; then
  echo "Cortex-M: left out, as asked"
elif has arm-none-eabi-gcc && has qemu-system-arm; then
  for core in cortex-m4 cortex-m7 cortex-m33 cortex-m55; do
    mcu "$core" "" "$core"
  done
  for flags in "-mcpu=cortex-m4 -mfloat-abi=soft" "-mcpu=cortex-m3"; do
    mcu "$flags" "$flags" cortex-m4
  done
else
  echo "Cortex-M: no cross compiler or QEMU, left out"
fi
exit $bad
