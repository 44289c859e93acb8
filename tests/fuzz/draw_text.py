# SPDX-License-Identifier: Apache-2.0
"""Draws of strings, n-grams, encoded images, and constants."""
import struct
import zlib

import numpy as np
import onnx
from onnx import numpy_helper

from draw import generator, tensor

WORDS = ["a", "B", "", "onnx", "3", "ä€", "Monday", "a,b", " x  y ", "ÀÉ",
         "aab", "2026-11-28", "ÇA va", "a@b.de", "foo bar", ",,", "x1"]


def words(d, shape, among=WORDS):
    flat = [d.pick(among) for _ in range(int(np.prod(shape)))]
    return np.array(flat, dtype=object).reshape(shape)


@generator("StringConcat")
def string_concat(d):
    shape = d.shape(0, 3, 4)
    a, b = d.broadcast(shape), shape
    for s in (a, b) if d.chance(0.5) else (b, a):
        d.add(words(d, s), 0.3)


@generator("StringSplit")
def string_split(d):
    d.add(words(d, d.full(0, 2, 4)))
    d.attr(0.6, delimiter=d.pick([",", "a", " ", "", "x1", ",,"]))
    d.attr(0.4, maxsplit=d.int(1, 3))
    d.nout = 2


@generator("StringNormalizer")
def string_normalizer(d):
    """By the specification's words, as onnxruntime needs a locale of the
    system, and the reference evaluator drops accents and empty strings."""
    n = d.int(1, 5)
    x = words(d, [n] if d.chance(0.6) else [1, n])
    d.add(x)
    change, exact = d.pick(["LOWER", "UPPER", "NONE"]), d.int(0, 1)
    d.attr(change != "NONE" or 0.5, case_change_action=change)
    d.attr(exact or 0.5, is_case_sensitive=exact)
    stop = [d.pick([w for w in WORDS if w]) for _ in range(d.int(0, 3))]
    d.attr(bool(stop), stopwords=stop)
    plain = (lambda w: w) if exact else str.lower
    last = {"LOWER": str.lower, "UPPER": str.upper, "NONE": str}[change]
    # "output would be string tensor with one empty string" if none is left
    left = [last(w) for w in x.reshape(-1)
            if plain(w) not in map(plain, stop)] or [""]
    d.made = [np.array(left, dtype=object).reshape([1] * (x.ndim - 1) +
                                                   [-1])]


def pattern(d, depth=0):
    """In the syntax that RE2 and Python's re have in common."""
    atoms = ["a", "b", ".", "[a-c]", "[^a]", r"\d", r"\w", r"\s", "x", "[0-9]",
             "€", r"\.", "@", "[[:alpha:]]", "o"]
    parts = []
    for _ in range(d.int(1, 4)):
        atom = d.pick(atoms)
        if depth < 2 and d.chance(0.25):
            inner = pattern(d, depth + 1)
            if d.chance(0.5):
                inner += "|" + pattern(d, depth + 1)
            atom = d.pick(["(", "(?:"]) + inner + ")"
        if d.chance(0.45):
            atom += d.pick(["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?"])
        parts.append(atom)
    return "".join(parts)


@generator("RegexFullMatch")
def regex(d):
    d.add(words(d, d.shape(0, 2, 6), WORDS + ["ab", "aabb", "abc", "bca",
                                              "x.y", "oo", "12", "a b"]))
    d.attr(pattern=d.pick([pattern(d), pattern(d), r"\w+@\w+\.(de|org)",
                           r"\d{4}-\d{2}-\d{2}", "(?i)ONNX", "a.*b", ""]))


@generator("TfIdfVectorizer")
def tfidf(d):
    t = d.type(0)
    vocabulary = ["a", "B", "onnx", "3"] if t.kind == "O" else [1, 2, 3, 5]
    most = d.int(1, 3)
    least = d.int(1, most)
    pool, counts = [], []
    for n in range(1, most + 1):
        counts.append(len(pool))
        grams = set()
        for _ in range(d.int(0 if n > 1 and n < most else 1, 3)):
            grams.add(tuple(d.pick(vocabulary) for _ in range(n)))
        for g in sorted(grams):
            pool += g
    total = sum((b - a) // (n + 1) for n, (a, b) in enumerate(zip(
        counts, counts[1:] + [len(pool)])))
    indexes = d.rng.permutation(total).tolist()
    d.attr(mode=d.pick(["TF", "IDF", "TFIDF"]), ngram_counts=counts,
           ngram_indexes=indexes, min_gram_length=least,
           max_gram_length=most, max_skip_count=d.int(0, 2))
    d.attr(**{"pool_strings" if t.kind == "O" else "pool_int64s": pool})
    d.attr(0.5, weights=[d.int(1, 8) / 4 for _ in range(total)])
    shape = d.full(1, 2, 8)
    known = vocabulary + (["zz"] if t.kind == "O" else [9])
    flat = [d.pick(known) for _ in range(int(np.prod(shape)))]
    d.add(np.array(flat, dtype=t).reshape(shape))


# Images: written here, so what comes out is known.

def png(d, pixels):
    h, w, c = pixels.shape

    def part(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(
            ">I", zlib.crc32(name + data))
    rows, before = b"", np.zeros((w * c,), np.uint8)
    for y in range(h):
        row = pixels[y].reshape(-1)
        kind = d.int(0, 4)
        left = np.concatenate([np.zeros(c, np.uint8), row[:-c]])
        corner = np.concatenate([np.zeros(c, np.uint8), before[:-c]])
        a, b, e = (x.astype(int) for x in (left, before, corner))
        near = np.abs([b - e, a - e, a + b - 2 * e])
        paeth = np.where((near[0] <= near[1]) & (near[0] <= near[2]), a,
                         np.where(near[1] <= near[2], b, e))
        base = [0 * a, a, b, (a + b) // 2, paeth][kind]
        rows += bytes([kind]) + ((row - base) % 256).astype(np.uint8).tobytes()
        before = row
    head = struct.pack(">IIBBBBB", w, h, 8, {1: 0, 3: 2}[c], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(
        b"IDAT", zlib.compress(rows, d.int(0, 9))) + part(b"IEND", b"")


def bmp(pixels):
    h, w, _ = pixels.shape
    rows = b"".join(pixels[y, :, ::-1].tobytes() + bytes(-3 * w % 4)
                    for y in range(h - 1, -1, -1))
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54 + len(rows), 0, 0, 54,
                               40, w, h, 1, 24, 0, len(rows), 2835, 2835, 0,
                               0) + rows


@generator("ImageDecoder")
def image_decoder(d):
    h, w = d.int(1, 9), d.int(1, 9)
    gray = d.chance(0.3)
    pixels = d.rng.integers(0, 256, [h, w, 1 if gray else 3]).astype(np.uint8)
    kind = d.pick(["png", "ppm"] if gray else ["png", "bmp", "ppm"])
    if kind == "png":
        data = png(d, pixels)
    elif kind == "bmp":
        data = bmp(pixels)
    else:
        data = b"P%d\n%d %d\n255\n" % (5 if gray else 6, w, h) + \
            pixels.tobytes()
    d.add(np.frombuffer(data, np.uint8), 0.3)
    how = d.pick(["RGB", "BGR"] + ["Grayscale"] * gray)
    d.attr(how != "RGB" or 0.5, pixel_format=how)
    if how != "Grayscale":
        pixels = np.broadcast_to(pixels, [h, w, 3])
    d.made = [np.ascontiguousarray(pixels[:, :, ::-1] if how == "BGR" else
                                   pixels)]


@generator("Constant")
def constant(d):
    """Of any of the attributes that the version has."""
    forms = [a for a in d.schema.attributes]
    form, n = d.pick(forms), d.int(1, 4)
    floats, ints = [d.int(-8, 8) / 4 for _ in range(n)], d.ints(n, -9, 9)
    text = [d.pick(WORDS) for _ in range(n)]
    if form == "sparse_value":
        dense = np.zeros(d.full(1, 2, 4), np.float32)
        flat = dense.reshape(-1)
        at = np.sort(d.rng.permutation(dense.size)[:d.int(1, dense.size)])
        flat[at] = np.arange(1, len(at) + 1)
        values = numpy_helper.from_array(flat[at], "values")
        d.attr(sparse_value=onnx.helper.make_sparse_tensor(
            values, numpy_helper.from_array(at.astype(np.int64), "at"),
            list(dense.shape)))
        d.made = [dense]
    elif form == "value":
        t = d.type("T")
        x = d.array(t, d.shape(0, 3))
        d.attr(value=tensor(x, "value"))
        d.made = [x]
    else:
        value, t = {"value_float": (floats[0], np.float32),
                    "value_floats": (floats, np.float32),
                    "value_int": (ints[0], np.int64),
                    "value_ints": (ints, np.int64),
                    "value_string": (text[0], object),
                    "value_strings": (text, object)}[form]
        d.attr(**{form: value})
        d.made = [np.array(value, dtype=t)]
    d.outs = ["c"]
    d.after.append(("Identity", ["c"], ["o0"], {}))
