/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host API of the service, countersign-protocol(7), section HOST API: what
 * each call says, and what each reply may be.  A reply is read whole and
 * checked before anything of it is used (countersign-security(7) NET-3).
 *
 * A _begin function starts a call with at most timeout_ms; its _read function
 * gets the reply and returns 0 or an enum csign_trouble with why.
 */
#ifndef CSIGN_HOST_API_H
#define CSIGN_HOST_API_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "buf.h"
#include "countersign.h"
#include "frame.h"
#include "http.h"
#include "why.h"

#define CSIGN_API_ID_MAX 64
#define CSIGN_API_TOKEN_MAX 512

/* A question that the service has. */
struct csign_api_question {
	char id[CSIGN_API_ID_MAX + 1]; /* safe in a path */
	char token[CSIGN_API_TOKEN_MAX + 1];
};

/* Notes that came with the reply to a creation, at most CSIGN_REMOVALS_MAX. */
struct csign_api_notes {
	struct {
		size_t len;
		unsigned char bytes[CSIGN_REMOVAL_MAX];
	} notes[CSIGN_REMOVALS_MAX];
	size_t n;
};

enum csign_api_event {
	CSIGN_API_OTHER = 0, /* nothing to tell the host */
	CSIGN_API_SEEN,
	CSIGN_API_ANSWERED,
	CSIGN_API_CANCELLED,
	CSIGN_API_EXPIRED,
	CSIGN_API_DECIDED, /* granted or denied, says the service */
	CSIGN_API_UNKNOWN, /* it does not know the question */
};

struct csign_api_status {
	enum csign_api_event event;
	uint32_t sequence;
	size_t answer_len; /* ANSWERED: more than 0 */
	unsigned char answer[CSIGN_ANSWER_MAX];
};

struct csign_api_outcome {
	uint8_t code; /* enum csign_outcome */
	uint8_t tries_left;
	char reason[64];                   /* shortened to that */
	char device[CSIGN_DEVICE_ID_SIZE]; /* that was enrolled, or "" */
	uint32_t sequence; /* of the answer that it is about; 0: of none */
};

/*
 * job->op: APPROVE or ENROL.  *ret_rings: phones that ring, says the service;
 * 0 if it does not say so, or says more than there are copies.  Of the notes in
 * the reply, those that cannot be one and those that are too many are left out:
 * a question does not fail for what a stored note is like.
 */
CSIGN_WUR enum csign_err csign_api_create_begin(struct csign_http *http,
    const struct csign_job *job, uint32_t timeout_ms,
    struct csign_http_call **ret_call);
CSIGN_WUR uint8_t csign_api_create_read(const struct csign_http_reply *reply,
    const struct csign_job *job, struct csign_why *why,
    struct csign_api_question *ret_question, struct csign_api_notes *ret_notes,
    uint8_t *ret_rings);

/* A long poll: for at most wait_s seconds, until sequence is not after. */
CSIGN_WUR enum csign_err csign_api_status_begin(struct csign_http *http,
    const struct csign_api_question *question, uint32_t wait_s, uint32_t after,
    uint32_t timeout_ms, struct csign_http_call **ret_call);
CSIGN_WUR uint8_t csign_api_status_read(const struct csign_http_reply *reply,
    const struct csign_api_question *question, struct csign_why *why,
    struct csign_api_status *ret_status);

CSIGN_WUR enum csign_err csign_api_outcome_begin(struct csign_http *http,
    const struct csign_api_question *question,
    const struct csign_api_outcome *outcome, uint32_t timeout_ms,
    struct csign_http_call **ret_call);
CSIGN_WUR enum csign_err csign_api_cancel_begin(struct csign_http *http,
    const struct csign_api_question *question, uint32_t timeout_ms,
    struct csign_http_call **ret_call);

CSIGN_WUR enum csign_err csign_api_ping_begin(struct csign_http *http,
    uint32_t timeout_ms, struct csign_http_call **ret_call);
CSIGN_WUR uint8_t csign_api_ping_read(
    const struct csign_http_reply *reply, struct csign_why *why);

/* Finds the service's id of a user. */
CSIGN_WUR enum csign_err csign_api_user_begin(struct csign_http *http,
    const char *username, uint32_t timeout_ms,
    struct csign_http_call **ret_call);
CSIGN_WUR uint8_t csign_api_user_read(const struct csign_http_reply *reply,
    struct csign_why *why, char ret_id[CSIGN_API_ID_MAX + 1]);
/* DELETE of a user by that id, or of a device. */
CSIGN_WUR enum csign_err csign_api_remove_user_begin(struct csign_http *http,
    const char *id, uint32_t timeout_ms, struct csign_http_call **ret_call);
CSIGN_WUR enum csign_err csign_api_remove_device_begin(struct csign_http *http,
    const char *id, uint32_t timeout_ms, struct csign_http_call **ret_call);

/* PATCH of a device's name. */
CSIGN_WUR enum csign_err csign_api_rename_device_begin(struct csign_http *http,
    const char *id, const char *name, size_t name_len, uint32_t timeout_ms,
    struct csign_http_call **ret_call);

/* A ping that looks at the service's clock and certificate, too: frame.h. */
#define CSIGN_API_LOOK_LEN 16
CSIGN_WUR enum csign_err csign_api_look_begin(struct csign_http *http,
    uint32_t timeout_ms, struct csign_http_call **ret_call);
CSIGN_WUR uint8_t csign_api_look_read(const struct csign_http_reply *reply,
    struct csign_why *why, unsigned char ret_look[CSIGN_API_LOOK_LEN]);

/* A file of the phone's page: its SHA-256 and u32be size. */
#define CSIGN_API_FILE_LEN 36
CSIGN_WUR enum csign_err csign_api_file_begin(struct csign_http *http,
    const char *path, uint32_t timeout_ms, struct csign_http_call **ret_call);
CSIGN_WUR uint8_t csign_api_file_read(const struct csign_http_reply *reply,
    struct csign_why *why, unsigned char ret_file[CSIGN_API_FILE_LEN]);

/* Of the calls whose reply is 204 without a body. */
CSIGN_WUR uint8_t csign_api_done_read(
    const struct csign_http_reply *reply, struct csign_why *why);

#endif
