/* SPDX-License-Identifier: Apache-2.0 */
/* edit_save: which tensors stand in which file, and all files at once.
 *
 * Locations of external data are relative to the model's folder. If OUT is in
 * that folder they stay as they are; else all such data is gathered in
 * OUT.data beside OUT. The step `externalize` names a file to which tensors of
 * some size go, wherever they stood. Offsets are multiples of 4096, as maps
 * want them. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "save.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 4096u
#define LARGEST INT32_MAX /* bytes of a file that protobuf reads */

bool tensor_is_external(const TensorProto *t)
{
  return t->has_data_location &&
         t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

static char *folder_of(Edit *e, const char *path)
{
  const char *slash = strrchr(path, '/');
  if (!slash) return edit_str(e, ".");
  return slash == path ? edit_str(e, "/")
                       : arena_strn(e->a, path, (size_t)(slash - path));
}

static bool same_folder(Edit *e, const char *a, const char *b)
{
  char *x = realpath(folder_of(e, a), NULL);
  char *y = realpath(folder_of(e, b), NULL);
  bool same = x && y && !strcmp(x, y);
  free(x);
  free(y);
  return same;
}

static void set_entry(Edit *e, TensorProto *t, const char *key,
                      const char *value)
{
  for (size_t i = 0; i < t->n_external_data; i++)
    if (t->external_data[i]->key && !strcmp(t->external_data[i]->key, key)) {
      t->external_data[i]->value = edit_str(e, value);
      return;
    }
  Onnx__StringStringEntryProto *x = NEW(e->a, Onnx__StringStringEntryProto, 1);
  onnx__string_string_entry_proto__init(x);
  x->key = edit_str(e, key);
  x->value = edit_str(e, value);
  LIST_ADD(e, t, external_data, x);
}

static void drop_payload(Edit *e, TensorProto *t)
{
  static const uint32_t fields[] = {4, 5, FIELD_T_STRING, 7, FIELD_T_RAW, 10,
                                    11};
  for (int i = 0; i < COUNT(fields); i++) pb_clear(e->pb, t, fields[i]);
}

/* Does the data go to the new file? */
static bool moves(Edit *e, const TensorProto *t, bool gather)
{
  if (tensor_is_external(t) && gather) return true;
  if (!e->external || t->data_type == (int32_t)DT_STR) return false;
  size_t n;
  int64_t count = 1;
  const int64_t *dim = msg_ints(e, t, FIELD_T_DIMS, &n);
  for (size_t i = 0; i < n; i++)
    if (dim[i] < 0) return false;
  for (size_t i = 0; i < n; i++)
    count = dim[i] > 0 && count > INT64_MAX / 128 / dim[i] ? INT64_MAX / 128
            : count * dim[i];
  const DtypeInfo *info = dtype_info((Dtype)t->data_type);
  return (count * info->bits + 7) / 8 >= e->external_least;
}

/* Writes the data and points the tensors to it. */
static bool store_data(Edit *e, Sink *s, const char *location, bool gather)
{
  Tensors all = edit_tensors(e);
  for (int i = 0; i < all.n; i++) {
    TensorProto *t = all.t[i];
    Str raw;
    if (!moves(e, t, gather)) continue;
    if (!tensor_raw(e, t, &raw)) return false;
    sink_to(s, (s->total + ALIGN - 1) / ALIGN * ALIGN);
    uint64_t at = s->total;
    sink_write(s, raw.p, raw.n);
    drop_payload(e, t);
    t->n_external_data = 0; /* a checksum of it would be of the old file */
    set_entry(e, t, "location", location);
    set_entry(e, t, "offset", arena_printf(e->a, "%llu",
                                           (unsigned long long)at));
    set_entry(e, t, "length", arena_printf(e->a, "%zu", raw.n));
    t->has_data_location = true;
    t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
  }
  return true;
}

static bool any_external(Edit *e)
{
  Tensors all = edit_tensors(e);
  for (int i = 0; i < all.n; i++)
    if (tensor_is_external(all.t[i])) return true;
  return false;
}

static bool check_size(Edit *e)
{
  uint64_t n = msg_size(e, e->mp);
  if (n <= LARGEST) return true;
  if (e->im->pb.n > LARGEST) {
    edit_warn(e, "the file has %llu bytes, as the one before had; other "
              "programs read 2 GB: externalize=FILE moves the weights out",
              (unsigned long long)n);
    return true;
  }
  return edit_fail(e, EXIT_USAGE, "the result has %llu bytes, and programs "
                   "that use protobuf read 2 GB: add the step "
                   "externalize=FILE", (unsigned long long)n);
}

static bool save_files(Edit *e, const char *out, Sink *model, Sink *data)
{
  bool gather = !same_folder(e, e->m->path, out) && any_external(e);
  if (e->external || gather) {
    const char *slash = strrchr(out, '/'), *name = slash ? slash + 1 : out;
    const char *file = e->external ? e->external
                       : arena_printf(e->a, "%s.data", name);
    if (!strcmp(file, name))
      return edit_fail(e, EXIT_USAGE, "externalize=%s is the model itself; "
                       "name another file", Q(e, file));
    const char *path = arena_printf(e->a, "%s/%s", folder_of(e, out), file);
    if (!sink_open(data, e, path)) return false;
    if (!store_data(e, data, file, gather) || !sink_end(data)) return false;
  }
  if (!check_size(e) || !sink_open(model, e, out)) return false;
  msg_write(e, e->mp, model);
  return sink_end(model);
}

bool edit_save(Edit *e, const char *out)
{
  Sink model = {.fd = -1, .holes = -1}, data = model;
  e->step = NULL;
  bool ok = save_files(e, out, &model, &data);
  ok = ok && (!data.tmp || sink_rename(&data)) && sink_rename(&model);
  sink_drop(&data);
  sink_drop(&model);
  return ok;
}
