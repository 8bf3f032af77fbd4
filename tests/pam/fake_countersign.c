/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A libcountersign.so.0 that decides nothing: it plays the outcomes that the
 * "configuration file" tells it, and writes down what it was asked.  Lines:
 *
 *      record PATH             append every call to that file
 *      load NAME, begin NAME   the error of that call, such as NOMEM
 *      wait NAME [VERDICT]     of csign_approval_wait(); several lines are
 *                              played in turn, the last one for ever
 *      ready MS                the descriptor is readable after MS; never: -1
 *      seconds N               left to answer
 *      link URL                with NOQR in it: cannot be drawn
 *      digits TEXT, note TEXT  code and push note of an approval
 *      rings N                 how many phones ring; -1 unless told
 *      device NAME, why TEXT, setting KEY VALUE
 *      code NAME [VERDICT]     of csign_recovery_use(), in turn like wait
 *      left N                  recovery codes left; after a right one
 *      had ID NAME             a device of the account, in their order
 *      enrol_begin NAME, enrol_wait NAME, accept NAME, test NAME, commit NAME,
 *      replace NAME, devices NAME      the error of that call
 *      enrol_ready MS          as ready
 *      new ID NAME             the device that answers the enrolment
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "countersign.h"

#define LINES_MAX 64

struct csign_ctx {
	struct csign_log log;
	char *line[LINES_MAX];
	size_t n_lines;
	size_t codes_tried;
};

struct csign_request {
	char notes[65536];
};

struct csign_approval {
	struct csign_ctx *ctx;
	int fd;
	size_t waits;
	bool granted;
};

static const struct {
	const char *name, *text;
	enum csign_err err;
} errors[] = {{"OK", "success", CSIGN_OK},
#define ENTRY(name, text) {#name, text, CSIGN_E_##name},
    CSIGN_ERR_LIST(ENTRY)
#undef ENTRY
};

#define N_ERRORS (sizeof(errors) / sizeof(errors[0]))

const char *
csign_err_name(enum csign_err err)
{
	for (size_t i = 0; i < N_ERRORS; i++)
		if (errors[i].err == err)
			return errors[i].name;
	return "?";
}

const char *
csign_err_text(enum csign_err err)
{
	for (size_t i = 0; i < N_ERRORS; i++)
		if (errors[i].err == err)
			return errors[i].text;
	return "?";
}

/* --- the script ------------------------------------------------------------
 */

/* What follows key on the nth line that begins with it, or NULL. */
static const char *
look_up(const struct csign_ctx *ctx, const char *key, size_t nth)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < ctx->n_lines; i++)
		if (strncmp(ctx->line[i], key, len) == 0 &&
		    ctx->line[i][len] == ' ' && nth-- == 0)
			return ctx->line[i] + len + 1;
	return NULL;
}

static long
look_up_number(const struct csign_ctx *ctx, const char *key, long otherwise)
{
	const char *value = look_up(ctx, key, 0);

	return value == NULL ? otherwise : strtol(value, NULL, 0);
}

static enum csign_err
error_of(const char *value)
{
	size_t len;

	if (value == NULL)
		return CSIGN_OK;
	len = strcspn(value, " ");
	for (size_t i = 0; i < N_ERRORS; i++)
		if (strlen(errors[i].name) == len &&
		    strncmp(errors[i].name, value, len) == 0)
			return errors[i].err;
	abort(); /* a mistake in the test */
}

static void
record(const struct csign_ctx *ctx, const char *what, const char *text)
{
	const char *path = look_up(ctx, "record", 0);
	FILE *out;

	if (path == NULL)
		return;
	if ((out = fopen(path, "ae")) == NULL)
		abort();
	fprintf(out, "%s%s%s\n", what, text[0] == '\0' ? "" : " ", text);
	fclose(out);
}

/* --- context ---------------------------------------------------------------
 */

enum csign_err
csign_ctx_new(const struct csign_log *log, struct csign_ctx **ret_ctx)
{
	struct csign_ctx *ctx = calloc(1, sizeof(*ctx));

	if (ctx == NULL)
		return CSIGN_E_NOMEM;
	if (log != NULL)
		ctx->log = *log;
	*ret_ctx = ctx;
	return CSIGN_OK;
}

void
csign_ctx_free(struct csign_ctx **ctx)
{
	if (*ctx == NULL)
		return;
	for (size_t i = 0; i < (*ctx)->n_lines; i++)
		free((*ctx)->line[i]);
	free(*ctx);
	*ctx = NULL;
}

enum csign_err
csign_ctx_load(struct csign_ctx *ctx, const char *path, const char *service)
{
	char *line = NULL;
	size_t size = 0;
	FILE *in;

	if (path == NULL || (in = fopen(path, "re")) == NULL)
		return CSIGN_E_FILE;
	while (ctx->n_lines < LINES_MAX && getline(&line, &size, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		ctx->line[ctx->n_lines++] = line;
		line = NULL;
		size = 0;
	}
	free(line);
	fclose(in);
	record(ctx, "load", service == NULL ? "(none)" : service);
	if (ctx->log.write != NULL)
		ctx->log.write(ctx->log.arg, CSIGN_LOG_DEBUG, "fake library");
	return error_of(look_up(ctx, "load", 0));
}

const char *
csign_ctx_why(const struct csign_ctx *ctx)
{
	const char *why = look_up(ctx, "why", 0);

	return why == NULL ? "" : why;
}

const char *
csign_ctx_setting(struct csign_ctx *ctx, const char *key)
{
	char whole[64];

	snprintf(whole, sizeof(whole), "setting %s", key);
	return look_up(ctx, whole, 0);
}

/* --- request ---------------------------------------------------------------
 */

enum csign_err
csign_request_new(struct csign_request **ret_req)
{
	if ((*ret_req = calloc(1, sizeof(**ret_req))) == NULL)
		return CSIGN_E_NOMEM;
	return CSIGN_OK;
}

void
csign_request_free(struct csign_request **req)
{
	free(*req);
	*req = NULL;
}

static enum csign_err
add_note(struct csign_request *req, const char *what, const char *value)
{
	size_t len = strlen(req->notes);

	snprintf(req->notes + len, sizeof(req->notes) - len, "%s%s=%s",
	    len == 0 ? "" : "\n", what, value == NULL ? "" : value);
	return CSIGN_OK;
}

enum csign_err
csign_request_set(struct csign_request *req, enum csign_request_field field,
    const char *value)
{
	static const char *const names[] = {
	    "?", "user", "service", "title", "rhost", "tty"};

	return add_note(req, names[field], value);
}

enum csign_err
csign_request_add_detail(
    struct csign_request *req, const char *label, const char *value)
{
	return add_note(req, label, value);
}

void
csign_request_set_proven(struct csign_request *req, bool yes)
{
	if (add_note(req, "proven", yes ? "yes" : "no") != CSIGN_OK)
		abort();
}

void
csign_request_set_unproven(struct csign_request *req, bool yes)
{
	if (add_note(req, "unproven", yes ? "yes" : "no") != CSIGN_OK)
		abort();
}

void
csign_request_set_push(struct csign_request *req, bool yes)
{
	if (add_note(req, "push", yes ? "yes" : "no") != CSIGN_OK)
		abort();
}

/* --- approval --------------------------------------------------------------
 */

static int
timer_after(long ms)
{
	struct itimerspec when = {.it_value = {.tv_sec = ms / 1000,
				      .tv_nsec = ms % 1000 * 1000000 + 1}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || (ms >= 0 && timerfd_settime(fd, 0, &when, NULL) != 0))
		abort();
	return fd;
}

static enum csign_err
new_approval(struct csign_ctx *ctx, struct csign_approval **ret_ap)
{
	struct csign_approval *ap;

	if ((ap = calloc(1, sizeof(*ap))) == NULL)
		return CSIGN_E_NOMEM;
	ap->ctx = ctx;
	ap->fd = timer_after(look_up_number(ctx, "ready", 0));
	*ret_ap = ap;
	return CSIGN_OK;
}

enum csign_err
csign_approval_begin(struct csign_ctx *ctx, const struct csign_request *req,
    struct csign_approval **ret_ap)
{
	enum csign_err r = error_of(look_up(ctx, "begin", 0));

	record(ctx, "begin", "");
	record(ctx, req->notes, "");
	return r != CSIGN_OK ? r : new_approval(ctx, ret_ap);
}

void
csign_approval_free(struct csign_approval **ap)
{
	if (*ap == NULL)
		return;
	record((*ap)->ctx, "free", "");
	close((*ap)->fd);
	free(*ap);
	*ap = NULL;
}

const char *
csign_approval_link(const struct csign_approval *ap)
{
	const char *link = look_up(ap->ctx, "link", 0);

	return link == NULL
		   ? "https://approve.example.org/#ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		   : link;
}

static const char *
text_of(const struct csign_approval *ap, const char *key)
{
	const char *text = look_up(ap->ctx, key, 0);

	return text == NULL ? "" : text;
}

const char *
csign_approval_code(const struct csign_approval *ap)
{
	return text_of(ap, "digits");
}

const char *
csign_approval_push_note(const struct csign_approval *ap)
{
	return text_of(ap, "note");
}

int
csign_approval_rings(const struct csign_approval *ap)
{
	return (int)look_up_number(ap->ctx, "rings", -1);
}

uint32_t
csign_approval_seconds_left(const struct csign_approval *ap)
{
	return (uint32_t)look_up_number(ap->ctx, "seconds", 90);
}

int
csign_approval_fd(const struct csign_approval *ap)
{
	return ap->fd;
}

/* The next line of this kind, or the last one for ever. */
static const char *
next_line(const struct csign_ctx *ctx, const char *key, size_t *n)
{
	const char *play = look_up(ctx, key, *n);

	if (play == NULL && *n > 0)
		return look_up(ctx, key, *n - 1);
	(*n)++;
	return play;
}

/* "OK", "OK 0x1234" or the name of an error. */
static enum csign_err
play_verdict(const char *play, uint32_t *ret_verdict)
{
	enum csign_err r = error_of(play);
	const char *verdict = play == NULL ? NULL : strchr(play, ' ');

	if (r == CSIGN_OK)
		*ret_verdict = verdict == NULL
				   ? CSIGN_VERDICT_GRANTED
				   : (uint32_t)strtoul(verdict, NULL, 0);
	return r;
}

enum csign_err
csign_approval_wait(
    struct csign_approval *ap, int timeout_ms, uint32_t *ret_verdict)
{
	const char *play = next_line(ap->ctx, "wait", &ap->waits);
	enum csign_err r = play_verdict(play, ret_verdict);

	(void)timeout_ms;
	record(ap->ctx, "wait", play == NULL ? "" : play);
	if (r == CSIGN_OK)
		ap->granted = true;
	return r;
}

const char *
csign_approval_device(const struct csign_approval *ap)
{
	const char *device = look_up(ap->ctx, "device", 0);

	return !ap->granted ? "" : device == NULL ? "a phone" : device;
}

/* --- recovery codes --------------------------------------------------------
 */

bool
csign_recovery_shape(const char *text)
{
	return strlen(text) == 29 && text[4] == '-' && text[24] == '-';
}

enum csign_err
csign_recovery_use(struct csign_ctx *ctx, const struct csign_request *req,
    const char *code, uint32_t *ret_verdict, size_t *ret_left)
{
	enum csign_err r = CSIGN_E_RECOVERY;

	if (csign_recovery_shape(code))
		r = play_verdict(
		    next_line(ctx, "code", &ctx->codes_tried), ret_verdict);
	record(ctx, "code", code);
	record(ctx, req->notes, "");
	if (r == CSIGN_OK)
		*ret_left = (size_t)look_up_number(ctx, "left", 9);
	return r;
}

int
csign_approval_codes_left(const struct csign_approval *ap)
{
	if (!ap->granted || look_up(ap->ctx, "left", 0) == NULL)
		return -1;
	return (int)look_up_number(ap->ctx, "left", 0);
}

/* --- devices ---------------------------------------------------------------
 */

struct csign_devices {
	const struct csign_ctx *ctx;
	struct csign_device_info info;
	char id[17];
};

/* "ID NAME" */
static void
read_device(const char *line, char id[17], struct csign_device_info *info)
{
	snprintf(id, 17, "%.16s", line);
	*info = (struct csign_device_info){.kind = "webauthn",
	    .id = id,
	    .name = line + 17,
	    .added = "2026-11-22T08:00:00Z",
	    .by = "root",
	    .last_used = "",
	    .rp = ""};
}

enum csign_err
csign_devices_load(
    struct csign_ctx *ctx, const char *user, struct csign_devices **ret_devices)
{
	enum csign_err r = error_of(look_up(ctx, "devices", 0));

	record(ctx, "devices", user);
	if (r == CSIGN_OK && look_up(ctx, "had", 0) == NULL)
		r = CSIGN_E_UNENROLLED;
	if (r != CSIGN_OK)
		return r;
	if ((*ret_devices = calloc(1, sizeof(**ret_devices))) == NULL)
		return CSIGN_E_NOMEM;
	(*ret_devices)->ctx = ctx;
	return CSIGN_OK;
}

void
csign_devices_free(struct csign_devices **devices)
{
	free(*devices);
	*devices = NULL;
}

size_t
csign_devices_count(const struct csign_devices *devices)
{
	size_t n = 0;

	while (look_up(devices->ctx, "had", n) != NULL)
		n++;
	return n;
}

const struct csign_device_info *
csign_devices_get(const struct csign_devices *devices, size_t index)
{
	struct csign_devices *d = (struct csign_devices *)(uintptr_t)devices;

	read_device(look_up(d->ctx, "had", index), d->id, &d->info);
	return &d->info;
}

/* --- enrolment -------------------------------------------------------------
 */

struct csign_enrolment {
	struct csign_ctx *ctx;
	struct csign_device_info info;
	char id[17];
	int fd;
	size_t waits;
};

enum csign_err
csign_enrolment_begin(struct csign_ctx *ctx, const char *user, const char *by,
    const char *name, struct csign_enrolment **ret_en)
{
	enum csign_err r = error_of(look_up(ctx, "enrol_begin", 0));
	struct csign_enrolment *en;
	char text[128];

	snprintf(text, sizeof(text), "%s by %s", user, by);
	record(ctx, "enrol_begin", text);
	if (name != NULL)
		abort();
	if (r != CSIGN_OK)
		return r;
	if ((en = calloc(1, sizeof(*en))) == NULL)
		return CSIGN_E_NOMEM;
	en->ctx = ctx;
	en->fd = timer_after(look_up_number(ctx, "enrol_ready", 0));
	*ret_en = en;
	return CSIGN_OK;
}

void
csign_enrolment_free(struct csign_enrolment **en)
{
	if (*en == NULL)
		return;
	record((*en)->ctx, "enrol_free", "");
	close((*en)->fd);
	free(*en);
	*en = NULL;
}

const char *
csign_enrolment_link(const struct csign_enrolment *en)
{
	(void)en;
	return "https://approve.example.org/#ENROLENROLENROLENROLENROLE";
}

uint32_t
csign_enrolment_seconds_left(const struct csign_enrolment *en)
{
	return (uint32_t)look_up_number(en->ctx, "enrol_seconds", 600);
}

int
csign_enrolment_fd(const struct csign_enrolment *en)
{
	return en->fd;
}

enum csign_err
csign_enrolment_wait(struct csign_enrolment *en, int timeout_ms)
{
	const char *play = next_line(en->ctx, "enrol_wait", &en->waits);

	(void)timeout_ms;
	record(en->ctx, "enrol_wait", play == NULL ? "" : play);
	return error_of(play);
}

const struct csign_device_info *
csign_enrolment_device(const struct csign_enrolment *en)
{
	struct csign_enrolment *e = (struct csign_enrolment *)(uintptr_t)en;
	const char *line = look_up(e->ctx, "new", 0);

	read_device(line == NULL ? "abcdefghijklmnop new phone" : line, e->id,
	    &e->info);
	return &e->info;
}

enum csign_err
csign_enrolment_accept(struct csign_enrolment *en, bool yes)
{
	record(en->ctx, "accept", yes ? "yes" : "no");
	return error_of(look_up(en->ctx, "accept", 0));
}

enum csign_err
csign_enrolment_replace(struct csign_enrolment *en, const char *device)
{
	record(en->ctx, "replace", device);
	return error_of(look_up(en->ctx, "replace", 0));
}

enum csign_err
csign_enrolment_test(struct csign_enrolment *en,
    const struct csign_request *req, struct csign_approval **ret_ap)
{
	enum csign_err r = error_of(look_up(en->ctx, "test", 0));

	record(en->ctx, "test", req == NULL ? "of nothing" : "of the login");
	return r != CSIGN_OK ? r : new_approval(en->ctx, ret_ap);
}

enum csign_err
csign_enrolment_commit(
    struct csign_enrolment *en, const struct csign_approval *test)
{
	if (!test->granted)
		abort();
	record(en->ctx, "commit", "");
	return error_of(look_up(en->ctx, "commit", 0));
}

/* --- a QR code of the right size -------------------------------------------
 */

enum csign_err
csign_qr_draw(
    const char *text, enum csign_qr_style style, bool inverse, char **ret_qr)
{
	const char *module = style == CSIGN_QR_ASCII ? "##"
			     : inverse               ? "\xe2\x96\x84"
						     : "\xe2\x96\x88";
	size_t rows = style == CSIGN_QR_ASCII ? 37 : 19, size;
	FILE *out;

	if (strstr(text, "NOQR") != NULL)
		return CSIGN_E_QR;
	out = open_memstream(ret_qr, &size);
	if (out == NULL)
		return CSIGN_E_NOMEM;
	for (size_t row = 0; row < rows; row++) {
		for (size_t column = 0; column < 37; column++)
			fputs(module, out);
		fputc('\n', out);
	}
	fclose(out);
	return CSIGN_OK;
}
