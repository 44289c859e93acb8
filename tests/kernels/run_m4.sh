#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles a kernel test or count for the Cortex-M4 and runs it under QEMU:
#   run_m4.sh test_u8.c | insn_u8.c  [more compiler flags]
# CPU may name another core that the machine can stand in for.
set -e
here=$(cd "$(dirname "$0")" && pwd)
board=$here/../../examples/cortex_m4
cpu=${CPU:--mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16}
name=$1
shift
elf=$(mktemp)
trap 'rm -f "$elf"' EXIT
libs="--specs=nano.specs"
case $name in test_*) libs="--specs=rdimon.specs -Wl,--defsym=_fini=0" ;; esac
arm-none-eabi-gcc -std=c99 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wundef \
  $cpu -mthumb \
  -nostartfiles -T "$board/mps2.ld" \
  $libs "$@" "$here/$name" "$board/board.c" -lm -o "$elf"
qemu-system-arm -machine mps2-an386 -nographic -monitor none -serial none \
  -semihosting-config enable=on,target=native -icount shift=0 -kernel "$elf"
