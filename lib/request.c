/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "request.h"
#include "text.h"

#define FIELD_MAX 1024

enum csign_err
csign_request_new(struct csign_request **ret_req)
{
	struct csign_request *req;

	if (ret_req == NULL)
		return CSIGN_E_INVALID;
	if ((req = calloc(1, sizeof(*req))) == NULL)
		return CSIGN_E_NOMEM;
	*ret_req = req;
	return CSIGN_OK;
}

void
csign_request_free(struct csign_request **reqp)
{
	struct csign_request *req;

	if (reqp == NULL || (req = *reqp) == NULL)
		return;
	free(req->user);
	free(req->service);
	free(req->title);
	free(req->rhost);
	free(req->tty);
	free(req->by);
	for (size_t i = 0; i < req->n_details; i++) {
		free(req->details[i].label);
		free(req->details[i].value);
	}
	for (size_t i = 0; i < req->n_choices; i++)
		free(req->choices[i]);
	free(req);
	*reqp = NULL;
}

static char **
field_of(struct csign_request *req, enum csign_request_field field)
{
	switch (field) {
	case CSIGN_REQ_USER:
		return &req->user;
	case CSIGN_REQ_SERVICE:
		return &req->service;
	case CSIGN_REQ_TITLE:
		return &req->title;
	case CSIGN_REQ_RHOST:
		return &req->rhost;
	case CSIGN_REQ_TTY:
		return &req->tty;
	case CSIGN_REQ_BY:
		return &req->by;
	}
	return NULL;
}

enum csign_err
csign_request_set(struct csign_request *req, enum csign_request_field field,
    const char *value)
{
	char **slot, *copy = NULL;

	if (req == NULL || (slot = field_of(req, field)) == NULL)
		return CSIGN_E_INVALID;
	if (value != NULL && value[0] != '\0') {
		if (strlen(value) > FIELD_MAX)
			return CSIGN_E_TOO_LONG;
		if ((copy = strdup(value)) == NULL)
			return CSIGN_E_NOMEM;
	}
	free(*slot);
	*slot = copy;
	return CSIGN_OK;
}

enum csign_err
csign_request_add_detail(
    struct csign_request *req, const char *label, const char *value)
{
	struct csign_detail detail = {NULL, NULL};

	if (req == NULL || label == NULL || value == NULL || label[0] == '\0' ||
	    csign_utf8_count(label, strlen(label)) > CSIGN_LABEL_MAX)
		return CSIGN_E_INVALID;
	if (req->n_details == CSIGN_DETAILS_MAX)
		return CSIGN_E_TOO_LONG;
	if ((detail.label = strdup(label)) == NULL ||
	    (detail.value = strdup(value)) == NULL) {
		free(detail.label);
		return CSIGN_E_NOMEM;
	}
	req->details[req->n_details++] = detail;
	return CSIGN_OK;
}

enum csign_err
csign_request_add_choice(struct csign_request *req, const char *choice)
{
	char *copy;

	if (req == NULL || choice == NULL || !csign_choice_valid(choice))
		return CSIGN_E_INVALID;
	if (req->n_choices == CSIGN_CHOICES_MAX)
		return CSIGN_E_TOO_LONG;
	for (size_t i = 0; i < req->n_choices; i++)
		if (strcmp(req->choices[i], choice) == 0)
			return CSIGN_E_EXISTS;
	if ((copy = strdup(choice)) == NULL)
		return CSIGN_E_NOMEM;
	req->choices[req->n_choices++] = copy;
	return CSIGN_OK;
}

void
csign_request_set_push(struct csign_request *req, bool yes)
{
	if (req != NULL)
		req->quiet = !yes;
}

void
csign_request_set_proven(struct csign_request *req, bool yes)
{
	req->proven = yes;
}

void
csign_request_set_unproven(struct csign_request *req, bool yes)
{
	if (req != NULL)
		req->unproven = yes;
}

const char *
csign_request_service(const struct csign_request *req)
{
	return req->service == NULL ? "ask" : req->service;
}
