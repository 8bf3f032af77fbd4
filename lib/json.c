/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json-c, even when it is strict, lets pass what two readers can understand in
 * two ways: repeated names, single quotes, NaN, raw controls, lone surrogates,
 * numbers that it rounds.  So the grammar of RFC 8259 is walked first, and
 * json-c only builds the tree of what is left.
 */
#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "text.h"

struct scan {
	struct csign_rd rd;
	unsigned int depth;
	size_t members; /* of everything so far */
};

/* The next byte, now read; 0, which is good nowhere, at the end. */
static int
next(struct scan *s)
{
	return csign_rd_u8(&s->rd);
}

/* The next byte, still to be read; 0 at the end. */
static int
peek(const struct scan *s)
{
	return s->rd.left > 0 ? s->rd.at[0] : 0;
}

static bool
take(struct scan *s, int c)
{
	if (s->rd.left == 0 || peek(s) != c)
		return false;
	(void)next(s);
	return true;
}

static void
skip_space(struct scan *s)
{
	while (take(s, ' ') || take(s, '\t') || take(s, '\n') || take(s, '\r'))
		continue;
}

static bool
scan_word(struct scan *s, const char *word)
{
	for (; *word != '\0'; word++) {
		if (!take(s, *word))
			return false;
	}
	return true;
}

/* Four hexadecimal digits, or -1. */
static int
scan_hex4(struct scan *s)
{
	static const char hex[] = "0123456789abcdef";
	int value = 0;

	for (int i = 0; i < 4; i++) {
		int c = next(s);
		const char *p;

		if (c >= 'A' && c <= 'F')
			c += 'a' - 'A';
		if (c == 0 || (p = strchr(hex, c)) == NULL)
			return -1;
		value = value * 16 + (int)(p - hex);
	}
	return value;
}

/* Behind "\u": no NUL, and surrogates only as a pair. */
static bool
scan_unicode(struct scan *s)
{
	int c = scan_hex4(s);

	if (c <= 0 || (c >= 0xdc00 && c <= 0xdfff))
		return false;
	if (c < 0xd800 || c > 0xdbff)
		return true;
	if (!scan_word(s, "\\u"))
		return false;
	c = scan_hex4(s);
	return c >= 0xdc00 && c <= 0xdfff;
}

static bool
scan_string(struct scan *s)
{
	if (!take(s, '"'))
		return false;
	for (;;) {
		int c = next(s);

		if (c == '"')
			return true;
		if (c < 0x20) /* a raw control, or the end */
			return false;
		if (c != '\\')
			continue;
		if ((c = next(s)) == 0 || strchr("\"\\/bfnrtu", c) == NULL)
			return false;
		if (c == 'u' && !scan_unicode(s))
			return false;
	}
}

/* An integer of at most 2^53 - 1 either way, and no "-0". */
static bool
scan_number(struct scan *s)
{
	bool negative = take(s, '-');
	int64_t value = 0;

	if (take(s, '0'))
		return !negative;
	if (peek(s) < '1' || peek(s) > '9')
		return false;
	while (peek(s) >= '0' && peek(s) <= '9') {
		value = value * 10 + (next(s) - '0');
		if (value > CSIGN_JSON_INT_MAX)
			return false;
	}
	return true;
}

static bool scan_container(struct scan *s);

static bool
scan_value(struct scan *s)
{
	switch (peek(s)) {
	case '{':
	case '[':
		return scan_container(s);
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		return scan_number(s);
	}
}

static bool
scan_member(struct scan *s, bool named)
{
	skip_space(s);
	if (named) {
		if (!scan_string(s))
			return false;
		skip_space(s);
		if (!take(s, ':'))
			return false;
		skip_space(s);
	}
	if (!scan_value(s))
		return false;
	skip_space(s);
	return true;
}

/* An object or an array; as deep as CSIGN_JSON_DEPTH calls itself. */
static bool
scan_container(struct scan *s)
{
	bool named = next(s) == '{';
	int end = named ? '}' : ']';
	size_t members = 0;

	if (++s->depth > CSIGN_JSON_DEPTH)
		return false;
	skip_space(s);
	if (!take(s, end)) {
		do {
			if (++members > CSIGN_JSON_MEMBERS ||
			    ++s->members > CSIGN_JSON_MEMBERS_ALL ||
			    !scan_member(s, named))
				return false;
		} while (take(s, ','));
		if (!take(s, end))
			return false;
	}
	s->depth--;
	return true;
}

/* Finds the one object in text and how many members it has in all. */
static bool
scan(const void *text, size_t len, struct csign_rd *ret_object,
    size_t *ret_members)
{
	struct scan s = {.depth = 0};
	struct csign_rd object;

	if (!csign_utf8_valid(text, len))
		return false;
	csign_rd_init(&s.rd, text, len);
	skip_space(&s);
	object = s.rd;
	if (peek(&s) != '{' || !scan_container(&s))
		return false;
	object.left -= s.rd.left;
	skip_space(&s);
	if (!csign_rd_done(&s.rd))
		return false;
	*ret_object = object;
	*ret_members = s.members;
	return true;
}

static enum csign_err
build(const struct csign_rd *text, struct json_object **ret_object)
{
	struct json_tokener *tok = NULL;
	struct json_object *object = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	/* The scan has seen to the depth; json-c counts it otherwise. */
	if ((tok = json_tokener_new_ex(CSIGN_JSON_DEPTH + 2)) == NULL)
		return CSIGN_E_NOMEM;
	json_tokener_set_flags(
	    tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object =
	    json_tokener_parse_ex(tok, (const char *)text->at, (int)text->left);
	/* Of what the scan lets pass, only for want of memory. */
	if (object == NULL)
		r = CSIGN_E_NOMEM;
	else if (json_tokener_get_parse_end(tok) != text->left)
		r = CSIGN_E_INTERNAL;
	else
		r = CSIGN_OK;
	json_tokener_free(tok);
	if (r != CSIGN_OK) {
		json_object_put(object);
		return r;
	}
	*ret_object = object;
	return CSIGN_OK;
}

/* Members of value and of all below it. */
static size_t
count(struct json_object *value)
{
	size_t n = 0;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			n += 1 + count(member);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		size_t len = json_object_array_length(value);

		for (size_t i = 0; i < len; i++)
			n += 1 + count(json_object_array_get_idx(value, i));
	}
	return n;
}

enum csign_err
csign_json_parse(const void *text, size_t len, struct json_object **ret_object)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct json_object *object = NULL;
	struct csign_rd found;
	size_t members = 0;

	if (len > CSIGN_JSON_MAX)
		return CSIGN_E_TOO_LONG;
	if (!scan(text, len, &found, &members))
		return CSIGN_E_FORMAT;
	if ((r = build(&found, &object)) != CSIGN_OK)
		return r;
	/* json-c keeps the last of two members of one name, however the
	 * names are escaped: then the tree has fewer than the text. */
	if (count(object) != members) {
		json_object_put(object);
		return CSIGN_E_FORMAT;
	}
	*ret_object = object;
	return CSIGN_OK;
}

/* NULL if there is none of that type. */
static struct json_object *
member(struct json_object *object, const char *name, enum json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, type))
		return NULL;
	return value;
}

const char *
csign_json_str(struct json_object *object, const char *name, size_t max)
{
	struct json_object *value = member(object, name, json_type_string);
	const char *str = NULL;
	size_t len;

	if (value == NULL)
		return NULL;
	len = (size_t)json_object_get_string_len(value);
	str = json_object_get_string(value);
	if (str == NULL || len > max || strlen(str) != len)
		return NULL;
	return str;
}

bool
csign_json_int(struct json_object *object, const char *name, int64_t min,
    int64_t max, int64_t *ret_value)
{
	struct json_object *value = member(object, name, json_type_int);
	int64_t n;

	if (value == NULL)
		return false;
	n = json_object_get_int64(value);
	if (n < min || n > max)
		return false;
	*ret_value = n;
	return true;
}
