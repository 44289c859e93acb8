#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the network and the names of its classes out of magika's wheel.

    unpack.py WHEEL FOLDER      writes FOLDER/magika.onnx and FOLDER/labels.h
"""
import json
import pathlib
import sys
import zipfile

wheel, out = sys.argv[1], pathlib.Path(sys.argv[2])
with zipfile.ZipFile(wheel) as z:
    model = next(n for n in z.namelist() if n.endswith("/model.onnx"))
    folder = model.rsplit("/", 1)[0]
    config = json.loads(z.read(f"{folder}/config.min.json"))
    words = json.loads(z.read("magika/config/content_types_kb.min.json"))
    (out / "magika.onnx").write_bytes(z.read(model))
labels = config["target_labels_space"]
lines = [f"enum {{ LABELS = {len(labels)} }};",
         "static const char *const labels[LABELS] = {"]
for label in labels:
    text = words.get(label, {}).get("description") or label
    lines.append(f"  {json.dumps(text)},")
(out / "labels.h").write_text("\n".join(lines) + "\n};\n")
