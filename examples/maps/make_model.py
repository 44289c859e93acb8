#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""Writes mail.onnx: how often words stand in a mail, a map, becomes a map from
"ham" and "spam" to probabilities. scikit-learn's exporter writes such models
for DictVectorizer and for classifiers."""
from onnx import parser

TEXT = '''
<ir_version: 8, opset_import: ["" : 17, "ai.onnx.ml" : 1]>
mail (map(string,float) words) => (seq(map(string,float)) probability)
<float[4,2] weight = {-1, 2, -0.5, 1.5, 2, -1, 1, -0.25}> {
  counts = ai.onnx.ml.DictVectorizer
    <string_vocabulary = ["money", "win", "meeting", "report"]> (words)
  score = MatMul (counts, weight)
  share = Softmax (score)
  probability = ai.onnx.ml.ZipMap
    <classlabels_strings = ["ham", "spam"]> (share)
}
'''

with open("mail.onnx", "wb") as f:
    f.write(parser.parse_model(TEXT).SerializeToString())
