/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/data/vectors.json, for the tests of the protocol's bytes. */
#ifndef VECTORS_H
#define VECTORS_H

#include <json-c/json.h>

#include "unit.h"

#include "crypto.h"

/* For a group of tests: what they compute with. */
extern struct csign_crypto *crypto;
int setup(void **state);
int teardown(void **state);

/* The whole file; it stays loaded until vectors_free(). */
struct json_object *vectors(void);
void vectors_free(void);
/* A member that has to be there. */
struct json_object *vec(struct json_object *object, const char *name);
const char *vec_str(struct json_object *object, const char *name);
/* The element of an array of objects whose "name" is name. */
struct json_object *vec_named(struct json_object *array, const char *name);
/* Hexadecimal or base64url members as bytes; how many. */
size_t vec_hex(
    struct json_object *object, const char *name, void *out, size_t max);
size_t vec_b64u(
    struct json_object *object, const char *name, void *out, size_t max);

#endif
