#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ImageDecoder asks the user's function, where there is one, for formats that it
# does not read itself: here one whose images are 'RAW', height, width, pixels.
. "$(dirname "$0")/lib.sh"

cat >make.py <<'END'
import pathlib
import numpy as np
from onnx import numpy_helper, parser
model = parser.parse_model('''<ir_version: 9, opset_import: ["" : 20]>
g (uint8[N] x) => (uint8[H,W,3] y) { y = ImageDecoder(x) }''')
data = pathlib.Path("raw/test_data_set_0")
data.mkdir(parents=True)
pathlib.Path("raw/model.onnx").write_bytes(model.SerializeToString())
pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
stream = np.frombuffer(b"RAW\2\3" + pixels.tobytes(), np.uint8)
for name, v in ("input_0", stream), ("output_0", pixels):
    (data / (name + ".pb")).write_bytes(
        numpy_helper.from_array(v).SerializeToString())
END
"$PYTHON" make.py

cat >hook.c <<'END'
#include <string.h>
#include "o2c.h"
o2c_status read_raw(const uint8_t *stream, size_t n, int layout, int64_t *size,
                    uint8_t *pixels);
o2c_status read_raw(const uint8_t *stream, size_t n, int layout, int64_t *size,
                    uint8_t *pixels)
{
  if (n < 5 || memcmp(stream, "RAW", 3) != 0 || layout != 0)
    return O2C_E_DATA;
  size[0] = stream[3];
  size[1] = stream[4];
  if (pixels)
    memcpy(pixels, stream + 5, n - 5);
  return O2C_OK;
}
END
expect 4 "$ONNX2C" verify raw
says "got uint8[0,0,3], want uint8[2,3,3]"
hook="-DO2C_IMAGE_HOOK=read_raw -Wl,$WORK/hook.o"
for cc in $(compilers | grep -v -e '-'); do
  # shellcheck disable=SC2086
  expect 0 "$cc" $STRICT -I"$ROOT/runtime_min" -c hook.c -o hook.o
  expect 0 "$ONNX2C" verify --cc "$cc" raw \
    --cflags="$STRICT -Wno-unused-command-line-argument $hook"
done
