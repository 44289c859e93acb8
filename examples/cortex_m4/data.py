#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""Write nets.h: networks to run, with inputs and answers, as C.

usage: data.py BUILD FOLDER... > nets.h

FOLDER holds test_data_set_0, test_data_set_1 and so on; its name, with _ for
what C does not allow, is that of the generated model in BUILD: NAME.h, NAME.o
and NAME.json (written by `onnx2c info --json`). Needs Python alone: a
TensorProto is a flat list of (tag, value) pairs.
"""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def packed(data):
    at, values = 0, []
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


def tensor(path):
    """The samples of a float32 TensorProto, a tuple each."""
    data, at, dims, kind, values = path.read_bytes(), 0, [], 1, ()
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
            dims += [value] if tag >> 3 == 1 else []
            kind = value if tag >> 3 == 2 else kind
            continue
        size, at = varint(data, at)
        chunk, at = data[at:at + size], at + size
        if tag >> 3 == 1:
            dims += packed(chunk)
        elif tag >> 3 in (4, 9):  # float_data, raw_data
            values = struct.unpack("<%df" % (size // 4), chunk)
    if kind != 1:
        sys.exit("%s: not float32" % path)
    step = len(values) // dims[0]
    return [values[i:i + step] for i in range(0, len(values), step)]


def array(name, samples):
    print("static const float %s[] = {" % name)
    for values in samples:
        for i in range(0, len(values), 6):
            print("  " + " ".join("%sf," % float(v).hex()
                                  for v in values[i:i + 6]))
    print("};")


def flash(path):
    """Bytes of code, constants and initial data of an object file."""
    size = os.environ.get("CROSS", "arm-none-eabi-") + "size"
    text = subprocess.run([size, str(path)], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    code, data = text.splitlines()[1].split()[:2]
    return int(code) + int(data)


def net(build, folder):
    """Prints a network's arrays; returns its row of the table."""
    name = re.sub(r"\W", "_", folder.name)
    inputs, outputs = [], []
    for data in sorted(folder.glob("test_data_set_*")):
        inputs += tensor(data / "input_0.pb")
        outputs += tensor(data / "output_0.pb")
    array(name + "_input", inputs)
    array(name + "_output", outputs)
    macs = json.loads((build / (name + ".json")).read_text())["macs"]
    macs = int(re.search(r"\d+$", str(macs)).group())  # maybe "N*123"
    return ("  {\"%s\", %s_model, %s_input, %s_output, %d, %d, %d,\n"
            "   %s_WORKSPACE_SIZE(1), %s_CTX_SIZE, %d, %d},"
            % (folder.name, name, name, name, len(inputs), len(inputs[0]),
               len(outputs[0]), name.upper(), name.upper(),
               flash(build / (name + ".o")), macs))


def main():
    build = pathlib.Path(sys.argv[1])
    folders = [pathlib.Path(folder) for folder in sys.argv[2:]]
    for folder in folders:
        print("#include \"%s.h\"" % re.sub(r"\W", "_", folder.name))
    rows = [net(build, folder) for folder in folders]
    print("static const Net nets[] = {\n%s\n};" % "\n".join(rows))
    names = [re.sub(r"\W", "_", folder.name).upper() for folder in folders]
    print("typedef union { /* as large as the largest needs */\n%s\n} Memory;"
          % "\n".join("  unsigned char n%d[%s_WORKSPACE_SIZE(1)];" % pair
                      for pair in enumerate(names)))


main()
