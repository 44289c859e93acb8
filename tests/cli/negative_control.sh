#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify must notice: a changed expected output, a wrong shape, a wrong type,
# a crash, a missing output.
. "$(dirname "$0")/lib.sh"
cp -r "$zoo/tiny_dscnn" net
expect 0 "$ONNX2C" verify net
says "1 passed, 0 failed, 0 unsupported"

for change in value shape type nan; do
  rm -rf net
  cp -r "$zoo/tiny_dscnn" net
  "$PYTHON" "$ROOT/tests/cli/change_output.py" \
    net/test_data_set_1/output_0.pb "$change"
  expect 4 "$ONNX2C" verify net
  says "0 passed, 1 failed, 0 unsupported"
done

# A change within the tolerance that is asked for passes.
rm -rf net
cp -r "$zoo/tiny_dscnn" net
"$PYTHON" "$ROOT/tests/cli/change_output.py" \
  net/test_data_set_1/output_0.pb value
expect 0 "$ONNX2C" verify net --rtol 0 --atol 10
says "(options)"
echo "0 10" >net/tolerance.txt
expect 0 "$ONNX2C" verify net
says "tolerance.txt"

rm net/test_data_set_1/output_0.pb net/tolerance.txt
expect 4 "$ONNX2C" verify net
rm -rf net/test_data_set_*
expect 0 "$ONNX2C" verify net
says "smoke test"
