#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sizes that must be equal and may not be: info tells, a run compares.
. "$(dirname "$0")/lib.sh"

"$PYTHON" - "$ROOT/tests/cases/resize/sizes_must_fit.txt" <<'END'
import sys
import onnx
onnx.save(onnx.parser.parse_model(open(sys.argv[1]).read()), "fit.onnx")
END
expect 0 "$ONNX2C" info fit.onnx
says "condition ((H + 1) / 2) = ((H + 3) / 4)*2"
expect 0 "$ONNX2C" bench fit.onnx --runs 1 --dim H=8
expect 4 "$ONNX2C" bench fit.onnx --runs 1 --dim H=6
says "O2C_E_DIMS"
# A size that is said beforehand has to fit then.
expect 2 "$ONNX2C" check fit.onnx --dim H=6
