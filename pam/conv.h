/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The application's conversation function, treated as foreign: it may be
 * missing, fail, answer nothing, too much or what was not asked.  Whatever it
 * returns is wiped before it is freed.
 */
#ifndef CSIGN_PAM_CONV_H
#define CSIGN_PAM_CONV_H

#include <security/pam_modules.h>
#include <stdbool.h>

#include "countersign.h"

/* Has the application a conversation function? */
bool csign_conv_is_there(pam_handle_t *pamh);

/*
 * Shows text (PAM_TEXT_INFO, or PAM_ERROR_MSG).  CSIGN_E_NOMEM, or
 * CSIGN_E_SYSTEM if the conversation is missing or fails.
 */
CSIGN_WUR enum csign_err csign_conv_show(
    pam_handle_t *pamh, bool error, const char *text);

/* A recovery code with a dash or a space after each character, and more. */
#define CSIGN_REPLY_SIZE 64

/* What a person typed at a prompt; it may be a secret. */
struct csign_reply {
	char text[CSIGN_REPLY_SIZE];
};

/*
 * Asks with echo.  An answer that is longer than a reply can be is cut: no
 * prompt of ours has a meaning for it.  CSIGN_E_TOO_LONG for PAM_MAX_RESP_SIZE
 * bytes or more, CSIGN_E_FORMAT if there is no answer, else as
 * csign_conv_show().  The caller clears the reply.
 */
CSIGN_WUR enum csign_err csign_conv_ask(
    pam_handle_t *pamh, const char *text, struct csign_reply *ret_reply);

/* Is it this word, written in lower case, in either case of ASCII? */
bool csign_reply_is(const struct csign_reply *reply, const char *word);
/* Wiped: it is an empty line then. */
void csign_reply_clear(struct csign_reply *reply);

#endif
