/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs say: messages on standard error, data on standard output.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"

/* The same for every command and every reason: EXIT STATUS in countersign(1).
 */
enum out_status {
	STATUS_YES = 0,     /* done, granted */
	STATUS_NO = 1,      /* denied, expired, refused, not found */
	STATUS_USAGE = 2,   /* called wrongly */
	STATUS_TROUBLE = 3, /* could not find out */
};

/* The name in front of messages; set once, first. */
void out_set_program(const char *name);
const char *out_program(void);

/* "countersign: ..." on standard error. */
void out_error(const char *fmt, ...) CSIGN_PRINTF(1, 2);
/* The exit status that an error of the library stands for. */
enum out_status out_status(enum csign_err err);

/*
 * A table: the columns as wide as they need to be, two spaces between, no
 * space at a line's end.
 */
#define OUT_COLUMNS_MAX 12
struct out_table;

struct out_table *out_table_new(size_t n_columns, const char *const *heads);
/* Copies the cells.  Controls in them are shown as "?".  False: no memory. */
bool out_table_row(struct out_table *table, const char *const *cells);
size_t out_table_rows(const struct out_table *table);
void out_table_print(const struct out_table *table);
void out_table_free(struct out_table **table);

/*
 * JSON for scripts.  The setters take an object that may be NULL (no memory)
 * and return false then; value NULL is null.
 */
bool out_json_str(struct json_object *o, const char *name, const char *value);
bool out_json_bool(struct json_object *o, const char *name, bool value);
/* Takes value over, also when it fails. */
bool out_json_add(
    struct json_object *o, const char *name, struct json_object *value);
/* Prints, without a byte that a terminal could obey, and frees. */
void out_json_print(struct json_object *o);
/* The same in one line, for a program that prints one object after the other.
 */
void out_json_line(struct json_object *o);

/* "4hx2k7q3m5rj6wza" -> "4hx2-k7q3-m5rj-6wza"; others as they are. */
void out_device_id(const char *id, char out[20]);
/* Nothing was lost on the way to standard output. */
bool out_flush(void);

#endif
