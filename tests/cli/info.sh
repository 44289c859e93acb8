#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# info and --report: the text's lines, and JSON that holds the same numbers.
. "$(dirname "$0")/lib.sh"
net=$zoo/tiny_resnet8/model.onnx
expect 0 "$ONNX2C" info "$net"
says "output 'prob': float [N, 10]"
says "one sample of 'N' at a time"
says "12501632 MAC a sample"
says "lower bound"
says "panel-16 weights"
says "winograd_f32, F(4x4, 3x3)"
expect 0 "$ONNX2C" info "$zoo/squeezenet/model.onnx"
says "winograd_f32, F(4x4, 3x3)"
says "winograd_f32, F(2x2, 3x3)"
expect 0 "$ONNX2C" "$net" -o net.c --report text
says "12501632 MAC a sample"
"$ONNX2C" "$net" -o net.c --report json 2>report.json
"$ONNX2C" info "$net" --json >info.json
cmp info.json report.json || fail "info and --report differ"
"$ONNX2C" info "$zoo/tiny_ad/model.onnx" --json >ad.json
"$PYTHON" "$ROOT/tests/cli/make_models.py" hostile hostile.onnx
"$ONNX2C" info hostile.onnx --json >hostile.json
expect 0 "$ONNX2C" info hostile.onnx
"$PYTHON" - <<'END' || fail "what the JSON says"
import json
net, ad, bad = (json.load(open(f + ".json"))
                for f in ("info", "ad", "hostile"))
assert net["inputs"][0]["shape"] == ["N", 3, 32, 32], net["inputs"]
assert net["batch"] == {"dimension": "N", "law": "per-sample", "rows": 1,
                        "mixes": None}
assert net["macs"] == sum(s["macs"] for s in net["steps"]) == 12501632
w = net["workspace"]
assert w["bytes"] == w["arena"] >= w["lower_bound"] > 0
assert net["weights"]["mode"] == "string"
conv = [s for s in net["steps"] if s["macs"]][0]
assert conv["nodes"][0]["op"] == "Conv" and conv["nodes"][0]["version"] >= 1
assert ad["batch"]["law"] == "blocks" and ad["batch"]["rows"] > 1
assert any("*/" in n["name"] for s in bad["steps"] for n in s["nodes"])
END

# A model without a plan: what is known of it, and the reason.
"$PYTHON" "$ROOT/tests/cli/make_models.py" unknown_op unknown.onnx
expect 3 "$ONNX2C" info unknown.onnx
says NoSuchOperator
expect 1 "$ONNX2C" "$net" -o net.c --report html
