/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "verify.h"
#include "when.h"

#define EVIDENCE_MAX 16384 /* countersign-audit(5) */
#define CUT_MARK "..."
#define CUT_LEAST 13 /* bytes before it */
#define NOTHING "-"
/* Seconds in which evidence may still get its record, which comes after it. */
#define WRITING 2
/* Seconds from a question to its record at most; the clock may be set by some.
 */
#define APART 900

/* What can be said of one answer; the order of counts[]. */
enum found {
	FOUND_VERIFIED,
	FOUND_NONE, /* nothing was to be kept */
	FOUND_BAD,
	FOUND_UNKNOWN_KEY, /* signed, by a key that nothing here names */
	FOUND_NO_RECORD,
	FOUND_COUNT,
};

static const struct {
	const char *word;   /* for programs */
	const char *text;   /* in the table */
	const char *member; /* the count, for programs */
} founds[FOUND_COUNT] = {
    [FOUND_VERIFIED] = {"verified", "verified", "verified"},
    [FOUND_NONE] = {"none", "no evidence", "none"},
    [FOUND_BAD] = {"bad", "BAD", "bad"},
    [FOUND_UNKNOWN_KEY] = {"unknown-key", "UNKNOWN KEY", "unknownKey"},
    [FOUND_NO_RECORD] = {"no-record", "NO RECORD", "noRecord"},
};

/* A line of evidence, as far as it is needed. */
struct piece {
	struct csign_evidence_info info; /* its strings are the piece's own */
	enum csign_err err;
	char *why;    /* if err */
	bool used;    /* a record is about it */
	char *record; /* the one that names it, or NULL */
};

/* A device of an account that was asked about before. */
struct key {
	char *user, *device;
	bool known;
};

struct verify {
	struct csign_ctx *ctx;
	const struct verify_query *query;
	char settled[WHEN_SIZE]; /* what is newer may get its record yet */
	struct trail *trail;
	struct piece *pieces; /* sorted by the question, when all are read */
	size_t n_pieces, size;
	size_t damaged;
	struct key *keys;
	size_t n_keys;
	size_t counts[FOUND_COUNT];
	struct out_table *table;
	struct json_object *array;
	bool nomem;
};

/* --- the evidence ----------------------------------------------------------
 */

/* The strings of an info, in one order. */
#define N_STRINGS 11
static void
strings_of(struct csign_evidence_info *info, const char **at[N_STRINGS])
{
	at[0] = &info->time;
	at[1] = &info->question;
	at[2] = &info->host;
	at[3] = &info->user;
	at[4] = &info->service;
	at[5] = &info->title;
	at[6] = &info->device;
	at[7] = &info->kind;
	at[8] = &info->choice;
	at[9] = &info->mark;
	at[10] = &info->asked;
}

static void
piece_clear(struct piece *p)
{
	const char **at[N_STRINGS];

	strings_of(&p->info, at);
	for (size_t i = 0; i < N_STRINGS; i++)
		free((void *)(uintptr_t)*at[i]);
	free(p->why);
	free(p->record);
	*p = (struct piece){.err = CSIGN_OK};
}

static bool
piece_copy(const struct csign_evidence_info *info, struct piece *p)
{
	const char **at[N_STRINGS];
	bool ok = true;

	p->info = *info;
	strings_of(&p->info, at);
	for (size_t i = 0; i < N_STRINGS; i++) {
		*at[i] = strdup(*at[i]);
		ok = ok && *at[i] != NULL;
	}
	return ok;
}

static bool
add_piece(struct verify *v, struct csign_evidence *ev)
{
	struct piece *more, *p;

	if (v->n_pieces == v->size) {
		v->size = v->size == 0 ? 64 : v->size * 2;
		more = reallocarray(v->pieces, v->size, sizeof *more);
		if (more == NULL)
			return false;
		v->pieces = more;
	}
	p = &v->pieces[v->n_pieces];
	*p = (struct piece){.err = csign_evidence_check(v->ctx, ev)};
	if (p->err == CSIGN_E_NOMEM ||
	    (p->err != CSIGN_OK &&
		(p->why = strdup(csign_ctx_why(v->ctx))) == NULL) ||
	    !piece_copy(csign_evidence_look(ev), p)) {
		piece_clear(p);
		return false;
	}
	v->n_pieces++;
	return true;
}

static bool
take(void *arg, const char *path, size_t number, const char *line, size_t len)
{
	struct verify *v = arg;
	struct csign_evidence *ev = NULL;
	enum csign_err err = csign_evidence_read(v->ctx, line, len, &ev);
	bool ok = true;

	if (err == CSIGN_E_NOMEM)
		return false;
	if (err != CSIGN_OK) {
		if (v->damaged++ == 0)
			out_error("warning: %s:%zu: this is no evidence of "
				  "countersign's",
			    path, number);
		return true;
	}
	ok = add_piece(v, ev);
	csign_evidence_free(&ev);
	return ok;
}

static int
by_question(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	int order = strcmp(x->info.question, y->info.question);

	return order != 0 ? order : strcmp(x->info.mark, y->info.mark);
}

/* In their order, and each line once: two files may both have it. */
static void
sort_pieces(struct verify *v)
{
	size_t n = 0;

	if (v->n_pieces == 0)
		return;
	qsort(v->pieces, v->n_pieces, sizeof *v->pieces, by_question);
	for (size_t i = 1; i < v->n_pieces; i++) {
		if (by_question(&v->pieces[n], &v->pieces[i]) == 0)
			piece_clear(&v->pieces[i]);
		else
			v->pieces[++n] = v->pieces[i];
	}
	v->n_pieces = n + 1;
}

static struct piece *
first_of(const struct verify *v, const char *question)
{
	size_t low = 0, high = v->n_pieces;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(v->pieces[mid].info.question, question) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < v->n_pieces &&
		       strcmp(v->pieces[low].info.question, question) == 0
		   ? &v->pieces[low]
		   : NULL;
}

/* The line of this mark; else one of this question, or NULL. */
static struct piece *
find(const struct verify *v, const char *question, const char *mark)
{
	struct piece *first = first_of(v, question);
	const struct piece *end = v->pieces + v->n_pieces;

	for (struct piece *p = first; mark != NULL && p != NULL && p < end; p++)
		if (strcmp(p->info.question, question) == 0 &&
		    strcmp(p->info.mark, mark) == 0)
			return p;
	return first;
}

/* --- whose key -------------------------------------------------------------
 */

/* Does the trail say that the device became one of the account's? */
static bool
was_enrolled(const struct verify *v, const char *user, const char *device)
{
	bool was = false;

	for (size_t i = 0; !was && i < trail_count(v->trail); i++) {
		struct json_object *r = trail_get(v->trail, i);
		const char *about = trail_str(r, "device");
		const char *whose = trail_str(r, "user");

		was = about != NULL && whose != NULL &&
		      strcmp(about, device) == 0 && strcmp(whose, user) == 0 &&
		      strcmp(trail_str(r, "event"), "enrolment") == 0 &&
		      strcmp(trail_str(r, "result"), "granted") == 0;
		json_object_put(r);
	}
	return was;
}

static bool
key_is_known(struct verify *v, const char *user, const char *device)
{
	struct key *more, *key;
	bool known = false;

	for (size_t i = 0; i < v->n_keys; i++)
		if (strcmp(v->keys[i].user, user) == 0 &&
		    strcmp(v->keys[i].device, device) == 0)
			return v->keys[i].known;
	if (csign_device_known(v->ctx, user, device, &known) != CSIGN_OK ||
	    !known)
		known = was_enrolled(v, user, device);
	more = reallocarray(v->keys, v->n_keys + 1, sizeof *more);
	if (more == NULL)
		return known;
	v->keys = more;
	key = &v->keys[v->n_keys];
	*key = (struct key){strdup(user), strdup(device), known};
	if (key->user != NULL && key->device != NULL) {
		v->n_keys++;
	} else {
		free(key->user);
		free(key->device);
	}
	return known;
}

/* --- a record and its evidence ---------------------------------------------
 */

/* The record's text may have been cut to make it fit. */
static bool
same_text(const char *recorded, const char *whole)
{
	size_t len = recorded == NULL ? 0 : strlen(recorded);
	size_t mark = strlen(CUT_MARK);

	if (recorded == NULL)
		return false;
	if (strcmp(recorded, whole) == 0)
		return true;
	return len >= CUT_LEAST + mark &&
	       strcmp(recorded + len - mark, CUT_MARK) == 0 &&
	       strncmp(recorded, whole, len - mark) == 0;
}

static bool
same_number(struct json_object *record, const char *name, uint32_t number)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(record, name, &value) &&
	       json_object_is_type(value, json_type_int) &&
	       json_object_get_int64(value) == (int64_t)number;
}

/* Of the times that are there the question's is the one that was signed. */
static bool
same_time(const char *recorded, const char *asked)
{
	time_t then, now;

	return recorded != NULL && when_read(recorded, &now) &&
	       when_read(asked, &then) && now - then <= APART &&
	       then - now <= APART;
}

/* Which member of the record says something else; NULL if none does. */
static const char *
contradiction(struct json_object *record, const struct csign_evidence_info *e)
{
	const struct {
		const char *name, *text;
	} texts[] = {
	    {"user", e->user},
	    {"service", e->service},
	    {"device", e->device},
	    {"choice", e->choice},
	    {"question", e->question},
	    {"result", e->grants ? "granted" : "denied"},
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (!same_text(trail_str(record, texts[i].name), texts[i].text))
			return texts[i].name;
	if (!same_time(trail_str(record, "time"), e->asked))
		return "time";
	if (!same_number(record, "uid", e->uid))
		return "uid";
	if (!same_number(record, "flags", e->flags))
		return "flags";
	return same_number(record, "counter", e->counter) ? NULL : "counter";
}

/* Or a copy of the one that is: an answer has one record. */
static bool
is_only(struct verify *v, struct piece *p, struct json_object *record)
{
	const char *text =
	    json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN);

	if (text != NULL && p->record == NULL)
		p->record = strdup(text);
	if (text == NULL || p->record == NULL) {
		v->nomem = true;
		return false;
	}
	return strcmp(p->record, text) == 0;
}

/* *ret_why is the caller's; NULL where there is nothing to explain. */
static enum found
judge(struct verify *v, struct json_object *record, char **ret_why)
{
	const char *question = trail_str(record, "question");
	const char *mark = trail_str(record, "evidence");
	struct piece *p = find(v, question == NULL ? "" : question, mark);
	const char *wrong = NULL;
	int n = 0;

	if (p == NULL && mark == NULL)
		return FOUND_NONE;
	if (p != NULL)
		p->used = true;
	if (p == NULL)
		n = asprintf(ret_why, "its evidence is missing");
	else if (p->err != CSIGN_OK)
		n = asprintf(ret_why, "%s", p->why);
	else if ((wrong = contradiction(record, &p->info)) != NULL)
		n = asprintf(ret_why, "the record has another %s", wrong);
	else if (mark == NULL)
		n = asprintf(ret_why, "the record names no evidence");
	else if (strcmp(mark, p->info.mark) != 0)
		n = asprintf(ret_why, "the record names another line");
	else if (!is_only(v, p, record))
		n = asprintf(ret_why, "another record names the same line");
	else
		return key_is_known(v, p->info.user, p->info.device)
			   ? FOUND_VERIFIED
			   : FOUND_UNKNOWN_KEY;
	if (n == -1) {
		*ret_why = NULL;
		v->nomem = true;
	}
	return FOUND_BAD;
}

/* --- output ----------------------------------------------------------------
 */

struct row {
	const char *time, *user, *service, *event, *result, *device, *question;
	enum found found;
	const char *why; /* or NULL */
};

static bool
add_json(struct verify *v, const struct row *row)
{
	struct json_object *o = json_object_new_object();
	bool ok = out_json_str(o, "time", row->time) &&
		  out_json_str(o, "user", row->user) &&
		  out_json_str(o, "service", row->service) &&
		  out_json_str(o, "event", row->event) &&
		  out_json_str(o, "result", row->result) &&
		  out_json_str(o, "device", row->device) &&
		  out_json_str(o, "question", row->question) &&
		  out_json_str(o, "evidence", founds[row->found].word) &&
		  out_json_str(o, "why", row->why);

	if (ok && json_object_array_add(v->array, o) == 0)
		return true;
	json_object_put(o);
	return false;
}

static const char *
cell(const char *text)
{
	return text == NULL || text[0] == '\0' ? NOTHING : text;
}

static bool
add_cells(struct verify *v, const struct row *row)
{
	char *evidence = NULL;
	bool ok = asprintf(&evidence, "%s%s%s", founds[row->found].text,
		      row->why == NULL ? "" : ": ",
		      row->why == NULL ? "" : row->why) != -1;

	if (!ok)
		return false;
	ok = out_table_row(
	    v->table, (const char *const[]){cell(row->time), cell(row->user),
			  cell(row->service), cell(row->event),
			  cell(row->result), cell(row->device), evidence});
	free(evidence);
	return ok;
}

static bool
add_row(struct verify *v, const struct row *row)
{
	v->counts[row->found]++;
	return v->query->json ? add_json(v, row) : add_cells(v, row);
}

/* A question that a device of the account answered? */
static bool
is_answer(struct json_object *record)
{
	const char *event = trail_str(record, "event");
	const char *result = trail_str(record, "result");

	return (strcmp(event, "approval") == 0 || strcmp(event, "test") == 0) &&
	       (strcmp(result, "granted") == 0 ||
		   strcmp(result, "denied") == 0) &&
	       (trail_str(record, "device") != NULL ||
		   strcmp(result, "granted") == 0);
}

static bool
is_wanted(const struct verify *v, const char *user, const char *time)
{
	const struct verify_query *q = v->query;

	return (q->user == NULL ||
		   (user != NULL && strcmp(user, q->user) == 0)) &&
	       (q->since == NULL || strcmp(time, q->since) >= 0);
}

static bool
add_record(struct verify *v, struct json_object *record)
{
	struct row row = {
	    .time = trail_str(record, "time"),
	    .user = trail_str(record, "user"),
	    .service = trail_str(record, "service"),
	    .event = trail_str(record, "event"),
	    .result = trail_str(record, "result"),
	    .device = trail_str(record, "device"),
	    .question = trail_str(record, "question"),
	};
	char *why = NULL;
	bool ok = true;

	if (!is_answer(record))
		return true;
	row.found = judge(v, record, &why);
	row.why = why;
	if (is_wanted(v, row.user, row.time))
		ok = add_row(v, &row);
	free(why);
	return ok;
}

/* The moment before which every answer had its record, if it has one. */
static bool
settled(char ret_when[WHEN_SIZE])
{
	const time_t then = time(NULL) - WRITING;
	struct tm tm;

	return gmtime_r(&then, &tm) != NULL &&
	       strftime(ret_when, WHEN_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}

/*
 * Evidence that no record names.  What is older than the oldest record may
 * have had one that was rotated away.
 */
static bool
add_rest(struct verify *v, const char *oldest)
{
	for (size_t i = 0; i < v->n_pieces; i++) {
		const struct piece *p = &v->pieces[i];
		struct row row = {
		    .time = p->info.time,
		    .user = p->info.user,
		    .service = p->info.service,
		    .device = p->info.device,
		    .question = p->info.question,
		    .found = FOUND_NO_RECORD,
		    .why = p->why,
		};

		if (p->used || strcmp(p->info.time, oldest) < 0 ||
		    strcmp(p->info.time, v->settled) > 0 ||
		    !is_wanted(v, p->info.user, p->info.time))
			continue;
		if (!add_row(v, &row))
			return false;
	}
	return true;
}

static bool
compare(struct verify *v)
{
	char oldest[32] = "";
	bool ok = true;

	for (size_t i = 0; ok && i < trail_count(v->trail); i++) {
		struct json_object *record = trail_get(v->trail, i);

		if (record == NULL)
			return false;
		/* Named files come as they were named. */
		if (i == 0 || strcmp(trail_str(record, "time"), oldest) < 0)
			(void)snprintf(oldest, sizeof oldest, "%s",
			    trail_str(record, "time"));
		ok = add_record(v, record) && !v->nomem;
		json_object_put(record);
	}
	return ok && add_rest(v, oldest);
}

static bool
print_json(struct verify *v)
{
	struct json_object *o = json_object_new_object();
	bool ok = out_json_add(o, "answers", v->array);

	v->array = NULL;
	for (size_t i = 0; ok && i < FOUND_COUNT; i++)
		ok = out_json_add(o, founds[i].member,
		    json_object_new_int64((int64_t)v->counts[i]));
	ok = ok && out_json_add(o, "damaged",
		       json_object_new_int64(
			   (int64_t)(v->damaged + trail_damaged(v->trail))));
	if (ok)
		out_json_print(o);
	else
		json_object_put(o);
	return ok;
}

static void
print_table(const struct verify *v)
{
	if (out_table_rows(v->table) > 0)
		out_table_print(v->table);
	(void)printf("%zu verified, %zu without evidence, %zu bad, %zu of an "
		     "unknown key, %zu without a record\n",
	    v->counts[FOUND_VERIFIED], v->counts[FOUND_NONE],
	    v->counts[FOUND_BAD], v->counts[FOUND_UNKNOWN_KEY],
	    v->counts[FOUND_NO_RECORD]);
}

static bool
begin(struct verify *v)
{
	static const char *const heads[] = {
	    "TIME", "USER", "SERVICE", "EVENT", "RESULT", "DEVICE", "EVIDENCE"};

	v->array = json_object_new_array();
	v->table = out_table_new(sizeof heads / sizeof heads[0], heads);
	return v->array != NULL && v->table != NULL;
}

static enum out_status
run(struct verify *v)
{
	const struct trail_filter all = {.lines = TRAIL_LINES_MAX};
	enum out_status status;
	bool ok;

	/* The records first: of what they name, the evidence is there. */
	if (!settled(v->settled)) {
		out_error("what time it is cannot be found out");
		return STATUS_TROUBLE;
	}
	if ((status = trail_read(&v->query->records, &all, &v->trail)) !=
		STATUS_YES ||
	    (status = trail_lines(
		 &v->query->evidence, EVIDENCE_MAX - 1, take, v)) != STATUS_YES)
		return status;
	sort_pieces(v);
	ok = begin(v) && compare(v);
	if (ok && v->query->json)
		ok = print_json(v);
	else if (ok)
		print_table(v);
	if (!ok) {
		out_error("out of memory");
		return STATUS_TROUBLE;
	}
	if (v->damaged > 1)
		out_error("warning: %zu lines are no evidence", v->damaged);
	if (trail_damaged(v->trail) > 0)
		out_error("warning: %zu damaged records; the first is %s",
		    trail_damaged(v->trail), trail_first_damage(v->trail));
	if (trail_older(v->trail) > 0)
		out_error("warning: %zu older records were left out",
		    trail_older(v->trail));
	return v->counts[FOUND_BAD] + v->counts[FOUND_UNKNOWN_KEY] +
			   v->counts[FOUND_NO_RECORD] >
		       0
		   ? STATUS_NO
		   : STATUS_YES;
}

enum out_status
verify_show(struct csign_ctx *ctx, const struct verify_query *query)
{
	struct verify v = {.ctx = ctx, .query = query};
	enum out_status status = run(&v);

	for (size_t i = 0; i < v.n_pieces; i++)
		piece_clear(&v.pieces[i]);
	free(v.pieces);
	for (size_t i = 0; i < v.n_keys; i++) {
		free(v.keys[i].user);
		free(v.keys[i].device);
	}
	free(v.keys);
	json_object_put(v.array);
	out_table_free(&v.table);
	trail_free(&v.trail);
	return status;
}
