/* SPDX-License-Identifier: Apache-2.0 */
/* info --html: a report as one page that needs nothing else.
 *
 * templates/info has the page, its style and its scripts; the report goes into
 * it as JSON, whose '<', '>' and '&' are escaped, so that no text of the model
 * can end the element or begin another one. The page's policy allows the one
 * script and the one style whose hashes it names, and no request at all.
 */
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const scripts[] = { "model.js", "layout.js", "graph.js",
                                       "panel.js", "memory.js", "page.js" };

static void put_file(StrBuf *b, Model *m, const char *name)
{
  size_t n;
  char path[64];
  snprintf(path, sizeof path, "templates/info/%s", name);
  const char *text = embedded_file(path, &n);
  if (!text)
    model_panic(m, "no %s", path);
  sb_write(b, text, n);
}

static void put_report(StrBuf *b, const StrBuf *json)
{
  size_t from = 0;
  for (size_t i = 0; i < json->n; i++) {
    const char *by = json->s[i] == '<' ? "\\u003c"
                   : json->s[i] == '>' ? "\\u003e"
                   : json->s[i] == '&' ? "\\u0026" : NULL;
    if (!by)
      continue;
    sb_write(b, json->s + from, i - from);
    sb_puts(b, by);
    from = i + 1;
  }
  sb_write(b, json->s + from, json->n - from);
}

static unsigned hex_digit(char c)
{
  return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* What a policy says of a text: its SHA-256 in base 64. */
static void put_hash(StrBuf *b, const StrBuf *text)
{
  static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                              "wxyz0123456789+/";
  char hex[65];
  unsigned char byte[33] = { 0 };
  sha256_hex(text->s, text->n, hex);
  for (int i = 0; i < 32; i++)
    byte[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 |
                              hex_digit(hex[2 * i + 1]));
  for (int i = 0; i < 33; i += 3) {
    unsigned v = (unsigned)byte[i] << 16 | (unsigned)byte[i + 1] << 8 |
                 byte[i + 2];
    sb_printf(b, "%c%c%c%c", digit[v >> 18], digit[v >> 12 & 63],
              digit[v >> 6 & 63], i < 30 ? digit[v & 63] : '=');
  }
}

typedef struct {
  const char *mark;
  StrBuf text;
} Part;
enum { STYLE, SCRIPT, STYLE_HASH, SCRIPT_HASH, REPORT, PARTS };

static void make_parts(Model *m, const StrBuf *report, Part *part)
{
  static const char *const mark[PARTS] = { "STYLE@@", "SCRIPT@@",
    "STYLE_HASH@@", "SCRIPT_HASH@@", "REPORT@@" };
  for (int i = 0; i < PARTS; i++) {
    part[i].mark = mark[i];
    sb_init(&part[i].text, &m->arena);
  }
  put_file(&part[STYLE].text, m, "page.css");
  for (int i = 0; i < COUNT(scripts); i++)
    put_file(&part[SCRIPT].text, m, scripts[i]);
  put_hash(&part[STYLE_HASH].text, &part[STYLE].text);
  put_hash(&part[SCRIPT_HASH].text, &part[SCRIPT].text);
  put_report(&part[REPORT].text, report);
}

/* The template with each @@NAME@@ replaced; what is put in is not looked at. */
static void fill(StrBuf *to, const char *s, const Part *part)
{
  for (const char *at; (at = strstr(s, "@@")) != NULL;) {
    sb_write(to, s, (size_t)(at - s));
    s = at + 2;
    for (int i = 0; i < PARTS; i++) {
      size_t n = strlen(part[i].mark);
      if (strncmp(s, part[i].mark, n))
        continue;
      sb_write(to, part[i].text.s, part[i].text.n);
      s += n;
      break;
    }
  }
  sb_puts(to, s);
}

static bool write_page(Model *m, const StrBuf *text, const char *path)
{
  if (!strcmp(path, "-"))
    return fwrite(text->s, 1, text->n, stdout) == text->n;
  const char *tmp = arena_printf(&m->arena, "%s.tmp", path);
  FILE *f = fopen(tmp, "wb");
  bool ok = f && fwrite(text->s, 1, text->n, f) == text->n;
  if (f && fclose(f))
    ok = false;
  if (ok && !rename(tmp, path))
    return true;
  const char *why = strerror(errno);
  if (f)
    remove(tmp);
  diag_model(m, SEV_ERROR, EXIT_ENVIRONMENT, "can't write %s: %s",
             quote(&m->arena, path), why);
  return false;
}

bool info_page(Model *m, const StrBuf *report, const char *path)
{
  Part part[PARTS];
  StrBuf page, text;
  make_parts(m, report, part);
  sb_init(&page, &m->arena);
  sb_init(&text, &m->arena);
  put_file(&page, m, "page.html");
  sb_write(&page, "", 1);
  fill(&text, page.s, part);
  bool ok = write_page(m, &text, path);
  for (int i = 0; i < PARTS; i++)
    sb_free(&part[i].text);
  sb_free(&page);
  sb_free(&text);
  return ok;
}
