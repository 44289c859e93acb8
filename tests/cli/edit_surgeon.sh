#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What ONNX GraphSurgeon's examples do, by `onnx2c edit`.
. "$(dirname "$0")/lib.sh"
"$PYTHON" "$ROOT/tests/cli/edit_surgeon.py" "$ONNX2C" "$WORK" >log 2>&1 || {
  cat log >&2
  fail "a counterpart of an example"
}

# Each row of the table has a test of that name, and each test a row.
sed -n 's/^| `\([a-z_]*\)` |.*/\1/p' "$ROOT/compiler/edit/README.md" |
  sort >rows
sed -n 's/^def \([a-z_]*\)():$/\1/p' "$ROOT/tests/cli/edit_surgeon.py" |
  grep -vx big | sort >tests
diff rows tests >log || {
  cat log >&2
  fail "the table and the tests differ"
}
