/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a PAM stack: controls, and what modules prove. */
#ifndef CLI_STACK_CONTROL_H
#define CLI_STACK_CONTROL_H

#include <stdbool.h>

#include "stack.h"

/*
 * A control without its brackets as actions by code.  False: libpam calls it
 * wrong, and treats every code as a failure.
 */
bool pam_control_read(const char *text, int action[PAM_CODES]);
/* The same action for every code. */
void pam_control_all(int action[PAM_CODES], int value);

/* What the success of a module says, by its file's name. */
enum pam_proof pam_module_proof(const char *module);

#endif
