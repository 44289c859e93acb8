#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spoils a tensor file in one way: value, shape, type or nan."""
import pathlib
import sys

import numpy as np
import onnx
from onnx import numpy_helper

path, change = pathlib.Path(sys.argv[1]), sys.argv[2]
tensor = onnx.TensorProto.FromString(path.read_bytes())
a = numpy_helper.to_array(tensor).copy()
if change == "value":
    a.flat[a.size // 2] += 0.25
elif change == "nan":
    a.flat[0] = np.nan
elif change == "shape":
    a = a.reshape(a.shape + (1,))
elif change == "type":
    a = a.astype(np.float64)
path.write_bytes(numpy_helper.from_array(a, tensor.name).SerializeToString())
