/* SPDX-License-Identifier: 0BSD */
/* Runs 8-bit networks on a Cortex-M, compares with the answers of
 * onnxruntime in nets.h, and prints what each costs. It calls through
 * o2c_model, so that one loop fits every network; firmware would include the
 * network's header and call <name>_run. LIMIT, in hundredths of an instruction
 * for each multiplication, comes from the build. */
#include "board.h"
#include "o2c.h"

typedef struct {
  const char *name;
  const o2c_model *(*model)(void);
  const float *input, *output;
  int samples, inputs, outputs; /* the latter two: of one sample */
  uint32_t workspace, context, flash, macs;
} Net;
#include "nets.h" /* made by data.py */

#define OUTPUTS 1024
#define TENTHOUSAND 10000.0f

static union {
  uint64_t align[8];
  unsigned char bytes[256];
} context;
static Memory workspace __attribute__((aligned(64)));
static float result[OUTPUTS];

typedef struct {
  uint32_t count, stack;
  float error; /* the largest, as a part of the largest answer */
} Cost;

static float magnitude(float v) { return v < 0 ? -v : v; }

/* The largest difference over the largest answer. */
static float difference(const float *want, int n)
{
  float most = 0, largest = 0;
  int i;
  for (i = 0; i < n; ++i) {
    const float d = magnitude(result[i] - want[i]);
    if (!(d >= 0)) /* NaN */
      return 1;
    most = d > most ? d : most;
    largest = magnitude(want[i]) > largest ? magnitude(want[i]) : largest;
  }
  return largest > 0 ? most / largest : most;
}

/* One inference; false if it fails. */
static int run_once(const Net *n, void *ctx, int sample, Cost *c)
{
  static const int64_t dims[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  const uint32_t scale = count_scale();
  const void *in[1];
  void *out[1];
  o2c_status status;
  uint32_t count, stack;
  float error;
  in[0] = n->input + sample * n->inputs;
  out[0] = result;
  stack_paint();
  count_start();
  status = n->model()->run(ctx, dims, in, out);
  count = (uint32_t)(count_stop() * scale);
  stack = stack_used();
  error = difference(n->output + sample * n->outputs, n->outputs);
  c->count = count > c->count ? count : c->count;
  c->stack = stack > c->stack ? stack : c->stack;
  c->error = error > c->error ? error : c->error;
  return status == O2C_OK;
}

/* All samples; false if a call fails. */
static int run_all(const Net *n, Cost *c)
{
  o2c_config config = {0};
  void *ctx;
  int i;
  config.size = sizeof config;
  config.workspace = &workspace;
  config.workspace_size = n->workspace;
  if (n->outputs > OUTPUTS || n->context > sizeof context ||
      n->model()->init(&context, sizeof context, &config, &ctx) != O2C_OK)
    return 0;
  for (i = 0; i < n->samples; ++i)
    if (!run_once(n, ctx, i, c))
      return 0;
  n->model()->deinit(ctx);
  return 1;
}

/* One line of the table; false if the network fails. */
static int report(const Net *n)
{
  Cost c = {0, 0, 0};
  const int ran = run_all(n, &c);
  const uint32_t each = (uint32_t)((uint64_t)c.count * 100 / n->macs);
  const int good = ran && c.error <= 0.01f && each <= LIMIT;
  put_padded(n->name, -15);
  put_column(n->flash, 8);
  put_column(n->workspace + n->context + c.stack, 8);
  put_column(c.stack, 7);
  put_column(c.count, 14);
  put_column(n->macs, 10);
  put_fixed(each, 2, 9);
  put_fixed((uint32_t)(c.error * TENTHOUSAND + 0.5f), 4, 8);
  put_text(!ran ? " ERROR\n" : good ? "  PASS\n" : "  FAIL\n");
  return good;
}

int main(void)
{
  size_t i;
  int bad = 0;
  put_text("network           flash     RAM  stack");
  put_text(count_scale() > 1 ? "  instructions" : "        cycles");
  put_text("       MAC  per MAC   error\n");
  for (i = 0; i < sizeof nets / sizeof *nets; ++i)
    bad += !report(&nets[i]);
  put_text("the program, its test data included: flash ");
  put_column(flash_used(), 0);
  put_text(" bytes, data and bss ");
  put_column(ram_used(), 0);
  put_text(" bytes\n");
  return bad ? 1 : 0;
}
