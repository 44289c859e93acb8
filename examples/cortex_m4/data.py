#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""Write data.h: the first row of a model's test data as C arrays.

usage: data.py TEST_DATA_SET_DIR TOLERANCE > data.h

Reads input_0.pb and output_0.pb (ONNX TensorProto, float32 raw_data) without
any package: a TensorProto is a flat list of (tag, value) pairs.
"""
import struct
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


def tensor(path):
    data, at, dims, values = open(path, "rb").read(), 0, [], []
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
            if tag >> 3 == 1:
                dims.append(value)
            continue
        assert tag & 7 == 2, "not a float tensor: " + path
        size, at = varint(data, at)
        chunk, at = data[at:at + size], at + size
        if tag >> 3 == 1:
            inner = 0
            while inner < size:
                value, inner = varint(chunk, inner)
                dims.append(value)
        elif tag >> 3 in (4, 9):  # float_data, raw_data
            values = struct.unpack("<%df" % (size // 4), chunk)
    return values[:len(values) // dims[0]]  # one sample


def array(name, values):
    print("static const float %s[%d] = {" % (name, len(values)))
    for i in range(0, len(values), 6):
        print("  " + " ".join("%sf," % float(v).hex() for v in values[i:i + 6]))
    print("};")


def main():
    folder, tolerance = sys.argv[1], float(sys.argv[2])
    output = tensor(folder + "/output_0.pb")
    print("#define OUTPUTS %d" % len(output))
    print("#define TOLERANCE_MILLIONTHS %du" % round(tolerance * 1e6))
    array("input", tensor(folder + "/input_0.pb"))
    array("output", output)


main()
