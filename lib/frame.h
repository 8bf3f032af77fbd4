/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames between library and courier: the only thing that the two share.
 * One frame a packet of a SOCK_SEQPACKET pair:
 *
 *      "csf1" || u8 type || fields in the order below
 *
 * str, bytes: u16be length and the bytes; u8, u16, u32: big-endian.  Nothing
 * may follow.  A frame that is not exactly that ends the conversation. Whatever
 * a courier says is a claim; only a proof inside an ANSWER can lead to a yes.
 */
#ifndef CSIGN_FRAME_H
#define CSIGN_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "buf.h"
#include "countersign.h"

enum csign_frame_type {
	/* library -> courier */
	CSIGN_FRAME_JOB = 1, /* struct csign_job; exactly one, the first */
	/* u8 outcome, str reason, u8 tries left, str device id: of the device
	 * that was enrolled, or gave the grant; else empty */
	CSIGN_FRAME_OUTCOME,
	CSIGN_FRAME_REMOVED, /* str device id: it is gone from this host */
	/* courier -> library */
	CSIGN_FRAME_CREATED = 16, /* u8 phones that ring (claim); the service
				   * has the question */
	CSIGN_FRAME_SEEN,         /* somebody opened it (claim) */
	CSIGN_FRAME_ANSWER,       /* bytes: a sealed answer */
	CSIGN_FRAME_ENDED,        /* u8 enum csign_end: the service closed it */
	CSIGN_FRAME_DONE,         /* a job without waiting is done */
	CSIGN_FRAME_TROUBLE, /* u8 enum csign_trouble, str text for people */
	CSIGN_FRAME_REMOVAL, /* bytes: a note; before CREATED, at most 4 */
};

enum csign_op {
	CSIGN_OP_APPROVE = 1, /* create, wait, outcome or cancel */
	CSIGN_OP_ENROL,
	CSIGN_OP_PING,
	CSIGN_OP_REMOVE_USER,   /* subject: user name */
	CSIGN_OP_REMOVE_DEVICE, /* subject: device id */
	CSIGN_OP_FETCH, /* subject: path of a file; ANSWER: SHA-256, u32 size */
	CSIGN_OP_RENAME_DEVICE, /* subject: device id, content: its name */
	/* As PING.  ANSWER: the service's time and the end of the first of its
	 * certificates to end, seconds since 1970, each two u32, 0 unknown. */
	CSIGN_OP_LOOK,
};

enum csign_outcome {
	CSIGN_OUTCOME_GRANTED = 1,
	CSIGN_OUTCOME_DENIED,
	CSIGN_OUTCOME_REJECTED, /* tries left > 0: open again */
};

enum csign_end { CSIGN_END_CANCELLED = 1, CSIGN_END_EXPIRED };

enum csign_trouble {
	CSIGN_TROUBLE_UNREACHABLE = 1, /* name, connect, time-out */
	CSIGN_TROUBLE_TLS,             /* handshake or certificate */
	CSIGN_TROUBLE_UNAUTHORISED,    /* 401: wrong access key */
	CSIGN_TROUBLE_FORBIDDEN,       /* 403: right missing */
	CSIGN_TROUBLE_NOT_FOUND,       /* 404 */
	CSIGN_TROUBLE_CONFLICT,        /* 409: link id in use */
	CSIGN_TROUBLE_LIMITED,         /* 429 and no time left to wait */
	CSIGN_TROUBLE_UNAVAILABLE,     /* 5xx */
	CSIGN_TROUBLE_BAD_REPLY,       /* status, type, size or JSON */
	CSIGN_TROUBLE_INTERNAL,
};

/* Fields in this order; strings are not owned.  "" where there is none. */
struct csign_job {
	uint8_t op;           /* enum csign_op */
	uint32_t deadline_ms; /* life of the job, from its arrival */
	const char *service;  /* https://host[:port] */
	const char *socket;   /* unix socket instead of TCP */
	const char *ca_file;
	const char *pins; /* sha256//... sha256//... */
	const char *proxy;
	const char *access_key;       /* 43 characters */
	const char *subject;          /* user name or device id */
	const char *link_id;          /* 22 characters */
	const unsigned char *content; /* sealed */
	size_t content_len;
	uint16_t lifetime; /* seconds */
	/* Phones to ring: CSIGN_COPY_LEN bytes each, at most
	 * CSIGN_DEVICES_MAX; none: the link alone.  OP_APPROVE only. */
	const unsigned char *copies;
	size_t copies_len;
};

/* A frame that was read; pointers lead into the packet, text is NOT
 * NUL-terminated there and is copied where it is used. */
struct csign_frame {
	enum csign_frame_type type;
	uint8_t code; /* outcome, end, trouble, or phones that ring */
	uint8_t tries_left;
	const unsigned char *bytes; /* answer, note, reason or text */
	size_t len;
	char device[CSIGN_DEVICE_ID_SIZE]; /* "" where there is none */
};

CSIGN_WUR enum csign_err csign_frame_job(
    struct csign_buf *out, const struct csign_job *job);
/* reason and device may be NULL.  CSIGN_E_INVALID: not what may be told. */
CSIGN_WUR enum csign_err csign_frame_outcome(struct csign_buf *out,
    enum csign_outcome outcome, const char *reason, uint8_t tries_left,
    const char *device);
CSIGN_WUR enum csign_err csign_frame_write(
    struct csign_buf *out, const struct csign_frame *frame);
/* Any frame but JOB. */
CSIGN_WUR enum csign_err csign_frame_read(
    const void *packet, size_t len, struct csign_frame *ret_frame);
/* Copies the strings into store (new, from csign_buf_new), which job's
 * pointers then lead into. */
CSIGN_WUR enum csign_err csign_frame_read_job(const void *packet, size_t len,
    struct csign_buf **ret_store, struct csign_job *ret_job);

#endif
