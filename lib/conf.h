/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "key = value" files: one table says what there is, one parser reads it.
 * countersign.conf(5) and countersignd.conf(5) are both read by it.
 *
 * A line is empty, a comment (first character #), "[section]" where the table
 * allows sections, or "key = value".  White space around key and value does
 * not count; a value has no quotes and no comment behind it.  Unknown or
 * repeated keys (in one section), empty or malformed values, NUL, controls,
 * bytes that are not UTF-8 and lines over 1,024 bytes are errors with
 * "file:line: reason".
 */
#ifndef CSIGN_CONF_H
#define CSIGN_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "countersign.h"
#include "why.h"

enum csign_conf_type {
	CSIGN_CONF_TEXT, /* char *: min to max bytes */
	CSIGN_CONF_PATH, /* char *: absolute, no "." or ".." component */
	CSIGN_CONF_PATH_OR_NONE, /* char *: the same, or NULL for "none" */
	CSIGN_CONF_U32,          /* uint32_t: min to max */
	CSIGN_CONF_BOOL,         /* bool: yes or no */
	CSIGN_CONF_CHOICE,       /* uint32_t: index of the word in words */
	CSIGN_CONF_WORDS,   /* char *: min to max words, one space between */
	CSIGN_CONF_SET,     /* uint32_t: bit i for each word of words */
	CSIGN_CONF_RETIRED, /* accepted without effect */
};

struct csign_conf_key {
	const char *name;
	enum csign_conf_type type;
	bool in_section; /* may also stand in a section */
	size_t offset;   /* of the member in the settings struct */
	uint32_t min, max;
	const char *const *words; /* NULL-terminated */
	const char *def;          /* parsed like a value; NULL: zero or NULL */
	/* A further rule for one value; says why and returns an error. */
	enum csign_err (*check)(const char *value, struct csign_why *why);
};

struct csign_conf_table {
	const struct csign_conf_key *keys; /* sorted by name */
	size_t n_keys;
	size_t settings_size;
	bool sections;
};

/*
 * Parses text into settings (zeroed by the caller).  section: whose values
 * win over those at the top, NULL for none; sections of other names are
 * checked all the same.  report, if not NULL, gets every finding; why gets the
 * first and the number of others.  On any finding CSIGN_E_CONFIG, and settings
 * must only be cleared.
 */
CSIGN_WUR enum csign_err csign_conf_parse(const struct csign_conf_table *table,
    const char *file, const char *text, size_t len, const char *section,
    void *settings, struct csign_why *why,
    void (*report)(void *arg, const char *finding), void *arg);
/* Frees the strings in settings and zeroes it. */
void csign_conf_clear(const struct csign_conf_table *table, void *settings);
/* The line on which the top of the file sets a key; 0 if it does not. */
unsigned csign_conf_line(const char *text, size_t len, const char *key);
/* The value of a key as text into out, "" if it is not set; CSIGN_E_NOT_FOUND,
 * CSIGN_E_TOO_LONG. */
CSIGN_WUR enum csign_err csign_conf_value(const struct csign_conf_table *table,
    const void *settings, const char *key, char *out, size_t out_size);

#endif
