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

/* NULL: there is none. */
static const struct pam_conv *
conversation(pam_handle_t *pamh)
{
	const struct pam_conv *conv;
	const void *item = NULL;

	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS ||
	    (conv = item) == NULL || conv->conv == NULL)
		return NULL;
	return conv;
}

bool
csign_conv_is_there(pam_handle_t *pamh)
{
	return conversation(pamh) != NULL;
}

/* One message, one response; *ret_resp may be NULL, and is the caller's. */
static enum csign_err
converse(pam_handle_t *pamh, int style, const char *text,
    struct pam_response **ret_resp)
{
	const struct pam_message msg = {.msg_style = style, .msg = text};
	const struct pam_message *msgs = &msg;
	const struct pam_conv *conv = conversation(pamh);
	struct pam_response *resp = NULL;
	int r;

	if (conv == NULL)
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
csign_conv_ask(
    pam_handle_t *pamh, const char *text, struct csign_reply *ret_reply)
{
	struct pam_response *resp = NULL;
	enum csign_err r;
	size_t len;

	if ((r = converse(pamh, PAM_PROMPT_ECHO_ON, text, &resp)) != CSIGN_OK)
		return r;
	if (resp == NULL || resp->resp == NULL) {
		r = CSIGN_E_FORMAT;
	} else if ((len = strlen(resp->resp)) >= PAM_MAX_RESP_SIZE) {
		r = CSIGN_E_TOO_LONG;
	} else {
		len = len < CSIGN_REPLY_SIZE ? len : CSIGN_REPLY_SIZE - 1;
		memcpy(ret_reply->text, resp->resp, len);
		ret_reply->text[len] = '\0';
	}
	wipe_response(resp);
	return r;
}

/* Not strcasecmp(), which asks the program's locale. */
bool
csign_reply_is(const struct csign_reply *reply, const char *word)
{
	const char *text = reply->text;

	for (; *text != '\0' && *word != '\0'; text++, word++)
		if (*text != *word && *text != *word - 'a' + 'A')
			return false;
	return *text == *word;
}

void
csign_reply_clear(struct csign_reply *reply)
{
	explicit_bzero(reply, sizeof(*reply));
}
