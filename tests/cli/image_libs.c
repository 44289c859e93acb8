/* SPDX-License-Identifier: Apache-2.0 */
/* image_libs FOLDER: writes pixels.raw (23 x 37, RGB) and the same picture as
 * lossless streams of the libraries that o2c_image.c reads with, each in the
 * part that its macro names. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef JPEG2000
#include <openjpeg.h>
#endif
#ifdef WEBP
#include <webp/encode.h>
#endif
#ifdef TIFFS
#include <tiffio.h>
#endif
#include "../o2ctest.h"

#define H 23
#define W 37

#ifdef JPEG2000
/* kind: "jp2" or "j2k"; grey takes the first channel alone. */
static void jpeg2000(const char *name, const uint8_t *rgb, bool file,
                     int comps)
{
  opj_cparameters_t p;
  opj_image_cmptparm_t c[3];
  opj_set_default_encoder_parameters(&p);
  p.tcp_numlayers = 1; /* reversible, nothing cut off */
  p.cp_disto_alloc = 1;
  p.numresolution = 3;
  p.tcp_mct = comps == 3;
  memset(c, 0, sizeof c);
  for (int i = 0; i < comps; i++) {
    c[i].dx = c[i].dy = 1;
    c[i].w = W;
    c[i].h = H;
    c[i].prec = c[i].bpp = 8;
  }
  opj_image_t *m = opj_image_create((OPJ_UINT32)comps, c, comps == 3 ?
                                    OPJ_CLRSPC_SRGB : OPJ_CLRSPC_GRAY);
  CHECK(m);
  m->x1 = W;
  m->y1 = H;
  for (int k = 0; k < comps; k++)
    for (int i = 0; i < H * W; i++) m->comps[k].data[i] = rgb[3 * i + k];
  opj_codec_t *codec =
      opj_create_compress(file ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
  CHECK(opj_setup_encoder(codec, &p, m));
  opj_stream_t *s = opj_stream_create_default_file_stream(name, OPJ_FALSE);
  CHECK(s && opj_start_compress(codec, m, s) && opj_encode(codec, s) &&
        opj_end_compress(codec, s));
  opj_stream_destroy(s);
  opj_destroy_codec(codec);
  opj_image_destroy(m);
}
#endif

#ifdef TIFFS
/* In strips of five rows, or tiles of 16 x 16. */
static void tiff(const char *name, const uint8_t *rgb, int method, bool tiled)
{
  TIFF *t = TIFFOpen(name, "w");
  CHECK(t);
  TIFFSetField(t, TIFFTAG_IMAGEWIDTH, W);
  TIFFSetField(t, TIFFTAG_IMAGELENGTH, H);
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 3);
  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
  TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(t, TIFFTAG_COMPRESSION, method);
  if (!tiled) {
    TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 5);
    for (uint32_t i = 0; i < H; i++) {
      uint8_t row[3 * W];
      memcpy(row, rgb + 3 * W * i, sizeof row);
      CHECK(TIFFWriteScanline(t, row, i, 0) == 1);
    }
  } else {
    TIFFSetField(t, TIFFTAG_TILEWIDTH, 16);
    TIFFSetField(t, TIFFTAG_TILELENGTH, 16);
    for (uint32_t i = 0; i < H; i += 16)
      for (uint32_t j = 0; j < W; j += 16) {
        uint8_t tile[16 * 16 * 3] = {0};
        for (uint32_t r = 0; r < 16 && i + r < H; r++)
          memcpy(tile + 48 * r, rgb + 3 * (W * (i + r) + j),
                 3 * (W - j < 16 ? W - j : 16));
        CHECK(TIFFWriteTile(t, tile, j, i, 0, 0) > 0);
      }
  }
  TIFFClose(t);
}
#endif

int main(void)
{
  uint8_t rgb[3 * H * W];
  for (int i = 0; i < H * W; i++) {
    rgb[3 * i] = (uint8_t)(i % W * 7);
    rgb[3 * i + 1] = (uint8_t)(i / W * 11);
    rgb[3 * i + 2] = (uint8_t)(i * i / 5);
  }
  FILE *f = fopen("pixels.raw", "wb");
  CHECK(f && fwrite(rgb, sizeof rgb, 1, f) == 1 && !fclose(f));
#ifdef JPEG2000
  jpeg2000("colour.jp2", rgb, true, 3);
  jpeg2000("colour.j2k", rgb, false, 3);
  jpeg2000("grey.jp2", rgb, true, 1);
#endif
#ifdef WEBP
  uint8_t *out = NULL;
  size_t n = WebPEncodeLosslessRGB(rgb, W, H, 3 * W, &out);
  f = fopen("colour.webp", "wb");
  CHECK(n && f && fwrite(out, n, 1, f) == 1 && !fclose(f));
  WebPFree(out);
#endif
#ifdef TIFFS
  tiff("lzw.tiff", rgb, COMPRESSION_LZW, false);
  tiff("deflate.tiff", rgb, COMPRESSION_ADOBE_DEFLATE, false);
  tiff("packbits.tiff", rgb, COMPRESSION_PACKBITS, false);
  tiff("tiled.tiff", rgb, COMPRESSION_NONE, true);
#endif
  return test_end();
}
