/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <curl/curl.h>
#include <stddef.h>

#include "codec.h"
#include "push_verdict.h"

#define RETRY_AFTER_MAX_S 86400

static const struct {
	int status;
	enum push_verdict verdict;
	const char *meaning;
} meanings[] = {
    {200, PUSH_TAKEN, "taken"},
    {201, PUSH_TAKEN, "taken"},
    {202, PUSH_TAKEN, "taken"},
    {204, PUSH_TAKEN, "taken"},
    {400, PUSH_REFUSED, "the push service does not understand the request"},
    {401, PUSH_REFUSED,
	"the push service does not accept push_key_file or push_contact"},
    {403, PUSH_REFUSED,
	"the push service does not accept push_key_file or push_contact: was "
	"the key replaced, is the clock right?"},
    {404, PUSH_GONE, "no such subscription"},
    {408, PUSH_LATER, "the push service waited too long"},
    {410, PUSH_GONE, "the subscription has ended"},
    {413, PUSH_REFUSED, "the push service finds the message too large"},
    {429, PUSH_LATER, "the push service wants fewer messages"},
};

enum push_verdict
push_verdict(const struct push_reply *reply, const char **ret_meaning)
{
	if (reply->status == 0) {
		*ret_meaning = reply->reason;
		return reply->forbidden ? PUSH_REFUSED : PUSH_LATER;
	}
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
		if (meanings[i].status == reply->status) {
			*ret_meaning = meanings[i].meaning;
			return meanings[i].verdict;
		}
	if (reply->status >= 500) {
		*ret_meaning = "the push service has trouble";
		return PUSH_LATER;
	}
	*ret_meaning = reply->status >= 300 && reply->status < 400
			   ? "redirections are not followed"
			   : "the push service refuses";
	return PUSH_REFUSED;
}

bool
push_retry_after(const char *value, uint64_t now, uint64_t *ret_ms)
{
	uint32_t seconds;
	uint64_t at;
	time_t date;

	if (csign_parse_u32(value, 0, RETRY_AFTER_MAX_S, &seconds) ==
	    CSIGN_OK) {
		*ret_ms = (uint64_t)seconds * 1000;
		return true;
	}
	/* Digits alone would be a date to libcurl as well. */
	if (value[0] >= '0' && value[0] <= '9') {
		*ret_ms = (uint64_t)RETRY_AFTER_MAX_S * 1000;
		return true;
	}
	if (value[0] == '\0' || (date = curl_getdate(value, NULL)) < 0)
		return false;
	at = (uint64_t)date * 1000;
	*ret_ms = at > now ? at - now : 0;
	return true;
}
