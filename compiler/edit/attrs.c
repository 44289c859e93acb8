/* SPDX-License-Identifier: Apache-2.0 */
/* set-attr, delete-attr, set-op; attributes written as text, which insert,
 * replace and add-node take too. */
#include "attrs.h"
#include <stdlib.h>
#include <string.h>

/* --- Values of attributes ------------------------------------------------- */

/* The letter of the type that an attribute has, as in OpRow.attrs; 0: the
 * operator is not known, or has no such attribute. */
static char schema_letter(Edit *e, const NodeProto *n, const char *name)
{
  const OpDef *op = op_find(domain_name(n->domain),
                            n->op_type ? n->op_type : "");
  if (!op) return 0;
  int64_t version = edit_opset(e, NULL, n->domain);
  const OpRow *row = op_row(op, version ? (int)version : INT32_MAX);
  const char *s = row ? op_row_text(op, row, ROW_ATTRS) : NULL;
  size_t len = strlen(name);
  while (s && *s) {
    size_t k = strcspn(s, ": ");
    if (k == len && !memcmp(s, name, len) && s[k] == ':') return s[k + 1];
    s += strcspn(s, " ");
    s += strspn(s, " ");
  }
  return 0;
}

static char type_letter(const AttributeProto *a)
{
  static const char letters[] = "?fistgFISTG";
  if (!a || !a->has_type || (unsigned)a->type >= sizeof letters - 1) return 0;
  return letters[a->type];
}

/* What the text looks like, where nothing tells the type. */
static char guess_letter(Edit *e, const char *text)
{
  int n;
  int64_t i;
  double f;
  if (*text == '@') return 't';
  const char **part = edit_split(e, text, ',', &n);
  char all = n ? 'i' : 's';
  for (int k = 0; k < n; k++) {
    if (edit_int(part[k], &i)) continue;
    all = edit_float(part[k], &f) && all != 's' ? 'f' : 's';
  }
  if (n < 2 || all == 's') return all;
  return all == 'i' ? 'I' : 'F';
}

static bool bad_value(Edit *e, const char *name, const char *text,
                      const char *want)
{
  return edit_fail(e, EXIT_USAGE, "attribute %s wants %s, not %s", Q(e, name),
                   want, Q(e, text));
}

static bool set_ints(Edit *e, NodeProto *n, const char *name, const char *text)
{
  int count;
  const char **part = edit_split(e, text, ',', &count);
  int64_t *v = NEW(e->a, int64_t, count + 1);
  for (int i = 0; i < count; i++)
    if (!edit_int(part[i], &v[i]))
      return bad_value(e, name, text, "whole numbers: 1,2,3");
  node_attr_ints(e, n, name, v, (size_t)count);
  return true;
}

static bool set_floats(Edit *e, NodeProto *n, const char *name,
                       const char *text)
{
  int count;
  const char **part = edit_split(e, text, ',', &count);
  float *v = NEW(e->a, float, count + 1);
  for (int i = 0; i < count; i++) {
    double x;
    if (!edit_float(part[i], &x))
      return bad_value(e, name, text, "numbers: 0.5,1");
    v[i] = (float)x;
  }
  AttributeProto *a =
    node_attr_set(e, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);
  msg_set_floats(e, a, FIELD_A_FLOATS, v, (size_t)count);
  return true;
}

static bool set_strings(Edit *e, NodeProto *n, const char *name,
                        const char *text)
{
  int count;
  const char **part = edit_split(e, text, ',', &count);
  AttributeProto *a =
    node_attr_set(e, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);
  for (int i = 0; i < count; i++)
    msg_add_bytes(e, a, FIELD_A_STRINGS, part[i], strlen(part[i]));
  return true;
}

static bool set_tensor(Edit *e, NodeProto *n, const char *name,
                       const char *text)
{
  TensorProto *t = edit_tensor_text(e, NULL, *text == '@' ? text + 1 : text);
  if (t) node_attr_tensor(e, n, name, t);
  return t != NULL;
}

bool attr_write(Edit *e, NodeProto *n, const char *name, const char *text)
{
  int64_t i;
  double f;
  char letter = schema_letter(e, n, name);
  if (!letter) letter = type_letter(node_attr(n, name));
  if (!letter) letter = guess_letter(e, text);
  switch (letter) {
  case 'i':
    if (!edit_int(text, &i)) return bad_value(e, name, text, "a whole number");
    node_attr_int(e, n, name, i);
    return true;
  case 'f':
    if (!edit_float(text, &f)) return bad_value(e, name, text, "a number");
    node_attr_float(e, n, name, (float)f);
    return true;
  case 's': node_attr_str(e, n, name, text); return true;
  case 'I': return set_ints(e, n, name, text);
  case 'F': return set_floats(e, n, name, text);
  case 'S': return set_strings(e, n, name, text);
  case 't': return set_tensor(e, n, name, text);
  default:
    return edit_fail(e, EXIT_UNSUPPORTED, "attribute %s is a graph, or a list "
                     "of tensors: text can't give it", Q(e, name));
  }
}

/* "Domain.Op": the domain ends at the last dot. */
NodeProto *node_parse(Edit *e, const char *text)
{
  const char *dot = strrchr(text, '.');
  const char *domain = dot ? arena_strn(e->a, text, (size_t)(dot - text)) : "";
  return edit_node(e, dot ? dot + 1 : text, domain_name(domain));
}

/* Words behind an operator: attr=value, and @name=N @in=a,b @out=c. */
bool node_words(Edit *e, NodeProto *n, const char *const *word, int count)
{
  for (int i = 0; i < count; i++) {
    const char *eq = strchr(word[i], '=');
    int k;
    if (!eq || eq == word[i])
      return edit_fail(e, EXIT_USAGE, "%s is not attribute=value",
                       Q(e, word[i]));
    const char *name = arena_strn(e->a, word[i], (size_t)(eq - word[i]));
    const char **part = edit_split(e, eq + 1, ',', &k);
    if (!strcmp(name, "@name")) n->name = edit_str(e, eq + 1);
    else if (!strcmp(name, "@in"))
      for (int j = 0; j < k; j++) node_add_input(e, n, part[j]);
    else if (!strcmp(name, "@out"))
      for (int j = 0; j < k; j++) node_add_output(e, n, part[j]);
    else if (*name == '@')
      return edit_fail(e, EXIT_USAGE, "%s is none of @name, @in, @out",
                       Q(e, name));
    else if (!attr_write(e, n, name, eq + 1)) return false;
  }
  return true;
}

/* A domain that nobody imports makes a model that no checker takes. */
void domain_import(Edit *e, const Body *b, const char *domain)
{
  if (!*domain_name(domain) || edit_opset(e, b, domain)) return;
  const Body *top = b;
  while (top->outer) top = top->outer;
  Onnx__OperatorSetIdProto *o = NEW(e->a, Onnx__OperatorSetIdProto, 1);
  onnx__operator_set_id_proto__init(o);
  o->domain = edit_str(e, domain);
  o->has_version = true;
  o->version = 1;
  if (top->f) LIST_ADD(e, top->f, opset_import, o);
  else LIST_ADD(e, e->mp, opset_import, o);
  edit_note(e, "domain %s is imported now, as version 1", Q(e, domain));
}

/* --- Steps ---------------------------------------------------------------- */

/* "node.attr": the node's name may hold dots, the attribute's doesn't. */
static NodeProto *find_attr(Edit *e, const char *text, const char **attr)
{
  const char *dot = strrchr(text, '.');
  Body *b;
  size_t at;
  if (!dot || dot == text || !dot[1]) {
    edit_fail(e, EXIT_USAGE, "%s is not NODE.ATTRIBUTE", Q(e, text));
    return NULL;
  }
  *attr = dot + 1;
  const char *name = arena_strn(e->a, text, (size_t)(dot - text));
  return edit_find_node(e, name, &b, &at) ? body_node(b, at) : NULL;
}

bool step_set_attr(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    const char *eq = strchr(s->arg[i], '='), *attr;
    if (!eq)
      return edit_fail(e, EXIT_USAGE, "%s is not NODE.ATTRIBUTE=VALUE",
                       Q(e, s->arg[i]));
    NodeProto *n = find_attr(e, arena_strn(e->a, s->arg[i],
                                           (size_t)(eq - s->arg[i])), &attr);
    if (!n || !attr_write(e, n, attr, eq + 1)) return false;
  }
  return true;
}

bool step_delete_attr(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    const char *attr;
    NodeProto *n = find_attr(e, s->arg[i], &attr);
    if (!n) return false;
    if (!node_attr(n, attr)) {
      const char **name = NEW(e->a, const char *, n->n_attribute + 1);
      for (size_t k = 0; k < n->n_attribute; k++)
        name[k] = n->attribute[k]->name ? n->attribute[k]->name : "";
      return edit_fail(e, EXIT_USAGE, "%s has no attribute %s%s",
                       node_text(e, n), Q(e, attr),
                       edit_near(e, attr, name, (int)n->n_attribute));
    }
    node_attr_drop(n, attr);
  }
  return true;
}

bool step_set_op(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    const char *eq = strrchr(s->arg[i], '=');
    Body *b;
    size_t at;
    if (!eq || eq == s->arg[i] || !eq[1])
      return edit_fail(e, EXIT_USAGE, "%s is not NODE=OP or NODE=DOMAIN.OP",
                       Q(e, s->arg[i]));
    if (!edit_find_node(e, arena_strn(e->a, s->arg[i],
                                      (size_t)(eq - s->arg[i])), &b, &at))
      return false;
    NodeProto *n = body_node(b, at), *is = node_parse(e, eq + 1);
    n->op_type = is->op_type;
    n->domain = is->domain;
    domain_import(e, b, n->domain);
  }
  return true;
}
