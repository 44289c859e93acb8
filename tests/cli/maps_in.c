/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of cast.c (made by maps.sh) with maps and sparse tensors that do not
 * fit: each has its status, and nothing is read or written outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cast.h"

static union {
  unsigned char b[4096];
  double align;
  int64_t i;
  void *p;
} memory, work, dense_room;
static o2c_value dense, map, named, flat, pair[6];
static float sparse[4], dict[2], sum[4];

static void *at(unsigned char *p, size_t to)
{
  return p + (to - (uintptr_t)p % to) % to;
}

static o2c_status run(void)
{
  cast_dims d;
  cast_in in;
  cast_out out;
  cast_ctx *ctx = NULL;
  o2c_config cfg;
  memset(&cfg, 0, sizeof cfg);
  memset(&d, 0, sizeof d);
  memset(&dense, 0, sizeof dense);
  d.CAST_ROOM = 4;
  cfg.size = sizeof cfg;
  cfg.workspace = at(work.b, 64);
  cfg.workspace_size = sizeof work - 64;
  CHECK(cast_init(at(memory.b, 16), sizeof memory - 16, &cfg, &ctx) == O2C_OK);
  dense.data = at(dense_room.b, 16);
  dense.size = 4 * sizeof(float);
  in.x = &map;
  in.words = &named;
  in.s = &flat;
  out.dense = &dense;
  out.sparse = sparse;
  out.dict = dict;
  out.sum = sum;
  return cast_run(ctx, &d, &in, &out);
}

static const int64_t keys[5] = { 3, 0, 7, -1, 2 };
static const o2c_str words[2] = { { "b", 1 }, { "a", 1 } };
static const float values[5] = { 1, 2, 3, 4, 5 };
static const int64_t shape[2] = { 2, 2 };

static void reset(void)
{
  static const int64_t indices[4] = { 0, 1, 1, 0 };
  o2c_map_set(&map, pair, O2C_I64, keys, O2C_F32, values, 3);
  o2c_map_set(&named, pair + 2, O2C_STR, words, O2C_F32, values, 2);
  o2c_sparse_set(&flat, pair + 4, O2C_F32, 2, shape, values, indices, 2);
}

static void test_fit(void)
{
  reset();
  CHECK(run() == O2C_OK);
  CHECK(dense.dim[1] == 3 && ((float *)dense.data)[0] == 2);
  CHECK(((float *)dense.data)[1] == 1 && ((float *)dense.data)[2] == 3);
  CHECK(sparse[0] == 2 && sparse[1] == 0 && sparse[3] == 1);
  CHECK(dict[0] == 2 && dict[1] == 1);
  CHECK(sum[0] == 1 && sum[1] == 2 && sum[2] == 3 && sum[3] == 1);
  map.count = pair[0].dim[0] = pair[1].dim[0] = 0;
  CHECK(run() == O2C_OK && dense.dim[1] == 0 && sparse[0] == 0);
}

static void test_maps(void)
{
  static const int64_t twice[3] = { 1, 2, 1 };
  static const o2c_str same[2] = { { "a", 1 }, { "a", 1 } };
  reset();
  o2c_map_set(&map, pair, O2C_I64, twice, O2C_F32, values, 3);
  CHECK(run() == O2C_E_DATA);
  o2c_map_set(&map, pair, O2C_I64, keys, O2C_F32, values, 4); /* -1 */
  CHECK(run() == O2C_E_DATA);
  o2c_map_set(&map, pair, O2C_STR, words, O2C_F32, values, 2);
  CHECK(run() == O2C_E_TYPE);
  o2c_map_set(&map, pair, O2C_I64, keys, O2C_I64, keys, 2);
  CHECK(run() == O2C_E_TYPE);
  o2c_map_set(&map, pair, O2C_I64, keys, O2C_F32, values, 5);
  CHECK(run() == O2C_E_CAPACITY);
  reset();
  map.kind = O2C_SEQUENCE;
  CHECK(run() == O2C_E_TYPE);
  reset();
  pair[1].dim[0] = 2;
  CHECK(run() == O2C_E_ARG);
  reset();
  pair[1].data = NULL;
  CHECK(run() == O2C_E_ARG);
  reset();
  o2c_map_set(&named, pair + 2, O2C_I64, keys, O2C_F32, values, 2);
  CHECK(run() == O2C_E_TYPE);
  o2c_map_set(&named, pair + 2, O2C_STR, same, O2C_F32, values, 2);
  CHECK(run() == O2C_E_DATA);
}

static void test_sparse(void)
{
  static const int64_t far[4] = { 0, 1, 2, 0 }, linear[2] = { 3, -1 };
  reset();
  o2c_sparse_set(&flat, pair + 4, O2C_F32, 2, shape, values, far, 2);
  CHECK(run() == O2C_E_DATA);
  o2c_sparse_set(&flat, pair + 4, O2C_F32, 2, shape, values, linear, 1);
  pair[5].rank = 1;
  CHECK(run() == O2C_OK && sum[3] == 2);
  o2c_sparse_set(&flat, pair + 4, O2C_F32, 2, shape, values, linear, 2);
  pair[5].rank = 1;
  CHECK(run() == O2C_E_DATA);
  reset();
  flat.dim[0] = 3;
  CHECK(run() == O2C_E_SHAPE);
  reset();
  flat.dtype = O2C_F64;
  CHECK(run() == O2C_E_TYPE);
  reset();
  pair[4].dim[0] = 1;
  CHECK(run() == O2C_E_SHAPE);
  reset();
  pair[5].data = NULL;
  CHECK(run() == O2C_E_ARG);
}

int main(void)
{
  test_fit();
  test_maps();
  test_sparse();
  puts("all right");
  return 0;
}
