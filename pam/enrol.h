/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A phone enrolled inside a login: its link, the comparison of the id, and the
 * question that only the new phone can approve (countersign-security(7) ENR).
 */
#ifndef CSIGN_PAM_ENROL_H
#define CSIGN_PAM_ENROL_H

#include <stdint.h>

#include "countersign.h"
#include "present.h"

#define CSIGN_ENROL_NAME_SIZE 80

struct csign_enrol {
	const struct csign_person *person;
	const char *user;
	/* The login, which the new phone then grants; NULL: a test. */
	const struct csign_request *question;
	/* Id of a device that it replaces, or NULL. */
	const char *replaces;
	/* Out: the new phone's name. */
	char name[CSIGN_ENROL_NAME_SIZE];
};

/*
 * CSIGN_OK with *ret_verdict == CSIGN_VERDICT_GRANTED: the phone is enrolled,
 * and has approved.  Anything else: it is not, and the person was told why.
 * CSIGN_E_INVALID: the user or the service changed meanwhile.
 */
CSIGN_WUR enum csign_err csign_enrol(
    struct csign_enrol *enrol, uint32_t *ret_verdict);

/*
 * After a recovery code: offers to enrol a phone in place of a lost one.
 * *ret_name is the new phone's.  CSIGN_E_DECLINED: not wanted.
 */
CSIGN_WUR enum csign_err csign_enrol_offer(const struct csign_person *person,
    const char *user, char ret_name[CSIGN_ENROL_NAME_SIZE]);

#endif
