/* SPDX-License-Identifier: Apache-2.0 */
/* ort_c.c: times of onnxruntime's C API.
 *
 *   ort_c LIBONNXRUNTIME MODEL.onnx JOBS RESULTS RUNS THREADS
 *
 * JOBS and RESULTS as in job.h. The inputs are created once, and the outputs
 * are those of the first run, so that a call is Run() alone, as an application
 * would make it. The library's header is not on PyPI, so its functions are
 * called by their place in the table OrtApi, which onnxruntime promises not to
 * change.
 */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include "job.h"

enum { /* places in the table */
  GET_ERROR_MESSAGE = 2, CREATE_ENV = 3, CREATE_SESSION = 7, RUN = 9,
  CREATE_SESSION_OPTIONS = 10, SET_INTRA_OP_NUM_THREADS = 24,
  SESSION_GET_INPUT_COUNT = 30, SESSION_GET_OUTPUT_COUNT = 31,
  SESSION_GET_INPUT_NAME = 36, SESSION_GET_OUTPUT_NAME = 37,
  CREATE_TENSOR = 48,
  CREATE_TENSOR_WITH_DATA = 49, FILL_STRING_TENSOR = 52,
  CREATE_CPU_MEMORY_INFO = 69, GET_DEFAULT_ALLOCATOR = 78
};
enum { API_VERSION = 1, LOG_FATAL = 4, ARENA = 1, DEFAULT_MEMORY = 0 };

typedef struct {
  const void *const *(*get_api)(uint32_t version);
  const char *(*version)(void);
} Base;

typedef void *Status;
static const void *const *api;

/* ISO C has no cast from object to function pointers, so it reads the table's
 * place as one. */
#define CALL(place, result, parameters) \
  (*(result(*const *) parameters)(const void *)&api[place])

static void check(Status s)
{
  if (s) die(CALL(GET_ERROR_MESSAGE, const char *, (Status))(s));
}

static void open_library(const char *path)
{
  void *lib = dlopen(path, RTLD_NOW);
  void *symbol = lib ? dlsym(lib, "OrtGetApiBase") : NULL;
  const Base *(*base)(void);
  if (!symbol) die(dlerror());
  memcpy(&base, &symbol, sizeof base);
  api = base()->get_api(API_VERSION);
  if (!api) die("the library has no C API of version 1");
}

static void *open_session(const char *model, int threads)
{
  void *env, *options, *session;
  check(CALL(CREATE_ENV, Status, (int, const char *, void **))(
    LOG_FATAL, "bench", &env));
  check(CALL(CREATE_SESSION_OPTIONS, Status, (void **))(&options));
  check(CALL(SET_INTRA_OP_NUM_THREADS, Status, (void *, int))(
    options, threads));
  check(CALL(CREATE_SESSION, Status,
             (void *, const char *, const void *, void **))(
    env, model, options, &session));
  return session;
}

/* The names of inputs or outputs, of which there are *n. */
static const char **names(void *session, int count, int name, size_t *n)
{
  void *allocator;
  char **list;
  size_t i;
  check(CALL(GET_DEFAULT_ALLOCATOR, Status, (void **))(&allocator));
  check(CALL(count, Status, (const void *, size_t *))(session, n));
  list = (char **)need(*n * sizeof *list);
  for (i = 0; i < *n; i++)
    check(CALL(name, Status, (const void *, size_t, void *, char **))(
      session, i, allocator, &list[i]));
  return (const char **)list;
}

/* Of the job file: all lengths, then all characters. */
static void *string_tensor(const Tensor *t)
{
  void *allocator, *value;
  const char *lengths = (const char *)t->payload, *at;
  size_t n = 1, i;
  char **text;
  int64_t k, len;
  for (k = 0; k < t->rank; k++) n *= (size_t)t->dim[k];
  text = (char **)need(n * sizeof *text);
  at = lengths + n * 8;
  for (i = 0; i < n; i++, at += len) {
    memcpy(&len, lengths + i * 8, 8);
    text[i] = (char *)need((size_t)len + 1);
    memcpy(text[i], at, (size_t)len);
    text[i][len] = 0;
  }
  check(CALL(GET_DEFAULT_ALLOCATOR, Status, (void **))(&allocator));
  check(CALL(CREATE_TENSOR, Status,
             (void *, const int64_t *, size_t, int, void **))(
    allocator, t->dim, (size_t)t->rank, (int)t->dtype, &value));
  check(CALL(FILL_STRING_TENSOR, Status,
             (void *, const char *const *, size_t))(
    value, (const char *const *)text, n));
  return value;
}

static void **read_inputs(size_t n)
{
  void **values = (void **)need(n * sizeof *values), *memory;
  size_t i;
  check(CALL(CREATE_CPU_MEMORY_INFO, Status, (int, int, void **))(
    ARENA, DEFAULT_MEMORY, &memory));
  for (i = 0; i < n; i++) {
    Tensor t = next_input();
    if (t.dtype == O2C_STR) {
      values[i] = string_tensor(&t);
      continue;
    }
    check(CALL(CREATE_TENSOR_WITH_DATA, Status,
               (const void *, void *, size_t, const int64_t *, size_t, int,
                void **))(memory, (void *)(uintptr_t)t.payload,
                          (size_t)t.bytes, t.dim, (size_t)t.rank,
                          (int)t.dtype, &values[i]));
  }
  return values;
}

static struct {
  void *session, **in, **out;
  const char **in_names, **out_names;
  size_t n_in, n_out;
} net;

static void call(void)
{
  check(CALL(RUN, Status,
             (void *, const void *, const char *const *, void *const *, size_t,
              const char *const *, size_t, void **))(
    net.session, NULL, net.in_names, net.in, net.n_in, net.out_names,
    net.n_out, net.out));
}

int main(int argc, char **argv)
{
  if (argc != 7)
    die("usage: ort_c LIBONNXRUNTIME MODEL JOBS RESULTS RUNS THREADS");
  open_library(argv[1]);
  net.session = open_session(argv[2], (int)strtol(argv[6], NULL, 10));
  net.in_names = names(net.session, SESSION_GET_INPUT_COUNT,
                       SESSION_GET_INPUT_NAME, &net.n_in);
  net.out_names = names(net.session, SESSION_GET_OUTPUT_COUNT,
                        SESSION_GET_OUTPUT_NAME, &net.n_out);
  if (open_job(argv[3]) != net.n_in) die("the job has other inputs");
  net.in = read_inputs(net.n_in);
  net.out = (void **)need(net.n_out * sizeof *net.out);
  return time_calls(call, strtoll(argv[5], NULL, 10), INT64_MAX / 2, argv[4]);
}
