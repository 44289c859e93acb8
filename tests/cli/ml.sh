#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scikit-learn pipelines (tools/make_ml.py) against onnxruntime at 1, 7 and
# 1,000 rows: labels equal, scores within 1e-5, of the truth where onnxruntime
# is not; a row alone has the same bits as in a batch; two of each kind with
# clang under the sanitizers.
. "$(dirname "$0")/lib.sh"

# Small differences of large numbers: exact.py knows the truth.
exact="breast_oneclass_svm diabetes_gaussian_process digits_multinomial_bayes
  iris_kmeans"
mkdir ml
for folder in "$DATA"/ml/*; do
  ln -s "$folder" "ml/$(basename "$folder")"
done
[ "$(ls ml | wc -l)" -ge 45 ] || fail "pipelines are missing"
# shellcheck disable=SC2086
(cd ml && expect 0 "$ONNX2C" verify --rows --cc gcc --cflags=-O1 \
  --save ../saved $exact &&
  expect 0 "$PYTHON" "$ROOT/tests/cli/exact.py" ../saved $exact && cat ../log)
# It can fail: scores off by 1e-4.
cp -r saved wrong
"$PYTHON" - <<'END'
import pathlib
import onnx
from onnx import numpy_helper
path = pathlib.Path("wrong/iris_kmeans/test_data_set_1/output_1.pb")
tensor = onnx.TensorProto.FromString(path.read_bytes())
scores = numpy_helper.to_array(tensor) * 1.0001
path.write_bytes(numpy_helper.from_array(scores.astype("float32"),
                                         tensor.name).SerializeToString())
END
expect 1 "$PYTHON" "$ROOT/tests/cli/exact.py" wrong ml/iris_kmeans
for name in $exact; do
  rm "ml/$name"
done
expect 0 "$ONNX2C" verify --rows --cc gcc --cflags=-O1 --rtol 1e-5 --atol 1e-6 \
  ml/*
for name in breast_hist_boosting_nan breast_isolation_forest \
  columns_mixed_zipmap dict_vectorizer_logreg iris_voting label_encoder_str \
  text_tfidf_logreg wine_forest_string_labels_zipmap wine_svc_rbf_prob; do
  mv "ml/$name" .
done
rm -r ml
expect 0 "$ONNX2C" verify --rtol 1e-5 --atol 1e-6 --cc clang \
  "--cflags=$STRICT -O1 -fsanitize=address,undefined \
-fno-sanitize-recover=all" \
  breast_* columns_* dict_* iris_* label_* text_* wine_*
