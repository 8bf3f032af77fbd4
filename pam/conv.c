/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "conv.h"

static void
wipe_response(struct pam_response *resp)
{
	if (resp == NULL)
		return;
	if (resp->resp != NULL) {
		explicit_bzero(resp->resp, strlen(resp->resp));
		free(resp->resp);
	}
	free(resp);
}

/* One message, one response; *ret_resp may be NULL, and is the caller's. */
static enum csign_err
converse(pam_handle_t *pamh, int style, const char *text,
    struct pam_response **ret_resp)
{
	const struct pam_message msg = {.msg_style = style, .msg = text};
	const struct pam_message *msgs = &msg;
	struct pam_response *resp = NULL;
	const struct pam_conv *conv;
	const void *item = NULL;
	int r;

	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS ||
	    (conv = item) == NULL || conv->conv == NULL)
		return CSIGN_E_SYSTEM;
	r = conv->conv(1, &msgs, &resp, conv->appdata_ptr);
	/* After a failure the response means nothing and is not ours. */
	if (r != PAM_SUCCESS)
		return r == PAM_BUF_ERR ? CSIGN_E_NOMEM : CSIGN_E_SYSTEM;
	*ret_resp = resp;
	return CSIGN_OK;
}

enum csign_err
csign_conv_show(pam_handle_t *pamh, bool error, const char *text)
{
	struct pam_response *resp = NULL;
	enum csign_err r;

	r = converse(pamh, error ? PAM_ERROR_MSG : PAM_TEXT_INFO, text, &resp);
	wipe_response(resp);
	return r;
}

enum csign_err
csign_conv_ask(pam_handle_t *pamh, const char *text, char *ret_key)
{
	struct pam_response *resp = NULL;
	enum csign_err r;
	char key = '?';
	size_t len;

	if ((r = converse(pamh, PAM_PROMPT_ECHO_ON, text, &resp)) != CSIGN_OK)
		return r;
	if (resp == NULL || resp->resp == NULL)
		r = CSIGN_E_FORMAT;
	else if ((len = strlen(resp->resp)) >= PAM_MAX_RESP_SIZE)
		r = CSIGN_E_TOO_LONG;
	else if (len <= 1)
		key = resp->resp[0];
	wipe_response(resp);
	if (r == CSIGN_OK)
		*ret_key = key;
	return r;
}
