/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts, and what they can use to get in. */
#ifndef CLI_CHECK_PEOPLE_H
#define CLI_CHECK_PEOPLE_H

#include "check.h"

/* Adds every account of /etc/passwd to c->people. */
void check_people(struct check *c);
/* Has the person a line in one of these files of AuthorizedKeysFile? */
bool check_has_key(const struct check_person *person, const char *files);

#endif
