# SPDX-License-Identifier: Apache-2.0
# A fixed sample of random networks against onnxruntime. Those of integer
# operators have the same bits from the tuned kernels and the reference's; for
# more of them, see tools/random_models.py.
. "$(dirname "$0")/lib.sh"
"$PYTHON" "$ROOT/tests/tools/random_models.py" nets 6 --seed 7 >log ||
  { cat log >&2; fail "random_models.py"; }
# Without VNNI onnxruntime's QLinear products saturate in pairs: no reference.
checked="nets/float_* nets/qdq_*"
! grep -q vnni /proc/cpuinfo || checked="$checked nets/qlinear_*"
# shellcheck disable=SC2086 # a list of patterns
expect 0 "$ONNX2C" verify --cflags=-O1 $checked
for net in nets/qlinear_7 nets/qlinear_8 nets/qlinear_9; do
  for level in 0 2; do
    expect 0 "$ONNX2C" run "$net/model.onnx" --cflags=-O1 "-O$level" \
      --data "$net/test_data_set_1" --save "level$level"
  done
  for want in level0/output_*.pb; do
    cmp "$want" "level2/${want#*/}" || fail "$net: -O2 has other bits"
  done
  rm -r level0 level2
done
