#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No kernel's frame is above 1 KiB, for each instruction set of x86-64 that the
# kernels tell apart, whichever this machine has. AMX's tiles of 4 KiB go
# through memory, on machines where that much stack is nothing.
. "$(dirname "$0")/lib.sh"

kernels=$ROOT/runtime_min/kernels
sed -n 's/^KERNEL(\([a-z0-9_]*\), [a-z0-9]*, \([a-z0-9_.]*\),.*/\2 \1/p' \
  "$kernels/kernels.def" >list
[ -s list ] || fail "kernels.def lists no kernel"
for file in $(awk '{print $1}' list | sort -u); do
  {
    echo "#include \"$file\""
    echo "extern void (*const keep[])(void);"
    echo "void (*const keep[])(void) = {"
    awk -v f="$file" '$1 == f { print "  (void (*)(void))" $2 "," }' list
    echo "};"
  } >keep.c
  for cc in gcc clang; do
    for isa in x86-64 haswell cascadelake sapphirerapids; do
      most=1024
      if [ $isa = sapphirerapids ]; then most=5120; fi
      expect 0 $cc -std=c99 -O3 -march=$isa -Werror \
        -Wframe-larger-than=$most -I"$kernels" -I"$ROOT/runtime_min" \
        -c keep.c -o keep.o
    done
  done
done
