/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "question.h"
#include "text.h"

#define SAFE_MAX 65536
#define LABEL_WIDTH 12

char *
question_safe(const char *text)
{
	struct csign_buf *buf = NULL;
	char *safe = NULL;

	if (csign_buf_new(SAFE_MAX, &buf) == CSIGN_OK &&
	    csign_text_safe(buf, text, strlen(text)) == CSIGN_OK)
		safe = strdup(csign_buf_str(buf));
	csign_buf_free(&buf);
	return safe;
}

static void
row(const char *label, const char *value)
{
	char *safe_label = question_safe(label);
	char *safe_value = question_safe(value);

	(void)printf("    %-*s  %s\n", LABEL_WIDTH,
	    safe_label != NULL ? safe_label : "?",
	    safe_value != NULL ? safe_value : "?");
	free(safe_label);
	free(safe_value);
}

/* By the host's clock and this one's: for the eye only. */
static void
show_age(const char *created, uint32_t seconds_left)
{
	char text[96];
	uint64_t then = 0, now_ms = 0;

	if (csign_time_parse(created, &then) == CSIGN_OK &&
	    csign_clock_wall(&now_ms) == CSIGN_OK && now_ms / 1000 >= then)
		(void)snprintf(text, sizeof text,
		    "%llu seconds ago, %u seconds left",
		    (unsigned long long)(now_ms / 1000 - then), seconds_left);
	else
		(void)snprintf(
		    text, sizeof text, "%u seconds left", seconds_left);
	row("Asked", text);
}

static void
show_memory(const struct csign_transaction *t, enum store_memory memory)
{
	if (t->enrolment || memory == STORE_KNOWN)
		return;
	(void)puts(memory == STORE_UNKNOWN
		       ? "    !! This phone has no memory of enrolling for "
			 "this host and user."
		       : "    !! This phone was enrolled for this host and "
			 "user at another service,\n"
			 "    !! or for another account of that name.");
	(void)putchar('\n');
}

/* The same thing a second time, for phones that show details alone? */
static bool
is_service(const struct csign_transaction *t, const struct csign_detail *detail)
{
	return strcmp(detail->label, "Service") == 0 &&
	       strcmp(detail->value, t->service) == 0;
}

void
question_show(const struct csign_question *question, const char *origin,
    enum store_memory memory, uint32_t seconds_left)
{
	const struct csign_transaction *t = &question->transaction;
	char account[CSIGN_USER_MAX + 32];
	char *title = question_safe(t->title);

	(void)printf("\n  %s\n\n", title != NULL ? title : "?");
	free(title);
	show_memory(t, memory);
	row("Host", t->host);
	(void)snprintf(account, sizeof account, "%s (uid %u)", t->user, t->uid);
	row("Account", account);
	row("Service", t->service);
	for (size_t i = 0; i < t->n_details; i++)
		if (!is_service(t, &t->details[i]))
			row(t->details[i].label, t->details[i].value);
	row("Carried by", origin);
	show_age(t->created, seconds_left);
	(void)putchar('\n');
	(void)fflush(stdout);
}
