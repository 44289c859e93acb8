/* SPDX-License-Identifier: Apache-2.0 */
/* The 8-bit kernels against plain loops written from their contracts, bit for
 * bit: all small M, odd channels, strides, gaps between output pixels,
 * extreme values, and buffers of the exact size (for the address sanitizer).
 * Also runs on a Cortex-M4 and on AArch64 under qemu. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime_min/kernels/u8.h"
#include "../../runtime_min/kernels/conv_u8.h"
#include "../../runtime_min/kernels/pack_u8.h"

static int failures;
static uint32_t seed = 12345;

static uint32_t rnd(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static void *grab(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p) {
        printf("out of memory\n");
        exit(2);
    }
    return p;
}

/* mode 0: any; 1: the largest magnitudes. */
static void fill(void *p, size_t n, int mode, int is_signed)
{
    unsigned char *b = (unsigned char *)p;
    size_t i;
    for (i = 0; i < n; ++i)
        b[i] = mode ? (is_signed ? 128 : 255) : (unsigned char)rnd();
}

static float some_scale(int mode)
{
    return mode == 2 ? 1e30f : ldexpf((float)(rnd() % 1000 + 1), -19);
}

static int32_t ref_requant(int32_t acc, float scale, const int32_t *q)
{
    const volatile float v = (float)acc * scale;
    double r = nearbyint((double)v) + q[0];
    r = r < q[1] ? q[1] : r;
    return (int32_t)(r > q[2] ? q[2] : r);
}

static int bad(const char *what, const int32_t *shape, long at)
{
    printf("FAIL %s (%d %d %d %d %d) at %ld\n", what, (int)shape[0],
           (int)shape[1], (int)shape[2], (int)shape[3], (int)shape[4], at);
    ++failures;
    return 1;
}

/* ---- convolution ---- */
typedef struct {
    uint8_t *x, *y;
    int8_t *w, *pack;
    int32_t *bias, *acc, *yi;
    float *scale, *yf;
    size_t nx, ny;
} Conv;

static void conv_make(Conv *c, const o2c_conv_u8_p *p, int mode)
{
    const size_t oc16 = ((size_t)p->oc + 15) / 16 * 16;
    const size_t nw = (size_t)(p->oc * p->ntap * p->kc);
    int32_t o;
    c->nx = (size_t)((p->oh - 1) * p->x_row + (p->ow - 1) * p->x_pix +
                     p->tap[p->ntap - 1] + p->kc);
    c->ny = (size_t)((p->oh - 1) * p->y_row + (p->ow - 1) * p->y_pix + p->oc);
    c->x = (uint8_t *)grab(c->nx);
    c->w = (int8_t *)grab(nw);
    c->pack = (int8_t *)grab(o2c_pack_u8_size(p->oc, p->ntap, p->kc));
    c->bias = (int32_t *)grab(oc16 * 4);
    c->scale = (float *)grab(oc16 * 4);
    c->y = (uint8_t *)grab(c->ny);
    c->yi = (int32_t *)grab(c->ny * 4);
    c->yf = (float *)grab(c->ny * 4);
    c->acc = (int32_t *)grab((size_t)(p->oh * p->ow * p->oc) * 4);
    fill(c->x, c->nx, mode, 0);
    fill(c->w, nw, mode, 1);
    memset(c->bias, 0, oc16 * 4);
    memset(c->scale, 0, oc16 * 4);
    for (o = 0; o < p->oc; ++o) {
        c->bias[o] = mode == 1 ? INT32_MIN : (int32_t)(rnd() % 9999) - 5000;
        c->scale[o] = some_scale(mode);
    }
    o2c_pack_u8(c->pack, c->w, p->oc, p->ntap, p->kc);
}

static void conv_free(Conv *c)
{
    free(c->x), free(c->w), free(c->pack), free(c->bias), free(c->scale);
    free(c->y), free(c->yi), free(c->yf), free(c->acc);
}

static void conv_ref(const Conv *c, const o2c_conv_u8_p *p)
{
    int32_t i, j, o, t, k, *to = c->acc;
    for (i = 0; i < p->oh; ++i)
        for (j = 0; j < p->ow; ++j)
            for (o = 0; o < p->oc; ++o) {
                uint32_t a = (uint32_t)c->bias[o];
                for (t = 0; t < p->ntap; ++t)
                    for (k = 0; k < p->kc; ++k)
                        a += (uint32_t)(c->x[i * p->x_row + j * p->x_pix +
                                             p->tap[t] + k] *
                                        c->w[(o * p->ntap + t) * p->kc + k]);
                *to++ = (int32_t)a;
            }
}

static int conv_same(const Conv *c, const o2c_conv_u8_p *p, const int32_t *shape)
{
    const int32_t q[3] = { p->y_zp, p->lo, p->hi };
    const int32_t *a = c->acc;
    int64_t at, last = 0;
    int32_t i, j, o;
    for (i = 0; i < p->oh; ++i)
        for (j = 0; j < p->ow; ++j)
            for (o = 0; o < p->oc; ++o, ++a) {
                volatile float f = (float)*a * c->scale[o];
                at = i * p->y_row + j * p->y_pix + o;
                for (; last < at; ++last)
                    if (c->y[last] != 0xA5)
                        return bad("gap", shape, (long)last);
                last = at + 1;
                if (p->fbias)
                    f = f + p->fbias[o];
                if (c->yi[at] != *a)
                    return bad("i32", shape, (long)at);
                if (memcmp(&c->yf[at], (const void *)&f, 4))
                    return bad("f32", shape, (long)at);
                if (c->y[at] != ref_requant(*a, c->scale[o], q))
                    return bad("u8", shape, (long)at);
            }
    return 0;
}

static void conv_case(o2c_conv_u8_p p, int mode)
{
    const int32_t shape[5] = { p.oh, p.ow, p.oc, p.ntap, p.kc };
    float *fbias = 0;
    Conv c;
    conv_make(&c, &p, mode);
    if (rnd() % 2) {
        fbias = (float *)grab(((size_t)p.oc + 15) / 16 * 64);
        memset(fbias, 0, ((size_t)p.oc + 15) / 16 * 64);
        fbias[p.oc / 2] = 0.37f;
        p.fbias = fbias;
    }
    if (rnd() % 2)
        p.scratch = (int16_t *)grab(
            sizeof(int16_t) * (size_t)O2C_CONV_U8_SCRATCH(p.ntap, p.kc));
    memset(c.y, 0xA5, c.ny);
    conv_ref(&c, &p);
    o2c_conv_u8(c.x, c.pack, c.bias, c.scale, c.y, &p);
    o2c_conv_u8_i32(c.x, c.pack, c.bias, c.yi, &p);
    o2c_conv_u8_f32(c.x, c.pack, c.bias, c.scale, c.yf, &p);
    conv_same(&c, &p, shape);
    conv_free(&c);
    free(p.scratch);
    free(fbias);
}

static o2c_conv_u8_p gemm_shape(int32_t m, int32_t n, int32_t k,
                              const int32_t *tap)
{
    o2c_conv_u8_p p;
    memset(&p, 0, sizeof p);
    p.oh = 1;
    p.ow = m;
    p.oc = n;
    p.ntap = 1;
    p.kc = k;
    p.tap = tap;
    p.x_pix = k;
    p.y_pix = n;
    p.x_row = (int64_t)m * k;
    p.y_row = (int64_t)m * n;
    p.y_zp = (int32_t)(rnd() % 256);
    p.hi = 255;
    return p;
}

static void test_gemm(void)
{
    static const int32_t zero = 0;
    static const int32_t ns[] = { 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 49,
                                  64, 65, 100 };
    static const int32_t ks[] = { 1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 37, 64 };
    int32_t m;
    size_t a, b;
    for (m = 1; m <= 43; ++m)
        for (a = 0; a < sizeof ns / sizeof *ns; ++a)
            for (b = 0; b < sizeof ks / sizeof *ks; ++b) {
                o2c_conv_u8_p p = gemm_shape(m, ns[a], ks[b], &zero);
                if ((uint32_t)m * (uint32_t)(a + b) % 5 == 0)
                    p.y_pix += 3, p.x_pix += 5, p.lo = 10, p.hi = 200;
                conv_case(p, m % 11 == 3 ? 1 : m % 11 == 4 ? 2 : 0);
            }
}

static void test_conv(void)
{
    static const int32_t cs[] = { 1, 2, 3, 4, 7, 16, 20 };
    int32_t tap[7], k, stride, i, w;
    size_t a;
    for (k = 1; k <= 7; k += 2)
        for (stride = 1; stride <= 2; ++stride)
            for (a = 0; a < sizeof cs / sizeof *cs; ++a)
                for (w = 1; w <= 17; w += 4) {
                    const int32_t c = cs[a], iw = (w - 1) * stride + k;
                    o2c_conv_u8_p p = gemm_shape(w, (w * 7 + c) % 37 + 1, k * c,
                                               tap);
                    for (i = 0; i < k; ++i)
                        tap[i] = i * iw * c;
                    p.oh = 1 + w / 4;
                    p.ntap = k;
                    p.x_pix = stride * c;
                    p.x_row = (int64_t)stride * iw * c;
                    p.y_row = w * p.y_pix + (w % 3 == 0 ? 8 : 0);
                    conv_case(p, w % 4 == 3);
                }
}

/* Large enough for more than one block of pixels, flat and by rows. */
static void test_blocks(void)
{
    static const int32_t tap[2] = { 0, 300 };
    o2c_conv_u8_p p = gemm_shape(3000, 18, 100, tap);
#if defined(__arm__)
    p.ow = 50;
#endif
    conv_case(p, 0);
    p.ntap = 2;
    p.oh = 5;
    p.y_row = p.ow * p.y_pix + 1;
    p.x_row = p.ow * p.x_pix;
    conv_case(p, 0);
}

static void test_pad(void)
{
    static const int32_t shape[5] = { 3, 4, 5, 0, 0 };
    static const o2c_pad_hwc_u8_p p = { 3, 4, 5, 1, 2, 0, 3, 77 };
    uint8_t *x = (uint8_t *)grab(60), *y = (uint8_t *)grab(4 * 9 * 5);
    int32_t i, j, c;
    fill(x, 60, 0, 0);
    o2c_pad_hwc_u8(x, y, &p);
    for (i = 0; i < 4; ++i)
        for (j = 0; j < 9; ++j)
            for (c = 0; c < 5; ++c) {
                const int in = i >= 1 && j >= 2 && j < 6;
                const uint8_t want = in ? x[((i - 1) * 4 + j - 2) * 5 + c] : 77;
                if (y[(i * 9 + j) * 5 + c] != want)
                    bad("pad", shape, (i * 9 + j) * 5 + c);
            }
    free(x);
    free(y);
}

int main(void)
{
    test_gemm();
    test_conv();
    test_blocks();
    test_pad();
    printf(failures ? "%d failures\n" : "ok\n", failures);
    return failures != 0;
}
