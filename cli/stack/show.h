/* SPDX-License-Identifier: BSD-2-Clause */
/* What a judgement of stack.h means, in plain words. */
#ifndef CLI_STACK_SHOW_H
#define CLI_STACK_SHOW_H

#include "stack.h"

/* say is called with one sentence after the other. */
void pam_text_judgement(const struct pam_stack *stack,
    const struct pam_judgement *judgement,
    void (*say)(void *arg, const char *sentence), void *arg);

/* A short stable name, "overruled". */
const char *pam_text_way(enum pam_way_kind way);

/* What else a service needs, to standard output; for many nothing. */
void pam_text_hint(const char *service);

#endif
