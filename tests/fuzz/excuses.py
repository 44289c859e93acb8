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
]

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
    ("Loop", REF, lambda d: any(x is not None and x.dtype.kind == "c" and
                                x.ndim == 0 for x in d.inputs),
     "makes rows of the complex scalars of a scan output"),
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
