/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calendar is computed here: gmtime_r(3) of glibc reads TZ and the file
 * that it names when it is called first (countersign-security(7) SYS-5).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "dir.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define DAY 86400
#define LAST_SECOND UINT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static enum csign_err
now(clockid_t id, uint64_t *ret_ms)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0 || ts.tv_sec < 0)
		return CSIGN_E_CLOCK;
	*ret_ms = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
	return CSIGN_OK;
}

enum csign_err
csign_clock_boot(uint64_t *ret_ms)
{
	return now(CLOCK_BOOTTIME, ret_ms);
}

enum csign_err
csign_clock_wall(uint64_t *ret_ms)
{
	return now(CLOCK_REALTIME, ret_ms);
}

bool
csign_boot_id_valid(const char *text)
{
	static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != sizeof(pattern) - 1)
		return false;
	for (size_t i = 0; i < sizeof(pattern) - 1; i++) {
		if (strchr("0123456789abcdef-", text[i]) == NULL ||
		    (pattern[i] == '-') != (text[i] == '-'))
			return false;
	}
	return true;
}

enum csign_err
csign_clock_boot_id(char out[CSIGN_BOOT_ID_SIZE])
{
	char text[CSIGN_BOOT_ID_SIZE + 1] = "";
	enum csign_err r = CSIGN_E_CLOCK;
	ssize_t n = 0;
	int fd = -1;

	fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		return CSIGN_E_CLOCK;
	/* The kernel gives it in one read. */
	do
		n = read(fd, text, CSIGN_BOOT_ID_SIZE);
	while (n < 0 && errno == EINTR);
	csign_close(&fd);
	if (n == CSIGN_BOOT_ID_SIZE && text[n - 1] == '\n') {
		text[n - 1] = '\0';
		if (csign_boot_id_valid(text)) {
			memcpy(out, text, CSIGN_BOOT_ID_SIZE);
			r = CSIGN_OK;
		}
	}
	return r;
}

static bool
leap(unsigned int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned int
days_of_month(unsigned int year, unsigned int month)
{
	static const unsigned char days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && leap(year) ? 1U : 0U);
}

/* Days from 1970-01-01 to the first of January of year. */
static unsigned int
days_before(unsigned int year)
{
	unsigned int y = year - 1;

	return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400);
}

enum csign_err
csign_time_format(uint64_t seconds, char out[CSIGN_TIME_SIZE])
{
	unsigned int days, second, year, month = 1;

	if (seconds > LAST_SECOND)
		return CSIGN_E_INVALID;
	days = (unsigned int)(seconds / DAY);
	second = (unsigned int)(seconds % DAY);
	/* At least the right year, or the one after it. */
	year = 1970 + days / 365;
	while (days_before(year) > days)
		year--;
	days -= days_before(year);
	while (days >= days_of_month(year, month))
		days -= days_of_month(year, month++);
	(void)snprintf(out, CSIGN_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ",
	    year % 10000, month % 100, (days + 1) % 100, second / 3600 % 100,
	    second / 60 % 60, second % 60);
	return CSIGN_OK;
}

/* The digits of text as far as the pattern has 'd' there. */
static unsigned int
digits(const char *text, size_t at, size_t n)
{
	unsigned int value = 0;

	for (size_t i = at; i < at + n; i++)
		value = value * 10 + (unsigned int)(text[i] - '0');
	return value;
}

enum csign_err
csign_time_parse(const char *text, uint64_t *ret_seconds)
{
	static const char pattern[] = "dddd-dd-ddTdd:dd:ddZ";
	unsigned int year, month, day, hour, minute, second, days;

	if (strlen(text) != sizeof(pattern) - 1)
		return CSIGN_E_FORMAT;
	for (size_t i = 0; i < sizeof(pattern) - 1; i++) {
		if (pattern[i] == 'd' ? text[i] < '0' || text[i] > '9'
				      : text[i] != pattern[i])
			return CSIGN_E_FORMAT;
	}
	year = digits(text, 0, 4);
	month = digits(text, 5, 2);
	day = digits(text, 8, 2);
	hour = digits(text, 11, 2);
	minute = digits(text, 14, 2);
	second = digits(text, 17, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > days_of_month(year, month) || hour > 23 || minute > 59 ||
	    second > 59)
		return CSIGN_E_FORMAT;
	days = days_before(year) + day - 1;
	for (unsigned int m = 1; m < month; m++)
		days += days_of_month(year, m);
	second += 3600 * hour + 60 * minute;
	*ret_seconds = (uint64_t)days * DAY + second;
	return CSIGN_OK;
}
