/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies in JSON.  The writer remembers its first error, so that a reply is
 * built in a row and checked once, at the end.
 */
#ifndef SERVICE_REPLY_H
#define SERVICE_REPLY_H

#include <stdint.h>

#include "buf.h"
#include "http.h"
#include "store.h"

#define REPLY_MAX 65536

struct reply {
	struct csign_buf *buf;
	enum csign_err err;
	bool comma;
};

/* Each function that takes a name may take NULL, in an array. */
void reply_begin(struct reply *reply, struct csign_buf *buf);
/* Without the brace: for what reply_open(reply, NULL, ...) begins. */
void reply_begin_bare(struct reply *reply, struct csign_buf *buf);
void reply_str(struct reply *reply, const char *name, const char *value);
void reply_int(struct reply *reply, const char *name, int64_t value);
void reply_bool(struct reply *reply, const char *name, bool value);
/* RFC 3339 of milliseconds. */
void reply_time(struct reply *reply, const char *name, uint64_t ms);
/* b64u that append() puts there, for example store_approval_content(). */
void reply_sealed(struct reply *reply, const char *name, struct store *store,
    int64_t id,
    enum csign_err (*append)(
	struct store *store, int64_t id, struct csign_buf *out));
/* open and close: "{" "}" or "[" "]". */
void reply_open(struct reply *reply, const char *name, const char *open);
void reply_close(struct reply *reply, const char *close);
/* A device as an element of an array; arg is struct reply *. */
void reply_authenticator(void *arg, const struct authenticator *auth);
/* Ends the object and sends it; 503 if it could not be built. */
void reply_send(struct reply *reply, struct http_conn *conn, unsigned status,
    const char *extra);

/* 204 */
void reply_nothing(struct http_conn *conn);
/*
 * {"error","message","status"}; extra header lines or NULL.  For 400 and for
 * what says so in the table of errors the connection is closed after it.
 */
void reply_error(struct http_conn *conn, unsigned status, const char *error,
    const char *message, const char *extra);

#endif
