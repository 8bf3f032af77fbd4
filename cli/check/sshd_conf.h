/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sshd_config(5) and what it includes: which line counts.  sshd itself, asked
 * with -T, knows the values better; it does not say where they come from.
 */
#ifndef CLI_CHECK_SSHD_CONF_H
#define CLI_CHECK_SSHD_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "check.h"

#define SSHD_CONFIG "/etc/ssh/sshd_config"
#define SSHD_VALUE_SIZE 512

struct sshd_conf;

/* NULL: no memory, or no such file (errno). */
struct sshd_conf *sshd_conf_read(void);
void sshd_conf_free(struct sshd_conf **conf);

/*
 * The value that counts for this user (NULL: for nobody in particular, so
 * without Match blocks), or NULL: the keyword is not there.  Of Match blocks
 * those by User alone are understood.  keyword in lower case.
 */
const char *sshd_conf_value(
    const struct sshd_conf *conf, const char *keyword, const char *user);
/* Where that value stands, "file:line"; the configuration if nowhere. */
const char *sshd_conf_at(const struct sshd_conf *conf, const char *keyword,
    char out[CHECK_SUBJECT_SIZE]);
/* A later line, outside of Match, with this value; false: none. */
bool sshd_conf_too_late(const struct sshd_conf *conf, const char *keyword,
    const char *value, char out[CHECK_SUBJECT_SIZE]);
/* Does the configuration include the drop-in folder? */
bool sshd_conf_includes(const struct sshd_conf *conf);
/* Is there any Match block? */
bool sshd_conf_matches(const struct sshd_conf *conf);

#endif
