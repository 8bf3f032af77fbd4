/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign-phone push: where the services that this phone knows wake it up
 * when there is a question, by a request that says nothing else.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "question.h"
#include "service.h"

#define ENDPOINT_SIZE 1026 /* of a service's longest, and one too long */

static enum csign_err
register_at(
    struct phone *phone, const struct store_entry *e, const char *endpoint)
{
	struct service *service = NULL;
	enum csign_err r;

	if (e->cookie[0] == '\0')
		return CSIGN_E_SERVICE_REFUSED;
	if ((r = service_new(e->origin, phone->args->option[OPT_CA_FILE], NULL,
		 phone->stop_fd, &phone->why, &service)) == CSIGN_OK)
		r = service_push(service, e->cookie, endpoint, &phone->why);
	service_free(&service);
	return r;
}

static enum out_status
explain(const struct phone *phone, const struct store_entry *e,
    enum csign_err r, bool wanted)
{
	const char *what = phone->why.text;

	if (r == CSIGN_OK) {
		(void)printf("%s: %s\n", e->origin,
		    wanted ? "will wake this phone up at that address."
			   : "does not wake this phone up any more.");
		return STATUS_YES;
	}
	if (r == CSIGN_E_INTERRUPTED)
		return phone_fail(phone, r);
	if (r == CSIGN_E_SERVICE_REFUSED)
		what = "the service does not know this device (any more); "
		       "enrol this phone again";
	else if (r == CSIGN_E_NOT_FOUND)
		what = "the service cannot wake phones up";
	else if (what[0] == '\0')
		what = csign_err_text(r);
	if (strncmp(what, e->origin, strlen(e->origin)) == 0)
		out_error("%s", what);
	else
		out_error("%s: %s", e->origin, what);
	return r == CSIGN_E_SERVICE_REFUSED || r == CSIGN_E_NOT_FOUND ||
		       r == CSIGN_E_INVALID
		   ? STATUS_NO
		   : out_status(r);
}

/* Trouble anywhere, else a refusal anywhere, is the whole's. */
static enum out_status
register_all(struct phone *phone, const char *endpoint)
{
	struct store_entry *entries = NULL;
	enum out_status status = STATUS_YES;
	enum csign_err r;
	size_t n = 0;

	if ((r = store_list(phone->store, &phone->why, &entries, &n)) !=
	    CSIGN_OK)
		return phone_fail(phone, r);
	if (n == 0) {
		out_error("this phone has enrolled for nobody yet");
		status = STATUS_NO;
	}
	for (size_t i = 0; i < n; i++) {
		enum out_status one;

		phone->why.text[0] = '\0';
		r = register_at(phone, &entries[i], endpoint);
		one = explain(phone, &entries[i], r, endpoint != NULL);
		if (one > status)
			status = one;
		if (r == CSIGN_E_INTERRUPTED)
			break;
	}
	free(entries);
	return status;
}

enum out_status
cmd_push(const struct args *args)
{
	const char *endpoint = args->operand[0];
	char line[ENDPOINT_SIZE];
	enum out_status status;
	struct phone phone;

	if ((status = phone_open(&phone, args)) != STATUS_YES)
		return status;
	if (strcmp(endpoint, "-") == 0) {
		endpoint = line;
		if (!phone_stdin_line(&phone, line, sizeof line)) {
			out_error("there is no address in standard input");
			status = STATUS_NO;
		}
	}
	if (strcmp(endpoint, "off") == 0)
		endpoint = NULL;
	if (status == STATUS_YES)
		status = register_all(&phone, endpoint);
	phone_close(&phone);
	return status;
}
