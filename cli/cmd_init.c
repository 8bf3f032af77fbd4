/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign init: configuration and access key of a new host.  The key is
 * read from a file, standard input or the terminal, and never from an argument
 * or a variable, where others could see it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "advice.h"
#include "cmd.h"
#include "root.h"
#include "tty.h"

#define KEY_LEN 43 /* base64url of 32 bytes */
#define INPUT_SIZE 256
#define SETTINGS_SIZE 16384

/* All of fd into text, NUL behind it; -1 if it does not fit. */
static int
read_all(int fd, char *text, size_t size)
{
	ssize_t len = root_fill(fd, text, size - 1);

	if (len == (ssize_t)size - 1) {
		errno = EFBIG;
		return -1;
	}
	return len == -1 ? -1 : 0;
}

/* One line, the white space around it removed; the library judges the rest. */
static bool
key_from_text(char *text, char key[KEY_LEN + 1])
{
	const char *space = " \t\r\n";
	char *start = text + strspn(text, space);
	size_t len = strcspn(start, space);

	if (len != KEY_LEN || start[len + strspn(start + len, space)] != '\0') {
		out_error("that is not an access key: it has %d characters, as "
			  "\"countersignd host add\" printed it",
		    KEY_LEN);
		return false;
	}
	memcpy(key, start, KEY_LEN);
	key[KEY_LEN] = '\0';
	return true;
}

static bool
read_key(const char *file, char key[KEY_LEN + 1])
{
	char text[INPUT_SIZE];
	bool ok = false;
	int fd = -1;

	if (file == NULL) {
		enum tty_result r = tty_line(
		    "Access key of this host: ", false, -1, text, sizeof text);

		if (r == TTY_OK)
			ok = key_from_text(text, key);
		else
			out_error("%s", r == TTY_NONE
					    ? "no terminal to ask on; use "
					      "--access-key-file"
					    : "no access key was given");
	} else if (strcmp(file, "-") != 0 &&
		   (fd = open(file, O_RDONLY | O_NOCTTY | O_CLOEXEC)) == -1) {
		out_error("%s: %m", file);
	} else if (read_all(fd == -1 ? STDIN_FILENO : fd, text, sizeof text) !=
		   0) {
		out_error("%s: %m", fd == -1 ? "standard input" : file);
	} else {
		ok = key_from_text(text, key);
	}
	tty_wipe(text, sizeof text);
	if (fd != -1)
		(void)close(fd);
	return ok;
}

/* *ret_text is the caller's; empty if there is no file to read. */
static bool
read_settings(const char *file, char **ret_text)
{
	char *text = NULL;
	int fd = -1;

	if (file == NULL)
		return (*ret_text = strdup("")) != NULL;
	if ((fd = open(file, O_RDONLY | O_NOCTTY | O_CLOEXEC)) != -1 &&
	    (text = malloc(SETTINGS_SIZE)) != NULL &&
	    read_all(fd, text, SETTINGS_SIZE) == 0) {
		(void)close(fd);
		*ret_text = text;
		return true;
	}
	out_error("%s: %m", file);
	if (fd != -1)
		(void)close(fd);
	free(text);
	return false;
}

/* The settings among comments; false, with a message, without memory. */
static bool
add_comments(const char *settings, char **ret_text)
{
	if (asprintf(ret_text, "%s\n%s%s", advice_settings, settings,
		advice_sections) != -1)
		return true;
	out_error("out of memory");
	*ret_text = NULL;
	return false;
}

/* The files are there: does the service know this host by them? */
static enum out_status
check_service(struct csign_ctx *ctx, const char *path, const char *service)
{
	enum csign_err err;

	if ((err = csign_ctx_load(ctx, path, NULL)) == CSIGN_OK &&
	    (err = csign_service_ping(ctx)) == CSIGN_OK) {
		(void)printf("The service %s knows this host.\n", service);
		return STATUS_YES;
	}
	(void)common_fail(ctx, err);
	out_error("the files are written; look at them, or remove them and run "
		  "init again");
	return STATUS_TROUBLE;
}

enum out_status
cmd_init(const struct args *args)
{
	const char *service = args->option[OPT_SERVICE];
	struct csign_ctx *ctx = NULL;
	enum out_status status = STATUS_TROUBLE;
	enum csign_err err;
	char key[KEY_LEN + 1];
	char *path = NULL, *settings = NULL, *whole = NULL, *root = NULL;

	if (!root_option(args->option[OPT_ROOT], &root))
		return STATUS_USAGE;
	if (!common_path(args->option[OPT_CONFIG], &path) ||
	    !read_settings(args->option[OPT_SETTINGS], &settings) ||
	    !add_comments(settings, &whole) ||
	    !read_key(args->option[OPT_ACCESS_KEY_FILE], key))
		goto out;
	if ((err = csign_ctx_new(NULL, &ctx)) != CSIGN_OK) {
		out_error("%s", csign_err_text(err));
		goto out;
	}
	/* A folder has its mode from the start, also if this is cut off. */
	(void)umask(022);
	err = csign_host_init(ctx, path, service, key, whole);
	if (err != CSIGN_OK) {
		status = common_fail(ctx, err);
		if (err == CSIGN_E_EXISTS)
			out_error("\"countersign check\" says whether this "
				  "host is ready");
		goto out;
	}
	(void)printf("Wrote the configuration of this host.\n");
	status = check_service(ctx, path, service);
	if (status == STATUS_YES)
		advice_print(root);
out:
	tty_wipe(key, sizeof key);
	csign_ctx_free(&ctx);
	free(whole);
	free(settings);
	free(root);
	free(path);
	return status;
}
