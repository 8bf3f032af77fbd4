/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A question on the terminal.  Every string in it comes from another machine
 * and is shown with whatever a terminal could obey made harmless
 * (countersign-security(7) UX-9).
 */
#ifndef PHONE_QUESTION_H
#define PHONE_QUESTION_H

#include <stdint.h>

#include "phone.h"
#include "store.h"

/* Everything that countersign-security(7) UX-3 asks for, on standard output. */
void question_show(const struct csign_question *question, const char *origin,
    enum store_memory memory, uint32_t seconds_left);

/* The same for programs, without what has to be judged by a person. */
struct json_object *question_json(const struct csign_question *question,
    const char *origin, uint32_t seconds_left);

/* Foreign text, made harmless; free(3) it.  NULL: no memory. */
char *question_safe(const char *text);

#endif
