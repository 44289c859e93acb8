#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Choices between kernels: info tells them, bench --tune FILE measures and
# writes them, a compile reads them and nothing else.
. "$(dirname "$0")/lib.sh"
net=$zoo/squeezenet/model.onnx
tab=$(printf "\t")

expect 0 "$ONNX2C" info "$net"
says "expected "
says "choice     Conv f32 3x3"
expect 0 "$ONNX2C" bench --cc gcc --runs 2 --tune choices.txt "$net"
says "F(4x4)"
grep -q "^Conv f32 3x3.*${tab}F(4x4).*ns" choices.txt ||
  fail "no line of a choice"
grep -v '^#' choices.txt >lines
LC_ALL=C sort -c lines || fail "the file is not in order"

# Each way can be asked for, gives right answers, and the same bytes twice.
all_by() {
  cut -f 1 lines | sed "s/\$/${tab}$1/"
}
all_by direct >direct.txt
all_by 'F(4x4)' >fast.txt
for file in direct fast; do
  expect 0 "$ONNX2C" "$net" -o $file.c --name net --tune $file.txt
  mkdir -p again
  expect 0 "$ONNX2C" "$net" -o again/$file.c --name net --tune $file.txt
  cmp $file.c again/$file.c || fail "two compiles with one file differ"
  expect 0 "$ONNX2C" verify --cc gcc --tune $file.txt "$zoo/squeezenet"
done
! grep -q o2c_winograd_f32 direct.c || fail "direct.c has Winograd's kernel"
grep -q o2c_winograd_f32 fast.c || fail "fast.c has no kernel of Winograd"
expect 0 "$ONNX2C" info --tune direct.txt "$net"
says "direct, by --tune"

# Measuring again keeps what other networks have written.
echo "Conv of another network${tab}direct" >>choices.txt
expect 0 "$ONNX2C" bench --cc gcc --runs 1 --tune choices.txt "$net"
grep -q "^Conv of another network${tab}direct" choices.txt ||
  fail "a line of another network is lost"

expect 5 "$ONNX2C" "$net" -o x.c --tune none.txt
says "can't read"
echo "Conv 3x3 direct" >bad.txt
expect 1 "$ONNX2C" "$net" -o x.c --tune bad.txt
says "line 1"
sed "s/${tab}.*/${tab}by_magic/" lines >gone.txt
expect 1 "$ONNX2C" "$net" -o x.c --tune gone.txt
says "has no way"
[ ! -e x.c ] || fail "a refused compile left a file"
