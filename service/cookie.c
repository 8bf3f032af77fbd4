/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "cookie.h"
#include "secret.h"

#define NAME "__Host-countersign="
#define MAX_AGE 34560000 /* seconds: 400 days, what browsers keep */

enum csign_err
cookie_make(char ret_cookie[COOKIE_SIZE])
{
	unsigned char bytes[32];
	enum csign_err r;

	if ((r = csign_random(bytes, sizeof bytes)) == CSIGN_OK)
		r = csign_b64u_encode(
		    bytes, sizeof bytes, ret_cookie, COOKIE_SIZE);
	csign_wipe(bytes, sizeof bytes);
	return r;
}

bool
cookie_read(const char *header, char ret_cookie[COOKIE_SIZE])
{
	size_t len;

	while (header != NULL && *header != '\0') {
		len = strcspn(header, ";");
		if (len == sizeof NAME - 1 + COOKIE_SIZE - 1 &&
		    strncmp(header, NAME, sizeof NAME - 1) == 0) {
			memcpy(ret_cookie, header + sizeof NAME - 1,
			    COOKIE_SIZE - 1);
			ret_cookie[COOKIE_SIZE - 1] = '\0';
			return true;
		}
		header += len;
		header += strspn(header, "; ");
	}
	return false;
}

enum csign_err
cookie_hash(const char *cookie, unsigned char ret_hash[STORE_HASH_LEN])
{
	if (EVP_Digest(cookie, strlen(cookie), ret_hash, NULL, EVP_sha256(),
		NULL) != 1)
		return CSIGN_E_CRYPTO;
	return CSIGN_OK;
}

bool
cookie_find(const char *header, unsigned char ret_hash[STORE_HASH_LEN])
{
	char cookie[COOKIE_SIZE];
	bool found;

	found = cookie_read(header, cookie) &&
		cookie_hash(cookie, ret_hash) == CSIGN_OK;
	csign_wipe(cookie, sizeof cookie);
	return found;
}

void
cookie_header(const char *cookie, char out[COOKIE_HEADER_SIZE])
{
	(void)snprintf(out, COOKIE_HEADER_SIZE,
	    "Set-Cookie: " NAME "%s; Path=/; Max-Age=%d; Secure; HttpOnly; "
	    "SameSite=Strict\r\n",
	    cookie, MAX_AGE);
}
