#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our time beside that of others, interleaved in one run.

    bench.py --onnx2c FILE [--cc CC]... [--target ARCH] [--cflags FLAGS]
             [--batch N] [--dim S=V]... [--data] [--set N] [--threads T]
             [--rounds R] [--runs K] [--ort-avx2] [--emx FILE] [--kraiskil FILE]
             [--json FILE] [--svg FILE] MODEL...

MODEL is a .onnx file or a folder with model.onnx. The others: onnxruntime (ort,
by its C API), and with --emx, --kraiskil what emx-onnx-cgen (PyPI) and
kraiskil's onnx2c write, built with the first CC. Every round runs each program
K times after a warm-up, on the same inputs; the table shows the least time of
all rounds, in milliseconds, then each other's time over ours: above 1 we are
faster. "-": that tool refuses the model, or its code does not build. --json
writes least and median of all runs, and the memory of activations (ours: the
workspace; others: what the process grew by in its first run); --svg draws the
ratios. Inputs are random, or with --data the first test data set (or number
--set) beside the model, which also says the sizes: what a model does may depend
on them. T threads are for us and onnxruntime, 1 unless told. ARCH is -march of
all C code: native, x86-64 for portable C, or x86-64-v3, which goes with
--ort-avx2: the wheel has no switch for it, so a copy of its library is told
that the system does not save AVX-512 registers. Needs onnx, onnxruntime and
numpy (tests/requirements.txt).
"""
import argparse
import importlib.util
import json
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile

import onnx

HERE = pathlib.Path(__file__).resolve().parent
RUNTIME = HERE.parent.parent / "runtime_min"
PEER_LIMIT = 2  # seconds of a round; other C code may be slow
# Machine code: "xor ecx, ecx; xgetbv", which asks what registers
# the system saves, and "xor ecx, ecx; mov al, 7; nop": those of SSE and AVX.
ASK_SAVED = b"\x31\xc9\x0f\x01\xd0"
SAY_AVX = b"\x31\xc9\xb0\x07\x90"


def command(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stderr[-2000:]}")


def times(*words, out):
    """What a program (its command) wrote of its runs to `out`: ms, bytes."""
    command(*words)
    data = out.read_bytes()
    kind, _, room, count = struct.unpack_from("=4q", data, 16)
    if data[:8] != b"O2CRSLT1" or kind or not count:
        sys.exit(f"{words[0]} gave no times")
    return [t / 1e9 for t in struct.unpack_from(f"={count}q", data, 48)], room


class Ours:
    """The program that `onnx2c bench --save` leaves, and its job file."""

    def __init__(self, args, path, cc, folder):
        self.name, self.folder = cc, folder
        command(args.onnx2c, "bench", path, "--save", folder, "--cc", cc,
                "--batch", args.batch, "--runs", args.runs,
                "--target", args.target, "--threads", args.threads,
                *([f"--cflags={args.cflags}"] if args.cflags else []),
                *(["--data", path.parent / f"test_data_set_{args.set}"]
                  if args.data else []), *args.dim)

    def times(self):
        out = self.folder / "times"
        return times(self.folder / "bench", self.folder / "bench.job", out,
                     out=out)


class Onnxruntime:
    name = "ort"
    made = None

    @classmethod
    def build(cls, args, folder):
        """The library of the wheel, and a program that calls it."""
        package = pathlib.Path(
            importlib.util.find_spec("onnxruntime").origin).parent
        library = next((package / "capi").glob("libonnxruntime.so*"))
        if args.ort_avx2:
            code = library.read_bytes()
            if ASK_SAVED not in code:
                sys.exit("onnxruntime asks for AVX-512 in a way not known here")
            library = folder / "libonnxruntime.so"
            library.write_bytes(code.replace(ASK_SAVED, SAY_AVX))
        command(args.cc[0], "-std=c99", "-O2", f"-I{RUNTIME}",
                HERE / "ort_c.c", "-ldl", "-o", folder / "ort_c")
        cls.made = folder / "ort_c", library

    def __init__(self, args, path, job):
        self.words = [*self.made, path, job, job.parent / "ort", args.runs,
                      args.threads]

    def times(self):
        return times(*self.words, out=self.words[4])


def pinned(args, path, to):
    """Writes the model with all its sizes fixed; the bytes of its outputs."""
    sizes = dict(d.split("=") for d in args.dim[1::2])
    model = onnx.load(path)
    graph = model.graph
    for v in [*graph.input, *graph.output]:
        for k, d in enumerate(v.type.tensor_type.shape.dim):
            if d.dim_param:
                d.dim_value = int(sizes.get(d.dim_param,
                                            args.batch if not k else 1))
    del graph.value_info[:]
    onnx.save(model, to)
    for v in graph.output:
        size = onnx.helper.tensor_dtype_to_np_dtype(
            v.type.tensor_type.elem_type).itemsize
        for d in v.type.tensor_type.shape.dim:
            size *= max(d.dim_value, 1)
        yield size


class Peer:
    """C code of another tool; `build` says whether it could be made. Large
    weights may come from a file, which a function of the code loads."""

    weights = None

    def __init__(self, args, path, job):
        self.args, self.path, self.job = args, path, job
        self.folder = job.parent / self.name
        self.folder.mkdir()

    def build(self):
        args, tmp = self.args, self.folder
        self.bytes = list(pinned(args, self.path, tmp / "model.onnx"))
        flags = (args.cflags or "").split()
        if self.weights:
            flags += [f"-DPEER_LOAD={self.entry}_load",
                      f'-DPEER_WEIGHTS="{tmp / self.weights}"']
        return self.write() and not subprocess.run(
            [args.cc[0], "-O3", f"-march={args.target}", *flags, "-w",
             f"-DPEER={self.entry}", f"-I{RUNTIME}", str(HERE / "peer.c"),
             "peer_code.c", "-o", "peer", "-lm"],
            cwd=tmp, capture_output=True).returncode

    def times(self):
        out = self.folder / "times"
        return times(self.folder / "peer", self.job, out, self.args.runs,
                     PEER_LIMIT * 10**9, *self.bytes, out=out)


class Emx(Peer):
    name, entry, inline = "emx", "peer_net", 16 << 20

    @property
    def weights(self):
        large = self.path.stat().st_size > self.inline
        return f"{self.entry}.bin" if large else None

    def write(self):
        return not subprocess.run(
            [self.args.emx, "compile", "--large-weight-threshold",
             str(self.inline), "--model-name", self.entry, "model.onnx",
             "peer_code.c"], cwd=self.folder, capture_output=True).returncode


class Kraiskil(Peer):
    name, entry = "kraiskil", "entry"

    def write(self):
        with open(self.folder / "peer_code.c", "w") as code:
            return not subprocess.run(
                [self.args.kraiskil, "model.onnx"], cwd=self.folder,
                stdout=code, stderr=subprocess.DEVNULL).returncode


def arguments(argv=None):
    p = argparse.ArgumentParser()
    p.add_argument("--onnx2c", required=True)
    p.add_argument("--cc", action="append")
    p.add_argument("--target", default="native")
    p.add_argument("--cflags")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--dim", action="append", default=[], metavar="S=V")
    p.add_argument("--data", action="store_true")
    p.add_argument("--set", type=int, default=0)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--runs", type=int, default=20)
    p.add_argument("--ort-avx2", action="store_true")
    p.add_argument("--emx", type=pathlib.Path, metavar="FILE")
    p.add_argument("--kraiskil", type=pathlib.Path, metavar="FILE")
    p.add_argument("--json", type=pathlib.Path, metavar="FILE")
    p.add_argument("--svg", type=pathlib.Path, metavar="FILE")
    p.add_argument("models", nargs="+", type=pathlib.Path)
    args = p.parse_args(argv)
    args.cc = args.cc or ["gcc", "clang"]
    args.dim = [word for d in args.dim for word in ("--dim", d)]
    args.others = [c for c, wanted in ((Onnxruntime, True), (Emx, args.emx),
                                       (Kraiskil, args.kraiskil)) if wanted]
    for tool in ("emx", "kraiskil"):
        if getattr(args, tool):
            setattr(args, tool, getattr(args, tool).absolute())
    return args


def row(name, best, ratios):
    cells = [f"{b:12.{4 if b >= 1 else 6}f}" if b else f"{'-':>12}"
             for b in best]
    cells += [f"{r:14.2f}" if r else f"{'-':>14}" for r in ratios]
    print(f"{name:24}", *cells, flush=True)


def bench(args, path, tmp):
    name = path.parent.name if path.name == "model.onnx" else path.stem
    ours = [Ours(args, path, cc, tmp / f"{name}-{k}")
            for k, cc in enumerate(args.cc)]
    job = ours[0].folder / "bench.job"
    others = [c(args, path, job) for c in args.others]
    run = ours + [c for c in others
                  if not isinstance(c, Peer) or c.build()]
    took = {c.name: [] for c in run}
    room = {}
    for _ in range(args.rounds):
        for c in run:
            ms, room[c.name] = c.times()
            took[c.name] += ms
    best = {c: min(t) for c, t in took.items()}
    ratio = {f"{o.name}/{cc}": best[o.name] / best[cc]
             for o in others if o.name in best for cc in args.cc}
    row(name, [best.get(c) for c in [*args.cc, *(o.name for o in others)]],
        [ratio.get(f"{o.name}/{cc}") for o in others for cc in args.cc])
    return {"model": name, "batch": args.batch, "dims": args.dim[1::2],
            "ms": {c: {"min": min(t), "median": statistics.median(t),
                       "runs": len(t)} for c, t in took.items()},
            "activation_bytes": room,
            "ratio": ratio}


def svg(rows):
    """Bars of the others' time over ours; the line is where they are equal."""
    bars = [(r["model"], pair, x)
            for r in rows for pair, x in r["ratio"].items()]
    unit = 400 / max(2.0, *(x for _, _, x in bars))
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="720" '
           f'height="{18 * len(bars) + 10}" font-family="sans-serif" '
           'font-size="12">')
    for k, (model, pair, x) in enumerate(bars):
        y = 18 * k + 5
        colour = "#4a7" if x >= 1 else "#c64"
        yield (f'<text x="0" y="{y + 12}">{model}, {pair}</text>'
               f'<rect x="260" y="{y}" width="{x * unit:.1f}" height="14" '
               f'fill="{colour}"/>'
               f'<text x="{265 + x * unit:.1f}" y="{y + 12}">{x:.2f}</text>')
    yield (f'<line x1="{260 + unit:.1f}" x2="{260 + unit:.1f}" y1="0" '
           f'y2="{18 * len(bars) + 10}" stroke="black"/></svg>')


def main():
    args = arguments()
    heads = [*args.cc, *(c.name for c in args.others)]
    pairs = [f"{c.name}/{cc}" for c in args.others for cc in args.cc]
    print(f"{'ms, batch ' + str(args.batch):24}",
          *(f"{h:>12}" for h in heads),
          *(f"{p:>14}" for p in pairs))
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        Onnxruntime.build(args, pathlib.Path(tmp))
        for path in args.models:
            if path.is_dir():
                path = path / "model.onnx"
            rows.append(bench(args, path, pathlib.Path(tmp)))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    if args.svg:
        args.svg.write_text("\n".join(svg(rows)) + "\n")


if __name__ == "__main__":
    main()
