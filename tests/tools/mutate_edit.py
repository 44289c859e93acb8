# SPDX-License-Identifier: Apache-2.0
"""Edits damaged model files, and demands good manners.

    mutate_edit.py ONNX2C COUNT SEED MODEL...

Mutant k has some of its bytes changed, by seed SEED + k. Steps must end with a
documented exit code, and a message where it is not 0; without a crash, or what
a sanitizer reports.
"""
import pathlib
import random
import subprocess
import sys
import tempfile

import onnx

STEPS = ("cleanup", "toposort", "name-nodes", "rename=*=n/*", "strip-doc=all",
         "rename-node=*=m/*", "json=model.json", "metadata=a=b", "internalize",
         "insert Neg after '{}'", "bypass '{}'", "delete '{}'", "extract {}:{}",
         "add-output '{}'", "add-input '{}'", "replace {}=Neg",
         "set-op {}=Gelu", "externalize=w.bin:1", "remove-output '{}'")
CODES = (0, 1, 2, 3, 5)


def mutant(data, rng):
    data = bytearray(data)
    for _ in range(rng.randrange(6)):
        at = rng.randrange(len(data))
        kind = rng.randrange(20)  # few lengths go wrong
        kind = kind if kind < 2 else 2
        if kind == 0:
            data[at:at] = rng.choice((b"\0", b"\xff", b"a", b"\x0a"))
        elif kind == 1:
            del data[at:at + rng.choice((1, 2, 9, 1000))]
        else:
            data[at] = rng.choice((data[at] ^ 1, rng.randrange(256)))
    return bytes(data)


def names(data):
    """Of nodes and tensors, also of inner graphs."""
    found, todo = ["x"], [onnx.load_model_from_string(data).graph]
    while todo:
        for n in todo.pop().node:
            found += [n.name, *n.input, *n.output]
            todo += [a.g for a in n.attribute if a.HasField("g")]
    return [n for n in found if n and "'" not in n]


def main():
    onnx2c, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    files = [pathlib.Path(f).read_bytes() for f in sys.argv[4:]]
    files = [(f, names(f)) for f in files]
    done = 0
    with tempfile.TemporaryDirectory() as work:
        for k in range(seed, seed + count):
            rng = random.Random(k)
            data, known = rng.choice(files)
            data = mutant(data, rng)
            path = pathlib.Path(work) / "m.onnx"
            path.write_bytes(data)
            steps = [s.replace("{}", rng.choice(known))
                     for s in rng.sample(STEPS, rng.randrange(1, 4))]
            run = subprocess.run([onnx2c, "edit", "m.onnx", "-o", "o.onnx",
                                  *steps], cwd=work, capture_output=True,
                                 text=True, errors="replace", timeout=120)
            good = run.returncode in CODES and \
                (run.returncode == 0 or run.stderr.strip()) and \
                "Sanitizer" not in run.stderr and \
                "runtime error" not in run.stderr and \
                "internal error" not in run.stderr
            if not good:
                print(f"mutant {k}: exit {run.returncode}, steps {steps}\n"
                      f"{run.stderr[:3000]}")
                sys.exit(1)
            done += run.returncode == 0
    print(f"{count} mutants, {done} edited")


main()
