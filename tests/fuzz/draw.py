# SPDX-License-Identifier: Apache-2.0
"""Random nodes for fuzz_ops.py: what a draw is, and its random numbers.

A draw is one node of a given version with its inputs. Families of operators
stand in draw_move.py and draw_math.py: a function for each, which GENERATORS
names by operator; it asks the draw for types (which come from the operator's
schema), shapes and numbers, and adds inputs and attributes. Numbers stay where
the specification says what comes out; the comment says so where that matters.
"""
import functools

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HALVES = (np.float16, ml_dtypes.bfloat16)
FLOATS = (np.float32, np.float64) + HALVES
NEWEST = onnx.defs.onnx_opset_version()
ML, ML_NEWEST = "ai.onnx.ml", 5
PREVIEWS = ("ai.onnx.preview", "ai.onnx.preview.training")
GENERATORS = {}


def generator(*names):
    def register(f):
        for name in names:
            GENERATORS[name] = f
        return f
    return register


def numpy_type(text):
    """numpy's type of tensor(float16); None for what is no tensor."""
    if not text.startswith("tensor("):
        return None
    name = text[7:-1].upper()
    return np.dtype(helper.tensor_dtype_to_np_dtype(
        TensorProto.DataType.Value(name)))


def onnx_type(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def is_float(dtype):
    """Of any width, also ml_dtypes'."""
    dtype = np.dtype(dtype)
    return dtype.kind == "f" or "float" in dtype.name


def is_int(dtype):
    dtype = np.dtype(dtype)
    return dtype.kind in "iu" or dtype.name in ("int2", "int4", "uint2",
                                                "uint4")


def int_range(dtype):
    name = np.dtype(dtype).name
    if name in ("int2", "int4", "uint2", "uint4"):
        i = ml_dtypes.iinfo(np.dtype(dtype))
    else:
        i = np.iinfo(dtype)
    return int(i.min), int(i.max)


def peeled(text):
    """("optional(seq(", type of the tensors) of any type in ONNX's words."""
    at = text.find("tensor(")
    return (text[:at], numpy_type(text[at:].rstrip(")") + ")")) if at >= 0 \
        else ("", None)


class Held:
    """An input or output that is a sequence, an optional value, or both:
    `prefix` as peeled() gives it. An optional tensor has one item."""
    shape, ndim, size = (), 0, 1

    def __init__(self, prefix, items):
        self.prefix, self.items = prefix, items
        self.dtype = items[0].dtype

    def type(self):
        kind = helper.make_tensor_type_proto(
            onnx_type_of(self.items[0]),
            self.items[0].shape if self.prefix == "optional(" else
            [None] * self.items[0].ndim)
        if "seq" in self.prefix:
            kind = helper.make_sequence_type_proto(kind)
        if "optional" in self.prefix:
            kind = helper.make_optional_type_proto(kind)
        return kind

    def proto(self, name):
        tensors = [tensor(x, "") for x in self.items]
        plain = onnx.OptionalProto
        if "seq" not in self.prefix:
            return plain(name=name, elem_type=plain.TENSOR,
                         tensor_value=tensors[0])
        seq = onnx.SequenceProto(name=name, tensor_values=tensors,
                                 elem_type=onnx.SequenceProto.TENSOR)
        if "optional" not in self.prefix:
            return seq
        return plain(name=name, elem_type=plain.SEQUENCE, sequence_value=seq)


class Skip(Exception):
    """This draw can't be made; another one takes its place."""


def onnx_type_of(x):
    return TensorProto.STRING if x.dtype.kind in "OUS" else onnx_type(x.dtype)


def opset_ids(opset, domain=""):
    """`opset` is of ai.onnx.ml where the operator is of that domain."""
    if domain == ML:
        return [helper.make_opsetid("", 21), helper.make_opsetid(ML, opset)]
    return [helper.make_opsetid("", opset)] + [
        helper.make_opsetid(p, 1) for p in PREVIEWS]


class Draw:
    """`before` and `after`: more nodes, (operator, inputs, outputs,
    attributes), around the one that is tested; then `ins` and `outs` name what
    that one reads and writes. Names are i0, i1.. of inputs, o0, o1.. of
    outputs, others as one likes; all get the draw's prefix. An attribute that
    is a function is called with the prefix (graphs name things). `made`:
    expected outputs, if known by construction. `force`: a type variable and
    the type, in ONNX's words, that it has to be; see type_sweep.py."""

    def __init__(self, schema, rng, force=None):
        self.schema, self.rng, self.force = schema, rng, force
        self.name, self.since = schema.name, schema.since_version
        self.inputs, self.const, self.attrs, self.nout = [], [], {}, 1
        self.types, self.made, self.symbolic = {}, None, False
        self.met = False
        self.before, self.after, self.ins, self.outs = [], [], None, None
        self.opset = NEWEST if schema.domain in PREVIEWS else self.since
        self.allowed = {c.type_param_str: c.allowed_type_strs
                        for c in schema.type_constraints}
        if force:
            self.allowed[force[0]] = [force[1]]
            if force[1][:4] == "seq(" and "T" in self.allowed:  # of its items
                self.allowed["T"] = [force[1][4:-1]]

    # Choices.
    def chance(self, p):
        return self.rng.random() < p

    def int(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def pick(self, items):
        return items[int(self.rng.integers(len(items)))]

    def ints(self, n, low, high):
        return [self.int(low, high) for _ in range(n)]

    # Types.
    def type(self, port, among=None):
        """Of input `port`: a number, or the name of a type variable."""
        var = port
        if not isinstance(port, str):
            ports = self.schema.inputs
            var = ports[min(port, len(ports) - 1)].type_str
        if self.force and var == self.force[0]:
            self.met = True
        if var not in self.types:
            texts = self.allowed.get(var, [var])
            have = [t for t in map(numpy_type, texts) if t is not None]
            if among:
                have = [t for t in have if among(t)]
            if not have:
                raise Skip
            self.types[var] = self.pick(have)
        return self.types[var]

    def wrapped(self, var):
        """(prefix, type of the tensors) of a type variable that may be a
        sequence or an optional value; the prefix is "" for tensors."""
        texts = self.allowed[var]
        more = [t for t in texts if not t.startswith("tensor(")]
        if not more or not self.force and self.chance(0.85) or \
                self.force and self.force[0] != var:
            return "", None
        self.met = True
        return peeled(self.pick(more))

    # Shapes.
    def shape(self, low, high, most=6):
        """Of a rank from low to high; sometimes without elements."""
        rank = self.int(low, high)
        if rank and self.chance(0.02):
            most = 3
            s = self.ints(rank, 1, most)
            s[self.int(0, rank - 1)] = 0
            return s
        return self.ints(rank, 1, most if rank < 4 else min(most, 4))

    def full(self, low, high, most=6):
        """The same with elements."""
        return [max(d, 1) for d in self.shape(low, high, most)]

    def broadcast(self, shape):
        """A shape that broadcasts to it."""
        s = [1 if self.chance(0.25) else d for d in shape]
        return s[self.int(0, len(s)) if self.chance(0.4) else 0:]

    # Numbers.
    def floats(self, shape, low=-3, high=3, special=False):
        x = self.rng.uniform(low, high, shape)
        if self.chance(0.3):
            x = np.round(x * 2) / 2
        x = np.asarray(x)
        if special and x.size and self.chance(0.2):
            flat = x.reshape(-1)
            for _ in range(self.int(1, 3)):
                flat[self.int(0, x.size - 1)] = self.pick(
                    [np.nan, np.inf, -np.inf, -0.0, 0.0])
        return x

    def array(self, dtype, shape, low=-3, high=3, special=False, whole=False):
        """`whole`: integers over all that their type can hold."""
        dtype = np.dtype(dtype)
        if dtype == bool:
            return self.rng.random(shape) < 0.5
        if dtype.kind in "OUS":
            words = ["a", "B", "", "onnx", "3", "ä€"]
            flat = [self.pick(words) for _ in range(int(np.prod(shape)))]
            return np.array(flat, dtype=object).reshape(shape)
        if dtype.kind == "c":
            return np.asarray(self.floats(shape) + 1j * self.floats(shape)
                              ).astype(dtype)
        if is_int(dtype):
            least, largest = int_range(dtype)
            if not whole:
                least, largest = max(least, int(low)), min(largest, int(high))
            x = self.rng.integers(least, largest, shape, endpoint=True,
                                  dtype=np.uint64 if least >= 0 else np.int64)
            return np.asarray(x).astype(dtype)
        x = self.floats(shape, low, high, special)
        if dtype.name == "float8_e8m0fnu":
            x = abs(np.nan_to_num(x)) + 0.25
        return np.asarray(x).astype(dtype)

    def held(self, prefix, dtype, n=1):
        """n values of one type, sequences or optional ones."""
        shape = self.full(1, 3, 3)
        return [Held(prefix, [self.array(dtype, shape) for _ in range(
            self.int(1, 3) if "seq" in prefix else 1)]) for _ in range(n)]

    def nonzero(self, dtype, shape, high=5):
        x = self.array(dtype, shape, 1, high)
        if np.dtype(dtype).kind in "if" or is_float(dtype):
            sign = np.where(self.rng.random(shape) < 0.5, -1, 1)
            x = np.asarray(x * sign.astype(dtype)).astype(dtype)
        return x

    # The node.
    def add(self, array, const=0.15):
        """An input; a constant of the model with probability `const`."""
        held = array is None or isinstance(array, Held)
        self.inputs.append(array if held else np.asarray(array))
        self.const.append(self.chance(const) and not held)

    def add_ints(self, values, dtype=np.int64, const=0.85):
        self.add(np.array(values, dtype=dtype), const)

    def attr(self, p=1.0, /, **values):
        """Attributes; all of them, or none, with probability p."""
        if self.chance(p):
            self.attrs.update(values)

    def has_attr(self, name):
        return name in self.schema.attributes

    # As ONNX.
    def one(self, prefix, name, ins, outs, attrs, domain=""):
        def named(names):
            return [prefix + n if n else "" for n in names]
        attrs = {k: v(prefix) if callable(v) else v for k, v in attrs.items()}
        return helper.make_node(name, named(ins), named(outs), domain=domain,
                                **attrs)

    def nodes(self, prefix):
        ins = self.ins
        if ins is None:
            ins = [f"i{k}" if x is not None else ""
                   for k, x in enumerate(self.inputs)]
            while ins and not ins[-1]:
                ins.pop()
        outs = self.outs or [f"o{k}" for k in range(self.nout)]
        return [*(self.one(prefix, *n) for n in self.before),
                self.one(prefix, self.name, ins, outs, self.attrs,
                         self.schema.domain),
                *(self.one(prefix, *n) for n in self.after)]

    def text(self):
        def one(x):
            return "-" if x is None else f"{np.dtype(x.dtype).name}" \
                f"{list(x.shape)}".replace(" ", "")
        attrs = {k: v for k, v in self.attrs.items() if not callable(v) and
                 not isinstance(v, (onnx.TensorProto, onnx.SparseTensorProto,
                                    onnx.TypeProto))}
        words = " ".join(one(x) for x in self.inputs)
        return f"{self.name}-{self.since} {words} {attrs or ''}".rstrip()


def tensor(array, name):
    """TensorProto of any type; what else a Held is."""
    if isinstance(array, Held):
        return array.proto(name)
    if array.dtype.kind in "OUS":
        return helper.make_tensor(
            name, TensorProto.STRING, array.shape,
            [str(s).encode() for s in array.reshape(-1)])
    return numpy_helper.from_array(array, name)


def versions_in(nodes, opset):
    """Versions that the operators of these nodes and their graphs have."""
    found = []
    for n in nodes:
        if n.domain in ("", "ai.onnx"):
            found.append(since(n.op_type, opset))
        for a in n.attribute:
            for g in [a.g] if a.HasField("g") else a.graphs:
                found += versions_in(g.node, opset)
    return found


@functools.cache
def since(name, opset):
    return onnx.defs.get_schema(name, opset, "").since_version


def last_opset(d):
    """The newest one that reads the draw as its own does."""
    nodes, opset = d.nodes(""), d.opset
    if d.schema.domain == ML:
        return opset
    versions = versions_in(nodes, opset)
    while opset < NEWEST and versions_in(nodes, opset + 1) == versions:
        opset += 1
    return opset
