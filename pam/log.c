/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <security/pam_ext.h>
#include <stdbool.h>
#include <string.h>
#include <syslog.h>

#include "log.h"

#define VALUE_MAX 256
#define PLAIN                                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/-"

static void
put(struct csign_line *line, const char *text)
{
	size_t room = sizeof(line->text) - 1 - line->len;
	size_t n = strnlen(text, room);

	memcpy(line->text + line->len, text, n);
	line->len += n;
	line->text[line->len] = '\0';
}

static void
put_byte(struct csign_line *line, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char plain[] = {(char)c, '\0'};
	char coded[] = {'\\', 'x', hex[c >> 4], hex[c & 15], '\0'};

	if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
		put(line, plain);
	else
		put(line, coded);
}

void
csign_line_add(struct csign_line *line, const char *key, const char *value)
{
	bool plain;

	if (value == NULL || value[0] == '\0')
		return;
	plain = value[strspn(value, PLAIN)] == '\0';
	if (line->len > 0)
		put(line, " ");
	put(line, key);
	put(line, plain ? "=" : "=\"");
	for (size_t i = 0; i < VALUE_MAX && value[i] != '\0'; i++)
		put_byte(line, (unsigned char)value[i]);
	put(line, plain ? "" : "\"");
}

void
csign_line_write(
    pam_handle_t *pamh, int priority, const struct csign_line *line)
{
	pam_syslog(pamh, priority, "%s", line->text);
}

void
csign_log_debug(void *pamh, enum csign_log_level level, const char *line)
{
	(void)level;
	pam_syslog(pamh, LOG_DEBUG, "%s", line);
}
