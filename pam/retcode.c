/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <security/pam_modules.h>

#include "retcode.h"

int
csign_to_pam(enum csign_err err, enum csign_stage stage)
{
	/* The conversation has a code of its own, except without memory. */
	if (stage == CSIGN_STAGE_TALK && err != CSIGN_E_NOMEM)
		return PAM_CONV_ERR;

	/* No default: a new outcome must find its place here. */
	switch (err) {
	case CSIGN_E_DENIED:
	case CSIGN_E_NOT_ME:
	case CSIGN_E_DECLINED:
	case CSIGN_E_LIMIT:
		return PAM_MAXTRIES;
	case CSIGN_E_EXPIRED:
	case CSIGN_E_INTERRUPTED:
	case CSIGN_E_RECOVERY:
		CSIGN_ERR_PROOF_LIST(CSIGN_ERR_CASE)
		return PAM_AUTH_ERR;
	case CSIGN_E_UNKNOWN_USER:
	case CSIGN_E_UNENROLLED:
	case CSIGN_E_ENROLL:
		return PAM_USER_UNKNOWN;
	case CSIGN_E_SERVICE:
	case CSIGN_E_SERVICE_REFUSED:
	case CSIGN_E_COURIER:
	case CSIGN_E_CANCELLED:
	case CSIGN_E_CONFIG:
	case CSIGN_E_FILE:
	case CSIGN_E_DEVICES:
	case CSIGN_E_STATE:
	case CSIGN_E_AUDIT:
	case CSIGN_E_CLOCK:
	case CSIGN_E_RANDOM:
	case CSIGN_E_CRYPTO:
	case CSIGN_E_SYSTEM:
	case CSIGN_E_CUT:
	case CSIGN_E_QR:
	case CSIGN_E_NOT_FOUND:
	case CSIGN_E_EXISTS:
	case CSIGN_E_FORMAT:
	case CSIGN_E_TOO_LONG:
	case CSIGN_E_LAST_DEVICE:
	case CSIGN_E_INVALID:
	case CSIGN_E_INTERNAL:
		return PAM_AUTHINFO_UNAVAIL;
	case CSIGN_E_NOMEM:
		return PAM_BUF_ERR;
	/* Not failures, or not final: whoever asks has made a mistake. */
	case CSIGN_OK:
	case CSIGN_E_BASE:
	case CSIGN_E_AGAIN:
	case CSIGN_E_EXEMPT:
		return PAM_SYSTEM_ERR;
	}
	return PAM_SYSTEM_ERR;
}

const char *
csign_pam_name(int code)
{
	switch (code) {
	case PAM_MAXTRIES:
		return "PAM_MAXTRIES";
	case PAM_AUTH_ERR:
		return "PAM_AUTH_ERR";
	case PAM_USER_UNKNOWN:
		return "PAM_USER_UNKNOWN";
	case PAM_AUTHINFO_UNAVAIL:
		return "PAM_AUTHINFO_UNAVAIL";
	case PAM_BUF_ERR:
		return "PAM_BUF_ERR";
	case PAM_CONV_ERR:
		return "PAM_CONV_ERR";
	default:
		return "PAM_SYSTEM_ERR";
	}
}

const char *
csign_stage_name(enum csign_stage stage)
{
	switch (stage) {
	case CSIGN_STAGE_SETUP:
		return "setup";
	case CSIGN_STAGE_ASK:
		return "ask";
	case CSIGN_STAGE_TALK:
		return "talk";
	case CSIGN_STAGE_WAIT:
		return "wait";
	case CSIGN_STAGE_CODE:
		return "code";
	case CSIGN_STAGE_ENROL:
		return "enrol";
	case CSIGN_STAGE_GRANT:
		return "grant";
	}
	return "?";
}
