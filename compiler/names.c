/* SPDX-License-Identifier: Apache-2.0 */
/* Names of a model as C identifiers.
 *
 * A model's names are arbitrary bytes. Those that reach C are reduced to
 * letters, digits and single underscores, kept apart from the words of C and
 * C++, from macros of common headers, and from the words that mean something
 * to our templates (T, M, K, G_..., m4_...). */
#include "ir.h"
#include <string.h>

#define NAME_MAX_LEN 60

static const char *const words[] = {
  "asm", "auto", "bool", "break", "case", "catch", "char", "class", "const",
  "constexpr", "continue", "decltype", "default", "delete", "do", "double",
  "else", "enum", "explicit", "export", "extern", "false", "float", "for",
  "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace",
  "new", "noexcept", "nullptr", "operator", "private", "protected", "public",
  "register", "restrict", "return", "short", "signed", "sizeof", "static",
  "struct", "switch", "template", "this", "throw", "true", "try", "typedef",
  "typeid", "typename", "typeof", "union", "unsigned", "using", "virtual",
  "void", "volatile", "wchar_t", "while", "alignas", "alignof", "and",
  "and_eq", "bitand", "bitor", "char16_t", "char32_t", "char8_t", "co_await",
  "co_return", "co_yield", "compl", "concept", "consteval", "constinit",
  "const_cast", "dynamic_cast", "not", "not_eq", "or", "or_eq",
  "reinterpret_cast", "requires", "static_assert", "static_cast",
  "thread_local", "xor", "xor_eq", "nullptr_t", "main", "near", "far",
  /* macros of systems and headers */
  "linux", "unix", "i386", "errno", "assert", "min", "max", "small", "huge",
  "interface", "complex", "imaginary", "stdin", "stdout", "stderr", "offsetof",
  "I", "EOF", "NULL", "NAN", "INFINITY", "BUFSIZ", "TRUE", "FALSE", "IN",
  "OUT", "ERROR", "CONST", "VOID", "OPTIONAL", "DOMAIN", "OVERFLOW",
  "UNDERFLOW", "HUGE", "HUGE_VAL", "RAND_MAX",
  /* words of elementwise templates */
  "T", "M", "K",
  /* types and parameters of the generated interface */
  "size_t", "ptrdiff_t", "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t",
  "uint16_t", "uint32_t", "uint64_t", "intptr_t", "uintptr_t", "intmax_t",
  "uintmax_t",
};

bool c_reserved(const char *s)
{
  static const char *const prefixes[] = {"o2c", "O2C", "G_", "m4_", "INT",
    "UINT", "SIZE_", "M_", "FP_", "SEEK_", "WCHAR_", "PTRDIFF_", "SIG"};
  for (int i = 0; i < COUNT(words); i++)
    if (!strcmp(s, words[i])) return true;
  for (int i = 0; i < COUNT(prefixes); i++)
    if (!strncmp(s, prefixes[i], strlen(prefixes[i]))) return true;
  return s[0] == '_' || strstr(s, "__");
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool c_valid(const char *s)
{
  if (!*s || is_digit(*s)) return false;
  for (; *s; s++)
    if (!is_word(*s) && *s != '_') return false;
  return true;
}

/* `prefix` (with an underscore) is put before what can't stand alone. */
char *c_identifier(Arena *a, const char *text, const char *prefix)
{
  char out[NAME_MAX_LEN + 1];
  size_t n = 0;
  for (const char *s = text; *s && n < NAME_MAX_LEN; s++) {
    if (is_word(*s)) out[n++] = *s;
    else if (n && out[n - 1] != '_') out[n++] = '_';
  }
  while (n && out[n - 1] == '_') n--;
  out[n] = 0;
  if (!n) return arena_str(a, prefix);
  if (is_digit(*out) || c_reserved(out))
    return arena_printf(a, "%s_%s", prefix, out);
  return arena_strn(a, out, n);
}
