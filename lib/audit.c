/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>
#include <sys/resource.h>

#include "audit.h"
#include "audit_syslog.h"
#include "bounds.h"
#include "buf.h"
#include "clock.h"
#include "file.h"
#include "text.h"

/* A text of a record is cut to so many bytes, then to half, until all fit. */
#define TEXT_MAX 256
#define TEXT_MIN 16
#define CUT_MARK "..."

/* As much of text as max bytes allow without cutting a character in two. */
static size_t
cut_at(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len <= max)
		return len;
	for (len = max; len > 0 && max - len < 3; len--) {
		if (((unsigned char)text[len] & 0xc0) != 0x80)
			break;
	}
	return len;
}

/* ,"name":"text" */
static enum csign_err
put_text(struct csign_buf *out, const char *name, const char *text, size_t max)
{
	struct csign_buf *safe = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;
	size_t len = 0;

	if (text == NULL)
		return CSIGN_OK;
	len = cut_at(text, max);
	r = csign_buf_new((size_t)CSIGN_AUDIT_MAX * 2, &safe);
	if (r == CSIGN_OK)
		r = csign_text_safe(safe, text, len);
	if (r == CSIGN_OK && text[len] != '\0')
		r = csign_buf_put_str(safe, CUT_MARK);
	if (r == CSIGN_OK)
		r = csign_buf_putf(out, ",\"%s\":", name);
	if (r == CSIGN_OK)
		r = csign_text_json(
		    out, csign_buf_str(safe), csign_buf_len(safe));
	csign_buf_free(&safe);
	return r;
}

/* The texts of a record, each with its name; NULL is left out. */
static enum csign_err
put_texts(struct csign_buf *out, const struct csign_audit *a, size_t max)
{
	const struct {
		const char *name, *text;
	} texts[] = {
	    {"user", a->user},
	    {"service", a->service},
	    {"tty", a->tty},
	    {"rhost", a->rhost},
	    {"device", a->device},
	    {"deviceName", a->device_name},
	    {"choice", a->choice},
	    {"by", a->by},
	    {"replaces", a->replaces},
	    {"question", a->question},
	    {"config", a->config_hash},
	    {"evidence", a->evidence},
	    {"trouble", a->trouble},
	};
	enum csign_err r = CSIGN_OK;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		r = put_text(out, texts[i].name, texts[i].text, max);
		if (r != CSIGN_OK)
			break;
	}
	return r;
}

static enum csign_err
format(const struct csign_audit *a, size_t max, struct csign_buf *out)
{
	char when[CSIGN_TIME_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;
	uint64_t now = 0;

	if ((r = csign_clock_wall(&now)) != CSIGN_OK)
		return r;
	if ((r = csign_time_format(now / 1000, when)) != CSIGN_OK)
		return r;
	r = csign_buf_putf(out,
	    "{\"v\":1,\"time\":\"%s\",\"event\":\"%s\",\"result\":\"%s\","
	    "\"reason\":\"%s\"",
	    when, a->event, a->result, csign_err_name(a->reason));
	if (r == CSIGN_OK && a->uid >= 0)
		r = csign_buf_putf(out, ",\"uid\":%lld", (long long)a->uid);
	if (r == CSIGN_OK)
		r = put_texts(out, a, max);
	if (r == CSIGN_OK && a->codes_left != NULL)
		r = csign_buf_putf(out, ",\"codesLeft\":%s", a->codes_left);
	if (r == CSIGN_OK)
		r = csign_buf_putf(out,
		    ",\"flags\":%u,\"counter\":%u,\"latencyMs\":%u}", a->flags,
		    a->counter, a->latency_ms);
	return r;
}

/* What an administrator is woken by, in the terms of the system's log. */
static enum csign_log_level
level_of(const struct csign_audit *a)
{
	if (strcmp(a->result, "granted") == 0)
		return CSIGN_LOG_INFO;
	if (strcmp(a->result, "denied") == 0)
		return CSIGN_LOG_NOTICE;
	return CSIGN_LOG_WARNING;
}

/* The record is in the log; this is why it is nowhere else. */
static void
complain(const struct csign_why *why)
{
	struct csign_why line;

	csign_why_set(&line,
	    "the record before this one is not in the audit "
	    "file: %s",
	    why->text);
	(void)!csign_syslog_put(csign_syslog_addresses, CSIGN_LOG_ERR,
	    line.text, CSIGN_SYSLOG_BESIDE_MS, NULL);
}

/*
 * Who calls a set-id program brings his limits along, and shall not choose by
 * one that the file has no record of him.
 */
static bool
files_are_limited(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) != 0 ||
	       limit.rlim_cur != RLIM_INFINITY;
}

/* The file first: what it cannot take can be told to the log. */
static enum csign_err
deliver(const struct csign_settings *set, const struct csign_audit *record,
    const struct csign_buf *line, struct csign_why *why)
{
	enum csign_err file = CSIGN_E_NOT_FOUND, log = CSIGN_E_NOT_FOUND;
	struct csign_why log_why = {{'\0'}};

	if (set->audit_file != NULL)
		file = csign_file_append(set->audit_file, CSIGN_FILE_PUBLIC,
		    csign_buf_str(line), csign_buf_len(line), why);
	if (set->audit_syslog)
		log = csign_syslog_put(csign_syslog_addresses, level_of(record),
		    csign_buf_str(line),
		    file == CSIGN_OK ? CSIGN_SYSLOG_BESIDE_MS
				     : CSIGN_SYSLOG_ALONE_MS,
		    &log_why);
	if (file == CSIGN_OK)
		return CSIGN_OK;
	if (set->audit_file == NULL)
		csign_why_set(why, "%s", log_why.text);
	else if (log == CSIGN_OK) {
		complain(why);
		if (files_are_limited())
			return CSIGN_E_FILE;
	}
	return file == CSIGN_E_NOMEM && log != CSIGN_OK ? file : log;
}

enum csign_err
csign_audit_write(const struct csign_settings *set,
    const struct csign_audit *record, struct csign_why *why)
{
	struct csign_why own = {{'\0'}};
	enum csign_err r = CSIGN_E_TOO_LONG;
	struct csign_buf *line = NULL;

	/* One byte of the maximum is for the line's end. */
	if (csign_buf_new(CSIGN_AUDIT_MAX - 1, &line) != CSIGN_OK)
		return CSIGN_E_NOMEM;
	for (size_t max = TEXT_MAX; r == CSIGN_E_TOO_LONG && max >= TEXT_MIN;
	     max /= 2) {
		csign_buf_clear(line);
		r = format(record, max, line);
	}
	if (r == CSIGN_OK)
		r = deliver(set, record, line, &own);
	else
		csign_why_set(&own, "the record cannot be written down: %s",
		    csign_err_text(r));
	csign_buf_free(&line);
	if (r == CSIGN_OK)
		return CSIGN_OK;
	csign_why_set(why, "%s", own.text);
	return r == CSIGN_E_NOMEM ? r : CSIGN_E_AUDIT;
}
