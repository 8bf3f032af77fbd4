/* SPDX-License-Identifier: BSD-2-Clause */
/* From the library's outcomes to PAM's return codes: the one table. */
#ifndef CSIGN_PAM_RETCODE_H
#define CSIGN_PAM_RETCODE_H

#include "countersign.h"

/* How far an authentication had come when it failed. */
enum csign_stage {
	CSIGN_STAGE_SETUP, /* options, PAM items, configuration, request */
	CSIGN_STAGE_ASK,   /* putting the question to the service */
	CSIGN_STAGE_TALK,  /* the application's conversation */
	CSIGN_STAGE_WAIT,  /* waiting for the phone, verifying its answer */
	CSIGN_STAGE_CODE,  /* using a recovery code instead */
	CSIGN_STAGE_ENROL, /* enrolling a first phone */
	CSIGN_STAGE_GRANT, /* the last look before yes */
};

/*
 * The code for a failure.  Never PAM_SUCCESS and never PAM_IGNORE, whatever
 * comes in: those two have one return each in auth.c (countersign-security(7)
 * PAM-1).
 */
int csign_to_pam(enum csign_err err, enum csign_stage stage);

/* "PAM_AUTH_ERR" for a code that csign_to_pam() returns, for the log. */
const char *csign_pam_name(int code);

/* "setup", "ask", ..., for the log. */
const char *csign_stage_name(enum csign_stage stage);

#endif
