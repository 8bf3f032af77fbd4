/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign recovery: new codes for the day without the phone.  Each is worth
 * a login, so they are shown once, on a terminal or to a program that asked,
 * and never put where they would stay by accident.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmd.h"
#include "save.h"
#include "tty.h"

#define SHEET_SIZE 4096 /* everything that is printed, in one piece */
#define NULL_MAJOR 1    /* /dev/null is 1:3 */
#define NULL_MINOR 3

struct sheet {
	const char *user;
	size_t ended; /* older codes that could still be used */
	char codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];
	char text[SHEET_SIZE];
	size_t len;
};

/* --- where they go ---------------------------------------------------------
 */

/* Is it the journal, where a unit's output goes and others read it? */
static bool
is_journal(int fd)
{
	static const char prefix[] = "/run/systemd/journal/";
	struct sockaddr_un peer = {0};
	socklen_t len = sizeof peer;

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
	       len <= sizeof peer && peer.sun_family == AF_UNIX &&
	       strncmp(peer.sun_path, prefix, sizeof prefix - 1) == 0;
}

/* Why codes must not go there; NULL if they may. */
static const char *
why_not_there(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return "standard output is not open";
	if (S_ISCHR(st.st_mode) &&
	    st.st_rdev == makedev(NULL_MAJOR, NULL_MINOR))
		return "standard output goes nowhere, and the codes are shown "
		       "only once";
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		return "standard output is a file that others can open; make "
		       "it with mode 0600 first (umask 077)";
	if (S_ISSOCK(st.st_mode) && is_journal(fd))
		return "standard output is the journal, which keeps what it "
		       "is told";
	return NULL;
}

/* --- what they look like ---------------------------------------------------
 */

static void
add(struct sheet *sheet, const char *before, const char *text,
    const char *after)
{
	int n = snprintf(sheet->text + sheet->len, SHEET_SIZE - sheet->len,
	    "%s%s%s", before, text, after);

	if (n > 0 && (size_t)n < SHEET_SIZE - sheet->len)
		sheet->len += (size_t)n;
}

static void
add_codes(struct sheet *sheet, const char *before, const char *after,
    const char *last)
{
	for (size_t i = 0; i < CSIGN_RECOVERY_CODES; i++)
		add(sheet, before, sheet->codes[i],
		    i + 1 < CSIGN_RECOVERY_CODES ? after : last);
}

static void
lay_out_text(struct sheet *sheet, bool terminal)
{
	if (!terminal) {
		add_codes(sheet, "", "\n", "\n");
		return;
	}
	add(sheet, "Recovery codes of ", sheet->user,
	    ".  Each is good for one login without the phone.\n"
	    "They are not shown again: print them, and keep them where the "
	    "phone is not.\n\n");
	add_codes(sheet, "    ", "\n", "\n");
	if (sheet->ended > 0)
		add(sheet, "\n", "All older codes have ended.", "\n");
}

/* json-c would keep copies; only the name needs its care. */
static bool
lay_out_json(struct sheet *sheet)
{
	struct json_object *name = json_object_new_string(sheet->user);
	char ended[24];

	if (name == NULL)
		return false;
	(void)snprintf(ended, sizeof ended, "%zu", sheet->ended);
	add(sheet, "{\n  \"user\":",
	    json_object_to_json_string_ext(
		name, JSON_C_TO_STRING_NOSLASHESCAPE),
	    ",\n");
	add(sheet, "  \"ended\":", ended, ",\n  \"codes\":[\n");
	add_codes(sheet, "    \"", "\",\n", "\"\n");
	add(sheet, "  ]\n", "}", "\n");
	json_object_put(name);
	return true;
}

/* --- the command -----------------------------------------------------------
 */

/* Older codes end now: STATUS_YES if they may. */
static enum out_status
confirm(const struct sheet *sheet)
{
	enum tty_result r;
	char question[200];
	bool yes = false;

	(void)snprintf(question, sizeof question,
	    "%zu code%s of %s can still be used; %s now.  Make new ones?",
	    sheet->ended, sheet->ended == 1 ? "" : "s", sheet->user,
	    sheet->ended == 1 ? "it ends" : "they end");
	r = tty_confirm(question, -1, &yes);
	if (r == TTY_NONE) {
		out_error("%zu code%s of %s can still be used, and there is no "
			  "terminal to ask on; --yes ends them without asking",
		    sheet->ended, sheet->ended == 1 ? "" : "s", sheet->user);
		return STATUS_USAGE;
	}
	if (r == TTY_OK && yes)
		return STATUS_YES;
	out_error("nothing was changed");
	return STATUS_NO;
}

static enum out_status
make(struct csign_ctx *ctx, struct sheet *sheet, bool json)
{
	const char *taken = csign_ctx_setting(ctx, "recovery");
	bool terminal = isatty(STDOUT_FILENO) == 1;
	char by[COMMON_BY_SIZE];
	enum csign_err err;

	if (taken != NULL && strcmp(taken, "yes") != 0)
		out_error("warning: no login takes recovery codes, since the "
			  "configuration does not say \"recovery = yes\"");
	common_by(by);
	err = csign_recovery_make(ctx, sheet->user, by, sheet->codes);
	if (err != CSIGN_OK)
		return common_fail(ctx, err);
	if (!json)
		lay_out_text(sheet, terminal);
	else if (!lay_out_json(sheet))
		return common_fail(ctx, CSIGN_E_NOMEM);
	if (save_write(STDOUT_FILENO, sheet->text, sheet->len))
		return STATUS_YES;
	out_error("the codes could not be printed (%m), and the older ones "
		  "have ended: run this command once more");
	return STATUS_TROUBLE;
}

static enum out_status
run(const struct args *args, struct csign_ctx *ctx, struct sheet *sheet)
{
	enum out_status status = STATUS_YES;
	enum csign_err err;

	err = csign_recovery_left(ctx, sheet->user, &sheet->ended);
	if (err != CSIGN_OK)
		return common_fail(ctx, err);
	if (sheet->ended > 0 && !args_flag(args, OPT_YES))
		status = confirm(sheet);
	if (status != STATUS_YES)
		return status;
	return make(ctx, sheet, args_flag(args, OPT_JSON));
}

enum out_status
cmd_recovery(const struct args *args)
{
	const char *why = why_not_there(STDOUT_FILENO);
	struct csign_ctx *ctx = NULL;
	struct sheet *sheet;
	enum out_status status;
	enum csign_err err;

	if (why != NULL) {
		out_error("%s; nothing was changed", why);
		return STATUS_NO;
	}
	if ((err = common_context(args, &ctx)) != CSIGN_OK)
		return out_status(err);
	if ((sheet = calloc(1, sizeof *sheet)) == NULL) {
		csign_ctx_free(&ctx);
		return STATUS_TROUBLE;
	}
	sheet->user = args->operand[0];
	status = run(args, ctx, sheet);
	tty_wipe(sheet, sizeof *sheet);
	free(sheet);
	csign_ctx_free(&ctx);
	return status;
}
