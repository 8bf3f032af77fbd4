/* SPDX-License-Identifier: BSD-2-Clause */
/* A question of the inbox on a terminal, and the person's answer to it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "reply.h"
#include "watch.h"

#define SKIP "skip"
#define PROMPT_MAX 1024
#define WORDS_MAX (CSIGN_CHOICES_MAX + 3)

/* What may be answered, as it is offered. */
struct words {
	const char *word[WORDS_MAX];
	size_t n;
};

static void
list_words(const struct visit *visit, struct words *words)
{
	const struct csign_transaction *t = &visit->question.transaction;

	words->n = 0;
	for (size_t i = 0; i < t->n_choices && !reply_needs_scan(visit); i++)
		words->word[words->n++] = t->choices[i];
	words->word[words->n++] = REPLY_DENY;
	words->word[words->n++] = REPLY_NOT_ME;
	words->word[words->n++] = SKIP;
}

/* How many of the words begin so. */
static size_t
count(const struct words *words, const char *start, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < words->n; i++)
		n += strncmp(words->word[i], start, len) == 0;
	return n;
}

/* The word itself, or a beginning that no other one has; or NULL. */
static const char *
match(const struct words *words, const char *line)
{
	const size_t len = strlen(line);
	const char *found = NULL;

	for (size_t i = 0; i < words->n; i++) {
		if (strcmp(words->word[i], line) == 0)
			return words->word[i];
		if (strncmp(words->word[i], line, len) == 0)
			found = words->word[i];
	}
	return len > 0 && count(words, line, len) == 1 ? found : NULL;
}

/* "a(pprove), d(eny), n(ot-me), s(kip): " */
static enum csign_err
write_prompt(const struct words *words, struct csign_buf *out)
{
	enum csign_err r = CSIGN_OK;

	for (size_t i = 0; r == CSIGN_OK && i < words->n; i++) {
		const char *word = words->word[i];
		size_t len = 1;

		while (word[len] != '\0' && count(words, word, len) > 1)
			len++;
		r = csign_buf_putf(out,
		    word[len] != '\0' ? "%s%.*s(%s)" : "%s%.*s%s",
		    i > 0 ? ", " : "", (int)len, word, word + len);
	}
	return r == CSIGN_OK ? csign_buf_put_str(out, ": ") : r;
}

/* --- while the person thinks -----------------------------------------------
 */

/* Others have come meanwhile: they are next. */
static void
tell_of_others(struct watch *w)
{
	struct inbox_item *item = NULL;
	struct csign_link *link = NULL;

	while ((item = inbox_next(w->inbox, item)) != NULL) {
		if (item == w->item || item->is_told || item->is_over)
			continue;
		item->is_told = true;
		if (!watch_open(w, item, &link))
			continue;
		csign_link_free(&link);
		watch_note_begin(w);
		watch_ring(w);
		(void)puts("Another question is waiting; it comes next.");
		watch_note_end(w);
	}
}

/* Goes on watching; the prompt ends when its question does. */
static enum process_wait
meanwhile(void *arg, int fd)
{
	struct watch *w = arg;

	for (;;) {
		switch (inbox_wait(w->inbox, fd, w->ends_ms)) {
		case INBOX_FD:
			return WAIT_READABLE;
		case INBOX_STOPPED:
			w->is_stopped = true;
			return WAIT_STOPPED;
		case INBOX_TIMEOUT:
			return WAIT_STOPPED;
		case INBOX_CHANGED:
			if (w->item->is_over)
				return WAIT_STOPPED;
			tell_of_others(w);
			break;
		}
	}
}

static bool
is_over(const struct watch *w, const struct visit *visit)
{
	return w->is_stopped || w->item->is_over || visit->over ||
	       inbox_now() >= w->ends_ms;
}

/* --- one answer ------------------------------------------------------------
 */

/* The word, or NULL: the question is over, or nobody is there any more. */
static const char *
choose(struct watch *w, const struct words *words, const char *prompt)
{
	char line[CSIGN_CHOICE_MAX + 1];
	enum tty_result result;
	const char *word;

	for (;;) {
		result = phone_line(&w->phone, prompt, true, line, sizeof line);
		if (result == TTY_OK && (word = match(words, line)) != NULL)
			return word;
		if (result == TTY_END || result == TTY_NONE)
			w->is_stopped = true;
		if (result != TTY_OK && result != TTY_TOO_LONG)
			return NULL;
	}
}

static bool
is_open(const struct service_event *event)
{
	return event->state == SERVICE_PENDING || event->state == SERVICE_SEEN;
}

/* What the host has made of it: true if it is the end of the question. */
static bool
judge(const struct reply *reply, const struct service_event *event,
    enum out_status *ret_status)
{
	*ret_status = event->state == SERVICE_GRANTED ? STATUS_YES : STATUS_NO;
	if (event->state == SERVICE_GRANTED)
		(void)puts("Granted.");
	else if (event->state == SERVICE_DENIED && reply_is_refusal(reply))
		(void)puts("Denied.");
	else
		visit_explain(event);
	return !is_open(event);
}

enum step {
	STEP_AGAIN, /* the question is still open */
	STEP_DONE,  /* answered, or skipped */
	STEP_OVER,  /* it has ended, or nobody is there any more */
};

static enum step
attempt(struct watch *w, struct visit *visit, const struct words *words,
    const char *prompt, enum out_status *ret_status)
{
	struct reply reply = {.is_signed = true};
	struct service_event event;
	const char *word = choose(w, words, prompt);

	*ret_status = STATUS_NO;
	if (word == NULL)
		return STEP_OVER;
	if (strcmp(word, SKIP) == 0) {
		(void)puts("Skipped: the terminal and other phones still ask.");
		return STEP_DONE;
	}
	memcpy(reply.device, visit->entry.id, sizeof reply.device);
	(void)snprintf(reply.choice, sizeof reply.choice, "%s", word);
	if (reply_complete(&w->phone, visit, &reply, &event) == STATUS_YES)
		return judge(&reply, &event, ret_status) ? STEP_DONE
							 : STEP_AGAIN;
	return is_over(w, visit) ? STEP_OVER : STEP_AGAIN;
}

void
watch_say_ended(enum service_state state)
{
	switch (state) {
	case SERVICE_GRANTED:
		(void)puts("Answered elsewhere: granted.");
		break;
	case SERVICE_DENIED:
		(void)puts("Answered elsewhere: denied.");
		break;
	case SERVICE_EXPIRED:
		(void)puts("Too late: the question has expired.");
		break;
	case SERVICE_CANCELLED:
		(void)puts("The host has withdrawn the question.");
		break;
	case SERVICE_PENDING:
	case SERVICE_SEEN:
	case SERVICE_ANSWERED:
		(void)puts("The question is gone.");
		break;
	}
}

/* False: its service only failed to list it for a moment. */
static bool
say_over(struct watch *w, const struct visit *visit)
{
	enum service_state state = SERVICE_EXPIRED;

	if (w->is_stopped || visit->over)
		return true;
	if (w->item->is_over && !watch_ended(w, w->item, &state))
		return false;
	watch_say_ended(state);
	return true;
}

static enum out_status
ask(struct watch *w, struct visit *visit)
{
	struct csign_buf *prompt = NULL;
	enum out_status status = STATUS_NO;
	enum step step = STEP_AGAIN;
	struct words words;
	enum csign_err r;

	list_words(visit, &words);
	if ((r = csign_buf_new(PROMPT_MAX, &prompt)) != CSIGN_OK ||
	    (r = write_prompt(&words, prompt)) != CSIGN_OK)
		status = phone_fail(&w->phone, r);
	while (r == CSIGN_OK && step == STEP_AGAIN) {
		step =
		    attempt(w, visit, &words, csign_buf_str(prompt), &status);
		if (step == STEP_OVER && !say_over(w, visit))
			step = STEP_AGAIN;
	}
	csign_buf_free(&prompt);
	return status;
}

enum out_status
watch_ask(struct watch *w, struct inbox_item *item, struct visit *visit)
{
	const struct tty_waiter waiter = {.wait = meanwhile, .arg = w};
	enum out_status status;

	w->item = item;
	w->ends_ms = visit->ends_ms;
	w->phone.waiter = &waiter;
	visit_show(visit, true);
	if (reply_needs_scan(visit))
		(void)puts("  This phone cannot approve it from here: scan the "
			   "QR code that the\n  terminal shows.\n");
	status = ask(w, visit);
	w->phone.waiter = NULL;
	w->item = NULL;
	return status;
}
