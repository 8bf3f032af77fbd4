/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The courier's leash: how the library starts, hears and lets go of the one
 * program that touches the network (countersign-security(7) SYS-6, SYS-7).
 *
 * The courier is started through a child that exits at once, so it is never a
 * child of the host application: no SIGCHLD reaches the application, nothing
 * is left to be waited for, and the courier can report the outcome after the
 * login went on.  It ends when its socket is closed, when its job is done, or,
 * whatever it does, by the alarm and limits that were set before it ran.
 */
#ifndef CSIGN_LEASH_H
#define CSIGN_LEASH_H

#include <stdint.h>

#include "buf.h"
#include "countersign.h"
#include "frame.h"
#include "why.h"

struct csign_leash;

/*
 * Starts program (absolute path, safe by the rules of file.h) as user (if the
 * process is root; otherwise as itself) for at most life_ms and sends the job.
 */
CSIGN_WUR enum csign_err csign_leash_start(const char *program,
    const char *user, uint32_t life_ms, const struct csign_job *job,
    struct csign_why *why, struct csign_leash **ret_leash);
/* Readable when a frame, or the courier's end, is there. */
int csign_leash_fd(const struct csign_leash *leash);
/*
 * The next frame, waiting at most timeout_ms (-1: for ever).  It is valid
 * until the next call.  CSIGN_E_AGAIN: none yet.  CSIGN_E_COURIER: it went
 * away or sent something else than a frame; then it has been killed.
 */
CSIGN_WUR enum csign_err csign_leash_next(struct csign_leash *leash,
    int timeout_ms, struct csign_why *why, struct csign_frame *ret_frame);
/* Tells the outcome, and which device was enrolled (or NULL); never blocks. */
CSIGN_WUR enum csign_err csign_leash_outcome(struct csign_leash *leash,
    enum csign_outcome outcome, const char *reason, uint8_t tries_left,
    const char *device);
/* Tells that a device is gone from this host; never blocks. */
CSIGN_WUR enum csign_err csign_leash_removed(
    struct csign_leash *leash, const char *device);
/*
 * Lets go: the courier delivers an outcome that it was given, or cancels, and
 * ends by itself.  Never blocks.
 */
void csign_leash_free(struct csign_leash **leash);
/* The same, but it is killed first. */
void csign_leash_kill(struct csign_leash **leash);

#endif
