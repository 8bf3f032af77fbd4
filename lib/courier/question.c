/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thing is done at a time, and each wait is cut short by what it is for:
 * the library's outcome and its end interrupt a long poll, while a creation
 * is waited for to its end, as only its reply says what to cancel.
 *
 * After an answer the service is not asked again before the library has
 * decided, so the connection is free for the outcome, and a service cannot
 * flood the library.
 */
#include "config.h"

#include <string.h>

#include "clock.h"
#include "host_api.h"
#include "question.h"
#include "secret.h"

/* A little less than the library waits: the reason should arrive in time. */
#define CREATE_BUDGET_MS (CSIGN_CREATE_TIMEOUT_MS - 200)
/* A service that restarts refuses connections for less than this. */
#define CREATE_REFUSED_MS 1000
#define POLL_SLACK_MS 5000 /* what a long poll may take beyond its time */
#define RETRY_FAST_MS 100  /* first pause when the connection failed */
#define RETRY_SLOW_MS 1000 /* first pause when the service said no */
#define RETRY_MAX_MS 8000

struct question {
	struct csign_channel *channel;
	struct csign_http *http;
	const struct csign_job *job;
	struct csign_api_question id;
	struct csign_api_notes notes;   /* that came with the creation */
	struct csign_api_status status; /* of the newest poll */
	struct csign_why why;
	uint64_t deadline;     /* milliseconds since boot */
	uint32_t after;        /* sequence of the newest event */
	uint32_t answered;     /* sequence of the newest answer, 0 for none */
	unsigned int failures; /* in a row */
	uint8_t trouble;       /* of the newest poll, 0 if it went well */
	uint8_t rings;         /* phones, says the service */
	bool seen;             /* the library knows that it was opened */
	bool deciding;         /* the library has an answer to look at */
	bool closed;           /* nothing is left to be cancelled */
};

/* The end of time if the clock fails: every deadline is then over. */
static uint64_t
now_ms(void)
{
	uint64_t now;

	return csign_clock_boot(&now) == CSIGN_OK ? now : UINT64_MAX;
}

static uint32_t
left_ms(uint64_t until)
{
	const uint64_t now = now_ms();

	if (now >= until)
		return 0;
	return until - now > INT32_MAX ? INT32_MAX : (uint32_t)(until - now);
}

/* --- waiting --- */

/* Has the library said something that a wait for the service is cut for? */
static bool
wanted(const struct question *q)
{
	return q->channel->gone || q->channel->decided;
}

/*
 * Works on a call until it is done.  False if it was broken off: by the
 * library, if it may interrupt, or by an error of libcurl's.
 */
static bool
complete(struct question *q, struct csign_http_call *call, bool interruptible)
{
	const int fd = interruptible ? CSIGN_CHANNEL_FD : -1;

	while (!csign_http_done(call)) {
		if (csign_http_turn(q->http, fd, RETRY_MAX_MS) != CSIGN_OK)
			return false;
		if (!interruptible || csign_http_done(call))
			continue;
		csign_channel_hear(q->channel);
		if (wanted(q))
			return false;
	}
	return true;
}

/*
 * Doubling pauses, up to a quarter longer so that hosts do not march in step.
 */
static uint32_t
pause_ms(struct question *q, uint32_t first)
{
	uint32_t pause = RETRY_MAX_MS;
	uint8_t jitter = 0;

	if (q->failures < 16 && first << q->failures < RETRY_MAX_MS)
		pause = first << q->failures;
	q->failures++;
	if (csign_random(&jitter, sizeof(jitter)) != CSIGN_OK)
		jitter = 0;
	return pause + pause / 4 * jitter / UINT8_MAX;
}

/*
 * May the same request do better later?  Then *ret_ms says when: what the
 * service asks for if that is within the time that is left, else a pause of
 * our own, never more than that time.
 */
static bool
retry_after(struct question *q, const struct csign_http_reply *reply,
    uint8_t trouble, uint32_t left, uint32_t *ret_ms)
{
	uint32_t pause;

	switch (trouble) {
	case CSIGN_TROUBLE_UNREACHABLE:
	case CSIGN_TROUBLE_TLS: /* cut in the middle of a handshake */
		pause = pause_ms(q, RETRY_FAST_MS);
		break;
	case CSIGN_TROUBLE_LIMITED:
	case CSIGN_TROUBLE_UNAVAILABLE:
		pause = pause_ms(q, RETRY_SLOW_MS);
		if (reply->retry_after > 0 &&
		    reply->retry_after * 1000 < (int64_t)left)
			pause = (uint32_t)reply->retry_after * 1000;
		break;
	default:
		return false;
	}
	*ret_ms = pause < left ? pause : left;
	return true;
}

static void
send_code(struct question *q, enum csign_frame_type type, uint8_t code)
{
	const struct csign_frame frame = {.type = type, .code = code};

	csign_channel_send(q->channel, &frame);
}

/* The end, as far as the library is concerned. */
static void
tell_trouble(struct question *q, uint8_t trouble)
{
	csign_channel_trouble(q->channel, trouble, q->why.text);
	q->channel->gone = true;
}

/* --- creation --- */

/* May it be sent again without the risk that the service has it twice? */
static bool
create_again(struct question *q, const struct csign_http_reply *reply,
    uint8_t trouble, uint64_t began, uint32_t left, uint32_t *ret_ms)
{
	if (!retry_after(q, reply, trouble, left, ret_ms) || *ret_ms >= left)
		return false;
	if (trouble == CSIGN_TROUBLE_UNREACHABLE)
		return !reply->sent &&
		       now_ms() - began + *ret_ms < CREATE_REFUSED_MS;
	return reply->status == 429 || reply->status == 503;
}

/*
 * One try.  0: created; *ret_ms > 0: try again after it.  Should the service
 * have taken the question and its reply be lost, nothing says what to cancel,
 * and the question is open until its lifetime is over.
 */
static uint8_t
create_once(struct question *q, uint64_t began, uint32_t *ret_ms)
{
	const struct csign_http_reply *reply;
	struct csign_http_call *call = NULL;
	const uint64_t until = began + CREATE_BUDGET_MS;
	const uint32_t left = left_ms(until);
	uint8_t trouble = CSIGN_TROUBLE_INTERNAL;

	*ret_ms = 0;
	if (csign_api_create_begin(
		q->http, q->job, left > 0 ? left : 1, &call) != CSIGN_OK ||
	    !complete(q, call, false)) {
		csign_why_set(&q->why, "the request could not be made");
		goto out;
	}
	reply = csign_http_reply(call);
	trouble = csign_api_create_read(
	    reply, q->job, &q->why, &q->id, &q->notes, &q->rings);
	if (trouble != 0 &&
	    !create_again(q, reply, trouble, began, left_ms(until), ret_ms))
		*ret_ms = 0;
out:
	csign_http_call_free(&call);
	return trouble;
}

/* Before anything else, so that a device that is to go cannot answer first. */
static void
send_notes(struct question *q)
{
	for (size_t i = 0; i < q->notes.n; i++) {
		const struct csign_frame note = {
		    .type = CSIGN_FRAME_REMOVAL,
		    .bytes = q->notes.notes[i].bytes,
		    .len = q->notes.notes[i].len,
		};

		csign_channel_send(q->channel, &note);
	}
}

static bool
create(struct question *q)
{
	const uint64_t began = now_ms();
	uint32_t pause = 0;
	uint8_t trouble;

	while ((trouble = create_once(q, began, &pause)) != 0) {
		if (pause > 0)
			csign_channel_wait(q->channel, pause);
		if (pause == 0 || q->channel->gone) {
			tell_trouble(q, trouble);
			return false;
		}
	}
	q->failures = 0;
	send_notes(q);
	send_code(q, CSIGN_FRAME_CREATED, q->rings);
	return true;
}

/* --- waiting for the phone --- */

static void
take_status(struct question *q)
{
	const struct csign_frame answer = {
	    .type = CSIGN_FRAME_ANSWER,
	    .bytes = q->status.answer,
	    .len = q->status.answer_len,
	};

	switch (q->status.event) {
	case CSIGN_API_OTHER:
		break;
	case CSIGN_API_SEEN:
		if (!q->seen)
			send_code(q, CSIGN_FRAME_SEEN, 0);
		q->seen = true;
		break;
	case CSIGN_API_ANSWERED:
		csign_channel_send(q->channel, &answer);
		q->answered = q->status.sequence;
		q->deciding = true;
		break;
	case CSIGN_API_CANCELLED:
		q->closed = true;
		send_code(q, CSIGN_FRAME_ENDED, CSIGN_END_CANCELLED);
		break;
	case CSIGN_API_EXPIRED:
		q->closed = true;
		send_code(q, CSIGN_FRAME_ENDED, CSIGN_END_EXPIRED);
		break;
	case CSIGN_API_DECIDED:
		q->closed = true;
		csign_why_set(&q->why,
		    "the service closed the question without this host");
		tell_trouble(q, CSIGN_TROUBLE_BAD_REPLY);
		break;
	case CSIGN_API_UNKNOWN:
		q->closed = true;
		csign_why_set(
		    &q->why, "the service no longer knows the question");
		tell_trouble(q, CSIGN_TROUBLE_NOT_FOUND);
		break;
	}
}

/* A reply came, or none.  Returns how long to pause before the next poll. */
static uint32_t
take_reply(struct question *q, const struct csign_http_reply *reply, bool early)
{
	uint32_t pause = 0;

	q->trouble = csign_api_status_read(reply, &q->id, &q->why, &q->status);
	if (q->trouble != 0) {
		if (!retry_after(
			q, reply, q->trouble, left_ms(q->deadline), &pause))
			tell_trouble(q, q->trouble);
		return pause;
	}
	/*
	 * No news: a service that says so too soon must not be asked again and
	 * again.
	 */
	if (q->status.event != CSIGN_API_UNKNOWN &&
	    q->status.sequence == q->after)
		return early ? pause_ms(q, RETRY_FAST_MS) : 0;
	q->failures = 0;
	q->after = q->status.sequence;
	take_status(q);
	return 0;
}

/* One long poll, which ends with the deadline, and the pause after it. */
static void
poll_once(struct question *q)
{
	struct csign_http_call *call = NULL;
	const uint32_t left = left_ms(q->deadline);
	const uint64_t began = now_ms();
	uint32_t wait_s = left / 1000 + 1, time, pause = 0;

	if (wait_s > CSIGN_POLL_WAIT_MAX)
		wait_s = CSIGN_POLL_WAIT_MAX;
	time = wait_s * 1000 + POLL_SLACK_MS;
	if (csign_api_status_begin(q->http, &q->id, wait_s, q->after,
		time < left ? time : left + 1, &call) != CSIGN_OK ||
	    (!complete(q, call, true) && !wanted(q))) {
		csign_why_set(&q->why, "the request could not be made");
		tell_trouble(q, CSIGN_TROUBLE_INTERNAL);
	} else if (csign_http_done(call) && left_ms(q->deadline) > 0) {
		/* One that was cut by the deadline is no trouble. */
		pause = take_reply(q, csign_http_reply(call),
		    now_ms() - began < (uint64_t)wait_s * 500);
	}
	csign_http_call_free(&call);
	if (pause > 0)
		csign_channel_wait(q->channel, pause);
}

/* Nobody has answered; or the service was not there to say so. */
static void
tell_expired(struct question *q)
{
	if (q->trouble != 0)
		tell_trouble(q, q->trouble);
	else
		send_code(q, CSIGN_FRAME_ENDED, CSIGN_END_EXPIRED);
}

/* --- the end --- */

enum word { WORD_OUTCOME, WORD_CANCEL, WORD_REMOVED };

/* What the service is told at the end. */
struct last_word {
	enum word word;
	const struct csign_api_outcome *outcome;
	const char *device;
};

static enum csign_err
begin_word(struct question *q, const struct last_word *last, uint32_t left,
    struct csign_http_call **ret_call)
{
	switch (last->word) {
	case WORD_OUTCOME:
		return csign_api_outcome_begin(
		    q->http, &q->id, last->outcome, left, ret_call);
	case WORD_CANCEL:
		return csign_api_cancel_begin(q->http, &q->id, left, ret_call);
	case WORD_REMOVED:
		return csign_api_remove_device_begin(
		    q->http, last->device, left, ret_call);
	}
	return CSIGN_E_INTERNAL;
}

/* Tried until the service took it, or knows better, or the time is over. */
static uint8_t
tell_service(struct question *q, const struct last_word *last, uint64_t until)
{
	struct csign_http_call *call = NULL;
	uint8_t trouble = CSIGN_TROUBLE_INTERNAL;
	uint32_t left, pause;

	q->failures = 0;
	while ((left = left_ms(until)) > 0) {
		if (begin_word(q, last, left, &call) != CSIGN_OK ||
		    !complete(q, call, false))
			break;
		trouble = csign_api_done_read(csign_http_reply(call), &q->why);
		if (trouble == 0 || !retry_after(q, csign_http_reply(call),
					trouble, left_ms(until), &pause))
			break;
		csign_http_call_free(&call);
		csign_channel_wait(q->channel, pause);
	}
	csign_http_call_free(&call);
	q->failures = 0;
	return trouble;
}

/*
 * Which devices are gone from the host.  Nobody waits for it, and what is not
 * told today is told with the next question: the note is there until then.
 */
static void
tell_removed(struct question *q)
{
	const uint64_t until = now_ms() + CSIGN_OUTCOME_TIMEOUT_MS;

	for (size_t i = 0; i < q->channel->n_removed; i++) {
		const struct last_word last = {
		    .word = WORD_REMOVED, .device = q->channel->removed[i]};

		(void)tell_service(q, &last, until);
	}
}

/* The library has decided: true if that was its last word. */
static bool
deliver(struct question *q)
{
	struct csign_api_outcome outcome = q->channel->outcome;
	const bool again =
	    outcome.code == CSIGN_OUTCOME_REJECTED && outcome.tries_left > 0;
	const struct last_word last = {
	    .word = WORD_OUTCOME, .outcome = &outcome};
	uint8_t trouble;

	q->channel->decided = false;
	outcome.sequence = q->answered;
	trouble = tell_service(q, &last, now_ms() + CSIGN_OUTCOME_TIMEOUT_MS);
	if (!again) {
		q->closed = true;
		return true;
	}
	q->deciding = false;
	if (trouble != 0)
		tell_trouble(q, trouble);
	return false;
}

static void
run(struct question *q)
{
	while (!q->closed) {
		csign_channel_hear(q->channel);
		if (q->channel->decided) {
			if (deliver(q))
				return;
		} else if (q->channel->gone) {
			return;
		} else if (left_ms(q->deadline) == 0) {
			tell_expired(q);
			return;
		} else if (q->deciding) {
			csign_channel_wait(q->channel, left_ms(q->deadline));
		} else {
			poll_once(q);
		}
	}
}

void
csign_question_run(struct csign_channel *channel, struct csign_http *http,
    const struct csign_job *job)
{
	static const struct last_word cancel = {.word = WORD_CANCEL};
	static struct question q; /* 8 KiB of answer, 16 of notes */

	q = (struct question){
	    .channel = channel,
	    .http = http,
	    .job = job,
	    .after = 1, /* that it was created is no news */
	    .deadline = now_ms() + job->deadline_ms,
	};
	if (!create(&q))
		return;
	run(&q);
	if (!q.closed)
		(void)tell_service(
		    &q, &cancel, now_ms() + CSIGN_OUTCOME_TIMEOUT_MS);
	tell_removed(&q);
}
