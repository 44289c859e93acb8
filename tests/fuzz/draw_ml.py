# SPDX-License-Identifier: Apache-2.0
"""Draws of ai.onnx.ml, where onnxruntime's behaviour is what we want."""
import numpy as np
import onnx

from draw import generator, tensor

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


WORDS = ["", "a", "b", "ab", "onnx", "ä€", "a longer word", "sixteen letters!",
         "a longer word than that, by far"]
NAMES = {"O": "strings", "i": "int64s", "f": "floats"}


def some(d, dtype, n, distinct=False):
    """Keys or values of a type."""
    kind = np.dtype(dtype).kind
    if kind == "O":
        words = WORDS + [f"k{k}" for k in range(n)]
        x = d.rng.permutation(words)[:n] if distinct else \
            [d.pick(words) for _ in range(n)]
        return np.array([str(w) for w in x], dtype=object)
    wide = 3 * n if d.chance(0.7) else 30000
    x = d.rng.permutation(wide)[:n] if distinct else \
        d.rng.integers(0, wide, n)
    x = np.asarray(x - wide // 2)
    return (x / 2 if kind == "f" else x).astype(dtype)


def elements(d, keys):
    """X: mostly keys."""
    shape = d.shape(0, 3, most=7)
    x = np.array([d.pick(keys) for _ in range(int(np.prod(shape)))],
                 dtype=keys.dtype).reshape(shape)
    other = some(d, keys.dtype, 3)
    flat = x.reshape(-1)
    for k in range(flat.size):
        if d.chance(0.25):
            flat[k] = d.pick(other)
    if x.dtype.kind == "f" and x.size and d.chance(0.3):
        flat[0] = np.nan
    d.add(x)


def list_attr(d, what, x):
    """keys_ or values_, as a list or as a tensor."""
    name = NAMES[x.dtype.kind]
    whole = x.dtype not in (np.int64, np.float32, object)
    if whole or (d.since >= 4 and d.chance(0.4)):
        d.attrs[f"{what}_tensor"] = tensor(x, what)
    else:
        d.attrs[f"{what}_{name}"] = [
            str(v) if x.dtype == object else v.item() for v in x]


# The pairs of types that onnxruntime has in version 4.
PAIRS = [(object, np.int64), (object, object), (object, np.float32),
         (object, np.float64), (object, np.int16), (np.int64, object),
         (np.int64, np.int64), (np.int64, np.float32), (np.float32, object),
         (np.float32, np.int64), (np.float32, np.float32),
         (np.float64, object), (np.float64, np.float64)]


@generator("LabelEncoder")
def encoder(d):
    n = d.pick([1, 2, 3, 8, 40])
    if d.since == 1:
        words = some(d, object, n, distinct=True)
        d.attrs["classes_strings"] = list(words)
        text = np.dtype(d.type(0)) == object
        elements(d, words if text else np.arange(n))
        d.types["T2"] = np.dtype(np.int64 if text else object)
    else:
        pairs = PAIRS if d.since >= 4 else [
            p for p in PAIRS if {np.float64, np.int16}.isdisjoint(p)]
        of, to = d.pick(pairs)
        if d.force:
            of, to = d.type("T1"), d.type("T2")
        keys = some(d, of, n, distinct=d.chance(0.8))
        if keys.dtype.kind == "f" and d.chance(0.3):
            keys[d.int(0, n - 1)] = np.nan
        list_attr(d, "keys", keys)
        list_attr(d, "values", some(d, to, n))
        d.types["T2"] = np.dtype(to)
        elements(d, keys)
        if d.force and (of, to) not in PAIRS:
            return encoded(d, keys, to)
        if to == np.float32:
            d.attr(0.5, default_float=0.25)
        if d.since >= 4 and (d.chance(0.3) or to in (np.float64, np.int16)):
            d.attrs["default_tensor"] = tensor(some(d, to, 1), "other")
    d.attr(0.4, default_string="other")
    d.attr(0.4, default_int64=-7)


def encoded(d, keys, to):
    """Of types that onnxruntime lacks: the first of equal keys, a default."""
    values = onnx.numpy_helper.to_array(d.attrs["values_tensor"]) if \
        "values_tensor" in d.attrs else next(
            v for k, v in d.attrs.items() if k[:7] == "values_")
    other = some(d, to, 1)
    d.attrs["default_tensor"] = tensor(other, "other")
    found = {}

    def named(k):  # one NaN is as another
        return k if k == k else "NaN"
    for k, v in zip(keys.tolist(), values):
        found.setdefault(named(k), v.decode() if isinstance(v, bytes) else v)
    flat = [found.get(named(k), other[0])
            for k in d.inputs[0].reshape(-1).tolist()]
    d.made = [np.array(flat, dtype=to).reshape(d.inputs[0].shape)]


@generator("CategoryMapper")
def mapper(d):
    n = d.pick([1, 2, 8, 40])
    words = some(d, object, n, distinct=d.chance(0.8))
    ints = some(d, np.int64, n, distinct=d.chance(0.8))
    d.attrs.update(cats_strings=list(words), cats_int64s=ints.tolist())
    text = np.dtype(d.type(0)) == object
    elements(d, words if text else ints)
    d.types["T2"] = np.dtype(np.int64 if text else object)
    d.attr(0.4, default_string="other")
    d.attr(0.4, default_int64=-7)


@generator("OneHotEncoder")
def one_hot(d):
    t = np.dtype(d.type(0))
    keys = some(d, object if t == object else np.int64, d.pick([1, 2, 5, 30]),
                distinct=d.chance(0.8))
    if t == object:
        d.attrs["cats_strings"] = list(keys)
    else:
        d.attrs["cats_int64s"] = keys.tolist()
    elements(d, keys.astype(t))
    x = d.inputs[0].reshape(d.inputs[0].shape[:2] + (-1,))[..., 0] \
        if d.inputs[0].ndim == 3 and d.inputs[0].size else d.inputs[0]
    d.inputs[0] = np.nan_to_num(x) if t.kind == "f" else x
    if d.inputs[0].ndim > 2:
        d.inputs[0] = d.inputs[0][0]


def floats32(x):
    return [float(v) for v in np.asarray(x, np.float32).reshape(-1)]


def svm_kernel(d, features):
    d.attrs["kernel_type"] = d.pick(["LINEAR", "POLY", "RBF", "SIGMOID"])
    gamma = d.pick([0.1, 0.25, 0.5]) / features
    d.attrs["kernel_params"] = floats32(
        [gamma, d.pick([0.0, 0.5, 1.0]), d.pick([2.0, 3.0, 3.0, 4.0])])


@generator("SVMRegressor")
def svr(d):
    c = features(d)
    n = d.pick([0, 1, 5, 16, 37])
    svm_kernel(d, c)
    d.attrs["rho"] = numbers(d, 1)
    d.attrs["coefficients"] = numbers(d, n or c)
    d.attrs["n_supports"] = n
    if n:
        d.attrs["support_vectors"] = numbers(d, n * c)
    d.attr(0.3, one_class=1)
    d.attr(0.3, post_transform="NONE")


@generator("SVMClassifier")
def svc(d):
    c = features(d)
    k = d.pick([2, 2, 3, 4, 6])
    labels(d, k)
    svm_kernel(d, c)
    d.attr(0.6, post_transform=d.pick(POSTS[:4]))
    if d.chance(0.25):
        w = numbers(d, k * c)
        d.attrs["coefficients"] = [abs(v) for v in w] if d.chance(0.3) else w
        d.attrs["rho"] = numbers(d, k)
    else:
        each = d.ints(k, 1, 9)
        pairs = k * (k - 1) // 2
        d.attrs["vectors_per_class"] = each
        d.attrs["support_vectors"] = numbers(d, sum(each) * c)
        d.attrs["coefficients"] = numbers(d, sum(each) * (k - 1))
        d.attrs["rho"] = numbers(d, pairs)
        if d.chance(0.6):
            d.attrs["prob_a"] = floats32(-d.floats([pairs], 0.2, 2))
            d.attrs["prob_b"] = numbers(d, pairs, -0.5, 0.5)
    d.nout = 2
