/* SPDX-License-Identifier: Apache-2.0 */
/* What describes a model: names, metadata, doc strings, operator sets. */
#include "edit.h"
#include <string.h>

/* --- Fields of the model -------------------------------------------------- */

bool step_set_model(Edit *e, const EditStep *s)
{
  ModelProto *mp = e->mp;
  static const char *const fields[] = {"name", "producer_name",
    "producer_version", "domain", "model_version", "ir_version", "doc_string"};
  for (int i = 0; i < s->n; i++) {
    const char *eq = strchr(s->arg[i], '=');
    const char *v = eq ? eq + 1 : "";
    const char *f = arena_strn(e->a, s->arg[i], strcspn(s->arg[i], "="));
    int64_t number;
    if (!eq)
      return edit_fail(e, EXIT_USAGE, "%s is not FIELD=VALUE",
                       Q(e, s->arg[i]));
    if (!strcmp(f, "name")) mp->graph->name = edit_str(e, v);
    else if (!strcmp(f, "producer_name")) mp->producer_name = edit_str(e, v);
    else if (!strcmp(f, "producer_version"))
      mp->producer_version = edit_str(e, v);
    else if (!strcmp(f, "domain")) mp->domain = edit_str(e, v);
    else if (!strcmp(f, "doc_string"))
      msg_set_bytes(e, mp, 6, v, strlen(v));
    else if (!strcmp(f, "model_version") || !strcmp(f, "ir_version")) {
      if (!edit_int(v, &number) || number < 0)
        return edit_fail(e, EXIT_USAGE, "%s is no number", Q(e, v));
      *(*f == 'm' ? &mp->has_model_version : &mp->has_ir_version) = true;
      *(*f == 'm' ? &mp->model_version : &mp->ir_version) = number;
    } else {
      return edit_fail(e, EXIT_USAGE, "%s is no field of a model: name, "
                       "producer_name, producer_version, domain, "
                       "model_version, ir_version, doc_string%s", Q(e, f),
                       edit_near(e, f, fields, COUNT(fields)));
    }
  }
  return true;
}

bool step_rename_model(Edit *e, const EditStep *s)
{
  e->mp->graph->name = edit_str(e, s->arg[0]);
  return true;
}

static void set_metadata(Edit *e, const char *key, const char *value)
{
  for (size_t i = e->mp->n_metadata_props; i-- > 0;) {
    Onnx__StringStringEntryProto *p = e->mp->metadata_props[i];
    if (!p->key || strcmp(p->key, key) != 0) continue;
    if (*value) p->value = edit_str(e, value);
    else LIST_DROP(e->mp, metadata_props, i);
    return;
  }
  if (!*value) return;
  Onnx__StringStringEntryProto *p = NEW(e->a, Onnx__StringStringEntryProto, 1);
  onnx__string_string_entry_proto__init(p);
  p->key = edit_str(e, key);
  p->value = edit_str(e, value);
  LIST_ADD(e, e->mp, metadata_props, p);
}

bool step_metadata(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    const char *eq = strchr(s->arg[i], '=');
    if (!eq || eq == s->arg[i])
      return edit_fail(e, EXIT_USAGE, "%s is not KEY=VALUE", Q(e, s->arg[i]));
    set_metadata(e, arena_strn(e->a, s->arg[i], (size_t)(eq - s->arg[i])),
                 eq + 1);
  }
  return true;
}

/* --- Operator sets -------------------------------------------------------- */

bool step_import_opset(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    const char *eq = strrchr(s->arg[i], '=');
    int64_t v;
    if (!eq || !edit_int(eq + 1, &v) || v < 1)
      return edit_fail(e, EXIT_USAGE, "%s is not DOMAIN=VERSION",
                       Q(e, s->arg[i]));
    const char *domain = domain_name(arena_strn(e->a, s->arg[i],
                                                (size_t)(eq - s->arg[i])));
    bool known = false;
    for (size_t k = 0; k < e->mp->n_opset_import; k++) {
      Onnx__OperatorSetIdProto *o = e->mp->opset_import[k];
      if (strcmp(domain_name(o->domain), domain) != 0) continue;
      if (!*domain && o->version != v)
        return edit_fail(e, EXIT_USAGE, "the model is of opset %lld; to-opset="
                         "%lld rewrites its nodes too", (long long)o->version,
                         (long long)v);
      o->has_version = true;
      o->version = v;
      known = true;
    }
    if (known) continue;
    Onnx__OperatorSetIdProto *o = NEW(e->a, Onnx__OperatorSetIdProto, 1);
    onnx__operator_set_id_proto__init(o);
    o->domain = edit_str(e, domain);
    o->has_version = true;
    o->version = v;
    LIST_ADD(e, e->mp, opset_import, o);
  }
  return true;
}

/* --- name-nodes ----------------------------------------------------------- */

bool step_name_nodes(Edit *e, const EditStep *s)
{
  int n;
  Body *all = edit_bodies(e, &n);
  Map seen;
  (void)s;
  map_init(&seen, &e->scratch);
  for (int i = 0; i < n; i++)
    for (size_t k = 0; k < body_count(&all[i]); k++) {
      NodeProto *np = body_node(&all[i], k);
      const char *name = np->name ? np->name : "";
      void **slot = *name ? map_at(&seen, name, strlen(name)) : NULL;
      if (!slot || *slot)
        np->name = edit_str(e, edit_fresh(e, *name ? name
                                          : np->op_type ? np->op_type : ""));
      if (slot) *slot = np;
      else *map_at(&seen, np->name, strlen(np->name)) = np;
    }
  return true;
}

/* --- strip-doc ------------------------------------------------------------ */

/* Messages within messages are few: the nesting is that of the file. */
static void strip(Edit *e, ProtobufCMessage *msg, bool metadata)
{
  const ProtobufCMessageDescriptor *d = msg->descriptor;
  char *m = (char *)msg;
  for (unsigned i = 0; i < d->n_fields; i++) {
    const ProtobufCFieldDescriptor *f = &d->fields[i];
    bool doc = !strcmp(f->name, "doc_string");
    bool props = metadata && !strcmp(f->name, "metadata_props");
    if (pb_payload(d, f)) {
      if (doc || props) pb_clear(e->pb, msg, f->id);
      continue;
    }
    if (f->type != PROTOBUF_C_TYPE_MESSAGE) continue;
    size_t n = 1;
    uint32_t is = f->id;
    char *items = m + f->offset;
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
      memcpy(&n, m + f->quantifier_offset, sizeof n);
      memcpy(&items, m + f->offset, sizeof items);
    } else if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
      memcpy(&is, m + f->quantifier_offset, sizeof is);
    }
    for (size_t k = 0; k < n && is == f->id; k++) {
      ProtobufCMessage *x;
      memcpy(&x, items + k * sizeof x, sizeof x);
      if (x) strip(e, x, metadata);
    }
  }
}

bool step_strip_doc(Edit *e, const EditStep *s)
{
  bool all = s->n && !strcmp(s->arg[0], "all");
  if (s->n && !all)
    return edit_fail(e, EXIT_USAGE, "strip-doc, or strip-doc=all for metadata "
                     "of nodes and graphs too");
  strip(e, &e->mp->base, all);
  return true;
}
