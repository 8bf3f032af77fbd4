/* SPDX-License-Identifier: BSD-2-Clause */
/* The module's file, as libpam finds it. */
#ifndef CLI_CHECK_MODULE_H
#define CLI_CHECK_MODULE_H

#include "check.h"

/* Is the file of this entry there, root's, and can it be loaded? */
void check_module(
    struct check *c, const char *service, const struct pam_entry *entry);
/* The options on its line, and the configuration that it names. */
void check_module_options(
    struct check *c, const char *service, const struct pam_entry *entry);

#endif
