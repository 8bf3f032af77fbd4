/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON from outside, strictly: json-c behind a scan for what it lets pass
 * (duplicate names, single quotes, raw controls, NaN, trailing data, depth,
 * size; countersign-security(7) MEM-2).  Used by the courier, the service and
 * the phone, and for evidence by whoever checks it; never by the library in a
 * PAM process.
 */
#ifndef CSIGN_JSON_H
#define CSIGN_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "countersign.h"

#define CSIGN_JSON_DEPTH 4
#define CSIGN_JSON_MEMBERS 64      /* of one object or array */
#define CSIGN_JSON_MEMBERS_ALL 256 /* of all of them together */
#define CSIGN_JSON_MAX 65536
#define CSIGN_JSON_INT_MAX INT64_C(9007199254740991) /* 2^53 - 1 */

/*
 * One object, nothing but white space around it.  Numbers are integers of at
 * most 2^53 - 1 either way: the protocol knows no other, and json-c would
 * round them.  No string holds U+0000.  Free with json_object_put().
 * CSIGN_E_FORMAT, CSIGN_E_NOMEM, CSIGN_E_TOO_LONG beyond CSIGN_JSON_MAX bytes.
 */
CSIGN_WUR enum csign_err csign_json_parse(
    const void *text, size_t len, struct json_object **ret_object);
/*
 * These accept NULL, and anything that is no object: it has no members.
 *
 * A member that is a string without NUL, at most max bytes; NULL otherwise.
 * It lives as long as object.
 */
const char *csign_json_str(
    struct json_object *object, const char *name, size_t max);
/* A member that is an integer in min..max; false otherwise. */
bool csign_json_int(struct json_object *object, const char *name, int64_t min,
    int64_t max, int64_t *ret_value);

#endif
