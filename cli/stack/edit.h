/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Putting our line into the file of a PAM service, and taking it out again.
 *
 * Nothing but our own line, known by its mark, is ever added or removed.  Where
 * it goes is not guessed: each place is tried in the judge of stack.h, and
 * the first one is taken where the phone is asked after a first factor, where
 * its no counts, and where nobody gets past it; with after_first_factor, or, if
 * the stack goes on after a factor has failed, without it.  The rest of the
 * stack must read as before, or nothing is written.
 */
#ifndef CLI_STACK_EDIT_H
#define CLI_STACK_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "stack.h"

#define PAM_EDIT_MARK "# by countersign pam enable"
#define PAM_EDIT_BACKUP ".countersign-backup"

enum pam_edit_result {
	PAM_EDIT_READY,   /* there is something to write */
	PAM_EDIT_NOTHING, /* it is so already: why says where */
	PAM_EDIT_REFUSED, /* this file is not for us: why says the reason */
	PAM_EDIT_TROUBLE, /* a system call failed */
};

struct pam_edit {
	char *root, *service;
	char path[128]; /* of the file, on the host */
	char *old, *new;
	size_t old_len, new_len;
	bool enable;
	/* enable: our line, where it stands, and what the stack becomes */
	const char *text;
	unsigned int line;
	struct pam_stack *stack;
	struct pam_judgement *judgement;
	char why[512];
};

/* Looks and writes nothing.  NULL: no memory. */
struct pam_edit *pam_edit_plan(const char *root, const char *service,
    bool enable, enum pam_edit_result *ret_result);
void pam_edit_free(struct pam_edit **edit);

/* What would be written, as diff(1) -u says it, to standard output. */
void pam_edit_diff(const struct pam_edit *edit);

/*
 * Writes it: backup beside the file (enable only), new file with the owner,
 * mode and attributes of the old one, rename.  Then the stack is read again; if
 * it is not what was planned, the old file comes back.  False: why.
 */
bool pam_edit_apply(struct pam_edit *edit);

#endif
