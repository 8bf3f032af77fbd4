/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command-line program does before anything else: no raised
 * privileges by the set-id bits, no core dump, no file that others can read,
 * and a way to be stopped that leaves nothing behind.
 */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include <stdbool.h>

/*
 * umask 077, no core, not dumpable, descriptors 0 to 2 open, SIGPIPE ignored.
 * False, with a message on standard error, if the program runs with raised
 * privileges (countersign-security(7) SYS-8) or one of these failed.
 */
bool process_harden(const char *program);

/*
 * From now on SIGINT, SIGTERM and SIGHUP make *ret_fd readable instead of
 * ending the process.  False if that cannot be set up.
 */
bool process_stop_fd(int *ret_fd);

/*
 * Waits until fd (-1: none) is readable, at most timeout_ms (-1: for ever).
 * WAIT_STOPPED has priority and stays.  stop_fd may be -1.
 */
enum process_wait { WAIT_READABLE, WAIT_TIMEOUT, WAIT_STOPPED };
enum process_wait process_wait(int fd, int stop_fd, int timeout_ms);

#endif
