/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes, refusals, batch axes and permutations of the operators that move
 * data: one line a case. */
#include "irbuild.h"

/* `want` is the shape of each output; "!text": an error that contains it. */
static void infer(const char *op, const char *inputs, const char *attrs,
                  const char *want)
{
  m = model_new(NULL, "m");
  char *w = arena_str(&m->arena, want), *next;
  int nout = strcmp(op, "Split") || *want != '!' ? 1 : 2;
  for (const char *s = want; *s && *want != '!'; s++) nout += *s == ';';
  Node *n = build_node(op, inputs, attrs, nout);
  infer_node(n);
  const char *text = m->diags ? m->diags->text : "no error";
  if (*want == '!') {
    if (!CHECK(m->nerror == 1 && strstr(text, want + 1)))
      printf("  %s(%s): %s\n", op, inputs, text);
  } else if (!CHECK(m->nerror == 0)) {
    printf("  %s(%s): %s\n", op, inputs, text);
  } else {
    for (int i = 0; i < nout; i++, w = next) {
      if ((next = strchr(w, ';'))) *next++ = 0;
      CHECK_STR(value_shape_text(n->out[i]), w);
    }
  }
  model_free(m);
}

static void test_views(void)
{
  infer("Reshape", "N 3 4;=0 -1", "", "[N, 12]");
  infer("Reshape", "N 3 4;=-1 2", "", "[N*6, 2]");
  infer("Reshape", "N 3 4;=-1 3 4 1", "", "[N, 3, 4, 1]");
  infer("Reshape", "N H 4;=0 0 2 2", "", "[N, H, 2, 2]");
  infer("Reshape", "2 3;=3 2", "", "[3, 2]");
  infer("Reshape", "1;=", "", "[]");
  infer("Reshape", "0 3;=0 7", "allowzero=1", "[0, 7]");
  infer("Reshape", "2 3;=4 2", "", "!6 elements, the shape 8");
  infer("Reshape", "2 3;=4 -1", "", "!don't fit");
  infer("Reshape", "2 3;=-1 -1", "", "!-1 twice");
  infer("Reshape", "2 3;=-2 3", "", "!shape[0] is -2");
  infer("Reshape", "2 3;=2 3 0", "", "!rank 2");
  infer("Reshape", "0 3;=0 -1", "", "!size is open");
  infer("Reshape", "2 3;i64:2", "", "[reshape_0_0, reshape_0_1]");
  infer("Reshape", "2 3;=1 1 1 1 1 1 1 1 1 1 1 2 3", "", "!at most 12");
  infer("Reshape", "2;=4611686018427387904 4611686018427387904", "", "!");
  infer("Flatten", "N 3 4", "", "[N, 12]");
  infer("Flatten", "N 3 4", "axis=0", "[1, N*12]");
  infer("Flatten", "N 3 4", "axis=-1", "[N*3, 4]");
  infer("Flatten", "N 3 4", "axis=3", "[N*12, 1]");
  infer("Flatten", "N 3 4", "axis=4", "!axis is 4");
  infer("Squeeze", "N 1 4 1", "", "[N, 4]");
  infer("Squeeze", "N 1 4 1;=-1", "", "[N, 1, 4]");
  infer("Squeeze", "N 1 4 1;=2", "", "!axis 2 has size 4");
  infer("Squeeze", "N 1;=1 -1", "", "!twice");
  infer("Squeeze", "N 1;=5", "", "!5");
  infer("Unsqueeze", "N 4;=0 -1", "", "[1, N, 4, 1]");
  infer("Unsqueeze", "N 4;=4", "", "!4");
  infer("Unsqueeze", "N 4;=1 1", "", "!twice");
  infer("Identity", "N 4", "", "[N, 4]");
  infer("Dropout", "N 4", "", "[N, 4];[N, 4]");
}

static void test_moves(void)
{
  infer("Transpose", "N 3 4", "", "[4, 3, N]");
  infer("Transpose", "N 3 4", "perm=0,2,1", "[N, 4, 3]");
  infer("Transpose", "N 3 4", "perm=0,2", "!perm has 2");
  infer("Transpose", "N 3 4", "perm=0,2,2", "!axis 2 twice");
  infer("Transpose", "N 3 4", "perm=0,2,3", "!3");
  infer("Concat", "N 3;N 4;N K", "axis=1", "[N, K + 7]");
  infer("Concat", "N 3;N 4", "axis=-1", "[N, 7]");
  infer("Concat", "N 3;2 4", "axis=1", "[2, 7]");
  infer("Concat", "1 3;2 4", "axis=1", "!axis 0 of inputs 0 and 1: 1 and 2");
  infer("Concat", "1 3;2", "axis=1", "!rank 1");
  infer("Concat", "1 3;1 3", "axis=2", "!2");
  infer("Concat", "1 3;1 3", "", "!axis is missing");
  infer("Split", "N 6", "axis=1", "[N, 3];[N, 3]");
  infer("Split", "N 7", "axis=1 num_outputs=3", "[N, 3];[N, 3];[N, 1]");
  infer("Split", "N 6;=1 5", "axis=1", "[N, 1];[N, 5]");
  infer("Split", "N 6;=0 6", "axis=1", "[N, 0];[N, 6]");
  infer("Split", "N 6;=1 4", "axis=1", "!sums to 5");
  infer("Split", "N 6;=-1 7", "axis=1", "!split[0] is -1");
  infer("Split", "N 6;=1 4 1", "axis=1", "!3 sizes for 2 outputs");
  infer("Split", "N 6", "axis=1 num_outputs=3", "!num_outputs is 3");
  infer("Expand", "3 1;=2 1 4", "", "[2, 3, 4]");
  infer("Expand", "N 1;=1 4", "", "[N, 4]");
  infer("Expand", "3;=2", "", "!can't be expanded");
  infer("Expand", "3;=-1", "", "!-1");
  infer("Tile", "N 3;=2 2", "", "[N*2, 6]");
  infer("Tile", "N 3;=2", "", "!repeats has 1");
  infer("Tile", "N 3;=2 -2", "", "!repeats[1] is -2");
  infer("DepthToSpace", "N 12 H 5", "blocksize=2", "[N, 3, H*2, 10]");
  infer("DepthToSpace", "N 6 2 2", "blocksize=2", "!channels is 6");
  infer("DepthToSpace", "N 4 2 2", "blocksize=0", "!blocksize is 0");
  infer("DepthToSpace", "N 4 2 2", "blocksize=2 mode=crd", "!mode is");
  infer("DepthToSpace", "N 4 2", "blocksize=2", "!rank 3");
  infer("SpaceToDepth", "N C 4 6", "blocksize=2", "[N, C*4, 2, 3]");
  infer("SpaceToDepth", "N 1 5 6", "blocksize=2", "!height is 5");
  infer("SpaceToDepth", "N 1 4 W", "blocksize=2", "!fix it with --dim");
  infer("SpaceToDepth", "N 1 4 4", "blocksize=9999999", "!blocksize is");
}

static void test_cuts(void)
{
  infer("Slice", "N 10;=1;=-1;=1", "", "[N, 8]");
  infer("Slice", "N 10;=1;=9223372036854775807;=1", "", "[N, 9]");
  infer("Slice", "N 10;=-1;=-9223372036854775808;=1;=-1", "", "[N, 10]");
  infer("Slice", "N 10;=-1;=-9223372036854775808;=1;=-3", "", "[N, 4]");
  infer("Slice", "N 10;=8;=2;=-1", "", "[N, 0]");
  infer("Slice", "N 10;=0;=9223372036854775807", "", "[N, 10]");
  infer("Slice", "10 10;=0 2;=5 4", "", "[5, 2]");
  infer("Slice", "10;=0;=5;=0;=0", "", "!step of axis 0");
  infer("Slice", "10;=0;=5;=0;=9223372036854775807", "", "[1]");
  infer("Slice", "10;=0;=5;=0;=-9223372036854775808", "", "[0]");
  infer("Slice", "10;=0 1;=5", "", "!ends has 1");
  infer("Slice", "10;=0 1;=5 5;=0 0", "", "!twice");
  infer("Slice", "10;=0;=5;=1", "", "!1");
  infer("Slice", "10;i64:1;i64:1", "", "[slice_0]");
  infer("Pad", "N 3 4;=0 1 1 0 1 1", "", "[N, 5, 6]");
  infer("Pad", "N 3 4;=1 -1;-;=2", "", "[N, 3, 4]");
  infer("Pad", "N 3 4;=0 1 1 0 1", "", "!pads has 5");
  infer("Pad", "3;=-2 -2", "", "!padded to -1");
  infer("Pad", "0;=1 1", "mode=edge", "!padded to 2");
  infer("Pad", "3;=1 1", "mode=other", "!mode is");
  infer("Pad", "3;=1 1 1 1;-;=0 0", "", "!twice");
  infer("Gather", "N 10;=1", "axis=1", "[N, 1]");
  infer("Gather", "N 10;i32:K 2", "axis=1", "[N, K, 2]");
  infer("Gather", "N 10;=10", "axis=1", "!index 10");
  infer("Gather", "N 10;=1", "axis=2", "!2");
  infer("GatherElements", "5 4;i64:2 4", "", "[2, 4]");
  infer("GatherElements", "5 4;i64:2", "", "!rank 1");
  infer("GatherElements", "5 4;i64:2 5", "", "!size 5");
  infer("GatherND", "N 4 5;i64:N 7 1", "batch_dims=1", "[N, 7, 5]");
  infer("GatherND", "N 4 5;i64:7 4", "", "!tuples of 4");
  infer("GatherND", "N 4;i64:7 1", "batch_dims=2", "!batch_dims is 2");
}

static void test_scatter(void)
{
  infer("Trilu", "N 3 4", "", "[N, 3, 4]");
  infer("Trilu", "4", "", "!rank 1");
  infer("Trilu", "3 4;=1 2", "", "!2 elements");
  infer("ScatterElements", "N 4;i64:2 4;2 4", "", "[N, 4]");
  infer("ScatterElements", "5 4;i64:2;2", "", "!indices 1");
  infer("ScatterElements", "5 4;i64:2 5;2 5", "", "!size 5");
  infer("ScatterElements", "5 4;i64:2 4;3 4", "", "!2 and 3");
  infer("ScatterElements", "4;=4;1", "", "!index 4");
  infer("ScatterElements", "4;=1;1", "reduction=mean", "!mean");
  infer("ScatterElements", "str:4;=1;str:1", "reduction=add", "!of string");
  infer("Scatter", "N 4;i64:2 4;2 4", "axis=1", "[N, 4]");
  infer("ScatterND", "N 4 5;i64:7 1;7 4 5", "", "[N, 4, 5]");
  infer("ScatterND", "6 4 5;i64:7 4;7", "", "!tuples of 4");
  infer("ScatterND", "6 4 5;i64:7 1;7 4", "", "!rank 2");
  infer("ScatterND", "6 4 5;i64:7 1;7 4 4", "", "!updates, data");
  infer("TensorScatter", "N 8 4;N 2 4;i64:N", "", "[N, 8, 4]");
  infer("TensorScatter", "N 8 4;N 9 4", "", "!9 rows");
  infer("TensorScatter", "N 8 4;N 2 4", "axis=0", "!axis 0");
  infer("TensorScatter", "N 8 4;N 2 4", "mode=ring", "!ring");
}

static void test_topk(void)
{
  infer("TopK", "N 9;=3", "", "[N, 3]");
  infer("TopK", "N 9;=3", "axis=2", "!axis 2");
  infer("TopK", "N 9;=10", "", "!k is 10");
  infer("TopK", "N 9;=-1", "", "!k is -1");
  infer("TopK", "N 9;=1 2", "", "!2 elements");
  infer("TopK", "N 9;i64:1", "", "[N, topk_0]");
  infer("OneHot", "i64:N 2;=5;2", "", "[N, 2, 5]");
  infer("OneHot", "i64:N 2;=5;2", "axis=-3", "[5, N, 2]");
  infer("OneHot", "i64:N 2;=5;3", "", "!shape [3]");
  infer("OneHot", "i64:N 2;=-5;2", "", "!depth is -5");
  infer("OneHot", "i64:N 2;i64:1;2", "", "[N, 2, onehot_0]");
}

static void test_images(void)
{
  infer("Resize", "N 3 H W;-;-;=8 9", "axes=2,3", "[N, 3, 8, 9]");
  infer("Resize", "N 3 H W;-;-;=9 8", "axes=-1,-2", "[N, 3, 8, 9]");
  infer("Resize", "N 3;-;-;i64:2", "", "[resize_0_0, resize_0_1]");
  infer("Resize", "N 3 5;-;-;i64:2", "axes=1,2",
        "[N, resize_0_0, resize_0_1]");
  infer("Resize", "2 3;-;-;=4 4", "keep_aspect_ratio_policy=not_larger",
        "[3, 4]");
  infer("Resize", "2 3;-;-;=4 4", "keep_aspect_ratio_policy=not_smaller",
        "[4, 6]");
  infer("Resize", "2 3;-;-;=4", "", "!sizes, axes");
  infer("Resize", "2 3;-;-;=4 -4", "", "!sizes[1] is -4");
  infer("Resize", "2 3;-;-;=4 4", "axes=1,1", "!stands twice");
  infer("Resize", "2 3;-;-;-", "", "!both missing");
  infer("Resize", "0 3;-;-;=4 4", "", "!nothing to be resized");
  infer("Resize", "2 3;-;-;=4 4", "antialias=1", "!antialias");
  infer("GridSample", "N 3 8 9;N P Q 2", "", "[N, 3, P, Q]");
  infer("GridSample", "N 3 8 9;N P Q 3", "", "!3 and 2");
  infer("AffineGrid", "N 2 3;=5 1 7 8", "", "[5, 7, 8, 2]");
  infer("AffineGrid", "N 3 4;i64:5", "",
        "[N, affinegrid_0_2, affinegrid_0_3, affinegrid_0_4, 3]");
  infer("CenterCropPad", "N 8 9;=4 5", "axes=-1,-2", "[N, 5, 4]");
  infer("CenterCropPad", "N 8 9;=4 4 4", "axes=0,1", "!3 and 2");
  infer("Col2Im", "N 12 L;=5 6;=2 3", "", "[N, 2, 5, 6]");
  infer("Col2Im", "N 13 L;=5 6;=2 3", "", "!blocks of 6");
  infer("MaxUnpool", "N 2 H W;i64:N 2 H W", "kernel_shape=2,2 strides=2,2",
        "[N, 2, H*2, W*2]");
  infer("RoiAlign", "N 2 H W;R 4;i64:R", "output_height=3", "[R, 2, 3, 1]");
  infer("MaxRoiPool", "N 2 H W;R 4", "pooled_shape=2,2", "!4 and 5");
}

static void test_others(void)
{
  infer("Einsum", "N 3 4;N 4 5", "equation=bij,bjk->bki", "[N, 5, 3]");
  infer("Einsum", "N 3 4;7 4", "equation=i...k,jk", "[3, N, 7]");
  infer("Einsum", "N 3;N", "equation=ij,i->kj", "!in no operand");
  infer("Einsum", "N 3", "equation=i->i", "!as many labels");
  infer("Einsum", "3 4;5", "equation=ij,j->i", "!4 and 5");
  infer("ReverseSequence", "5 N 2;i64:N", "", "[5, N, 2]");
  infer("ReverseSequence", "5 3 2;i64:2", "", "!3 and 2");
  infer("ReverseSequence", "5 N;i64:N", "time_axis=1", "!batch_axis is 1");
  infer("Det", "N 3 3", "", "[N]");
  infer("Det", "N 3 4", "", "!3 and 4");
  infer("BitCast", "N 3", "to=6", "[N, 3]");
  infer("BitCast", "N 3", "to=7", "!has 32 bits");
}

static void test_shapes(void)
{
  infer("EyeLike", "N 3", "", "[N, 3]");
  infer("EyeLike", "N 3", "dtype=8", "!dtype is 8");
  infer("EyeLike", "N 3 4", "", "!rank 3");
  infer("Shape", "N 3 4", "", "[3]");
  infer("Shape", "N 3 4", "start=1", "[2]");
  infer("Shape", "N 3 4", "start=-1 end=9", "[1]");
  infer("Shape", "N 3 4", "start=2 end=1", "[0]");
  infer("Size", "N 3 4", "", "[]");
  infer("ConstantOfShape", "=2 3", "", "[2, 3]");
  infer("ConstantOfShape", "=-2", "", "!shape[0] is -2");
  infer("ConstantOfShape", "i64:2", "",
        "[constantofshape_0_0, constantofshape_0_1]");
  infer("Constant", "", "value_ints=1,2,3", "[3]");
  infer("Constant", "", "value_int=1", "[]");
  infer("Constant", "", "", "!no value");
  infer("Constant", "", "value_int=1 value_ints=1,", "!several");
}

/* A node of an old version is checked, brought to the newest, and inferred. */
static void old(const char *op, int version, const char *inputs,
                const char *attrs, const char *want)
{
  m = model_new(NULL, "m");
  Node *n = build_node(op, inputs, attrs, strcmp(op, "Split") ? 1 : 2);
  n->version = version;
  schema_check(m->main);
  upgrade_graph(m->main);
  infer_graph(m->main);
  const char *text = m->diags ? m->diags->text : "no error";
  if (*want == '!') CHECK(strstr(text, want + 1) != NULL);
  else CHECK(m->nerror == 0);
  if (*want != '!' && m->nerror) printf("  %s-%d: %s\n", op, version, text);
  if (*want != '!') CHECK_STR(value_shape_text(n->out[0]), want);
  CHECK(*want == '!' || n->version > version);
  model_free(m);
}

static void test_old(void)
{
  old("Reshape", 1, "2 3", "shape=3,-1", "[3, 2]");
  old("Reshape", 1, "2 3", "shape=0,-1 consumed_inputs=0,", "[2, 3]");
  old("Reshape", 1, "2 3", "", "!attribute shape is missing");
  old("Reshape", 5, "N 3;=-1", "", "[N*3]");
  old("Flatten", 1, "N 3 4", "axis=2", "[N*3, 4]");
  old("Squeeze", 1, "N 1 1", "axes=1,", "[N, 1]");
  old("Squeeze", 1, "N 1 1", "", "[N]");
  old("Squeeze", 11, "N 1 1", "axes=-1,", "[N, 1]");
  old("Unsqueeze", 1, "N 4", "axes=0,3", "[1, N, 4, 1]");
  old("Unsqueeze", 11, "N 4", "axes=-1,", "[N, 4, 1]");
  old("Unsqueeze", 1, "N 4", "", "!axes is missing");
  old("Concat", 1, "N 4;N 5", "", "[N, 9]");
  old("Concat", 4, "4 N;5 N", "axis=0", "[9, N]");
  old("Split", 1, "N 4;f32:3", "axis=1", "!numbers of split, and outputs");
  old("Split", 1, "4 N", "", "[2, N]");
  old("Split", 2, "4 N", "split=1,3", "[1, N]");
  old("Split", 11, "4 N", "split=1,3 axis=-2", "[1, N]");
  old("Split", 13, "4 N", "", "[2, N]");
  old("Slice", 1, "N 9 9", "starts=1,-3 ends=5,99 axes=1,2", "[N, 4, 3]");
  old("Slice", 1, "9 9", "starts=1,0 ends=-1,9", "[7, 9]");
  old("Slice", 1, "9 9", "starts=1,", "!attribute ends is missing");
  old("Slice", 10, "9;=0;=9;=0;=2", "", "[5]");
  old("Pad", 1, "N 3", "paddings=0,1,0,2 mode=edge", "[N, 6]");
  old("Pad", 2, "N 3", "pads=0,1,0,2", "[N, 6]");
  old("Pad", 2, "N 3", "", "!attribute pads is missing");
  old("Pad", 11, "N 3;=0 1 0 2", "", "[N, 6]");
  old("Tile", 6, "N 3;=1 2", "", "[N, 6]");
  old("Gather", 1, "N 3;=1 2 0", "axis=1", "[N, 3]");
  old("Shape", 1, "N 3", "", "[2]");
  old("Dropout", 1, "N 3", "is_test=1 consumed_inputs=0,", "[N, 3]");
  old("Dropout", 6, "N 3", "", "[N, 3]");
  old("Dropout", 10, "N 3", "", "[N, 3]");
  /* What a version does not have yet is refused. */
  old("Reshape", 5, "2 3;=2 3", "allowzero=1", "!allowzero");
  old("Squeeze", 11, "N 1;=1", "", "!at most 1");
  old("Pad", 2, "i64:N 3", "pads=0,1,0,2", "!has type int64");
  old("Concat", 1, "i64:2;i64:2", "axis=0", "!has type int64");
}

/* Tile-1 has an axis and a count, of the data's type; Pad-2 a value; the mask
 * of Dropout-7 is of the data's type. */
static void test_old_content(void)
{
  m = model_new(NULL, "m");
  Node *tile = build_node("Tile", "N 3", "", 1);
  tile->version = 1;
  node_set_input(tile, 1, value_const_scalar(m->main, "t", DT_F32, 2));
  node_set_input(tile, 2, value_const_scalar(m->main, "a", DT_F32, 1));
  Node *pad = build_node("Pad", "N 3", "pads=0,0,0,1", 1);
  pad->version = 2;
  attr_set_float(pad, "value", 0.5f);
  Node *drop = build_node("Dropout", "N 3", "", 2);
  drop->version = 7;
  schema_check(m->main);
  upgrade_graph(m->main);
  infer_graph(m->main);
  if (!CHECK(m->nerror == 0)) printf("  %s\n", m->diags->text);
  CHECK_STR(value_shape_text(tile->out[0]), "[N, 6]");
  const Value *fill = node_in(pad, 2);
  CHECK(fill && fill->data && tensor_f64(fill->data, 0) == 0.5);
  CHECK(drop->out[1]->dtype == DT_F32);
  model_free(m);
}

/* Where axis `axis` of input 0 comes out. */
static void axis(const char *op, const char *inputs, const char *attrs,
                 const char *want)
{
  int64_t v[MAX_RANK];
  int n = build_numbers(want, v);
  m = model_new(NULL, "m");
  Node *node = build_node(op, inputs, attrs, 1);
  infer_node(node);
  for (int i = 0; i < n; i++)
    if (!CHECK_INT(node->op->axis(node, 0, i, 0), v[i]))
      printf("  %s(%s), axis %d\n", op, inputs, i);
  model_free(m);
}

static void test_axis(void)
{
  axis("Reshape", "N 3 4;=0 -1", "", "0 1 -1");
  axis("Reshape", "N 3 4;=-1 4", "", "0 -1 1");
  axis("Reshape", "2 N 4;=2 -1 2", "", "0 1 -1");
  axis("Reshape", "N S 4;=-1 4", "", "0 -1 1");
  axis("Unsqueeze", "N 4;=0", "", "1 2");
  axis("Resize", "N 3 8;-;-;=5 8", "axes=1,2", "0 -1 2");
  axis("Squeeze", "1 N 4;=0", "", "0 0 1");
  axis("Flatten", "N 3 4", "", "0 1 -1");
  axis("Transpose", "N 3 4", "perm=2,0,1", "1 2 0");
  axis("Transpose", "N 3 4", "", "2 1 0");
  axis("SpaceToDepth", "N 3 4 4", "blocksize=2", "0 -1 -1 -1");
  axis("Concat", "N 3;N 4", "axis=1", "0 -1");
  axis("Split", "N 3", "axis=1", "0 -1");
  axis("Slice", "N 3 4;=0;=2;=-2", "", "0 -1 2");
  axis("Slice", "N 3 4;=0;=2", "", "-1 1 2");
  axis("Pad", "N 3 4;=0 1 0 0 -1 0", "", "0 -1 2");
  axis("Pad", "N 3 4;=1 1;-;=1", "", "0 -1 2");
  axis("Gather", "N 3 4;=0 1", "axis=1", "0 -1 2");
  axis("Expand", "N 1;=5 1 4", "", "1 -1");
  axis("Tile", "N 3;=1 2", "", "0 -1");
}

/* The node between transposed tensors gives the transposed result. */
static void permute(const char *op, const char *inputs, const char *permuted,
                    const char *attrs, const char *want)
{
  static const int perm[] = {0, 2, 3, 1};
  m = model_new(NULL, "m");
  Node *n = build_node(op, inputs, attrs, 1);
  infer_node(n);
  CHECK(n->op->permute(n, perm, 4));
  node_set_input(n, 0, build_value(permuted));
  if (!strcmp(op, "Concat")) node_set_input(n, 1, n->in[0]);
  infer_node(n);
  if (!CHECK(m->nerror == 0)) printf("  %s\n", m->diags->text);
  CHECK_STR(value_shape_text(n->out[0]), want);
  CHECK(!n->op->permute(n, perm, 3));
  model_free(m);
}

static void test_permute(void)
{
  permute("Resize", "N 3 8 9;-;-;=4 5", "N 8 9 3", "axes=2,3",
          "[N, 4, 5, 3]");
  permute("Concat", "N 3 5 7;N 3 5 7", "N 5 7 3", "axis=1", "[N, 5, 7, 6]");
  permute("Split", "N 4 5 7", "N 5 7 4", "axis=1 num_outputs=1",
          "[N, 5, 7, 4]");
  permute("Slice", "N 3 5 7;=1 1;=2 9;=1 3", "N 5 7 3", "", "[N, 5, 6, 1]");
  permute("Slice", "N 3 5 7;=0 1;=9223372036854775807 2", "N 5 7 3", "",
          "[N, 5, 7, 1]");
  permute("Pad", "N 3 5 7;=0 0 1 2 0 0 1 2", "N 5 7 3", "", "[N, 7, 11, 3]");
  permute("Pad", "N 3 5 7;=1 1;-;=-3", "N 5 7 3", "", "[N, 5, 7, 5]");
}

/* Any inputs and attributes: a message or a result, and the hooks answer. */
static void test_hostile(void)
{
  static const struct { const char *name; unsigned nin, nout; } ops[] = {
    {"Reshape", 2, 1}, {"Flatten", 1, 1}, {"Squeeze", 2, 1},
    {"Unsqueeze", 2, 1}, {"Identity", 1, 1}, {"Dropout", 1, 2},
    {"Transpose", 1, 1}, {"Concat", 3, 1}, {"Split", 2, 3}, {"Slice", 5, 1},
    {"Pad", 2, 1}, {"Expand", 2, 1}, {"Tile", 2, 1}, {"Shape", 1, 1},
    {"Size", 1, 1}, {"Gather", 2, 1}, {"GatherElements", 2, 1},
    {"GatherND", 2, 1}, {"ConstantOfShape", 1, 1}, {"Range", 3, 1},
    {"Trilu", 2, 1}, {"EyeLike", 1, 1}, {"ScatterElements", 3, 1},
    {"ScatterND", 3, 1}, {"TensorScatter", 3, 1},
    {"TopK", 2, 2}, {"OneHot", 3, 1}};
  static const char *const in[] = {"-", "N 3 4", "N", "", "2 0 3", "i64:2",
    "i64:", "i64:1 2 1", "i32:3", "=0", "=-1 1", "=", "=9223372036854775807",
    "=-9223372036854775808 1 -1", "=1 1 1 1 1 1 1 1 1 1 1 1 1 1", "bool:",
    "=3 4611686018427387904 8", "1 1 1 1 1 1 1 1 1 1 1 1", "str:2 2", "2 3 4"};
  static const char *const attrs[] = {"", "axis=-9223372036854775808", "axis=1",
    "axis=0 batch_dims=1", "perm=0,0", "perm=2,1,0", "num_outputs=2",
    "num_outputs=-1", "mode=wrap", "mode=reflect", "allowzero=1",
    "start=9223372036854775807 end=-9223372036854775808"};
  static const int perm[] = {2, 0, 1};
  unsigned seed = 7;
  int bad = 0, good = 0;
  for (int i = 0; i < 60000; i++) {
    unsigned r[6];
    for (int k = 0; k < 6; k++)
      r[k] = (seed = seed * 1103515245u + 12345) >> 10;
    m = model_new(NULL, "m");
    unsigned k = r[3] % COUNT(ops);
    const char *text = in[r[0] % COUNT(in)];
    for (unsigned j = 1; j < 1 + r[1] % ops[k].nin; j++)
      text = arena_printf(&m->arena, "%s;%s", text,
                          in[(r[2] >> 3 * j) % COUNT(in)]);
    Node *n = build_node(ops[k].name, text, attrs[r[4] % COUNT(attrs)],
                         1 + (int)(r[5] % ops[k].nout));
    /* An attribute of another operator would end it here. */
    for (int j = n->nattr - 1; j >= 0 && r[4] % 8; j--)
      if (!strstr(op_row_text(n->op, op_row(n->op, n->version), ROW_ATTRS),
                  n->attr[j].name))
        attr_remove(n, n->attr[j].name);
    schema_check(m->main);
    if (!m->nerror) infer_graph(m->main);
    bad += m->nerror > 0;
    good += m->nerror == 0;
    Value *x = node_in(n, 0), *y = node_out(n, 0);
    if (!m->nerror && x && y->rank >= 0) {
      eval_node(n);
      op_is_view(n);
      for (int a = 0; n->op->axis && a < x->rank; a++)
        if (n->op->axis(n, 0, a, 0) >= y->rank) CHECK(0);
      if (n->op->permute && x->rank == 3) n->op->permute(n, perm, 3);
      infer_node(n);
    }
    model_free(m);
  }
  if (!CHECK(bad > 1000 && good > 1000)) printf("  %d %d\n", bad, good);
}

int main(void)
{
  test_views();
  test_moves();
  test_cuts();
  test_scatter();
  test_topk();
  test_images();
  test_others();
  test_shapes();
  test_old();
  test_old_content();
  test_axis();
  test_permute();
  test_hostile();
  return test_end();
}
