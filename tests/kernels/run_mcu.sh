#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles a kernel test or count for a Cortex-M and runs it under QEMU:
#   run_mcu.sh test_u8.c | insn_u8.c  [more compiler flags]
# CORE is one that examples/cortex_m4/Makefile knows, else cortex-m4; CPU
# (flags) may name another one that its machine can stand in for.
set -e
here=$(cd "$(dirname "$0")" && pwd)
board=$here/../../examples/cortex_m4
[ -n "${CPU:-}" ] || unset CPU
eval "$(make -s --no-print-directory -C "$board" \
  CORE="${CORE:-cortex-m4}" ${CPU:+CPU="$CPU"} settings)"
name=$1
shift
elf=$(mktemp)
trap 'rm -f "$elf"' EXIT
libs="--specs=nano.specs"
case $name in test_*)
  libs="--specs=rdimon.specs -Wl,--defsym=_fini=0 -DSTEP=199999" ;;
esac
# shellcheck disable=SC2086
arm-none-eabi-gcc -std=c99 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wundef \
  $CPU -mthumb -nostartfiles -L "$board" -T "$memory" \
  $libs "$@" "$here/$name" "$board/board.c" -lm -o "$elf"
qemu-system-arm -machine "$machine" -nographic -monitor none -serial none \
  -semihosting-config enable=on,target=native -icount shift=0 -kernel "$elf"
