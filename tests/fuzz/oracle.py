# SPDX-License-Identifier: Apache-2.0
"""Expected outputs of a draw, by others than onnx2c; see fuzz_ops.py.

Inputs become constants of the model, and outputs of narrow types are cast to
float, so that no value of a type that numpy or onnxruntime's interface lacks
has to cross it. onnxruntime runs without its optimiser."""
import copy

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, shape_inference
from onnx.reference import ReferenceEvaluator

from draw import FLOATS, HALVES, ML, int_range, is_int, numpy_type, \
    onnx_type, opset_ids, tensor
from excuses import wrong

ORT_NEWEST = 26
PLAIN = "?bBhHiIlLqQfdeFDOUS"


def model_of(d, inputs, opset):
    """A draw alone, its inputs constants."""
    constants = [tensor(x, f"i{k}") for k, x in enumerate(inputs)
                 if x is not None]
    outputs = [helper.make_empty_tensor_value_info(f"o{k}")
               for k in range(d.nout)]
    graph = helper.make_graph(d.nodes(""), "g", [], outputs, constants)
    model = helper.make_model(graph, ir_version=min(onnx.IR_VERSION, 11),
                              opset_imports=opset_ids(opset,
                                                      d.schema.domain))
    model = shape_inference.infer_shapes(model, data_prop=True)
    for o, port in zip(model.graph.output, d.schema.outputs):
        if d.schema.domain == ML and not o.type.tensor_type.elem_type:
            t = numpy_type(port.type_str) or d.types[port.type_str]
            o.type.tensor_type.elem_type = onnx_type(t) if t != object else \
                TensorProto.STRING
    return model


def output_types(model):
    return [o.type.tensor_type.elem_type for o in model.graph.output]


def cast_outputs(model, types):
    """Those that are no plain type of numpy go out as float."""
    for k, t in enumerate(types):
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(t))
        o = model.graph.output[k]
        if dtype.char in PLAIN and dtype.kind != "V" and \
                t != TensorProto.BFLOAT16:
            continue
        model.graph.node.append(helper.make_node(
            "Cast", [o.name], [o.name + "_float"], to=TensorProto.FLOAT))
        o.CopyFrom(helper.make_tensor_value_info(o.name + "_float",
                                                 TensorProto.FLOAT, None))


def onnxruntime_of(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = \
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options,
        providers=["CPUExecutionProvider"])
    return session.run(None, {})


def typed(arrays, types):
    return [np.asarray(a).astype(helper.tensor_dtype_to_np_dtype(t))
            for a, t in zip(arrays, types)]


def opsets(d):
    """Those at which onnxruntime may have this version of the operator. What
    came with opset 22, or after ORT_NEWEST, are types only."""
    if d.schema.domain:
        return [d.since if d.schema.domain == ML else ORT_NEWEST]
    opset = max(d.since, 7)
    if onnx.defs.get_schema(d.name, opset, "").since_version != d.since:
        raise ValueError
    first = [] if opset > ORT_NEWEST else [opset]
    return first + [opset - 1] * (opset in (22, 27, 28) and opset > 7)


def at_any(d, inputs, types):
    for opset in opsets(d):
        try:
            model = model_of(d, inputs, opset)
            if not types:
                return onnxruntime_of(model)
            cast_outputs(model, types)
            return typed(onnxruntime_of(model), types)
        except Exception:
            continue
    raise ValueError


def by_onnxruntime(d, types):
    return at_any(d, d.inputs, types)


def by_float(d, types):
    """Halves, and double, as float32: one rounding out; so integers where
    onnxruntime lacks them for an operator of ai.onnx.ml."""
    narrow = HALVES + (np.float64,)
    if d.schema.domain == ML and d.name != "Imputer":
        narrow += (np.int32, np.int64)
    if not any(x is not None and x.dtype in narrow for x in d.inputs) or \
            d.name in ("Cast", "CastLike", "BitCast", "EyeLike",
                       "QuantizeLinear", "DequantizeLinear"):
        raise ValueError
    wide = [x.astype(np.float32) if x is not None and x.dtype in narrow else x
            for x in d.inputs]
    d = copy.copy(d)
    d.attrs = {k: v for k, v in d.attrs.items() if k != "stash_type"}
    return at_any(d, wide, types)


def modern(d):
    """The draw as opset 8 writes it, and the shapes that operands get."""
    new = copy.copy(d)
    new.attrs, new.inputs = dict(d.attrs), list(d.inputs)
    a = new.attrs
    for name in ("consumed_inputs", "is_test", "output_sequence"):
        a.pop(name, None)
    x = d.inputs[0]
    if d.name == "PRelu":
        if d.inputs[1].size > 1:
            new.inputs[1] = d.inputs[1].reshape([-1] + [1] * (x.ndim - 2))
    elif a.pop("broadcast", 0) and d.name != "Gemm":
        y = d.inputs[1]
        axis = a.pop("axis", x.ndim - y.ndim)
        new.inputs[1] = y.reshape(y.shape + (1,) * (x.ndim - axis - y.ndim))
    elif d.name in ("LpPool", "GlobalLpPool") and "p" in a:
        a["p"] = int(a["p"])
    elif d.name == "Upsample" and "height_scale" in a:
        a["scales"] = [1.0, 1.0, a.pop("height_scale"), a.pop("width_scale")]
        a["mode"] = a.get("mode", "nearest").replace("bilinear", "linear")
    elif d.name == "Pad" and "paddings" in a:
        a["pads"] = a.pop("paddings")
    elif d.name == "Reshape" and "shape" in a:
        new.inputs.append(np.array(a.pop("shape"), np.int64))
    elif d.name == "Cast" and isinstance(a["to"], str):
        a["to"] = TensorProto.DataType.Value(a["to"])
    elif d.name == "Concat":
        a.setdefault("axis", 1)
    elif d.name == "Split" and len(new.inputs) > 1:
        a["split"] = new.inputs.pop().astype(np.int64).tolist()
    elif d.name == "Tile":
        repeats = np.ones(x.ndim, np.int64)
        repeats[int(d.inputs[2])] = int(d.inputs[1])
        new.inputs[1:] = [repeats]
    elif d.name == "Dropout":
        new.nout = 1
    return new


def by_hand(d, types):
    """Of opset 6 and before: rewritten as opset 8 writes it."""
    if d.since >= 7 or d.schema.domain:
        raise ValueError
    new = modern(d)
    wide = [x.astype(np.float32) if x is not None and x.dtype in
            HALVES + (np.float64,) else x for x in new.inputs]
    for inputs in (new.inputs, wide):
        try:
            return typed(onnxruntime_of(model_of(new, inputs, 8)), types)
        except Exception:
            continue
    raise ValueError


# Type variables whose elements are moved only, so that numbers may stand for
# them; and those whose values a wider type holds.
MOVED = {"Scatter": "T", "Resize": "T T1", "Upsample": "T", "Unique": "T",
         "Pad": "T", "OneHot": "T3", "Unsqueeze": "T", "CenterCropPad": "T",
         "Trilu": "T", "GridSample": "T1"}
WIDER = {"OneHot": "T1 T2", "Imputer": "T"}
REAL = ("ReduceLogSum", "ReduceLogSumExp")


def zero(dtype):
    return "" if dtype.kind in "OUS" else np.zeros((), dtype).item()


def codes(x, values, base):
    """Where its elements stand in `values`, counted from that of zero."""
    at = {v: np.float32(k - base) for k, v in enumerate(values)}
    flat = [at[v] for v in x.reshape(-1).tolist()]
    return np.array(flat, np.float32).reshape(x.shape)


def by_codes(d, types):
    """Elements become numbers of the same order, or wider, and are put back:
    of operators that only move them."""
    moved, wider = (table.get(d.name, "").split() for table in (MOVED, WIDER))
    ports = d.schema.inputs
    var = [ports[min(k, len(ports) - 1)].type_str
           for k in range(len(d.inputs))]
    found = [x for x, v in zip(d.inputs, var) if x is not None and v in moved]
    if d.name in REAL and is_int(d.inputs[0].dtype):
        return typed(at_any(d, [d.inputs[0].astype(np.float64),
                                *d.inputs[1:]], None), types)
    if not found and not wider or d.attrs.get("mode", "nearest") not in (
            "nearest", "constant", "edge", "reflect", "wrap"):
        raise ValueError
    values, inputs = [], []
    if found:
        dtype = found[0].dtype
        values = sorted({v for x in found for v in x.reshape(-1).tolist()} |
                        {zero(dtype)}, key=lambda v: (v.real, v.imag)
                        if isinstance(v, complex) else v)
        base = values.index(zero(dtype))
    for x, v in zip(d.inputs, var):
        if x is not None and v in moved:
            x = codes(x, values, base)
        elif x is not None and v in wider:
            x = x.astype(np.int64 if is_int(x.dtype) else np.float32)
        inputs.append(x)
    d = copy.copy(d)
    d.inputs = inputs
    if d.since < 7 and not d.schema.domain:
        new = modern(d)
        outputs = onnxruntime_of(model_of(new, new.inputs, 8))
    else:
        outputs = at_any(d, inputs, None)
    for k, (y, port) in enumerate(zip(outputs, d.schema.outputs)):
        if port.type_str in moved:
            flat = [values[int(c) + base] for c in y.reshape(-1)]
            outputs[k] = np.array(flat, dtype=dtype).reshape(y.shape)
    return typed(outputs, types)


def by_reference(d, types):
    model = model_of(d, d.inputs, d.opset)
    model.ir_version = onnx.IR_VERSION
    return typed(ReferenceEvaluator(model).run(None, {}), types)


def by_wide(d, types):
    """Halves as float32 by the reference evaluator, which else rounds each
    step; of what onnxruntime lacks."""
    if d.name not in ("FlexAttention", "MelWeightMatrix"):
        raise ValueError
    d = copy.copy(d)
    d.inputs = [x.astype(np.float32) if x is not None and x.dtype in HALVES
                else x for x in d.inputs]
    return typed(by_reference(d, types), types)


def narrowed(y, zero_point, dtype):
    """As QuantizeLinear says: rounded to even, and within the type."""
    if is_int(dtype):
        low, high = int_range(dtype)
        y = np.clip(np.rint(y) + zero_point.astype(np.float64), low, high)
    else:
        most = float(ml_dtypes.finfo(dtype).max)
        y = np.clip(y, -most, most)
    return y.astype(dtype)


def by_formula(d, types):
    """What others lack of quantisation, by the specification's formulas. All
    scales are powers of two."""
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(types[0]))
    if d.name == "QLinearMatMul":
        a, a_scale, a_zero, b, b_scale, b_zero, scale, zero_point = (
            x.astype(np.float64) for x in d.inputs)
        y = np.matmul(a - a_zero, b - b_zero) * a_scale * b_scale / scale
        return [narrowed(y, zero_point, dtype)]
    if d.name != "QuantizeLinear":
        raise ValueError
    x, *rest = d.inputs
    size, axis = d.attrs.get("block_size", 0), d.attrs.get("axis", 1)
    for k, s in enumerate(rest):
        if size:
            rest[k] = np.repeat(s, size, axis)
        elif s is not None and s.ndim == 1:
            rest[k] = s.reshape([-1 if j == axis % x.ndim else 1
                                 for j in range(x.ndim)])
    # "The type of y_scale determines the precision of the division"
    kind = rest[0].dtype
    x = x.astype(kind if kind in FLOATS and d.since >= 23 else np.float64)
    y = x.astype(np.float64) / rest[0].astype(np.float64)
    zero_point = rest[1] if len(rest) > 1 else np.zeros((), dtype)
    return [narrowed(y, zero_point, dtype)]


def by_sample(d, types):
    """A Scan-8 without lengths as Scan-9 of each sample."""
    if d.name != "Scan" or d.since != 8 or d.inputs[0] is not None:
        raise ValueError
    d = copy.copy(d)
    d.attrs = dict(d.attrs)
    if "directions" in d.attrs:
        d.attrs["scan_input_directions"] = d.attrs.pop("directions")
    batch, d.opset = d.inputs[1:], 9
    found = []
    for k in range(len(batch[0])):
        d.inputs = [np.asarray(x[k]) for x in batch]
        found.append(by_reference(d, types))
    return [np.stack(y) for y in zip(*found)]


def answers(d):
    """[(who, outputs)]; empty where nobody has the operator and types."""
    if d.made is not None:
        return [("made", d.made)]
    if d.name == "Scatter" and d.since == 11:  # deprecated there
        d = copy.copy(d)
        d.name = "ScatterElements"
    found = []
    try:
        types = output_types(model_of(d, d.inputs, d.opset))
        if 0 in types:
            types = [t or onnx_type(d.types[o.type_str]) for t, o in
                     zip(types, d.schema.outputs)]
    except Exception:
        return found
    for who, ask in (("ort", by_onnxruntime), ("float", by_float),
                     ("hand", by_hand), ("ref", by_reference),
                     ("wide", by_wide), ("codes", by_codes),
                     ("sample", by_sample), ("formula", by_formula)):
        try:
            outputs = [] if wrong(d, who) else ask(d, types)
        except Exception:  # whatever it is, it has no answer
            continue
        if outputs and all(isinstance(y, np.ndarray) for y in outputs):
            found.append((who, outputs))
    return found
