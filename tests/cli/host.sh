#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run, bench and verify as commands: what they print and save, and that no
# temporary file stays, even after a signal.
. "$(dirname "$0")/lib.sh"
net=$zoo/tiny_dscnn
mkdir tmp
TMPDIR=$WORK/tmp
export TMPDIR

clean() {
  [ -z "$(ls "$TMPDIR")" ] || fail "left behind: $(ls "$TMPDIR")"
}

expect 0 "$ONNX2C" run "$net/model.onnx" --data "$net/test_data_set_1" \
  --save saved
[ -s saved/output_0.pb ] || fail "nothing saved"
clean
# What was saved is what verify accepts as expected.
mkdir -p again/test_data_set_0
cp "$net/model.onnx" again
cp "$net/test_data_set_1/input_0.pb" saved/output_0.pb again/test_data_set_0
expect 0 "$ONNX2C" verify again --rtol 0 --atol 0
says "max abs 0, max rel 0, max ulp 0"
clean

expect 0 "$ONNX2C" bench "$net" --json --batch 2 --runs 5
"$PYTHON" -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert 0 < d["min_ns"] <= d["median_ns"], d
assert d["runs"] == 5 and d["batch"] == 2 and d["threads"] == 1, d
assert d["target"] == "native", d' log || fail "bench --json"
clean

# Many at once: a good, a bad, a wrong and an unsupported one.
mkdir cases cases/bad
cp -r "$net" cases/good
cp -r "$net" cases/wrong
"$PYTHON" "$ROOT/tests/cli/change_output.py" \
  cases/wrong/test_data_set_0/output_0.pb value
head -c 1000 "$net/model.onnx" >cases/bad/model.onnx
mkdir cases/unsupported
"$PYTHON" "$ROOT/tests/cli/make_models.py" unknown_op \
  cases/unsupported/model.onnx
expect 4 "$ONNX2C" verify cases
says "1 passed, 2 failed, 1 unsupported"
says "FAILED wrong"
says "FAILED bad"
says "UNSUPPORTED unsupported"
clean
rm -r cases/wrong
expect 2 "$ONNX2C" verify cases
rm -r cases/bad
expect 3 "$ONNX2C" verify cases
rm -r cases/unsupported
expect 0 "$ONNX2C" verify --rows -v cases "$zoo/tiny_ad"
says "the same bits at batch 1, 3 and 8"
says "2 passed, 0 failed, 0 unsupported"
clean

"$ONNX2C" verify "$zoo/squeezenet" >/dev/null 2>&1 &
pid=$!
sleep 0.7
kill -TERM $pid 2>/dev/null || true
wait $pid && fail "it went on after a signal" || true
clean
