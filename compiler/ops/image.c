/* SPDX-License-Identifier: Apache-2.0 */
/* ImageDecoder: height, width, and the room that decoding takes, are found in
 * the stream. kernels/ref/image.h says which formats it reads itself. */
#include <string.h>
#include "../ir.h"

/* 0 RGB, 1 BGR, 2 grey; -1: no such format. */
static int pixel_layout(const Node *n)
{
  const char *s = attr_str(n, "pixel_format", "RGB");
  return !strcmp(s, "RGB") ? 0 : !strcmp(s, "BGR") ? 1
       : !strcmp(s, "Grayscale") ? 2 : -1;
}

static void infer_image(Node *n)
{
  const Value *x = node_in(n, 0);
  const Dim *size[3] = {0};
  int layout = pixel_layout(n);
  if (!infer_ready(n)) return;
  if (layout < 0) {
    fail_model(n, "attribute pixel_format is %s (spec: RGB, BGR or Grayscale)",
               quote(&n->g->m->arena, attr_str(n, "pixel_format", "")));
    return;
  }
  if (x->rank != 1) {
    fail_model(n, "the stream has rank %d (spec: 1)", x->rank);
    return;
  }
  if (!infer_sizes(n, 3, NULL, size)) return;
  size[2] = dim_int(node_dims(n), layout == 2 ? 1 : 3);
  infer_out(n, 0, DT_U8, 3, size);
}

static void sizes_image(Lower *l, Node *n)
{
  lower_call(l, n, "size_image", DT_U8, "idkS", n->in[0],
             value_numel(n->in[0]), (int64_t)pixel_layout(n));
}

static void lower_image(Lower *l, Node *n)
{
  lower_call(l, n, "image", DT_U8, "iooddk", n->in[0], n->out[0],
             lower_scratch(l, n, DT_U8, n->size[2]), value_numel(n->in[0]),
             value_numel(n->out[0]), (int64_t)pixel_layout(n));
}

static const OpRow image_rows[] = {
  {20, "encoded_stream:u8 -> image:u8", "", "pixel_format:s", NULL},
};
static const OpDef defs[] = {
  {.name = "ImageDecoder", .rows = image_rows, .nrow = COUNT(image_rows),
   .infer = infer_image, .lower = lower_image, .sizes = sizes_image},
};
OPS_DEFINE(image, defs)
