/* SPDX-License-Identifier: 0BSD */
/* Runs a generated model on a Cortex-M4, compares with the reference answers
 * in data.h, and prints what it costs. The build defines MODEL (the prefix
 * given to onnx2c by --name), MODEL_HEADER and WORKSPACE_BYTES. It calls
 * through o2c_model, so that one program fits every model; firmware would
 * include the model's header and call <model>_run. */
#include MODEL_HEADER
#include "board.h"
#include "data.h" /* input, output, tolerance: made by data.py */

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

static union {
  uint64_t align[8];
  unsigned char bytes[1024];
} context;
static unsigned char workspace[WORKSPACE_BYTES] __attribute__((aligned(64)));
static float result[OUTPUTS];

static void check(o2c_status s, const char *what)
{
  if (s == O2C_OK)
    return;
  put_line(what, (uint32_t)-s, "(negated status)");
  finish(1);
}

/* The largest difference, in millionths. */
static uint32_t difference(void)
{
  float most = 0;
  int i;
  for (i = 0; i < OUTPUTS; ++i) {
    float d = result[i] - output[i];
    d = d < 0 ? -d : d;
    most = d > most ? d : most;
    if (!(d >= 0)) /* NaN */
      return 0xFFFFFFFFu;
  }
  return most < 4000.0f ? (uint32_t)(most * 1e6f) : 0xFFFFFFFFu;
}

int main(void)
{
  static const int64_t dims[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  const o2c_model *m = JOIN(MODEL, _model)();
  const void *in[1];
  void *out[1], *ctx;
  o2c_config config = {0};
  uint32_t scale, wrong;
  uint64_t ticks;

  in[0] = input;
  out[0] = result;
  config.size = sizeof config;
  config.workspace = workspace;
  config.workspace_size = sizeof workspace;
  put_text(m->name);
  put_text("\n");
  check(m->init(context.bytes, sizeof context, &config, &ctx), "init failed:");
  scale = count_scale();
  stack_paint();
  count_start();
  check(m->run(ctx, dims, in, out), "run failed:");
  ticks = count_stop() * scale;
  wrong = difference();
  put_line("stack        ", stack_used(), "bytes");
  put_line("workspace    ", (uint32_t)sizeof workspace, "bytes");
  put_line("data and bss ", ram_used(), "bytes (workspace included)");
  put_line("flash        ", flash_used(), "bytes (input and answer included)");
  put_line("run          ", (uint32_t)ticks,
           scale > 1 ? "instructions" : "cycles");
  put_line("difference   ", wrong, "millionths");
  put_text(wrong <= TOLERANCE_MILLIONTHS ? "ok\n" : "WRONG\n");
  return wrong <= TOLERANCE_MILLIONTHS ? 0 : 1;
}
