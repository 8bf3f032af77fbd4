/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign-phone watch -: follows what a terminal prints and asks about
 * every link that appears in it, once.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../process.h"
#include "../tty.h"
#include "cmd.h"
#include "scan.h"
#include "visit.h"

#define TEXT_MAX 262144
#define TEXT_KEPT 65536 /* a QR code in ASCII with room around it: 6 kB */
#define QUIET_MS 100    /* a picture is whole when nothing more comes */
#define BUSY_MAX 20     /* reads without such a pause before one looks */
#define FOLLOW_MS 200   /* how often a file is looked at for more */
#define SEEN_MAX 256

struct watch {
	struct phone phone;
	char *text;
	size_t len;
	bool is_file;      /* its end is not the end */
	unsigned int busy; /* reads since it was looked at */
	char seen[SEEN_MAX][CSIGN_LINK_ID_SIZE];
	size_t n_seen;
	bool done; /* --once */
	enum out_status status;
};

/* Forgets the oldest text, up to the end of a line. */
static void
trim(struct watch *w, size_t keep)
{
	char *from, *line;

	if (w->len <= keep)
		return;
	from = w->text + w->len - keep;
	line = memchr(from, '\n', keep);
	if (line != NULL)
		from = line + 1;
	w->len -= (size_t)(from - w->text);
	memmove(w->text, from, w->len);
}

static bool
is_new(struct watch *w, const char *id)
{
	for (size_t i = 0; i < SEEN_MAX && i < w->n_seen; i++)
		if (strcmp(w->seen[i], id) == 0)
			return false;
	memcpy(w->seen[w->n_seen % SEEN_MAX], id, CSIGN_LINK_ID_SIZE);
	w->n_seen++;
	return true;
}

static enum out_status
answer(struct watch *w, const char *link)
{
	struct visit visit = {.link = NULL};
	enum out_status status;

	w->phone.why.text[0] = '\0';
	w->phone.followed[0] = '\0';
	if ((status = visit_open(&w->phone, link, &visit)) == STATUS_YES)
		status = visit.question.transaction.enrolment
			     ? enroll_visit(&w->phone, &visit)
			     : approve_visit(&w->phone, &visit);
	visit_close(&visit);
	if (w->phone.followed[0] != '\0')
		(void)is_new(w, w->phone.followed);
	(void)out_flush();
	return status;
}

static enum csign_err
look(struct watch *w)
{
	struct scan scan = {.n = 0};
	enum csign_err r;

	w->busy = 0;
	if ((r = scan_text(w->phone.crypto, w->text, w->len, &scan)) !=
	    CSIGN_OK)
		return r;
	for (size_t i = 0; i < scan.n && !w->done; i++) {
		if (!is_new(w, scan.links[i].id))
			continue;
		w->status = answer(w, scan.links[i].text);
		w->done = args_flag(w->phone.args, OPT_ONCE) ||
			  process_wait(-1, w->phone.stop_fd, 0) == WAIT_STOPPED;
	}
	trim(w, TEXT_KEPT);
	return CSIGN_OK;
}

/* More text: 1; none now: 0; never again: -1. */
static int
read_more(struct watch *w)
{
	ssize_t n;

	trim(w, TEXT_MAX / 2);
	n = read(STDIN_FILENO, w->text + w->len, TEXT_MAX - w->len);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n > 0) {
		w->len += (size_t)n;
		w->busy++;
		return 1;
	}
	return n == 0 && w->is_file ? 0 : -1;
}

/* Until Ctrl-C, the end of the stream, or the first question with --once. */
static enum csign_err
follow(struct watch *w)
{
	enum csign_err r = CSIGN_OK;
	bool more = true;

	while (r == CSIGN_OK && !w->done) {
		int got = 0;

		switch (process_wait(STDIN_FILENO, w->phone.stop_fd,
		    w->busy > 0 ? QUIET_MS : -1)) {
		case WAIT_STOPPED:
			return CSIGN_OK;
		case WAIT_READABLE:
			got = read_more(w);
			more = got >= 0;
			break;
		case WAIT_TIMEOUT:
			break;
		}
		if ((got <= 0 && w->busy > 0) || w->busy > BUSY_MAX)
			r = look(w);
		if (!more)
			break;
		if (got == 0 && w->is_file &&
		    process_wait(-1, w->phone.stop_fd, FOLLOW_MS) ==
			WAIT_STOPPED)
			break;
	}
	return r;
}

static enum out_status
watch_run(struct watch *w)
{
	struct stat st;
	enum csign_err r;

	if ((w->text = malloc(TEXT_MAX)) == NULL)
		return phone_fail(&w->phone, CSIGN_E_NOMEM);
	w->is_file = fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode);
	r = follow(w);
	tty_wipe(w->text, TEXT_MAX);
	free(w->text);
	if (r != CSIGN_OK)
		return phone_fail(&w->phone, r);
	return args_flag(w->phone.args, OPT_ONCE) ? w->status : STATUS_YES;
}

enum out_status
stream_watch(const struct args *args)
{
	struct watch *w;
	enum out_status status;

	if (!args_flag(args, OPT_YES) &&
	    (isatty(STDIN_FILENO) == 1 || !tty_can_ask())) {
		out_error("watch - reads a stream from standard input and asks "
			  "on the terminal; without one, use --yes");
		return STATUS_USAGE;
	}
	if ((w = calloc(1, sizeof *w)) == NULL) {
		out_error("%s", csign_err_text(CSIGN_E_NOMEM));
		return STATUS_TROUBLE;
	}
	w->status = STATUS_NO; /* --once and no question at all */
	if ((status = phone_open(&w->phone, args)) == STATUS_YES) {
		status = watch_run(w);
		phone_close(&w->phone);
	}
	free(w);
	return status;
}
