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
        kind = rng.randrange(3)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at:at + rng.choice((1, 2, 9, 1000))]
        else:
            data[at:at] = bytes(rng.choice((b"\0", b"\xff", b"a", b"\x0a")))
    return bytes(data)


def names(data, rng):
    words = [w for w in data.replace(b"\x12", b"\n").split(b"\n")
             if 0 < len(w) < 40 and w.isascii()]
    return rng.choice(words).decode(errors="replace").strip("\0") or "x"


def main():
    onnx2c, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    files = [pathlib.Path(f).read_bytes() for f in sys.argv[4:]]
    done = 0
    with tempfile.TemporaryDirectory() as work:
        for k in range(seed, seed + count):
            rng = random.Random(k)
            data = mutant(rng.choice(files), rng)
            path = pathlib.Path(work) / "m.onnx"
            path.write_bytes(data)
            steps = [s.replace("{}", names(data, rng).replace("\0", ""))
                     for s in rng.sample(STEPS, rng.randrange(1, 5))]
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
