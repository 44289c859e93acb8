/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions per multiply-add of the 8-bit kernels on a Cortex-M: layers of
 * the MLPerf Tiny networks, run by run_mcu.sh under QEMU. Exact, repeatable. */
#include "../../examples/cortex_m4/board.h"
#include "../../runtime_min/kernels/conv_u8.h"
#include "../../runtime_min/kernels/dw_u8.h"
#include "../../runtime_min/kernels/ew_u8.h"
#include "../../runtime_min/kernels/pool_u8.h"

static uint8_t x[200000], y[200000];
static int8_t w[100000];
static int32_t bias[256];
static float scale[256];
static int16_t scratch[12 * 1024];
static uint32_t unit, all_insn, all_mac, seen;
static uint8_t *volatile to = y; /* else y is only written, and left out */

typedef struct {
  const char *name;
  int32_t oh, ow, c, oc, kh, kw, stride;
} Layer;
static const Layer layers[] = {
    {"resnet8 3x3 3->16", 32, 32, 3, 16, 3, 3, 1},
    {"resnet8 3x3 16", 32, 32, 16, 16, 3, 3, 1},
    {"resnet8 3x3 16", 32, 32, 16, 16, 3, 3, 1},
    {"resnet8 3x3 s2 16->32", 16, 16, 16, 32, 3, 3, 2},
    {"resnet8 3x3 32", 16, 16, 32, 32, 3, 3, 1},
    {"resnet8 1x1 s2 16->32", 16, 16, 16, 32, 1, 1, 2},
    {"resnet8 3x3 s2 32->64", 8, 8, 32, 64, 3, 3, 2},
    {"resnet8 3x3 64", 8, 8, 64, 64, 3, 3, 1},
    {"resnet8 1x1 s2 32->64", 8, 8, 32, 64, 1, 1, 2},
    {"", 0, 0, 0, 0, 0, 0, 0},
    {"dscnn 10x4 1->64", 25, 5, 1, 64, 10, 4, 2},
    {"dscnn 1x1 64", 25, 5, 64, 64, 1, 1, 1},
    {"vww 1x1 8->16", 48, 48, 8, 16, 1, 1, 1},
    {"vww 1x1 128", 6, 6, 128, 128, 1, 1, 1},
    {"ad fc 128", 1, 1, 128, 128, 1, 1, 1}};

static void report(const char *name, uint32_t insn, uint32_t macs)
{
  size_t i;
  const uint32_t milli = (uint32_t)((uint64_t)insn * 1000 / macs);
  put_text(name);
  put_text(": ");
  put_number(insn);
  put_text(" insn, ");
  put_number(milli / 1000);
  put_text(milli % 1000 < 10 ? ".00" : milli % 1000 < 100 ? ".0" : ".");
  put_number(milli % 1000);
  put_text(" a unit\n");
  for (i = 0; i < sizeof y; ++i)
    seen = seen * 31 + y[i];
}

static void conv(const Layer *l)
{
  const int32_t iw = (l->ow - 1) * l->stride + l->kw + l->stride - 1;
  const uint32_t macs =
      (uint32_t)(l->oh * l->ow * l->c * l->oc * l->kh * l->kw);
  int32_t tap[10], i;
  uint32_t n;
  o2c_conv_u8_p p;
  memset(&p, 0, sizeof p);
  for (i = 0; i < l->kh; ++i)
    tap[i] = i * iw * l->c;
  p.oh = l->oh;
  p.ow = l->ow;
  p.oc = l->oc;
  p.ntap = l->kh;
  p.kc = l->kw * l->c;
  p.tap = tap;
  p.x_pix = l->stride * l->c;
  p.x_row = (int64_t)l->stride * iw * l->c;
  p.y_pix = l->oc;
  p.y_row = (int64_t)l->ow * l->oc;
  p.hi = 255;
  p.scratch = scratch;
  count_start();
  o2c_conv_u8(x, w, bias, scale, to, &p);
  n = (uint32_t)(count_stop() * unit);
  report(l->name, n, macs);
  all_insn += n;
  all_mac += macs;
}

static void depthwise(const char *name, int32_t o, int32_t c, int32_t stride)
{
  const int32_t iw = (o - 1) * stride + 3;
  o2c_dw_u8_p p;
  memset(&p, 0, sizeof p);
  p.oh = p.ow = o;
  p.c = c;
  p.kh = p.kw = 3;
  p.x_pix = stride * c;
  p.x_row = (int64_t)stride * iw * c;
  p.tap_pix = c;
  p.tap_row = (int64_t)iw * c;
  p.y_pix = c;
  p.y_row = (int64_t)o * c;
  p.hi = 255;
  p.scratch = scratch;
  count_start();
  o2c_dw_u8(x, w, bias, scale, to, &p);
  report(name, (uint32_t)(count_stop() * unit), (uint32_t)(o * o * c * 9));
}

static void rest(void)
{
  static float f[3072];
  const o2c_binary_u8_p p = {1,    16384, 0,   0,   0,  0.7f, 0.4f,
                             1.1f, 120,   100, 90,  0,  255};
  const o2c_pool_u8_p a = {8, 8, 64,  1,  1,  8,  8, 1, 1, 1, 1,   0, 0,
                           0, 0, 512, 64, 64, 64, 1, 0, 0, 0, 255, 0};
  const o2c_pad_hwc_u8_p d = {32, 32, 16, 1, 1, 1, 1, 7, 512, 16};
  count_start();
  o2c_add_u8(x, x + 20000, to, &p);
  report("add 32x32x16", (uint32_t)(count_stop() * unit), 16384);
  count_start();
  o2c_avgpool_u8(x, to, &a);
  report("average 8x8x64", (uint32_t)(count_stop() * unit), 4096);
  count_start();
  o2c_pad_hwc_u8(x, to, &d);
  report("pad 32x32x16", (uint32_t)(count_stop() * unit), 16384);
  count_start();
  o2c_quantize_u8(f, to, 3072, 0.02f, 7);
  report("quantize 3072", (uint32_t)(count_stop() * unit), 3072);
}

int main(void)
{
  size_t i;
  for (i = 0; i < sizeof x; ++i)
    x[i] = (uint8_t)(i * 7);
  for (i = 0; i < sizeof w; ++i)
    w[i] = (int8_t)(i * 31);
  for (i = 0; i < 256; ++i)
    scale[i] = 1e-4f;
  unit = count_scale();
  for (i = 0; i < sizeof layers / sizeof *layers; ++i)
    if (layers[i].oh)
      conv(&layers[i]);
    else
      report("= resnet8", all_insn, all_mac);
  depthwise("dw 3x3 64 @16", 16, 64, 1);
  depthwise("dw 3x3 s2 64 @12", 12, 64, 2);
  rest();
  put_line("checksum", seen, "");
  return 0;
}
