/* SPDX-License-Identifier: Apache-2.0 */
/* The real runtime of models (runtime_min/o2c_cuda.c) on fake libraries of
 * CUDA, fake/fake.h: each call of theirs fails once, and is a status and a
 * message, leaves nothing allocated, and the next run is right; devices, tuned
 * files, many sizes. Run by real.sh: real STEP lets every STEP-th call fail. */
#include "errors.h"

static int allowed(o2c_status status)
{
  return status == O2C_E_DEVICE || status == O2C_E_WORKSPACE;
}

static long calls; /* of the last try_with */

/* Opens, and runs as often as a region takes to be replayed, with call k
 * failing: -1: init failed; else how many runs did. */
static int try_with(long k, const char *tuned)
{
  place p;
  o2c_status status;
  int i, failed = 0;
  set(&p);
  p.device.tuned = tuned;
  o2c_fake_fail(k);
  status = open_it(&p);
  if (status != O2C_OK) {
    o2c_fake_fail(0);
    CHECK(allowed(status) && why && *why);
    free(p.work);
    CHECK(o2c_shim_live() == 0);
    return -1;
  }
  for (i = 0; i < 3; i++) {
    y[0] = NAN;
    status = run(&p, 1, x, pick, y);
    if (status == O2C_OK) {
      check_rows(y, 0, 1);
      continue;
    }
    CHECK(allowed(status) && *net_message(p.ctx));
    failed++;
  }
  calls = o2c_fake_calls();
  o2c_fake_fail(0);
  CHECK(failed < 2);
  CHECK(run(&p, 1, x, pick, y) == O2C_OK);
  check_rows(y, 0, 1);
  close_it(&p);
  return failed;
}

/* Until all that runs call has failed once. */
static void test_sweep(const char *tuned, int step)
{
  long k, n;
  int closed = 0, failed = 0;
  try_with(0, tuned);
  for (k = 0, n = calls; k <= n; k += step) {
    int got;
    if (tuned)
      remove(tuned);
    got = try_with(k, tuned);
    if (k == 0)
      n = calls;
    closed += got < 0;
    failed += got > 0;
  }
  printf("%ld calls: %d fail at init, %d in a run\n", n, closed, failed);
  CHECK(closed * step > 10 && failed * step > 12);
}

/* Another device is current than at init, and is again afterwards. */
static void test_devices(void)
{
  place p;
  o2c_fake_fail(0);
  o2c_fake_devices(2);
  set(&p);
  CHECK(open_it(&p) == O2C_OK);
  o2c_fake_current(1);
  CHECK(run(&p, 3, x, pick, y) == O2C_OK && o2c_fake_current(-1) == 1);
  check_rows(y, 0, 3);
  CHECK(run(&p, 3, x, NULL, y) == O2C_E_ARG && o2c_fake_current(-1) == 1);
  close_it(&p);
  CHECK(o2c_fake_current(-1) == 1);
  o2c_fake_current(0);
  o2c_fake_devices(0);
  set(&p);
  CHECK(open_it(&p) == O2C_E_DEVICE && strstr(why, "no GPU"));
  free(p.work);
  o2c_fake_devices(1);
  CHECK(o2c_shim_live() == 0);
}

/* An error of the caller's is none of the model's. */
static void test_last_error(void)
{
  place p;
  set(&p);
  CHECK(open_it(&p) == O2C_OK);
  o2c_fake_last_error(2);
  CHECK(run(&p, 3, x, pick, y) == O2C_OK);
  check_rows(y, 0, 3);
  close_it(&p);
}

/* A recording that fails is no failure of the run; the fourth is not tried. */
static void test_recordings(void)
{
  static const int bad[] = { 1, 2, 100 };
  place p;
  size_t k;
  int i;
  for (k = 0; k < sizeof bad / sizeof *bad; k++) {
    long replays = o2c_shim_replays();
    set(&p);
    CHECK(open_it(&p) == O2C_OK);
    o2c_fake_fail_recordings(bad[k]);
    for (i = 0; i < 8; i++) {
      y[0] = NAN;
      CHECK(run(&p, 1, x, pick, y) == O2C_OK && !*net_message(p.ctx));
      check_rows(y, 0, 1);
    }
    CHECK((o2c_shim_replays() > replays) == (bad[k] < 3));
    close_it(&p);
  }
  o2c_fake_fail_recordings(0);
}

static long calls_with(const char *tuned)
{
  place p;
  long n;
  set(&p);
  p.device.tuned = tuned;
  CHECK(open_it(&p) == O2C_OK);
  o2c_fake_fail(0);
  CHECK(run(&p, 3, x, pick, y) == O2C_OK);
  n = o2c_fake_calls();
  check_rows(y, 0, 3);
  close_it(&p);
  return n;
}

static int begins_with(const char *path, const char *text)
{
  char line[256] = "";
  FILE *f = fopen(path, "rb");
  if (f) {
    if (!fgets(line, sizeof line, f))
      line[0] = 0;
    fclose(f);
  }
  return strstr(line, text) != NULL;
}

/* What was measured once is not measured again; a file of another GPU, and one
 * that can't be written, are no reason to fail. */
static void test_tuned(void)
{
  const char *path = "tuned";
  FILE *f;
  long first, again;
  remove(path);
  first = calls_with(path);
  CHECK(begins_with(path, "Fake 0"));
  again = calls_with(path);
  CHECK(again < first);
  f = fopen(path, "wb");
  CHECK(f && fputs("o2c-tuned 1 cudnn 1 cublaslt 1 Other\n0 99 = 1\n", f) > 0);
  fclose(f);
  CHECK(calls_with(path) == first && begins_with(path, "Fake 0"));
  CHECK(calls_with(path) == again);
  CHECK(calls_with("no/such/folder/tuned") == first);
}

/* More numbers of samples than libraries' plans were once kept for, again and
 * again: soon all of it is replayed, and nothing is prepared a second time. */
static void test_sizes(void)
{
  enum { MOST = 34 };
  place p;
  int64_t n, round;
  long replays = 0;
  uint64_t waits = 0;
  set(&p);
  CHECK(open_it(&p) == O2C_OK);
  for (round = 0; round < 3; round++) {
    replays = o2c_shim_replays();
    waits = o2c_cuda_waits(net_cuda(p.ctx));
    for (n = 1; n <= MOST; n++)
      CHECK(run(&p, n, x, pick, y) == O2C_OK);
    check_rows(y, 0, MOST);
  }
  CHECK(o2c_shim_replays() - replays >= MOST);
  CHECK(o2c_cuda_waits(net_cuda(p.ctx)) - waits == MOST);
  close_it(&p);
}

int main(int argc, char **argv)
{
  const int step = argc > 1 ? atoi(argv[1]) : 1;
  make_answers();
  test_devices();
  test_last_error();
  test_recordings();
  test_tuned();
  test_sizes();
  test_sweep(NULL, step);
  test_sweep("tuned", step);
  return 0;
}
