/* SPDX-License-Identifier: Apache-2.0 */
/* --target: one file with code for several instruction sets ("levels").
 *
 * Kernels, steps and the rows function stand in it once for each level, between
 * pragmas that let the compiler use that level's instructions whatever its
 * flags; weights, checks and the interface stand in it once. In the copies each
 * name that kernels or steps define gets the level's suffix, and comments are
 * left out. <model>_init asks the CPU and takes the best copy: the context
 * holds its rows function. Compilers and machines without levels get the text
 * once more, as it is without --target.
 *
 * A name is ours to rename if it begins with o2c_ or O2C_ and is not in o2c.h
 * or a kernel text that all levels share, or if it is a step's. As a member of
 * a struct it is a port's or a dimension's, and stays.
 */
#include "target.h"

#include <ctype.h>
#include <string.h>

#define V3 "avx2,fma,f16c,bmi,bmi2,lzcnt,movbe,popcnt"
#define V4 V3 ",avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
static const Level levels[] = {
#define LEVEL(name, suffix, arch, target, have, cpu, of, kernels, what) \
  { name, "_" #suffix, LA_##arch, target, have, cpu, of, kernels, what },
#include "levels.def"
#undef LEVEL
};

/* Where levels of an architecture can be compiled, and what they include
 * before any pragma. Windows' gcc misaligns vectors on the stack. */
static const struct { const char *macro, *where, *include; } arch[] = {
  [LA_X86] = { "LEVELS_X86",
    "defined __GNUC__ && defined __x86_64__ && !defined _WIN32 && \\\n"
    "    (defined __clang__ ? __clang_major__ >= 13 : __GNUC__ >= 11)",
    "#include <immintrin.h>\n" },
  [LA_ARM64] = { "LEVELS_ARM64",
    "defined __GNUC__ && defined __aarch64__ && defined __linux__ && \\\n"
    "    (defined __clang__ ? __clang_major__ >= 16 : __GNUC__ >= 10)",
    "#include <arm_neon.h>\n" },
};

static const char *const shared[] = {"fpenv.h", "sqrt.h", "cpu.h"};

static const Level *level_find(const char *name, size_t n)
{
  for (int i = 0; i < COUNT(levels); i++)
    if (strlen(levels[i].name) == n && !memcmp(levels[i].name, name, n))
      return &levels[i];
  return NULL;
}

void levels_list(FILE *f)
{
  fprintf(f, "%-16s %s\n", "native",
          "what the C compiler's flags say; run, verify, bench: this machine");
  for (int i = 0; i < COUNT(levels); i++)
    fprintf(f, "%-16s %s\n", levels[i].name, levels[i].what);
}

bool levels_none(const char *list)
{
  return !list || !strcmp(list, "native");
}

bool levels_known(const char *list)
{
  for (const char *s = list; !levels_none(list) && s; s = strchr(s, ',')) {
    s += *s == ',';
    size_t n = strcspn(s, ",");
    if (level_find(s, n))
      continue;
    bool native = n == 6 && !memcmp(s, "native", n);
    fprintf(stderr, native ? "onnx2c: --target native stands alone, not in a "
            "list\n" : "onnx2c: no target is called '%.*s'; see onnx2c "
            "--list-targets\n", (int)n, s);
    return false;
  }
  return true;
}

static bool has_kernels(const Plan *p, const char *word)
{
  for (const Step *s = p->first; word && s; s = s->next)
    for (int i = 0; i < s->nkernel; i++)
      if (strstr(s->kernel[i], word))
        return true;
  return false;
}

static bool is_listed(const char *list, const char *name)
{
  size_t n = name ? strlen(name) : 0;
  for (const char *s = list; name && s; s = strchr(s, ',')) {
    s += *s == ',';
    if (strcspn(s, ",") == n && !memcmp(s, name, n))
      return true;
  }
  return false;
}

/* Listed, or better than one that is; not (of no other one) where it would be
 * the same code once more, in a list. */
static bool is_worth(const Plan *p, const char *list, const Level *l)
{
  bool uses = has_kernels(p, l->kernels);
  if (is_listed(list, l->name))
    return l->of || !l->kernels || uses || !strchr(list, ',');
  return is_listed(list, l->of) && uses;
}

void plan_levels(Plan *p)
{
  const char *list = p->m->opt->target;
  p->level = NEW(p->a, const Level *, COUNT(levels));
  for (int i = 0; i < COUNT(levels) && !levels_none(list); i++)
    if (is_worth(p, list, &levels[i]))
      p->level[p->nlevel++] = &levels[i];
}

/* ---- renaming ---------------------------------------------------------- */

typedef struct {
  Map shared, steps;
  const char *suffix;
  StrBuf *c;
} Names;

static size_t word_length(const char *s)
{
  size_t n = 0;
  while (isalnum((unsigned char)s[n]) || s[n] == '_')
    n++;
  return n;
}

/* Behind the comment, or the literal, that begins at s; s itself if none. */
static const char *skip(const char *s)
{
  if (s[0] == '/' && s[1] == '*') {
    const char *end = strstr(s + 2, "*/");
    return end ? end + 2 : s + strlen(s);
  }
  char quote = *s;
  if (quote != '"' && quote != '\'')
    return s;
  for (s++; *s && *s != quote; s++)
    s += *s == '\\' && s[1];
  return *s ? s + 1 : s;
}

/* Each word of the text, outside of comments and literals. */
static void read_words(Map *m, const char *s)
{
  while (*s) {
    const char *end = skip(s);
    size_t n = word_length(s);
    if (end == s && n)
      *map_at(m, s, n) = m;
    s = end != s ? end : s + (n ? n : 1);
  }
}

static void names_open(Names *n, const Plan *p, StrBuf *c)
{
  map_init(&n->shared, p->a);
  map_init(&n->steps, p->a);
  n->c = c;
  read_words(&n->shared, embedded_file("runtime_min/o2c.h", NULL));
  for (int i = 0; i < COUNT(shared); i++)
    read_words(&n->shared, embedded_file(arena_printf(p->a,
      "runtime_min/kernels/%s", shared[i]), NULL));
  for (const Step *s = p->first; s; s = s->next)
    read_words(&n->steps, s->name);
  read_words(&n->steps, "run_rows");
}

/* Is the word, which ends the text so far, to be renamed? */
static bool is_ours(Names *names, const char *s, size_t n)
{
  size_t at = names->c->n - n;
  const char *b = names->c->s + at;
  if (at >= 2 && (b[-1] == '.' || (b[-2] == '-' && b[-1] == '>')))
    return false;
  if (n > 4 && (!memcmp(s, "o2c_", 4) || !memcmp(s, "O2C_", 4)))
    return !*map_at(&names->shared, s, n);
  return *map_at(&names->steps, s, n) != NULL;
}

/* Leaves no line with blanks only. */
static void end_line(StrBuf *c)
{
  while (c->n && c->s[c->n - 1] == ' ')
    c->n--;
  if (c->n && c->s[c->n - 1] != '\n')
    sb_puts(c, "\n");
}

/* A name that macros paste together gets its suffix behind the last part. */
static void put_word(Names *names, const char *s, size_t n, bool *pasted)
{
  StrBuf *c = names->c;
  bool more = s[n] == '#' && s[n + 1] == '#';
  sb_write(c, s, n);
  bool ours = *pasted || is_ours(names, s, n);
  if (ours && !more)
    sb_printf(c, "%s%s", *pasted ? "##" : "", names->suffix);
  *pasted = ours && more;
}

static void put_renamed(Names *names, const char *s)
{
  StrBuf *c = names->c;
  bool pasted = false;
  while (*s) {
    const char *end = skip(s);
    size_t n = word_length(s);
    if (end == s && n) {
      put_word(names, s, n, &pasted);
      s += n;
    } else if (end == s && *s == '\n') {
      end_line(c);
      s++;
    } else if (end == s) {
      sb_write(c, s++, 1);
    } else {
      if (*s != '/')
        sb_write(c, s, (size_t)(end - s));
      s = end;
    }
  }
}

/* ---- the file ---------------------------------------------------------- */

static void begin_level(const Level *l, StrBuf *c)
{
  sb_printf(c, "\n/* ---- %s ---- */\n", l->name);
  if (*l->target)
    sb_printf(c, "#ifdef __clang__\n#pragma clang attribute push(__attribute__"
              "((target(\"%s\"))), \\\n                             "
              "apply_to = function)\n#else\n#pragma GCC push_options\n"
              "#pragma GCC target(\"%s\")\n#endif\n", l->target, l->target);
  for (const char *s = l->have; *s; s += *s == ' ') {
    size_t n = strcspn(s, " ");
    sb_printf(c, "#define O2C_HAVE_%.*s%s 1\n", (int)n, s, l->suffix);
    s += n;
  }
  /* What isa.h would say is said. */
  sb_printf(c, "#define O2C_ISA_H%s\n", l->suffix);
}

static void end_level(const Level *l, StrBuf *c)
{
  if (*l->target)
    sb_puts(c, "#ifdef __clang__\n#pragma clang attribute pop\n#else\n"
               "#pragma GCC pop_options\n#endif\n");
}

/* The only level: the text as it is, between the pragmas. */
static void put_only(const Plan *p, const char *text, StrBuf *c)
{
  Level l = *p->level[0];
  l.suffix = "";
  sb_printf(c, "#ifdef %s\n", arch[l.arch].macro);
  begin_level(&l, c);
  sb_puts(c, "#endif\n");
  sb_puts(c, text);
  sb_printf(c, "#ifdef %s\n", arch[l.arch].macro);
  end_level(&l, c);
  sb_puts(c, "#endif\n");
}

static bool has_arch(const Plan *p, int a)
{
  for (int i = 0; i < p->nlevel; i++)
    if (p->level[i]->arch == (LevelArch)a)
      return true;
  return false;
}

void levels_shared(Map *done)
{
  for (int i = 0; i < COUNT(shared); i++) {
    const char *name = arena_printf(done->a, "runtime_min/kernels/%s",
                                    shared[i]);
    *map_at(done, name, strlen(name)) = done;
  }
}

void levels_top(const Plan *p, StrBuf *c)
{
  for (int i = 0; i < p->nlevel; i++)
    if (strstr(p->level[i]->cpu, "O2C_CPU_AMX"))
      sb_puts(c, "#define O2C_CPU_ASK_AMX 1\n");
  for (int i = 0; i < COUNT(shared); i++)
    amalgam_file(p, shared[i], c);
  for (int a = 0; a < COUNT(arch); a++)
    if (has_arch(p, a))
      sb_printf(c, "#if %s\n#define %s 1\n%s#endif\n", arch[a].where,
                arch[a].macro, arch[a].include);
}

/* The parts of an architecture between #if and #endif, and what stands where
 * none of them is. */
static void each_arch(const Plan *p, StrBuf *c,
                      void (*part)(const Level *, void *), void *arg)
{
  const char *word = "if";
  for (int a = 0; a < COUNT(arch); a++) {
    if (!has_arch(p, a))
      continue;
    sb_printf(c, "#%s defined %s\n", word, arch[a].macro);
    for (int i = 0; i < p->nlevel; i++)
      if (p->level[i]->arch == (LevelArch)a)
        part(p->level[i], arg);
    word = "elif";
  }
  sb_puts(c, "#else\n");
  part(NULL, arg);
  sb_puts(c, "#endif\n");
}

typedef struct {
  Names names;
  const char *text;
  StrBuf *c;
} Copies;

static void put_copy(const Level *l, void *arg)
{
  Copies *k = arg;
  if (!l) {
    sb_puts(k->c, k->text);
    return;
  }
  k->names.suffix = l->suffix;
  begin_level(l, k->c);
  put_renamed(&k->names, k->text);
  end_level(l, k->c);
}

typedef struct {
  const Plan *p;
  StrBuf *c;
} Rows;

static void put_row(const Level *l, void *arg)
{
  const Rows *r = arg;
  sb_printf(r->c, "  { %s, run_rows%s },\n", l ? l->cpu : "0",
            l && r->p->nlevel > 1 ? l->suffix : "");
}

static void put_table(const Plan *p, StrBuf *c)
{
  sb_puts(c, "\n/* Code for several instruction sets, from the least to the "
             "best. */\nstatic const struct {\n"
             "  uint32_t needs; /* O2C_CPU_* */\n"
             "  rows_fn *run;\n} level_table[] = {\n");
  each_arch(p, c, put_row, &(Rows){p, c});
  sb_puts(c, "};\n");
}

void levels_text(const Plan *p, const char *steps, StrBuf *c)
{
  StrBuf text;
  sb_init(&text, p->a);
  amalgam_text(p, &text);
  sb_puts(&text, steps);
  sb_write(&text, "", 1);
  Copies k = { .text = text.s, .c = c };
  names_open(&k.names, p, c);
  if (p->nlevel == 1)
    put_only(p, text.s, c);
  else
    each_arch(p, c, put_copy, &k);
  put_table(p, c);
  sb_free(&text);
}
