/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "bounds.h"
#include "clock.h"
#include "codec.h"
#include "evidence.h"
#include "file.h"
#include "text.h"

#define MARK_BYTES 16

/* ,"name":"text" */
static enum csign_err
put_text(struct csign_buf *out, const char *name, const char *text)
{
	struct csign_buf *safe = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = csign_buf_new(CSIGN_EVIDENCE_MAX, &safe)) != CSIGN_OK ||
	    (r = csign_text_safe(safe, text, strlen(text))) != CSIGN_OK ||
	    (r = csign_buf_putf(out, ",\"%s\":", name)) != CSIGN_OK)
		goto out;
	r = csign_text_json(out, csign_buf_str(safe), csign_buf_len(safe));
out:
	csign_buf_free(&safe);
	return r;
}

/* ,"name":"base64url" */
static enum csign_err
put_bytes(
    struct csign_buf *out, const char *name, const void *bytes, size_t len)
{
	char text[CSIGN_B64U_LEN(CSIGN_CLIENT_DATA_MAX) + 1];
	enum csign_err r = csign_b64u_encode(bytes, len, text, sizeof(text));

	return r == CSIGN_OK ? csign_buf_putf(out, ",\"%s\":\"%s\"", name, text)
			     : r;
}

static enum csign_err
put_head(struct csign_buf *out, const struct csign_exhibit *e)
{
	char when[CSIGN_TIME_SIZE];
	enum csign_err r = csign_time_format(e->checked_ms / 1000, when);

	if (r != CSIGN_OK)
		return r;
	return csign_buf_putf(out,
	    "{\"v\":1,\"time\":\"%s\",\"checkedMs\":%llu,\"uid\":%u", when,
	    (unsigned long long)e->checked_ms, e->uid);
}

/* The key, and what the device's line says that a proof by it has to be. */
static enum csign_err
put_device(struct csign_buf *out, const struct csign_device *d)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = put_text(out, "device", d->id)) != CSIGN_OK ||
	    (r = put_text(out, "kind", csign_kind_name(d->kind))) != CSIGN_OK ||
	    (r = put_bytes(out, "key", d->point, sizeof(d->point))) != CSIGN_OK)
		return r;
	if (d->kind != CSIGN_KIND_WEBAUTHN)
		return CSIGN_OK;
	if ((r = put_text(out, "rp", d->rp)) != CSIGN_OK ||
	    (r = put_text(out, "origin", d->origin)) != CSIGN_OK)
		return r;
	return csign_buf_putf(
	    out, ",\"backupEligible\":%d", d->backup_eligible ? 1 : 0);
}

static enum csign_err
put_answer(struct csign_buf *out, const struct csign_exhibit *e)
{
	const struct csign_answer *a = e->answer;
	enum csign_err r = put_text(out, "choice", a->choice);

	if (r == CSIGN_OK && e->code[0] != '\0')
		r = put_text(out, "code", e->code);
	if (r == CSIGN_OK)
		r = put_bytes(
		    out, "transaction", e->transaction, e->transaction_len);
	if (r == CSIGN_OK && a->a_len > 0)
		r = put_bytes(out, "authenticatorData", a->a, a->a_len);
	if (r == CSIGN_OK)
		r = put_bytes(out, "clientData", a->b, a->b_len);
	if (r == CSIGN_OK)
		r = put_bytes(out, "signature", a->signature, a->signature_len);
	return r;
}

enum csign_err
csign_evidence_format(const struct csign_exhibit *e, struct csign_buf *out)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = put_head(out, e)) != CSIGN_OK ||
	    (r = put_text(out, "question", e->question)) != CSIGN_OK ||
	    (r = put_text(out, "host", e->host)) != CSIGN_OK ||
	    (r = put_text(out, "user", e->user)) != CSIGN_OK ||
	    (r = put_device(out, e->device)) != CSIGN_OK ||
	    (r = csign_buf_putf(out, ",\"counter\":%u", e->counter)) !=
		CSIGN_OK ||
	    (r = put_answer(out, e)) != CSIGN_OK)
		return r;
	return csign_buf_put_str(out, "}");
}

enum csign_err
csign_evidence_mark(struct csign_crypto *crypto, const char *line, size_t len,
    char out[CSIGN_EVIDENCE_MARK_SIZE])
{
	const struct csign_part part = {line, len};
	unsigned char digest[32];
	enum csign_err r = csign_sha256(crypto, &part, 1, digest);

	return r == CSIGN_OK ? csign_b64u_encode(digest, MARK_BYTES, out,
				   CSIGN_EVIDENCE_MARK_SIZE)
			     : r;
}

enum csign_err
csign_evidence_keep(struct csign_crypto *crypto,
    const struct csign_settings *set, const struct csign_exhibit *exhibit,
    char ret_mark[CSIGN_EVIDENCE_MARK_SIZE], struct csign_why *why)
{
	char mark[CSIGN_EVIDENCE_MARK_SIZE] = "";
	struct csign_why what = {{'\0'}};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *line = NULL;

	if (!set->evidence) {
		ret_mark[0] = '\0';
		return CSIGN_OK;
	}
	/* One byte of the maximum is for the line's end. */
	if ((r = csign_buf_new(CSIGN_EVIDENCE_MAX - 1, &line)) != CSIGN_OK ||
	    (r = csign_evidence_format(exhibit, line)) != CSIGN_OK ||
	    (r = csign_evidence_mark(crypto, csign_buf_str(line),
		 csign_buf_len(line), mark)) != CSIGN_OK)
		csign_why_set(&what, "%s", csign_err_text(r));
	else
		r = csign_file_append(set->evidence_file, CSIGN_FILE_SECRET,
		    csign_buf_str(line), csign_buf_len(line), &what);
	csign_buf_free(&line);
	if (r != CSIGN_OK) {
		csign_why_set(
		    why, "the signed answer cannot be kept: %s", what.text);
		return r == CSIGN_E_NOMEM ? r : CSIGN_E_AUDIT;
	}
	memcpy(ret_mark, mark, sizeof(mark));
	return CSIGN_OK;
}
