# SPDX-License-Identifier: Apache-2.0
"""Draws of ai.onnx.ml, where onnxruntime's behaviour is what we want."""
import numpy as np

from draw import generator

POSTS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]


def numbers(d, n, low=-2, high=2):
    return [float(np.float32(v)) for v in d.floats([n], low, high)]


def features(d, rank=(1, 2), special=False):
    """X [N, C] or [C], and C."""
    shape = d.shape(*rank, most=9)
    shape[-1:] = [max(v, 1) for v in shape[-1:]]
    x = d.array(d.type(0), shape, -4, 4, special)
    d.add(x, const=0)
    return shape[-1] if shape else 1


def labels(d, count, ints="classlabels_ints"):
    """As attributes, and the type of what they label."""
    if d.chance(0.5):
        first = d.int(-2, 2)
        d.attrs[ints] = [first + k for k in range(count)]
        if d.chance(0.3):
            d.attrs[ints] = [int(v) for v in d.rng.permutation(99)[:count]]
        d.types["T2"] = np.dtype(np.int64)
    else:
        d.attrs["classlabels_strings"] = [
            f"{d.pick(['', 'c', 'ä '])}{k}" for k in range(count)]
        d.types["T2"] = np.dtype(object)


@generator("ArrayFeatureExtractor")
def extractor(d):
    c = features(d, (1, 3))
    d.add(np.array(d.ints(d.int(1, 5), 0, c - 1), np.int64), const=0.5)


@generator("Binarizer")
def binarizer(d):
    features(d, (0, 3), special=True)
    d.attr(0.8, threshold=d.pick([0.0, 0.5, -1.0, 1.25, 2.0]))


@generator("FeatureVectorizer")
def vectorizer(d):
    rows, sizes = d.int(1, 5), []  # onnxruntime dies of no rows
    for _ in range(d.int(1, 4)):
        shape = [rows, *d.ints(d.int(1, 2), 1, 4)]
        d.add(d.array(d.type(0), shape))
        size = int(np.prod(shape[1:]))
        sizes.append(size if d.chance(0.6) else d.int(1, 6))
    d.attrs["inputdimensions"] = sizes


@generator("Imputer")
def imputer(d):
    c = features(d, (1, 2), special=True)
    n = c if d.chance(0.6) else 1
    if np.dtype(d.type(0)).kind == "f":
        d.attrs["imputed_value_floats"] = numbers(d, n)
        d.attr(0.8, replaced_value_float=d.pick([0.0, 1.0, -0.5, np.nan]))
    else:
        d.attrs["imputed_value_int64s"] = d.ints(n, -9, 9)
        d.attr(0.8, replaced_value_int64=d.int(-2, 2))


@generator("Normalizer")
def normalizer(d):
    features(d)
    if d.inputs[0].ndim > 1 and d.chance(0.3):
        d.inputs[0][:1] = 0
    d.attr(0.9, norm=d.pick(["MAX", "L1", "L2"]))


@generator("Scaler")
def scaler(d):
    n = features(d, special=True)
    n = n if d.chance(0.7) else 1
    d.attrs.update(offset=numbers(d, n), scale=numbers(d, n))


def scores(d, x, w, b):
    """The attributes that make x w + b fit the post transform: PROBIT takes
    what is between 0 and 1, and its approximation is noise near 0.5."""
    if d.attrs.get("post_transform") == "PROBIT":
        most = abs(x.astype(np.float64)) @ abs(w.T) if x.size else np.ones(1)
        w = w * 0.1 / max(float(np.nan_to_num(most).max(initial=0)), 1e-3)
        b = np.where(b < 0, 0.25, 0.75) + b * 0.05
    return [float(np.float32(v)) for v in w.reshape(-1)], \
        [float(np.float32(v)) for v in b]


@generator("LinearClassifier")
def classifier(d):
    c = features(d)
    k = d.pick([1, 1, 2, 3, 5, 20])
    labels(d, max(k, 2))
    d.attr(0.8, post_transform=d.pick(POSTS[:4 if k == 1 else 5]))
    d.attr(0.5, multi_class=d.int(0, 1))
    d.attrs["coefficients"], d.attrs["intercepts"] = scores(
        d, d.inputs[0], d.floats([k, c], -1, 1), d.floats([k], -1, 1))
    d.nout = 2


@generator("LinearRegressor")
def regressor(d):
    c = features(d)
    k = d.pick([1, 1, 2, 3, 17])
    d.attr(1 if k > 1 else 0.5, targets=k)
    d.attr(0.6, post_transform=d.pick(POSTS))
    w, b = scores(d, d.inputs[0], d.floats([k, c], -1, 1),
                  d.floats([k], -1, 1))
    d.attrs["coefficients"] = w
    if d.chance(0.8) or d.attrs.get("post_transform") == "PROBIT":
        d.attrs["intercepts"] = b
