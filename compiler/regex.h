/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions as automata over bytes, for RegexFullMatch and Tokenizer:
 * text in the syntax of RE2 becomes a program of byte ranges (regex_parse.c,
 * regex_set.c), the program a table of states (regex_dfa.c). */
#ifndef O2C_REGEX_H
#define O2C_REGEX_H
#include "ir.h"

/* A set of code points: pairs of bounds. */
typedef struct { Arena *a; int *r; int n; } RxSet;
void rx_add(RxSet *s, int lo, int hi);
void rx_fold(RxSet *s);   /* with them, those that differ in case only */
void rx_negate(RxSet *s);
void rx_union(RxSet *s, const RxSet *other);
bool rx_named(RxSet *s, const char *name); /* "alpha" of [:alpha:], "d", .. */

typedef enum { RA_TEXT_BEGIN, RA_TEXT_END, RA_LINE_BEGIN, RA_LINE_END, RA_WORD,
               RA_NO_WORD } RxAssert;
typedef enum { RI_BYTE, RI_SPLIT, RI_ASSERT, RI_MATCH } RxOp;
typedef struct {
  RxOp op;
  int lo, hi;               /* BYTE: a range; ASSERT: lo is an RxAssert */
  int out, alt;             /* what comes next; SPLIT: either of them */
} RxInst;
typedef struct {
  Arena *a;
  RxInst *inst;
  int n, start;
  bool asserts;
} RxProgram;
/* NULL, or what is wrong with the pattern. */
const char *rx_parse(RxProgram *p, Arena *a, const char *pattern, size_t n);

/* What ref/string.h's full_match runs; and ref/token.h, for which matching
 * begins in a state for each kind of byte before: none, the end of a line, one
 * of a word, another. */
#define RX_STARTS 4
typedef struct {
  int nstate, nclass, start[RX_STARTS], accept;
  uint8_t byte_class[256];
  uint16_t *next;           /* [nstate][nclass] */
} RxTable;
const char *rx_table(RxTable *t, const RxProgram *p, bool search);

/* unicode.c: calls `add` with the bounds of each run of characters of a general
 * category, as "Lu" or "L". false: there is none of this name. */
bool unicode_category(const char *name, void (*add)(void *, int, int),
                      void *user);
/* regex_set.c: s in lower case (1), upper case (2), or as it is (0). */
Str str_case(Arena *a, Str s, int mode);
#endif
