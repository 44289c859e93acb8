/* SPDX-License-Identifier: Apache-2.0 */
/* What --dry-run compares: a model in short, before and after. */
#ifndef O2C_EDIT_SNAPSHOT_H
#define O2C_EDIT_SNAPSHOT_H
#include "edit.h"

typedef struct Snapshot Snapshot;
Snapshot *snapshot_make(Edit *e);
/* Prints what the model has become since then, to stdout. */
void snapshot_print(Edit *e, const Snapshot *before);
#endif
