/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A phone's backup and its store's entries.  The passphrase's slow function is
 * wrapped, so that the input can be the plaintext, sealed here: the reader
 * takes it or not, and what it takes it writes and reads again.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../cli/phone/backup.h"
#include "../../cli/phone/store_impl.h"
#include "fuzz.h"
#include "text.h"

#define HEADER "countersign-phone backup 1\n"
#define HEADER_LEN (sizeof HEADER - 1)
#define SALT_LEN 16
#define NONCE_LEN 12
#define TAG_LEN 16
#define BEFORE_LEN (HEADER_LEN + SALT_LEN + NONCE_LEN)

enum csign_err __wrap_csign_scrypt(struct csign_crypto *crypto,
    const char *passphrase, const unsigned char *salt, size_t salt_len,
    unsigned char out[32]);

enum csign_err
__wrap_csign_scrypt(struct csign_crypto *crypto, const char *passphrase,
    const unsigned char *salt, size_t salt_len, unsigned char out[32])
{
	(void)crypto;
	(void)salt;
	(void)salt_len;
	memset(out, passphrase[0], 32);
	return CSIGN_OK;
}

static void
check_entry(const struct store_entry *e)
{
	MUST(strlen(e->id) == CSIGN_DEVICE_ID_SIZE - 1);
	MUST(strspn(e->id, "abcdefghijklmnopqrstuvwxyz234567") ==
	     CSIGN_DEVICE_ID_SIZE - 1);
	MUST(csign_utf8_valid(e->name, strlen(e->name)));
	MUST(memchr(e->host, '\0', sizeof e->host) != NULL);
	MUST(memchr(e->user, '\0', sizeof e->user) != NULL);
	MUST(memchr(e->origin, '\0', sizeof e->origin) != NULL);
	MUST(memchr(e->added, '\0', sizeof e->added) != NULL);
	MUST(memchr(e->cookie, '\0', sizeof e->cookie) != NULL);
}

static void
check_file(const uint8_t *text, size_t size)
{
	struct csign_buf *buf = fuzz_buf(size);
	struct store_entry entry;

	fuzz_fill(&entry, sizeof entry);
	MUST(csign_buf_put(buf, text, size) == CSIGN_OK);
	if (store_entry_parse(buf, &entry) == CSIGN_OK)
		check_entry(&entry);
	else
		MUST(fuzz_untouched(&entry, sizeof entry));
	csign_buf_free(&buf);
}

static void
check_copies(struct store_copy *copies, size_t n)
{
	struct csign_buf *bytes = NULL;
	struct store_copy *again = NULL;
	struct csign_why why = {""};
	size_t n_again = 0;

	MUST(n <= STORE_ENTRIES_MAX);
	for (size_t i = 0; i < n; i++)
		check_entry(&copies[i].entry);
	MUST(backup_seal(fuzz_crypto(), copies, n, "p", &bytes) == CSIGN_OK);
	MUST(
	    backup_open(fuzz_crypto(), csign_buf_data(bytes),
		csign_buf_len(bytes), "p", &why, &again, &n_again) == CSIGN_OK);
	MUST(n_again == n);
	store_copies_free(&again, n_again);
	csign_buf_free(&bytes);
}

static void
check_backup(const unsigned char *bytes, size_t size)
{
	struct store_copy *copies = NULL;
	struct csign_why why = {""};
	size_t n = 0;

	if (backup_open(fuzz_crypto(), bytes, size, "p", &why, &copies, &n) ==
	    CSIGN_OK) {
		check_copies(copies, n);
		store_copies_free(&copies, n);
	} else {
		MUST(copies == NULL && n == 0 && why.text[0] != '\0');
	}
}

static void
check_sealed(const uint8_t *plain, size_t size)
{
	const size_t len = BEFORE_LEN + size + TAG_LEN;
	unsigned char *bytes = calloc(1, len), key[32];

	MUST(bytes != NULL);
	memset(key, 'p', sizeof key);
	memcpy(bytes, HEADER, HEADER_LEN);
	MUST(csign_gcm_seal(fuzz_crypto(), key, bytes + HEADER_LEN + SALT_LEN,
		 bytes, BEFORE_LEN, plain, size,
		 bytes + BEFORE_LEN) == CSIGN_OK);
	check_backup(bytes, len);
	free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = fuzz_copy(data, size);

	check_file(bytes, size);
	check_backup(bytes, size);
	check_sealed(bytes, size);
	free(bytes);
	return 0;
}
