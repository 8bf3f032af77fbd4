/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "page_list.h"

#define HASH_LEN 64
#define NAME_MAX_LEN 48

/* The two columns of sha256sum(1); false if the line is not that. */
static bool
split(char *line, char **ret_name)
{
	size_t len = strcspn(line, "\n");

	line[len] = '\0';
	if (strspn(line, "0123456789abcdef") != HASH_LEN ||
	    strncmp(line + HASH_LEN, "  ", 2) != 0 || len <= HASH_LEN + 2 ||
	    len > HASH_LEN + 2 + NAME_MAX_LEN)
		return false;
	line[HASH_LEN] = '\0';
	*ret_name = line + HASH_LEN + 2;
	return true;
}

static enum csign_err
compare(struct csign_ctx *ctx, const char *url, const char *name,
    const char *sha256)
{
	char path[HASH_LEN + NAME_MAX_LEN];

	(void)snprintf(path, sizeof path, "/%s",
	    strcmp(name, "index.html") == 0 ? "" : name);
	return csign_page_verify(ctx, url, path, sha256);
}

enum page_list
page_list_compare(struct csign_ctx *ctx, const char *url, const char *list,
    void (*tell)(void *arg, const char *name, enum csign_err err), void *arg,
    enum csign_err *ret_err)
{
	char line[HASH_LEN + NAME_MAX_LEN + 8], *name;
	enum page_list result = PAGE_LIST_BAD;
	FILE *file = fopen(list, "re");

	if (file == NULL)
		return PAGE_LIST_MISSING;
	while (fgets(line, sizeof line, file) != NULL) {
		enum csign_err err;

		result = PAGE_LIST_BAD;
		if (!split(line, &name))
			break;
		err = compare(ctx, url, name, line);
		/* only what makes no difference between files ends it */
		if (err != CSIGN_OK && err != CSIGN_E_FORMAT &&
		    err != CSIGN_E_NOT_FOUND) {
			*ret_err = err;
			result = PAGE_LIST_STOPPED;
			break;
		}
		tell(arg, name, err);
		result = PAGE_LIST_OK;
	}
	if (ferror(file))
		result = PAGE_LIST_BAD;
	(void)fclose(file);
	return result;
}
