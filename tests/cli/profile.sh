#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --hooks: each step of the generated code calls its caller before and after.
# bench --profile: what that tells of times; hot_nodes.py: which are too many.
. "$(dirname "$0")/lib.sh"
net=$zoo/tiny_resnet8

expect 0 "$ONNX2C" "$net/model.onnx" -o net.c --bundle --hooks --batch 1
cat >main.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "net.h"
static const char *open_step;
static int steps, wrong;
static void hook(void *user, uint32_t node, const char *name, int end)
{
  if (user != (void *)&steps || node > 29) wrong++;
  if ((end != 0) != (open_step != NULL)) wrong++;
  if (end && strcmp(open_step, name)) wrong++;
  steps += !end;
  open_step = end ? NULL : name;
}
int main(void)
{
  const o2c_model *m = net_model();
  o2c_hooks hooks;
  o2c_config cfg;
  int64_t none = 0;
  void *mem = malloc(m->ctx_size), *ctx, *work = NULL;
  void *x = calloc(4, 32 * 32 * 3), *y = calloc(4, 10);
  const void *in[1];
  void *out[1];
  hooks.user = &steps;
  hooks.node = hook;
  memset(&cfg, 0, sizeof cfg);
  cfg.size = sizeof cfg;
  cfg.workspace_size = m->workspace_size(&none, 1);
  if (posix_memalign(&work, m->workspace_align, cfg.workspace_size)) return 1;
  cfg.workspace = work;
  in[0] = x;
  out[0] = y;
  cfg.hooks = &hooks;
  if (m->init(mem, m->ctx_size, &cfg, &ctx) != O2C_OK) return 2;
  if (m->run(ctx, &none, in, out) != O2C_OK) return 3;
  printf("%d steps, %d wrong ones\n", steps, wrong);
  cfg.hooks = NULL;
  if (m->init(mem, m->ctx_size, &cfg, &ctx) != O2C_OK) return 4;
  if (m->run(ctx, &none, in, out) != O2C_OK) return 5;
  printf("without: %d steps\n", steps);
  return 0;
}
END
calls=$(grep -c '^  hook(ctx, .*, 0);$' net.c)
[ "$calls" -gt 5 ] || fail "net.c calls hooks $calls times only"
# shellcheck disable=SC2086
expect 0 gcc $STRICT -D_POSIX_C_SOURCE=200809L -O1 -I. main.c net.c -o hooked \
  -lm
expect 0 ./hooked
says "$calls steps, 0 wrong ones"
says "without: $calls steps"
expect 0 "$ONNX2C" "$net/model.onnx" -o plain.c --batch 1
if grep -q 'hook(' plain.c; then fail "hooks without --hooks"; fi

expect 0 "$ONNX2C" bench "$net" --profile --runs 3
says "operator"
says "on reference kernels"
expect 0 "$ONNX2C" bench "$net" --profile --json --runs 3 \
  --data "$net/test_data_set_1"
"$PYTHON" -c '
import json, sys
d = json.load(open(sys.argv[1]))
steps = d["steps"]
assert d["runs"] == 3 and d["min_ns"] > 0, d
assert len(steps) == int(sys.argv[2]), (len(steps), sys.argv[2])
assert len({s["step"] for s in steps}) == len(steps)
assert abs(sum(s["share"] for s in steps) - 1) < 1e-3
assert all(a["min_ns"] >= b["min_ns"] for a, b in zip(steps, steps[1:]))
assert {"FusedConv"} <= {s["operator"] for s in steps}
for s in steps:
    assert s["kernel"] and s["output"].startswith("f32 ["), s
    assert s["reference"] == s["kernel"].startswith("ref"), s' log "$calls" ||
  fail "bench --profile --json"
expect 5 "$ONNX2C" bench "$net" --profile --data "$net/test_data_set_99"

hot="$PYTHON $ROOT/tests/bench/hot_nodes.py --onnx2c $ONNX2C --runs 3"
# shellcheck disable=SC2086
expect 0 $hot "$net"
says "no node"
"$PYTHON" "$ROOT/tests/cli/make_models.py" reference_only ref.onnx
# shellcheck disable=SC2086
expect 1 $hot ref.onnx
says "node 0 Det (ref det"
# shellcheck disable=SC2086
expect 0 $hot --allow Det ref.onnx
