#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Networks as onnxruntime's optimiser rewrites them.

    optimised.py ONNX2C FOLDER...

Each folder holds model.onnx and test_data_set_*. onnxruntime saves the model
that its level ORT_ENABLE_EXTENDED makes of it, with operators of its own
domain; `onnx2c verify` runs that against the data of the folder. Fails also if
no model has any such operator.
"""
import collections
import pathlib
import subprocess
import sys
import tempfile

import onnx
import onnxruntime


def optimise(source, target):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = \
        onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    if source.stat().st_size > 200e6:
        options.add_session_config_entry(
            "session.optimized_model_external_initializers_file_name",
            "weights.bin")
        options.add_session_config_entry(
            "session.optimized_model_external_initializers_min_size_in_bytes",
            "1024")
    onnxruntime.InferenceSession(str(source), options,
                                 providers=["CPUExecutionProvider"])


def own(model):
    """How often each operator of onnxruntime stands in the model."""
    return collections.Counter(
        n.op_type for n in model.graph.node if n.domain == "com.microsoft" or
        n.op_type == "SimplifiedLayerNormalization")


def main():
    found = collections.Counter()
    with tempfile.TemporaryDirectory() as tmp:
        cases = []
        for source in map(pathlib.Path, sys.argv[2:]):
            case = pathlib.Path(tmp) / source.name
            case.mkdir()
            optimise(source / "model.onnx", case / "model.onnx")
            model = onnx.load(case / "model.onnx", load_external_data=False)
            print(source.name, dict(own(model)), flush=True)
            found += own(model)
            for data in [*source.glob("test_data_set_*"),
                         *source.glob("tolerance")]:
                (case / data.name).symlink_to(data.resolve())
            cases.append(case)
        r = subprocess.run([sys.argv[1], "verify", "--cflags=-O1",
                            *map(str, cases)])
    sys.exit(r.returncode or (0 if found else 1))


if __name__ == "__main__":
    main()
