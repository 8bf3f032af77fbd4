/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "secret.h"

#define MAGIC "countersign-phone backup 1\n"
#define MAGIC_LEN (sizeof MAGIC - 1)
#define SALT_LEN 16
#define NONCE_LEN 12
#define HEADER_LEN (MAGIC_LEN + SALT_LEN + NONCE_LEN)
#define TAG_LEN 16
#define KEY_LEN 32
#define FILE_MAX 65535

/* --- what is sealed --------------------------------------------------------
 */

static enum csign_err
put_copies(const struct store_copy *copies, size_t n, struct csign_buf *out)
{
	const struct csign_buf *file;
	enum csign_err r = CSIGN_OK;

	for (size_t i = 0; r == CSIGN_OK && i < n * STORE_FILES; i++) {
		file = copies[i / STORE_FILES].file[i % STORE_FILES];
		r = csign_buf_put_v16(
		    out, csign_buf_data(file), csign_buf_len(file));
	}
	return r;
}

static enum csign_err
get_file(struct csign_rd *rd, struct csign_buf **ret_file)
{
	const unsigned char *bytes;
	enum csign_err r;
	size_t len = 0;

	if ((bytes = csign_rd_v16(rd, FILE_MAX, &len)) == NULL)
		return CSIGN_E_FORMAT;
	if ((r = csign_buf_new(FILE_MAX, ret_file)) != CSIGN_OK)
		return r;
	return csign_buf_put(*ret_file, bytes, len);
}

static bool
is_known(const struct store_copy *copies, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(copies[i].entry.id, id) == 0)
			return true;
	return false;
}

/* What was read so far is in copies, also after an error. */
static enum csign_err
get_copies(struct csign_rd *rd, struct store_copy *copies, size_t *n)
{
	enum csign_err r;

	while (rd->left > 0) {
		struct store_copy *copy = &copies[*n];

		if (*n == STORE_ENTRIES_MAX)
			return CSIGN_E_TOO_LONG;
		(*n)++;
		for (size_t i = 0; i < STORE_FILES; i++)
			if ((r = get_file(rd, &copy->file[i])) != CSIGN_OK)
				return r;
		if ((r = store_copy_check(copy)) != CSIGN_OK)
			return r;
		if (is_known(copies, *n - 1, copy->entry.id))
			return CSIGN_E_FORMAT;
	}
	return CSIGN_OK;
}

/* --- sealing ---------------------------------------------------------------
 */

static enum csign_err
make_key(struct csign_crypto *crypto, const char *passphrase,
    const unsigned char *header, struct csign_secret **ret_key)
{
	struct csign_secret *key = NULL;
	enum csign_err r;

	if ((r = csign_secret_new(KEY_LEN, &key)) != CSIGN_OK)
		return r;
	if ((r = csign_scrypt(crypto, passphrase, header + MAGIC_LEN, SALT_LEN,
		 csign_secret_data(key))) == CSIGN_OK)
		*ret_key = key;
	else
		csign_secret_free(&key);
	return r;
}

static const unsigned char *
nonce_of(const unsigned char *header)
{
	return header + MAGIC_LEN + SALT_LEN;
}

enum csign_err
backup_seal(struct csign_crypto *crypto, const struct store_copy *copies,
    size_t n, const char *passphrase, struct csign_buf **ret_bytes)
{
	unsigned char header[HEADER_LEN], *sealed = NULL;
	struct csign_buf *plain = NULL, *out = NULL;
	struct csign_secret *key = NULL;
	enum csign_err r;
	size_t len;

	memcpy(header, MAGIC, MAGIC_LEN);
	if ((r = csign_random(header + MAGIC_LEN, SALT_LEN + NONCE_LEN)) !=
		CSIGN_OK ||
	    (r = make_key(crypto, passphrase, header, &key)) != CSIGN_OK ||
	    (r = csign_buf_new(BACKUP_MAX - HEADER_LEN - TAG_LEN, &plain)) !=
		CSIGN_OK ||
	    (r = put_copies(copies, n, plain)) != CSIGN_OK)
		goto out;
	len = csign_buf_len(plain);
	if ((sealed = malloc(len + TAG_LEN)) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if ((r = csign_gcm_seal(crypto, csign_secret_data(key),
		 nonce_of(header), header, HEADER_LEN, csign_buf_data(plain),
		 len, sealed)) != CSIGN_OK ||
	    (r = csign_buf_new(BACKUP_MAX, &out)) != CSIGN_OK ||
	    (r = csign_buf_put(out, header, HEADER_LEN)) != CSIGN_OK ||
	    (r = csign_buf_put(out, sealed, len + TAG_LEN)) != CSIGN_OK)
		goto out;
	*ret_bytes = out;
	out = NULL;
out:
	csign_buf_free(&out);
	csign_buf_free(&plain);
	csign_secret_free(&key);
	free(sealed);
	return r;
}

/* *ret_plain has len - HEADER_LEN - TAG_LEN bytes, to be wiped. */
static enum csign_err
unseal(struct csign_crypto *crypto, const unsigned char *bytes, size_t len,
    const char *passphrase, unsigned char **ret_plain)
{
	struct csign_secret *key = NULL;
	unsigned char *plain = malloc(len);
	enum csign_err r;

	if (plain == NULL)
		return CSIGN_E_NOMEM;
	if ((r = make_key(crypto, passphrase, bytes, &key)) == CSIGN_OK)
		r = csign_gcm_open(crypto, csign_secret_data(key),
		    nonce_of(bytes), bytes, HEADER_LEN, bytes + HEADER_LEN,
		    len - HEADER_LEN, plain);
	csign_secret_free(&key);
	if (r == CSIGN_OK)
		*ret_plain = plain;
	else
		free(plain);
	return r;
}

static enum csign_err
parse(const unsigned char *plain, size_t len, struct store_copy **ret_copies,
    size_t *ret_n)
{
	struct store_copy *copies = calloc(STORE_ENTRIES_MAX, sizeof *copies);
	struct csign_rd rd;
	enum csign_err r;
	size_t n = 0;

	if (copies == NULL)
		return CSIGN_E_NOMEM;
	csign_rd_init(&rd, plain, len);
	if ((r = get_copies(&rd, copies, &n)) != CSIGN_OK) {
		store_copies_free(&copies, n);
		return r;
	}
	*ret_copies = copies;
	*ret_n = n;
	return CSIGN_OK;
}

enum csign_err
backup_open(struct csign_crypto *crypto, const void *bytes, size_t len,
    const char *passphrase, struct csign_why *why,
    struct store_copy **ret_copies, size_t *ret_n)
{
	unsigned char *plain = NULL;
	enum csign_err r;

	if (len < HEADER_LEN + TAG_LEN || len > BACKUP_MAX ||
	    memcmp(bytes, MAGIC, MAGIC_LEN) != 0) {
		csign_why_set(why,
		    "that is not a backup of countersign-phone, or not one of "
		    "this version");
		return CSIGN_E_FORMAT;
	}
	if ((r = unseal(crypto, bytes, len, passphrase, &plain)) == CSIGN_OK) {
		len -= HEADER_LEN + TAG_LEN;
		r = parse(plain, len, ret_copies, ret_n);
		csign_wipe(plain, len);
		free(plain);
	}
	if (r == CSIGN_E_FORMAT)
		csign_why_set(
		    why, "the passphrase is wrong, or the file is damaged");
	return r;
}
