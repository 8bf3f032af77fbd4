/* SPDX-License-Identifier: BSD-2-Clause */
/* What "countersign check" says: findings and good things, by group. */
#ifndef CLI_CHECK_REPORT_H
#define CLI_CHECK_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "../out.h"
#include "countersign.h"
#include "findings.h"

/* In the order in which they are printed. */
enum check_group {
	GROUP_GENERAL,
	GROUP_CONFIG,
	GROUP_FILES,
	GROUP_PAM,
	GROUP_SSHD,
	GROUP_SUDO,
	GROUP_ACCOUNTS,
	GROUP_RECOVERY,
	GROUP_SERVICE,
	GROUP_CLOCK,
	GROUP_PAGE,
	GROUPS,
};

enum check_severity {
	SEVERITY_NOTE,
	SEVERITY_WARNING, /* something will go wrong one day */
	SEVERITY_ERROR,   /* somebody is locked out, or let in wrongly */
	SEVERITIES,
};

struct check_report;

/* NULL: no memory. */
struct check_report *check_report_new(void);
void check_report_free(struct check_report **report);

/*
 * subject: "file:line", a user, a setting.  What the table says is to be done,
 * unless remedy is not NULL.  service: the PAM service it is about, or NULL;
 * the same thing at the same place is reported once, with every service.
 */
void check_find(struct check_report *report, enum check_id id,
    const char *service, const char *subject, const char *remedy,
    const char *fmt, ...) CSIGN_PRINTF(6, 7);
/* A short line about what is as it should be. */
void check_good(struct check_report *report, enum check_group group,
    const char *fmt, ...) CSIGN_PRINTF(3, 4);

size_t check_count(
    const struct check_report *report, enum check_severity severity);
/* Was there no memory for one of them? */
bool check_report_broken(const struct check_report *report);
void check_report_print(const struct check_report *report);
/* root: of --root, or NULL.  NULL: no memory. */
struct json_object *check_report_json(
    const struct check_report *report, const char *root);

#endif
