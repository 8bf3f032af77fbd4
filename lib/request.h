/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A question before it is asked: what the caller of the library filled in.
 */
#ifndef CSIGN_REQUEST_H
#define CSIGN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"
#include "transaction.h"

/* All strings are the request's own; NULL where nothing was set. */
struct csign_request {
	char *user;
	char *service;
	char *title;
	char *rhost;
	char *tty;
	char *by;
	struct csign_detail details[CSIGN_DETAILS_MAX];
	size_t n_details;
	char *choices[CSIGN_CHOICES_MAX];
	size_t n_choices;
	bool unproven, proven;
	bool quiet; /* no phone is to ring */
};

/* "ask" where the caller named no PAM service. */
const char *csign_request_service(const struct csign_request *req);

#endif
