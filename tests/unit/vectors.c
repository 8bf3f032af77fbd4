/* SPDX-License-Identifier: BSD-2-Clause */
#include "vectors.h"
#include "codec.h"

struct csign_crypto *crypto;
static struct json_object *file;

int
setup(void **state)
{
	(void)state;
	return csign_crypto_new(&crypto) == CSIGN_OK ? 0 : -1;
}

int
teardown(void **state)
{
	(void)state;
	csign_crypto_free(&crypto);
	assert_null(crypto);
	csign_crypto_free(&crypto);
	vectors_free();
	return 0;
}

struct json_object *
vectors(void)
{
	if (file == NULL)
		file = json_object_from_file(TEST_DATA "/vectors.json");
	assert_non_null(file);
	return file;
}

void
vectors_free(void)
{
	json_object_put(file);
	file = NULL;
}

struct json_object *
vec(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, name, &value))
		fail_msg("vectors.json has no %s", name);
	return value;
}

const char *
vec_str(struct json_object *object, const char *name)
{
	return json_object_get_string(vec(object, name));
}

struct json_object *
vec_named(struct json_object *array, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *e = json_object_array_get_idx(array, i);

		if (strcmp(vec_str(e, "name"), name) == 0)
			return e;
	}
	fail_msg("vectors.json has no %s", name);
	return NULL;
}

size_t
vec_hex(struct json_object *object, const char *name, void *out, size_t max)
{
	const char *text = vec_str(object, name);
	size_t len = strlen(text) / 2;
	unsigned char *bytes = out;
	unsigned int v;

	assert_true(len <= max && strlen(text) % 2 == 0);
	for (size_t i = 0; i < len; i++) {
		char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
		char *end = NULL;

		v = (unsigned int)strtoul(digits, &end, 16);
		assert_true(*end == '\0');
		bytes[i] = (unsigned char)v;
	}
	return len;
}

size_t
vec_b64u(struct json_object *object, const char *name, void *out, size_t max)
{
	const char *text = vec_str(object, name);
	size_t len = 0;

	assert_ok(csign_b64u_decode(text, strlen(text), out, max, &len));
	return len;
}
