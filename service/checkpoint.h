/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQLite's write-ahead log back into the database, by a thread: that takes
 * fsync(2), which may last, and nobody who waits for an answer shall wait for
 * a disk.  Used by the store alone.
 */
#ifndef SERVICE_CHECKPOINT_H
#define SERVICE_CHECKPOINT_H

#include <sqlite3.h>

#include "countersign.h"

struct checkpoint;

/* For the database that db has open, which must outlive the result. */
CSIGN_WUR enum csign_err checkpoint_new(
    sqlite3 *db, struct checkpoint **ret_checkpoint);
/* Soon: a full disk may have room again when the log begins anew. */
void checkpoint_ask(struct checkpoint *checkpoint);
/* Waits for the one that is under way. */
void checkpoint_free(struct checkpoint **checkpoint);

#endif
