/* SPDX-License-Identifier: Apache-2.0 */
/* Files that saving writes: a temporary beside each, renamed at the end. */
#ifndef O2C_EDIT_SAVE_H
#define O2C_EDIT_SAVE_H
#include "edit.h"

typedef struct {
  Edit *e;
  int fd, error;         /* errno; 0: all is well */
  const char *path;
  char *tmp;             /* NULL: renamed, or not there */
  uint8_t *buf;
  size_t n;              /* bytes in buf */
  uint64_t total;
  uint64_t *hash;        /* instead of a file: of places, see msg_hash */
  Sha256 *sha;           /* instead of a file */
  const FileMap *from;   /* whose holes are looked for in `holes` */
  int holes;             /* a descriptor, or -1 */
} Sink;
/* The bools are false after a diagnostic. */
bool sink_open(Sink *s, Edit *e, const char *path);
void sink_write(Sink *s, const void *p, size_t n); /* errors: in sink_end */
void sink_to(Sink *s, uint64_t offset);            /* zeros up to there */
bool sink_end(Sink *s);
bool sink_rename(Sink *s);
void sink_drop(Sink *s);                           /* safe at any time */
void msg_write(Edit *e, const void *msg, Sink *s);
#endif
