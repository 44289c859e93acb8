/* SPDX-License-Identifier: Apache-2.0 */
/* register: operators that ONNX does not define. A function, taken from another
 * model, says what a node of its name computes; its operator set comes along.
 * import-opset alone is for operators that the runtime knows. */
#include "steps.h"
#include <string.h>

static bool set_version(Edit *e, const char *domain, int64_t version)
{
  ModelProto *mp = e->mp;
  for (size_t i = 0; i < mp->n_opset_import; i++) {
    Onnx__OperatorSetIdProto *o = mp->opset_import[i];
    if (strcmp(domain_name(o->domain), domain_name(domain)) != 0) continue;
    if (o->version == version) return true;
    return edit_fail(e, EXIT_USAGE, "operator set %s has version %lld here, "
                     "and %lld there; make them equal by import-opset",
                     Q(e, domain), (long long)o->version, (long long)version);
  }
  return model_import_opset(e, domain, version);
}

/* The functions of another model, and their operator sets. */
static bool take_functions(Edit *e, const char *path)
{
  ModelProto *from = edit_read(e, path), *to = e->mp;
  if (!from) return false;
  if (!from->n_functions)
    return edit_fail(e, EXIT_USAGE, "%s has no functions to register",
                     Q(e, path));
  for (size_t i = 0; i < from->n_functions; i++) {
    FunctionProto *f = from->functions[i];
    for (size_t k = 0; k < to->n_functions; k++)
      if (function_same(f, to->functions[k]))
        return edit_fail(e, EXIT_USAGE, "function %s of domain %s is there "
                         "already", Q(e, f->name), Q(e, f->domain));
    LIST_ADD(e, to, functions, f);
    for (size_t k = 0; k < from->n_opset_import; k++) {
      const Onnx__OperatorSetIdProto *o = from->opset_import[k];
      if (!strcmp(domain_name(o->domain), domain_name(f->domain)) &&
          !set_version(e, o->domain, o->version))
        return false;
    }
  }
  if (to->ir_version < 8) to->ir_version = 8; /* ONNX IR-8: functions */
  return true;
}

bool step_register(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++)
    if (!take_functions(e, s->arg[i])) return false;
  return true;
}
