/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codec.h"
#include "text.h"
#include "transaction.h"

/* A value is cut in steps, and never to fewer characters than this. */
#define VALUE_MIN 96
#define VALUE_STEP 32

/* Bytes of n characters, as csign_text_safe() writes them. */
#define SAFE_MAX(n) ((size_t)(n)*4)

void
csign_transaction_clear(struct csign_transaction *t)
{
	free(t->host);
	free(t->user);
	free(t->service);
	free(t->title);
	for (size_t i = 0; i < t->n_details; i++) {
		free(t->details[i].label);
		free(t->details[i].value);
	}
	for (size_t i = 0; i < t->n_choices; i++)
		free(t->choices[i]);
	free(t->code);
	free(t->nonce);
	free(t->created);
	memset(t, 0, sizeof(*t));
}

bool
csign_choice_valid(const char *choice)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t len = strlen(choice);

	if (len < 1 || len > CSIGN_CHOICE_MAX ||
	    strchr(letters, choice[0]) == NULL || strspn(choice, rest) != len)
		return false;
	return strcmp(choice, "deny") != 0 && strcmp(choice, "not-me") != 0 &&
	       strcmp(choice, "enroll") != 0 && strcmp(choice, "remove") != 0;
}

static bool
choices_valid(const struct csign_transaction *t)
{
	/* An enrolment is answered with "enroll", which is never listed. */
	if (t->enrolment)
		return t->n_choices == 0;
	if (t->n_choices < 1 || t->n_choices > CSIGN_CHOICES_MAX)
		return false;
	for (size_t i = 0; i < t->n_choices; i++) {
		if (!csign_choice_valid(t->choices[i]))
			return false;
		for (size_t k = 0; k < i; k++)
			if (strcmp(t->choices[i], t->choices[k]) == 0)
				return false;
	}
	return true;
}

static bool
code_valid(const char *code)
{
	return strcmp(code, "never") == 0 || strcmp(code, "inbox") == 0 ||
	       strcmp(code, "always") == 0 || strcmp(code, "tap") == 0;
}

static bool
lifetime_valid(const struct csign_transaction *t)
{
	if (t->enrolment)
		return t->lifetime >= CSIGN_ENROL_LIFETIME_MIN &&
		       t->lifetime <= CSIGN_ENROL_LIFETIME_MAX;
	return t->lifetime >= CSIGN_LIFETIME_MIN &&
	       t->lifetime <= CSIGN_LIFETIME_MAX;
}

static bool
nonce_valid(const char *nonce)
{
	unsigned char bytes[CSIGN_NONCE_LEN];
	size_t len = 0;

	return csign_b64u_decode(nonce, strlen(nonce), bytes, sizeof(bytes),
		   &len) == CSIGN_OK &&
	       len == sizeof(bytes);
}

bool
csign_transaction_valid(const struct csign_transaction *t)
{
	uint64_t seconds = 0;

	return choices_valid(t) && code_valid(t->code) && lifetime_valid(t) &&
	       nonce_valid(t->nonce) && t->n_details <= CSIGN_DETAILS_MAX &&
	       csign_time_parse(t->created, &seconds) == CSIGN_OK;
}

/* --- the bytes -------------------------------------------------------------
 */

/* A detail on its way: its texts as they will be shown. */
struct shown {
	struct csign_buf *label;
	struct csign_buf *value;
	size_t max; /* characters that the value may have */
	bool cut;
};

struct draft {
	const struct csign_transaction *t;
	struct csign_buf *host, *user, *service, *title;
	struct shown details[CSIGN_DETAILS_MAX];
	size_t n_details; /* that are shown */
	struct csign_buf *bytes;
};

static void
draft_clear(struct draft *d)
{
	csign_buf_free(&d->host);
	csign_buf_free(&d->user);
	csign_buf_free(&d->service);
	csign_buf_free(&d->title);
	for (size_t i = 0; i < CSIGN_DETAILS_MAX; i++) {
		csign_buf_free(&d->details[i].label);
		csign_buf_free(&d->details[i].value);
	}
	csign_buf_free(&d->bytes);
}

static size_t
characters(const struct csign_buf *buf)
{
	return csign_utf8_count(csign_buf_str(buf), csign_buf_len(buf));
}

/* A text that is shown whole or not at all: 1 to max characters. */
static enum csign_err
show_whole(const char *text, size_t max, struct csign_buf **ret_buf)
{
	enum csign_err r;

	if (text == NULL || text[0] == '\0')
		return CSIGN_E_INVALID;
	if ((r = csign_buf_new(SAFE_MAX(max), ret_buf)) != CSIGN_OK ||
	    (r = csign_text_safe(*ret_buf, text, strlen(text))) != CSIGN_OK)
		return r;
	return characters(*ret_buf) > max ? CSIGN_E_TOO_LONG : CSIGN_OK;
}

static enum csign_err
show_value(const struct csign_detail *detail, struct shown *s)
{
	csign_buf_clear(s->value);
	return csign_text_cut(
	    s->value, detail->value, strlen(detail->value), s->max, &s->cut);
}

static enum csign_err
show_detail(const struct csign_detail *detail, struct shown *s)
{
	enum csign_err r;

	if (detail->value == NULL)
		return CSIGN_E_INVALID;
	s->max = CSIGN_VALUE_MAX;
	if ((r = show_whole(detail->label, CSIGN_LABEL_MAX, &s->label)) !=
		CSIGN_OK ||
	    (r = csign_buf_new(SAFE_MAX(CSIGN_VALUE_MAX), &s->value)) !=
		CSIGN_OK)
		return r;
	return show_value(detail, s);
}

static enum csign_err
draft_fill(struct draft *d)
{
	const struct csign_transaction *t = d->t;
	enum csign_err r;

	if (t->title == NULL || t->title[0] == '\0')
		return CSIGN_E_INVALID;
	if ((r = show_whole(t->host, CSIGN_HOST_MAX, &d->host)) != CSIGN_OK ||
	    (r = show_whole(t->user, CSIGN_USER_MAX, &d->user)) != CSIGN_OK ||
	    (r = show_whole(t->service, CSIGN_SERVICE_MAX, &d->service)) !=
		CSIGN_OK ||
	    (r = csign_buf_new(SAFE_MAX(CSIGN_TITLE_MAX), &d->title)) !=
		CSIGN_OK ||
	    (r = csign_text_cut(d->title, t->title, strlen(t->title),
		 CSIGN_TITLE_MAX, NULL)) != CSIGN_OK)
		return r;
	for (size_t i = 0; i < t->n_details; i++)
		if ((r = show_detail(&t->details[i], &d->details[i])) !=
		    CSIGN_OK)
			return r;
	d->n_details = t->n_details;
	return csign_buf_new(CSIGN_TRANSACTION_MAX, &d->bytes);
}

/* ,"name":"text" */
static enum csign_err
put_member(struct csign_buf *out, const char *name, const char *text)
{
	enum csign_err r;

	if ((r = csign_buf_putf(out, ",\"%s\":", name)) != CSIGN_OK)
		return r;
	return csign_text_json(out, text, strlen(text));
}

static enum csign_err
put_pair(
    struct csign_buf *out, bool first, const char *label, const char *value)
{
	enum csign_err r;

	if ((r = csign_buf_put_str(out, first ? "[" : ",[")) != CSIGN_OK ||
	    (r = csign_text_json(out, label, strlen(label))) != CSIGN_OK ||
	    (r = csign_buf_put_str(out, ",")) != CSIGN_OK ||
	    (r = csign_text_json(out, value, strlen(value))) != CSIGN_OK)
		return r;
	return csign_buf_put_str(out, "]");
}

/* The last pair says how many were left out, if any. */
static enum csign_err
put_left_out(struct draft *d)
{
	size_t n = d->t->n_details - d->n_details;
	struct csign_buf *text = NULL;
	enum csign_err r;

	if (n == 0)
		return CSIGN_OK;
	if ((r = csign_buf_new(CSIGN_VALUE_MAX, &text)) != CSIGN_OK)
		return r;
	if ((r = csign_buf_putf(text, "%zu more %s", n,
		 n == 1 ? "line" : "lines")) == CSIGN_OK)
		r = put_pair(d->bytes, d->n_details == 0, "Left out",
		    csign_buf_str(text));
	csign_buf_free(&text);
	return r;
}

static enum csign_err
put_details(struct draft *d)
{
	enum csign_err r;

	if ((r = csign_buf_put_str(d->bytes, ",\"details\":[")) != CSIGN_OK)
		return r;
	for (size_t i = 0; i < d->n_details; i++)
		if ((r = put_pair(d->bytes, i == 0,
			 csign_buf_str(d->details[i].label),
			 csign_buf_str(d->details[i].value))) != CSIGN_OK)
			return r;
	if ((r = put_left_out(d)) != CSIGN_OK)
		return r;
	return csign_buf_put_str(d->bytes, "]");
}

static enum csign_err
put_choices(struct draft *d)
{
	enum csign_err r;

	if ((r = csign_buf_put_str(d->bytes, ",\"choices\":[")) != CSIGN_OK)
		return r;
	for (size_t i = 0; i < d->t->n_choices; i++)
		if ((r = csign_buf_putf(d->bytes, "%s\"%s\"", i == 0 ? "" : ",",
			 d->t->choices[i])) != CSIGN_OK)
			return r;
	return csign_buf_put_str(d->bytes, "]");
}

/* CSIGN_E_TOO_LONG: something has to be cut. */
static enum csign_err
put_all(struct draft *d)
{
	const struct csign_transaction *t = d->t;
	struct csign_buf *out = d->bytes;
	enum csign_err r;

	csign_buf_clear(out);
	if ((r = csign_buf_putf(out, "{\"v\":1,\"kind\":\"%s\"",
		 t->enrolment ? "enrolment" : "approval")) != CSIGN_OK ||
	    (r = put_member(out, "host", csign_buf_str(d->host))) != CSIGN_OK ||
	    (r = put_member(out, "user", csign_buf_str(d->user))) != CSIGN_OK ||
	    (r = csign_buf_putf(out, ",\"uid\":%lu", (unsigned long)t->uid)) !=
		CSIGN_OK ||
	    (r = put_member(out, "service", csign_buf_str(d->service))) !=
		CSIGN_OK ||
	    (r = put_member(out, "title", csign_buf_str(d->title))) !=
		CSIGN_OK ||
	    (r = put_details(d)) != CSIGN_OK ||
	    (r = put_choices(d)) != CSIGN_OK ||
	    (r = put_member(out, "code", t->code)) != CSIGN_OK ||
	    (r = put_member(out, "nonce", t->nonce)) != CSIGN_OK ||
	    (r = put_member(out, "created", t->created)) != CSIGN_OK)
		return r;
	return csign_buf_putf(
	    out, ",\"lifetime\":%lu}", (unsigned long)t->lifetime);
}

/* The longest value that may still lose something, or NULL. */
static struct shown *
longest(struct draft *d, size_t *ret_index)
{
	struct shown *best = NULL;

	for (size_t i = 0; i < d->n_details; i++) {
		struct shown *s = &d->details[i];

		if (characters(s->value) <= VALUE_MIN)
			continue;
		if (best == NULL ||
		    csign_buf_len(s->value) > csign_buf_len(best->value)) {
			best = s;
			*ret_index = i;
		}
	}
	return best;
}

/*
 * Makes the draft a little shorter: a value's middle, then a whole detail from
 * the end, but never the first.
 */
static enum csign_err
shorten(struct draft *d)
{
	size_t index = 0, n;
	struct shown *s = longest(d, &index);

	if (s != NULL) {
		n = characters(s->value);
		s->max =
		    n > VALUE_MIN + VALUE_STEP ? n - VALUE_STEP : VALUE_MIN;
		return show_value(&d->t->details[index], s);
	}
	if (d->n_details <= 1)
		return CSIGN_E_TOO_LONG;
	d->n_details--;
	return CSIGN_OK;
}

enum csign_err
csign_transaction_write(const struct csign_transaction *t,
    struct csign_buf *out, bool *ret_cut_first)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct draft d = {.t = t};

	if (!csign_transaction_valid(t))
		return CSIGN_E_INVALID;
	if ((r = draft_fill(&d)) != CSIGN_OK)
		goto out;
	while ((r = put_all(&d)) == CSIGN_E_TOO_LONG)
		if ((r = shorten(&d)) != CSIGN_OK)
			goto out;
	if (r != CSIGN_OK)
		goto out;
	if ((r = csign_buf_put(out, csign_buf_data(d.bytes),
		 csign_buf_len(d.bytes))) != CSIGN_OK)
		goto out;
	if (ret_cut_first != NULL)
		*ret_cut_first = t->n_details > 0 && d.details[0].cut;
out:
	draft_clear(&d);
	return r;
}

/* --- to be removed ---------------------------------------------------------
 */

/* ,"name":"text" of a text that is shown whole, as a transaction has it. */
static enum csign_err
put_shown(struct csign_buf *out, const char *name, const char *text, size_t max)
{
	struct csign_buf *shown = NULL;
	enum csign_err r;

	if ((r = show_whole(text, max, &shown)) == CSIGN_OK)
		r = put_member(out, name, csign_buf_str(shown));
	csign_buf_free(&shown);
	return r;
}

enum csign_err
csign_removal_write(const char *host, const char *user, uint32_t uid,
    const char *device, struct csign_buf *out)
{
	enum csign_err r;

	if ((r = csign_buf_put_str(out, "{\"v\":1,\"kind\":\"removal\"")) !=
		CSIGN_OK ||
	    (r = put_shown(out, "host", host, CSIGN_HOST_MAX)) != CSIGN_OK ||
	    (r = put_shown(out, "user", user, CSIGN_USER_MAX)) != CSIGN_OK ||
	    (r = csign_buf_putf(out, ",\"uid\":%lu", (unsigned long)uid)) !=
		CSIGN_OK ||
	    (r = put_member(out, "device", device)) != CSIGN_OK)
		return r;
	return csign_buf_put_str(out, "}");
}

/* --- the content -----------------------------------------------------------
 */

#define PLAIN_MAX (CSIGN_CONTENT_MAX - CSIGN_SEAL_OVERHEAD)

static enum csign_err
put_b64u(struct csign_buf *out, const void *bytes, size_t len)
{
	char text[CSIGN_B64U_LEN(CSIGN_TRANSACTION_MAX) + 1];
	enum csign_err r;

	if ((r = csign_b64u_encode(bytes, len, text, sizeof(text))) != CSIGN_OK)
		return r;
	return csign_buf_putf(out, "\"%s\"", text);
}

/* One credential, if it and the end of the content still fit. */
static enum csign_err
put_credential(
    struct csign_buf *out, const struct csign_device *device, bool *first)
{
	static const size_t frame = sizeof(",[\"\",\"\"]"
					   "]}") -
				    1;
	size_t need =
	    frame + strlen(device->id) + CSIGN_B64U_LEN(device->credential_len);
	enum csign_err r;

	if (csign_buf_len(out) + need > PLAIN_MAX)
		return CSIGN_OK;
	if ((r = csign_buf_putf(out, "%s[\"%s\",", *first ? "" : ",",
		 device->id)) != CSIGN_OK ||
	    (r = put_b64u(out, device->credential, device->credential_len)) !=
		CSIGN_OK ||
	    (r = csign_buf_put_str(out, "]")) != CSIGN_OK)
		return r;
	*first = false;
	return CSIGN_OK;
}

enum csign_err
csign_content_write(const void *transaction, size_t transaction_len,
    const struct csign_device_list *devices, struct csign_buf *out)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *content = NULL;
	bool first = true;

	if (transaction_len > CSIGN_TRANSACTION_MAX)
		return CSIGN_E_TOO_LONG;
	if ((r = csign_buf_new(PLAIN_MAX, &content)) != CSIGN_OK)
		return r;
	if ((r = csign_buf_put_str(content, "{\"transaction\":")) != CSIGN_OK ||
	    (r = put_b64u(content, transaction, transaction_len)) != CSIGN_OK ||
	    (r = csign_buf_put_str(content, ",\"credentials\":[")) != CSIGN_OK)
		goto out;
	for (size_t i = 0; i < devices->n; i++)
		if (devices->items[i].kind == CSIGN_KIND_WEBAUTHN &&
		    (r = put_credential(content, &devices->items[i], &first)) !=
			CSIGN_OK)
			goto out;
	if ((r = csign_buf_put_str(content, "]}")) != CSIGN_OK)
		goto out;
	r = csign_buf_put(out, csign_buf_data(content), csign_buf_len(content));
out:
	csign_buf_free(&content);
	return r;
}
