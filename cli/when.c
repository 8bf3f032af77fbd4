/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "when.h"

#define AGO_DIGITS 6

/*
 * Reads text by a pattern in which Y, M, D, h, m, s are digits of that field
 * and everything else is itself; returns what is left of text, NULL if it is
 * not like that.  The fields are as written: tm_year 2026, tm_mon 11.
 */
static const char *
scan(const char *text, const char *pattern, struct tm *tm)
{
	for (; *pattern != '\0'; pattern++, text++) {
		int *field = *pattern == 'Y'   ? &tm->tm_year
			     : *pattern == 'M' ? &tm->tm_mon
			     : *pattern == 'D' ? &tm->tm_mday
			     : *pattern == 'h' ? &tm->tm_hour
			     : *pattern == 'm' ? &tm->tm_min
			     : *pattern == 's' ? &tm->tm_sec
					       : NULL;

		if (field == NULL && *text != *pattern)
			return NULL;
		if (field == NULL)
			continue;
		if (!isdigit((unsigned char)*text))
			return NULL;
		*field = *field * 10 + (*text - '0');
	}
	return text;
}

/* Is there such a day and hour?  Then as struct tm counts. */
static bool
settle(struct tm *tm)
{
	static const int days[] = {
	    31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	tm->tm_mon--;
	tm->tm_year -= 1900;
	tm->tm_isdst = -1;
	return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 &&
	       tm->tm_mday <= days[tm->tm_mon] && tm->tm_hour < 24 &&
	       tm->tm_min < 60 && tm->tm_sec < 61;
}

/* "Z" or "+01:00" to seconds east of Greenwich. */
static bool
scan_offset(const char *text, long *ret_seconds)
{
	struct tm tm = {0};
	const char *end;

	*ret_seconds = 0;
	if (strcmp(text, "Z") == 0)
		return true;
	if (*text != '+' && *text != '-')
		return false;
	end = scan(text + 1, "hh:mm", &tm);
	if (end == NULL || *end != '\0' || tm.tm_hour > 23 || tm.tm_min > 59)
		return false;
	*ret_seconds = (tm.tm_hour * 60L + tm.tm_min) * 60L;
	if (*text == '-')
		*ret_seconds = -*ret_seconds;
	return true;
}

static bool
parse_date(const char *text, time_t *ret_time)
{
	struct tm tm = {0};
	const char *end = scan(text, "YYYY-MM-DD", &tm);

	if (end == NULL || *end != '\0' || !settle(&tm))
		return false;
	*ret_time = mktime(&tm);
	return *ret_time != (time_t)-1;
}

static bool
parse_rfc3339(const char *text, time_t *ret_time)
{
	struct tm tm = {0};
	const char *end = scan(text, "YYYY-MM-DDThh:mm:ss", &tm);
	long offset = 0;

	if (end == NULL || !settle(&tm) || !scan_offset(end, &offset))
		return false;
	*ret_time = timegm(&tm) - offset;
	return true;
}

/* "2d" before now */
static bool
parse_ago(const char *text, time_t now, time_t *ret_time)
{
	static const struct {
		char unit;
		time_t seconds;
	} units[] = {
	    {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	time_t n = 0;
	size_t digits = 0;

	for (; isdigit((unsigned char)*text) && digits < AGO_DIGITS; digits++)
		n = n * 10 + (*text++ - '0');
	if (digits == 0 || *text == '\0' || text[1] != '\0')
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (units[i].unit == *text) {
			*ret_time = now - n * units[i].seconds;
			return true;
		}
	}
	return false;
}

static bool
midnight(time_t now, time_t *ret_time)
{
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL)
		return false;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	*ret_time = mktime(&tm);
	return *ret_time != (time_t)-1;
}

bool
when_parse(const char *text, time_t now, char ret_when[WHEN_SIZE])
{
	struct tm tm;
	time_t when;

	if (strcmp(text, "today") == 0
		? !midnight(now, &when)
		: !parse_date(text, &when) && !parse_rfc3339(text, &when) &&
		      !parse_ago(text, now, &when))
		return false;
	return gmtime_r(&when, &tm) != NULL && tm.tm_year >= 0 &&
	       tm.tm_year < 9999 - 1900 &&
	       strftime(ret_when, WHEN_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) ==
		   WHEN_SIZE - 1;
}

bool
when_is(const char *text)
{
	struct tm tm = {0};
	const char *end = scan(text, "YYYY-MM-DDThh:mm:ssZ", &tm);

	return end != NULL && *end == '\0' && settle(&tm);
}

bool
when_read(const char *text, time_t *ret_time)
{
	return when_is(text) && parse_rfc3339(text, ret_time);
}
