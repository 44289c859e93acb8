/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics: what the user is told about the model, recorded in order.
 *
 * An error about a node marks the node's outputs as bad, so that what reads
 * them stays silent: one cause, one message. */
#include "ir.h"
#include <stdlib.h>
#include <string.h>

/* A hostile model could produce millions; nobody reads more than this. */
#define MOST_ERRORS 10000
#define QUOTE_MAX 96

size_t utf8_size(const unsigned char *s)
{
  if (s[0] < 0x80) return 1;
  size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
  for (size_t i = 1; i < n; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  if (s[0] == 0xe0 && s[1] < 0xa0) return 0;
  if (s[0] == 0xed && s[1] > 0x9f) return 0;
  if (s[0] == 0xf0 && s[1] < 0x90) return 0;
  if (s[0] == 0xf4 && s[1] > 0x8f) return 0;
  return n;
}

const char *quote(Arena *a, const char *text)
{
  const unsigned char *s = (const unsigned char *)text;
  char *out = arena_alloc(a, 4 * strlen(text) + 8);
  size_t n = 0;
  out[n++] = '\'';
  for (size_t len; *s; s += len) {
    if (n > QUOTE_MAX) {
      memcpy(out + n, "...", 3);
      n += 3;
      break;
    }
    len = utf8_size(s);
    bool c1 = len == 2 && s[0] == 0xc2 && s[1] < 0xa0;
    /* U+200B..U+202E, U+2066..U+2069: invisible, or reversing the line */
    bool bidi = len == 3 && s[0] == 0xe2 &&
      ((s[1] == 0x80 && s[2] >= 0x8b && s[2] <= 0xae) ||
       (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
    if (!len || *s < 0x20 || *s == 0x7f || c1 || bidi) {
      len = len ? len : 1;
      for (size_t i = 0; i < len; i++)
        n += (size_t)snprintf(out + n, 5, "\\x%02x", s[i]);
      continue;
    }
    if (*s == '\'' || *s == '\\') out[n++] = '\\';
    memcpy(out + n, s, len);
    n += len;
  }
  out[n++] = '\'';
  out[n] = 0;
  return out;
}

static void record(Model *m, Severity s, ExitCode c, const char *text)
{
  if (s == SEV_ERROR && m->nerror++ >= MOST_ERRORS) return;
  if (s == SEV_WARNING && m->nwarning++ >= MOST_ERRORS) return;
  Diag *d = NEW(&m->arena, Diag, 1);
  d->sev = s;
  d->code = s == SEV_ERROR ? c : EXIT_OK;
  d->text = text;
  if (m->diag_last) m->diag_last->next = d;
  else m->diags = d;
  m->diag_last = d;
}

static const char *head(Model *m, Severity s)
{
  const char *file = m->file && *m->file ? m->file : "model";
  const char *q = quote(&m->arena, file);
  q = arena_strn(&m->arena, q + 1, strlen(q) - 2);
  const char *word = s == SEV_WARNING ? ": warning" : s == SEV_NOTE ? ": note"
                     : "";
  return arena_printf(&m->arena, "%s%s: ", q, word);
}

void diag_model(Model *m, Severity s, ExitCode c, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  char *text = arena_vprintf(&m->arena, fmt, ap);
  va_end(ap);
  record(m, s, c, arena_printf(&m->arena, "%s%s", head(m, s), text));
}

/* "node 12 'conv1' (Conv-11)", as the file has it. */
static const char *node_label(const Node *n)
{
  Arena *a = &n->g->m->arena;
  const Origin *o = n->origin;
  const char *name = o ? o->name : n->name, *op = o ? o->op : n->op_type;
  int version = o ? o->version : n->version;
  const char *label = "node";
  if (o) label = arena_printf(a, "node %d", o->index);
  if (name && *name) label = arena_printf(a, "%s %s", label, quote(a, name));
  const char *q = quote(a, op ? op : "");
  q = arena_strn(a, q + 1, strlen(q) - 2);
  if (version > 0) return arena_printf(a, "%s (%s-%d)", label, q, version);
  return arena_printf(a, "%s (%s)", label, q);
}

void diag(Node *n, Severity s, ExitCode c, const char *fmt, ...)
{
  Model *m = n->g->m;
  va_list ap;
  va_start(ap, fmt);
  char *text = arena_vprintf(&m->arena, fmt, ap);
  va_end(ap);
  n->bad |= s == SEV_ERROR;
  if (s == SEV_ERROR)
    for (int i = 0; i < n->nout; i++)
      if (n->out[i]) n->out[i]->bad = true;
  record(m, s, c, arena_printf(&m->arena, "%s%s: %s", head(m, s),
                               node_label(n), text));
}

/* What must be put right first: the machine, then the model, then onnx2c. */
static int urgency(ExitCode c)
{
  static const ExitCode order[] = {EXIT_OK, EXIT_VERIFY, EXIT_UNSUPPORTED,
    EXIT_MODEL, EXIT_USAGE, EXIT_ENVIRONMENT};
  for (int i = 0; i < COUNT(order); i++)
    if (order[i] == c) return i;
  return 0;
}

ExitCode diag_worst(const Model *m)
{
  ExitCode worst = EXIT_OK;
  for (const Diag *d = m->diags; d; d = d->next)
    if (urgency(d->code) > urgency(worst)) worst = d->code;
  return worst;
}

void diag_print(const Model *m, FILE *f, Severity least)
{
  for (const Diag *d = m->diags; d; d = d->next)
    if (d->sev >= least) fprintf(f, "%s\n", d->text);
  if (m->nerror > MOST_ERRORS)
    fprintf(f, "%d more errors\n", m->nerror - MOST_ERRORS);
}

void model_panic(Model *m, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  m->panic_text = arena_vprintf(&m->arena, fmt, ap);
  va_end(ap);
  if (!m->arena.panic) {
    fprintf(stderr, "onnx2c: %s\n", m->panic_text);
    abort();
  }
  longjmp(m->panic, 1);
}
