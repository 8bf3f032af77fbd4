/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../process.h"
#include "../tty.h"
#include "cmd.h"
#include "codec.h"
#include "courier/http.h"
#include "scan.h"

#define DUMP_MAX (4 << 20) /* of a terminal */
#define PASSPHRASE_MIN 8
#define PROMPT_SIZE 512
#define WAIT_MAX 86400

enum out_status
phone_open(struct phone *phone, const struct args *args)
{
	enum csign_err r;

	*phone = (struct phone){.args = args, .stop_fd = -1};
	if (!process_stop_fd(&phone->stop_fd)) {
		out_error("no handler for signals: %m");
		return STATUS_TROUBLE;
	}
	if ((r = csign_http_global()) == CSIGN_OK &&
	    (r = csign_crypto_new(&phone->crypto)) == CSIGN_OK)
		r = store_open(
		    args->option[OPT_STORE], &phone->why, &phone->store);
	if (r == CSIGN_OK)
		return STATUS_YES;
	(void)phone_fail(phone, r);
	phone_close(phone);
	return STATUS_TROUBLE;
}

void
phone_close(struct phone *phone)
{
	store_free(&phone->store);
	csign_crypto_free(&phone->crypto);
}

enum out_status
phone_fail(const struct phone *phone, enum csign_err err)
{
	if (err == CSIGN_E_INTERRUPTED || phone->why.text[0] == '\0')
		out_error("%s", csign_err_text(err));
	else
		out_error("%s", phone->why.text);
	return out_status(err);
}

/* --- asking ----------------------------------------------------------------
 */

enum tty_result
phone_line(
    struct phone *phone, const char *prompt, bool echo, char *out, size_t size)
{
	enum tty_result result;

	phone->prompt = prompt;
	if (phone->waiter != NULL)
		result = tty_line_with(prompt, echo, phone->waiter, out, size);
	else
		result = tty_line(prompt, echo, phone->stop_fd, out, size);
	phone->prompt = NULL;
	return result;
}

bool
phone_stdin_line(struct phone *phone, char *out, size_t size)
{
	size_t len = 0;

	while (len + 1 < size &&
	       process_wait(STDIN_FILENO, phone->stop_fd, -1) != WAIT_STOPPED) {
		ssize_t n = read(STDIN_FILENO, out + len, 1);

		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0 || out[len] == '\n') {
			out[len] = '\0';
			return n > 0 || len > 0;
		}
		len++;
	}
	tty_wipe(out, size);
	return false;
}

bool
phone_wait_option(const struct args *args, uint32_t *ret_seconds)
{
	const char *text = args->option[OPT_WAIT];

	*ret_seconds = 0;
	if (text == NULL ||
	    csign_parse_u32(text, 0, WAIT_MAX, ret_seconds) == CSIGN_OK)
		return true;
	out_error("--wait takes seconds, at most %d", WAIT_MAX);
	return false;
}

/* --- the link --------------------------------------------------------------
 */

/* Everything that comes, up to its end; free(3) it. */
static char *
read_dump(const struct phone *phone, size_t *ret_len)
{
	char *text = malloc(DUMP_MAX);
	size_t len = 0;
	ssize_t n = -1;

	while (text != NULL && len < DUMP_MAX) {
		if (process_wait(STDIN_FILENO, phone->stop_fd, -1) ==
		    WAIT_STOPPED)
			break;
		n = read(STDIN_FILENO, text + len, DUMP_MAX - len);
		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (n == 0) {
		*ret_len = len;
		return text;
	}
	out_error("standard input could not be read, or is too long");
	free(text);
	return NULL;
}

/* The last link of a dump is what the terminal shows now. */
static enum out_status
link_from_dump(struct phone *phone, char *link)
{
	struct scan scan = {.n = 0};
	enum out_status status = STATUS_TROUBLE;
	enum csign_err r;
	size_t len = 0;
	char *text = read_dump(phone, &len);

	if (text == NULL)
		return STATUS_TROUBLE;
	if ((r = scan_text(phone->crypto, text, len, &scan)) != CSIGN_OK) {
		(void)phone_fail(phone, r);
	} else if (scan.n == 0) {
		out_error("there is no link and no readable QR code in that "
			  "text");
		status = STATUS_NO;
	} else {
		if (scan.n > 1)
			out_error("%zu links in that text; taking the last one",
			    scan.n);
		memcpy(link, scan.links[scan.n - 1].text, CSIGN_LINK_MAX + 1);
		status = STATUS_YES;
	}
	tty_wipe(text, len);
	free(text);
	return status;
}

enum out_status
phone_link(struct phone *phone, char ret_link[CSIGN_LINK_MAX + 1])
{
	const char *operand = phone->args->operand[0];

	if (operand != NULL && strcmp(operand, "-") != 0) {
		if (strlen(operand) > CSIGN_LINK_MAX) {
			out_error("that is not a link of countersign");
			return STATUS_USAGE;
		}
		(void)snprintf(ret_link, CSIGN_LINK_MAX + 1, "%s", operand);
		return STATUS_YES;
	}
	if (operand != NULL || isatty(STDIN_FILENO) != 1)
		return link_from_dump(phone, ret_link);
	if (phone_line(phone, "Link: ", true, ret_link, CSIGN_LINK_MAX + 1) ==
	    TTY_OK)
		return STATUS_YES;
	out_error("no link was given");
	return STATUS_NO;
}

/* --- the passphrase --------------------------------------------------------
 */

/* A file of the person's own that nobody else can read, or a pipe. */
static int
open_passphrase(const char *file)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd == -1 || fstat(fd, &st) != 0) {
		out_error("%s: %m", file);
	} else if (S_ISREG(st.st_mode) &&
		   ((st.st_uid != geteuid() && st.st_uid != 0) ||
		       (st.st_mode & 077) != 0)) {
		out_error("%s: others can read or change it; chmod 600", file);
	} else {
		return fd;
	}
	if (fd != -1)
		(void)close(fd);
	return -1;
}

static bool
passphrase_from_file(const char *file, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fd;

	if ((fd = open_passphrase(file)) == -1)
		return false;
	while (len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(fd);
	out[len] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static bool
passphrase_from_tty(
    struct phone *phone, const char *what, bool repeat, char *out, size_t size)
{
	char again[PHONE_PASSPHRASE_SIZE], prompt[PROMPT_SIZE];
	bool same = true;
	enum tty_result typed;

	(void)snprintf(prompt, sizeof prompt, "%s: ", what);
	if ((typed = phone_line(phone, prompt, false, out, size)) != TTY_OK) {
		/* Who waits for something else knows why it was stopped. */
		if (typed != TTY_STOPPED || phone->waiter == NULL)
			out_error("no passphrase was given; --passphrase-file "
				  "reads one from a file");
		return false;
	}
	if (!repeat)
		return true;
	if (phone_line(phone, "Once more: ", false, again, sizeof again) !=
		TTY_OK ||
	    strcmp(again, out) != 0) {
		out_error("that was not the same passphrase");
		same = false;
	}
	tty_wipe(again, sizeof again);
	return same;
}

enum out_status
phone_passphrase(struct phone *phone, const char *what, bool repeat,
    struct csign_secret **ret_passphrase)
{
	const char *file = phone->args->option[OPT_PASSPHRASE_FILE];
	struct csign_secret *secret = NULL;
	enum csign_err r;
	char *text;
	bool ok;

	if ((r = csign_secret_new(PHONE_PASSPHRASE_SIZE, &secret)) != CSIGN_OK)
		return phone_fail(phone, r);
	text = (char *)csign_secret_data(secret);
	if (file != NULL)
		ok = passphrase_from_file(file, text, PHONE_PASSPHRASE_SIZE);
	else
		ok = passphrase_from_tty(
		    phone, what, repeat, text, PHONE_PASSPHRASE_SIZE);
	if (ok && strlen(text) < PASSPHRASE_MIN) {
		out_error(
		    "a passphrase has at least %d characters", PASSPHRASE_MIN);
		ok = false;
	}
	if (!ok) {
		csign_secret_free(&secret);
		return STATUS_TROUBLE;
	}
	*ret_passphrase = secret;
	return STATUS_YES;
}

enum out_status
phone_key(struct phone *phone, const char *id, struct csign_p256 **ret_key)
{
	struct csign_secret *passphrase = NULL;
	enum out_status status;
	enum csign_err r;

	status = phone_passphrase(phone, "Passphrase", false, &passphrase);
	if (status != STATUS_YES)
		return status;
	r = store_key(phone->store, phone->crypto, id,
	    (const char *)csign_secret_data(passphrase), &phone->why, ret_key);
	csign_secret_free(&passphrase);
	if (r == CSIGN_OK)
		return STATUS_YES;
	(void)phone_fail(phone, r);
	return STATUS_TROUBLE;
}
