/* SPDX-License-Identifier: Apache-2.0 */
/* Checks for the unit tests: a failed one is printed and counted, and the test
 * goes on. A check has the value 1 if it holds. main ends with
 * `return test_end();`. */
#ifndef O2C_TEST_H
#define O2C_TEST_H
#include <stdio.h>
#include <string.h>

static int test_checks, test_failures;

#define CHECK(x) test_check((x) != 0, #x, __FILE__, __LINE__)
#define CHECK_INT(a, b) \
  test_check_int((long long)(a), (long long)(b), #a, __FILE__, __LINE__)
#define CHECK_STR(a, b) test_check_str((a), (b), #a, __FILE__, __LINE__)

static inline int test_check(int ok, const char *what, const char *file,
                             int line)
{
  test_checks++;
  if (ok) return 1;
  test_failures++;
  printf("%s:%d: %s\n", file, line, what);
  return 0;
}

static inline int test_check_int(long long a, long long b, const char *what,
                                 const char *file, int line)
{
  test_check(a == b, what, file, line);
  if (a != b) printf("  is %lld, not %lld\n", a, b);
  return a == b;
}

static inline int test_check_str(const char *a, const char *b,
                                 const char *what, const char *file, int line)
{
  int ok = a && b && !strcmp(a, b);
  test_check(ok, what, file, line);
  if (!ok) printf("  is '%s', not '%s'\n", a ? a : "NULL", b ? b : "NULL");
  return ok;
}

static inline int test_end(void)
{
  printf("%d checks, %d failures\n", test_checks, test_failures);
  return test_failures != 0;
}
#endif
