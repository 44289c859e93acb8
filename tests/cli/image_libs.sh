#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# o2c_image.c: ImageDecoder by OpenJPEG, libwebp and libtiff, in verify and as
# README says to link it. A library that is not there is said, and goes without.
. "$(dirname "$0")/lib.sh"

# Macro of the test, of o2c_image.c, and what to link, of each library here.
macros= hooks= links=
offer() {
  macro=$1 hook=$2
  shift 2
  echo "int main(void) { return 0; }" >probe.c
  if gcc probe.c -o probe "$@" 2>log; then
    macros="$macros -D$macro" hooks="$hooks -D$hook" links="$links $*"
  else
    echo "SKIPPED: no library $*"
  fi
}
offer JPEG2000 O2C_IMAGE_JPEG2000 -lopenjp2
offer WEBP O2C_IMAGE_WEBP -lwebpdemux -lwebp
offer TIFFS O2C_IMAGE_TIFF -ltiff

# shellcheck disable=SC2086
expect 0 gcc -std=gnu11 -Wall $macros -I/usr/include/openjpeg-2.5 \
  "$ROOT/tests/cli/image_libs.c" -o make $links
expect 0 ./make

cat >make.py <<'END_PY'
import pathlib
import numpy as np
from onnx import numpy_helper, parser
rgb = np.fromfile("pixels.raw", np.uint8).reshape(23, 37, 3)
luma = (rgb.astype(np.int64) @ [19595, 38470, 7471] + 0x8000) >> 16
for file in pathlib.Path(".").glob("*.*"):
    if file.suffix not in (".jp2", ".j2k", ".webp", ".tiff"):
        continue
    want = np.repeat(rgb[:, :, :1], 3, 2) if file.stem == "grey" else rgb
    for layout, pixels in (("RGB", want), ("BGR", want[:, :, ::-1]),
                           ("Grayscale", luma.astype(np.uint8)[:, :, None])):
        if layout != "RGB" and file.suffix != ".webp":
            continue
        model = parser.parse_model(f'''<ir_version: 9, opset_import: ["" : 20]>
            g (uint8[N] x) => (uint8[H,W,C] y) {{
              y = ImageDecoder <pixel_format = "{layout}"> (x) }}''')
        folder = pathlib.Path("cases") / f"{file.name}-{layout}"
        data = folder / "test_data_set_0"
        data.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        stream = np.frombuffer(file.read_bytes(), np.uint8)
        for name, v in ("input_0", stream), ("output_0",
                                             np.ascontiguousarray(pixels)):
            (data / (name + ".pb")).write_bytes(
                numpy_helper.from_array(v).SerializeToString())
END_PY
"$PYTHON" make.py
if [ -n "$links" ]; then
  expect 0 "$ONNX2C" verify --cc gcc cases --cflags="$STRICT -O0 -g \
-fsanitize=address,undefined -fno-sanitize-recover=all"
  says " 0 failed"
fi

# Broken streams end in a status, or in an image of 0 x 0 of an unreadable head.
cat >broken.c <<'END_C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "o2c.h"
o2c_status o2c_image(const uint8_t *, size_t, int, int64_t *, uint8_t *);
int main(int argc, char **argv)
{
  for (int k = 1; k < argc; k++) {
    static uint8_t data[1 << 16];
    FILE *f = fopen(argv[k], "rb");
    size_t n = f ? fread(data, 1, sizeof data, f) : 0;
    if (!n || fclose(f)) return 1;
    for (unsigned i = 0; i < 60; i++) {
      /* Half of them cut, half with a byte changed. */
      size_t m = i % 2 ? n : n * (i + 1) / 61;
      uint8_t *copy = malloc(m + 1), *y;
      int64_t size[2] = {0, 0};
      memcpy(copy, data, m);
      if (i % 2) copy[i * 2654435761u % n] ^= (uint8_t)(1u << i / 2 % 8);
      if (o2c_image(copy, m, 0, size, NULL) == O2C_OK &&
          size[0] * size[1] < 1 << 22) {
        y = malloc((size_t)(size[0] * size[1] * 3));
        (void)o2c_image(copy, m, 0, size, y);
        free(y);
      }
      free(copy);
    }
  }
  return 0;
}
END_C
for cc in $(compilers | grep -v -e '-'); do
  # shellcheck disable=SC2086
  expect 0 "$cc" -std=gnu99 -O1 -g -fsanitize=address,undefined $hooks \
    -fno-sanitize-recover=all -I"$ROOT/runtime_min" broken.c \
    "$ROOT/runtime_min/o2c_image.c" -o broken $links
  for f in *.jp2 *.j2k *.webp *.tiff; do
    if [ -e "$f" ]; then expect 0 ./broken "$f"; fi
  done
  # shellcheck disable=SC2086
  expect 0 "$cc" $STRICT $hooks -I"$ROOT/runtime_min" -c \
    "$ROOT/runtime_min/o2c_image.c" -o one.o
  # shellcheck disable=SC2086
  expect 0 "$cc" $STRICT -I"$ROOT/runtime_min" -c \
    "$ROOT/runtime_min/o2c_image.c" -o none.o
done

# Where no library is found, that is said and the rest works.
if have aarch64-linux-gnu-gcc && have qemu-aarch64; then
  mkdir plain
  cat >plain.py <<'END_PY'
import pathlib
import numpy as np
from onnx import numpy_helper
source = next(pathlib.Path("cases").glob("*-RGB"), None)
if source:
    pathlib.Path("plain/model.onnx").write_bytes(
        (source / "model.onnx").read_bytes())
    data = pathlib.Path("plain/test_data_set_0")
    data.mkdir()
    for name, v in (("input_0", np.frombuffer(b"P5 2 1 255\n\3\4", np.uint8)),
                    ("output_0", np.uint8([[[3] * 3, [4] * 3]]))):
        (data / (name + ".pb")).write_bytes(
            numpy_helper.from_array(v).SerializeToString())
END_PY
  "$PYTHON" plain.py
  if [ -e plain/model.onnx ]; then
    expect 0 "$ONNX2C" verify --cc aarch64-linux-gnu-gcc plain
    says "the C compiler has no libwebp: ImageDecoder reads no WebP"
  fi
fi
