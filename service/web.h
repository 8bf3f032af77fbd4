/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The phone's page: the files of web/ as they are, built into the program, so
 * that what is served is what was released.
 */
#ifndef SERVICE_WEB_H
#define SERVICE_WEB_H

#include <stddef.h>

#include "countersign.h"

#define WEB_HASH_SIZE 65 /* SHA-256 in hexadecimal digits, and NUL */

struct web_file {
	const char *name; /* "main.js" */
	const char *path; /* "/main.js"; the page itself is "/" */
	const char *type; /* Content-Type */
	const unsigned char *data;
	const unsigned char *end;
};

/* In the order of their names; NULL behind the last one. */
const struct web_file *web_file(size_t index);
size_t web_file_len(const struct web_file *file);
CSIGN_WUR enum csign_err web_file_hash(
    const struct web_file *file, char ret_hash[WEB_HASH_SIZE]);

#endif
