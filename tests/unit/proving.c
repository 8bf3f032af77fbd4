/* SPDX-License-Identifier: BSD-2-Clause */
#include "proving.h"

#include "codec.h"

void
put_u32(unsigned char *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(v >> (24 - 8 * i));
}

void
hash(const void *bytes, size_t len, unsigned char out[32])
{
	const struct csign_part part = {bytes, len};

	assert_ok(csign_sha256(crypto, &part, 1, out));
}

void
set_b(struct fixture *f, const char *template)
{
	f->b_len = 0;
	for (; *template != '\0'; template ++) {
		const char *piece = NULL;

		if (template[0] == '@' && template[1] == 'C')
			piece = f->text;
		else if (template[0] == '@' && template[1] == 'O')
			piece = ORIGIN;
		if (piece == NULL) {
			f->b[f->b_len++] = *template;
			continue;
		}
		memcpy(f->b + f->b_len, piece, strlen(piece));
		f->b_len += strlen(piece);
		template ++;
	}
}

void
sign_webauthn(struct fixture *f)
{
	unsigned char message[sizeof(f->a) + 32];

	memcpy(message, f->a, f->a_len);
	hash(f->b, f->b_len, message + f->a_len);
	assert_ok(csign_p256_sign(
	    f->key, message, f->a_len + 32, f->signature, &f->signature_len));
}

void
sign_p256(struct fixture *f)
{
	assert_ok(csign_p256_sign(
	    f->key, f->b, f->b_len, f->signature, &f->signature_len));
}

/* Of exactly this size, so that valgrind and sanitizers see an overrun. */
void *
exactly(const void *bytes, size_t len)
{
	void *copy = malloc(len);

	assert_true(copy != NULL || len == 0);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

static enum csign_err
look(struct fixture *f, bool code)
{
	void *a = exactly(f->a, f->a_len), *b = exactly(f->b, f->b_len);
	void *signature = exactly(f->signature, f->signature_len);
	enum csign_err r;

	f->answer.a = a;
	f->answer.a_len = f->a_len;
	f->answer.b = b;
	f->answer.b_len = f->b_len;
	f->answer.signature = signature;
	f->answer.signature_len = f->signature_len;
	r = code ? csign_proof_wrong_code(
		       crypto, &f->device, &f->answer, &f->policy, &f->facts)
		 : csign_proof_check(crypto, &f->device, &f->answer,
		       f->challenge, &f->policy, &f->facts);
	free(a);
	free(b);
	free(signature);
	return r;
}

enum csign_err
check(struct fixture *f)
{
	return look(f, false);
}

enum csign_err
check_code(struct fixture *f)
{
	return look(f, true);
}

void
fixture(struct fixture *f, enum csign_kind kind)
{
	memset(f, 0, sizeof(*f));
	assert_ok(csign_p256_new(crypto, &f->key));
	csign_p256_point(f->key, f->device.point);
	assert_ok(csign_device_id(crypto, f->device.point, f->device.id));
	f->device.kind = kind;
	memcpy(f->device.rp, RP, sizeof(RP));
	memcpy(f->device.origin, ORIGIN, sizeof(ORIGIN));
	assert_ok(
	    csign_challenge(crypto, "approve", "{}", 2, "", f->challenge));
	assert_ok(csign_b64u_encode(
	    f->challenge, sizeof(f->challenge), f->text, sizeof(f->text)));
	f->policy.kinds = CSIGN_KIND_BIT_WEBAUTHN | CSIGN_KIND_BIT_P256;
	f->policy.wall_ms = NOW;
	f->answer.kind = kind;
	memcpy(f->answer.choice, "approve", sizeof("approve"));
	memcpy(f->answer.device, f->device.id, sizeof(f->device.id));
	memset(&f->facts, 0xee, sizeof(f->facts));
	if (kind == CSIGN_KIND_WEBAUTHN) {
		hash(RP, strlen(RP), f->a);
		f->a[32] = 0x05;
		put_u32(f->a + 33, 7);
		f->a_len = 37;
		set_b(f, GOOD_GET);
		sign_webauthn(f);
	} else {
		f->b_len = (size_t)snprintf(f->b, sizeof(f->b), "%llu_%s",
		    (unsigned long long)NOW, f->text);
		sign_p256(f);
	}
}

void
fixture_free(struct fixture *f)
{
	csign_p256_free(&f->key);
}

void
assert_untouched(const struct fixture *f)
{
	assert_int_equal(f->facts.flags, 0xee);
	assert_int_equal(f->facts.counter, 0xeeeeeeee);
}
