/* SPDX-License-Identifier: BSD-2-Clause */
/* The question that a login put, as its link and what was sent have it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "oracle_impl.h"

bool
oracle_read_question(const struct oracle_case *c, struct oracle_question *q,
    char *why, size_t size)
{
	char who[512];
	const char *at = strstr(c->link, "/#"), *text = NULL;
	size_t n;

	if (at == NULL || strlen(at + 2) != 26 ||
	    oracle_from_b32(at + 2, 26, q->secret, sizeof(q->secret)) !=
		sizeof(q->secret))
		return oracle_no(why, size, "no link was shown");
	if ((n = oracle_unseal(q->secret, "countersign/1 content", &c->content,
		 q->plain)) == 0)
		return oracle_no(
		    why, size, "the content is not sealed for the link");
	q->plain[n] = '\0'; /* the seal was longer */
	n = oracle_value(
	    (const char *)q->plain, "\"transaction\":\"", "\"", &text);
	if (n == 0 || (q->len = oracle_from_b64u(
			   text, n, q->bytes, sizeof(q->bytes) - 1)) == 0)
		return oracle_no(why, size, "no transaction in the content");
	q->bytes[q->len] = '\0';
	if (oracle_value((const char *)q->bytes, "\"nonce\":\"", "\"", &text) !=
	    43)
		return oracle_no(why, size, "no nonce in the transaction");
	(void)snprintf(q->nonce, sizeof(q->nonce), "%.43s", text);
	(void)snprintf(who, sizeof(who), "\"user\":\"%s\",\"uid\":%u,", c->user,
	    (unsigned)c->uid);
	if (strstr((const char *)q->bytes, who) == NULL)
		return oracle_no(
		    why, size, "the question is not about %s", c->user);
	if (strstr((const char *)q->bytes,
		"{\"v\":1,\"kind\":\"approval\",\"host\":\"web1\",") !=
		(const char *)q->bytes ||
	    strstr((const char *)q->bytes,
		"\"choices\":[\"approve\"],\"code\":\"") == NULL)
		return oracle_no(why, size, "the question is not this host's");
	return true;
}

bool
oracle_challenge(const struct oracle_question *q, const char *choice,
    const char *code, char out[44])
{
	unsigned char text[ORACLE_TRANSACTION + 128], digest[ORACLE_DIGEST];
	size_t n = 0;
	int head = snprintf((char *)text, 64, "countersign/1 %s", choice);

	n = (size_t)head + 1; /* with its NUL */
	text[n++] = (unsigned char)(q->len >> 24);
	text[n++] = (unsigned char)(q->len >> 16);
	text[n++] = (unsigned char)(q->len >> 8);
	text[n++] = (unsigned char)q->len;
	memcpy(text + n, q->bytes, q->len);
	n += q->len;
	text[n++] = 0;
	memcpy(text + n, code, strlen(code));
	n += strlen(code);
	if (!oracle_sha256(text, n, digest))
		return false;
	oracle_to_b64u(digest, sizeof(digest), out);
	return true;
}
