/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "clock.h"
#include "codec.h"
#include "endpoint.h"
#include "log.h"
#include "push_send.h"
#include "push_verdict.h"
#include "push_wire.h"
#include "webpush.h"

#define JOBS_MAX 10000
#define ACTIVE_MAX 64
#define LANE_ACTIVE_MAX 8
#define STARTED_AT_ONCE 4 /* in one turn of the event loop */
#define BACKOFF_MS 1000U  /* doubling, to */
#define BACKOFF_MAX_MS 16000U
#define NOTICE_TRIES 3
#define LOUD_MAX 64 /* complaints that are remembered */
#define LINE_SIZE 64

struct job {
	TAILQ_ENTRY(job) next;
	struct push_send *send;
	struct lane *lane;
	struct event *timer; /* until it comes again, or NULL */
	int64_t approval;
	uint64_t ends;
	unsigned tries;
	bool notice;
	bool plain; /* a wake-up without keys */
	struct webpush_keys keys;
	struct endpoint endpoint;
	struct subscription subscription;
	char transaction_id[STORE_ID_SIZE];
	char link_id[CSIGN_LINK_ID_SIZE]; /* "" of a notice */
	char topic[PUSH_TOPIC_SIZE];
	struct csign_buf *body; /* while it is under way */
};

TAILQ_HEAD(job_list, job);

/* One push service. */
struct lane {
	TAILQ_ENTRY(lane) next;
	struct job_list waiting, active, later;
	unsigned n_active;
	char origin[ENDPOINT_ORIGIN_MAX + 1];
};

TAILQ_HEAD(lane_list, lane);

struct complaint {
	int status;
	char origin[ENDPOINT_ORIGIN_MAX + 1];
};

struct push_send {
	struct event_base *base;
	struct csign_crypto *crypto;
	struct vapid *vapid;
	const struct settings *settings;
	struct push_send_calls calls;
	struct push_wire *wire;
	struct event *starter;
	struct lane_list lanes;
	unsigned n_jobs, n_active;
	struct complaint loud[LOUD_MAX];
	unsigned n_loud;
};

static uint64_t
now_ms(void)
{
	uint64_t ms = 0;

	if (csign_clock_wall(&ms) != CSIGN_OK)
		log_event(CSIGN_LOG_ERR, "clock_error");
	return ms;
}

/* --- lanes and jobs ------------------------------------------------------- */

static struct lane *
lane_of(struct push_send *send, const char *origin)
{
	struct lane *lane;

	TAILQ_FOREACH(lane, &send->lanes, next)
	if (strcmp(lane->origin, origin) == 0)
		return lane;
	if ((lane = calloc(1, sizeof *lane)) == NULL)
		return NULL;
	TAILQ_INIT(&lane->waiting);
	TAILQ_INIT(&lane->active);
	TAILQ_INIT(&lane->later);
	(void)snprintf(lane->origin, sizeof lane->origin, "%s", origin);
	TAILQ_INSERT_TAIL(&send->lanes, lane, next);
	return lane;
}

static void
lane_tidy(struct push_send *send, struct lane *lane)
{
	if (!TAILQ_EMPTY(&lane->waiting) || !TAILQ_EMPTY(&lane->active) ||
	    !TAILQ_EMPTY(&lane->later))
		return;
	TAILQ_REMOVE(&send->lanes, lane, next);
	free(lane);
}

/* It is in no list any more. */
static void
job_free(struct push_send *send, struct job *job)
{
	if (job->timer != NULL)
		event_free(job->timer);
	csign_buf_free(&job->body);
	send->n_jobs--;
	free(job);
}

static void
wake(struct push_send *send)
{
	static const struct timeval now = {0, 0};

	(void)event_add(send->starter, &now);
}

/* Says what became of it; info is for what happens every day. */
static void
log_job(enum csign_log_level level, const char *event, const struct job *job,
    const char *key, const char *value)
{
	log_event(level, event, "transaction", job->transaction_id, "service",
	    job->endpoint.origin, key, value);
}

/* --- what is sent --------------------------------------------------------- */

static enum csign_err
make_body(struct push_send *send, struct job *job)
{
	static const char plain[] = "There is a question for you.";
	char payload[64];
	enum csign_err r;
	int len;

	if ((r = csign_buf_new(WEBPUSH_BODY_MAX, &job->body)) != CSIGN_OK)
		return r;
	if (job->plain)
		return csign_buf_put_str(job->body, plain);
	len = snprintf(
	    payload, sizeof payload, "{\"v\":1,\"link\":\"%s\"}", job->link_id);
	return webpush_seal(send->crypto, &job->keys, payload, (size_t)len,
	    PUSH_PAYLOAD_LEN, job->body);
}

static void on_done(void *arg, const struct push_reply *reply);

static enum csign_err
post(struct push_send *send, struct job *job, uint64_t now)
{
	char ttl[LINE_SIZE], urgency[LINE_SIZE], topic[LINE_SIZE];
	const char *authorization = NULL;
	const char *headers[7];
	const struct push_post what = {.url = job->subscription.endpoint,
	    .endpoint = &job->endpoint,
	    .headers = headers,
	    .body = job->body};
	enum csign_err r;
	size_t n = 0;

	(void)snprintf(ttl, sizeof ttl, "TTL: %llu",
	    (unsigned long long)((job->ends - now) / 1000));
	(void)snprintf(urgency, sizeof urgency, "Urgency: %s",
	    job->notice ? "low" : "high");
	(void)snprintf(topic, sizeof topic, "Topic: %s", job->topic);
	headers[n++] = ttl;
	headers[n++] = urgency;
	headers[n++] = topic;
	if (job->plain) {
		headers[n++] = "Content-Type: text/plain";
	} else {
		headers[n++] = "Content-Type: application/octet-stream";
		headers[n++] = "Content-Encoding: aes128gcm";
		if ((r = vapid_header(send->vapid, job->endpoint.origin,
			 now / 1000, &authorization)) != CSIGN_OK)
			return r;
		headers[n++] = authorization;
	}
	headers[n] = NULL;
	return push_wire_post(send->wire, &what, on_done, job);
}

/* --- when it is sent ------------------------------------------------------ */

/* How long until the next try: as the push service says, or doubling. */
static uint64_t
pause_of(const struct job *job, const struct push_reply *reply, uint64_t now)
{
	uint64_t ms = BACKOFF_MAX_MS;

	if (push_retry_after(reply->retry_after, now, &ms))
		return ms < BACKOFF_MS ? BACKOFF_MS : ms;
	if (job->tries < 5)
		ms = (uint64_t)BACKOFF_MS << (job->tries - 1);
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;

	(void)fd;
	(void)what;
	TAILQ_REMOVE(&job->lane->later, job, next);
	TAILQ_INSERT_TAIL(&job->lane->waiting, job, next);
	wake(job->send);
}

/* True if it comes again; it is in no list before. */
static bool
put_off(struct job *job, const struct push_reply *reply, uint64_t now)
{
	uint64_t ms = pause_of(job, reply, now);
	struct timeval in = {
	    (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	if (now + ms >= job->ends ||
	    (job->notice && job->tries >= NOTICE_TRIES))
		return false;
	if (job->timer == NULL && (job->timer = event_new(job->send->base, -1,
				       0, on_later, job)) == NULL)
		return false;
	if (event_add(job->timer, &in) != 0)
		return false;
	TAILQ_INSERT_TAIL(&job->lane->later, job, next);
	return true;
}

/* Is it the first time that this push service says this? */
static bool
is_news(struct push_send *send, const struct job *job, int status)
{
	struct complaint *complaint;

	for (unsigned i = 0; i < send->n_loud; i++)
		if (send->loud[i].status == status &&
		    strcmp(send->loud[i].origin, job->endpoint.origin) == 0)
			return false;
	if (send->n_loud == LOUD_MAX)
		return false;
	complaint = &send->loud[send->n_loud++];
	complaint->status = status;
	memcpy(
	    complaint->origin, job->endpoint.origin, sizeof complaint->origin);
	return true;
}

static void
log_refused(
    struct push_send *send, const struct job *job, int status, const char *what)
{
	char text[12];

	(void)snprintf(text, sizeof text, "%d", status);
	if (is_news(send, job, status))
		log_event(CSIGN_LOG_ERR, "push_refused", "service",
		    job->endpoint.origin, "status", text, "reason", what);
	log_job(CSIGN_LOG_INFO, "push_given_up", job, "reason", what);
}

/* What it means; true if the job comes again. */
static bool
judge(struct push_send *send, struct job *job, const struct push_reply *reply)
{
	uint64_t now = now_ms();
	const char *meaning;

	switch (push_verdict(reply, &meaning)) {
	case PUSH_TAKEN:
		log_job(CSIGN_LOG_INFO, "push_sent", job, "kind",
		    job->notice ? "notice" : "question");
		return false;
	case PUSH_GONE:
		log_job(CSIGN_LOG_NOTICE, "push_subscription_gone", job,
		    "reason", meaning);
		send->calls.gone(send->calls.arg, &job->subscription);
		return false;
	case PUSH_REFUSED:
		log_refused(send, job, reply->status, meaning);
		return false;
	case PUSH_LATER:
		break;
	}
	if (put_off(job, reply, now)) {
		log_job(CSIGN_LOG_INFO, "push_delayed", job, "reason", meaning);
		return true;
	}
	log_job(CSIGN_LOG_NOTICE, "push_given_up", job, "reason", meaning);
	return false;
}

static void
on_done(void *arg, const struct push_reply *reply)
{
	struct job *job = arg;
	struct push_send *send = job->send;
	struct lane *lane = job->lane;

	TAILQ_REMOVE(&lane->active, job, next);
	lane->n_active--;
	send->n_active--;
	csign_buf_free(&job->body);
	if (!judge(send, job, reply)) {
		job_free(send, job);
		lane_tidy(send, lane);
	}
	wake(send);
}

/* True if it is under way now. */
static bool
start(struct push_send *send, struct job *job)
{
	uint64_t now = now_ms();
	enum csign_err r;

	/* Answered, or over, while it waited: nobody rings for that. */
	if (now >= job->ends ||
	    (!job->notice && !send->calls.still_open(send->calls.arg,
				 job->approval, job->transaction_id)))
		return false;
	job->tries++;
	if ((r = make_body(send, job)) == CSIGN_OK)
		r = post(send, job, now);
	if (r != CSIGN_OK)
		log_job(CSIGN_LOG_ERR, "push_failed", job, "error",
		    csign_err_name(r));
	return r == CSIGN_OK;
}

static void
start_first(struct push_send *send, struct lane *lane)
{
	struct job *job = TAILQ_FIRST(&lane->waiting);

	TAILQ_REMOVE(&lane->waiting, job, next);
	if (start(send, job)) {
		TAILQ_INSERT_TAIL(&lane->active, job, next);
		lane->n_active++;
		send->n_active++;
		return;
	}
	job_free(send, job);
	lane_tidy(send, lane);
}

/* The next lane that may send; it goes to the end, so that each has its turn.
 */
static struct lane *
next_lane(struct push_send *send)
{
	struct lane *lane;

	TAILQ_FOREACH(lane, &send->lanes, next)
	if (!TAILQ_EMPTY(&lane->waiting) && lane->n_active < LANE_ACTIVE_MAX)
		break;
	if (lane == NULL)
		return NULL;
	TAILQ_REMOVE(&send->lanes, lane, next);
	TAILQ_INSERT_TAIL(&send->lanes, lane, next);
	return lane;
}

/* A few, then others have their turn: answers are more urgent than rings. */
static void
on_start(evutil_socket_t fd, short what, void *arg)
{
	struct push_send *send = arg;
	struct lane *lane;

	(void)fd;
	(void)what;
	for (int i = 0; i < STARTED_AT_ONCE; i++) {
		if (send->n_active >= ACTIVE_MAX ||
		    (lane = next_lane(send)) == NULL)
			return;
		start_first(send, lane);
	}
	wake(send);
}

/* --- from outside --------------------------------------------------------- */

enum csign_err
push_send_new(struct event_base *base, struct csign_crypto *crypto,
    struct vapid *vapid, const struct settings *settings,
    const struct push_send_calls *calls, struct push_send **ret_send)
{
	struct push_send *send;
	enum csign_err r;

	if ((send = calloc(1, sizeof *send)) == NULL)
		return CSIGN_E_NOMEM;
	TAILQ_INIT(&send->lanes);
	send->base = base;
	send->crypto = crypto;
	send->vapid = vapid;
	send->settings = settings;
	send->calls = *calls;
	send->starter = event_new(base, -1, 0, on_start, send);
	r = send->starter == NULL ? CSIGN_E_NOMEM
				  : push_wire_new(base, settings->push_ca_file,
					settings->push_private, &send->wire);
	if (r != CSIGN_OK) {
		push_send_free(&send);
		return r;
	}
	*ret_send = send;
	return CSIGN_OK;
}

static void
jobs_free(struct push_send *send, struct job_list *jobs)
{
	struct job *job;

	while ((job = TAILQ_FIRST(jobs)) != NULL) {
		TAILQ_REMOVE(jobs, job, next);
		job_free(send, job);
	}
}

void
push_send_free(struct push_send **send)
{
	struct lane *lane, *next;

	if (*send == NULL)
		return;
	/* First what still reads from the jobs. */
	push_wire_free(&(*send)->wire);
	for (lane = TAILQ_FIRST(&(*send)->lanes); lane != NULL; lane = next) {
		next = TAILQ_NEXT(lane, next);
		jobs_free(*send, &lane->active);
		jobs_free(*send, &lane->waiting);
		jobs_free(*send, &lane->later);
		free(lane);
	}
	if ((*send)->starter != NULL)
		event_free((*send)->starter);
	free(*send);
	*send = NULL;
}

bool
push_send_has_room(const struct push_send *send)
{
	return send->n_jobs < JOBS_MAX;
}

static enum csign_err
fill(struct push_send *send, const struct ring *ring, struct job *job)
{
	const struct subscription *subscription = ring->subscription;

	job->send = send;
	job->approval = ring->approval;
	job->ends = ring->ends;
	job->notice = ring->link_id == NULL;
	job->plain = subscription->p256dh[0] == '\0';
	job->subscription = *subscription;
	(void)snprintf(job->transaction_id, sizeof job->transaction_id, "%s",
	    ring->transaction_id);
	(void)snprintf(job->link_id, sizeof job->link_id, "%s",
	    job->notice ? "" : ring->link_id);
	(void)snprintf(job->topic, sizeof job->topic, "%s", ring->topic);
	return endpoint_read(subscription->endpoint, send->settings->push_hosts,
	    NULL, &job->endpoint);
}

enum csign_err
push_send_ring(struct push_send *send, const struct ring *ring)
{
	enum csign_err r = CSIGN_E_NOMEM;
	struct job *job;

	if (!push_send_has_room(send))
		return CSIGN_E_LIMIT;
	if ((job = calloc(1, sizeof *job)) == NULL)
		return CSIGN_E_NOMEM;
	if ((r = fill(send, ring, job)) != CSIGN_OK ||
	    (!job->plain &&
		(r = webpush_keys_read(send->crypto, ring->subscription->p256dh,
		     ring->subscription->auth, &job->keys)) != CSIGN_OK))
		goto out;
	r = CSIGN_E_NOMEM;
	if ((job->lane = lane_of(send, job->endpoint.origin)) == NULL)
		goto out;
	TAILQ_INSERT_TAIL(&job->lane->waiting, job, next);
	send->n_jobs++;
	wake(send);
	return CSIGN_OK;
out:
	free(job);
	return r;
}
