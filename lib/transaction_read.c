/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The phone's side of transaction.h.  A phone shows what it signs, so it
 * refuses whatever it does not know (countersign-security(7) UX-4).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "json.h"
#include "text.h"
#include "transaction.h"

/* The one order of the one set of members. */
static const char *const transaction_members[] = {"v", "kind", "host", "user",
    "uid", "service", "title", "details", "choices", "code", "nonce", "created",
    "lifetime"};
static const char *const content_members[] = {"transaction", "credentials"};

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

static bool
members_are(struct json_object *object, const char *const *names, size_t n)
{
	size_t i = 0;

	json_object_object_foreach(object, name, value)
	{
		(void)value;
		if (i == n || strcmp(name, names[i]) != 0)
			return false;
		i++;
	}
	return i == n;
}

/* A copy of a string of min to max characters. */
static enum csign_err
copy_text(struct json_object *object, const char *name, size_t min, size_t max,
    char **ret_text)
{
	const char *text = csign_json_str(object, name, CSIGN_TRANSACTION_MAX);
	size_t n;

	if (text == NULL)
		return CSIGN_E_FORMAT;
	n = csign_utf8_count(text, strlen(text));
	if (n < min || n > max)
		return CSIGN_E_FORMAT;
	return (*ret_text = strdup(text)) == NULL ? CSIGN_E_NOMEM : CSIGN_OK;
}

/* The same of an array's element. */
static enum csign_err
copy_element(struct json_object *array, size_t i, size_t min, size_t max,
    char **ret_text)
{
	struct json_object *value = json_object_array_get_idx(array, i);
	const char *text;
	size_t n;

	if (!json_object_is_type(value, json_type_string))
		return CSIGN_E_FORMAT;
	text = json_object_get_string(value);
	n = strlen(text);
	if (n != (size_t)json_object_get_string_len(value))
		return CSIGN_E_FORMAT;
	n = csign_utf8_count(text, n);
	if (n < min || n > max)
		return CSIGN_E_FORMAT;
	return (*ret_text = strdup(text)) == NULL ? CSIGN_E_NOMEM : CSIGN_OK;
}

/* A member that is an array of at most max elements; NULL otherwise. */
static struct json_object *
array_of(
    struct json_object *object, const char *name, size_t max, size_t *ret_n)
{
	struct json_object *array = json_object_object_get(object, name);

	if (!json_object_is_type(array, json_type_array))
		return NULL;
	*ret_n = json_object_array_length(array);
	return *ret_n <= max ? array : NULL;
}

static enum csign_err
read_detail(struct json_object *pair, struct csign_detail *detail)
{
	enum csign_err r;

	if (!json_object_is_type(pair, json_type_array) ||
	    json_object_array_length(pair) != 2)
		return CSIGN_E_FORMAT;
	if ((r = copy_element(pair, 0, 1, CSIGN_LABEL_MAX, &detail->label)) !=
	    CSIGN_OK)
		return r;
	return copy_element(pair, 1, 0, CSIGN_VALUE_MAX, &detail->value);
}

static enum csign_err
read_lists(struct json_object *object, struct csign_transaction *t)
{
	struct json_object *array;
	size_t n = 0;
	enum csign_err r;

	if ((array = array_of(object, "details", CSIGN_DETAILS_MAX, &n)) ==
	    NULL)
		return CSIGN_E_FORMAT;
	for (size_t i = 0; i < n; i++) {
		t->n_details = i + 1; /* so that half a pair is freed too */
		if ((r = read_detail(json_object_array_get_idx(array, i),
			 &t->details[i])) != CSIGN_OK)
			return r;
	}
	if ((array = array_of(object, "choices", CSIGN_CHOICES_MAX, &n)) ==
	    NULL)
		return CSIGN_E_FORMAT;
	for (size_t i = 0; i < n; i++) {
		if ((r = copy_element(array, i, 1, CSIGN_CHOICE_MAX,
			 &t->choices[i])) != CSIGN_OK)
			return r;
		t->n_choices = i + 1;
	}
	return CSIGN_OK;
}

static enum csign_err
read_numbers(struct json_object *object, struct csign_transaction *t)
{
	const char *kind = csign_json_str(object, "kind", CSIGN_LABEL_MAX);
	int64_t v = 0, uid = 0, lifetime = 0;

	if (!csign_json_int(object, "v", 1, 1, &v) || kind == NULL ||
	    !csign_json_int(object, "uid", 0, UINT32_MAX, &uid) ||
	    !csign_json_int(object, "lifetime", 0, UINT32_MAX, &lifetime))
		return CSIGN_E_FORMAT;
	if (strcmp(kind, "approval") != 0 && strcmp(kind, "enrolment") != 0)
		return CSIGN_E_FORMAT;
	t->enrolment = strcmp(kind, "enrolment") == 0;
	t->uid = (uint32_t)uid;
	t->lifetime = (uint32_t)lifetime;
	return CSIGN_OK;
}

static enum csign_err
read_texts(struct json_object *object, struct csign_transaction *t)
{
	enum csign_err r;

	if ((r = copy_text(object, "host", 1, CSIGN_HOST_MAX, &t->host)) !=
		CSIGN_OK ||
	    (r = copy_text(object, "user", 1, CSIGN_USER_MAX, &t->user)) !=
		CSIGN_OK ||
	    (r = copy_text(object, "service", 1, CSIGN_SERVICE_MAX,
		 &t->service)) != CSIGN_OK ||
	    (r = copy_text(object, "title", 1, CSIGN_TITLE_MAX, &t->title)) !=
		CSIGN_OK ||
	    (r = copy_text(object, "code", 1, CSIGN_LABEL_MAX, &t->code)) !=
		CSIGN_OK ||
	    (r = copy_text(object, "nonce", 1, CSIGN_CHALLENGE_SIZE,
		 &t->nonce)) != CSIGN_OK)
		return r;
	return copy_text(object, "created", 1, CSIGN_LABEL_MAX, &t->created);
}

enum csign_err
csign_transaction_read(
    const void *bytes, size_t len, struct csign_transaction *ret_t)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct json_object *object = NULL;
	struct csign_transaction t = {0};

	if (len > CSIGN_TRANSACTION_MAX)
		return CSIGN_E_FORMAT;
	if ((r = csign_json_parse(bytes, len, &object)) != CSIGN_OK)
		return r;
	if (!members_are(
		object, transaction_members, N_ELEMENTS(transaction_members))) {
		r = CSIGN_E_FORMAT;
		goto out;
	}
	if ((r = read_numbers(object, &t)) != CSIGN_OK ||
	    (r = read_texts(object, &t)) != CSIGN_OK ||
	    (r = read_lists(object, &t)) != CSIGN_OK)
		goto out;
	if (!csign_transaction_valid(&t)) {
		r = CSIGN_E_FORMAT;
		goto out;
	}
	*ret_t = t;
	memset(&t, 0, sizeof(t));
	r = CSIGN_OK;
out:
	csign_transaction_clear(&t);
	json_object_put(object);
	return r;
}

enum csign_err
csign_content_read(
    const void *content, size_t len, struct csign_buf *ret_transaction)
{
	enum csign_err r = CSIGN_E_FORMAT;
	unsigned char bytes[CSIGN_TRANSACTION_MAX];
	struct json_object *object = NULL;
	const char *text;
	size_t n = 0;

	if ((r = csign_json_parse(content, len, &object)) != CSIGN_OK)
		return r;
	text = csign_json_str(
	    object, "transaction", CSIGN_B64U_LEN(CSIGN_TRANSACTION_MAX));
	if (text == NULL ||
	    !members_are(
		object, content_members, N_ELEMENTS(content_members)) ||
	    csign_b64u_decode(text, strlen(text), bytes, sizeof(bytes), &n) !=
		CSIGN_OK) {
		r = CSIGN_E_FORMAT;
		goto out;
	}
	r = csign_buf_put(ret_transaction, bytes, n);
out:
	json_object_put(object);
	return r;
}
