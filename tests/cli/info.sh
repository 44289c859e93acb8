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
says "memory map of the workspace"
says "scratch of n3_Conv_10"
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
# Where things stand: no two live pieces overlap, every pointer has a place.
slots = net["memory"]["slots"]
for i, a in enumerate(slots):
    assert 0 <= a["first"] <= a["last"] < len(net["steps"]), a
    for b in slots[:i]:
        if a["first"] <= b["last"] and b["first"] <= a["last"]:
            assert a["offset"] + a["bytes"] <= b["offset"] or \
                b["offset"] + b["bytes"] <= a["offset"], (a, b)
for s in net["steps"]:
    assert s["provider"] == "cpu"
    for x in s["reads"] + s["writes"]:
        assert {"slot", "weight", "input", "output"} & set(x), x
for x in ad["memory"]["slots"]:
    assert "bytes" in x or "size" in x or x["units"] > 0, x
# The file's graph: each of its nodes, with shapes; steps lead to them.
nodes = net["graph"]["nodes"]
assert sum(net["operators"].values()) == len(nodes) == 30, len(nodes)
assert list(net["operators"].items())[0] == ("Conv-11", 9)
first = net["tensors"][nodes[0]["outputs"][0]]
assert first["shape"] == ["N", 16, 32, 32] and first["type"] == "float", first
assert {a["name"]: a["value"] for a in nodes[0]["attributes"]}[
    "kernel_shape"] == [3, 3]
assert {n["id"] for s in net["steps"] for n in s["nodes"]} <= {
    n["id"] for n in nodes}
assert any("*/" in n["name"] for s in bad["steps"] for n in s["nodes"])
END

# A model without a plan: what is known of it, and the reason.
"$PYTHON" "$ROOT/tests/cli/make_models.py" unknown_op unknown.onnx
expect 3 "$ONNX2C" info unknown.onnx
says NoSuchOperator
expect 1 "$ONNX2C" "$net" -o net.c --report html
