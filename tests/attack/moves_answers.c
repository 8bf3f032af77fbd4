/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves: answers of a courier that has not got the link. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "moves_impl.h"
#include "phone.h"

void
moves_unsealed(struct moves *m)
{
	unsigned char bytes[256];
	size_t len = 1 + m->draw(m, sizeof(bytes));

	moves_fill_long(m, bytes, len);
	if (m->draw(m, 2) == 0)
		bytes[0] = 1;
	(void)login_send_frame(m->l, CSIGN_FRAME_ANSWER, 0, bytes, len);
}

void
moves_remember(struct moves_past *past, const unsigned char *sealed, size_t len)
{
	size_t at = past->n++ % MOVES_PAST;

	if (len > CSIGN_ANSWER_MAX)
		return;
	memcpy(past->answers[at], sealed, len);
	past->len[at] = len;
}

void
moves_replay(struct moves *m)
{
	size_t n = m->past->n < MOVES_PAST ? m->past->n : MOVES_PAST;
	size_t at;

	if (n == 0)
		return;
	at = m->draw(m, (uint32_t)n);
	(void)login_send_frame(m->l, CSIGN_FRAME_ANSWER, 0,
	    m->past->answers[at], m->past->len[at]);
}

/*
 * With all that it has it makes an answer: its own key, its own link, and the
 * transaction as it guesses it.
 */
void
moves_own(struct moves *m)
{
	static const char guess[] = "{\"v\":1,\"kind\":\"approval\"}";
	struct csign_crypto *crypto = login_crypto(m->l);
	struct csign_buf *out = moves_buf(CSIGN_ANSWER_MAX);
	struct csign_question question = {.bytes = NULL};
	struct csign_link *link = NULL;
	unsigned char secret[CSIGN_SECRET_LEN];

	moves_fill(m, secret, sizeof(secret));
	moves_must(csign_link_from_secret(crypto, secret, &link));
	question.bytes = moves_buf(sizeof(guess));
	moves_must(csign_buf_put(question.bytes, guess, sizeof(guess) - 1));
	if (m->draw(m, 2) == 0 ||
	    csign_phone_answer(crypto, link, &question,
		login_key(m->l, LOGIN_PHONE_STRANGER), "deny", "",
		login_wall(m->l) * 1000, out) != CSIGN_OK)
		moves_must(csign_phone_decline(crypto, link, out));
	moves_send_answer(m, out);
	csign_buf_free(&question.bytes);
	csign_buf_free(&out);
	csign_link_free(&link);
}

void
moves_note(struct moves *m)
{
	static const enum login_phone signers[] = {
	    LOGIN_PHONE_STRANGER, LOGIN_PHONE_BOB};
	struct csign_buf *note = moves_buf(CSIGN_REMOVAL_MAX);
	unsigned char *bytes;
	size_t len;

	moves_must(csign_phone_removal(login_crypto(m->l), "web1", "alice",
	    1001, login_key(m->l, signers[m->draw(m, 2)]),
	    login_wall(m->l) * 1000, note));
	len = csign_buf_len(note);
	if ((bytes = malloc(len)) == NULL)
		login_fail("memory");
	memcpy(bytes, csign_buf_data(note), len);
	if (m->draw(m, 2) == 0)
		bytes[m->draw(m, (uint32_t)len)] ^= 4;
	(void)login_send_frame(m->l, CSIGN_FRAME_REMOVAL, 0, bytes, len);
	csign_buf_free(&note);
	free(bytes);
}
