/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign log: who approved what, from where, with what. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "trail.h"
#include "verify.h"
#include "when.h"

#define CELL_SIZE 320
#define NOTHING "-"

struct query {
	struct trail_filter filter;
	char since[WHEN_SIZE];
	bool json, verify;
	struct trail_source records, evidence;
	char *configured[2]; /* what these borrow */
};

/* --- a record as a row -----------------------------------------------------
 */

static const char *
text_of(struct json_object *record, const char *name)
{
	const char *text = trail_str(record, name);

	return text != NULL && text[0] != '\0' ? text : NOTHING;
}

/* From another host, from a terminal, or by whom. */
static void
from_cell(struct json_object *record, char cell[CELL_SIZE])
{
	static const struct {
		const char *name, *before;
	} members[] = {{"rhost", ""}, {"tty", ""}, {"by", "by "}};
	const char *text;

	(void)snprintf(cell, CELL_SIZE, NOTHING);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		text = trail_str(record, members[i].name);
		if (text == NULL || text[0] == '\0')
			continue;
		(void)snprintf(
		    cell, CELL_SIZE, "%s%s", members[i].before, text);
		return;
	}
}

/* "granted", and which choice if there was one to make. */
static void
result_cell(struct json_object *record, char cell[CELL_SIZE])
{
	const char *result = text_of(record, "result");
	const char *choice = trail_str(record, "choice");

	if (choice == NULL || strcmp(choice, "approve") == 0 ||
	    strcmp(choice, "deny") == 0)
		(void)snprintf(cell, CELL_SIZE, "%s", result);
	else
		(void)snprintf(cell, CELL_SIZE, "%s (%s)", result, choice);
}

static void
latency_cell(struct json_object *record, char cell[CELL_SIZE])
{
	struct json_object *value = NULL;
	int64_t ms = 0;

	if (json_object_object_get_ex(record, "latencyMs", &value))
		ms = json_object_get_int64(value);
	if (ms > 0)
		(void)snprintf(cell, CELL_SIZE, "%lld.%lld s",
		    (long long)(ms / 1000), (long long)(ms % 1000 / 100));
	else
		(void)snprintf(cell, CELL_SIZE, NOTHING);
}

static bool
add_row(struct out_table *table, struct json_object *record)
{
	char from[CELL_SIZE], result[CELL_SIZE], latency[CELL_SIZE];
	const char *device = text_of(record, "deviceName");
	const char *reason = text_of(record, "reason");

	from_cell(record, from);
	result_cell(record, result);
	latency_cell(record, latency);
	if (strcmp(device, NOTHING) == 0)
		device = text_of(record, "device");
	if (strcmp(reason, "OK") == 0)
		reason = NOTHING;
	return out_table_row(table,
	    (const char *const[]){text_of(record, "time"),
		text_of(record, "user"), text_of(record, "service"), from,
		text_of(record, "event"), result, device, reason, latency});
}

/* --- all of them -----------------------------------------------------------
 */

static bool
print_table(const struct trail *trail)
{
	static const char *const heads[] = {"TIME", "USER", "SERVICE", "FROM",
	    "EVENT", "RESULT", "DEVICE", "REASON", "LATENCY"};
	struct out_table *table =
	    out_table_new(sizeof heads / sizeof heads[0], heads);
	bool ok = table != NULL;

	for (size_t i = 0; ok && i < trail_count(trail); i++) {
		struct json_object *record = trail_get(trail, i);

		ok = record != NULL && add_row(table, record);
		json_object_put(record);
	}
	if (ok && trail_count(trail) > 0)
		out_table_print(table);
	else if (ok)
		(void)printf("No records.\n");
	out_table_free(&table);
	return ok;
}

static bool
print_json(const struct trail *trail)
{
	struct json_object *o = json_object_new_object();
	struct json_object *array = json_object_new_array();
	bool ok = array != NULL;

	for (size_t i = 0; ok && i < trail_count(trail); i++) {
		struct json_object *record = trail_get(trail, i);

		ok =
		    record != NULL && json_object_array_add(array, record) == 0;
		if (!ok)
			json_object_put(record);
	}
	ok = out_json_add(o, "records", array) && ok;
	ok = ok && out_json_add(o, "damaged",
		       json_object_new_int64((int64_t)trail_damaged(trail)));
	if (ok)
		out_json_print(o);
	else
		json_object_put(o);
	return ok;
}

/* What the output does not show, so that nobody takes it for everything. */
static void
warn(const struct trail *trail, bool lines_given)
{
	if (trail_damaged(trail) > 0)
		out_error("warning: %zu damaged line%s left out; the first is "
			  "%s",
		    trail_damaged(trail),
		    trail_damaged(trail) == 1 ? " was" : "s were",
		    trail_first_damage(trail));
	if (trail_older(trail) > 0 && !lines_given)
		out_error("warning: %zu older records were left out; --since "
			  "and --lines choose others",
		    trail_older(trail));
}

static enum out_status
show(const struct query *q, bool lines_given)
{
	struct trail *trail = NULL;
	enum out_status status;

	status = trail_read(&q->records, &q->filter, &trail);
	if (status != STATUS_YES)
		return status;
	if (!(q->json ? print_json(trail) : print_table(trail))) {
		out_error("out of memory");
		status = STATUS_TROUBLE;
	}
	warn(trail, lines_given);
	trail_free(&trail);
	return status;
}

static enum out_status
verify(struct csign_ctx *ctx, const struct query *q)
{
	const struct verify_query query = {
	    .records = q->records,
	    .evidence = q->evidence,
	    .user = q->filter.user,
	    .since = q->filter.since,
	    .json = q->json,
	};

	return verify_show(ctx, &query);
}

/* --- the command -----------------------------------------------------------
 */

static bool
parse_lines(const char *text, size_t *ret_lines)
{
	size_t n = 0;

	if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
		return false;
	for (; *text != '\0'; text++)
		if ((n = n * 10 + (size_t)(*text - '0')) > TRAIL_LINES_MAX)
			return false;
	*ret_lines = n;
	return n > 0;
}

static bool
parse(const struct args *args, struct query *q)
{
	const char *since = args->option[OPT_SINCE];
	const char *lines = args->option[OPT_LINES];

	*q = (struct query){.json = args_flag(args, OPT_JSON),
	    .verify = args_flag(args, OPT_VERIFY),
	    .filter = {.user = args->operand[0], .lines = TRAIL_LINES_MAX}};
	if (q->verify && lines != NULL) {
		out_error("--verify looks at every record; --since chooses");
		return false;
	}
	if (!q->verify && args_flag(args, OPT_EVIDENCE)) {
		out_error("--evidence is for --verify");
		return false;
	}
	if (lines != NULL && !parse_lines(lines, &q->filter.lines)) {
		out_error("--lines is a number from 1 to %zu", TRAIL_LINES_MAX);
		return false;
	}
	if (since == NULL)
		return true;
	q->filter.since = q->since;
	if (when_parse(since, time(NULL), q->since))
		return true;
	out_error("--since is a day (2026-11-22), a time "
		  "(2026-11-22T10:00:00Z), \"today\", or so long ago: 15m, "
		  "1h, 2d, 3w");
	return false;
}

/* The files that an option names, or the one of the configuration. */
static bool
choose(struct query *q, struct csign_ctx *ctx, const struct args *args,
    enum cmd_option option, const char *key, struct trail_source *ret_source,
    const char *named[COMMAND_VALUES_MAX])
{
	const char *path = NULL;
	size_t n = 0;

	for (; (path = args_value(args, option, n)) != NULL; n++)
		named[n] = path;
	*ret_source = (struct trail_source){.named = named, .n = n};
	if (n > 0)
		return true;
	path = csign_ctx_setting(ctx, key);
	if (path == NULL || path[0] == '\0')
		return false;
	/* The context keeps one value at a time. */
	ret_source->configured = q->configured[option == OPT_EVIDENCE] =
	    strdup(path);
	return ret_source->configured != NULL;
}

static enum out_status
show_or_verify(struct query *q, struct csign_ctx *ctx, const struct args *args)
{
	const char *files[COMMAND_VALUES_MAX], *evidence[COMMAND_VALUES_MAX];

	if (!choose(q, ctx, args, OPT_FILE, "audit_file", &q->records, files)) {
		out_error(
		    "audit_file is none: the records are in the "
		    "system's log; \"journalctl -o cat -t countersign _UID=0\" "
		    "prints them, and --file reads them");
		return STATUS_TROUBLE;
	}
	if (!q->verify)
		return show(q, args_flag(args, OPT_LINES));
	if (!choose(q, ctx, args, OPT_EVIDENCE, "evidence_file", &q->evidence,
		evidence)) {
		out_error("out of memory");
		return STATUS_TROUBLE;
	}
	return verify(ctx, q);
}

/*
 * Files that are all named can be looked at where there is no host, too; only
 * whose a key is, the host would know.
 */
static enum csign_err
get_context(
    const struct args *args, const struct query *q, struct csign_ctx **ret_ctx)
{
	enum csign_err err;

	if (args->option[OPT_CONFIG] != NULL || !args_flag(args, OPT_FILE) ||
	    (q->verify && !args_flag(args, OPT_EVIDENCE)))
		return common_context(args, ret_ctx);
	if ((err = csign_ctx_new(NULL, ret_ctx)) != CSIGN_OK) {
		out_error("%s", csign_err_text(err));
		return err;
	}
	(void)!csign_ctx_load(*ret_ctx, NULL, NULL);
	return CSIGN_OK;
}

enum out_status
cmd_log(const struct args *args)
{
	struct csign_ctx *ctx = NULL;
	enum out_status status;
	enum csign_err err;
	struct query q;

	if (!parse(args, &q))
		return STATUS_USAGE;
	if ((err = get_context(args, &q, &ctx)) != CSIGN_OK)
		return out_status(err);
	status = show_or_verify(&q, ctx, args);
	free(q.configured[0]);
	free(q.configured[1]);
	csign_ctx_free(&ctx);
	return status;
}
