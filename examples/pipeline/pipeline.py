#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""A scikit-learn pipeline as ONNX, and its own answers.

    pipeline.py train FOLDER      writes wine.onnx, rows.csv, answers.csv
    pipeline.py compare ANSWERS OTHERS

Measurements of 178 wines tell which of three growers made each: scaled, their
products, then logistic regression. The labels are strings: the model gives
a label and a map from labels to probabilities. Needs scikit-learn and skl2onnx.
"""
import csv
import pathlib
import sys

GROWERS = "Barolo", "Grignolino", "Barbera"


def train(folder):
    import numpy as np
    import skl2onnx
    from sklearn.datasets import load_wine
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    x, y = load_wine(return_X_y=True)
    x = x.astype(np.float32)  # as the compiled program will get them
    pipeline = make_pipeline(StandardScaler(), PolynomialFeatures(2),
                             LogisticRegression(max_iter=1000))
    pipeline.fit(x, np.array(GROWERS)[y])
    model = skl2onnx.to_onnx(pipeline, x[:1])
    (folder / "wine.onnx").write_bytes(model.SerializeToString())
    with open(folder / "rows.csv", "w") as out:
        for row in x:
            print(*(np.format_float_positional(v) for v in row), sep=",",
                  file=out)
    with open(folder / "answers.csv", "w") as out:
        print("label", *pipeline.classes_, sep=",", file=out)
        for label, p in zip(pipeline.predict(x), pipeline.predict_proba(x)):
            print(label, *(f"{v:.6f}" for v in p), sep=",", file=out)


def compare(answers, others):
    """Labels must be equal, probabilities within 1e-5."""
    with open(answers) as a, open(others) as b:
        want, got = list(csv.reader(a)), list(csv.reader(b))
    if want[0] != got[0] or len(want) != len(got):
        sys.exit("other columns, or another number of rows")
    worst = 0
    for number, (x, y) in enumerate(zip(want[1:], got[1:]), 1):
        if x[0] != y[0]:
            sys.exit(f"row {number}: {y[0]}, scikit-learn says {x[0]}")
        worst = max([worst] + [abs(float(p) - float(q))
                               for p, q in zip(x[1:], y[1:])])
    if worst > 1e-5:
        sys.exit(f"probabilities differ by {worst}")
    print(f"{len(want) - 1} rows equal scikit-learn's")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "train":
        train(pathlib.Path(sys.argv[2]))
    elif len(sys.argv) == 4 and sys.argv[1] == "compare":
        compare(*sys.argv[2:])
    else:
        sys.exit(__doc__)
