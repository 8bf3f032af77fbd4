/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "codec.h"
#include "http_head.h"

#define TOKEN                                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"       \
	"!#$%&'*+-.^_`|~"

static const char *const field_names[HTTP_N_FIELDS] = {
    [HTTP_AUTHORIZATION] = "Authorization",
    [HTTP_CONNECTION] = "Connection",
    [HTTP_CONTENT_LENGTH] = "Content-Length",
    [HTTP_CONTENT_TYPE] = "Content-Type",
    [HTTP_COOKIE] = "Cookie",
    [HTTP_EXPECT] = "Expect",
    [HTTP_FORWARDED_FOR] = "X-Forwarded-For",
    [HTTP_HOST] = "Host",
    [HTTP_IF_NONE_MATCH] = "If-None-Match",
    [HTTP_ORIGIN] = "Origin",
    [HTTP_TRANSFER_ENCODING] = "Transfer-Encoding",
};

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
    {"GET", HTTP_GET},
    {"HEAD", HTTP_HEAD},
    {"POST", HTTP_POST},
    {"PATCH", HTTP_PATCH},
    {"DELETE", HTTP_DELETE},
    {"OPTIONS", HTTP_OPTIONS},
};

/*
 * The line at *at, NUL-terminated, and *at behind it; NULL if it does not end
 * in CR LF or holds a control character.
 */
static char *
next_line(char **at, const char *end)
{
	char *line = *at;
	char *p;

	for (p = line; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\r')
			break;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return NULL;
	}
	if (end - p < 2 || p[1] != '\n')
		return NULL;
	*p = '\0';
	*at = p + 2;
	return line;
}

/* The word up to the next space, NUL-terminated; NULL if there is none. */
static char *
next_word(char **at)
{
	char *word = *at;
	char *space = strchr(word, ' ');

	if (space == NULL || space == word)
		return NULL;
	*space = '\0';
	*at = space + 1;
	return word;
}

static unsigned
read_request_line(char *line, struct http_head *head)
{
	char *method, *target, *p;
	size_t i;

	if ((method = next_word(&line)) == NULL ||
	    (target = next_word(&line)) == NULL ||
	    strspn(method, TOKEN) != strlen(method))
		return 400;
	if (strcmp(line, "HTTP/1.1") == 0)
		head->keep_alive = true;
	else if (strcmp(line, "HTTP/1.0") != 0)
		return strncmp(line, "HTTP/", 5) == 0 ? 505 : 400;
	for (i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (strcmp(method, methods[i].name) == 0)
			head->method = methods[i].method;
	for (p = target; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return 400;
	if (*target != '/')
		return 400;
	head->path = target;
	if ((p = strchr(target, '?')) != NULL) {
		*p = '\0';
		head->query = p + 1;
	}
	return 0;
}

static unsigned
read_field(char *line, struct http_head *head)
{
	char *colon = strchr(line, ':');
	char *value, *end;
	size_t i;

	if (colon == NULL || colon == line)
		return 400;
	*colon = '\0';
	if (strspn(line, TOKEN) != strlen(line)) /* also folded lines */
		return 400;
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	for (i = 0; i < HTTP_N_FIELDS; i++) {
		if (strcasecmp(line, field_names[i]) != 0)
			continue;
		/* The last proxy is the nearest one; all others: only once. */
		if (head->field[i] != NULL && i != HTTP_FORWARDED_FOR)
			return 400;
		head->field[i] = value;
	}
	return 0;
}

/* Is word one of the comma-separated words of list? */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		list += strspn(list, ", \t");
		if (strncasecmp(list, word, len) == 0 &&
		    strchr(", \t", list[len]) != NULL)
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

static unsigned
read_meaning(struct http_head *head, size_t body_max)
{
	const char *length = head->field[HTTP_CONTENT_LENGTH];
	const char *connection = head->field[HTTP_CONNECTION];
	const char *expect = head->field[HTTP_EXPECT];
	uint32_t n = 0;

	/* HTTP/1.1 demands exactly one (RFC 9112 s.3.2). */
	if (head->keep_alive && head->field[HTTP_HOST] == NULL)
		return 400;
	if (head->field[HTTP_TRANSFER_ENCODING] != NULL)
		return 411;
	if (connection != NULL && has_word(connection, "close"))
		head->keep_alive = false;
	if (expect != NULL && strcasecmp(expect, "100-continue") != 0)
		return 417;
	head->expects_continue = expect != NULL;
	if (length == NULL)
		return 0;
	if (strlen(length) > 9 &&
	    strspn(length, "0123456789") == strlen(length))
		return 413;
	if (csign_parse_u32(length, 0, UINT32_MAX, &n) != CSIGN_OK)
		return 400;
	if (n > body_max)
		return 413;
	head->body_len = n;
	return 0;
}

unsigned
http_head_read(
    char *text, size_t len, size_t body_max, struct http_head *ret_head)
{
	struct http_head head;
	const char *end = text + len;
	char *line;
	unsigned status;

	memset(&head, 0, sizeof head);
	if ((line = next_line(&text, end)) == NULL)
		return 400;
	if ((status = read_request_line(line, &head)) != 0)
		return status;
	while ((line = next_line(&text, end)) != NULL && *line != '\0')
		if ((status = read_field(line, &head)) != 0)
			return status;
	if (line == NULL || text != end)
		return 400;
	if ((status = read_meaning(&head, body_max)) != 0)
		return status;
	*ret_head = head;
	return 0;
}
