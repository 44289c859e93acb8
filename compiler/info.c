/* SPDX-License-Identifier: Apache-2.0 */
/* What `onnx2c info` and --report say of a model: its ports and dimensions,
 * the operators of the file, and of the plan the batch law, the weights, the
 * workspace beside its lower bound, and each step's kernel and work.
 *
 * A Report is gathered once and printed as text or JSON. Where the model has
 * no plan, since something in it is not supported, the plan's part is left
 * out. Counts of work and memory are of one block of the batch law.
 */
#include "file_graph.h"
#include "target.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  Value **v;
  const char *const *name;
  const Dim *const *const *dim; /* before the batch got its block value */
  int n;
  const Graph *zips;            /* of outputs: which are maps */
} Ports;
typedef struct { const char *name; int n; } OpCount;
typedef struct {
  Model *m;
  Plan *p;                      /* NULL: none could be made */
  Ports in, out;
  OpCount *op;                  /* operators as the file has them */
  int nop, nodes;
  int64_t parameters, parameter_bytes;
  const Dim *macs;
} Report;

static int more_first(const void *a, const void *b)
{
  const OpCount *x = a, *y = b;
  return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->name, y->name);
}

static void count_ops(Report *r)
{
  Map map;
  map_init(&map, &r->m->arena);
  file_graph_count(r->m, &map);
  for (const Node *x = r->m->main->first; x; x = x->next) r->nodes++;
  r->op = NEW(&r->m->arena, OpCount, map.n + 1);
  r->nop = map.n;
  for (int i = 0; i < map.n; i++)
    r->op[i] = (OpCount){map.slot[i].key, *(int *)map.slot[i].value};
  qsort(r->op, (size_t)r->nop, sizeof *r->op, more_first);
}

/* Constants that computation reads: no shapes, nothing padded by packing. */
static void count_parameters(Report *r)
{
  bool *seen = NEW(&r->m->arena, bool, r->m->nvalue + 1);
  for (const Node *n = r->m->main->first; n; n = n->next)
    for (int i = 0; i < n->nin; i++) {
      const Value *v = n->in[i];
      if (!v || !v->data || seen[v->id] || (i > 0 && op_is_view(n))) continue;
      seen[v->id] = true;
      r->parameters += v->data->n;
      r->parameter_bytes += v->data->n * dtype_info(v->dtype)->size;
    }
}

static bool is_product(const Node *n)
{
  return node_is(n, "Gemm") || node_is(n, "MatMul") ||
         node_is(n, "MatMulInteger") || node_is(n, "QLinearMatMul") ||
         node_is_internal(n, "FusedGemm") || node_is_internal(n, "QGemm");
}

/* Multiplications with addition of a convolution or product, as the model
 * says them; 0 for every other operator. */
static const Dim *node_macs(const Node *n)
{
  DimPool *p = &n->g->m->dims;
  const Value *x = node_in(n, 0), *y = node_out(n, 0);
  ConvGeom g;
  if (!x || !y || x->rank < 1 || y->rank < 1) return dim_int(p, 0);
  if (strstr(n->op_type, "ConvTranspose")) {
    if (!conv_transpose_geometry(n, &g)) return dim_int(p, 0);
  } else if (strstr(n->op_type, "Conv")) {
    if (!conv_geometry(n, &g)) return dim_int(p, 0);
  } else if (is_product(n)) {
    bool turned = node_is(n, "Gemm") && attr_int(n, "transA", 0);
    const Dim *k = x->dim[turned ? 0 : x->rank - 1];
    return dim_mul(p, value_numel(y), k);
  } else {
    return dim_int(p, 0);
  }
  bool turned = strstr(n->op_type, "ConvTranspose") != NULL;
  int64_t taps = 1, across;
  for (int i = 0; i < g.n; i++) taps *= g.kernel[i];
  if (!dim_is_int(turned ? g.filters : g.channels, &across))
    return dim_int(p, 0);
  return dim_mul(p, value_numel(turned ? x : y),
                 dim_int(p, taps * (across / g.group)));
}

static void sum_macs(Report *r)
{
  DimPool *p = &r->m->dims;
  r->macs = dim_int(p, 0);
  for (const Node *n = r->m->main->first; n; n = n->next)
    r->macs = dim_add(p, r->macs, node_macs(n));
}

static const Dim *const *const *copy_dims(Arena *a, Value **v, int n)
{
  const Dim *const **all = NEW(a, const Dim *const *, n);
  for (int i = 0; i < n; i++) {
    const Dim **d = NEW(a, const Dim *, v[i]->rank + 1);
    for (int k = 0; k < v[i]->rank; k++) d[k] = v[i]->dim[k];
    all[i] = d;
  }
  return (const Dim *const *const *)all;
}

/* Before the plan is made, which changes outputs and dimensions. */
static void read_ports(Report *r)
{
  Graph *g = r->m->main;
  Arena *a = &r->m->arena;
  Value **out = NEW(a, Value *, g->nout);
  memcpy(out, g->out, sizeof *out * (size_t)g->nout);
  r->in = (Ports){g->in, (const char *const *)g->in_name,
                  copy_dims(a, g->in, g->nin), g->nin, NULL};
  r->out = (Ports){out, (const char *const *)g->out_name,
                   copy_dims(a, out, g->nout), g->nout, g};
}

/* The symbols that the inputs have: what a caller gives. */
static bool is_argument(const Report *r, int sym)
{
  for (int i = 0; i < r->in.n; i++)
    for (int k = 0; k < r->in.v[i]->rank; k++)
      if (dim_has(&r->m->dims, r->in.dim[i][k], sym)) return true;
  return false;
}

/* "node 12 'conv1' (Conv-11)", every node of the file that became this one. */
static void put_origin(StrBuf *b, Arena *a, const Node *n)
{
  for (const Origin *o = n->origin; o; o = o->next) {
    sb_printf(b, "%d %s-%d", o->index, quote(a, o->op), o->version);
    if (o->next) sb_puts(b, " + ");
  }
  if (!n->origin) sb_puts(b, n->op_type);
}

static const char *text_of(Arena *a, StrBuf *b)
{
  const char *s = arena_strn(a, b->s ? b->s : "", b->n);
  sb_free(b);
  return s;
}

static const char *origin_text(Arena *a, const Node *n)
{
  StrBuf b;
  sb_init(&b, a);
  put_origin(&b, a, n);
  return text_of(a, &b);
}

static const Value *step_result(const Step *s)
{
  for (int i = 0; i < s->nptr; i++)
    if (s->ptr[i].kind == SP_OUT) return s->ptr[i].v;
  return NULL;
}

/* Of a node with several steps the first one has its work, where lowering has
 * not counted it. */
static const Dim *step_macs(const Report *r, const Step *s)
{
  if (s->macs) return dim_int(&r->m->dims, s->macs);
  for (const Step *t = r->p->first; t != s; t = t->next)
    if (t->node == s->node) return dim_int(&r->m->dims, 0);
  return node_macs(s->node);
}

static const char *law_word(const Plan *p)
{
  if (p->block == 1) return "per-sample";
  return p->block ? "blocks" : "whole";
}

static const char *mode_word(const Plan *p)
{
  static const char *const word[] = {"array", "string", "object", "incbin",
                                     "file"};
  return word[weights_mode(p)];
}

static const char *port_type(Arena *a, const Value *v)
{
  return v->kind != VK_TENSOR ? type_text(a, v->declared)
                              : dtype_info(v->dtype)->onnx;
}

static void text_ports(StrBuf *b, Report *r, const char *what, const Ports *p)
{
  Arena *a = &r->m->arena;
  for (int i = 0; i < p->n; i++) {
    const Zip *z = p->zips ? graph_zip(p->zips, i) : NULL;
    if (z)
      sb_printf(b, "%s %s: %s of %lld constant keys, values", what,
                quote(a, p->name[i]), type_text(a, z->type),
                (long long)z->keys->n);
    if (z)
      sb_printf(b, " float %s\n",
                dims_text(&r->m->dims, p->v[i]->rank, p->dim[i]));
    else
      sb_printf(b, "%s %s: %s%s\n", what, quote(a, p->name[i]),
              port_type(a, p->v[i]), p->v[i]->kind != VK_TENSOR ? "" :
              p->v[i]->rank < 0 ? " [?]" : arena_printf(a, " %s",
              dims_text(&r->m->dims, p->v[i]->rank, p->dim[i])));
  }
}

/* Sizes that steps find in their data, and what there must be room for. */
static void text_capacities(StrBuf *b, const Report *r)
{
  DimPool *d = &r->m->dims;
  for (int i = 0; r->p && i < r->p->nfound; i++) {
    const Sym *s = &d->sym[r->p->found[i]];
    sb_printf(b, "capacity  %s: found at run time, ",
              quote(&r->m->arena, s->c_name));
    sb_puts(b, s->field ? "room by the caller" : "room by its bound");
    if (s->bound) sb_printf(b, ", at most %s", dim_text(d, s->bound));
    sb_puts(b, "\n");
  }
}

/* What sizes have to satisfy, or the run ends in O2C_E_DIMS; unify.c. */
static void text_conditions(StrBuf *b, const Report *r)
{
  DimPool *d = &r->m->dims;
  for (int i = 0; i < d->nequal; i++)
    if (d->equal[i].a != d->equal[i].b)
      sb_printf(b, "condition %s = %s\n", dim_text(d, d->equal[i].a),
                dim_text(d, d->equal[i].b));
}

static void text_model(StrBuf *b, Report *r)
{
  Model *m = r->m;
  Arena *a = &m->arena;
  sb_printf(b, "%s: IR version %lld, opset", quote(a, m->file),
            (long long)m->ir_version);
  for (int i = 0; i < m->nopset; i++)
    sb_printf(b, "%s %s%s%d", i ? "," : "",
              *m->opset[i].domain ? quote(a, m->opset[i].domain) : "",
              *m->opset[i].domain ? " " : "", m->opset[i].version);
  sb_puts(b, "\n");
  text_ports(b, r, "input ", &r->in);
  text_ports(b, r, "output", &r->out);
  for (int i = 0; i < m->dims.nsym; i++) {
    const Sym *s = &m->dims.sym[i];
    if (!is_argument(r, i)) continue;
    sb_printf(b, "dimension %s: %s at run time", quote(a, s->name), s->c_name);
    if (s->max) sb_printf(b, ", at most %lld", (long long)s->max);
    sb_puts(b, "\n");
  }
  text_capacities(b, r);
  text_conditions(b, r);
  sb_puts(b, "\noperators of the file\n");
  for (int i = 0; i < r->nop; i++)
    sb_printf(b, "  %5d %s\n", r->op[i].n, quote(a, r->op[i].name));
  sb_printf(b, "  %d nodes after optimisation, %lld parameters in %lld bytes\n",
            r->nodes, (long long)r->parameters,
            (long long)r->parameter_bytes);
}

static void text_law(StrBuf *b, const Report *r)
{
  const Plan *p = r->p;
  Arena *a = &r->m->arena;
  sb_puts(b, "\nbatch      ");
  const char *name = p->batch < 0 ? "" :
                     quote(a, r->m->dims.sym[p->batch].name);
  if (p->batch < 0)
    sb_puts(b, "no input starts with a run-time dimension\n");
  else if (p->block == 1)
    sb_printf(b, "one sample of %s at a time\n", name);
  else if (p->block)
    sb_printf(b, "%s samples of %s at a time\n",
              dim_text(&r->m->dims, p->rows), name);
  else if (p->mixes)
    sb_printf(b, "all of %s at once: samples mix at node %s\n", name,
              origin_text(a, p->mixes));
  else
    sb_printf(b, "all of %s at once: an input or output does not start "
              "with it\n", name);
}

static void text_sizes(StrBuf *b, const Report *r)
{
  Plan *p = r->p;
  text_law(b, r);
  for (int i = 0; i < p->nlevel; i++)
    sb_printf(b, "%s%s%s", i ? ", " : "targets    ", p->level[i]->name,
              i + 1 < p->nlevel ? "" : "\n");
  sb_printf(b, "work       %s MAC%s\n", dim_text(&r->m->dims, r->macs),
            p->block == 1 ? " a sample" : "");
  sb_printf(b, "weights    %lld bytes, mode %s\n", (long long)p->weight_bytes,
            mode_word(p));
  if (!p->arena_static) {
    sb_printf(b, "workspace  %s bytes%s\n", info_formula(p),
              info_room_text(p));
    info_device_text(b, p);
    return;
  }
  sb_printf(b, "workspace  %lld bytes%s; lower bound %lld",
            (long long)plan_workspace(p), p->block ? " a worker" : "",
            (long long)p->arena_bound + p->head_bytes);
  if (p->arena_bound)
    sb_printf(b, ", ratio %.3f",
              (double)p->arena_bytes / (double)p->arena_bound);
  sb_puts(b, "\n");
  info_device_text(b, p);
}

enum { COLUMNS = 9, MEASURED = 6 };

/* A table whose columns are as wide as their longest cell; the fourth to
 * seventh hold numbers, the last one has an open end. */
static void text_table(StrBuf *b, const char *(*row)[COLUMNS], int n)
{
  int width[COLUMNS] = {0};
  for (int i = 0; i < n; i++)
    for (int k = 0; k < COLUMNS; k++) {
      int size = (int)strlen(row[i][k]);
      if (size > width[k]) width[k] = size;
    }
  for (int i = 0; i < n; i++) {
    for (int k = 0; k + 1 < COLUMNS; k++)
      if (k != MEASURED || width[k])
        sb_printf(b, "  %*s", k > 2 && k < 7 ? width[k] : -width[k],
                  row[i][k]);
    sb_printf(b, "  %s\n", row[i][COLUMNS - 1]);
  }
}

/* What the steps should take together, and what was chosen between. */
static void text_choices(StrBuf *b, const Report *r)
{
  const Plan *p = r->p;
  double sum = 0, ns;
  for (const Step *s = p->first; s; s = s->next) {
    if (!step_ns(s, &ns)) return;
    sum += ns;
  }
  sb_printf(b, "expected   %.4f ms, by the cost model, at %s\n", sum / 1e6,
            cost_level_name(r->m->opt));
  for (int i = 0; i < p->nchoice; i++) {
    const Choice *c = &p->choice[i];
    sb_printf(b, "choice     %s: %s%s", c->key, c->way[c->taken].name,
              c->told ? ", by --tune" : "");
    for (int k = 0; k < c->nway && !c->told; k++)
      sb_printf(b, "%s%s %.1f us", k ? ", " : " of ", c->way[k].name,
                c->way[k].ns / 1e3);
    sb_puts(b, "\n");
  }
}

static const char *bytes_cell(Arena *a, const Step *s)
{
  int64_t n;
  return step_bytes(s, &n) ? arena_printf(a, "%lld", (long long)n) : "";
}

static const char *time_cell(Arena *a, const Step *s)
{
  double ns;
  return step_ns(s, &ns) ? arena_printf(a, "%.2f", ns / 1e3) : "";
}

static const char *measured_cell(Arena *a, const Step *s)
{
  double ns;
  return step_time(s, &ns) ? arena_printf(a, "%.2f", ns / 1e3) : "";
}

static void text_steps(StrBuf *b, const Report *r)
{
  Arena *a = &r->m->arena;
  const char *(*row)[COLUMNS] = arena_array(a, sizeof *row,
                                            (size_t)r->p->nstep + 1);
  const char *head[COLUMNS] = {"step", "by", "kernel", "MAC", "bytes", "us",
    r->p->times.n ? "measured" : "", "output", "nodes of the file"};
  int n = 1;
  memcpy(row[0], head, sizeof head);
  for (const Step *s = r->p->first; s; s = s->next, n++) {
    const Value *v = step_result(s);
    const Dim *macs = step_macs(r, s);
    row[n][0] = s->name;
    row[n][1] = info_provider(s);
    row[n][2] = s->kernel_note;
    row[n][3] = dim_is(macs, 0) ? "" : dim_text(&r->m->dims, macs);
    row[n][4] = bytes_cell(a, s);
    row[n][5] = time_cell(a, s);
    row[n][MEASURED] = measured_cell(a, s);
    row[n][7] = !v ? "" : v->kind != VK_TENSOR ? port_type(a, v)
              : arena_printf(a, "%s %s", dtype_info(v->dtype)->name,
                             value_shape_text(v));
    row[n][8] = origin_text(a, s->node);
  }
  text_choices(b, r);
  sb_printf(b, "\n%d steps\n", r->p->nstep);
  text_table(b, row, n);
  info_device_stays(b, r->p);
  info_memory_text(b, r->p);
}

static void json_dims(StrBuf *b, DimPool *p, int rank, const Dim *const *dim)
{
  int64_t size;
  sb_puts(b, "[");
  for (int k = 0; k < rank; k++) {
    sb_puts(b, k ? ", " : "");
    if (dim_is_int(dim[k], &size)) sb_printf(b, "%lld", (long long)size);
    else sb_json(b, dim_text(p, dim[k]));
  }
  sb_puts(b, "]");
}

static void json_dim(StrBuf *b, DimPool *p, const Dim *d)
{
  int64_t v;
  if (dim_is_int(d, &v)) sb_printf(b, "%lld", (long long)v);
  else sb_json(b, dim_text(p, d));
}

static void json_ports(StrBuf *b, Report *r, const Ports *p)
{
  for (int i = 0; i < p->n; i++) {
    sb_printf(b, "%s\n  {\"name\": ", i ? "," : "");
    sb_json(b, p->name[i]);
    const Zip *z = p->zips ? graph_zip(p->zips, i) : NULL;
    sb_printf(b, ", \"type\": \"%s\", \"shape\": ",
              z ? type_text(&r->m->arena, z->type)
                : port_type(&r->m->arena, p->v[i]));
    if (p->v[i]->rank < 0 || p->v[i]->kind != VK_TENSOR) sb_puts(b, "null");
    else json_dims(b, &r->m->dims, p->v[i]->rank, p->dim[i]);
    sb_puts(b, "}");
  }
}

static void json_model(StrBuf *b, Report *r)
{
  Model *m = r->m;
  int shown = 0;
  sb_puts(b, "{\"model\": ");
  sb_json(b, m->file);
  sb_printf(b, ", \"sha256\": \"%s\", \"ir_version\": %lld,\n\"opsets\": {",
            m->sha256, (long long)m->ir_version);
  for (int i = 0; i < m->nopset; i++) {
    sb_puts(b, i ? ", " : "");
    sb_json(b, *m->opset[i].domain ? m->opset[i].domain : "ai.onnx");
    sb_printf(b, ": %d", m->opset[i].version);
  }
  sb_puts(b, "},\n\"inputs\": [");
  json_ports(b, r, &r->in);
  sb_puts(b, "],\n\"outputs\": [");
  json_ports(b, r, &r->out);
  sb_puts(b, "],\n\"dimensions\": [");
  for (int i = 0; i < m->dims.nsym; i++) {
    if (!is_argument(r, i)) continue;
    sb_puts(b, shown++ ? ", " : "");
    sb_json(b, m->dims.sym[i].c_name);
  }
  sb_printf(b, "],\n\"nodes\": %d, \"parameters\": %lld, "
            "\"parameter_bytes\": %lld,\n\"operators\": {", r->nodes,
            (long long)r->parameters, (long long)r->parameter_bytes);
  for (int i = 0; i < r->nop; i++) {
    sb_puts(b, i ? ", " : "");
    sb_json(b, r->op[i].name);
    sb_printf(b, ": %d", r->op[i].n);
  }
  sb_puts(b, "}");
}

static void json_nodes(StrBuf *b, const Node *n)
{
  sb_puts(b, "[");
  for (const Origin *o = n->origin; o; o = o->next) {
    sb_printf(b, "{\"id\": %d, \"index\": %d, \"name\": ", o->id, o->index);
    sb_json(b, o->name);
    sb_puts(b, ", \"op\": ");
    sb_json(b, o->op);
    sb_printf(b, ", \"version\": %d}%s", o->version, o->next ? ", " : "");
  }
  sb_puts(b, "]");
}

static void json_sizes(StrBuf *b, const Report *r)
{
  Plan *p = r->p;
  DimPool *d = &r->m->dims;
  sb_puts(b, ",\n\"batch\": {\"dimension\": ");
  if (p->batch < 0) sb_puts(b, "null");
  else sb_json(b, d->sym[p->batch].c_name);
  sb_printf(b, ", \"law\": \"%s\", \"rows\": %d, \"mixes\": ", law_word(p),
            p->block);
  if (p->mixes) json_nodes(b, p->mixes);
  else sb_puts(b, "null");
  sb_puts(b, "},\n\"targets\": [");
  for (int i = 0; i < p->nlevel; i++)
    sb_printf(b, "%s\"%s\"", i ? ", " : "", p->level[i]->name);
  sb_puts(b, "],\n\"macs\": ");
  json_dim(b, d, r->macs);
  sb_printf(b, ", \"weights\": {\"mode\": \"%s\", \"bytes\": %lld},\n"
            "\"workspace\": {", mode_word(p), (long long)p->weight_bytes);
  if (p->arena_static)
    sb_printf(b, "\"bytes\": %lld, \"arena\": %lld, \"lower_bound\": %lld}",
              (long long)plan_workspace(p), (long long)p->arena_bytes,
              (long long)p->arena_bound);
  else
    sb_printf(b, "\"expression\": \"%s\"}", emit_workspace(p, ""));
  info_device_json(b, p);
}

static void json_cost(StrBuf *b, const Step *s)
{
  int64_t bytes;
  double ns;
  sb_printf(b, ", \"template\": \"%s\"", s->macro);
  if (step_bytes(s, &bytes) && step_ns(s, &ns))
    sb_printf(b, ", \"bytes\": %lld, \"expected_ns\": %.0f",
              (long long)bytes, ns);
  if (step_time(s, &ns)) sb_printf(b, ", \"measured_ns\": %.0f", ns);
}

static void json_choices(StrBuf *b, const Plan *p)
{
  sb_puts(b, ",\n\"choices\": [");
  for (int i = 0; i < p->nchoice; i++) {
    const Choice *c = &p->choice[i];
    sb_printf(b, "%s\n  {\"key\": \"%s\", \"way\": \"%s\", \"tuned\": %s}",
              i ? "," : "", c->key, c->way[c->taken].name,
              c->told ? "true" : "false");
  }
  sb_puts(b, "]");
}

static void json_steps(StrBuf *b, const Report *r)
{
  DimPool *d = &r->m->dims;
  sb_puts(b, ",\n\"steps\": [");
  for (const Step *s = r->p->first; s; s = s->next) {
    const Value *v = step_result(s);
    sb_printf(b, "%s\n  {\"name\": \"%s\", \"nodes\": ",
              s == r->p->first ? "" : ",", s->name);
    json_nodes(b, s->node);
    sb_puts(b, ", \"kernel\": ");
    sb_json(b, s->kernel_note);
    sb_puts(b, ", \"macs\": ");
    json_dim(b, d, step_macs(r, s));
    json_cost(b, s);
    info_device_json_step(b, s);
    sb_printf(b, ", \"type\": \"%s\", \"shape\": ",
              v ? port_type(&r->m->arena, v) : "");
    if (v && v->kind == VK_TENSOR)
      json_dims(b, d, v->rank, (const Dim *const *)v->dim);
    else sb_puts(b, "[]");
    info_memory_json_step(b, r->p, s);
    sb_puts(b, "}");
  }
  sb_puts(b, "]");
  info_memory_json(b, r->p);
}

static void print_report(Report *r, FILE *f, bool json)
{
  StrBuf b;
  const char *page = r->m->opt->html;
  sb_init(&b, &r->m->arena);
  json = json || page;
  if (r->p && !plan_times(r->p)) return;
  if (json) json_model(&b, r);
  else text_model(&b, r);
  if (r->p) {
    sum_macs(r);
    if (json) json_sizes(&b, r);
    else text_sizes(&b, r);
    if (json) json_choices(&b, r->p);
    if (json) json_steps(&b, r);
    else text_steps(&b, r);
  }
  if (json) file_graph_json(&b, r->m);
  if (json) sb_puts(&b, "}\n");
  if (page) info_page(r->m, &b, page);
  else fwrite(b.s, 1, b.n, f);
  sb_free(&b);
}

void info_print(Model *m)
{
  Report r = {.m = m};
  read_ports(&r);
  count_ops(&r);
  r.p = plan_make(m);
  count_parameters(&r);
  print_report(&r, stdout, m->opt->json);
}

void report_print(Plan *p, FILE *f)
{
  Model *m = p->m;
  Report r = {.m = m, .p = p};
  read_ports(&r);
  r.in.dim = (const Dim *const *const *)p->in_dim;
  r.out.dim = (const Dim *const *const *)p->out_dim;
  count_ops(&r);
  count_parameters(&r);
  print_report(&r, f, !strcmp(m->opt->report, "json"));
}
