/* SPDX-License-Identifier: BSD-2-Clause */
/* One login from its begin to its end, and what it came to. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "countersign.h"
#include "login_impl.h"

void
login_fail(const char *what)
{
	(void)fprintf(
	    stderr, "tests/attack/login: %s: %s\n", what, strerror(errno));
	abort();
}

const char *
login_link(const struct login *l)
{
	return l->link;
}

const char *
login_digits(const struct login *l)
{
	return l->digits;
}

/* --- one login ------------------------------------------------------------ */

int pam_sm_authenticate(
    pam_handle_t *pamh, int flags, int argc, const char **argv);

static void
begin(struct login *l, const struct login_script *script)
{
	static const char *const counts[] = {
	    LOGIN_STATE, LOGIN_DEVICES, LOGIN_RINGS};

	if (!l->keep)
		login_reset(l);
	if (script->prepare != NULL)
		script->prepare(script->arg, l);
	for (size_t i = 0; i < 3; i++)
		login_take_file(l, counts[i], &l->before[i]);
	for (size_t i = 0; i < l->n_typed; i++)
		free(l->typed[i]);
	l->n_typed = 0;
	memset(l->typed, 0, sizeof(l->typed));
	l->result = (struct login_result){.code = PAM_SYSTEM_ERR};
	l->script = script;
	l->began_us = l->now_us;
	login_courier_end(l); /* of the login before: the oracle may ask */
	login_courier_begin(l);
}

static int
call(struct login *l)
{
	const char *argv[16] = {l->config_option};
	int argc = 1;

	if (l->script->instead != NULL)
		return l->script->instead(l->script->arg, l);
	if (l->script->args != NULL)
		for (argc = 0; argc < 15 && l->script->args[argc] != NULL;
		     argc++)
			argv[argc] = l->script->args[argc];
	return pam_sm_authenticate(&l->pam, l->script->flags, argc, argv);
}

/* Are there any?  The test itself may have some. */
static int
count_children(void)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

struct login_result
login_run(struct login *l, const struct login_script *script)
{
	struct csign_frame frame;
	int fds, children;

	l->backstage++;
	begin(l, script);
	login_pam_begin(l);
	fds = login_count_fds();
	children = count_children();
	login_on_stage = l;
	l->backstage--;
	for (int i = 0; i <= script->again; i++)
		l->result.code = call(l);
	l->backstage++;
	login_on_stage = NULL;
	l->result.ms = login_now(l);
	while (login_hear(l, &frame))
		continue;
	login_call_courier(l, LOGIN_FREED);
	login_hang_up(l);
	l->result.fds = login_count_fds() - fds;
	l->result.children = count_children() - children;
	(void)snprintf(l->who, sizeof(l->who), "%s",
	    l->pam.user == NULL ? "" : l->pam.user);
	login_pam_end(l);
	l->script = NULL;
	l->backstage--;
	return l->result;
}

bool
login_changed(const struct login *l, const char *name)
{
	for (size_t i = 0; i < 3; i++)
		if (strcmp(l->before[i].name, name) == 0)
			return !login_is_file(l, &l->before[i]);
	login_fail(name); /* that is not one of them */
}

unsigned int
login_audited(const struct login *l, const char *text)
{
	char *audit = login_get(l, LOGIN_AUDIT, NULL), *rest = audit, *line;
	unsigned int n = 0;

	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		n += strstr(line, text) != NULL;
	free(audit);
	return n;
}

/* --- was it right? -------------------------------------------------------- */

/* The uid that a name of ours leads to, and the name that the uid does. */
static bool
account_of(struct login *l, const char *name, struct csign_account *account)
{
	struct csign_why why;
	bool is;

	login_on_stage = l;
	is =
	    name != NULL && csign_account_find(name, account, &why) == CSIGN_OK;
	login_on_stage = NULL;
	return is;
}

bool
login_is_right(struct login *l, char *why, size_t size)
{
	struct csign_account account = {.uid = 0};
	struct oracle_case c = {.link = l->link,
	    .digits = l->digits,
	    .typed = (const char *const *)l->typed,
	    .n_typed = l->n_typed,
	    .content = {l->job.content, l->job.content_len, 0},
	    .answers = l->answers,
	    .n_answers = l->n_answers,
	    .ended = login_wall(l),
	    .born_ms = l->born_us / 1000,
	    .lifetime_ms = (uint64_t)l->job.lifetime * 1000,
	    .state_before = l->before[0].bytes};
	char name[LOGIN_PATH];
	char *devices, *state, *audit;
	bool right;

	l->backstage++;
	if (!account_of(l, l->who, &account)) {
		(void)snprintf(why, size, "there is no such account");
		l->backstage--;
		return false;
	}
	c.user = account.name;
	c.uid = account.uid;
	c.began = c.ended - (l->now_us - l->began_us) / 1000000 - 1;
	(void)snprintf(name, sizeof(name), "store/devices/%s", account.file);
	c.devices = devices = login_get(l, name, NULL);
	(void)snprintf(
	    name, sizeof(name), "store/state/%u", (unsigned)account.uid);
	c.state = state = login_get(l, name, NULL);
	c.audit = audit = login_get(l, LOGIN_AUDIT, NULL);
	right = oracle_agrees(&c, &l->memory, why, size);
	free(devices);
	free(state);
	free(audit);
	l->backstage--;
	return right;
}
