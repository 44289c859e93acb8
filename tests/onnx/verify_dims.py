#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One generated program at many batches and lengths, against onnxruntime.

    verify_dims.py ONNX2C FOLDER [BATCHxLENGTH]...

FOLDER has a model.onnx whose inputs take a batch N and a length S, as those of
make_zoo.py. `onnx2c verify` compiles it once, and runs it on seeded inputs of
each size; by default 1x32 3x32 2x7 1x128 1x1.
"""
import pathlib
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).parents[1] / "tools"))
import make_zoo  # noqa: E402  (beside the tests, no package)

USUAL = ("1x32", "3x32", "2x7", "1x128", "1x1")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    onnx2c, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    sizes = [tuple(map(int, size.split("x"))) for size in
             sys.argv[3:] or USUAL]
    with tempfile.TemporaryDirectory() as tmp:
        case = pathlib.Path(tmp) / folder.name
        case.mkdir()
        (case / "model.onnx").symlink_to(folder / "model.onnx")
        make_zoo.answer(folder, sizes, case)
        sys.exit(subprocess.run([onnx2c, "verify", "--rows", "-v", case])
                 .returncode)


if __name__ == "__main__":
    main()
