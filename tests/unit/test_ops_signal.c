/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes, refusals, upgrades and batch axes of windows, MelWeightMatrix, DFT,
 * STFT and the random operators: one line a case. */
#include "irbuild.h"

/* Checked as a version (0: the newest), upgraded and inferred. `want` is the
 * shape and type of the output; "!text": an error that contains it. */
static void infer(const char *op, int version, const char *inputs,
                  const char *attrs, const char *want)
{
  m = model_new(NULL, "m");
  Node *n = build_node(op, inputs, attrs, 1);
  if (version) n->version = version;
  schema_check(m->main);
  infer_graph(m->main);
  const char *text = m->diags ? m->diags->text : "no error";
  if (*want == '!') {
    if (!CHECK(m->nerror && strstr(text, want + 1)))
      printf("  %s(%s): %s\n", op, inputs, text);
  } else if (!CHECK(!m->nerror)) {
    printf("  %s(%s): %s\n", op, inputs, text);
  } else {
    const Value *y = n->out[0];
    const char *got = arena_printf(&m->arena, "%s %s", value_shape_text(y),
                                   dtype_info(y->dtype)->name);
    CHECK_STR(got, want);
  }
  model_free(m);
}

static void axis(const char *op, const char *inputs, const char *attrs, int in,
                 int at, int want)
{
  m = model_new(NULL, "m");
  Node *n = build_node(op, inputs, attrs, 1);
  infer_graph(m->main);
  CHECK(n->op->axis(n, in, at, 0) == want);
  model_free(m);
}

static void test_tables(void)
{
  infer("HannWindow", 17, "=10", "", "[10] f32");
  infer("HammingWindow", 17, "=10", "output_datatype=16", "[10] bf16");
  infer("BlackmanWindow", 17, "=10", "output_datatype=3", "[10] i8");
  infer("BlackmanWindow", 17, "i32:", "", "[blackmanwindow_0] f32");
  infer("HannWindow", 17, "=-1", "", "!size 0 of the output is -1");
  infer("HannWindow", 17, "=1 2", "", "!the size has 2 elements");
  infer("HannWindow", 17, "=4", "output_datatype=9", "!output_datatype is 9");
  infer("HannWindow", 17, "f32:", "", "!has type float");
  infer("MelWeightMatrix", 17, "=8;=17;=8192;f32:;f32:", "", "[9, 8] f32");
  infer("MelWeightMatrix", 17, "=8;=17;i64:2;f32:;f32:", "",
        "!the sample rate has 2 elements");
  infer("MelWeightMatrix", 17, "i64:;i64:1;=8192;f32:;f32:", "",
        "[melweightmatrix_0_0, melweightmatrix_0_1] f32");
}

static void test_dft(void)
{
  infer("DFT", 17, "N 8 6 1", "", "[N, 8, 6, 2] f32");
  infer("DFT", 17, "N 8 6 1", "onesided=1", "[N, 5, 6, 2] f32");
  infer("DFT", 17, "N 8 6 1;=12", "axis=2 onesided=1", "[N, 8, 7, 2] f32");
  infer("DFT", 17, "N 8 6 1", "axis=3", "!axis is the last one");
  infer("DFT", 20, "N 8 2", "", "[N, 8, 2] f32");
  infer("DFT", 20, "f64:N K 2", "inverse=1 onesided=1", "[N, K*2 - 2, 1] f64");
  infer("DFT", 20, "N 5 2;=9", "inverse=1 onesided=1", "[N, 9, 1] f32");
  infer("DFT", 20, "N 8 1;-;=0", "onesided=1", "[(N / 2) + 1, 8, 2] f32");
  infer("DFT", 20, "N 8 1;i64:", "", "[N, dft_0_1, 2] f32");
  infer("DFT", 20, "N 8 2", "onesided=1", "!the signal is complex");
  infer("DFT", 20, "N 8 1", "onesided=1 inverse=1", "!the signal is real");
  infer("DFT", 20, "N 8 3", "", "!the last of 1 or 2");
  infer("DFT", 20, "N 8 K", "", "!fix it to 1");
  infer("DFT", 20, "N 8 1;=0", "", "!length of the transform is 0");
  infer("DFT", 20, "N 8 1;=1 2", "", "!dft_length has 2 elements");
  infer("DFT", 20, "N 8 1;-;=5", "", "!5");
  axis("DFT", "N 8 4 1", "", 0, 0, 0);
  axis("DFT", "N 8 4 1", "", 0, 1, 1);
  axis("DFT", "N 8 4 1", "", 0, 2, AXIS_MIXES);
  axis("DFT", "N 8 4 1", "", 0, 3, AXIS_MIXES);
  axis("DFT", "N 8 4 1;-;i64:", "", 0, 0, AXIS_MIXES);
}

static void test_stft(void)
{
  infer("STFT", 17, "N 128 1;=8;-;=16", "", "[N, 15, 9, 2] f32");
  infer("STFT", 17, "N 128 2;=8;16", "onesided=0", "[N, 15, 16, 2] f32");
  infer("STFT", 17, "N 128 1;=8", "", "[N, 1, 65, 2] f32");
  infer("STFT", 17, "N 8 1;=8;-;=16", "", "[N, 0, 9, 2] f32");
  infer("STFT", 17, "N 128 1;i64:;-;=16", "", "[N, stft_0_0, 9, 2] f32");
  infer("STFT", 17, "N 128 1;=8;16;=15", "", "!frame_length, the window");
  infer("STFT", 17, "N 128 1;=0;16", "", "!frame_step is 0");
  infer("STFT", 17, "N 128 2;=8;16", "", "!the signal is complex");
  infer("STFT", 17, "N 4 128 1;=8;16", "", "!the signal has rank 4");
  infer("STFT", 17, "N 128 1;=8;1 16", "", "!the window has rank 2");
  axis("STFT", "N 128 1;=8;16", "", 0, 0, 0);
  axis("STFT", "N 128 1;=8;16", "", 0, 1, AXIS_MIXES);
}

static void test_random(void)
{
  infer("RandomNormal", 1, "", "shape=2,3", "[2, 3] f32");
  infer("RandomUniform", 22, "", "shape=2,3 dtype=16", "[2, 3] bf16");
  infer("RandomNormal", 1, "", "", "!'shape' is missing");
  infer("RandomNormal", 1, "", "shape=2,-3", "!shape[1] is -3");
  infer("RandomUniform", 1, "", "shape=2, dtype=7", "!dtype is 7");
  infer("RandomNormalLike", 1, "f64:N 3", "", "[N, 3] f64");
  infer("RandomUniformLike", 22, "str:N 3", "dtype=10", "[N, 3] f16");
  infer("RandomUniformLike", 22, "i64:N 3", "", "!give a dtype");
  infer("Bernoulli", 15, "f16:N 3", "", "[N, 3] f16");
  infer("Bernoulli", 22, "N 3", "dtype=9", "[N, 3] bool");
  infer("Bernoulli", 22, "N 3", "dtype=8", "!dtype is 8");
  infer("Multinomial", 7, "N 3", "sample_size=5", "[N, 5] i32");
  infer("Multinomial", 22, "N 3", "dtype=7", "[N, 1] i64");
  infer("Multinomial", 7, "N 3", "dtype=1", "!dtype is 1");
  infer("Multinomial", 7, "N 3 4", "", "!input has rank 3");
  infer("Multinomial", 7, "N 3", "sample_size=-1", "!sample_size is -1");
}

int main(void)
{
  test_tables();
  test_dft();
  test_stft();
  test_random();
  return test_end();
}
