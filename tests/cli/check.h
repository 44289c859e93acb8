/* SPDX-License-Identifier: Apache-2.0 */
/* CHECK(x) ends a program of this folder, naming line and text, if x is not so.
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H
#include <stdio.h>
#include <stdlib.h>

#define CHECK(x) check((x) != 0, #x, __LINE__)
static void check(int ok, const char *what, int line)
{
  if (ok) return;
  fprintf(stderr, "line %d: %s\n", line, what);
  exit(1);
}

#endif
