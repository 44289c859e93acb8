# SPDX-License-Identifier: Apache-2.0
"""What fuzz_ops.py lets pass, all of it, and why.

EXCUSED: draws whose outcome the specification leaves open, by its sentence.
WRONG: where onnxruntime or the reference evaluator do otherwise than it says.
UNDRAWN: operators without a generator. What a generator avoids because nothing
says what comes out is told where it does so, in draw_*.py.
"""

import numpy as np


def between_sizes(d):
    """Do the products of sizes and scales round over a whole number?"""
    scales = [x for x in d.inputs[1:] if x is not None and
              x.dtype == np.float32 and x.size == d.inputs[0].ndim]
    return any(np.floor(np.float32(n) * s) != np.floor(n * float(s))
               for x in scales for n, s in zip(d.inputs[0].shape, x.ravel()))


def cancels(d):
    """Is a row's sum small beside what it sums?"""
    if d.attrs["kernel_type"] != "LINEAR":
        return False
    x = np.atleast_2d(d.inputs[0].astype(np.float64))
    w = np.array(d.attrs["coefficients"])
    if d.attrs["n_supports"]:
        w = w @ np.reshape(d.attrs["support_vectors"], [len(w), -1])
    rho = d.attrs["rho"][0]
    return bool(np.any(abs(x @ w + rho) <
                       1e-4 * (abs(x) @ abs(w) + abs(rho))))


# (operator, does it hold for this draw?, the sentence). No generator can avoid
# these without losing what it tests.
EXCUSED = [
    ("LSTM", lambda d: "clip" in d.attrs,
     "LSTM clip \"is applied to the input of activations\", also of h, which "
     "onnxruntime leaves"),
    ("Resize", between_sizes,
     "Resize \"output_dimension = floor(input_dimension * (roi_end - "
     "roi_start) * scale)\" says nothing of the precision: 5 * 2.6f is 13 or "
     "12.9999995"),
    ("SVMRegressor", cancels,
     "SVMRegressor \"Support Vector Machine regression prediction\" says "
     "nothing of the order of its sum in float32: near 0 rounding is left"),
]

def no_axes(d):
    """Does `end` of Shape lie before `start`?"""
    n = d.inputs[0].ndim
    start, end = (min(max(v + n if v < 0 else v, 0), n) for v in (
        d.attrs.get("start", 0), d.attrs.get("end", n)))
    return end <= start


def others(d):
    """Types of the inputs."""
    return {x.dtype for x in d.inputs if x is not None}


# (operator, who, does it hold for this draw?, what they do instead): answers
# that are not asked for.
ORT = ("ort", "float", "hand")
REF = ("ref",)
WRONG = [
    ("LRN", REF, lambda d: True, "goes over samples where channels are meant"),
    ("Unique", REF, lambda d: not d.attrs.get("sorted", 1),
     "sorts, or goes by another axis"),
    ("QLinearMatMul", REF, lambda d: any("float8" in t.name
                                         for t in others(d)),
     "cuts float8 to integers"),
    ("QLinearConv", REF, lambda d: d.inputs[0].ndim != 4,
     "knows two spatial axes"),
    ("Resize", REF, lambda d: d.inputs[0].dtype.kind == "c",
     "keeps real parts only"),
    ("Shape", REF, no_axes, "has an axis where end lies before start"),
    ("GridSample", REF, lambda d: d.inputs[0].dtype.kind == "O" and
     d.attrs.get("padding_mode", "zeros") == "zeros",
     "writes '0' for zeros of strings"),
    ("ReduceLogSumExp", ORT, lambda d: d.inputs[0].dtype.kind in "iu",
     "cuts exponentials to integers"),
    ("Attention", ORT + REF, lambda d: d.attrs.get("is_causal") and
     len(d.inputs) > 3 and d.inputs[3] is not None and
     d.inputs[3].dtype.kind in "iu",
     "adds minus infinity to integers, which have none"),
    ("GlobalMaxPool", REF, lambda d: True, "knows one spatial axis"),
    ("Unsqueeze", REF, lambda d: d.since == 11,
     "adds the axes one after the other; \"the order of values in axes does "
     "not matter\""),
    ("QuantizeLinear", REF,
     lambda d: d.since >= 23 and d.inputs[0].dtype != d.inputs[1].dtype,
     "\"The type of y_scale determines the precision of the division\""),
    ("LinearRegressor", REF, lambda d: True,
     "takes coefficients in the type of X"),
    ("LinearClassifier", REF, lambda d: True,
     "takes coefficients in the type of X"),
    ("Normalizer", REF, lambda d: True, "divides zeros by zero"),
    ("Imputer", REF, lambda d: len(d.inputs[0].shape) == 1,
     "knows no single row"),
    ("Pad", REF, lambda d: any(t.kind == "O" for t in others(d)),
     "pads strings with 0; \"by default it is 0, empty string or False\""),
    ("CastLike", ORT, lambda d: "round_mode" in d.attrs,
     "leaves round_mode"),
    ("Loop", REF, lambda d: d.inputs[1] is None,
     "gives a body no condition where the node has none: it is true"),
    ("Loop", REF, lambda d: d.nout > len(d.ins) - 2 and
     d.inputs[-1].ndim != 1,
     "stacks scan outputs along the first axis of their elements, and makes "
     "rows of scalars"),
    ("Scan", REF, lambda d: d.since == 8, "knows no batch"),
    ("Scan", REF, lambda d: any(d.attrs.get("scan_input_axes", ())),
     "cuts its inputs along axis 0"),
    ("Scan", REF, lambda d: d.inputs[-1].ndim <= 1 and
     d.inputs[-1].dtype.kind == "O",
     "drops the axis of a string's only trip"),
    ("Loop", ORT, lambda d: any(t.kind == "O" for t in others(d)),
     "leaves strings of scan outputs empty"),
]


def wrong(d, who):
    return any(name == d.name and who in whom and holds(d)
               for name, whom, holds, _ in WRONG)


UNDRAWN = {}


def excuse(d):
    for name, holds, sentence in EXCUSED:
        if name == d.name and holds(d):
            return sentence
    return None


# (operators, holds for (variable, type)?, the reason): targets of type_sweep.py
# that nobody can compare.
UNSWEPT = [
    ("Col2Im", lambda var, text: text in ("tensor(bool)", "tensor(string)"),
     "\"Constrain input and output types to all numeric tensor types\""),
]


def unswept(schema, var, text):
    for names, holds, reason in UNSWEPT:
        if schema.name in names.split() and holds(var, text):
            return reason
    return None
