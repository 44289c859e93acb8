# SPDX-License-Identifier: Apache-2.0
"""Test data as the ONNX backend suite keeps it: test_data_set_<i>/input_<j>.pb
and output_<j>.pb hold tensors, maps, or sequences of either."""
import numpy as np
from onnx import MapProto, SequenceProto, TensorProto, helper, numpy_helper


def tensor(value, name=""):
    """Python's floats are those of ONNX: 32 bits."""
    if isinstance(value, float):
        value = np.float32(value)
    value = np.asarray(value)
    if value.dtype.kind in "UO":
        return helper.make_tensor(name, TensorProto.STRING, value.shape,
                                  [str(x).encode() for x in value.ravel()])
    return numpy_helper.from_array(value, name)


def mapping(value, name=""):
    """A dict; its keys are all int or all str, each value a scalar."""
    made = MapProto(name=name)
    if value and all(isinstance(k, str) for k in value):
        made.key_type = TensorProto.STRING
        made.string_keys.extend(k.encode() for k in value)
    else:
        made.key_type = TensorProto.INT64
        made.keys.extend(int(k) for k in value)
    made.values.elem_type = SequenceProto.TENSOR
    made.values.tensor_values.extend(tensor(v) for v in value.values())
    return made


def proto(value, name):
    if isinstance(value, dict):
        return mapping(value, name)
    if not isinstance(value, list):
        return tensor(value, name)
    made = SequenceProto(name=name)
    if value and isinstance(value[0], dict):
        made.elem_type = SequenceProto.MAP
        made.map_values.extend(mapping(v) for v in value)
    else:
        made.elem_type = SequenceProto.TENSOR
        made.tensor_values.extend(tensor(v) for v in value)
    return made


def write(folder, what, values):
    """Pairs of name and value, what: input or output."""
    folder.mkdir(parents=True, exist_ok=True)
    for j, (name, value) in enumerate(values):
        data = proto(value, name).SerializeToString()
        (folder / f"{what}_{j}.pb").write_bytes(data)


def answer(folder, session, feeds):
    """A data set for each of the inputs, answered by onnxruntime's session."""
    for i, feed in enumerate(feeds):
        to = folder / f"test_data_set_{i}"
        write(to, "input", [(x.name, feed[x.name])
                            for x in session.get_inputs()])
        write(to, "output", zip((o.name for o in session.get_outputs()),
                                session.run(None, feed)))
