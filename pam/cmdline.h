/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sudo, doas or su was asked to do, from the kernel's record of the
 * calling process's arguments.  The environment is never looked at:
 * SUDO_COMMAND can be the caller's own (countersign-security(7) UX-7).
 */
#ifndef CSIGN_PAM_CMDLINE_H
#define CSIGN_PAM_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"

enum csign_action {
	CSIGN_ACTION_OTHER,    /* not understood: text is the whole line */
	CSIGN_ACTION_RUN,      /* a command */
	CSIGN_ACTION_SHELL,    /* an interactive shell */
	CSIGN_ACTION_EDIT,     /* files to edit */
	CSIGN_ACTION_LIST,     /* sudo -l */
	CSIGN_ACTION_VALIDATE, /* sudo -v */
};

struct csign_cmdline {
	enum csign_action action;
	/* Words as a shell would need them quoted; "" if there are none. */
	char *text;
	/* As typed, or NULL. */
	char *target;         /* sudo -u, doas -u */
	char *group;          /* sudo -g */
	char *chdir;          /* sudo -D */
	char *chroot;         /* sudo -R */
	bool non_interactive; /* sudo -n */
	bool no_update;       /* sudo -N: leaves no timestamp */
	/* What the caller's environment decides, so no eye can see it. */
	bool callers_shell; /* SHELL names what runs it: -s, su -m, -p */
	bool callers_path;  /* PATH says where it is: doas, without a slash */
};

/*
 * The arguments of this process, each ending in NUL.  *ret_args is the
 * caller's to free.  CSIGN_E_TOO_LONG above 8 MiB, more than a process can
 * have been given.
 */
CSIGN_WUR enum csign_err csign_cmdline_read(char **ret_args, size_t *ret_len);

/*
 * Reads args as sudo(8), doas(1) or su(1) does.  Behind its len bytes there is
 * a NUL, as csign_cmdline_read() leaves one: the kernel's record ends without
 * one where a process has changed it.
 */
CSIGN_WUR enum csign_err csign_cmdline_sudo(
    const char *args, size_t len, struct csign_cmdline *ret_cmd);
CSIGN_WUR enum csign_err csign_cmdline_doas(
    const char *args, size_t len, struct csign_cmdline *ret_cmd);
CSIGN_WUR enum csign_err csign_cmdline_su(
    const char *args, size_t len, struct csign_cmdline *ret_cmd);
void csign_cmdline_clear(struct csign_cmdline *cmd);

#endif
