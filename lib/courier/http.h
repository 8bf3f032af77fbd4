/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP to one service: the one place that makes a libcurl handle, with every
 * default that matters overridden (countersign-security(7) NET-1 to NET-3). The
 * courier and countersign-phone(1) use it, nothing in a PAM process does.
 *
 * https:// only; http:// to a loopback host or a unix socket.  TLS 1.2 or
 * newer with ECDHE and AEAD, certificate and its subjectAltName checked,
 * always. No redirect, netrc, HSTS, alt-svc, content encoding, environment, and
 * no cookie or proxy that was not given.  Headers and body are capped while
 * they arrive.
 *
 * One request after the other, as an example:
 *
 *      const struct csign_http_config config = { .origin = origin };
 *      const struct csign_http_request request = {
 *              .method = CSIGN_HTTP_POST, .path = "/links/abc/seen",
 *              .json = "{}", .json_len = 2, .timeout_ms = 10000 };
 *      const struct csign_http_reply *reply;
 *      struct csign_http_call *call = NULL;
 *
 *      (csign_http_global() once at the start of the program)
 *      if ((r = csign_http_new(&config, why, &http)) != CSIGN_OK ||
 *          (r = csign_http_run(http, &request, &call)) != CSIGN_OK)
 *              goto out;
 *      reply = csign_http_reply(call);
 *      if (csign_http_expect(reply, 204, CSIGN_HTTP_TYPE_NONE, why) != 0)
 *              (why says what was wrong)
 *      csign_http_call_free(&call);
 *
 * Connections are kept alive between the calls of one struct csign_http.
 */
#ifndef CSIGN_HTTP_H
#define CSIGN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "countersign.h"
#include "frame.h"
#include "why.h"

struct csign_http;      /* a service, how to reach it, its connections */
struct csign_http_call; /* one request and its reply */

/* Strings are copied; NULL and "" both mean none. */
struct csign_http_config {
	const char *origin;  /* https://host[:port], no path; required */
	const char *socket;  /* unix socket instead of TCP */
	const char *ca_file; /* PEM, instead of the system's certificates */
	const char *pins;    /* sha256//... sha256//... */
	const char *proxy;   /* http://host:port */
	const char *bearer;  /* access key for Authorization */
	uint32_t connect_ms; /* name, TCP and TLS; 0: 3 seconds */
	/*
	 * Another one, or NULL: csign_http_turn() of either works on the calls
	 * of both.  It has to live longer.
	 */
	struct csign_http *beside;
};

enum csign_http_method {
	CSIGN_HTTP_GET = 1,
	CSIGN_HTTP_POST,
	CSIGN_HTTP_DELETE,
	CSIGN_HTTP_PATCH,
};

/* Everything is copied. */
struct csign_http_request {
	enum csign_http_method method;
	const char *path; /* "/ping", with query if any */
	const char *json; /* body of a POST or PATCH; NULL: none */
	size_t json_len;
	const char *cookie;  /* NAME=VALUE; NULL or "": none */
	uint32_t timeout_ms; /* for the whole exchange; at least 1 */
	size_t body_max;     /* of the reply; 0: CSIGN_HTTP_BODY_MAX */
	bool look;           /* for the reply's date and certificate_end */
};

/* Content-Type of the reply, exactly, without parameters. */
enum csign_http_type {
	CSIGN_HTTP_TYPE_NONE, /* no such header and no body */
	CSIGN_HTTP_TYPE_JSON, /* application/json */
	CSIGN_HTTP_TYPE_TEXT, /* text/plain */
	CSIGN_HTTP_TYPE_OTHER,
};

struct csign_http_reply {
	/*
	 * 0: the service replied, whatever it said.  Otherwise there is no
	 * reply and status is 0: UNREACHABLE, TLS, BAD_REPLY or INTERNAL.
	 */
	uint8_t trouble; /* enum csign_trouble */
	bool sent;       /* the service may have got the request */
	int status;      /* 200 */
	enum csign_http_type type;
	const char *body; /* NUL-terminated, at most body_max */
	size_t body_len;
	int64_t retry_after; /* seconds, -1: none or not a plain number */
	/* of a request with look: seconds since 1970, 0: not known */
	uint64_t date;            /* the service's clock */
	uint64_t certificate_end; /* of its chain, the first one to end */
	char text[256];           /* trouble in words, else "" */
};

/*
 * Once a process, before everything else here; takes about a millisecond.
 * From then on the process ignores SIGPIPE.
 */
CSIGN_WUR enum csign_err csign_http_global(void);
/*
 * Nothing is sent yet.  CSIGN_E_CONFIG: origin or proxy is not allowed.
 * csign_http_free() may only follow when its calls are freed.
 */
CSIGN_WUR enum csign_err csign_http_new(const struct csign_http_config *config,
    struct csign_why *why, struct csign_http **ret_http);
void csign_http_free(struct csign_http **http);

/* The whole exchange; CSIGN_OK also when there was trouble (see the reply). */
CSIGN_WUR enum csign_err csign_http_run(struct csign_http *http,
    const struct csign_http_request *request,
    struct csign_http_call **ret_call);

/*
 * The same in steps, for a program that listens to fd (-1: none) meanwhile and
 * may have more than one call under way: begin, then turn until done.
 */
CSIGN_WUR enum csign_err csign_http_begin(struct csign_http *http,
    const struct csign_http_request *request,
    struct csign_http_call **ret_call);
/*
 * Works on all calls, sleeping at most timeout_ms (never for ever) while none
 * can go on and nothing can be read from fd.
 */
CSIGN_WUR enum csign_err csign_http_turn(
    struct csign_http *http, int fd, uint32_t timeout_ms);
bool csign_http_done(const struct csign_http_call *call);
/* Of a call that is done; lives as long as the call. */
const struct csign_http_reply *csign_http_reply(
    const struct csign_http_call *call);
/*
 * NAME=VALUE of the reply's only Set-Cookie, of a call that is done; nothing of
 * what else it says is heeded.  CSIGN_E_NOT_FOUND: none that fits.
 */
CSIGN_WUR enum csign_err csign_http_cookie(
    const struct csign_http_call *call, char *out, size_t size);
/* Breaks it off if it is under way. */
void csign_http_call_free(struct csign_http_call **call);

/*
 * 0 if the service replied with this status and type (and, for TYPE_NONE,
 * without a body); otherwise the enum csign_trouble that it is, and why.  By
 * status: 401 UNAUTHORISED, 403 FORBIDDEN, 404 NOT_FOUND, 409 CONFLICT,
 * 429 LIMITED, 5xx UNAVAILABLE, anything else BAD_REPLY.
 */
CSIGN_WUR uint8_t csign_http_expect(const struct csign_http_reply *reply,
    int status, enum csign_http_type type, struct csign_why *why);

#endif
