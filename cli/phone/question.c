/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../out.h"
#include "clock.h"
#include "question.h"
#include "text.h"

#define SAFE_MAX 65536
#define LABEL_MIN 12 /* so that most questions look alike */

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

/* Characters, each a column wide: near enough for a label. */
static size_t
width_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void
row(size_t width, const char *label, const char *value)
{
	char *safe_label = question_safe(label);
	char *safe_value = question_safe(value);
	const char *shown = safe_label != NULL ? safe_label : "?";
	size_t used = width_of(shown);

	(void)printf("    %s%*s  %s\n", shown,
	    (int)(used < width ? width - used : 0), "",
	    safe_value != NULL ? safe_value : "?");
	free(safe_label);
	free(safe_value);
}

/* Of the column of labels: as wide as the widest. */
static size_t
label_width(const struct csign_transaction *t)
{
	size_t width = LABEL_MIN;

	for (size_t i = 0; i < t->n_details; i++) {
		char *safe = question_safe(t->details[i].label);

		if (safe != NULL && width_of(safe) > width)
			width = width_of(safe);
		free(safe);
	}
	return width;
}

/* By the host's clock and this one's: for the eye only. */
static void
show_age(size_t width, const char *created, uint32_t seconds_left)
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
	row(width, "Asked", text);
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
	const size_t width = label_width(t);

	(void)printf("\n  %s\n\n", title != NULL ? title : "?");
	free(title);
	show_memory(t, memory);
	row(width, "Host", t->host);
	(void)snprintf(account, sizeof account, "%s (uid %u)", t->user, t->uid);
	row(width, "Account", account);
	row(width, "Service", t->service);
	for (size_t i = 0; i < t->n_details; i++)
		if (!is_service(t, &t->details[i]))
			row(width, t->details[i].label, t->details[i].value);
	row(width, "Carried by", origin);
	show_age(width, t->created, seconds_left);
	(void)putchar('\n');
	(void)fflush(stdout);
}

/* --- for programs ----------------------------------------------------------
 */

static bool
add_strings(
    struct json_object *o, const char *name, char *const *texts, size_t n)
{
	struct json_object *array = json_object_new_array();
	bool ok = array != NULL;

	for (size_t i = 0; ok && i < n; i++)
		ok = json_object_array_add(
			 array, json_object_new_string(texts[i])) == 0;
	return out_json_add(o, name, array) && ok;
}

static bool
add_details(struct json_object *o, const struct csign_transaction *t)
{
	struct json_object *array = json_object_new_array();
	bool ok = array != NULL;

	for (size_t i = 0; ok && i < t->n_details; i++) {
		struct json_object *pair = json_object_new_object();

		ok = out_json_str(pair, "label", t->details[i].label) &&
		     out_json_str(pair, "value", t->details[i].value) &&
		     json_object_array_add(array, pair) == 0;
		if (!ok)
			json_object_put(pair);
	}
	return out_json_add(o, "details", array) && ok;
}

struct json_object *
question_json(const struct csign_question *question, const char *origin,
    uint32_t seconds_left)
{
	const struct csign_transaction *t = &question->transaction;
	struct json_object *o = json_object_new_object();

	if (out_json_str(o, "host", t->host) &&
	    out_json_str(o, "user", t->user) &&
	    out_json_add(o, "uid", json_object_new_int64(t->uid)) &&
	    out_json_str(o, "service", t->service) &&
	    out_json_str(o, "title", t->title) && add_details(o, t) &&
	    add_strings(o, "choices", t->choices, t->n_choices) &&
	    out_json_str(o, "code", t->code) &&
	    out_json_str(o, "created", t->created) &&
	    out_json_str(o, "origin", origin) &&
	    out_json_add(o, "secondsLeft", json_object_new_int64(seconds_left)))
		return o;
	json_object_put(o);
	return NULL;
}
