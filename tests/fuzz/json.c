/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON behind the strict scan: what is taken has one meaning, which survives
 * being written and read again, and keeps the limits of json.h.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "json.h"

static void
check_value(struct json_object *value, int depth, size_t *n)
{
	size_t own = 0;
	int64_t number;

	MUST(++*n <= CSIGN_JSON_MEMBERS_ALL + 1);
	switch (json_object_get_type(value)) {
	case json_type_object:
		MUST(depth < CSIGN_JSON_DEPTH);
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			MUST(++own <= CSIGN_JSON_MEMBERS);
			check_value(member, depth + 1, n);
		}
		break;
	case json_type_array:
		own = json_object_array_length(value);
		MUST(depth < CSIGN_JSON_DEPTH && own <= CSIGN_JSON_MEMBERS);
		for (size_t i = 0; i < own; i++)
			check_value(
			    json_object_array_get_idx(value, i), depth + 1, n);
		break;
	case json_type_string:
		MUST(strlen(json_object_get_string(value)) ==
		     (size_t)json_object_get_string_len(value));
		break;
	case json_type_int:
		number = json_object_get_int64(value);
		MUST(number >= -CSIGN_JSON_INT_MAX &&
		     number <= CSIGN_JSON_INT_MAX);
		break;
	case json_type_double:
		MUST(false);
		break;
	case json_type_null:
	case json_type_boolean:
		break;
	}
}

/* Without a scan before, json-c must have read the same. */
static void
check_again(struct json_object *object)
{
	const char *text =
	    json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	struct json_object *again = NULL;

	MUST(text != NULL);
	if (strlen(text) > CSIGN_JSON_MAX)
		return;
	MUST(csign_json_parse(text, strlen(text), &again) == CSIGN_OK);
	MUST(json_object_equal(object, again));
	json_object_put(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *object = NULL;
	uint8_t *text = fuzz_copy(data, size);
	size_t n = 0;

	if (csign_json_parse(text, size, &object) == CSIGN_OK) {
		MUST(json_object_is_type(object, json_type_object));
		check_value(object, 0, &n);
		check_again(object);
	} else {
		MUST(object == NULL);
	}
	json_object_put(object);
	free(text);
	return 0;
}
