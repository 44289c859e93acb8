#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# On a GPU, with the real nvcc: networks, and every eighth case of the corpus,
# or all (--all).
# shellcheck source=tests/cuda/find.sh
. "$(dirname "$0")/find.sh"
: "${ONNX2C:?}" "${DATA:?}" "${ROOT:?}"
set -eu
have_gpu || skip "no GPU"
NVCC=$(find_nvcc) || skip "no nvcc"
NVCC="$NVCC -arch=native"
export NVCC
share=8
nets="tiny_dscnn tiny_resnet8 tiny_vww tiny_ad mobilenet_v2 resnet50-logits
  minilm_shape gpt2_shape lstm_tagger mobilenet_v2-s8"
if [ "${1:-}" = --all ]; then
  share=1
  nets=$(ls "$DATA/zoo")
fi
for net in $nets; do
  "$ONNX2C" verify "$DATA/zoo/$net" --provider cuda,cpu || failed="$net"
done
sh "$ROOT/tests/cuda/corpus.sh" --share $share --fixed || failed=corpus
[ -z "${failed:-}" ] || {
  echo "FAILED: $failed"
  exit 1
}
