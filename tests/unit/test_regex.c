/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of RegexFullMatch: what they match, and which are refused. */
#include "../../compiler/regex.h"

#include <stdlib.h>
#include <string.h>

#include "o2ctest.h"

/* 1, 0, or -1: the pattern is refused. */
static int match(const char *pattern, const char *text)
{
  Options opt = {0};
  Model *m = model_new(&opt, "test");
  RxProgram p = {0};
  RxTable t = {0};
  Str s = {text, strlen(text)};
  uint8_t y = 9;
  int status, result = -1;
  if (!MODEL_EDGE(m) && !rx_parse(&p, &m->arena, pattern, strlen(pattern)) &&
      !rx_table(&t, &p, false)) {
    RefArgs a = {.p = {&s, t.byte_class, t.next, &y},
                 .d = {1, t.nclass, t.start[0], t.accept}};
    CHECK(ref_run("full_match", DT_STR, &a, &status));
    result = y;
  }
  model_free(m);
  return result;
}

/* Texts behind the pattern: those that match, NULL, those that do not. */
static void check(const char *pattern, const char *const *text)
{
  for (int want = 1; want >= 0; want--, text++)
    for (; *text; text++)
      if (match(pattern, *text) != want) {
        printf("%s on '%s': %d, not %d\n", pattern, *text,
               match(pattern, *text), want);
        CHECK(0);
      }
}

#define MATCHES(pattern, ...) \
  check(pattern, (const char *const[]){__VA_ARGS__, NULL})
#define NOT NULL

static void test_simple(void)
{
  MATCHES("", "", NOT, "a", "\n");
  MATCHES("a", "a", NOT, "", "aa", "b");
  MATCHES("ab|cd|", "ab", "cd", "", NOT, "a", "abcd");
  MATCHES("a*", "", "a", "aaaa", NOT, "ab");
  MATCHES("(a|b)*abb", "abb", "babb", "aabbabb", NOT, "ab", "abba");
  MATCHES("a+?b??", "a", "aab", NOT, "b", "abb");
  MATCHES("(a*)*", "", "aaa", NOT, "b");
  MATCHES("(|a)+", "", "aaa", NOT, "b");
  MATCHES("a{3}", "aaa", NOT, "aa", "aaaa");
  MATCHES("a{2,}", "aa", "aaaaaa", NOT, "a");
  MATCHES("(ab){1,3}", "ab", "ababab", NOT, "", "abababab");
  MATCHES("a{,3}", "a{,3}", NOT, "aa");
  MATCHES("x{0}y", "y", NOT, "xy");
  MATCHES(".", "a", "\xc3\xa9", "\xf0\x9f\x98\x80", NOT, "\n", "\xc3", "ab");
  MATCHES("(?s).", "\n", NOT, "");
  MATCHES("\\C\\C", "ab", "\xc3\xa9", NOT, "a");
}

static void test_classes(void)
{
  MATCHES("[abc]", "a", "c", NOT, "d", "");
  MATCHES("[^a-c]", "d", "\n", "\xc3\xa9", NOT, "b");
  MATCHES("[]a]+", "]a", NOT, "[");
  MATCHES("[^]]", "a", NOT, "]");
  MATCHES("[a-]+", "a-a", NOT, "b");
  MATCHES("[\\d_-]+", "1_2-3", NOT, "a");
  MATCHES("\\d+\\D\\s\\S\\w\\W", "12x\t!_.", NOT, "12x\v!_.");
  MATCHES("[[:alpha:][:digit:]]+", "ab1", NOT, "_");
  MATCHES("[[:^space:]]", "a", NOT, "\v", " ");
  MATCHES("[\\x41-\\x{43}]", "A", "C", NOT, "D");
  MATCHES("\\101\\x42\\0103", "AB\b3", NOT, "AB");
  MATCHES("[\xc3\xa0-\xc3\xbf]+", "\xc3\xa9\xc3\xbf", NOT, "e",
          "\xc4\x80");
  MATCHES("[\\x{7f}-\\x{10000}]", "\x7f", "\xc2\x80", "\xe2\x82\xac",
          "\xf0\x90\x80\x80", NOT, "~", "\xf0\x90\x80\x81");
  MATCHES("\\pL+", "a\xc3\xa9\xce\xb1", NOT, "1");
  MATCHES("\\p{Lu}\\P{Lu}", "\xc3\x89" "e", NOT, "eE");
  MATCHES("[\\p{^L}]", "1", NOT, "a");
  MATCHES("\\p{Nd}", "\xd9\xa3", NOT, "x");
}

static void test_flags(void)
{
  MATCHES("(?i)abc", "ABC", "aBc", NOT, "abd");
  MATCHES("a(?i)b(?-i)c", "abc", "aBc", NOT, "Abc", "abC");
  MATCHES("(?i:a)b", "Ab", NOT, "AB");
  MATCHES("((?i)a)b", "Ab", NOT, "AB");
  MATCHES("(?i)k", "K", "\xe2\x84\xaa", NOT, "j");
  MATCHES("(?i)\xc3\x89", "\xc3\xa9", NOT, "e");
  MATCHES("(?i)[^k]", "j", NOT, "k", "K", "\xe2\x84\xaa");
  MATCHES("(?P<name>a)(?<other>b)(?:c)", "abc", NOT, "ab");
  MATCHES("(?U)a+b", "aab", NOT, "b");
  MATCHES("\\Qa.b*\\E+c", "a.b*c", "a.b**c", NOT, "aabc");
}

static void test_assertions(void)
{
  MATCHES("^a$", "a", NOT, "a\n");
  CHECK(match("a^b", "ab") == 0);
  MATCHES("(?m)a$\n^b", "a\nb", NOT, "ab");
  MATCHES("(?m)(^x\n?)*", "x\nx", "x", "", NOT, "xx");
  MATCHES("\\Aa\\z", "a", NOT, "b");
  MATCHES("\\ba\\b.\\bb", "a-b", "a b", NOT, "axb");
  MATCHES("a\\Bb", "ab", NOT, "a b");
  CHECK(match("\\b", "") == 0);
}

static void test_refused(void)
{
  static const char *const bad[] = {
    "(", ")", "a)", "[", "[a", "[b-a]", "*", "a**", "a{2}{3}", "+a", "|*",
    "a{2,1}", "a{1001}", "\\1", "\\8", "\\Z", "\\k", "(?=a)", "(?!a)", "(?<=a)",
    "(?<n", "(?P<>a)", "(?q)", "[[:foo:]]", "\\p{Greek}", "\\pX", "\\x{110000}",
    "\\xg", "\\", "\xff", "(?i--s)", "((a{100}){100}){100}",
    "(a|b)*a(a|b){40}",
  };
  for (int i = 0; i < COUNT(bad); i++)
    if (match(bad[i], "") != -1) {
      printf("%s is not refused\n", bad[i]);
      CHECK(0);
    }
}

int main(void)
{
  test_simple();
  test_classes();
  test_flags();
  test_assertions();
  test_refused();
  return test_end();
}
