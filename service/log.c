/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "text.h"

#define LINE_MAX_LEN 2048
#define PLAIN                                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"       \
	"_.:/@+-[],"

static enum csign_log_level log_level = CSIGN_LOG_INFO;

void
log_set_level(enum csign_log_level level)
{
	log_level = level;
}

static enum csign_err
put_value(struct csign_buf *line, const char *value)
{
	if (*value != '\0' && strspn(value, PLAIN) == strlen(value))
		return csign_buf_put_str(line, value);
	return csign_text_quote(line, value);
}

/* One write(2), so that lines of several processes do not mix. */
static void
put_line(const struct csign_buf *line)
{
	ssize_t n =
	    write(STDERR_FILENO, csign_buf_data(line), csign_buf_len(line));

	(void)n; /* there is nowhere to say that the log is gone */
}

void
log_pairs(enum csign_log_level level, const char *event, ...)
{
	struct csign_buf *line = NULL;
	const char *key, *value;
	va_list pairs;

	if (level > log_level || csign_buf_new(LINE_MAX_LEN, &line) != CSIGN_OK)
		return;
	va_start(pairs, event);
	if (csign_buf_putf(line, "<%d>event=%s", (int)level, event) != CSIGN_OK)
		goto out;
	while ((key = va_arg(pairs, const char *)) != NULL) {
		if ((value = va_arg(pairs, const char *)) == NULL)
			continue;
		/* A value that does not fit is left out, not the line. */
		if (csign_buf_putf(line, " %s=", key) != CSIGN_OK ||
		    put_value(line, value) != CSIGN_OK)
			break;
	}
	if (csign_buf_put_str(line, "\n") == CSIGN_OK)
		put_line(line);
out:
	va_end(pairs);
	csign_buf_free(&line);
}
