/* SPDX-License-Identifier: Apache-2.0 */
/* A relocatable ELF object with one read-only blob and one symbol,
 * <name>_weights: what `ld -r -b binary` makes, but aligned by weights_align,
 * named, and for any target. Layout: ELF header, padding to 64, the blob,
 * section names, symbol names, symbols, section headers.
 * Source: System V Application Binary Interface, edition 4.1, chapter 4; the
 * 64-bit layouts are those of the ELF-64 object file format, version 1.5.
 */
#include "target.h"

#include <string.h>

typedef struct {
  const char *name;
  uint16_t machine;   /* e_machine */
  uint32_t flags;     /* e_flags */
  bool wide;          /* ELF64 */
} Machine;

static const Machine machines[] = {
  { "x86-64", 62, 0, true },
  { "aarch64", 183, 0, true },
  { "arm", 40, 0x05000000u, false }, /* EABI version 5 */
  { "i386", 3, 0, false },
  { "riscv64", 243, 0x5u, true },    /* RVC, double-float ABI */
};

#if defined __aarch64__
#define HOST_MACHINE "aarch64"
#elif defined __arm__
#define HOST_MACHINE "arm"
#elif defined __i386__
#define HOST_MACHINE "i386"
#elif defined __riscv
#define HOST_MACHINE "riscv64"
#else
#define HOST_MACHINE "x86-64"
#endif

static const Machine *machine(Model *m)
{
  const char *want = m->opt->weights_for ? m->opt->weights_for : HOST_MACHINE;
  for (int i = 0; i < COUNT(machines); i++)
    if (!strcmp(machines[i].name, want))
      return &machines[i];
  diag_model(m, SEV_ERROR, EXIT_USAGE,
             "--weights-for %s: no such machine; one of x86-64 aarch64 arm "
             "i386 riscv64", want);
  return NULL;
}

enum { SEC_NULL, SEC_DATA, SEC_STACK, SEC_SYM, SEC_STR, SEC_NAMES, SEC_COUNT };

typedef struct {
  FILE *f;
  const Machine *m;
  bool ok;
} Elf;

static void put(Elf *e, uint64_t v, int bytes)
{
  unsigned char b[8];
  for (int i = 0; i < bytes; i++)
    b[i] = (unsigned char)(v >> (8 * i));
  e->ok = e->ok && fwrite(b, (size_t)bytes, 1, e->f) == 1;
}

static void put_addr(Elf *e, uint64_t v)
{
  put(e, v, e->m->wide ? 8 : 4);
}

static void put_zeros(Elf *e, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    put(e, 0, 1);
}

static int64_t header_size(const Machine *m) { return m->wide ? 64 : 52; }
static int64_t symbol_size(const Machine *m) { return m->wide ? 24 : 16; }

typedef struct {
  int64_t data, names, str, sym, sections; /* offsets in the file */
  int64_t names_size, str_size;
  const char *section;
} Layout;

static Layout layout(const Model *model, const Machine *m, const char *name,
                     int64_t size)
{
  Layout l = { .data = 64 };
  (void)m;
  l.section = model->opt->section ? model->opt->section : ".rodata.o2c";
  l.names = l.data + size;
  l.names_size = (int64_t)strlen(l.section) + 1 + 1 +
                 (int64_t)sizeof ".note.GNU-stack" +
                 (int64_t)sizeof ".symtab" + (int64_t)sizeof ".strtab" +
                 (int64_t)sizeof ".shstrtab";
  l.str = l.names + l.names_size;
  l.str_size = 1 + (int64_t)strlen(name) + (int64_t)sizeof "_weights";
  l.sym = (l.str + l.str_size + 7) / 8 * 8;
  l.sections = l.sym + 2 * symbol_size(m);
  return l;
}

bool elf_begin(Model *model, FILE *f, const char *name, int64_t size)
{
  const Machine *m = machine(model);
  if (!m)
    return false;
  Elf e = { f, m, true };
  Layout l = layout(model, m, name, size);
  static const unsigned char ident[] = { 0x7f, 'E', 'L', 'F' };
  for (int i = 0; i < 4; i++)
    put(&e, ident[i], 1);
  put(&e, m->wide ? 2 : 1, 1);    /* class */
  put(&e, 1, 1);                  /* little-endian */
  put(&e, 1, 1);                  /* version */
  put_zeros(&e, 9);
  put(&e, 1, 2);                  /* ET_REL */
  put(&e, m->machine, 2);
  put(&e, 1, 4);
  put_addr(&e, 0);                /* entry */
  put_addr(&e, 0);                /* program headers */
  put_addr(&e, (uint64_t)l.sections);
  put(&e, m->flags, 4);
  put(&e, (uint64_t)header_size(m), 2);
  put(&e, 0, 2);
  put(&e, 0, 2);
  put(&e, m->wide ? 64 : 40, 2);
  put(&e, SEC_COUNT, 2);
  put(&e, SEC_NAMES, 2);
  put_zeros(&e, l.data - header_size(m));
  return e.ok;
}

typedef struct {
  int64_t name, type, flags, offset, size, link, info, align, entry;
} Section;

static void put_section(Elf *e, const Section *s)
{
  put(e, (uint64_t)s->name, 4);
  put(e, (uint64_t)s->type, 4);
  put_addr(e, (uint64_t)s->flags);
  put_addr(e, 0);
  put_addr(e, (uint64_t)s->offset);
  put_addr(e, (uint64_t)s->size);
  put(e, (uint64_t)s->link, 4);
  put(e, (uint64_t)s->info, 4);
  put_addr(e, (uint64_t)s->align);
  put_addr(e, (uint64_t)s->entry);
}

static void put_text(Elf *e, const char *s)
{
  e->ok = e->ok && fwrite(s, strlen(s) + 1, 1, e->f) == 1;
}

static void put_symbol(Elf *e, int64_t size)
{
  const unsigned global_object = 0x11;
  put(e, 1, 4);
  if (!e->m->wide) {
    put(e, 0, 4);
    put(e, (uint64_t)size, 4);
  }
  put(e, global_object, 1);
  put(e, 0, 1);
  put(e, SEC_DATA, 2);
  if (e->m->wide) {
    put(e, 0, 8);
    put(e, (uint64_t)size, 8);
  }
}

static void put_sections(Elf *e, const Layout *l, int64_t size)
{
  int64_t at = 1, name[SEC_COUNT];
  name[SEC_DATA] = at;
  at += (int64_t)strlen(l->section) + 1;
  name[SEC_STACK] = at;
  at += (int64_t)sizeof ".note.GNU-stack";
  name[SEC_SYM] = at;
  at += (int64_t)sizeof ".symtab";
  name[SEC_STR] = at;
  at += (int64_t)sizeof ".strtab";
  name[SEC_NAMES] = at;
  int64_t symbol = symbol_size(e->m);
  const Section all[SEC_COUNT] = {
    [SEC_DATA] = { name[SEC_DATA], 1, 2, l->data, size, 0, 0,
                   e->m->wide ? weights_align(size) : 64, 0 },
    [SEC_STACK] = { name[SEC_STACK], 1, 0, l->names, 0, 0, 0, 1, 0 },
    [SEC_SYM] = { name[SEC_SYM], 2, 0, l->sym, 2 * symbol, SEC_STR, 1, 8,
                  symbol },
    [SEC_STR] = { name[SEC_STR], 3, 0, l->str, l->str_size, 0, 0, 1, 0 },
    [SEC_NAMES] = { name[SEC_NAMES], 3, 0, l->names, l->names_size, 0, 0, 1,
                    0 },
  };
  for (int i = 0; i < SEC_COUNT; i++)
    put_section(e, &all[i]);
}

bool elf_end(Model *model, FILE *f, const char *name, int64_t size)
{
  const Machine *m = machine(model);
  Elf e = { f, m, true };
  Layout l = layout(model, m, name, size);
  put(&e, 0, 1);
  put_text(&e, l.section);
  put_text(&e, ".note.GNU-stack");
  put_text(&e, ".symtab");
  put_text(&e, ".strtab");
  put_text(&e, ".shstrtab");
  put(&e, 0, 1);
  e.ok = e.ok && fwrite(name, strlen(name), 1, f) == 1;
  put_text(&e, "_weights");
  put_zeros(&e, l.sym - l.str - l.str_size);
  put_zeros(&e, symbol_size(m));
  put_symbol(&e, size);
  put_sections(&e, &l, size);
  return e.ok;
}
