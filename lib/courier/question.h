/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of one question at the service: created, waited for, its outcome
 * told, or cancelled.
 */
#ifndef CSIGN_QUESTION_H
#define CSIGN_QUESTION_H

#include "channel.h"
#include "frame.h"
#include "http.h"

/*
 * Does a job of CSIGN_OP_APPROVE or CSIGN_OP_ENROL from begin to end; whatever
 * goes wrong has been told to the library when it returns.
 */
void csign_question_run(struct csign_channel *channel, struct csign_http *http,
    const struct csign_job *job);

#endif
