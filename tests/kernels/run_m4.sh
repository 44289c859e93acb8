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
memory=$(mktemp)
trap 'rm -f "$elf" "$memory"' EXIT
libs="--specs=nano.specs"
# The tests' operands take more than the board's 4 MB: its 16 MB of PSRAM.
ram="0x20000000, LENGTH = 4M"
case $name in test_*)
  libs="--specs=rdimon.specs -Wl,--defsym=_fini=0 -DSTEP=199999"
  ram="0x21000000, LENGTH = 16M" ;;
esac
sed "s/^  RAM .*/  RAM (rwx) : ORIGIN = $ram/" "$board/mps2.ld" >"$memory"
arm-none-eabi-gcc -std=c99 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wundef \
  $cpu -mthumb \
  -nostartfiles -T "$memory" \
  $libs "$@" "$here/$name" "$board/board.c" -lm -o "$elf"
qemu-system-arm -machine mps2-an386 -nographic -monitor none -serial none \
  -semihosting-config enable=on,target=native -icount shift=0 -kernel "$elf"
