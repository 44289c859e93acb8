#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times on a GPU: ours beside onnxruntime's CUDA provider, TensorRT, torch.

    bench.py --onnx2c FILE [--nvcc COMMAND] [--quick] [--fast|--half]
             MODEL.onnx

Batch 1, 8 and 64, with inputs and outputs in the GPU's memory and on the host.
Each contender is a process of its own, and they take turns, round by round; the
table shows the least of all runs in milliseconds, and theirs over ours: above 1
we are faster. `start` is the time to the first output, of libraries loaded into
the process already: at best of the rounds. Contenders: onnxruntime plain (ort)
and with its CUDA graphs (ort-graph, device memory alone), TensorRT by
onnxruntime's provider (trt), torch.compile of torchvision's network of the same
name (torch). Those that can't be imported, or refuse, show "-", and the reason
is printed. f32 is f32 for all of them, by NVIDIA_TF32_OVERRIDE=0; with --fast
all may use TF32; --half: the model computes in f16, and so shall torch. Needs
onnx for nothing; onnxruntime-gpu, torch and torchvision
where they are.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
LENGTH = 32  # of sequences
OTHERS = ("ort", "ort-graph", "trt", "torch")


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c")
    p.add_argument("--nvcc", default="nvcc -arch=native")
    p.add_argument("--quick", action="store_true")
    p.add_argument("--fast", action="store_true", help="TF32 for all")
    p.add_argument("--half", action="store_true", help="torch in f16")
    p.add_argument("--one", help="a contender, in its own process")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--device", action="store_true")
    p.add_argument("--runs", type=int, default=100)
    p.add_argument("model", type=pathlib.Path)
    return p.parse_args()


def timed(args, begin, call):
    """Prints what bench.c prints."""
    call()
    start = 1e3 * (time.perf_counter() - begin)
    for _ in range(5):
        call()
    times = []
    for _ in range(args.runs):
        t = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - t))
    times.sort()
    print(json.dumps({"start": start, "least": times[0],
                      "median": times[len(times) // 2]}))


def random_input(port, batch):
    import numpy as np
    rng = np.random.default_rng(1)
    shape = [d if isinstance(d, int) else LENGTH for d in port.shape]
    if not isinstance(port.shape[0], int):
        shape[0] = batch
    if "int" in port.type:
        return rng.integers(0, 8, shape).astype(
            np.int64 if "64" in port.type else np.int32)
    if "bool" in port.type:
        return np.ones(shape, bool)
    return rng.standard_normal(shape).astype(
        np.float16 if "float16" in port.type else np.float32)


def one_session(ort, args, options):
    """A session that has the provider that is asked for, or the process ends:
    onnxruntime falls back to the CPU by itself."""
    wanted = ("Tensorrt" if args.one == "trt" else "CUDA") + "ExecutionProvider"
    if wanted not in ort.get_available_providers():
        sys.exit(f"onnxruntime has no {wanted}")
    providers = [(wanted, options)]
    if args.one == "trt":
        providers.append("CUDAExecutionProvider")
    session = ort.InferenceSession(str(args.model), providers=providers)
    if wanted not in session.get_providers():
        sys.exit(f"onnxruntime could not load its {wanted}")
    return session


def one_ort(args):
    import onnxruntime as ort
    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()  # of CUDA and cuDNN from pip's packages
    graph = args.one == "ort-graph"
    shapes = []
    if graph:  # outputs must have a place before the first run
        plain = one_session(ort, args, {})
        feed = {p.name: random_input(p, args.batch)
                for p in plain.get_inputs()}
        shapes = plain.run(None, feed)
        del plain
    begin = time.perf_counter()
    session = one_session(ort, args,
                          {"enable_cuda_graph": "1"} if graph else {})
    feed = {p.name: random_input(p, args.batch) for p in session.get_inputs()}
    if not args.device:
        if graph:
            sys.exit("graphs are for device memory")
        timed(args, begin, lambda: session.run(None, feed))
        return
    binding = session.io_binding()
    keep = [ort.OrtValue.ortvalue_from_numpy(x, "cuda", 0)
            for x in feed.values()]
    for name, x in zip(feed, keep):
        binding.bind_ortvalue_input(name, x)
    for k, port in enumerate(session.get_outputs()):
        if graph:
            keep.append(ort.OrtValue.ortvalue_from_numpy(shapes[k], "cuda", 0))
            binding.bind_ortvalue_output(port.name, keep[-1])
        else:
            binding.bind_output(port.name, "cuda")

    def call():
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
    timed(args, begin, call)


def one_torch(args):
    import torch
    import torchvision
    name = args.model.parent.name
    if not hasattr(torchvision.models, name) or not torch.cuda.is_available():
        sys.exit("no such network, or no GPU")
    begin = time.perf_counter()
    torch.backends.cudnn.allow_tf32 = args.fast
    torch.backends.cuda.matmul.allow_tf32 = args.fast
    net = getattr(torchvision.models, name)().eval().cuda()
    x = torch.randn(args.batch, 3, 224, 224)
    if args.half:
        net, x = net.half(), x.half()
    net = torch.compile(net, mode="max-autotune" if args.batch > 1
                        else "reduce-overhead")
    there = x.cuda()

    def call():
        with torch.inference_mode():
            y = net(there if args.device else x.cuda())
            if not args.device:
                y.cpu()
        torch.cuda.synchronize()
    timed(args, begin, call)


def build(args, folder):
    """Our program, and its run-time dimensions."""
    subprocess.run([args.onnx2c, args.model, "--provider", "cuda,cpu",
                    "--math", "fast" if args.fast else "exact", "--bundle",
                    "-o", folder / "net.c"], check=True)
    nvcc = shlex.split(args.nvcc)
    sources = [HERE / "bench.c"] + [folder / x for x in
                                    ("net.c", "net.cu", "o2c_cuda.c")]
    if (folder / "o2c_threads.c").exists():
        sources.append(folder / "o2c_threads.c")
    subprocess.run(nvcc + ["-std=c++17", "-O3", "-DMODEL=net_model", "-I",
                           folder, *sources, "-lcudnn", "-lcublasLt", "-lm",
                           "-lpthread", "-o", folder / "net"], check=True)
    text = (folder / "net.h").read_text()
    fields = re.search(r"typedef struct \{([^}]*)\} net_dims;", text).group(1)
    return re.findall(r"int64_t (\w+);", fields)


def answer(command, fast):
    env = dict(os.environ)
    if not fast:
        env["NVIDIA_TF32_OVERRIDE"] = "0"
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              timeout=600, check=False, env=env)
    except subprocess.TimeoutExpired:
        return None, "no answer"
    lines = [x for x in done.stdout.splitlines() if x.startswith("{")]
    if done.returncode or not lines:
        said = done.stderr.strip().splitlines()
        return None, said[-1] if said else "it says nothing"
    return json.loads(lines[-1]), None


def row(args, ours, batch, device, gone):
    """Least of the rounds, by contender."""
    best = {}
    rounds, runs = (1, 10) if args.quick else (3, args.runs)
    for _ in range(rounds):
        for name in ("ours",) + OTHERS:
            if name in gone or (name == "ort-graph" and not device):
                continue
            command = ours(batch, device, runs) if name == "ours" else [
                sys.executable, __file__, "--one", name, "--batch", str(batch),
                "--runs", str(runs), args.model] + (
                    ["--device"] * device + ["--fast"] * args.fast +
                    ["--half"] * args.half)
            got, why = answer(command, args.fast)
            if why and name == "ours":
                sys.exit(f"ours: {why}")
            if why:
                gone.add(name)
                print(f"{name}: {why}")
                continue
            old = best.setdefault(name, got)
            best[name] = {k: min(old[k], got[k]) for k in got}
    return best


def main():
    args = arguments()
    if args.one:
        (one_torch if args.one == "torch" else one_ort)(args)
        return
    gone = set()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        dims = build(args, folder)

        def ours(batch, device, runs):
            sizes = [f"{d}={LENGTH if k else batch}" for k, d in
                     enumerate(dims)]
            return [folder / "net", "device" if device else "host", str(runs),
                    *sizes]
        kind = "TF32" if args.fast else "f16" if args.half else "exact"
        print(f"{args.model.parent.name}, {kind}: milliseconds (times ours)")
        print("batch memory      ours " + "".join(f"{x:>18}" for x in OTHERS))
        for batch in (1, 8) if args.quick else (1, 8, 64):
            for device in (True, False):
                best = row(args, ours, batch, device, gone)
                for what in ("least", "start"):
                    mine = best["ours"][what]
                    cells = ["-" if x not in best else
                             f"{best[x][what]:9.3f} "
                             f"({best[x][what] / mine:.2f})" for x in OTHERS]
                    head = f"{batch:5} {'device' if device else 'host':6}"
                    if what == "start":
                        head = "      start "
                    print(f"{head} {mine:9.3f} " +
                          "".join(f"{c:>18}" for c in cells), flush=True)


if __name__ == "__main__":
    main()
