/* SPDX-License-Identifier: Apache-2.0 */
/* externalize, internalize. The first only takes note, as saving knows where
 * the file is; the second points into the maps of the other files. */
#include "edit.h"
#include <string.h>

/* "FILE" or "FILE:MIN", with k, M or G. */
bool step_externalize(Edit *e, const EditStep *s)
{
  const char *colon = strrchr(s->arg[0], ':');
  int64_t least = 1024;
  if (colon) {
    char *number = edit_str(e, colon + 1);
    size_t n = strlen(number);
    const char *unit = n ? strchr("kMG", number[n - 1]) : NULL;
    int shift = unit && *unit ? *unit == 'k' ? 10 : *unit == 'M' ? 20 : 30 : 0;
    if (shift) number[n - 1] = 0;
    if (!edit_int(number, &least) || least < 0 || least > INT64_MAX >> 30)
      return edit_fail(e, EXIT_USAGE, "%s is no size: FILE:1024, FILE:64k",
                       Q(e, colon + 1));
    least <<= shift;
  }
  const char *file = colon ? arena_strn(e->a, s->arg[0],
                                        (size_t)(colon - s->arg[0]))
                           : edit_str(e, s->arg[0]);
  if (!*file || strchr(file, '/') || strchr(file, '\\'))
    return edit_fail(e, EXIT_USAGE, "%s must be the name of a file beside the "
                     "model, without a folder", Q(e, file));
  e->external = file;
  e->external_least = least;
  return true;
}

bool edit_internalize(Edit *e)
{
  Tensors all = edit_tensors(e);
  for (int i = 0; i < all.n; i++) {
    TensorProto *t = all.t[i];
    Str raw;
    if (!tensor_is_external(t)) continue;
    if (!tensor_raw(e, t, &raw)) return false;
    t->has_data_location = false;
    t->n_external_data = 0;
    msg_set_place(e, t, FIELD_T_RAW, raw);
  }
  return true;
}

bool step_internalize(Edit *e, const EditStep *s)
{
  (void)s;
  e->external = NULL;
  return edit_internalize(e);
}
