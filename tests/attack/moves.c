/* SPDX-License-Identifier: BSD-2-Clause */
/* The moves by their names, how they are drawn, and the words of a courier. */
#include "config.h"

#include <string.h>

#include "lot.h"
#include "moves_impl.h"

/* --- by lot, or by bytes -------------------------------------------------- */

uint32_t
moves_by_lot(struct moves *m, uint32_t below)
{
	return (uint32_t)(lot_draw(&m->seed) >> 32) % below;
}

uint32_t
moves_by_bytes(struct moves *m, uint32_t below)
{
	uint32_t value = 0;

	for (uint32_t rest = below - 1; rest > 0; rest >>= 8) {
		value = value << 8 | (m->size > 0 ? *m->data : 0);
		if (m->size > 0) {
			m->data++;
			m->size--;
		}
	}
	return value % below;
}

/* --- what the parts share ------------------------------------------------- */

struct csign_buf *
moves_buf(size_t max)
{
	struct csign_buf *buf = NULL;

	if (csign_buf_new(max, &buf) != CSIGN_OK)
		login_fail("memory");
	return buf;
}

void
moves_must(enum csign_err r)
{
	if (r != CSIGN_OK)
		login_fail(csign_err_text(r));
}

void
moves_fill(struct moves *m, unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)m->draw(m, 256);
}

void
moves_send_answer(struct moves *m, const struct csign_buf *sealed)
{
	(void)login_send_frame(m->l, CSIGN_FRAME_ANSWER, 0,
	    csign_buf_data(sealed), csign_buf_len(sealed));
}

void
moves_fill_long(struct moves *m, unsigned char *bytes, size_t len)
{
	size_t n = len < 64 ? len : 64;

	moves_fill(m, bytes, n);
	for (size_t i = n; i < len; i++)
		bytes[i] = (unsigned char)(bytes[i - 64] * 5 + bytes[i - 1]);
}

/* --- words ---------------------------------------------------------------- */

void
moves_say(struct moves *m, enum csign_frame_type type, uint8_t code)
{
	static const char *const texts[] = {"", "x",
	    "https://approve.example.org: everything is fine",
	    "\033]0;granted\007\r\nAccepted publickey for root"};
	const char *text =
	    type == CSIGN_FRAME_TROUBLE ? texts[m->draw(m, 4)] : "";

	(void)login_send_frame(m->l, type, code, text, strlen(text));
}

static void
moves_claim(struct moves *m)
{
	static const char *const texts[] = {"{\"status\":\"succeeded\"}",
	    "granted", "PAM_SUCCESS", "\x3a\x96\xc5\xc9", "\xc9\xc5\x96\x3a"};
	const char *text = texts[m->draw(m, 5)];

	switch (m->draw(m, 4)) {
	case 0:
		(void)login_send_frame(
		    m->l, CSIGN_FRAME_OUTCOME, CSIGN_OUTCOME_GRANTED, "OK", 2);
		return;
	case 1:
		(void)login_send_frame(m->l, CSIGN_FRAME_DONE, 0, NULL, 0);
		return;
	case 2:
		(void)login_send_frame(
		    m->l, CSIGN_FRAME_ANSWER, 0, text, strlen(text));
		return;
	default:
		(void)login_send(m->l, text, strlen(text));
	}
}

/* --- the moves ------------------------------------------------------------ */

void
moves_make(struct moves *m, enum move move)
{
	switch (move) {
	case MOVE_CREATED:
		moves_say(m, CSIGN_FRAME_CREATED, (uint8_t)m->draw(m, 4));
		return;
	case MOVE_SEEN:
		moves_say(m, CSIGN_FRAME_SEEN, 0);
		return;
	case MOVE_ENDED:
		moves_say(m, CSIGN_FRAME_ENDED, (uint8_t)(1 + m->draw(m, 2)));
		return;
	case MOVE_TROUBLE:
		moves_say(m, CSIGN_FRAME_TROUBLE,
		    (uint8_t)(1 + m->draw(m, CSIGN_TROUBLE_INTERNAL)));
		return;
	case MOVE_TAKEN:
		moves_say(m, CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_CONFLICT);
		return;
	case MOVE_CLAIM:
		moves_claim(m);
		return;
	case MOVE_RANDOM:
		moves_random(m);
		return;
	case MOVE_MUTATED:
		moves_mutated(m);
		return;
	case MOVE_HUGE:
		moves_huge(m);
		return;
	case MOVE_FLOOD:
		moves_flood(m);
		return;
	case MOVE_UNSEALED:
		moves_unsealed(m);
		return;
	case MOVE_REPLAY:
		moves_replay(m);
		return;
	case MOVE_OWN:
		moves_own(m);
		return;
	case MOVE_NOTE:
		moves_note(m);
		return;
	case MOVE_HANG_UP:
		login_hang_up(m->l);
		return;
	case MOVE_FORGED:
		moves_forge(m, m->draw(m, MOVES_FORGERIES));
		return;
	case MOVE_DECLINE:
		moves_decline(m);
		return;
	case MOVE_DENY:
		moves_answer(m, "deny", 1, false);
		return;
	case MOVE_NOT_ME:
		moves_answer(m, "not-me", 1, false);
		return;
	case MOVE_APPROVE:
		moves_answer(m, "approve", 1, false);
		return;
	case MOVE_BENT:
		moves_answer(m, "approve", 1, true);
		return;
	case MOVE_TWICE:
		moves_answer(m, "approve", 2, false);
		return;
	case MOVES:
		return;
	}
}
