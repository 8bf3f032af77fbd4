/* SPDX-License-Identifier: BSD-2-Clause */
/* Who wants in, where and by which way: PAM's items, copied once. */
#ifndef CSIGN_PAM_ITEMS_H
#define CSIGN_PAM_ITEMS_H

#include <security/pam_modules.h>
#include <stdbool.h>

#include "countersign.h"

/* What kind of program asks; anything that is not known is OTHER. */
enum csign_caller {
	CSIGN_CALLER_OTHER,
	CSIGN_CALLER_SSH,
	CSIGN_CALLER_SUDO,
	CSIGN_CALLER_DOAS,
	CSIGN_CALLER_SU,
	CSIGN_CALLER_LOGIN,
};

/* All strings are the struct's own; "" where PAM has nothing. */
struct csign_items {
	char *user;
	char *ruser;
	char *service;
	char *rhost;
	char *tty;
	char *ssh_address; /* of the client, from SSH_CONNECTION */
	char *ssh_port;
	char *ssh_passed; /* SSH_AUTH_INFO_0: what was proven already */
	enum csign_caller caller;
	bool known; /* user is an account of this host */
};

/*
 * Takes the copies.  May ask for the user's name, as pam_get_user(3) does.
 * CSIGN_E_INVALID: there is no user.  ret_items is in order, to be cleared,
 * even on failure.
 */
CSIGN_WUR enum csign_err csign_items_load(
    pam_handle_t *pamh, struct csign_items *ret_items);

/*
 * Are user, service and remote user still what they were?  A module or a
 * conversation may have changed them meanwhile (countersign-security(7) PAM-5).
 */
bool csign_items_unchanged(pam_handle_t *pamh, const struct csign_items *items);

/* Does sshd say that another method was passed before, such as a key? */
bool csign_items_passed(const struct csign_items *items);

/* Does the question come from outside this host? */
bool csign_items_remote(const struct csign_items *items);

void csign_items_clear(struct csign_items *items);

#endif
