/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign-protocol(7) once more, by somebody who has not seen lib/. */
#include "config.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "oracle.h"

#define DIGEST 32
#define KEY 32
#define POINT 65
#define TRANSACTION_MAX 2048
#define SEALED_MAX 8192
#define SKEW_MS 60000

static bool
no(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return false;
}

/* --- text and bytes -------------------------------------------------------
 */

/* The bits of text, most significant first; as many whole bytes as there are.
 */
static size_t
decode(const char *text, size_t len, const char *alphabet, unsigned bits,
    unsigned char *out, size_t size)
{
	uint32_t have = 0;
	unsigned n_bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at =
		    text[i] == '\0' ? NULL : strchr(alphabet, text[i]);

		if (at == NULL)
			return 0;
		have = (have << bits | (uint32_t)(at - alphabet)) & 0xffffff;
		n_bits += bits;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		if (n == size)
			return 0;
		out[n++] = (unsigned char)(have >> n_bits);
	}
	return n;
}

static const char b64u[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char b32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static size_t
from_b64u(const char *text, size_t len, unsigned char *out, size_t size)
{
	return decode(text, len, b64u, 6, out, size);
}

static void
to_b64u(const unsigned char *bytes, size_t len, char *out)
{
	uint32_t have = 0;
	unsigned n_bits = 0;

	for (size_t i = 0; i < len; i++) {
		have = have << 8 | bytes[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			*out++ = b64u[have >> (n_bits - 6) & 63];
	}
	if (n_bits > 0)
		*out++ = b64u[have << (6 - n_bits) & 63];
	*out = '\0';
}

/* The id of a device is b32 in lower case. */
static void
id_of(const unsigned char bytes[10], char out[17])
{
	uint32_t have = 0;
	unsigned n_bits = 0;

	for (size_t i = 0; i < 10; i++) {
		have = have << 8 | bytes[i];
		for (n_bits += 8; n_bits >= 5; n_bits -= 5) {
			char c = b32[have >> (n_bits - 5) & 31];

			*out++ =
			    (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
		}
	}
	*out = '\0';
}

static void
to_hex(const unsigned char *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* What stands behind name in text, up to one of the characters of end. */
static size_t
value(const char *text, const char *name, const char *end, const char **ret)
{
	const char *at = text == NULL ? NULL : strstr(text, name);

	if (at == NULL)
		return 0;
	*ret = at + strlen(name);
	return strcspn(*ret, end);
}

static uint64_t
time_of(const char *text)
{
	struct tm tm = {.tm_isdst = 0};

	if (strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return 0;
	return (uint64_t)timegm(&tm);
}

/* --- OpenSSL --------------------------------------------------------------
 */

static bool
sha256(const void *bytes, size_t len, unsigned char out[DIGEST])
{
	return EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL) == 1;
}

static bool
derive(const unsigned char secret[16], const char *info, unsigned char out[KEY])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	unsigned char ikm[16];
	char digest[] = "SHA256", text[64];
	OSSL_PARAM params[4];
	bool ok;

	memcpy(ikm, secret, sizeof(ikm));
	(void)snprintf(text, sizeof(text), "%s", info);
	params[0] =
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_KEY, ikm, sizeof(ikm));
	params[2] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_INFO, text, strlen(text));
	params[3] = OSSL_PARAM_construct_end();
	ok = ctx != NULL && EVP_KDF_derive(ctx, out, KEY, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

/* 01 || nonce || ciphertext || tag; returns the plain text's length, or 0. */
static size_t
unseal(const unsigned char secret[16], const char *info,
    const struct oracle_bytes *sealed, unsigned char *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char key[KEY], tag[16];
	size_t len = 0;
	int n = 0;

	if (ctx == NULL || sealed->len < 29 || sealed->len > SEALED_MAX ||
	    sealed->bytes[0] != 1 || !derive(secret, info, key))
		goto out;
	len = sealed->len - 29;
	memcpy(tag, sealed->bytes + 13 + len, sizeof(tag));
	if (EVP_DecryptInit_ex(
		ctx, EVP_aes_256_gcm(), NULL, key, sealed->bytes + 1) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)info,
		(int)strlen(info)) != 1 ||
	    EVP_DecryptUpdate(ctx, out, &n, sealed->bytes + 13, (int)len) !=
		1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag) !=
		1 ||
	    EVP_DecryptFinal_ex(ctx, out + n, &n) != 1)
		len = 0;
out:
	EVP_CIPHER_CTX_free(ctx);
	return len;
}

static bool
verify(const unsigned char point[POINT], const void *message, size_t len,
    const unsigned char *signature, size_t signature_len)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY *key = NULL;
	unsigned char copy[POINT];
	char group[] = "prime256v1";
	OSSL_PARAM params[3];
	bool ok;

	memcpy(copy, point, sizeof(copy));
	params[0] = OSSL_PARAM_construct_utf8_string(
	    OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof(copy));
	params[2] = OSSL_PARAM_construct_end();
	ok = maker != NULL && md != NULL &&
	     EVP_PKEY_fromdata_init(maker) == 1 &&
	     EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, params) == 1 &&
	     EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
	     EVP_DigestVerify(md, signature, signature_len, message, len) == 1;
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(maker);
	return ok;
}

/* --- the question ---------------------------------------------------------
 */

struct question {
	unsigned char secret[16];
	unsigned char bytes[TRANSACTION_MAX];
	size_t len;
	char nonce[44];
	unsigned char plain[SEALED_MAX]; /* what was opened last */
};

static bool
read_question(
    const struct oracle_case *c, struct question *q, char *why, size_t size)
{
	char who[512];
	const char *at = strstr(c->link, "/#"), *text = NULL;
	size_t n;

	if (at == NULL || strlen(at + 2) != 26 ||
	    decode(at + 2, 26, b32, 5, q->secret, sizeof(q->secret)) !=
		sizeof(q->secret))
		return no(why, size, "no link was shown");
	if ((n = unseal(q->secret, "countersign/1 content", &c->content,
		 q->plain)) == 0)
		return no(why, size, "the content is not sealed for the link");
	q->plain[n] = '\0'; /* the seal was longer */
	n = value((const char *)q->plain, "\"transaction\":\"", "\"", &text);
	if (n == 0 ||
	    (q->len = from_b64u(text, n, q->bytes, sizeof(q->bytes) - 1)) == 0)
		return no(why, size, "no transaction in the content");
	q->bytes[q->len] = '\0';
	if (value((const char *)q->bytes, "\"nonce\":\"", "\"", &text) != 43)
		return no(why, size, "no nonce in the transaction");
	(void)snprintf(q->nonce, sizeof(q->nonce), "%.43s", text);
	(void)snprintf(who, sizeof(who), "\"user\":\"%s\",\"uid\":%u,", c->user,
	    (unsigned)c->uid);
	if (strstr((const char *)q->bytes, who) == NULL)
		return no(why, size, "the question is not about %s", c->user);
	if (strstr((const char *)q->bytes,
		"{\"v\":1,\"kind\":\"approval\",\"host\":\"web1\",") !=
		(const char *)q->bytes ||
	    strstr((const char *)q->bytes,
		"\"choices\":[\"approve\"],\"code\":\"") == NULL)
		return no(why, size, "the question is not this host's");
	return true;
}

static bool
challenge_of(const struct question *q, const char *choice, const char *code,
    char out[44])
{
	unsigned char text[TRANSACTION_MAX + 128], digest[DIGEST];
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
	if (!sha256(text, n, digest))
		return false;
	to_b64u(digest, sizeof(digest), out);
	return true;
}

/* --- the answer -----------------------------------------------------------
 */

struct answer {
	char choice[33], device[17];
	char data[128]; /* "<ms>_<challenge>" */
	const unsigned char *signature;
	size_t signature_len;
};

/* 01 02 choice device[10] 0000 data signature: of a p256 device, exact. */
static bool
read_answer(const unsigned char *plain, size_t len, struct answer *a)
{
	size_t at = 2, n;

	if (len < 3 || plain[0] != 1 || plain[1] != 2)
		return false;
	n = plain[at++];
	if (n == 0 || n > 32 || at + n + 10 + 4 > len)
		return false;
	memcpy(a->choice, plain + at, n);
	a->choice[n] = '\0';
	at += n;
	id_of(plain + at, a->device);
	at += 10;
	if (plain[at] != 0 || plain[at + 1] != 0)
		return false;
	at += 2;
	n = (size_t)plain[at] << 8 | plain[at + 1];
	at += 2;
	if (n == 0 || n >= sizeof(a->data) || at + n + 2 > len)
		return false;
	memcpy(a->data, plain + at, n);
	a->data[n] = '\0';
	at += n;
	a->signature_len = (size_t)plain[at] << 8 | plain[at + 1];
	a->signature = plain + at + 2;
	return strlen(a->data) == n && at + 2 + a->signature_len == len;
}

/* The key of a device of this user, by the devices file as it is now. */
static bool
key_of(
    const struct oracle_case *c, const char *device, unsigned char point[POINT])
{
	char line[64], header[256];
	const char *at = NULL;

	(void)snprintf(header, sizeof(header),
	    "# countersign-devices 1 user=%s uid=%u ", c->user,
	    (unsigned)c->uid);
	(void)snprintf(line, sizeof(line), "\np256 %s ", device);
	return c->devices != NULL &&
	       strncmp(c->devices, header, strlen(header)) == 0 &&
	       value(c->devices, line, " \n", &at) == 87 &&
	       from_b64u(at, 87, point, POINT) == POINT;
}

static bool
is_signed(const struct oracle_case *c, const struct question *q,
    const struct answer *a)
{
	const char *codes[] = {"", c->digits};
	unsigned char point[POINT], digest[DIGEST];
	char challenge[44], id[17];
	const char *carried = strchr(a->data, '_');
	uint64_t ms = strtoull(a->data, NULL, 10);

	if (strcmp(a->choice, "approve") != 0 || carried == NULL ||
	    !key_of(c, a->device, point) || !sha256(point, POINT, digest))
		return false;
	id_of(digest, id);
	if (strcmp(id, a->device) != 0)
		return false;
	if (ms / 1000 + SKEW_MS / 1000 + 1 < c->began ||
	    ms / 1000 > c->ended + SKEW_MS / 1000 + 1)
		return false;
	for (int i = 0; i < 2; i++)
		if (challenge_of(q, a->choice, codes[i], challenge) &&
		    strcmp(carried + 1, challenge) == 0)
			return verify(point, a->data, strlen(a->data),
			    a->signature, a->signature_len);
	return false;
}

/* --- what is on disk ------------------------------------------------------
 */

static bool
state_is_whole(const char *state)
{
	unsigned char digest[DIGEST];
	char hex[2 * DIGEST + 1];
	const char *sum = NULL, *found = NULL;

	for (const char *at = state;
	     at != NULL && (at = strstr(at, "\nsha256 ")) != NULL; at++)
		sum = at + 1;
	if (sum == NULL || !sha256(state, (size_t)(sum - state), digest))
		return false;
	to_hex(digest, sizeof(digest), hex);
	return value(sum, "sha256 ", "\n", &found) == 2 * DIGEST &&
	       strncmp(found, hex, 2 * DIGEST) == 0 &&
	       strcmp(found + 2 * DIGEST, "\n") == 0;
}

static void
copy_line(const char *line, char *out, size_t size)
{
	size_t n = strcspn(line, "\n");

	n = n < size ? n : size - 1;
	memcpy(out, line, n);
	out[n] = '\0';
}

/* A line "<before> ... <name>=<time>" whose time is in this login. */
static bool
happened_now(const struct oracle_case *c, const char *before, const char *name)
{
	const char *line = strstr(c->state, before), *at = NULL;
	char text[128];
	uint64_t when;

	if (line == NULL)
		return false;
	line++; /* the line's end before it */
	copy_line(line, text, sizeof(text));
	if (value(text, name, " ", &at) == 0)
		return false;
	when = time_of(at);
	return when >= c->began && when <= c->ended;
}

/* One line of the audit file has all of these. */
static bool
is_recorded(const char *audit, const char *const *words)
{
	for (const char *line = audit; line != NULL && *line != '\0';) {
		size_t len = strcspn(line, "\n"), i = 0;
		char text[2049];

		copy_line(line, text, sizeof(text));
		while (words[i] != NULL && strstr(text, words[i]) != NULL)
			i++;
		if (words[i] == NULL && line[len] == '\n')
			return true;
		line += len + (line[len] != '\0');
	}
	return false;
}

static bool
is_durable(const struct oracle_case *c, const struct question *q,
    const struct answer *a, char *why, size_t size)
{
	char use[32], device[40], question[40], user[300];
	const char *const words[] = {"\"event\":\"approval\"",
	    "\"result\":\"granted\"", device, question, user, NULL};

	(void)snprintf(use, sizeof(use), "\nuse %s ", a->device);
	(void)snprintf(device, sizeof(device), "\"device\":\"%s\"", a->device);
	(void)snprintf(
	    question, sizeof(question), "\"question\":\"%.12s\"", q->nonce);
	(void)snprintf(user, sizeof(user), "\"user\":\"%s\"", c->user);
	if (c->state == NULL || !state_is_whole(c->state))
		return no(why, size, "the state file is not whole");
	if (!happened_now(c, use, "last_used="))
		return no(why, size, "the use of %s is not in the state file",
		    a->device);
	if (!is_recorded(c->audit, words))
		return no(why, size, "there is no audit record of the grant");
	return true;
}

static bool
is_new(struct oracle_memory *m, const char *nonce)
{
	uint64_t mark = 0;

	for (int i = 0; i < 16; i++)
		mark =
		    mark * 31 + (unsigned char)nonce[i] * UINT64_C(2654435761);
	for (size_t i = 0; i < m->n; i++)
		if (m->seen[i] == mark)
			return false;
	if (m->n == m->size) {
		size_t size = m->size == 0 ? 64 : 2 * m->size;
		uint64_t *seen = realloc(m->seen, size * sizeof(*seen));

		if (seen == NULL)
			return false;
		m->seen = seen;
		m->size = size;
	}
	m->seen[m->n++] = mark;
	return true;
}

void
oracle_forget(struct oracle_memory *memory)
{
	free(memory->seen);
	*memory = (struct oracle_memory){NULL, 0, 0};
}

/* --- by phone, or by code -------------------------------------------------
 */

/* One of the answers is a signed yes to this question, and in time. */
static bool
find_answer(const struct oracle_case *c, struct question *q, struct answer *a)
{
	for (size_t i = 0; i < c->n_answers; i++) {
		size_t n = unseal(q->secret, "countersign/1 answer",
		    &c->answers[i], q->plain);

		if (n > 0 && read_answer(q->plain, n, a) &&
		    is_signed(c, q, a) &&
		    c->answers[i].at_ms <= c->born_ms + c->lifetime_ms)
			return true;
	}
	return false;
}

static bool
by_phone(const struct oracle_case *c, struct oracle_memory *memory, char *why,
    size_t size)
{
	struct question *q = calloc(1, sizeof(*q));
	struct answer a;
	bool agrees = false;

	if (q == NULL)
		return no(why, size, "out of memory");
	if (!read_question(c, q, why, size))
		goto out;
	if (!find_answer(c, q, &a))
		agrees = no(why, size, "of %zu answers none is signed for it",
		    c->n_answers);
	else if (!is_durable(c, q, &a, why, size))
		agrees = false;
	else if (!is_new(memory, q->nonce))
		agrees = no(why, size, "the question was granted before");
	else
		agrees = true;
out:
	free(q);
	return agrees;
}

/* SHA-256 of "countersign/1 recovery", its NUL and the 24 characters. */
static bool
hash_of(const char *typed, char hex[2 * DIGEST + 1])
{
	char text[23 + 24] = "countersign/1 recovery";
	unsigned char digest[DIGEST];
	size_t n = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == '-' || *typed == ' ')
			continue;
		if (n == 24)
			return false;
		text[23 + n++] =
		    (char)(*typed >= 'A' && *typed <= 'Z' ? *typed - 'A' + 'a'
							  : *typed);
	}
	if (n != 24 || !sha256(text, sizeof(text), digest))
		return false;
	to_hex(digest, sizeof(digest), hex);
	return true;
}

static bool
by_code(const struct oracle_case *c)
{
	char hex[2 * DIGEST + 1], line[128], unused[128], user[300];
	const char *const words[] = {
	    "\"event\":\"recovery\"", "\"result\":\"granted\"", user, NULL};

	(void)snprintf(user, sizeof(user), "\"user\":\"%s\"", c->user);
	for (size_t i = 0; i < c->n_typed; i++) {
		if (!hash_of(c->typed[i], hex))
			continue;
		(void)snprintf(
		    unused, sizeof(unused), "\ncode %s used=never\n", hex);
		(void)snprintf(line, sizeof(line), "\ncode %s ", hex);
		if (c->state_before != NULL && c->state != NULL &&
		    strstr(c->state_before, unused) != NULL &&
		    state_is_whole(c->state) &&
		    happened_now(c, line, "used=") &&
		    is_recorded(c->audit, words))
			return true;
	}
	return false;
}

bool
oracle_agrees(const struct oracle_case *c, struct oracle_memory *memory,
    char *why, size_t size)
{
	return by_code(c) || by_phone(c, memory, why, size);
}
