/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "frame.h"

#define FRAME_MAGIC "csf1"
#define FRAME_MAGIC_LEN 4
#define FRAME_TEXT_MAX (CSIGN_WHY_SIZE - 1) /* of a TROUBLE or OUTCOME */
#define FRAME_TRIES_MAX CSIGN_ANSWERS_MAX
#define COPIES_MAX ((size_t)CSIGN_COPY_LEN * CSIGN_DEVICES_MAX)

/* The strings of a job in the order in which they travel. */
#define JOB_STRINGS(X)                                                         \
	X(service)                                                             \
	X(socket)                                                              \
	X(ca_file)                                                             \
	X(pins)                                                                \
	X(proxy)                                                               \
	X(access_key)                                                          \
	X(subject)                                                             \
	X(link_id)

enum {
#define JOB_STRING_INDEX(name) JOB_##name,
	JOB_STRINGS(JOB_STRING_INDEX)
#undef JOB_STRING_INDEX
	    N_JOB_STRINGS,
	/* and what follows them, where it is kept */
	JOB_CONTENT = N_JOB_STRINGS,
	JOB_COPIES,
	N_JOB_PARTS
};

static enum csign_err
put_head(struct csign_buf *out, enum csign_frame_type type)
{
	enum csign_err r;

	if ((r = csign_buf_put(out, FRAME_MAGIC, FRAME_MAGIC_LEN)) != CSIGN_OK)
		return r;
	return csign_buf_put_u8(out, (uint8_t)type);
}

static bool
job_op_valid(uint8_t op)
{
	return op >= CSIGN_OP_APPROVE && op <= CSIGN_OP_LOOK;
}

static enum csign_err
put_job_string(struct csign_buf *out, const char *str)
{
	size_t len;

	if (str == NULL)
		str = "";
	if ((len = strlen(str)) > CSIGN_CONF_LINE_MAX)
		return CSIGN_E_TOO_LONG;
	return csign_buf_put_v16(out, str, len);
}

/* Is it an id as csign_device_id() writes it? */
static bool
device_valid(const char *id, size_t len)
{
	return len == CSIGN_DEVICE_ID_SIZE - 1 &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz234567") >= len;
}

/* Whole copies, of devices that have an id, for a question that can ring. */
static bool
copies_valid(const struct csign_job *job)
{
	char id[CSIGN_DEVICE_ID_SIZE] = "";

	if (job->copies_len == 0)
		return true;
	if (job->op != CSIGN_OP_APPROVE || job->copies_len > COPIES_MAX ||
	    job->copies_len % CSIGN_COPY_LEN != 0)
		return false;
	for (size_t at = 0; at < job->copies_len; at += CSIGN_COPY_LEN) {
		memcpy(id, job->copies + at, sizeof(id) - 1);
		if (!device_valid(id, sizeof(id) - 1))
			return false;
	}
	return true;
}

enum csign_err
csign_frame_job(struct csign_buf *out, const struct csign_job *job)
{
#define JOB_STRING_GET(name) job->name,
	const char *const strings[] = {JOB_STRINGS(JOB_STRING_GET)};
#undef JOB_STRING_GET
	enum csign_err r;

	if (!job_op_valid(job->op) || !copies_valid(job))
		return CSIGN_E_INVALID;
	if (job->content_len > CSIGN_CONTENT_MAX)
		return CSIGN_E_TOO_LONG;
	if ((r = put_head(out, CSIGN_FRAME_JOB)) != CSIGN_OK ||
	    (r = csign_buf_put_u8(out, job->op)) != CSIGN_OK ||
	    (r = csign_buf_put_u32(out, job->deadline_ms)) != CSIGN_OK)
		return r;
	for (size_t i = 0; i < N_JOB_STRINGS; i++)
		if ((r = put_job_string(out, strings[i])) != CSIGN_OK)
			return r;
	if ((r = csign_buf_put_v16(out, job->content, job->content_len)) !=
		CSIGN_OK ||
	    (r = csign_buf_put_u16(out, job->lifetime)) != CSIGN_OK)
		return r;
	return csign_buf_put_v16(out, job->copies, job->copies_len);
}

/* An id, or none. */
static bool
set_device(struct csign_frame *frame, const char *id, size_t len)
{
	if (len == 0)
		return true;
	if (len >= sizeof(frame->device))
		return false;
	memcpy(frame->device, id, len);
	frame->device[len] = '\0';
	return device_valid(frame->device, len);
}

enum csign_err
csign_frame_outcome(struct csign_buf *out, enum csign_outcome outcome,
    const char *reason, uint8_t tries_left, const char *device)
{
	struct csign_frame frame = {
	    .type = CSIGN_FRAME_OUTCOME,
	    .code = (uint8_t)outcome,
	    .tries_left = tries_left,
	    .bytes = (const unsigned char *)reason,
	    .len = reason == NULL ? 0 : strlen(reason),
	};

	if (!set_device(&frame, device, device == NULL ? 0 : strlen(device)))
		return CSIGN_E_INVALID;
	return csign_frame_write(out, &frame);
}

/* What the fields of a frame (not a JOB) may be, the same in both directions.
 */
static bool
frame_valid(const struct csign_frame *frame)
{
	switch (frame->type) {
	case CSIGN_FRAME_OUTCOME:
		return frame->code >= CSIGN_OUTCOME_GRANTED &&
		       frame->code <= CSIGN_OUTCOME_REJECTED &&
		       frame->len <= FRAME_TEXT_MAX &&
		       frame->tries_left <= FRAME_TRIES_MAX &&
		       (frame->device[0] == '\0' ||
			   (device_valid(
				frame->device, strlen(frame->device)) &&
			       frame->code == CSIGN_OUTCOME_GRANTED));
	case CSIGN_FRAME_REMOVED:
		return device_valid(frame->device, strlen(frame->device));
	case CSIGN_FRAME_REMOVAL:
		return frame->len >= 1 && frame->len <= CSIGN_REMOVAL_MAX;
	case CSIGN_FRAME_ANSWER:
		return frame->len >= 1 && frame->len <= CSIGN_ANSWER_MAX;
	case CSIGN_FRAME_ENDED:
		return frame->code == CSIGN_END_CANCELLED ||
		       frame->code == CSIGN_END_EXPIRED;
	case CSIGN_FRAME_TROUBLE:
		return frame->code >= CSIGN_TROUBLE_UNREACHABLE &&
		       frame->code <= CSIGN_TROUBLE_INTERNAL &&
		       frame->len <= FRAME_TEXT_MAX;
	case CSIGN_FRAME_CREATED:
		return frame->code <= CSIGN_DEVICES_MAX;
	case CSIGN_FRAME_SEEN:
	case CSIGN_FRAME_DONE:
		return true;
	case CSIGN_FRAME_JOB:
		break;
	}
	return false;
}

static enum csign_err
put_device(struct csign_buf *out, const struct csign_frame *frame)
{
	return csign_buf_put_v16(out, frame->device, strlen(frame->device));
}

static enum csign_err
put_fields(struct csign_buf *out, const struct csign_frame *frame)
{
	enum csign_err r;

	switch (frame->type) {
	case CSIGN_FRAME_OUTCOME:
		if ((r = csign_buf_put_u8(out, frame->code)) != CSIGN_OK ||
		    (r = csign_buf_put_v16(out, frame->bytes, frame->len)) !=
			CSIGN_OK ||
		    (r = csign_buf_put_u8(out, frame->tries_left)) != CSIGN_OK)
			return r;
		return put_device(out, frame);
	case CSIGN_FRAME_REMOVED:
		return put_device(out, frame);
	case CSIGN_FRAME_ANSWER:
	case CSIGN_FRAME_REMOVAL:
		return csign_buf_put_v16(out, frame->bytes, frame->len);
	case CSIGN_FRAME_CREATED:
	case CSIGN_FRAME_ENDED:
		return csign_buf_put_u8(out, frame->code);
	case CSIGN_FRAME_TROUBLE:
		if ((r = csign_buf_put_u8(out, frame->code)) != CSIGN_OK)
			return r;
		return csign_buf_put_v16(out, frame->bytes, frame->len);
	case CSIGN_FRAME_SEEN:
	case CSIGN_FRAME_DONE:
		return CSIGN_OK;
	case CSIGN_FRAME_JOB:
		break;
	}
	return CSIGN_E_INVALID;
}

enum csign_err
csign_frame_write(struct csign_buf *out, const struct csign_frame *frame)
{
	enum csign_err r;

	if (!frame_valid(frame))
		return CSIGN_E_INVALID;
	if ((r = put_head(out, frame->type)) != CSIGN_OK)
		return r;
	return put_fields(out, frame);
}

/* Reads magic and type; the type is not checked. */
static uint8_t
read_head(struct csign_rd *rd)
{
	const unsigned char *magic = csign_rd_bytes(rd, FRAME_MAGIC_LEN);

	if (magic == NULL || memcmp(magic, FRAME_MAGIC, FRAME_MAGIC_LEN) != 0)
		return 0;
	return csign_rd_u8(rd);
}

/* A str that is an id, or empty; the frame is then looked at as a whole. */
static void
read_device(struct csign_rd *rd, struct csign_frame *frame)
{
	const unsigned char *id;
	size_t len = 0;

	id = csign_rd_v16(rd, CSIGN_DEVICE_ID_SIZE - 1, &len);
	if (id != NULL && !set_device(frame, (const char *)id, len))
		rd->bad = true;
}

static void
read_fields(struct csign_rd *rd, struct csign_frame *frame)
{
	switch (frame->type) {
	case CSIGN_FRAME_OUTCOME:
		frame->code = csign_rd_u8(rd);
		frame->bytes = csign_rd_v16(rd, FRAME_TEXT_MAX, &frame->len);
		frame->tries_left = csign_rd_u8(rd);
		read_device(rd, frame);
		break;
	case CSIGN_FRAME_REMOVED:
		read_device(rd, frame);
		break;
	case CSIGN_FRAME_ANSWER:
	case CSIGN_FRAME_REMOVAL:
		frame->bytes = csign_rd_v16(rd, CSIGN_ANSWER_MAX, &frame->len);
		break;
	case CSIGN_FRAME_TROUBLE:
		frame->code = csign_rd_u8(rd);
		frame->bytes = csign_rd_v16(rd, FRAME_TEXT_MAX, &frame->len);
		break;
	case CSIGN_FRAME_CREATED:
	case CSIGN_FRAME_ENDED:
		frame->code = csign_rd_u8(rd);
		break;
	case CSIGN_FRAME_JOB:
	case CSIGN_FRAME_SEEN:
	case CSIGN_FRAME_DONE:
		break;
	}
}

enum csign_err
csign_frame_read(const void *packet, size_t len, struct csign_frame *ret_frame)
{
	struct csign_frame frame = {0};
	struct csign_rd rd;

	csign_rd_init(&rd, packet, len);
	frame.type = (enum csign_frame_type)read_head(&rd);
	read_fields(&rd, &frame);
	if (!csign_rd_done(&rd) || !frame_valid(&frame))
		return CSIGN_E_FORMAT;
	*ret_frame = frame;
	return CSIGN_OK;
}

/* A string from outside: no NUL inside, which would end it early. */
static enum csign_err
keep_job_string(struct csign_rd *rd, struct csign_buf *store, size_t *ret_at)
{
	const unsigned char *bytes;
	size_t at = csign_buf_len(store), len = 0;
	enum csign_err r;

	bytes = csign_rd_v16(rd, CSIGN_CONF_LINE_MAX, &len);
	if (bytes == NULL || (len > 0 && memchr(bytes, 0, len) != NULL))
		return CSIGN_E_FORMAT;
	if ((r = csign_buf_put(store, bytes, len)) != CSIGN_OK ||
	    (r = csign_buf_put_u8(store, 0)) != CSIGN_OK)
		return r;
	*ret_at = at;
	return CSIGN_OK;
}

/* Into store; at[] says where each part begins. */
static enum csign_err
read_job(struct csign_rd *rd, struct csign_buf *store, size_t *at,
    struct csign_job *job)
{
	const unsigned char *content;
	enum csign_err r;

	if (read_head(rd) != CSIGN_FRAME_JOB)
		return CSIGN_E_FORMAT;
	job->op = csign_rd_u8(rd);
	job->deadline_ms = csign_rd_u32(rd);
	for (size_t i = 0; i < N_JOB_STRINGS; i++)
		if ((r = keep_job_string(rd, store, &at[i])) != CSIGN_OK)
			return r;
	content = csign_rd_v16(rd, CSIGN_CONTENT_MAX, &job->content_len);
	job->lifetime = csign_rd_u16(rd);
	job->copies = csign_rd_v16(rd, COPIES_MAX, &job->copies_len);
	if (!csign_rd_done(rd) || !job_op_valid(job->op) || !copies_valid(job))
		return CSIGN_E_FORMAT;
	at[JOB_CONTENT] = csign_buf_len(store);
	if ((r = csign_buf_put(store, content, job->content_len)) != CSIGN_OK)
		return r;
	at[JOB_COPIES] = csign_buf_len(store);
	return csign_buf_put(store, job->copies, job->copies_len);
}

enum csign_err
csign_frame_read_job(const void *packet, size_t len,
    struct csign_buf **ret_store, struct csign_job *ret_job)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *store = NULL;
	struct csign_job job = {0};
	size_t at[N_JOB_PARTS] = {0};
	struct csign_rd rd;

	if ((r = csign_buf_new(CSIGN_FRAME_MAX, &store)) != CSIGN_OK)
		goto out;
	csign_rd_init(&rd, packet, len);
	if ((r = read_job(&rd, store, at, &job)) != CSIGN_OK)
		goto out;
		/* Only now: the store moves while it grows. */
#define JOB_STRING_SET(name) job.name = csign_buf_str(store) + at[JOB_##name];
	JOB_STRINGS(JOB_STRING_SET)
#undef JOB_STRING_SET
	job.content = csign_buf_data(store) + at[JOB_CONTENT];
	job.copies = csign_buf_data(store) + at[JOB_COPIES];
	*ret_job = job;
	*ret_store = store;
	store = NULL;
	r = CSIGN_OK;
out:
	csign_buf_free(&store);
	return r;
}
