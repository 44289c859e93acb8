# SPDX-License-Identifier: Apache-2.0
"""Draws of control flow, sequences and optional values.

Bodies are a few nodes over the values that go around, captures of the graph
outside, and each other. Sequences are made and taken apart by nodes around the
one that is tested, so that a draw has tensors in and out."""
import numpy as np
import onnx
from onnx import TensorProto, helper

from draw import Skip, generator, is_float, is_int, numpy_type, \
    onnx_type, peeled, tensor


def numeric(t):
    return is_float(t) and t.itemsize > 1 or t.kind in "iu" and is_int(t)


def value(name, t, shape):
    """Of a type of numpy, or a TypeProto."""
    if isinstance(t, onnx.TypeProto):
        return helper.make_value_info(name, t)
    return helper.make_tensor_value_info(
        name, TensorProto.STRING if np.dtype(t).kind == "O" else onnx_type(t),
        shape)


def graph_of(name, steps, ins, outs, inits=()):
    """Attribute: steps are (operator, inputs, outputs, attributes); a name that
    starts with ^ is one of the graph outside, ins are (name, type, shape)."""
    def make(prefix):
        def named(n, inner):
            if not n:
                return ""
            return prefix + n[1:] if n[0] == "^" else f"{prefix}{inner}_{n}"
        inner = name
        nodes = [helper.make_node(
            op, [named(n, inner) for n in i], [named(n, inner) for n in o],
            **{k: v(f"{prefix}") if callable(v) else v
               for k, v in a.items()}) for op, i, o, a in steps]
        return helper.make_graph(
            nodes, f"{prefix}{inner}",
            [value(named(n, inner), t, s) for n, t, s in ins],
            [value(named(n, inner), t, None) for n, t in outs],
            [tensor(np.asarray(x), named(n, inner)) for n, x in inits])
    return make


def work(d, t, values, k):
    """A step over some of `values`, all of one shape: (step, output)."""
    out = f"w{k}"
    if not numeric(np.dtype(t)):
        return ("Identity", [d.pick(values)], [out], {}), out
    ops = ["Add", "Mul", "Sub"] + (["Neg", "Abs", "Max"] if
                                   np.dtype(t).kind == "f" else [])
    op = d.pick(ops)
    n = 1 if op in ("Neg", "Abs") else 2
    return (op, [d.pick(values) for _ in range(n)], [out], {}), out


def plain_work(d, t):
    """Operators of old versions take few types."""
    if d.opset < 7 and np.dtype(t) not in (np.float32, np.float64, np.float16):
        return False
    if np.dtype(t).itemsize < 4 and np.dtype(t).kind in "iu" and d.opset < 14:
        return False
    return True


def joins(d, t):
    """Has Concat this type?"""
    s = onnx.defs.get_schema("Concat", d.opset, "")
    return t in [numpy_type(x) for x in s.type_constraints[0].
                 allowed_type_strs]


def chain(d, t, values, n):
    """n steps, and the name of the last value."""
    steps, values = [], list(values)
    if not plain_work(d, t):
        return [("Identity", [d.pick(values)], ["w0"], {})], "w0"
    for k in range(n):
        step, out = work(d, t, values, k)
        steps.append(step)
        values.append(out)
    return steps, values[-1]


def value_type(d, port="V"):
    """A tensor type that arithmetic has in most draws."""
    t = d.type(port, among=(lambda t: t.kind in "fiu" and t.itemsize >= 4)
               if d.chance(0.6) else None)
    return t


def if_held(d, prefix, t):
    """One of two sequences or optional values, as it is."""
    d.opset = max(d.opset, 14)  # Identity-13 takes none
    which, values = d.chance(0.5), d.held(prefix, t, 2)
    d.add(np.array(which), 0.3)
    for v in values:
        d.add(v)
    d.ins, d.made = ["i0"], [values[0 if which else 1]]
    for k, branch in enumerate(("then", "else")):
        d.attr(**{f"{branch}_branch": graph_of(
            branch, [("Identity", [f"^i{k + 1}"], ["y"], {})], [],
            [("y", values[k].type())])})


@generator("If")
def if_(d):
    prefix, t = d.wrapped("V")
    if prefix:
        return if_held(d, prefix, t)
    t = value_type(d)
    shape = d.shape(0, 3, 4)
    d.add(np.array(d.chance(0.5)) if d.chance(0.7) else
          np.array([d.chance(0.5)]), 0.3)
    d.add(d.array(t, shape))
    d.add(d.array(t, shape), 0.3)
    d.ins, d.nout = ["i0"], d.int(1, 2)
    grow = d.opset >= 11 and d.chance(0.2) and len(shape) > 0 and joins(d, t)
    for branch in ("then", "else"):
        steps, outs, inits = [], [], []
        for k in range(d.nout):
            values = ["^i1", "^i2"]
            if d.chance(0.3):
                inits.append((f"c{k}", d.array(t, shape)))
                values.append(f"c{k}")
            more, last = chain(d, t, values, d.int(1, 3))
            if d.chance(0.15) and plain_work(d, t):
                last = "nested"
                inner = [graph_of(f"{branch}{k}{n}",
                                  *nested_branch(d, t), [])
                         for n in "ab"]
                more = [("If", ["^i0"], ["nested"], dict(
                    then_branch=inner[0], else_branch=inner[1]))]
            if grow and branch == "then":
                more.append(("Concat", [last, "^i1"], ["grown"],
                             dict(axis=0)))
                last = "grown"
            steps += [(op, [rename(n, k, inits) for n in i],
                       [f"{n}_{k}" for n in o], a) for op, i, o, a in more]
            outs.append((f"{last}_{k}", t))
        d.attr(**{f"{branch}_branch": graph_of(branch, steps, [], outs,
                                               inits)})


def rename(n, k, inits):
    return n if n[0] == "^" or n in [c for c, _ in inits] else f"{n}_{k}"


def nested_branch(d, t):
    steps, last = chain(d, t, ["^i1", "^i2"], d.int(1, 2))
    return steps, [], [(last, t)]


def accumulates(d, t, shape):
    """How a carried value goes on: (steps, output) from `state`."""
    if d.chance(0.3) and len(shape) > 0 and d.opset >= 11 and joins(d, t):
        return "grow"
    return "work" if plain_work(d, t) else "keep"


def loop_held(d, prefix, t):
    """A sequence or optional value that goes around as it is."""
    d.opset = max(d.opset, 14)
    trips, values = d.int(0, 3), d.held(prefix, t)
    d.add(np.array(trips, np.int64), 0.5)
    d.add(None)
    d.add(values[0])
    d.made = values
    kind = values[0].type()
    d.attr(body=graph_of("body", [("Identity", ["cond"], ["go"], {}),
                                  ("Identity", ["s"], ["y"], {})], [
        ("trip", np.int64, []), ("cond", np.bool_, []), ("s", kind, None)], [
        ("go", np.bool_), ("y", kind)]))


@generator("Loop")
def loop(d):
    """M or a condition or both end it; states may grow; scan outputs."""
    prefix, t = d.wrapped("V")
    if prefix:
        return loop_held(d, prefix, t)
    trips = d.pick([0, 1, 2, 3, 5])
    t = value_type(d)
    shape = d.full(0, 2, 3)
    n, scans = d.int(1, 2), d.int(0, 2)
    limit, by_cond = d.chance(0.8), d.chance(0.5)
    early = d.int(0, 4) if by_cond or not limit else None
    one = [] if d.chance(0.5) else [1]
    d.add(np.full(one, trips, np.int64) if limit else None, 0.5)
    d.add(np.full(one, d.chance(0.9)) if by_cond or d.chance(0.3) else None,
          0.5)
    for _ in range(n):
        d.add(d.array(t, shape), 0.3)
    d.add(d.array(t, shape), 0.3)  # a capture
    d.ins = [f"i{k}" if x is not None else ""
             for k, x in enumerate(d.inputs)][:n + 2]
    d.nout = n + scans
    steps, outs, inits = [], [], []
    if early is None:
        steps.append(("Identity", ["cond"], ["go"], {}))
    else:
        if d.opset < 7:
            raise Skip  # Less without int64
        kind = np.int64 if d.opset >= 9 else np.float32
        inits.append(("last", np.array(early).astype(kind)))
        source = "trip"
        if kind == np.float32:
            steps.append(("Cast", ["trip"], ["tripf"],
                          dict(to=TensorProto.FLOAT)))
            source = "tripf"
        steps.append(("Less", [source, "last"], ["go"], {}))
    capture = f"^i{n + 2}"
    states, grows = [], []
    for k in range(n):
        how = accumulates(d, t, shape)
        grows.append(how == "grow")
        if how == "grow":
            more, last = [("Concat", ["s", capture], ["grown"],
                           dict(axis=0))], "grown"
        elif how == "keep":
            more, last = [("Identity", [d.pick(["s", capture])], ["kept"],
                           {})], "kept"
        else:
            more, last = chain(d, t, ["s", capture], d.int(1, 2))
        steps += [(op, [f"s{k}" if x == "s" else x if x[0] == "^" else
                        f"{x}_{k}" for x in i], [f"{x}_{k}" for x in o], a)
                  for op, i, o, a in more]
        states.append(f"{last}_{k}")
    for k in range(scans):
        what = d.pick([capture] + [f"s{j}" for j in range(n)
                                   if not grows[j]])
        steps.append(("Identity", [what], [f"scan{k}"], {}))
    ins = [("trip", np.int64, []), ("cond", np.bool_, [])] + [
        (f"s{k}", t, None if grows[k] else shape) for k in range(n)]
    outs = [("go", np.bool_)] + [(s, t) for s in states] + [
        (f"scan{k}", t) for k in range(scans)]
    d.attr(body=graph_of("body", steps, ins, outs, inits))
    if d.opset < 13 and d.inputs[0] is None and d.opset < 11 and \
            early is None:
        raise Skip


@generator("Scan")
def scan(d):
    t = value_type(d)
    n, m, k = d.int(0, 2), d.int(1, 2), d.int(0, 2)
    if n + k == 0:
        raise Skip
    shape, steps_count = d.full(0, 2, 3), d.int(1, 5)
    batch = d.int(1, 3) if d.since == 8 else None
    steps, outs = [], []
    d.attr(num_scan_inputs=m)
    if d.since == 8:
        d.add(None)
        if d.chance(0.4):
            d.inputs[0] = np.array(d.ints(batch, 1, steps_count), np.int64)
    lead = [batch] if batch else []
    for _ in range(n):
        d.add(d.array(t, lead + shape), 0.3)
    axes = []
    for _ in range(m):
        axis = d.int(0, len(shape)) if d.since >= 9 else 0
        axes.append(axis - len(shape) - 1 if d.since >= 11 and d.chance(0.3)
                    else axis)
        s = list(shape)
        s.insert(axis, steps_count)
        d.add(d.array(t, lead + s), 0.2)
    turned = d.ints(m, 0, 1)
    if d.since >= 9:
        d.attr(any(axes) or 0.3, scan_input_axes=axes)
        d.attr(0.4, scan_input_directions=turned)
        d.attr(0.3, scan_output_directions=d.ints(k, 0, 1))
        d.attr(0.4, scan_output_axes=[d.int(0, len(shape))
                                      for _ in range(k)])
    elif d.chance(0.4):
        d.attr(directions=turned)
    values = [f"s{j}" for j in range(n)] + [f"x{j}" for j in range(m)]
    if d.chance(0.3) and d.since >= 9:
        d.add(d.array(t, shape))
        values.append(f"^i{len(d.inputs) - 1}")
        d.ins = [f"i{j}" for j in range(n + m)]
    for j in range(n + k):
        more, last = chain(d, t, values, d.int(1, 2))
        steps += [(op, [x if x in values else f"{x}_{j}" for x in i],
                   [f"{x}_{j}" for x in o], a) for op, i, o, a in more]
        outs.append((f"{last}_{j}", t))
    d.nout = n + k
    d.attr(body=graph_of("body", steps, [
        (x, t, shape) for x in values if x[0] != "^"], outs))
    if not d.attrs.get("scan_output_axes", 1):
        d.attrs.pop("scan_output_axes")
    if not d.attrs.get("scan_output_directions", 1):
        d.attrs.pop("scan_output_directions")


# Sequences: i0.. make one, o0.. come out of it.

def item_type(d, among=None):
    """Of tensors in sequences, by any type variable of the operator."""
    force = peeled(d.force[1]) if d.force else ("", None)
    whole = ("SequenceConstruct", "SequenceInsert", "SequenceAt",
             "ConcatFromSequence")
    if force[0] == "seq(" or d.name in whole and force[1]:
        t, d.met = force[1], True
    else:
        texts = [t for ts in d.allowed.values() for t in ts if
                 t.startswith("seq(tensor(")]
        t = numpy_type(d.pick(texts or ["seq(tensor(float))"])[4:-1])
    if among and not among(t):
        raise Skip
    return t


def items(d, t, low=1, high=4):
    """Inputs of one rank, whose sizes differ along axis 0."""
    shape = d.full(1, 3, 3)
    n = d.int(low, high)
    for _ in range(n):
        d.add(d.array(t, [d.int(1, 3)] + shape[1:]), 0.3)
    return n, [f"i{k}" for k in range(n)]


def taken_apart(d, t, seq):
    """Nodes behind a sequence that is not empty: its length, its items in a
    row, or both. No Concat of complex numbers has an oracle."""
    d.nout = 0
    whole = t.kind != "c" and d.chance(0.7)
    if not whole or d.chance(0.4):
        d.after.append(("SequenceLength", [seq], ["o0"], {}))
        d.nout = 1
    if whole:
        d.after.append(("ConcatFromSequence", [seq], [f"o{d.nout}"],
                        dict(axis=0)))
        d.nout += 1


@generator("SequenceConstruct")
def sequence_construct(d):
    t = item_type(d)
    n, names = items(d, t)
    d.outs = ["seq"]
    taken_apart(d, t, "seq")


def position(d, low, high, const=0.6):
    d.add(np.array(d.int(low, high), d.pick([np.int32, np.int64])), const)
    return f"i{len(d.inputs) - 1}"


@generator("SequenceAt", "SequenceErase", "SequenceInsert", "SequenceLength",
           "ConcatFromSequence")
def sequence_use(d):
    t = item_type(d)
    n, names = items(d, t, 2 if d.name == "SequenceErase" else 1)
    d.before.append(("SequenceConstruct", names, ["seq"], {}))
    d.ins = ["seq"]
    if d.name == "SequenceInsert":
        d.add(d.array(t, [d.int(1, 3)] + list(d.inputs[0].shape[1:])), 0.3)
        d.ins.append(f"i{n}")
    if d.name == "ConcatFromSequence":
        d.attr(axis=0)
        rank = d.inputs[0].ndim
        if d.chance(0.4):
            d.attr(axis=-rank)
        if d.chance(0.3):
            for x in range(n):
                d.inputs[x] = d.array(t, d.inputs[0].shape)
            d.attr(new_axis=1, axis=d.int(-rank - 1, rank))
        if t.kind == "c":  # nobody else has it
            join = np.stack if "new_axis" in d.attrs else np.concatenate
            d.made = [join(d.inputs, d.attrs["axis"])]
    elif d.name == "SequenceAt":
        d.ins.append(position(d, -n, n - 1))
    elif d.name != "SequenceLength" and d.chance(0.8):
        d.ins.append(position(d, -n, n - 1 if d.name[8] == "E" else n))
    if d.name in ("SequenceErase", "SequenceInsert"):
        d.outs = ["changed"]
        taken_apart(d, t, "changed")


@generator("SequenceEmpty")
def sequence_empty(d):
    t = item_type(d)
    if t.kind in "fiu" and d.chance(0.5):
        d.attr(t != np.float32 or d.chance(0.5), dtype=onnx_type(t))
    else:
        t = np.dtype(np.float32)
    d.outs = ["seq"]
    if d.chance(0.5):
        d.after.append(("SequenceLength", ["seq"], ["o0"], {}))
        return
    items(d, t, 1, 1)
    d.ins = []
    d.after += [("SequenceInsert", ["seq", "i0"], ["one"], {}),
                ("ConcatFromSequence", ["one"], ["o0"], dict(axis=0))]


@generator("SplitToSequence")
def split_to_sequence(d):
    t = d.type(0)
    shape = d.full(1, 3)
    axis = d.int(-len(shape), len(shape) - 1)
    parts = d.ints(d.int(1, 4), 1, 3)
    shape[axis] = sum(parts)
    d.attr(axis == 0 or 1, axis=axis)
    d.add(d.array(t, shape))
    kind = d.pick(["none", "scalar", "list"])
    if kind == "list":
        d.add_ints(parts, d.type(1), const=0.7)
    elif kind == "scalar":
        d.add(np.array(d.int(1, 3), d.type(1)), 0.7)
    else:
        d.attr(0.6, keepdims=d.int(0, 1))
    d.outs, d.nout = ["seq"], 1
    if kind == "none" and not d.attrs.get("keepdims", 1):
        d.after.append(("ConcatFromSequence", ["seq"], ["o0"], dict(
            axis=0, new_axis=1)))
    else:
        d.after.append(("ConcatFromSequence", ["seq"], ["o0"], dict(
            axis=axis)))
    if d.chance(0.5):
        d.after.append(("SequenceLength", ["seq"], ["o1"], {}))
        d.nout = 2


@generator("SequenceMap")
def sequence_map(d):
    t = np.dtype(d.pick([np.float32, np.float32, np.int64, np.float64]))
    if d.force:
        t = peeled(d.force[1])[1]
        d.met = True
    n, names = items(d, t)
    d.before.append(("SequenceConstruct", names, ["seq"], {}))
    d.ins, d.outs = ["seq"], ["mapped"]
    values = ["x"]
    ins = [("x", t, None)]
    if d.chance(0.4):
        d.add(d.array(t, [1]))
        if d.chance(0.5):
            d.ins.append(f"i{n}")
            ins.append(("y", t, None))
            values.append("y")
        else:
            values.append(f"^i{n}")
    # The first step has x, so that shapes are those of x.
    steps, last = chain(d, t, ["x"], 1)
    if len(values) > 1 and numeric(t):
        steps.append(("Add", [last, values[1]], ["sum"], {}))
        last = "sum"
    d.attr(body=graph_of("body", steps, ins, [(last, t)]))
    taken_apart(d, t, "mapped")


@generator("Optional", "OptionalHasElement", "OptionalGetElement")
def optional(d):
    """Of a tensor, of a sequence, or without an element. What comes out is
    known: the reference evaluator gives lists for tensors."""
    texts = [x for ts in d.allowed.values() for x in ts]
    t = numpy_type(d.pick([x for x in texts if x.startswith("tensor(")] or
                          [f"tensor({d.pick(['float', 'int64', 'bool'])})"]))
    prefix, forced = peeled(d.force[1]) if d.force else ("", None)
    if d.name != "OptionalGetElement" and d.chance(0.2) and not d.force:
        return optional_empty(d, t)
    seq = "seq" in prefix or not forced and d.chance(0.3)
    if forced:
        t, d.met = forced, d.force[0] != "B"
    if seq:
        t = t if forced else item_type(d)
        items(d, t)
        d.before.append(("SequenceConstruct",
                         [f"i{k}" for k in range(len(d.inputs))], ["x"], {}))
    else:
        d.add(d.array(t, d.shape(0, 3)), 0.2)
    value, asks = "x" if seq else "i0", d.name == "OptionalHasElement"
    if d.name == "Optional":
        d.outs = ["opt"]
        asks = d.chance(0.4)
        d.after.append(("OptionalHasElement", ["opt"], ["o0"], {}) if asks
                       else ("OptionalGetElement", ["opt"], ["e"], {}))
    elif d.since < 18 or ("optional" in prefix if forced else d.chance(0.5)):
        d.before.append(("Optional", [value], ["opt"], {}))
        value = "opt"
    d.ins = [value]
    if asks:
        d.made = [np.array(True)]
        return
    d.outs = d.outs or ["e"]
    d.after.append(("SequenceLength" if seq else "Identity", ["e"], ["o0"],
                    {}))
    d.made = [np.array(len(d.inputs))] if seq else [d.inputs[0]]


def optional_empty(d, t):
    kind = helper.make_tensor_type_proto(
        TensorProto.STRING if t.kind == "O" else onnx_type(t), [2])
    d.made, d.ins = [np.array(False)], []
    if d.name == "Optional":
        d.attr(type=kind)
        d.outs = ["opt"]
        d.after.append(("OptionalHasElement", ["opt"], ["o0"], {}))
    elif d.since < 18 or d.chance(0.5):
        d.before.append(("Optional", [], ["opt"], dict(type=kind)))
        d.ins = ["opt"]
