/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call of the API: from the request to the function that answers it.  All
 * that must hold before such a function runs is checked in api.c, in one order:
 * address, method, who it is, right, rate, media type, origin, JSON.  members.c
 * then reads what the call says.
 */
#ifndef SERVICE_API_H
#define SERVICE_API_H

#include <json-c/json.h>

#include "service.h"

#define ROUTE_ID_MAX 64

struct call {
	struct service *service;
	struct http_conn *conn;
	const struct http_request *request;
	struct http_peer peer;
	bool has_host; /* a valid access key came with it */
	struct host host;
	bool has_cookie; /* of a phone that has enrolled a device */
	unsigned char cookie_hash[STORE_HASH_LEN];
	char id[ROUTE_ID_MAX + 1]; /* the path's variable part */
	struct json_object *body;  /* of a POST or PATCH */
};

typedef void call_fn(struct call *call);

enum route_side {
	SIDE_OPEN,   /* anybody */
	SIDE_HOST,   /* an access key, with route.right if not 0 */
	SIDE_TOKEN,  /* the body's token is enough; a wrong key is not */
	SIDE_PHONE,  /* who knows the link */
	SIDE_DEVICE, /* a phone's cookie */
};

struct route {
	const char *path; /* "*" stands for one part */
	unsigned methods; /* enum http_method */
	enum route_side side;
	unsigned right; /* any of these */
	bool counts;    /* against the host's rate */
	call_fn *fn;
};

extern const struct route host_routes[]; /* ended by path NULL */
extern const struct route phone_routes[];
extern const struct route device_routes[];
extern const struct route open_routes[];
extern const struct route web_routes[];

/* The handler and refuser of the HTTP server; arg is struct service *. */
void api_handle(
    void *arg, struct http_conn *conn, const struct http_request *request);
void api_refuse(void *arg, struct http_conn *conn, unsigned status);

/* --- for the functions that answer calls --------------------------------- */

/*
 * Members of the body.  If one is missing or not as it must be, they reply 422
 * and return false.
 */
bool call_str(struct call *call, const char *name, size_t min, size_t max,
    const char **ret_value);
/* The same, but NULL if it is not there. */
bool call_optional_str(struct call *call, const char *name, size_t min,
    size_t max, const char **ret_value);
bool call_int(struct call *call, const char *name, int64_t min, int64_t max,
    int64_t *ret_value);
bool call_optional_int(struct call *call, const char *name, int64_t min,
    int64_t max, int64_t def, int64_t *ret_value);
/* The same as call_optional_str(), without control characters. */
bool call_text(struct call *call, const char *name, size_t min, size_t max,
    const char **ret_value);
/* b64u of min to max bytes. */
bool call_sealed(struct call *call, const char *name, size_t min, size_t max,
    const char **ret_value);
/* A device id as text. */
bool call_device_id(struct call *call, const char **ret_value);
bool call_link_id(struct call *call, const char **ret_value);
/*
 * "sealed": an object of 1 to CSIGN_DEVICES_MAX device ids, each with the b64u
 * of S sealed to it.  They live as long as the body.
 */
bool call_copies(
    struct call *call, struct copy copies[CSIGN_DEVICES_MAX], size_t *ret_n);
/* The tag of an inbox in the query; "" if it is not there. */
bool call_query_tag(
    struct call *call, const char *name, char ret_tag[INBOX_TAG_SIZE]);
/* A number in the query; def if it is not there. */
bool call_query_int(struct call *call, const char *name, uint32_t max,
    uint32_t def, uint32_t *ret_value);
/*
 * Percent-decodes a value of the query into out.  Replies 422 if it is missing
 * or not good.
 */
bool call_query_text(
    struct call *call, const char *name, char *out, size_t out_size);

/* 503: not now. */
void call_no_room(struct call *call);
/* "This can not be done without" the cookie of a device: 403. */
void call_no_device(struct call *call);
void call_bad_member(struct call *call, const char *name, const char *what);
/* 422 with this sentence, whatever is in it. */
void call_bad_text(struct call *call, const char *message);
/* The reply for an error of the store or of approvals. */
void call_fail(struct call *call, enum csign_err err);
/*
 * Counts a call of somebody who has proven nothing; false after a reply of
 * 429.
 */
bool call_address_rate(struct call *call);
uint64_t call_now(void);
/* For rates: a clock that nobody sets. */
uint64_t call_boot_now(void);

#endif
