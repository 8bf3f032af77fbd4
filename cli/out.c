/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "out.h"

struct out_table {
	size_t n_columns, n_rows;
	char **cells; /* n_rows * n_columns */
	int width[OUT_COLUMNS_MAX];
};

static const char *program = "countersign";

void
out_set_program(const char *name)
{
	program = name;
}

const char *
out_program(void)
{
	return program;
}

void
out_error(const char *fmt, ...)
{
	va_list ap;

	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: ", program);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

enum out_status
out_status(enum csign_err err)
{
	switch (err) {
	case CSIGN_OK:
		return STATUS_YES;
		CSIGN_ERR_ANSWER_LIST(CSIGN_ERR_CASE)
		CSIGN_ERR_PROOF_LIST(CSIGN_ERR_CASE)
		CSIGN_ERR_WHO_LIST(CSIGN_ERR_CASE)
	case CSIGN_E_NOT_FOUND:
	case CSIGN_E_EXISTS:
	case CSIGN_E_LAST_DEVICE:
	case CSIGN_E_TOO_LONG:
		return STATUS_NO;
	case CSIGN_E_INVALID:
		return STATUS_USAGE;
	case CSIGN_E_SERVICE:
	case CSIGN_E_SERVICE_REFUSED:
	case CSIGN_E_COURIER:
	case CSIGN_E_CONFIG:
	case CSIGN_E_FILE:
	case CSIGN_E_DEVICES:
	case CSIGN_E_STATE:
	case CSIGN_E_AUDIT:
	case CSIGN_E_CLOCK:
	case CSIGN_E_RANDOM:
	case CSIGN_E_CRYPTO:
	case CSIGN_E_SYSTEM:
	case CSIGN_E_CUT:
	case CSIGN_E_QR:
	case CSIGN_E_NOMEM:
	case CSIGN_E_FORMAT:
	case CSIGN_E_INTERNAL:
	case CSIGN_E_BASE:
		break;
	}
	return STATUS_TROUBLE;
}

/*
 * Printable, says the C library of these, too: what turns the order of a line
 * around, or cannot be seen.
 */
static bool
is_hidden(wchar_t wc)
{
	return wc == 0xad || wc == 0x61c || (wc >= 0x200b && wc <= 0x200f) ||
	       (wc >= 0x2028 && wc <= 0x202e) ||
	       (wc >= 0x2060 && wc <= 0x206f) || wc == 0xfeff ||
	       (wc >= 0xe0000 && wc <= 0xe0fff);
}

/* A copy without anything that a terminal could obey. */
static char *
printable(const char *text)
{
	char *copy = strdup(text);
	mbstate_t state = {0};
	wchar_t wc;

	for (size_t i = 0; copy != NULL && copy[i] != '\0';) {
		size_t n = mbrtowc(&wc, copy + i, MB_CUR_MAX, &state);

		if (n == (size_t)-1 || n == (size_t)-2) {
			/* not of this locale: ASCII or nothing */
			state = (mbstate_t){0};
			copy[i++] = '?';
		} else if (iswprint((wint_t)wc) && !is_hidden(wc)) {
			i += n;
		} else {
			while (n-- > 0)
				copy[i++] = '?';
		}
	}
	return copy;
}

static int
columns_of(const char *text)
{
	wchar_t wide[1024];
	size_t n = mbstowcs(wide, text, sizeof wide / sizeof wide[0]);
	int width;

	if (n == (size_t)-1 || n >= sizeof wide / sizeof wide[0])
		return (int)strnlen(text, 4096);
	width = wcswidth(wide, n);
	return width < 0 ? (int)n : width;
}

struct out_table *
out_table_new(size_t n_columns, const char *const *heads)
{
	struct out_table *table = calloc(1, sizeof *table);

	if (table == NULL)
		return NULL;
	table->n_columns = n_columns;
	if (!out_table_row(table, heads))
		out_table_free(&table);
	return table;
}

bool
out_table_row(struct out_table *table, const char *const *cells)
{
	size_t n = table->n_rows * table->n_columns;
	char **more = reallocarray(
	    table->cells, n + table->n_columns, sizeof *table->cells);

	if (more == NULL)
		return false;
	table->cells = more;
	for (size_t i = 0; i < table->n_columns; i++)
		more[n + i] = NULL;
	table->n_rows++;
	for (size_t i = 0; i < table->n_columns; i++) {
		int width;

		if ((more[n + i] = printable(cells[i])) == NULL)
			return false;
		width = columns_of(more[n + i]);
		if (width > table->width[i])
			table->width[i] = width;
	}
	return true;
}

size_t
out_table_rows(const struct out_table *table)
{
	return table->n_rows - 1;
}

void
out_table_print(const struct out_table *table)
{
	for (size_t row = 0; row < table->n_rows; row++) {
		for (size_t i = 0; i < table->n_columns; i++) {
			const char *cell =
			    table->cells[row * table->n_columns + i];
			bool last = i + 1 == table->n_columns;

			(void)printf("%s%*s%s", cell,
			    last ? 0 : table->width[i] - columns_of(cell), "",
			    last ? "\n" : "  ");
		}
	}
}

void
out_table_free(struct out_table **table)
{
	struct out_table *t = *table;

	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_rows * t->n_columns; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
	*table = NULL;
}

bool
out_json_add(struct json_object *o, const char *name, struct json_object *value)
{
	if (o != NULL && json_object_object_add(o, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

bool
out_json_str(struct json_object *o, const char *name, const char *value)
{
	struct json_object *str = NULL;

	if (value != NULL && (str = json_object_new_string(value)) == NULL)
		return false;
	return out_json_add(o, name, str);
}

bool
out_json_bool(struct json_object *o, const char *name, bool value)
{
	struct json_object *b = json_object_new_boolean(value);

	return b != NULL && out_json_add(o, name, b);
}

/*
 * json-c escapes the controls below space.  DEL and the C1 controls, which are
 * c2 80 to c2 9f and stand only in strings, are left: "\u009b".
 */
static void
put_json(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		unsigned char byte = (unsigned char)*c;
		unsigned char next = (unsigned char)c[1];

		if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {
			(void)printf("\\u%04x", next);
			c++;
		} else if (byte == 0x7f) {
			(void)printf("\\u007f");
		} else {
			(void)putchar(byte);
		}
	}
	(void)putchar('\n');
}

void
out_json_print(struct json_object *o)
{
	put_json(json_object_to_json_string_ext(
	    o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void
out_json_line(struct json_object *o)
{
	put_json(json_object_to_json_string_ext(
	    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void
out_device_id(const char *id, char out[20])
{
	size_t n = strlen(id), at = 0;

	for (size_t i = 0; i < n && at < 19; i++) {
		if (n == 16 && i > 0 && i % 4 == 0)
			out[at++] = '-';
		out[at++] = id[i];
	}
	out[at] = '\0';
}

bool
out_flush(void)
{
	return fflush(stdout) == 0 && ferror(stdout) == 0;
}
