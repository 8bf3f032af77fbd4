/* SPDX-License-Identifier: BSD-2-Clause */
/* What to do on this host after "countersign init": its files, its lines. */
#ifndef CLI_ADVICE_H
#define CLI_ADVICE_H

/*
 * Comments for a new countersign.conf(5): the keys that people change; around
 * the caller's own settings, since sections come last.
 */
extern const char advice_settings[], advice_sections[];

/* PAM lines, sshd_config, how to try it, next steps; to standard output. */
void advice_print(const char *root);

#endif
