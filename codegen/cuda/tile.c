/* SPDX-License-Identifier: Apache-2.0 */
/* Which tile of kernels/cuda/tile.h a product of bytes gets: the largest one of
 * which there are enough for the multiprocessors of a GPU. */
#include "cuda.h"

enum { ENOUGH = 96, MANY = 1 << 20 };

typedef struct { const char *name; int64_t m, n; } Tile;
static const Tile tiles[] = {
  { "o2c_tile_128x128", 128, 128 }, { "o2c_tile_128x64", 128, 64 },
  { "o2c_tile_64x64", 64, 64 }, { "o2c_tile_128x32", 128, 32 },
  { "o2c_tile_32x32", 32, 32 }, { "o2c_tile_16x32", 16, 32 },
};
enum { LEAST = COUNT(tiles) - 1 };

static int64_t tiles_of(int64_t n, int64_t size)
{
  return (n + size - 1) / size;
}

/* Of its columns, at most a quarter are not there, or they are few. */
static bool is_full(const Tile *t, int64_t columns)
{
  return t->n <= 32 || tiles_of(columns, t->n) * t->n * 3 <= columns * 4;
}

static const Tile *find(int64_t rows, int64_t columns, int64_t groups)
{
  for (int i = 0; i < LEAST && rows > tiles[LEAST].m; i++)
    if (is_full(&tiles[i], columns) &&
        tiles_of(rows, tiles[i].m) * tiles_of(columns, tiles[i].n) * groups >=
          ENOUGH)
      return &tiles[i];
  return &tiles[LEAST];
}

void cuda_put_tiles(Step *s, int64_t rows, int64_t most, int64_t columns,
                    int64_t groups)
{
  const Tile *least = find(rows ? rows : 32, columns, groups);
  const Tile *big = find(most ? most : MANY, columns, groups);
  step_text(s, "TILE", "%s", least->name);
  step_text(s, "BIG", "%s", big == least ? "" : big->name);
  step_int(s, "ENOUGH", ENOUGH);
}
