/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign test: an approval that grants nothing. */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
#include "question.h"

static enum csign_err
compose(struct csign_request *req)
{
	enum csign_err err;

	if ((err = csign_request_set(req, CSIGN_REQ_SERVICE, "test")) !=
	    CSIGN_OK)
		return err;
	return csign_request_set(
	    req, CSIGN_REQ_TITLE, "A test: this grants nothing");
}

static enum out_status
test(struct question *q, const char *user, bool json)
{
	enum csign_err err = compose(q->req);

	if (err == CSIGN_OK)
		err = question_put(q);
	if (json)
		out_json_print(question_json(q, user, err));
	if (err != CSIGN_OK)
		return common_fail(q->ctx, err);
	if (!json)
		(void)printf("Approved by %s. Nothing was granted.\n",
		    csign_approval_device(q->approval));
	return STATUS_YES;
}

enum out_status
cmd_test(const struct args *args)
{
	struct question q;
	enum out_status status;

	status = question_open(&q, args, args->operand[0]);
	if (status == STATUS_YES)
		status = test(&q, args->operand[0], args_flag(args, OPT_JSON));
	question_close(&q);
	return status;
}
