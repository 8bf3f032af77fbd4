/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that loses its power: what is done to the files of a folder is
 * recorded in its order, and every state in which a power cut could leave them
 * is made again.
 *
 * What was synced stays.  Of what was not, anything may be there: of the
 * entries of each folder, as many of its changes, in their order, as pleases,
 * whatever happened in other folders; of a file's bytes, none, all, the first
 * blocks of them, zeros or rubbish in place of them.  That is more than the
 * usual file systems do wrong.
 *
 * There is one folder at a time.  A test that cannot go on is ended with a
 * message.
 */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All that is below the folder now is on the disk; what follows is recorded. */
void disk_begin(const char *folder);
/*
 * No more is.  Ends the test if the folder is not what was recorded: then the
 * product changes files by a call that disk_record.c does not know.
 */
void disk_end(void);
/* That were recorded. */
size_t disk_operations(void);

/*
 * After disk_end(): makes the states after the first, the second ... and the
 * last operation, at most max of them after each, drawn by seed if there are
 * more.  check is called in each; last: the machine stopped only after all that
 * was recorded. Returns how many there were.
 */
unsigned long disk_cuts(
    unsigned int max, uint64_t seed, void (*check)(bool last));

/* Was that the whole content of the file by this name at any time? */
bool disk_was(const char *name, const void *bytes, size_t len);
/* In words, for a message: what was lost in the state made last. */
const char *disk_story(void);

#endif
