/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "present.h"

#define REDRAWS_MAX 4 /* so that all is over after 8 messages, PAM-9 */
#define COLUMNS_MIN 45
#define ASCII_COLUMNS 76
#define ASCII_ROWS 42

enum mode { MODE_PROMPT, MODE_INFO, MODE_NONE };
enum drawing { DRAW_UTF8, DRAW_ASCII, DRAW_NOTHING };

struct look {
	enum mode mode;
	enum drawing drawing;
	bool inverse;
};

/* --- what it looks like ----------------------------------------------------
 */

static bool
setting_is(struct csign_ctx *ctx, const char *key, const char *word)
{
	const char *value = csign_ctx_setting(ctx, key);

	return value != NULL && strcmp(value, word) == 0;
}

/*
 * sshd before 10.3 shows text only together with a prompt (PAM-9); every other
 * program shows it at once.
 */
static enum mode
choose_mode(struct csign_ctx *ctx, const struct csign_items *items)
{
	if (setting_is(ctx, "present", "prompt"))
		return MODE_PROMPT;
	if (setting_is(ctx, "present", "info"))
		return MODE_INFO;
	if (setting_is(ctx, "present", "none"))
		return MODE_NONE;
	return strcmp(items->tty, "ssh") == 0 ? MODE_PROMPT : MODE_INFO;
}

/* The size of the terminal that the program runs on, if it runs on one. */
static bool
terminal_size(struct winsize *ret_size)
{
	static const int fds[] = {STDERR_FILENO, STDOUT_FILENO, STDIN_FILENO};
	struct winsize size;

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (ioctl(fds[i], TIOCGWINSZ, &size) == 0) {
			/* A line without a size, such as a serial one. */
			if (size.ws_col == 0 || size.ws_row == 0) {
				size.ws_col = 80;
				size.ws_row = 24;
			}
			*ret_size = size;
			return true;
		}
	return false;
}

/* On a terminal that cannot show the code, the link alone is left. */
static enum drawing
fit_terminal(enum drawing wanted)
{
	struct winsize size;

	if (!terminal_size(&size))
		return wanted;
	if (size.ws_col < COLUMNS_MIN)
		return DRAW_NOTHING;
	if (wanted == DRAW_UTF8 && strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		return size.ws_col >= ASCII_COLUMNS && size.ws_row >= ASCII_ROWS
			   ? DRAW_ASCII
			   : DRAW_NOTHING;
	return wanted;
}

static struct look
choose_look(struct csign_ctx *ctx, const struct csign_items *items)
{
	struct look look = {.mode = choose_mode(ctx, items),
	    .drawing = setting_is(ctx, "qr", "ascii") ? DRAW_ASCII
		       : setting_is(ctx, "qr", "off") ? DRAW_NOTHING
						      : DRAW_UTF8,
	    .inverse = setting_is(ctx, "qr_inverse", "yes")};

	/* Behind sshd the terminal is far away, and nothing says what it is. */
	if (strcmp(items->tty, "ssh") != 0)
		look.drawing = fit_terminal(look.drawing);
	return look;
}

/* --- the message -----------------------------------------------------------
 */

/* Frees what a link's secret, or the digits, can be read from. */
static void
wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* The QR code, or NULL: the link says it all, so no failure (MEM-4). */
static char *
draw(const struct look *look, const char *link)
{
	char *qr = NULL;

	if (look->drawing == DRAW_NOTHING ||
	    csign_qr_draw(link,
		look->drawing == DRAW_ASCII ? CSIGN_QR_ASCII : CSIGN_QR_UTF8,
		look->inverse, &qr) != CSIGN_OK)
		return NULL;
	return qr;
}

/* The last line: what may be typed, at most 79 columns. */
static char *
compose_end(const struct look *look, const struct csign_challenge *challenge)
{
	char *text = NULL;
	int n;

	if (look->mode != MODE_PROMPT)
		return strdup(challenge->code_by_key
				  ? "\nWithout your phone: Ctrl-\\ and then a "
				    "recovery code."
				  : "");
	n = asprintf(&text, "\nPress Enter once %s%s%s: ", challenge->done,
	    look->drawing == DRAW_NOTHING ? "" : " (a: draw otherwise)",
	    challenge->code ? ", or type a recovery code" : "");
	return n < 0 ? NULL : text;
}

/* The line under the link: the ways to say yes, at most 79 columns. */
static char *
compose_ways(bool drawn, const struct csign_challenge *challenge)
{
	const char *link = drawn ? "Scan the code" : "Open this link";
	const char *digits = challenge->digits;
	char *text = NULL;
	int n;

	if (digits[0] != '\0')
		n = asprintf(&text,
		    "%s, or type %.3s %s on the phone that asks, within %u "
		    "seconds.",
		    link, digits, digits + 3, challenge->seconds);
	else if (challenge->tap)
		n = asprintf(&text,
		    "%s, or approve on the phone that asks, within %u seconds.",
		    link, challenge->seconds);
	else
		n = asprintf(&text, "%s%s %s, within %u seconds.", link,
		    drawn ? " or open the link" : "", challenge->where,
		    challenge->seconds);
	return n < 0 ? NULL : text;
}

/*
 * At most 23 lines with the usual QR code of 19: one that is empty unless there
 * is a lead, because some programs put a word in front, the code, the link, and
 * what to do.
 */
static char *
compose(const struct look *look, const struct csign_challenge *challenge)
{
	char *qr = draw(look, challenge->link), *text = NULL;
	char *ways = compose_ways(qr != NULL, challenge);
	char *end = compose_end(look, challenge);
	int n = -1;

	if (ways != NULL && end != NULL)
		n = asprintf(&text, "%s\n%s%s\n%s%s", challenge->lead,
		    qr == NULL ? "" : qr, challenge->link, ways, end);
	wipe(qr);
	wipe(ways);
	free(end);
	return n < 0 ? NULL : text;
}

/*
 * For an account that is none sshd gives the module other bytes than were
 * typed, as many of them.  So that nobody can tell, an answer counts by its
 * length alone (RL-7): any one character draws the code in the next way.
 */
static bool
take_key(struct look *look, const struct csign_reply *reply)
{
	if (strlen(reply->text) != 1)
		return false;
	if (look->drawing == DRAW_UTF8) {
		look->drawing = DRAW_ASCII;
	} else {
		look->drawing = DRAW_UTF8;
		look->inverse = !look->inverse;
	}
	return true;
}

enum csign_err
csign_present_challenge(const struct csign_person *person,
    const struct csign_challenge *challenge, struct csign_reply *ret_reply)
{
	struct look look = choose_look(person->ctx, person->items);
	enum csign_err r = CSIGN_OK;
	char *text;

	*ret_reply = (struct csign_reply){""};
	if (look.mode == MODE_NONE)
		return CSIGN_OK;
	for (int i = 0; i <= REDRAWS_MAX; i++) {
		if ((text = compose(&look, challenge)) == NULL)
			return CSIGN_E_NOMEM;
		if (look.mode == MODE_INFO)
			r = csign_conv_show(person->pamh, false, text);
		else
			r = csign_conv_ask(person->pamh, text, ret_reply);
		wipe(text);
		if (r != CSIGN_OK || !take_key(&look, ret_reply))
			return r;
		csign_reply_clear(ret_reply);
	}
	return r;
}

bool
csign_present_is_shown(const struct csign_person *person)
{
	return choose_mode(person->ctx, person->items) != MODE_NONE;
}

/* A program without a terminal may answer a prompt with anything it has. */
bool
csign_present_can_ask(const struct csign_person *person)
{
	switch (choose_mode(person->ctx, person->items)) {
	case MODE_PROMPT:
		return true;
	case MODE_INFO:
		return person->items->tty[0] != '\0';
	case MODE_NONE:
		break;
	}
	return false;
}

/* --- afterwards ------------------------------------------------------------
 */

void
csign_present_say(
    const struct csign_person *person, bool error, const char *text)
{
	if (csign_conv_show(person->pamh, error, text) != CSIGN_OK)
		return;
}

void
csign_present_clean(const char *name, char *out, size_t size)
{
	(void)snprintf(out, size, "%s", name);
	for (; *out != '\0'; out++)
		if ((unsigned char)*out < 0x20 || *out == 0x7f)
			*out = '?';
}

void
csign_present_grant(const struct csign_person *person, const char *device)
{
	char name[80], text[128];

	/* "none" is for programs that would take a word for an answer. */
	if (!csign_present_is_shown(person))
		return;
	csign_present_clean(device, name, sizeof(name));
	(void)snprintf(text, sizeof(text), "Approved by %s.", name);
	csign_present_say(person, false, text);
}

static void
say_unenrolled(const struct csign_person *person, const char *asked)
{
	char name[80], text[320];

	csign_present_clean(asked, name, sizeof(name));
	(void)snprintf(text, sizeof(text),
	    "No phone is enrolled for %s on this host; an administrator can "
	    "run: countersign enroll %s",
	    name, name);
	csign_present_say(person, true, text);
}

/* The sentence for a failure, or NULL where nothing should be said. */
static const char *
failure_text(enum csign_err err)
{
	switch (err) {
	case CSIGN_E_DENIED:
	case CSIGN_E_DECLINED:
		return "Denied on the phone.";
	case CSIGN_E_NOT_ME:
		return "Denied on the phone: its owner did not ask for this.";
	case CSIGN_E_LIMIT:
		return "Too many wrong answers. Start again.";
	case CSIGN_E_EXPIRED:
		return "Nobody approved in time. Start again.";
	case CSIGN_E_INTERRUPTED:
		return "\nCancelled."; /* behind the "^C" */
	case CSIGN_E_RECOVERY:
		return "This recovery code is wrong or was used before.";
	case CSIGN_E_CANCELLED:
		return "The approval was cancelled. Start again.";
	case CSIGN_E_SERVICE:
	case CSIGN_E_COURIER:
		return "The approval service cannot be reached, so nobody can "
		       "approve now. Try later, or ask an administrator.";
	case CSIGN_E_SERVICE_REFUSED:
		return "The approval service refused this host, so nobody can "
		       "approve. Ask an administrator.";
	case CSIGN_E_EXISTS:
		return "This phone is enrolled on this host already.";
	case CSIGN_E_CUT:
		return "The command is too long to be shown on the phone. Put "
		       "it into a script.";
	/* The program says that it failed; more would help nobody. */
	case CSIGN_OK:
	case CSIGN_E_BASE:
	case CSIGN_E_AGAIN:
	case CSIGN_E_EXEMPT:
	case CSIGN_E_UNKNOWN_USER:
		return NULL;
		CSIGN_ERR_PROOF_LIST(CSIGN_ERR_CASE)
		return "The phone's answer was not valid. Start again, or ask "
		       "an administrator.";
	case CSIGN_E_UNENROLLED:
	case CSIGN_E_ENROLL:
	case CSIGN_E_CONFIG:
	case CSIGN_E_FILE:
	case CSIGN_E_DEVICES:
	case CSIGN_E_STATE:
	case CSIGN_E_AUDIT:
	case CSIGN_E_CLOCK:
	case CSIGN_E_RANDOM:
	case CSIGN_E_CRYPTO:
	case CSIGN_E_SYSTEM:
	case CSIGN_E_QR:
	case CSIGN_E_NOMEM:
	case CSIGN_E_NOT_FOUND:
	case CSIGN_E_FORMAT:
	case CSIGN_E_TOO_LONG:
	case CSIGN_E_LAST_DEVICE:
	case CSIGN_E_INVALID:
	case CSIGN_E_INTERNAL:
		break;
	}
	return "Approval by phone is not working on this host. Ask an "
	       "administrator; the system's log says why.";
}

void
csign_present_failure(
    const struct csign_person *person, enum csign_err err, const char *asked)
{
	const char *text = failure_text(err);

	if ((err == CSIGN_E_UNENROLLED || err == CSIGN_E_ENROLL) &&
	    asked != NULL)
		say_unenrolled(person, asked);
	else if (text != NULL)
		csign_present_say(person, true, text);
}
