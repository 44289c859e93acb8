#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Networks of branches: no step copies for a Concat or Split, and the workspace
# is as small as the largest live set.
. "$(dirname "$0")/lib.sh"
for name in squeezenet inception_v1 inception_v2 densenet121 shufflenet; do
  "$ONNX2C" info "$zoo/$name/model.onnx" --json >$name.json
done
"$PYTHON" - <<'END' || fail "what the plans say"
import glob
import json
for path in glob.glob("*.json"):
    net = json.load(open(path))
    w = net["workspace"]
    assert w["arena"] == w["lower_bound"] > 0, (path, w)
    for s in net["steps"]:
        ops = {n["op"] for n in s["nodes"]}
        assert not ops & {"Concat", "Split", "Slice"}, (path, s)
END
