# SPDX-License-Identifier: Apache-2.0
"""External data of `onnx2c edit`, and models of 4 GB.

    edit_large.py ONNX2C FOLDER [--dense]

The large file is sparse, or, with --dense, of random bytes. Prints the memory
and the time that each edit took.
"""
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

ONNX2C, WORK = sys.argv[1], pathlib.Path(sys.argv[2])
DENSE = "--dense" in sys.argv
MEMORY = 100 << 10  # KiB
X = np.arange(8, dtype=np.float32).reshape(2, 4)


def high_water(pid):
    """The most memory of a process so far, in KiB; 0: it has ended."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().split("\n"):
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def edit(model, out, *steps):
    """Time, and the most memory, in KiB, if the run was not too short to see.
    The heap is limited in any case."""
    start, most = time.time(), 0
    child = subprocess.Popen(["sh", "-c", f"ulimit -d {MEMORY}; exec \"$@\"",
                              "sh", ONNX2C, "edit", model, "-o", out, *steps])
    while child.poll() is None:
        most = max(most, high_water(child.pid))
        time.sleep(0.002)
    assert child.returncode == 0, steps
    return time.time() - start, most


def run(path):
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": X})[0]


def info(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ("N", 4))


def small():
    rng = np.random.default_rng(1)
    w = [rng.standard_normal((4, 4), np.float32) for _ in range(3)]
    nodes = [helper.make_node("MatMul", ["x", "w0"], ["a"]),
             helper.make_node("MatMul", ["a", "w1"], ["b"]),
             helper.make_node("Gemm", ["b", "w2"], ["y"])]
    graph = helper.make_graph(nodes, "g", [info("x")], [info("y")], [
        numpy_helper.from_array(v, f"w{i}") for i, v in enumerate(w)])
    return helper.make_model(graph, ir_version=8,
                             opset_imports=[helper.make_opsetid("", 17)])


def folder(name):
    path = WORK / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


def test_external():
    a, b, c = folder("a"), folder("b"), folder("c")
    onnx.save(small(), a / "m.onnx")
    want = run(a / "m.onnx")
    edit(a / "m.onnx", a / "e.onnx", "externalize=w.bin:64")
    m = onnx.load(a / "e.onnx", load_external_data=False)
    entries = {e.key: e.value for e in m.graph.initializer[1].external_data}
    assert entries == {"location": "w.bin", "offset": "4096", "length": "64"}
    assert not m.graph.initializer[1].raw_data
    onnx.checker.check_model(str(a / "e.onnx"), full_check=True)
    assert (run(a / "e.onnx") == want).all()
    edit(a / "e.onnx", a / "r.onnx", "rename", "a=q")
    assert (run(a / "r.onnx") == want).all()
    assert not (a / "r.onnx.data").exists()
    edit(a / "e.onnx", b / "o.onnx", "rename", "a=q")
    assert (b / "o.onnx.data").exists()
    assert (run(b / "o.onnx") == want).all()
    edit(a / "e.onnx", c / "i.onnx", "internalize")
    assert [p.name for p in c.iterdir()] == ["i.onnx"]
    assert (run(c / "i.onnx") == want).all()
    edit(a / "e.onnx", a / "e.onnx", "externalize=other.bin", "cleanup")
    assert (run(a / "e.onnx") == want).all()


def fill(path, size):
    with open(path, "wb") as f:
        if not DENSE:
            f.truncate(size)
            return
        block = np.random.default_rng(2).bytes(1 << 26)
        for _ in range(size // len(block)):
            f.write(block)


def large(path, count, size):
    """A chain of MatMuls of [1, k] by [k, k], each weight of `size` bytes."""
    k = int((size // 4) ** 0.5)
    graph = helper.make_graph(
        [helper.make_node("MatMul", [f"t{i}", f"w{i}"], [f"t{i + 1}"],
                          f"mul{i}") for i in range(count)], "g",
        [helper.make_tensor_value_info("t0", TensorProto.FLOAT, (1, k))],
        [helper.make_tensor_value_info(f"t{count}", TensorProto.FLOAT, (1, k))])
    for i in range(count):
        t = TensorProto(name=f"w{i}", data_type=TensorProto.FLOAT, dims=(k, k),
                        data_location=TensorProto.EXTERNAL)
        for key, v in (("location", "big.bin"), ("offset", i * size),
                       ("length", size)):
            t.external_data.add(key=key, value=str(v))
        graph.initializer.append(t)
    m = helper.make_model(graph, ir_version=8,
                          opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(m, path / "m.onnx")
    fill(path / "big.bin", count * size)


def report(what, took, limit=MEMORY):
    print(f"{what}: {took[0]:.2f} s, {took[1] / 1024:.0f} MB")
    assert took[1] <= limit, what


def test_large():
    a, b = folder("large"), folder("other")
    large(a, 16, 1 << 28)
    report("4 GB, same folder", edit(a / "m.onnx", a / "o.onnx", "rename",
                                     "t1=first", "rename-node", "mul*=m*"))
    m = onnx.load(a / "o.onnx", load_external_data=False)
    assert m.graph.node[1].input[0] == "first"
    onnx.checker.check_model(str(a / "o.onnx"))
    report("4 GB, gathered in another",
           edit(a / "m.onnx", b / "o.onnx", "rename", "t1=first"))
    assert (b / "o.onnx.data").stat().st_size == 4 << 30
    onnx.checker.check_model(str(b / "o.onnx"))
    if DENSE:
        start = time.time()
        subprocess.run(["cp", a / "big.bin", a / "copy.bin"], check=True)
        print(f"cp: {time.time() - start:.2f} s")
        subprocess.run(["cmp", a / "big.bin", b / "o.onnx.data"], check=True)
    for path in (a, b):
        shutil.rmtree(path)


test_external()
test_large()
