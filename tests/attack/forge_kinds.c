/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways in which a proof is wrong, and for what it may be refused. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "forge_impl.h"

#define SPLICES 16 /* tries until one is nobody's answer */

/* --- bytes ----------------------------------------------------------------
 */

static const struct forge_plain *
some_good(struct forge *f)
{
	return &f->good[forge_draw(f, (uint32_t)f->n_good)];
}

/* Somebody did say that, to this question. */
static bool
was_said(const struct forge *f, const struct forge_plain *p)
{
	for (size_t i = 0; i < f->n_good; i++)
		if (f->good[i].len == p->len &&
		    memcmp(f->good[i].bytes, p->bytes, p->len) == 0)
			return true;
	return false;
}

static void
random_bytes(struct forge *f, struct forge_plain *out)
{
	out->len = 1 + forge_draw(f, 400);
	forge_fill(f, out->bytes, out->len);
}

/* Of the right form, and nothing in it is right but who it says it is. */
static void
random_fields(struct forge *f, struct forge_plain *out)
{
	const unsigned int signer = forge_draw(f, FORGE_SIGNERS);
	struct csign_answer answer = {.kind = f->own[signer].device.kind};
	unsigned char a[37], b[200], signature[CSIGN_SIGNATURE_MAX];

	forge_fill(f, a, sizeof(a));
	forge_fill(f, b, sizeof(b));
	forge_fill(f, signature, sizeof(signature));
	memcpy(answer.choice, "approve", sizeof("approve"));
	memcpy(answer.device, f->own[signer].device.id, sizeof(answer.device));
	answer.a = a;
	answer.a_len = signer == FORGE_WEBAUTHN ? sizeof(a) : 0;
	answer.b = b;
	answer.b_len = forge_draw(f, sizeof(b));
	answer.signature = signature;
	answer.signature_len = forge_draw(f, sizeof(signature));
	forge_write(&answer, out);
}

static void
the_yes(struct forge *f, struct forge_plain *out)
{
	*out = *some_good(f);
}

static void
changed_bits(struct forge *f, struct forge_plain *out)
{
	*out = *some_good(f);
	do {
		for (uint32_t n = 1 + forge_draw(f, 3); n > 0; n--)
			out->bytes[forge_draw(f, (uint32_t)out->len)] ^=
			    (unsigned char)(1 << forge_draw(f, 8));
	} while (was_said(f, out));
}

static void
other_length(struct forge *f, struct forge_plain *out)
{
	*out = *some_good(f);
	if (forge_draw(f, 2) == 0) {
		out->len = forge_draw(f, (uint32_t)out->len);
		return;
	}
	forge_fill(f, out->bytes + out->len, 8);
	out->len += 1 + forge_draw(f, 8);
}

/* Each field is that of an answer that somebody did give. */
static void
spliced(struct forge *f, struct forge_plain *out)
{
	struct csign_answer from[4], answer;
	unsigned int tries = 0;

	do {
		for (int i = 0; i < 4; i++) {
			const struct forge_plain *p =
			    f->n_old == 0 || forge_draw(f, 3) > 0
				? some_good(f)
				: &f->old[forge_draw(f, f->n_old < FORGE_OLD
							    ? (uint32_t)f->n_old
							    : FORGE_OLD)];

			forge_must(csign_answer_read(
			    p->bytes, p->len, false, &from[i]));
		}
		answer = from[0];
		memcpy(answer.choice, from[1].choice, sizeof(answer.choice));
		if (forge_draw(f, 2) == 0) {
			answer.b = from[2].b;
			answer.b_len = from[2].b_len;
		}
		answer.signature = from[3].signature;
		answer.signature_len = from[3].signature_len;
		forge_write(&answer, out);
	} while (was_said(f, out) && ++tries < SPLICES);
	if (was_said(f, out))
		out->bytes[out->len - 1] ^= 1;
}

static void
old_answer(struct forge *f, struct forge_plain *out)
{
	if (f->n_old == 0)
		random_bytes(f, out);
	else
		*out = f->old[forge_draw(
		    f, f->n_old < FORGE_OLD ? (uint32_t)f->n_old : FORGE_OLD)];
}

/* --- signed anew ----------------------------------------------------------
 */

/* A question that differs in one place. */
static void
other_question(struct forge *f, struct forge_plain *out)
{
	static const char *const places[] = {"\"nonce\":\"", "\"host\":\"",
	    "\"user\":\"", "\"uid\":", "\"service\":\"", "\"created\":\"202",
	    "\"lifetime\":", "\"details\":[[\""};
	struct forge_draft d = forge_right(f, forge_draw(f, FORGE_SIGNERS));
	const char *place =
	    places[forge_draw(f, sizeof(places) / sizeof(places[0]))];
	unsigned char bytes[CSIGN_TRANSACTION_MAX + 1];
	char *at;

	memcpy(bytes, f->transaction, f->transaction_len);
	bytes[f->transaction_len] = '\0';
	if ((at = strstr((char *)bytes, place)) == NULL)
		forge_must(CSIGN_E_NOT_FOUND);
	at += strlen(place);
	*at = *at == '8' ? '9' : '8';
	d.transaction = bytes;
	if (forge_draw(f, 2) == 0)
		d.code = f->code;
	forge_finish(f, &d, out);
}

/* What another host's phone, or another account's, says to this question. */
static void
other_device(struct forge *f, struct forge_plain *out)
{
	const unsigned int signer = forge_draw(f, FORGE_SIGNERS);
	struct forge_draft d = forge_right(f, signer);

	d.signer = &f->others[signer];
	d.key = d.signer->key;
	forge_finish(f, &d, out);
}

static void
other_key(struct forge *f, struct forge_plain *out)
{
	struct forge_draft d = forge_right(f, forge_draw(f, FORGE_SIGNERS));

	d.key = forge_draw(f, 2) == 0
		    ? f->others[forge_draw(f, FORGE_SIGNERS)].key
		: d.signer == &f->own[0] ? f->own[1].key
					 : f->own[0].key;
	forge_finish(f, &d, out);
}

static void
other_time(struct forge *f, struct forge_plain *out)
{
	struct forge_draft d = forge_right(f, FORGE_P256);
	const uint64_t off = 61000 + ((uint64_t)forge_draw(f, 1U << 30) << 8);

	d.wall_ms = forge_draw(f, 2) == 0 ? d.wall_ms - off : d.wall_ms + off;
	forge_finish(f, &d, out);
}

static void
other_rp(struct forge *f, struct forge_plain *out)
{
	static const char *const names[] = {
	    "example.org", "approve.example.net", "xapprove.example.org", ""};
	struct forge_draft d = forge_right(f, FORGE_WEBAUTHN);

	d.rp = names[forge_draw(f, 4)];
	forge_finish(f, &d, out);
}

static void
other_origin(struct forge *f, struct forge_plain *out)
{
	static const char *const names[] = {"https://approve.example.net",
	    "http://approve.example.org", "https://approve.example.org:444",
	    "https://approve.example.org.example.net"};
	struct forge_draft d = forge_right(f, FORGE_WEBAUTHN);

	d.origin = names[forge_draw(f, 4)];
	forge_finish(f, &d, out);
}

/* Not touched, or its user not verified, or a key that was never synced. */
static void
other_flags(struct forge *f, struct forge_plain *out)
{
	static const uint8_t flags[] = {0x00, 0x01, 0x04, 0x0d, 0x1d};
	struct forge_draft d = forge_right(f, FORGE_WEBAUTHN);

	d.flags = flags[forge_draw(f, sizeof(flags))];
	forge_finish(f, &d, out);
}

/* A yes that was signed as something else, and the other way round. */
static void
other_choice(struct forge *f, struct forge_plain *out)
{
	static const char *const choices[] = {
	    "deny", "not-me", "enroll", "remove", "later"};
	struct forge_draft d = forge_right(f, forge_draw(f, FORGE_SIGNERS));

	d.signed_choice = choices[forge_draw(f, 5)];
	if (forge_draw(f, 4) == 0) {
		d.choice = "deny";
		d.signed_choice = "approve";
	}
	forge_finish(f, &d, out);
}

/* Wrong digits; and right ones, or any, in a no. */
static void
other_code(struct forge *f, struct forge_plain *out)
{
	struct forge_draft d = forge_right(f, forge_draw(f, FORGE_SIGNERS));
	char digits[16];

	do
		(void)snprintf(
		    digits, sizeof(digits), "%06u", forge_draw(f, 1000000));
	while (strcmp(digits, f->code) == 0);
	d.code = digits;
	if (forge_draw(f, 4) == 0) {
		d.choice = d.signed_choice = "deny";
		if (f->code[0] != '\0')
			d.code = f->code;
	}
	forge_finish(f, &d, out);
}

/* --- all right but the signature ------------------------------------------
 */

static const unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
    0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static void
put_integer(struct forge_draft *d, const unsigned char value[32])
{
	unsigned char *at = d->signature + d->signature_len;
	size_t skip = 0, n;

	while (skip < 31 && value[skip] == 0)
		skip++;
	n = 32 - skip;
	*at++ = 0x02;
	*at++ = (unsigned char)(n + (value[skip] >> 7));
	if (value[skip] >= 0x80)
		*at++ = 0;
	memcpy(at, value + skip, n);
	d->signature_len = (size_t)(at - d->signature) + n;
}

/* In DER as it must be, of numbers that nobody made with the key. */
static void
made_up(struct forge *f, struct forge_plain *out)
{
	struct forge_draft d = forge_right(f, forge_draw(f, FORGE_SIGNERS));
	unsigned char r[32] = {0}, s[32] = {0};

	switch (forge_draw(f, 8)) {
	case 0: /* small ones, and none: 0, 0 is a signature by some */
		r[31] = (unsigned char)forge_draw(f, 3);
		s[31] = (unsigned char)forge_draw(f, 3);
		break;
	case 1: /* the order of the group, or near it */
		memcpy(r, order, sizeof(r));
		memcpy(s, order, sizeof(s));
		r[31] = (unsigned char)(r[31] + forge_draw(f, 3) - 1);
		s[31] = (unsigned char)(s[31] + forge_draw(f, 3) - 1);
		break;
	case 2: /* the point itself, which is on the curve at least */
		memcpy(r, d.signer->device.point + 1, sizeof(r));
		forge_fill(f, s, sizeof(s));
		break;
	default:
		forge_fill(f, r, sizeof(r));
		forge_fill(f, s, sizeof(s));
		r[0] &= 0x7f;
		s[0] &= 0x7f;
	}
	if (forge_draw(f, 4) == 0 && f->code[0] != '\0')
		d.code = f->code;
	d.signature_len = 2;
	put_integer(&d, r);
	put_integer(&d, s);
	d.signature[0] = 0x30;
	d.signature[1] = (unsigned char)(d.signature_len - 2);
	forge_finish(f, &d, out);
}

/* --- the table ------------------------------------------------------------
 */

#define R FORGE_REASON
#define ANY UINT32_MAX
/* Good in all else: where digits are asked for, they are wrong ones. */
#define QUESTION (R(CHALLENGE) | R(CODE))

const struct forge_kind forge_kinds[] = {
    {"random bytes", 220, random_bytes, R(FORMAT), false},
    {"random fields", 120, random_fields, R(CLIENT_DATA), false},
    {"good answers, the seal spoilt", 80, the_yes, R(FORMAT), true},
    {"good answers, bits changed", 160, changed_bits, ANY, false},
    {"good answers, longer or shorter", 40, other_length, R(FORMAT), false},
    {"fields of several answers", 90, spliced, ANY, false},
    {"answers to earlier questions", 60, old_answer, QUESTION | R(FORMAT),
	false},
    {"signed: another question", 30, other_question, QUESTION, false},
    {"signed: another account's device", 20, other_device, R(DEVICE), false},
    {"signed: with another key", 20, other_key, R(SIGNATURE), false},
    {"signed: at another time", 10, other_time, R(TIME), false},
    {"signed: for another party", 10, other_rp, R(RPID), false},
    {"signed: on another page", 10, other_origin, R(ORIGIN), false},
    {"signed: other flags", 10, other_flags, R(FLAGS) | R(BACKUP), false},
    {"signed: as another choice", 20, other_choice, QUESTION, false},
    {"signed: with other digits", 20, other_code, QUESTION, false},
    {"all right but the signature", 80, made_up, R(SIGNATURE), false},
};
const size_t forge_n_kinds = sizeof(forge_kinds) / sizeof(forge_kinds[0]);
