/* SPDX-License-Identifier: 0BSD */
/* o2c_image.c: what ImageDecoder does not read itself (kernels/ref/image.h), by
 * libraries. Compile the model with -DO2C_IMAGE_HOOK=o2c_image, and this file
 * with a macro for each library that is linked:
 *
 *   O2C_IMAGE_JPEG2000  -lopenjp2              JPEG 2000, as file or stream
 *   O2C_IMAGE_WEBP      -lwebpdemux -lwebp     WebP; of an animation, the first
 *   O2C_IMAGE_TIFF      -ltiff                 TIFF: compressed, tiled, 16 bits
 *
 * The libraries allocate; without memory the status is O2C_E_WORKSPACE. Samples
 * of other widths become 8 bits a channel; colours are RGB, YCC or what libtiff
 * makes RGB of. Transparency is dropped (libtiff blends with black).
 */
#ifndef O2C_IMAGE_JPEG2000
#define O2C_IMAGE_JPEG2000 0
#endif
#ifndef O2C_IMAGE_WEBP
#define O2C_IMAGE_WEBP 0
#endif
#ifndef O2C_IMAGE_TIFF
#define O2C_IMAGE_TIFF 0
#endif
#include "o2c.h"

#include <stdlib.h>
#include <string.h>
#if O2C_IMAGE_JPEG2000
#if defined __has_include
#if !__has_include(<openjpeg.h>) && __has_include(<openjpeg-2.5/openjpeg.h>)
#include <openjpeg-2.5/openjpeg.h> /* where Debian has it */
#else
#include <openjpeg.h>
#endif
#else
#include <openjpeg.h>
#endif
#endif
#if O2C_IMAGE_WEBP
#include <webp/decode.h>
#include <webp/demux.h>
#endif
#if O2C_IMAGE_TIFF
#include <tiffio.h>
#endif

#define SIDE 1048576 /* pixels: the longest side, as in kernels/ref/image.h */

typedef struct {
  const uint8_t *data;
  size_t n, at;
} Bytes;

#ifdef __cplusplus
extern "C"
#endif
o2c_status o2c_image(const uint8_t *stream, size_t n, int layout, int64_t *size,
                     uint8_t *pixels);

#if O2C_IMAGE_JPEG2000 || O2C_IMAGE_WEBP || O2C_IMAGE_TIFF
static o2c_status sized(int64_t *size, int64_t h, int64_t w)
{
  if (h <= 0 || w <= 0 || h > SIDE || w > SIDE) return O2C_E_DATA;
  size[0] = h;
  size[1] = w;
  return O2C_OK;
}

/* layout: 0 RGB, 1 BGR, 2 luma (BT.601). */
static uint8_t *put(uint8_t *y, int layout, int r, int g, int b)
{
  if (layout == 2) {
    *y = (uint8_t)((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
    return y + 1;
  }
  y[0] = (uint8_t)(layout ? b : r);
  y[1] = (uint8_t)g;
  y[2] = (uint8_t)(layout ? r : b);
  return y + 3;
}
#endif

#if O2C_IMAGE_JPEG2000
static OPJ_SIZE_T jp2_read(void *to, OPJ_SIZE_T n, void *user)
{
  Bytes *b = (Bytes *)user;
  if (b->at >= b->n) return (OPJ_SIZE_T)-1;
  if (n > b->n - b->at) n = b->n - b->at;
  memcpy(to, b->data + b->at, n);
  b->at += n;
  return n;
}

static OPJ_OFF_T jp2_skip(OPJ_OFF_T n, void *user)
{
  Bytes *b = (Bytes *)user;
  if (n < 0 ? (size_t)-n > b->at : (size_t)n > b->n - b->at) return -1;
  b->at = n < 0 ? b->at - (size_t)-n : b->at + (size_t)n;
  return n;
}

static OPJ_BOOL jp2_seek(OPJ_OFF_T to, void *user)
{
  Bytes *b = (Bytes *)user;
  if (to < 0 || (size_t)to > b->n) return OPJ_FALSE;
  b->at = (size_t)to;
  return OPJ_TRUE;
}

/* The sample of a component at (x, y) of the reference grid, as 8 bits. */
static int jp2_sample(const opj_image_comp_t *c, OPJ_UINT32 x, OPJ_UINT32 y)
{
  OPJ_UINT32 i = x / c->dx, j = y / c->dy;
  int64_t v;
  i = i > c->x0 ? i - c->x0 : 0;
  j = j > c->y0 ? j - c->y0 : 0;
  if (i >= c->w) i = c->w - 1;
  if (j >= c->h) j = c->h - 1;
  v = c->data[(size_t)j * c->w + i];
  if (c->sgnd) v += (int64_t)1 << (c->prec - 1);
  if (c->prec > 8) v >>= c->prec - 8;
  else v = v * 255 / (((int64_t)1 << c->prec) - 1);
  return v < 0 ? 0 : v > 255 ? 255 : (int)v;
}

static int clamp(double v)
{
  return v < 0 ? 0 : v > 255 ? 255 : (int)(v + 0.5);
}

static o2c_status jp2_pixels(const opj_image_t *m, int layout, uint8_t *y)
{
  const int three = m->numcomps >= 3;
  OPJ_UINT32 i, j, k;
  for (k = 0; k < m->numcomps && k < 3; k++)
    if (!m->comps[k].data || !m->comps[k].w || !m->comps[k].h ||
        m->comps[k].prec < 1 || m->comps[k].prec > 31)
      return O2C_E_DATA;
  if (!m->numcomps || m->color_space == OPJ_CLRSPC_CMYK) return O2C_E_DATA;
  for (j = m->y0; j < m->y1; j++)
    for (i = m->x0; i < m->x1; i++) {
      int v[3];
      for (k = 0; k < 3; k++)
        v[k] = jp2_sample(&m->comps[three ? k : 0], i, j);
      if (three && (m->color_space == OPJ_CLRSPC_SYCC ||
                    m->color_space == OPJ_CLRSPC_EYCC)) {
        const double l = v[0], cb = v[1] - 128, cr = v[2] - 128;
        v[0] = clamp(l + 1.402 * cr);
        v[1] = clamp(l - 0.344136 * cb - 0.714136 * cr);
        v[2] = clamp(l + 1.772 * cb);
      }
      y = put(y, layout, v[0], v[1], v[2]);
    }
  return O2C_OK;
}

static o2c_status jp2(Bytes *b, OPJ_CODEC_FORMAT format, int layout,
                      int64_t *size, uint8_t *pixels)
{
  opj_dparameters_t par;
  opj_codec_t *codec = opj_create_decompress(format);
  opj_stream_t *s = opj_stream_default_create(OPJ_TRUE);
  opj_image_t *m = NULL;
  o2c_status rc = O2C_E_DATA;
  opj_set_default_decoder_parameters(&par);
  if (codec && s && opj_setup_decoder(codec, &par)) {
    opj_stream_set_user_data(s, b, NULL);
    opj_stream_set_user_data_length(s, b->n);
    opj_stream_set_read_function(s, jp2_read);
    opj_stream_set_skip_function(s, jp2_skip);
    opj_stream_set_seek_function(s, jp2_seek);
    if (opj_read_header(s, codec, &m))
      rc = sized(size, (int64_t)m->y1 - m->y0, (int64_t)m->x1 - m->x0);
    if (rc == O2C_OK && pixels)
      rc = opj_decode(codec, s, m) && opj_end_decompress(codec, s)
               ? jp2_pixels(m, layout, pixels) : O2C_E_DATA;
  }
  if (m) opj_image_destroy(m);
  if (s) opj_stream_destroy(s);
  if (codec) opj_destroy_codec(codec);
  return rc;
}
#endif

#if O2C_IMAGE_WEBP
static o2c_status webp(const Bytes *b, int layout, int64_t *size,
                       uint8_t *pixels)
{
  WebPData data;
  WebPAnimDecoderOptions opt;
  WebPAnimInfo info;
  WebPAnimDecoder *d;
  uint8_t *rgba = NULL;
  o2c_status rc = O2C_E_DATA;
  int when;
  data.bytes = b->data;
  data.size = b->n;
  if (!WebPAnimDecoderOptionsInit(&opt)) return rc;
  opt.color_mode = MODE_RGBA;
  if (!(d = WebPAnimDecoderNew(&data, &opt))) return rc;
  if (WebPAnimDecoderGetInfo(d, &info))
    rc = sized(size, info.canvas_height, info.canvas_width);
  if (rc == O2C_OK && pixels) {
    if (WebPAnimDecoderGetNext(d, &rgba, &when) && rgba) {
      int64_t i, n = size[0] * size[1];
      for (i = 0; i < n; i++, rgba += 4)
        pixels = put(pixels, layout, rgba[0], rgba[1], rgba[2]);
    } else {
      rc = O2C_E_DATA;
    }
  }
  WebPAnimDecoderDelete(d);
  return rc;
}
#endif

#if O2C_IMAGE_TIFF
static tmsize_t tiff_read(thandle_t user, void *to, tmsize_t n)
{
  Bytes *b = (Bytes *)user;
  size_t left = b->at < b->n ? b->n - b->at : 0;
  if (n <= 0) return 0;
  if ((size_t)n < left) left = (size_t)n;
  memcpy(to, b->data + (left ? b->at : 0), left);
  b->at += left;
  return (tmsize_t)left;
}

static tmsize_t tiff_write(thandle_t user, void *from, tmsize_t n)
{
  (void)user;
  (void)from;
  (void)n;
  return -1;
}

static toff_t tiff_seek(thandle_t user, toff_t to, int whence)
{
  Bytes *b = (Bytes *)user;
  b->at = (size_t)(whence == SEEK_SET ? to
                   : whence == SEEK_CUR ? b->at + to : b->n + to);
  return b->at;
}

static int tiff_close(thandle_t user)
{
  (void)user;
  return 0;
}

static toff_t tiff_size(thandle_t user)
{
  return ((Bytes *)user)->n;
}

/* Read through tiff_read, libtiff 4.5 refuses tiles that aren't compressed. */
static int tiff_map(thandle_t user, void **base, toff_t *n)
{
  const Bytes *b = (Bytes *)user;
  memcpy(base, &b->data, sizeof *base); /* it only reads */
  *n = b->n;
  return 1;
}

static void tiff_unmap(thandle_t user, void *base, toff_t n)
{
  (void)user;
  (void)base;
  (void)n;
}

static o2c_status tiff(Bytes *b, int layout, int64_t *size, uint8_t *pixels)
{
  TIFF *t;
  uint32_t h = 0, w = 0, *map;
  o2c_status rc = O2C_E_DATA;
  TIFFSetErrorHandler(NULL); /* what it would print is the status */
  TIFFSetWarningHandler(NULL);
  t = TIFFClientOpen("stream", "r", (thandle_t)b, tiff_read, tiff_write,
                     tiff_seek, tiff_close, tiff_size, tiff_map, tiff_unmap);
  if (!t) return rc;
  if (TIFFGetField(t, TIFFTAG_IMAGELENGTH, &h) &&
      TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &w))
    rc = sized(size, (int64_t)h, (int64_t)w);
  if (rc == O2C_OK && pixels) {
    map = (uint32_t *)malloc((size_t)h * w * sizeof *map);
    rc = !map ? O2C_E_WORKSPACE
       : TIFFReadRGBAImageOriented(t, w, h, map, ORIENTATION_TOPLEFT, 1)
         ? O2C_OK : O2C_E_DATA;
    if (rc == O2C_OK) {
      size_t i, n = (size_t)h * w;
      for (i = 0; i < n; i++)
        pixels = put(pixels, layout, (int)TIFFGetR(map[i]),
                     (int)TIFFGetG(map[i]), (int)TIFFGetB(map[i]));
    }
    free(map);
  }
  TIFFClose(t);
  return rc;
}
#endif

o2c_status o2c_image(const uint8_t *stream, size_t n, int layout, int64_t *size,
                     uint8_t *pixels)
{
  Bytes b;
  b.data = stream;
  b.n = n;
  b.at = 0;
#if O2C_IMAGE_JPEG2000
  if (n > 12 && !memcmp(stream, "\0\0\0\14jP  \r\n\207\n", 12))
    return jp2(&b, OPJ_CODEC_JP2, layout, size, pixels);
  if (n > 4 && !memcmp(stream, "\377\117\377\121", 4))
    return jp2(&b, OPJ_CODEC_J2K, layout, size, pixels);
#endif
#if O2C_IMAGE_WEBP
  if (n > 12 && !memcmp(stream, "RIFF", 4) && !memcmp(stream + 8, "WEBP", 4))
    return webp(&b, layout, size, pixels);
#endif
#if O2C_IMAGE_TIFF
  if (n > 8 && (!memcmp(stream, "II", 2) || !memcmp(stream, "MM", 2)))
    return tiff(&b, layout, size, pixels);
#endif
  (void)b;
  (void)layout;
  (void)size;
  (void)pixels;
  return O2C_E_DATA;
}
