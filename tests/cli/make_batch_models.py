# SPDX-License-Identifier: Apache-2.0
"""Models of batch 1 for make_batch.sh, in ONNX's text syntax.

    make_batch_models.py ONNX2C

KEPT become dynamic: `verify --make-batch` must find the same bits in a row
alone and among 2 and 7. REFUSED mix samples: `check` must end with code 3, or
the one that is given, and a message that holds the text.
"""
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper, parser

HEAD = '<ir_version: 8, opset_import: ["" : 18]>\n'
LSTM = """<float[1,16,3] w = {%s}, float[1,16,4] r = {%s}>""" % (
    ", ".join(f"{(i * 7 % 11 - 5) / 9}" for i in range(48)),
    ", ".join(f"{(i * 5 % 13 - 6) / 9}" for i in range(64)))
W44 = "float[4,4] w = {%s}" % ", ".join(str(i * 3 % 7 - 3) for i in range(16))

NUMBERS = "s = Shape <end = 1> (x) n = Squeeze(s) r = Range(zero, n, one) "
COUNT = "int64 zero = {0}, int64 one = {1}, int64[1] last = {-1}"


def model(ports, constants, body):
    if constants and not constants.startswith("<"):
        constants = f"<{constants}>"
    return f"{HEAD}g {ports} {constants} {{{body}}}"


KEPT = {
    "reshape": model(
        "(float[1,2,3] x) => (float[1,6] y)",
        "int64[2] t = {1, 6}, int64[3] u = {1, 1, 6}, int64[2] v = {1, -1}",
        "a = Reshape(x, t) b = Reshape(a, u) c = Softmax(b) y = Reshape(c, v)"),
    "heads": model(
        "(float[1,S,4] x) => (float[1,S,4] y)",
        "int64[4] h = {1, -1, 2, 2}, int64[3] m = {2, -1, 2}, "
        "int64[4] s = {1, 2, -1, 2}, int64[3] j = {1, -1, 4}",
        """a = Reshape(x, h)
        b = Transpose <perm = [0, 2, 1, 3]> (a)
        c = Reshape(b, m)
        d = Transpose <perm = [0, 2, 1]> (c)
        e = MatMul(c, d)
        f = Softmax(e)
        g = MatMul(f, c)
        i = Reshape(g, s)
        k = Transpose <perm = [0, 2, 1, 3]> (i)
        y = Reshape(k, j)"""),
    "expand_tile": model(
        "(float[1,1,3] x) => (float[1,4,6] y)",
        "int64[3] e = {1, 4, 3}, int64[3] t = {1, 1, 2}",
        "a = Expand(x, e) y = Tile(a, t)"),
    "slice_whole": model(
        "(float[1,4] x) => (float[1,2] y)",
        "int64[2] from = {0, 1}, int64[2] to = {1, 3}, int64[1] first = {0}",
        "a = Slice(x, from, to) y = Gather <axis = 0> (a, first)"),
    "resize_sizes": model(
        "(float[1,2,3,3] x) => (float[1,2,5,6] y)",
        "int64[4] sizes = {1, 2, 5, 6}",
        'y = Resize <mode = "linear"> (x, , , sizes)'),
    "class_token": model(
        "(float[1,3,4] x) => (float[1,4,4] y)",
        "float[1,1,4] token = {1, 2, 3, 4}",
        "y = Concat <axis = 1> (token, x)"),
    "state_inputs": model(
        "(float[1,5,3] x, float[1,1,4] h0, float[1,1,4] c0) => "
        "(float[5,1,1,4] y, float[1,1,4] h, float[1,1,4] c)", LSTM,
        "t = Transpose <perm = [1, 0, 2]> (x) "
        "y, h, c = LSTM <hidden_size = 4> (t, w, r, , , h0, c0)"),
    "found_axis": model(
        "(float[1,4] x, float[2,1,4] s) => (float[2,1,4] y)", "",
        "y = Add(x, s)"),
    "rows_and_samples": model(
        "(float[1,3,4] x) => (float[1,3,4] y)",
        W44 + ", int64[2] f = {-1, 4}, int64[3] b = {3, 1, 4}",
        """a = Transpose <perm = [1, 0, 2]> (x)
        c = Reshape(a, f)
        d = Gemm(c, w)
        e = Relu(d)
        g = Reshape(e, b)
        y = Transpose <perm = [1, 0, 2]> (g)"""),
    "branch": model(
        "(float[1,2] x, bool c) => (float[1,2] y)", "float[1,2] k = {3, 4}",
        """y = If (c) <then_branch = t () => (float[1,2] a) {a = Identity(k)},
        else_branch = e () => (float[1,2] b) {b = Neg(x)}>"""),
    "loop": model(
        "(float[1,2] x, int64 n) => (float[1,2] y, float[M,1,2] z)",
        "float[1,2] k = {0, 1}, bool yes = {1}",
        """y, z = Loop (n, yes, k) <body = b
        (int64 i, bool go, float[1,2] s) =>
        (bool on, float[1,2] t, float[1,2] e)
        {on = Identity(go) t = Add(s, x) e = Mul(t, s)}>"""),
    "scan": model(
        "(float[1,T,2] x) => (float[1,2] y, float[T,1,2] z)",
        "float[1,2] k = {0, 1}",
        """a = Transpose <perm = [1, 0, 2]> (x)
        y, z = Scan <num_scan_inputs = 1, body = b
        (float[1,2] s, float[1,2] e) => (float[1,2] t, float[1,2] o)
        {t = Add(s, e) o = Relu(t)}> (k, a)"""),
    "numbers": model(
        "(float[1,5] x) => (float[1,3] y)",
        COUNT + ", int64[3] k = {4, 0, 2}, int64[1] three = {3}",
        NUMBERS + """c = Unsqueeze(r, last) wide = Concat <axis = 0> (s, three)
        m = Max(c, k) size = Shape(m) i = Expand(c, size) j = Expand(k, wide)
        a = Unsqueeze(i, last) b = Unsqueeze(j, last)
        t = Concat <axis = -1> (a, b) y = GatherND(x, t)"""),
    "shared": model(
        "(float[1,2] x, int64[1] which) => (float[1,2] y)", "int64 one = {1}",
        """c = Equal(which, one)
        y = If (c) <then_branch = t () => (float[1,2] a) {a = Neg(x)},
        else_branch = e () => (float[1,2] b) {b = Identity(x)}>"""),
}

# With --batch-axis.
GIVEN = [
    ("zero_state", "x=1", model(
        "(float[S,1,3] x) => (float[S,1,1,4] y)",
        LSTM[:-1] + ", int64[3] s = {1, 1, 4}>",
        "z = ConstantOfShape(s) y, h, c = LSTM <hidden_size = 4> "
        "(x, w, r, , , z, z)")),
    ("no_batch", "k=none", model(
        "(float[1,3] x, float[1,3] k) => (float[1,3] y)", "int64[1] a = {0}",
        "s = ReduceMax(k, a) y = Add(x, s)")),
]

REFUSED = {
    "training": (3, "node 0 'bn' (BatchNormalization-15)", model(
        "(float[1,2,3] x) => (float[1,2,3] y)",
        "float[2] s = {1, 2}, float[2] b = {0, 1}",
        "[bn] y, m, v = BatchNormalization <training_mode = 1> "
        "(x, s, b, b, s)")),
    "softmax": (3, "node 0 'sm' (Softmax-13)", model(
        "(float[1,4] x) => (float[1,4] y)", "",
        "[sm] y = Softmax <axis = 0> (x)")),
    "reduction": (3, "node 1 'mean' (ReduceMean-18)", model(
        "(float[1,4] x) => (float[1,4] y)", "int64[1] a = {0}",
        "h = Relu(x) [mean] y = ReduceMean(h, a)")),
    "squeeze": (3, "node 0 'drop' (Squeeze-13)", model(
        "(float[1,4] x) => (float[4] y)", "int64[1] a = {0}",
        "[drop] y = Squeeze(x, a)")),
    "gather": (3, "node 0 'pick' (Gather-13)", model(
        "(float[1,4] x) => (float[4] y)", "int64 a = {0}",
        "[pick] y = Gather <axis = 0> (x, a)")),
    "slice": (3, "node 1 'cut' (Slice-13)", model(
        "(float[1,2,4] x) => (float[1,4] y)",
        "int64[2] t = {2, 4}, int64[1] a = {0}, int64[1] b = {1}",
        "h = Reshape(x, t) [cut] y = Slice(h, a, b)")),
    "merge": (3, "node 1 'join' (Reshape-14)", model(
        "(float[1,3,4] x) => (float[1,12] y)", "int64[2] t = {1, 12}",
        "h = Transpose <perm = [1, 0, 2]> (x) [join] y = Reshape(h, t)")),
    "either": (3, "node 1 'two' (Reshape-14)", model(
        "(float[1,3,4] x) => (float[3,1,1,4] y)",
        "int64[4] t = {3, 1, 1, 4}",
        "h = Transpose <perm = [1, 0, 2]> (x) [two] y = Reshape(h, t)")),
    "dynamic_quantize": (3, "node 0 'dq' (DynamicQuantizeLinear-11)", model(
        "(float[1,4] x) => (uint8[1,4] y)", "",
        "[dq] y, s, z = DynamicQuantizeLinear(x)")),
    "random": (3, "node 0 'noise' (RandomNormalLike-1)", model(
        "(float[1,4] x) => (float[1,4] y)", "",
        "[noise] r = RandomNormalLike(x) y = Add(x, r)")),
    "random_constant": (3, "node 0 'noise' (RandomNormal-1)", model(
        "(float[1,4] x) => (float[1,4] y)", "",
        "[noise] r = RandomNormal <shape = [1, 4]> () y = Add(x, r)")),
    "topk": (3, "node 1 'best' (TopK-11)", model(
        "(float[1,4] x) => (float[2] y, int64[2] i)",
        "int64[1] t = {-1}, int64[1] k = {2}",
        "h = Reshape(x, t) [best] y, i = TopK(h, k)")),
    "nms": (3, "node 0 'nms' (NonMaxSuppression-11)", model(
        "(float[1,5,4] x, float[1,1,5] s) => (int64[M,3] y)",
        "int64 most = {3}", "[nms] y = NonMaxSuppression(x, s, most)")),
    "if": (3, "node 1 'choose' (If-16)", model(
        "(float[1,1] x) => (float[1,1] y)", "float zero = {0}",
        """c = Greater(x, zero)
        [choose] y = If (c) <then_branch = t () => (float[1,1] a) {a = Neg(x)},
        else_branch = e () => (float[1,1] b) {b = Identity(x)}>""")),
    "loop": (3, "'again' (Loop-16)", model(
        "(float[1,1] x) => (float[1,1] y)",
        "float ten = {10}, int64 most = {30}, bool yes = {1}",
        """[again] y = Loop (most, yes, x) <body = b
        (int64 i, bool go, float[1,1] s) => (bool on, float[1,1] t)
        {t = Add(s, s) on = Less(t, ten)}>""")),
    "contraction": (3, "node 1 'gram' (MatMul-13)", model(
        "(float[1,4] x) => (float[4,4] y)", "",
        "t = Transpose(x) [gram] y = MatMul(t, x)")),
    "conv": (3, "node 1 'conv' (Conv-11)", model(
        "(float[1,5,5] x) => (float[1,1,3,3] y)",
        "int64[1] a = {0}, float[1,1,3,3] w = {1, 2, 1, 0, 0, 0, -1, -2, -1}",
        "h = Unsqueeze(x, a) [conv] y = Conv(h, w)")),
    "cumulate": (3, "node 0 'sum' (CumSum-14)", model(
        "(float[1,4] x) => (float[1,4] y)", "int64 a = {0}",
        "[sum] y = CumSum(x, a)")),
    "row_number": (3, "node 0 'row' (GatherND-13)", model(
        "(float[1,4] x) => (float[1] y)", "int64[1,2] i = {0, 3}",
        "[row] y = GatherND(x, i)")),
    "numbers_read": (3, "'read' (Cast-13)", model(
        "(float[1,4] x) => (float[1,4] y)", COUNT,
        NUMBERS + "c = Unsqueeze(r, last) [read] f = Cast <to = 1> (c) "
        "y = Add(x, f)")),
    "numbers_table": (3, "'look' (Gather-13)", model(
        "(float[1,2] x) => (float[1,2] y)", COUNT + ", float[2,2] w = "
        "{1, 2, 3, 4}", NUMBERS + "[look] g = Gather(w, r) y = Add(x, g)")),
    "numbers_out": (3, "output 'y' is computed from the number", model(
        "(float[1,4] x) => (int64[1] y, float[1,4] z)", COUNT,
        NUMBERS + "y = Identity(r) z = Relu(x)")),
    "count": (3, "'scale' (Cast-13)", model(
        "(float[1,4] x) => (float[1,4] y)", "",
        "s = Shape <end = 1> (x) [scale] f = Cast <to = 1> (s) y = Div(x, f)")),
    "dynamic": (2, "there is nothing to make", model(
        "(float[N,4] x) => (float[N,4] y)", "", "y = Relu(x)")),
    "fixed": (2, "only a batch of 1", model(
        "(float[2,4] x) => (float[2,4] y)", "", "y = Relu(x)")),
}


def run(*words):
    r = subprocess.run(words, text=True, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT)
    return r.returncode, r.stdout


def write(folder, name, text):
    path = pathlib.Path(folder, name, "model.onnx")
    path.parent.mkdir(parents=True)
    onnx.save(parser.parse_model(text), path)
    return str(path)


SIZES = {"S": 3, "T": 4}  # of other dimensions
VALUES = {"n": 3, "c": True, "which": 1}


def answered(name, text):
    """The model, and what onnxruntime answers at batch 1."""
    path = write("kept", name, text)
    session = onnxruntime.InferenceSession(path)
    rng = np.random.default_rng(1)
    data = pathlib.Path(path).parent / "test_data_set_0"
    data.mkdir()
    feed = {}
    for port in session.get_inputs():
        shape = [SIZES.get(d, d) for d in port.shape]
        value = rng.standard_normal(shape).astype(np.float32)
        if port.name in VALUES:
            kind = bool if port.type == "tensor(bool)" else np.int64
            value = np.full(shape, VALUES[port.name], kind)
        feed[port.name] = value
    outputs = zip(session.get_outputs(), session.run(None, feed))
    for kind, tensors in (("input", feed.items()),
                          ("output", ((o.name, v) for o, v in outputs))):
        for i, (key, value) in enumerate(tensors):
            onnx.save_tensor(numpy_helper.from_array(value, key),
                             data / f"{kind}_{i}.pb")
    return path


def verified(onnx2c, paths, *words):
    code, said = run(onnx2c, "verify", "-v", "--make-batch", "--cflags=-O0",
                     *words, *paths)
    rows = said.count("rows: the same bits at batch 1, 2 and 7")
    if code or rows != len(paths):
        print(said)
    return code != 0 or rows != len(paths)


# What changes inside of a body stays with the compiler.
UNWRITTEN = {"branch"}


def rows_of(session, feed, n):
    """n rows: the data, and for each row more its values turned round."""
    out = {}
    for port in session.get_inputs():
        axes = [k for k, d in enumerate(port.shape) if d == "B"]
        value = feed[port.name]
        rows = [np.roll(value, r) for r in range(n)] if axes else [value]
        out[port.name] = (rows, axes)
    return out


def edited(onnx2c, name, words):
    """edit set-batch: onnxruntime gives the rows of the model itself."""
    path = pathlib.Path("kept", name, "model.onnx")
    code, said = run(onnx2c, "edit", str(path), "-o", "out.onnx", "set-batch",
                     "B", *words)
    if name in UNWRITTEN:
        return code != 3 or "can't be written into the file" not in said
    if code:
        print(f"edit {name}: {said}")
        return True
    onnx.checker.check_model("out.onnx", full_check=True)
    old = onnxruntime.InferenceSession(path)
    new = onnxruntime.InferenceSession("out.onnx")
    feed = {}
    for i, port in enumerate(old.get_inputs()):
        tensor = onnx.load_tensor(path.parent / f"test_data_set_0/input_{i}.pb")
        feed[port.name] = numpy_helper.to_array(tensor)
    for n in (2, 7):
        rows = rows_of(new, feed, n)
        got = new.run(None, {k: np.concatenate(v, axes[0]) if axes else v[0]
                             for k, (v, axes) in rows.items()})
        alone = [old.run(None, {k: v[r if axes else 0]
                                for k, (v, axes) in rows.items()})
                 for r in range(n)]
        for o, value in enumerate(got):
            shape = alone[0][o].shape
            axis = next(k for k, d in enumerate(value.shape) if d != shape[k])
            want = np.concatenate([a[o] for a in alone], axis)
            if not np.allclose(value, want, 1e-5, 1e-6):
                print(f"edit {name}: other rows at batch {n}")
                return True
    return False


def main():
    onnx2c, wrong = sys.argv[1], 0
    for name, (code, want, text) in REFUSED.items():
        got, said = run(onnx2c, "check", "--make-batch",
                        write("refused", name, text))
        if got != code or want not in said:
            print(f"refused/{name}: code {got}, {said}")
            wrong += 1
    kept = [answered(name, text) for name, text in KEPT.items()]
    wrong += verified(onnx2c, kept)
    for name, axis, text in GIVEN:
        kept.append(answered(name, text))
        wrong += verified(onnx2c, kept[-1:], "--batch-axis", axis)
    given = {name: [axis] for name, axis, _ in GIVEN}
    for name in [*KEPT, *given]:
        wrong += edited(onnx2c, name, given.get(name, []))
    print(f"{len(kept)} kept, {len(REFUSED)} refused, {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
