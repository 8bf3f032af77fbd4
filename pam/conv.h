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

/*
 * Shows text (PAM_TEXT_INFO, or PAM_ERROR_MSG).  CSIGN_E_NOMEM, or
 * CSIGN_E_SYSTEM if the conversation is missing or fails.
 */
CSIGN_WUR enum csign_err csign_conv_show(
    pam_handle_t *pamh, bool error, const char *text);

/*
 * Asks with echo.  *ret_key is what the answer says: 0 for an empty line, the
 * character for an answer of one character, '?' for anything else.  Nothing
 * else of the answer is kept.  CSIGN_E_TOO_LONG for PAM_MAX_RESP_SIZE bytes or
 * more, CSIGN_E_FORMAT if there is no answer, else as csign_conv_show().
 */
CSIGN_WUR enum csign_err csign_conv_ask(
    pam_handle_t *pamh, const char *text, char *ret_key);

#endif
