/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "buf.h"
#include "codec.h"
#include "conf.h"
#include "piece.h"
#include "text.h"

#define KEYS_MAX 64 /* one bit each in struct parser */
#define SECTIONS_MAX 64
#define SECTION_NAME_MAX 64

struct parser {
	const struct csign_conf_table *table;
	const char *file;
	unsigned line;
	const char *wanted; /* the section whose values count, or NULL */
	void *settings;
	struct csign_piece sections[SECTIONS_MAX]; /* names met so far */
	size_t n_sections;
	bool in_section, in_wanted;
	uint64_t seen; /* keys of this section, one bit each */
	/* findings */
	struct csign_why first;
	unsigned n_findings;
	bool nomem;
	void (*report)(void *arg, const char *finding);
	void *arg;
};

/* --- findings ------------------------------------------------------------- */

static void
found(struct parser *p, const char *what)
{
	struct csign_why why;

	csign_why_set(&why, "%s:%u: %s", p->file, p->line, what);
	if (p->report != NULL)
		p->report(p->arg, why.text);
	if (p->n_findings++ == 0)
		p->first = why;
}

static void
found_about(struct parser *p, const char *what, const char *name)
{
	struct csign_why why;

	csign_why_set(&why, "%s \"%.64s\"", what, name);
	found(p, why.text);
}

/* --- values --------------------------------------------------------------- */

static bool
plain_path(const char *value)
{
	const char *at = value;
	size_t len = 0;

	if (value[0] != '/')
		return false;
	while (*at != '\0') {
		/* One path for one file: two keys must not name the same. */
		if (*at == '/' && *++at == '/')
			return false;
		len = strcspn(at, "/");
		if ((len == 1 && at[0] == '.') ||
		    (len == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += len;
	}
	return true;
}

/* Words with one space between them; 0 if it is anything else. */
static uint32_t
count_words(const char *value)
{
	uint32_t n = 1;

	if (value[0] == ' ' || value[0] == '\0')
		return 0;
	for (const char *at = value; *at != '\0'; at++) {
		if (*at != ' ')
			continue;
		if (at[1] == ' ' || at[1] == '\0')
			return 0;
		n++;
	}
	return n;
}

static bool
find_word(const char *const *words, const char *at, size_t len, uint32_t *ret_i)
{
	const struct csign_piece word = {at, len};

	for (uint32_t i = 0; words[i] != NULL; i++) {
		if (csign_piece_is(&word, words[i])) {
			*ret_i = i;
			return true;
		}
	}
	return false;
}

static bool
parse_set(const char *const *words, const char *value, uint32_t *ret_set)
{
	uint32_t set = 0, i = 0;
	const char *at = value;
	size_t len = 0;

	if (count_words(value) == 0)
		return false;
	for (;;) {
		len = strcspn(at, " ");
		if (!find_word(words, at, len, &i) || i >= 32 ||
		    (set & UINT32_C(1) << i) != 0)
			return false;
		set |= UINT32_C(1) << i;
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
	*ret_set = set;
	return true;
}

/* "a, b or c", for a message. */
static void
list_words(const char *const *words, struct csign_why *why)
{
	struct csign_why list = {{'\0'}};

	for (size_t i = 0; words[i] != NULL; i++) {
		struct csign_why before = list;
		const char *link = ", ";

		if (i == 0)
			link = "";
		else if (words[i + 1] == NULL)
			link = " or ";
		csign_why_set(&list, "%s%s%s", before.text, link, words[i]);
	}
	csign_why_set(why, "must be %s", list.text);
}

/* A value before it is put into the settings. */
struct value {
	const char *text;
	uint32_t number;
};

static enum csign_err
parse_number(
    const struct csign_conf_key *key, struct value *v, struct csign_why *why)
{
	enum csign_err r =
	    csign_parse_u32(v->text, key->min, key->max, &v->number);

	if (r != CSIGN_OK)
		csign_why_set(
		    why, "must be a number from %u to %u", key->min, key->max);
	return r;
}

/* A file that there need not be. */
static bool
is_none(const struct csign_conf_key *key, const char *value)
{
	return key->type == CSIGN_CONF_PATH_OR_NONE &&
	       strcmp(value, "none") == 0;
}

static enum csign_err
parse_text(const struct csign_conf_key *key, const struct value *v,
    struct csign_why *why)
{
	size_t len = strlen(v->text);
	uint32_t n = 0;

	switch (key->type) {
	case CSIGN_CONF_PATH:
	case CSIGN_CONF_PATH_OR_NONE:
		if (plain_path(v->text) || is_none(key, v->text))
			return CSIGN_OK;
		csign_why_set(why,
		    "must be an absolute path without \"//\", \".\" and "
		    "\"..\"%s",
		    key->type == CSIGN_CONF_PATH ? "" : ", or none");
		return CSIGN_E_CONFIG;
	case CSIGN_CONF_WORDS:
		n = count_words(v->text);
		if (n >= key->min && n <= key->max && n > 0)
			return CSIGN_OK;
		csign_why_set(why,
		    "must be %u to %u words with one space between", key->min,
		    key->max);
		return CSIGN_E_CONFIG;
	case CSIGN_CONF_TEXT:
	case CSIGN_CONF_U32:
	case CSIGN_CONF_BOOL:
	case CSIGN_CONF_CHOICE:
	case CSIGN_CONF_SET:
	case CSIGN_CONF_RETIRED:
		break;
	}
	if (len >= key->min && len <= key->max)
		return CSIGN_OK;
	csign_why_set(why, "must have %u to %u bytes", key->min, key->max);
	return CSIGN_E_CONFIG;
}

static enum csign_err
parse_value(
    const struct csign_conf_key *key, struct value *v, struct csign_why *why)
{
	static const char *const yes_no[] = {"no", "yes", NULL};
	const char *const *words = key->words;

	switch (key->type) {
	case CSIGN_CONF_U32:
		return parse_number(key, v, why);
	case CSIGN_CONF_BOOL:
		words = yes_no;
		__attribute__((fallthrough));
	case CSIGN_CONF_CHOICE:
		if (find_word(words, v->text, strlen(v->text), &v->number))
			return CSIGN_OK;
		list_words(words, why);
		return CSIGN_E_CONFIG;
	case CSIGN_CONF_SET:
		if (parse_set(words, v->text, &v->number))
			return CSIGN_OK;
		list_words(words, why);
		return CSIGN_E_CONFIG;
	case CSIGN_CONF_TEXT:
	case CSIGN_CONF_PATH:
	case CSIGN_CONF_PATH_OR_NONE:
	case CSIGN_CONF_WORDS:
		return parse_text(key, v, why);
	case CSIGN_CONF_RETIRED:
		return CSIGN_OK;
	}
	return CSIGN_E_INTERNAL;
}

static enum csign_err
check_value(
    const struct csign_conf_key *key, struct value *v, struct csign_why *why)
{
	enum csign_err r = parse_value(key, v, why);

	if (r == CSIGN_OK && key->check != NULL)
		r = key->check(v->text, why);
	return r;
}

static bool
is_string(enum csign_conf_type type)
{
	return type == CSIGN_CONF_TEXT || type == CSIGN_CONF_PATH ||
	       type == CSIGN_CONF_PATH_OR_NONE || type == CSIGN_CONF_WORDS;
}

/* The member of the settings that belongs to the key. */
static void *
member(const struct csign_conf_key *key, void *settings)
{
	return (char *)settings + key->offset;
}

static const void *
const_member(const struct csign_conf_key *key, const void *settings)
{
	return (const char *)settings + key->offset;
}

static enum csign_err
store_text(char **text, const char *value)
{
	char *copy = value == NULL ? NULL : strdup(value);

	if (value != NULL && copy == NULL)
		return CSIGN_E_NOMEM;
	free(*text);
	*text = copy;
	return CSIGN_OK;
}

static enum csign_err
store_value(
    const struct csign_conf_key *key, const struct value *v, void *settings)
{
	uint32_t *number = NULL;
	bool *flag = NULL;

	if (key->type == CSIGN_CONF_RETIRED)
		return CSIGN_OK;
	if (is_string(key->type))
		return store_text(member(key, settings),
		    is_none(key, v->text) ? NULL : v->text);
	if (key->type == CSIGN_CONF_BOOL) {
		flag = member(key, settings);
		*flag = v->number != 0;
	} else {
		number = member(key, settings);
		*number = v->number;
	}
	return CSIGN_OK;
}

static enum csign_err
store_defaults(const struct csign_conf_table *table, void *settings)
{
	enum csign_err r = CSIGN_OK;
	struct value v;

	for (size_t i = 0; i < table->n_keys && r == CSIGN_OK; i++) {
		v.text = table->keys[i].def;
		v.number = 0;
		if (v.text == NULL)
			continue;
		r = check_value(&table->keys[i], &v, NULL);
		if (r != CSIGN_OK)
			return CSIGN_E_INTERNAL;
		r = store_value(&table->keys[i], &v, settings);
	}
	return r;
}

/* --- lines ---------------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
trim(struct csign_piece *s)
{
	while (s->len > 0 && is_blank(s->at[0])) {
		s->at++;
		s->len--;
	}
	while (s->len > 0 && is_blank(s->at[s->len - 1]))
		s->len--;
}

/* Nothing that an editor would not show: not even in a comment. */
static const char *
bad_bytes(const struct csign_piece *line)
{
	const unsigned char *at = (const unsigned char *)line->at;

	if (line->len > CSIGN_CONF_LINE_MAX)
		return "the line is too long";
	if (!csign_utf8_valid(line->at, line->len))
		return "the line is not UTF-8";
	for (size_t i = 0; i < line->len; i++) {
		if (at[i] == '\r' && i + 1 == line->len)
			return "the line ends in a carriage return";
		if ((at[i] < 0x20 && at[i] != '\t') || at[i] == 0x7f)
			return "the line has a control character";
		if (at[i] == 0xc2 && at[i + 1] < 0xa0)
			return "the line has a control character";
	}
	return NULL;
}

/*
 * Names of PAM services are lower case: libpam makes them so, and a section
 * with another name would never apply.
 */
static bool
section_name_ok(const struct csign_piece *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";

	if (name->len == 0 || name->len > SECTION_NAME_MAX)
		return false;
	for (size_t i = 0; i < name->len; i++) {
		if (memchr(allowed, name->at[i], sizeof(allowed) - 1) == NULL)
			return false;
	}
	return true;
}

static void
read_section(struct parser *p, const struct csign_piece *line)
{
	struct csign_piece name = {line->at + 1, line->len - 2};

	/* What follows belongs to no section that counts, if this is none. */
	p->in_section = true;
	p->in_wanted = false;
	p->seen = 0;
	if (!p->table->sections) {
		found(p, "there are no sections in this file");
		return;
	}
	if (line->at[line->len - 1] != ']' || !section_name_ok(&name)) {
		found(p,
		    "a section is [name], of a-z, 0-9, \"_\", \".\" and \"-\"");
		return;
	}
	for (size_t i = 0; i < p->n_sections; i++) {
		if (csign_piece_same(&p->sections[i], &name)) {
			found(p, "this section was there before");
			return;
		}
	}
	if (p->n_sections == SECTIONS_MAX) {
		found(p, "there are too many sections");
		return;
	}
	p->sections[p->n_sections++] = name;
	p->in_wanted = p->wanted != NULL && csign_piece_is(&name, p->wanted);
}

static const struct csign_conf_key *
find_key(const struct csign_conf_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_keys; i++) {
		if (strcmp(table->keys[i].name, name) == 0)
			return &table->keys[i];
	}
	return NULL;
}

/* Both are texts of their own by now, not longer than a line. */
static void
read_setting(struct parser *p, const char *name, const char *text)
{
	const struct csign_conf_key *key = find_key(p->table, name);
	struct value v = {text, 0};
	struct csign_why why, whole;
	uint64_t bit = 0;

	if (key == NULL) {
		found_about(p, "there is no setting", name);
		return;
	}
	if (p->in_section && !key->in_section) {
		found_about(p, "not allowed in a section:", name);
		return;
	}
	bit = UINT64_C(1) << (key - p->table->keys);
	if ((p->seen & bit) != 0) {
		found_about(p, "set twice:", name);
		return;
	}
	p->seen |= bit;
	if (text[0] == '\0') {
		found_about(p, "no value for", name);
		return;
	}
	csign_why_set(&why, "is not valid");
	if (strchr(text, '\t') != NULL) {
		csign_why_set(&why, "has a tab in its value");
	} else if (check_value(key, &v, &why) == CSIGN_OK) {
		if ((!p->in_section || p->in_wanted) &&
		    store_value(key, &v, p->settings) != CSIGN_OK)
			p->nomem = true;
		return;
	}
	csign_why_set(&whole, "%s %s, not \"%.64s\"", name, why.text, text);
	found(p, whole.text);
}

static void
read_line(struct parser *p, struct csign_piece line)
{
	char name[CSIGN_CONF_LINE_MAX + 1], text[CSIGN_CONF_LINE_MAX + 1];
	const char *bad = bad_bytes(&line);
	struct csign_piece key, value;
	const char *equals = NULL;

	if (bad != NULL) {
		found(p, bad);
		return;
	}
	trim(&line);
	if (line.len == 0 || line.at[0] == '#')
		return;
	if (line.at[0] == '[') {
		read_section(p, &line);
		return;
	}
	equals = memchr(line.at, '=', line.len);
	if (equals == NULL || equals == line.at) {
		found(p, "the line is not \"key = value\"");
		return;
	}
	key.at = line.at;
	key.len = (size_t)(equals - line.at);
	value.at = equals + 1;
	value.len = line.len - key.len - 1;
	trim(&key);
	trim(&value);
	if (!csign_piece_copy(&key, name, sizeof(name)) ||
	    !csign_piece_copy(&value, text, sizeof(text)))
		found(p, "the line is too long");
	else
		read_setting(p, name, text);
}

static void
read_lines(struct parser *p, const char *text, size_t len)
{
	struct csign_piece rest = {text, len}, line;
	bool ended = false;

	while (csign_piece_line(&rest, &line, &ended)) {
		p->line++;
		read_line(p, line);
	}
}

/* --- the interface -------------------------------------------------------- */

enum csign_err
csign_conf_parse(const struct csign_conf_table *table, const char *file,
    const char *text, size_t len, const char *section, void *settings,
    struct csign_why *why, void (*report)(void *arg, const char *finding),
    void *arg)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct parser p = {
	    .table = table,
	    .file = file,
	    .wanted = section,
	    .settings = settings,
	    .report = report,
	    .arg = arg,
	};

	if (table->n_keys > KEYS_MAX)
		return CSIGN_E_INTERNAL;
	if ((r = store_defaults(table, settings)) != CSIGN_OK)
		return r;
	read_lines(&p, text, len);
	if (p.nomem)
		return CSIGN_E_NOMEM;
	if (p.n_findings == 0)
		return CSIGN_OK;
	if (p.n_findings == 1)
		csign_why_set(why, "%s", p.first.text);
	else
		csign_why_set(
		    why, "%s (and %u more)", p.first.text, p.n_findings - 1);
	return CSIGN_E_CONFIG;
}

void
csign_conf_clear(const struct csign_conf_table *table, void *settings)
{
	char **text = NULL;

	for (size_t i = 0; i < table->n_keys; i++) {
		if (!is_string(table->keys[i].type))
			continue;
		text = member(&table->keys[i], settings);
		free(*text);
	}
	memset(settings, 0, table->settings_size);
}

unsigned
csign_conf_line(const char *text, size_t len, const char *key)
{
	struct csign_piece rest = {text, len}, line, name;
	const struct csign_piece wanted = {key, strlen(key)};
	const char *equals = NULL;
	bool ended = false;
	unsigned n = 0;

	while (csign_piece_line(&rest, &line, &ended)) {
		n++;
		trim(&line);
		if (line.len > 0 && line.at[0] == '[')
			break;
		equals = line.len == 0 ? NULL : memchr(line.at, '=', line.len);
		if (equals == NULL)
			continue;
		name.at = line.at;
		name.len = (size_t)(equals - line.at);
		trim(&name);
		if (csign_piece_same(&name, &wanted))
			return n;
	}
	return 0;
}

static enum csign_err
copy_text(const char *text, char *out, size_t out_size)
{
	size_t len = strlen(text);

	if (len >= out_size)
		return CSIGN_E_TOO_LONG;
	memcpy(out, text, len + 1);
	return CSIGN_OK;
}

static enum csign_err
copy_set(const char *const *words, uint32_t set, char *out, size_t out_size)
{
	enum csign_err r = copy_text("", out, out_size);
	size_t used = 0;

	for (uint32_t i = 0; words[i] != NULL && r == CSIGN_OK; i++) {
		if ((set & UINT32_C(1) << i) == 0)
			continue;
		if (used > 0) {
			r = copy_text(" ", out + used, out_size - used);
			used++;
		}
		if (r == CSIGN_OK) {
			r = copy_text(words[i], out + used, out_size - used);
			used += strlen(words[i]);
		}
	}
	return r;
}

enum csign_err
csign_conf_value(const struct csign_conf_table *table, const void *settings,
    const char *key_name, char *out, size_t out_size)
{
	const struct csign_conf_key *key = find_key(table, key_name);
	const void *at = NULL;
	const char *const *text = NULL;
	const uint32_t *number = NULL;
	const bool *flag = NULL;
	char digits[16];

	if (key == NULL || key->type == CSIGN_CONF_RETIRED)
		return CSIGN_E_NOT_FOUND;
	at = const_member(key, settings);
	if (is_string(key->type)) {
		text = at;
		return copy_text(*text == NULL ? "" : *text, out, out_size);
	}
	if (key->type == CSIGN_CONF_BOOL) {
		flag = at;
		return copy_text(*flag ? "yes" : "no", out, out_size);
	}
	number = at;
	if (key->type == CSIGN_CONF_SET)
		return copy_set(key->words, *number, out, out_size);
	if (key->type == CSIGN_CONF_CHOICE)
		return copy_text(key->words[*number], out, out_size);
	/* No file can say so: it has no default and is not set. */
	if (*number < key->min)
		return copy_text("", out, out_size);
	(void)snprintf(digits, sizeof(digits), "%u", *number);
	return copy_text(digits, out, out_size);
}
