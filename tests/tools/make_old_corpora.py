#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ONNX backend tests of earlier releases, as folders: they cover the
operators' earlier versions, from opset 1 on.

    make_old_corpora.py OUT CACHE NEWEST

Each release's wheel of `onnx`, which pip downloads into CACHE once, holds the
cases of its day. A case becomes OUT/<kind>/<name>-<release>/, unless a later
release, or NEWEST (a folder of make_corpus.py), has the same model with the
same data. Kinds are those of make_corpus.py without the light networks.
"""
import collections
import hashlib
import pathlib
import subprocess
import sys
import zipfile

import onnx

# The last release of each minor version, and a CPython that has its wheel.
RELEASES = (("1.22.0", "310"), ("1.21.0", "310"), ("1.20.1", "310"),
            ("1.19.1", "39"), ("1.18.0", "39"), ("1.17.0", "38"),
            ("1.16.2", "38"), ("1.15.0", "38"), ("1.14.1", "38"),
            ("1.13.1", "38"), ("1.12.0", "37"), ("1.11.0", "37"),
            ("1.10.2", "37"), ("1.9.0", "37"), ("1.8.1", "37"),
            ("1.7.0", "37"), ("1.6.0", "37"), ("1.5.0", "37"),
            ("1.3.0", "36"), ("1.2.2", "36"))
PLATFORMS = ("manylinux1", "manylinux2010", "manylinux2014",
             "manylinux_2_17", "manylinux_2_27", "manylinux_2_28")
DATA = "onnx/backend/test/data/"
KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")


def wheel(release, python, cache):
    """The release's wheel for x86-64, whatever machine and Python this is."""
    found = list(cache.glob(f"onnx-{release}-*.whl"))
    if not found:
        command = [sys.executable, "-m", "pip", "download", "--quiet",
                   "--disable-pip-version-check", "--no-deps",
                   "--only-binary=:all:", "--implementation", "cp",
                   "--python-version", python, "--dest", str(cache)]
        for platform in PLATFORMS:
            command += ["--platform", platform + "_x86_64"]
        subprocess.run(command + [f"onnx=={release}"], check=True)
        found = list(cache.glob(f"onnx-{release}-*.whl"))
    return found[0]


def cases_of(archive):
    """(kind, name) to the members of a wheel by their paths in the case."""
    cases = collections.defaultdict(dict)
    for member in archive.namelist():
        parts = member.removeprefix(DATA).split("/", 2)
        if member.startswith(DATA) and len(parts) == 3 and parts[0] in KINDS:
            if member.endswith((".onnx", ".pb")):
                cases[parts[0], parts[1]][parts[2]] = member
    return cases


def meaning(files):
    """A digest of graph, functions, opsets and data: not of who wrote it."""
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        if name == "model.onnx":
            model = onnx.load_from_string(data)
            model.graph.doc_string = ""
            parts = [model.graph, *model.functions]
            data = b"".join(p.SerializeToString(deterministic=True)
                            for p in parts)
            data += repr(sorted((o.domain, o.version)
                                for o in model.opset_import)).encode()
        digest.update(name.encode() + data)
    return digest.digest()


def newest_cases(folder):
    for kind in KINDS:
        for case in sorted((folder / kind).iterdir()):
            yield {str(p.relative_to(case)): p.read_bytes()
                   for p in case.rglob("*") if p.suffix in (".onnx", ".pb")}


def write_release(archive, release, out, seen):
    kept = 0
    for (kind, name), members in sorted(cases_of(archive).items()):
        if "model.onnx" not in members:
            continue
        files = {path: archive.read(m) for path, m in members.items()}
        key = meaning(files)
        if key in seen:
            continue
        seen.add(key)
        kept += 1
        for path, data in files.items():
            to = out / kind / f"{name}-{release}" / path
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(data)
    return kept


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    out, cache, newest = map(pathlib.Path, sys.argv[1:])
    cache.mkdir(parents=True, exist_ok=True)
    seen = {meaning(files) for files in newest_cases(newest)}
    for release, python in RELEASES:
        with zipfile.ZipFile(wheel(release, python, cache)) as archive:
            kept = write_release(archive, release, out, seen)
        print(f"{release}: {kept} cases", flush=True)


if __name__ == "__main__":
    main()
