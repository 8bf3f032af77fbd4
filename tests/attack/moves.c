/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "login_impl.h"
#include "moves.h"
#include "phone.h"
#include "seal.h"

#define FLOOD 100
#define PACKET_MAX (CSIGN_FRAME_MAX + 1024)

static const unsigned char magic[] = {'c', 's', 'f', '1'};

uint32_t
moves_by_lot(struct moves *m, uint32_t below)
{
	uint64_t z = m->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ (z >> 31)) >> 32) % below;
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

static struct csign_buf *
new_buf(size_t max)
{
	struct csign_buf *buf = NULL;

	if (csign_buf_new(max, &buf) != CSIGN_OK)
		login_fail("memory");
	return buf;
}

static void
must(enum csign_err r)
{
	if (r != CSIGN_OK)
		login_fail(csign_err_text(r));
}

static void
fill(struct moves *m, unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)m->draw(m, 256);
}

static void
send_answer(struct moves *m, const struct csign_buf *sealed)
{
	(void)login_send_frame(m->l, CSIGN_FRAME_ANSWER, 0,
	    csign_buf_data(sealed), csign_buf_len(sealed));
}

/* --- words ----------------------------------------------------------------
 */

static void
say(struct moves *m, enum csign_frame_type type, uint8_t code)
{
	static const char *const texts[] = {"", "x",
	    "https://approve.example.org: everything is fine",
	    "\033]0;granted\007\r\nAccepted publickey for root"};
	const char *text =
	    type == CSIGN_FRAME_TROUBLE ? texts[m->draw(m, 4)] : "";

	(void)login_send_frame(m->l, type, code, text, strlen(text));
}

static void
claim(struct moves *m)
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

/* --- packets --------------------------------------------------------------
 */

static size_t
random_size(struct moves *m)
{
	static const uint32_t up_to[] = {8, 64, 512, CSIGN_ANSWER_MAX};

	return 1 + m->draw(m, up_to[m->draw(m, 4)]);
}

/* The first bytes are drawn; the others follow from them. */
static void
fill_long(struct moves *m, unsigned char *bytes, size_t len)
{
	size_t n = len < 64 ? len : 64;

	fill(m, bytes, n);
	for (size_t i = n; i < len; i++)
		bytes[i] = (unsigned char)(bytes[i - 64] * 5 + bytes[i - 1]);
}

static void
send_random(struct moves *m)
{
	unsigned char *packet = malloc(PACKET_MAX);
	size_t len = random_size(m);

	if (packet == NULL)
		login_fail("memory");
	fill_long(m, packet, len);
	if (m->draw(m, 2) == 0 && len > 6) {
		memcpy(packet, magic, sizeof(magic));
		packet[4] = (unsigned char)m->draw(m, 26);
	}
	(void)login_send(m->l, packet, len);
	free(packet);
}

static void
put_frame(struct csign_buf *out, enum csign_frame_type type, uint8_t code,
    const void *bytes, size_t len)
{
	const struct csign_frame frame = {
	    .type = type, .code = code, .bytes = bytes, .len = len};

	must(csign_frame_write(out, &frame));
}

/* A frame that somebody in the product could send, either way. */
static void
good_packet(struct moves *m, struct csign_buf *out)
{
	unsigned char bytes[64];
	const struct csign_job *job = login_job(m->l);

	fill(m, bytes, sizeof(bytes));
	switch (m->draw(m, 8)) {
	case 0:
		put_frame(out, CSIGN_FRAME_CREATED,
		    bytes[0] % (CSIGN_DEVICES_MAX + 1), NULL, 0);
		return;
	case 1:
		put_frame(out, CSIGN_FRAME_SEEN, 0, NULL, 0);
		return;
	case 2:
		put_frame(out, CSIGN_FRAME_ANSWER, 0, bytes, sizeof(bytes));
		return;
	case 3:
		put_frame(out, CSIGN_FRAME_ENDED,
		    (uint8_t)(CSIGN_END_CANCELLED + bytes[0] % 2), NULL, 0);
		return;
	case 4:
		put_frame(out, CSIGN_FRAME_TROUBLE,
		    (uint8_t)(1 + bytes[0] % CSIGN_TROUBLE_INTERNAL), "x", 1);
		return;
	case 5:
		put_frame(out, CSIGN_FRAME_REMOVAL, 0, bytes, sizeof(bytes));
		return;
	case 6:
		put_frame(
		    out, CSIGN_FRAME_OUTCOME, CSIGN_OUTCOME_GRANTED, "OK", 2);
		return;
	default:
		if (job == NULL)
			put_frame(out, CSIGN_FRAME_DONE, 0, NULL, 0);
		else
			must(csign_frame_job(out, job));
	}
}

static void
send_mutated(struct moves *m)
{
	struct csign_buf *frame = new_buf(CSIGN_FRAME_MAX);
	unsigned char *packet;
	size_t len, at;

	good_packet(m, frame);
	len = csign_buf_len(frame);
	if ((packet = malloc(len + 16)) == NULL)
		login_fail("memory");
	memcpy(packet, csign_buf_data(frame), len);
	switch (m->draw(m, 4)) {
	case 0: /* bits */
		for (uint32_t n = 1 + m->draw(m, 4); n > 0; n--)
			packet[m->draw(m, (uint32_t)len)] ^=
			    (unsigned char)(1 << m->draw(m, 8));
		break;
	case 1:
		len = m->draw(m, (uint32_t)len);
		break;
	case 2:
		fill(m, packet + len, 16);
		len += 1 + m->draw(m, 16);
		break;
	default: /* where lengths are */
		at = 4 + m->draw(m, 4);
		packet[at < len ? at : len - 1] =
		    (unsigned char)m->draw(m, 256);
	}
	(void)login_send(m->l, packet, len);
	csign_buf_free(&frame);
	free(packet);
}

static void
send_huge(struct moves *m)
{
	static const size_t around[] = {CSIGN_ANSWER_MAX, CSIGN_FRAME_MAX,
	    CSIGN_FRAME_MAX + 7, PACKET_MAX - 16, 65535 + 7};
	size_t len = around[m->draw(m, 5)] + m->draw(m, 16);
	unsigned char *packet = calloc(1, len);

	if (packet == NULL)
		login_fail("memory");
	memcpy(packet, magic, sizeof(magic));
	packet[4] = CSIGN_FRAME_ANSWER;
	packet[5] = (unsigned char)((len - 7) >> 8);
	packet[6] = (unsigned char)(len - 7);
	packet[7] = 1; /* the version of a seal */
	(void)login_send(m->l, packet, len);
	free(packet);
}

static void
flood(struct moves *m)
{
	const uint32_t what = m->draw(m, 3);
	unsigned char bytes[40];

	fill(m, bytes, sizeof(bytes));
	for (unsigned int i = 0; i < FLOOD; i++) {
		memcpy(bytes, &i, sizeof(i));
		if (what == 0)
			say(m, CSIGN_FRAME_SEEN, 0);
		else if (what == 1)
			(void)login_send_frame(
			    m->l, CSIGN_FRAME_ANSWER, 0, bytes, sizeof(bytes));
		else
			(void)login_send_frame(m->l, CSIGN_FRAME_ANSWER, 0,
			    bytes + 4, sizeof(bytes) - 4);
	}
}

/* --- answers without the link ---------------------------------------------
 */

static void
send_unsealed(struct moves *m)
{
	unsigned char bytes[256];
	size_t len = 1 + m->draw(m, sizeof(bytes));

	fill_long(m, bytes, len);
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

static void
replay(struct moves *m)
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
static void
send_own(struct moves *m)
{
	static const char guess[] = "{\"v\":1,\"kind\":\"approval\"}";
	struct csign_crypto *crypto = login_crypto(m->l);
	struct csign_buf *out = new_buf(CSIGN_ANSWER_MAX);
	struct csign_question question = {.bytes = NULL};
	struct csign_link *link = NULL;
	unsigned char secret[CSIGN_SECRET_LEN];

	fill(m, secret, sizeof(secret));
	must(csign_link_from_secret(crypto, secret, &link));
	question.bytes = new_buf(sizeof(guess));
	must(csign_buf_put(question.bytes, guess, sizeof(guess) - 1));
	if (m->draw(m, 2) == 0 ||
	    csign_phone_answer(crypto, link, &question,
		login_key(m->l, LOGIN_PHONE_STRANGER), "deny", "",
		login_wall(m->l) * 1000, out) != CSIGN_OK)
		must(csign_phone_decline(crypto, link, out));
	send_answer(m, out);
	csign_buf_free(&question.bytes);
	csign_buf_free(&out);
	csign_link_free(&link);
}

static void
send_note(struct moves *m)
{
	static const enum login_phone signers[] = {
	    LOGIN_PHONE_STRANGER, LOGIN_PHONE_BOB};
	struct csign_buf *note = new_buf(CSIGN_REMOVAL_MAX);
	unsigned char *bytes;
	size_t len;

	must(csign_phone_removal(login_crypto(m->l), "web1", "alice", 1001,
	    login_key(m->l, signers[m->draw(m, 2)]), login_wall(m->l) * 1000,
	    note));
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

/* --- answers with the link ------------------------------------------------
 */

/* The link as it was shown; NULL if none was. */
static struct csign_link *
link_of(struct moves *m)
{
	struct csign_link *link = NULL;
	char *origin = NULL;

	if (csign_link_parse(login_crypto(m->l), login_link(m->l), &link,
		&origin) != CSIGN_OK)
		return NULL;
	free(origin);
	return link;
}

/* What a phone signed, taken out of its seal. */
static bool
sign_open(struct moves *m, enum login_phone phone, const char *choice,
    const char *code, int64_t ahead_ms, struct csign_buf *plain)
{
	struct csign_buf *sealed = new_buf(CSIGN_ANSWER_MAX);
	struct csign_link *link = link_of(m);
	bool ok = link != NULL && login_sign_at(m->l, login_key(m->l, phone),
				      choice, code, ahead_ms, sealed);

	if (ok)
		must(csign_open(login_crypto(m->l), CSIGN_SEAL_ANSWER,
		    csign_link_answer_key(link), csign_buf_data(sealed),
		    csign_buf_len(sealed), plain));
	csign_buf_free(&sealed);
	csign_link_free(&link);
	return ok;
}

static void
seal_and_send(struct moves *m, const void *plain, size_t len)
{
	struct csign_buf *sealed = new_buf(CSIGN_ANSWER_MAX);
	struct csign_link *link = link_of(m);

	if (link != NULL &&
	    csign_seal(login_crypto(m->l), CSIGN_SEAL_ANSWER,
		csign_link_answer_key(link), plain, len, sealed) == CSIGN_OK)
		send_answer(m, sealed);
	csign_buf_free(&sealed);
	csign_link_free(&link);
}

/* Parts of a p256 yes: 01 02 07 "approve" device[10] 0000 B signature. */
#define AT_CHOICE 3
#define AT_DEVICE 10
#define AT_DATA 22

static void
put_device(struct moves *m, enum login_phone phone, unsigned char *bytes)
{
	unsigned char point[CSIGN_POINT_LEN], digest[32];
	const struct csign_part part = {point, sizeof(point)};

	csign_p256_point(login_key(m->l, phone), point);
	must(csign_sha256(login_crypto(m->l), &part, 1, digest));
	memcpy(bytes + AT_DEVICE, digest, CSIGN_DEVICE_ID_LEN);
}

static void
bend(struct moves *m, unsigned int n, unsigned char *bytes, size_t *len)
{
	size_t data = (size_t)bytes[AT_DATA] << 8 | bytes[AT_DATA + 1];
	size_t signature = AT_DATA + 2 + data + 2;

	switch (n) {
	case 0:
		bytes[m->draw(m, (uint32_t)*len)] ^=
		    (unsigned char)(1 << m->draw(m, 8));
		return;
	case 1:
		*len = m->draw(m, (uint32_t)*len);
		return;
	case 2:
		fill(m, bytes + *len, 8);
		*len += 1 + m->draw(m, 8);
		return;
	case 3: /* a stranger with the name of alice's phone */
		put_device(m, LOGIN_PHONE_1, bytes);
		return;
	case 4: /* alice's other phone */
		put_device(m, LOGIN_PHONE_2, bytes);
		return;
	case 5:
		bytes[1] = 0; /* unsigned */
		return;
	case 6:
		bytes[1] = 1; /* webauthn */
		return;
	case 7: /* no signature at all, but of the right length */
		memset(bytes + signature, 0, *len - signature);
		return;
	case 8: /* another moment */
		bytes[AT_DATA + 2 + m->draw(m, 13)] ^= 1;
		return;
	default:
		return;
	}
}

void
moves_forge(struct moves *m, unsigned int n)
{
	static const struct {
		enum login_phone phone;
		const char *code;
		int64_t ahead_ms;
	} how[MOVES_FORGERIES] = {
	    [3] = {.phone = LOGIN_PHONE_STRANGER},
	    [9] = {.phone = LOGIN_PHONE_STRANGER},
	    [10] = {.phone = LOGIN_PHONE_BOB},
	    [11] = {.ahead_ms = 200000},
	    [12] = {.ahead_ms = -200000},
	    [13] = {.code = "000000"},
	};
	struct csign_buf *plain = new_buf(CSIGN_ANSWER_MAX);
	unsigned char *bytes = NULL;
	size_t len;

	n %= MOVES_FORGERIES;
	if (!sign_open(m, how[n].phone, "approve",
		how[n].code == NULL ? "" : how[n].code, how[n].ahead_ms, plain))
		goto out;
	len = csign_buf_len(plain);
	if ((bytes = malloc(len + 8)) == NULL)
		login_fail("memory");
	memcpy(bytes, csign_buf_data(plain), len);
	bend(m, n, bytes, &len);
	/* A wrong code under a good signature is a try, and counts. */
	m->by_owner = m->by_owner || n == 13;
	seal_and_send(m, bytes, len);
out:
	free(bytes);
	csign_buf_free(&plain);
}

static void
decline(struct moves *m)
{
	struct csign_buf *out = new_buf(CSIGN_ANSWER_MAX);

	if (login_decline(m->l, out)) {
		send_answer(m, out);
		m->declined = true;
	}
	csign_buf_free(&out);
}

/* --- somebody with the phone ----------------------------------------------
 */

static void
answer(struct moves *m, const char *choice, unsigned int times, bool bent)
{
	const enum login_phone phone =
	    m->draw(m, 2) == 0 ? LOGIN_PHONE_1 : LOGIN_PHONE_2;
	struct csign_buf *out = new_buf(CSIGN_ANSWER_MAX);
	unsigned char *bytes = NULL;
	size_t len;
	bool sent = false;

	if (!login_sign(m->l, login_key(m->l, phone), choice, "", out))
		goto out;
	len = csign_buf_len(out);
	if ((bytes = malloc(len)) == NULL)
		login_fail("memory");
	memcpy(bytes, csign_buf_data(out), len);
	if (bent)
		bytes[m->draw(m, (uint32_t)len)] ^=
		    (unsigned char)(1 << m->draw(m, 8));
	for (; times > 0; times--)
		sent =
		    login_send_frame(m->l, CSIGN_FRAME_ANSWER, 0, bytes, len) ||
		    sent;
	if (sent && !bent) {
		m->by_owner = true;
		m->approved = m->approved || strcmp(choice, "approve") == 0;
	}
out:
	free(bytes);
	csign_buf_free(&out);
}

void
moves_make(struct moves *m, enum move move)
{
	switch (move) {
	case MOVE_CREATED:
		say(m, CSIGN_FRAME_CREATED, (uint8_t)m->draw(m, 4));
		return;
	case MOVE_SEEN:
		say(m, CSIGN_FRAME_SEEN, 0);
		return;
	case MOVE_ENDED:
		say(m, CSIGN_FRAME_ENDED, (uint8_t)(1 + m->draw(m, 2)));
		return;
	case MOVE_TROUBLE:
		say(m, CSIGN_FRAME_TROUBLE,
		    (uint8_t)(1 + m->draw(m, CSIGN_TROUBLE_INTERNAL)));
		return;
	case MOVE_TAKEN:
		say(m, CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_CONFLICT);
		return;
	case MOVE_CLAIM:
		claim(m);
		return;
	case MOVE_RANDOM:
		send_random(m);
		return;
	case MOVE_MUTATED:
		send_mutated(m);
		return;
	case MOVE_HUGE:
		send_huge(m);
		return;
	case MOVE_FLOOD:
		flood(m);
		return;
	case MOVE_UNSEALED:
		send_unsealed(m);
		return;
	case MOVE_REPLAY:
		replay(m);
		return;
	case MOVE_OWN:
		send_own(m);
		return;
	case MOVE_NOTE:
		send_note(m);
		return;
	case MOVE_HANG_UP:
		login_hang_up(m->l);
		return;
	case MOVE_FORGED:
		moves_forge(m, m->draw(m, MOVES_FORGERIES));
		return;
	case MOVE_DECLINE:
		decline(m);
		return;
	case MOVE_DENY:
		answer(m, "deny", 1, false);
		return;
	case MOVE_NOT_ME:
		answer(m, "not-me", 1, false);
		return;
	case MOVE_APPROVE:
		answer(m, "approve", 1, false);
		return;
	case MOVE_BENT:
		answer(m, "approve", 1, true);
		return;
	case MOVE_TWICE:
		answer(m, "approve", 2, false);
		return;
	case MOVES:
		return;
	}
}
