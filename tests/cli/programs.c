/* SPDX-License-Identifier: Apache-2.0 */
/* Two models in one program, as a user would write it; see programs.sh. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "ad.h"
#include "dscnn.h"

enum { BATCH = 3, IN = 49 * 10, OUT = 12 };
static float input[2][BATCH * IN], want[2][BATCH * OUT];

typedef struct {
  int which;
  void *mem, *work;
  size_t size;
  dscnn_ctx *ctx;
} Job;

static void *aligned(size_t n, size_t align)
{
  void *p = NULL;
  CHECK(posix_memalign(&p, align, n ? n : 1) == 0);
  return p;
}

static void job_init(Job *j, int which)
{
  dscnn_dims d = {BATCH};
  o2c_config cfg;
  memset(&cfg, 0, sizeof cfg);
  j->which = which;
  j->size = dscnn_workspace_size(&d, 1);
  CHECK(j->size == DSCNN_WORKSPACE_SIZE(BATCH));
  j->work = aligned(j->size, DSCNN_WORKSPACE_ALIGN);
  j->mem = aligned(DSCNN_CTX_SIZE, DSCNN_CTX_ALIGN);
  cfg.size = sizeof cfg;
  cfg.workspace = j->work;
  cfg.workspace_size = j->size;
  CHECK(dscnn_init(j->mem, DSCNN_CTX_SIZE, &cfg, &j->ctx) == O2C_OK);
}

static void job_end(Job *j)
{
  dscnn_deinit(j->ctx);
  free(j->mem);
  free(j->work);
}

static void run(Job *j, float *out)
{
  dscnn_dims d = {BATCH};
  dscnn_in in;
  dscnn_out o;
  in.mfcc = input[j->which];
  o.prob = out;
  CHECK(dscnn_run(j->ctx, &d, &in, &o) == O2C_OK);
  CHECK(dscnn_wait(j->ctx) == O2C_OK);
}

static void *thread_main(void *arg)
{
  Job *j = (Job *)arg;
  float out[BATCH * OUT];
  int i;
  for (i = 0; i < 20; i++) {
    memset(out, 0, sizeof out);
    run(j, out);
    CHECK(!memcmp(out, want[j->which], sizeof out));
  }
  return NULL;
}

static void two_threads(void)
{
  Job j[2];
  pthread_t t[2];
  int k, i;
  for (k = 0; k < 2; k++) {
    for (i = 0; i < BATCH * IN; i++)
      input[k][i] = (float)((i * 37 + k * 11) % 101) / 50.0f - 1.0f;
    job_init(&j[k], k);
    run(&j[k], want[k]);
  }
  CHECK(memcmp(want[0], want[1], sizeof want[0]) != 0);
  for (k = 0; k < 2; k++)
    CHECK(!pthread_create(&t[k], NULL, thread_main, &j[k]));
  for (k = 0; k < 2; k++) CHECK(!pthread_join(t[k], NULL));
  for (k = 0; k < 2; k++) job_end(&j[k]);
}

static void errors_of_run(void)
{
  Job j;
  dscnn_dims d = {BATCH}, zero = {0}, minus = {-1}, huge = {INT64_MAX};
  dscnn_in in, none = {NULL};
  dscnn_out out, nowhere = {NULL};
  float result[BATCH * OUT];
  job_init(&j, 0);
  in.mfcc = input[0];
  out.prob = result;
  CHECK(dscnn_run(NULL, &d, &in, &out) < 0);
  CHECK(dscnn_run(j.ctx, &d, NULL, &out) < 0);
  CHECK(dscnn_run(j.ctx, &d, &none, &out) < 0);
  CHECK(dscnn_run(j.ctx, &d, &in, NULL) < 0);
  CHECK(dscnn_run(j.ctx, &d, &in, &nowhere) < 0);
  CHECK(dscnn_run(j.ctx, NULL, &in, &out) < 0);
  CHECK(dscnn_run(j.ctx, &minus, &in, &out) < 0);
  CHECK(dscnn_run(j.ctx, &huge, &in, &out) < 0);
  CHECK(dscnn_run(j.ctx, &zero, &in, &out) == O2C_OK);
  CHECK(dscnn_workspace_size(&minus, 1) == 0);
  CHECK(dscnn_run(j.ctx, &d, &in, &out) == O2C_OK);
  job_end(&j);
}

static void errors_of_init(void)
{
  dscnn_dims d = {BATCH};
  o2c_config cfg;
  dscnn_ctx *ctx = NULL;
  size_t size = dscnn_workspace_size(&d, 1);
  char *work = (char *)aligned(size + 64, DSCNN_WORKSPACE_ALIGN);
  char *mem = (char *)aligned(DSCNN_CTX_SIZE + 64, DSCNN_CTX_ALIGN);
  memset(&cfg, 0, sizeof cfg);
  cfg.size = sizeof cfg;
  cfg.workspace = work;
  cfg.workspace_size = size;
  CHECK(dscnn_init(NULL, DSCNN_CTX_SIZE, &cfg, &ctx) < 0);
  CHECK(dscnn_init(mem, 1, &cfg, &ctx) < 0);
  CHECK(dscnn_init(mem + 1, DSCNN_CTX_SIZE, &cfg, &ctx) == O2C_E_ALIGN);
  CHECK(dscnn_init(mem, DSCNN_CTX_SIZE, NULL, &ctx) < 0);
  CHECK(dscnn_init(mem, DSCNN_CTX_SIZE, &cfg, NULL) < 0);
  cfg.workspace = work + 4;
  CHECK(dscnn_init(mem, DSCNN_CTX_SIZE, &cfg, &ctx) == O2C_E_ALIGN);
  free(work);
  free(mem);
}

static void two_models(void)
{
  const o2c_model *a = ad_model(), *b = dscnn_model();
  CHECK(a->abi_major == O2C_ABI_MAJOR && b->abi_major == O2C_ABI_MAJOR);
  CHECK(!strcmp(a->name, "ad") && !strcmp(b->name, "dscnn"));
  CHECK(a->n_in == 1 && a->n_out == 1 && a->n_dim == 1);
  CHECK(!strcmp(a->in[0].name, "frame") && a->in[0].dtype == O2C_F32);
  CHECK(a->in[0].rank == 2 && a->in[0].dim[0].sym == 0);
  CHECK(a->in[0].dim[1].sym == O2C_SYM_NONE && a->in[0].dim[1].size == 640);
  CHECK(strlen(b->sha256) == 64);
}

int main(void)
{
  two_models();
  two_threads();
  errors_of_init();
  errors_of_run();
  puts("all right");
  return 0;
}
