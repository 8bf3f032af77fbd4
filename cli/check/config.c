/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign check: countersign.conf(5), and what it takes for granted. */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lines.h"

#define DEFAULT_CONFIG CSIGN_SYSCONFDIR "/countersign/countersign.conf"
#define AGENT_SOCKET "/run/countersign/agent.sock"
#define AGENT_WANTED                                                           \
	"/etc/systemd/system/sockets.target.wants/countersign.socket"

/* Sections that people write; the others are read by those who log in. */
static const char *const sections[] = {NULL, "sshd", "sudo", "su", "login"};
#define N_SECTIONS (sizeof sections / sizeof sections[0])

/* What a file is for, by its place. */
static enum check_id
kind_of(struct check *c, const char *finding)
{
	const char *dir = check_setting(c, NULL, "state_dir");
	const char *name;
	size_t len = strlen(dir);

	if (!c->loaded)
		return FIND_CONFIG;
	if (strncmp(finding, dir, len) == 0 && finding[len] == '/') {
		/* "devices/alice", but not "devices" or its marker file */
		name = strchr(finding + len + 1, '/');
		if (name == NULL || name[1] == '.')
			return FIND_STORE;
		/* the library says so of what nobody has any more */
		return strstr(finding, "\"countersign deenroll ") != NULL
			   ? FIND_ACCOUNT_GONE
			   : FIND_ACCOUNT_FILES;
	}
	if (strncmp(finding, dir, len) == 0)
		return FIND_STORE;
	return FIND_ACCESS_KEY;
}

/* "file:line: reason" */
static void
take_finding(void *arg, const char *finding)
{
	const char *reason = strstr(finding, ": ");
	char subject[CHECK_SUBJECT_SIZE] = "";
	struct check *c = arg;

	if (reason != NULL)
		(void)check_append(subject, sizeof subject, finding,
		    (size_t)(reason - finding));
	check_find(c->report, kind_of(c, finding), NULL,
	    reason != NULL ? subject : c->config, NULL, "%s",
	    reason != NULL ? reason + 2 : finding);
}

/* Settings are read anew for each PAM service, as a login does. */
const char *
check_setting(struct check *c, const char *service, const char *key)
{
	const char *value;

	if (!c->loaded)
		return "";
	if (service == NULL) {
		value = csign_ctx_setting(c->ctx, key);
		return value != NULL ? value : "";
	}
	if (strcmp(c->section_name, service) != 0) {
		(void)snprintf(
		    c->section_name, sizeof c->section_name, "%s", service);
		if (csign_ctx_load(c->section, c->config, service) != CSIGN_OK)
			c->section_name[0] = '\0';
	}
	value = csign_ctx_setting(c->section, key);
	return value != NULL ? value : "";
}

unsigned int
check_setting_number(struct check *c, const char *service, const char *key)
{
	const char *value = check_setting(c, service, key);
	char *end;
	unsigned long number = strtoul(value, &end, 10);

	return *end == '\0' && number <= UINT32_MAX ? (unsigned int)number : 0;
}

bool
check_may_ignore(struct check *c, const char *service)
{
	return strcmp(check_setting(c, service, "unenrolled"), "ignore") == 0 ||
	       check_setting(c, service, "require_groups")[0] != '\0' ||
	       check_setting(c, service, "exempt_groups")[0] != '\0';
}

static bool
group_exists(const char *name)
{
	struct group group, *found = NULL;
	size_t size = 65536;
	char *buf = malloc(size);
	bool exists = true; /* what cannot be looked up may be there */

	if (buf != NULL && getgrnam_r(name, &group, buf, size, &found) == 0)
		exists = found != NULL;
	free(buf);
	return exists;
}

static void
check_groups(struct check *c, const char *section, const char *key)
{
	char *words = strdup(check_setting(c, section, key));
	char *next = words, *word;
	char subject[CHECK_SUBJECT_SIZE];

	while (next != NULL && (word = check_word(&next, "")) != NULL) {
		if (group_exists(word))
			continue;
		(void)snprintf(subject, sizeof subject, "%s %s", key, word);
		check_find(c->report, FIND_CONFIG_GROUP, section, subject, NULL,
		    "There is no group of this name, so the list counts as "
		    "if it were not there, and everybody is asked.");
	}
	free(words);
}

/* What a host asks less, or believes more, by its own choice. */
static void
check_weak(struct check *c, const char *section)
{
	static const struct {
		const char *key, *word, *what;
	} weak[] = {
	    {"unenrolled", "ignore",
		"Accounts without a device are let pass without being asked."},
	    {"device_kinds", "p256",
		"Keys of countersign-phone and the like are accepted: they do "
		"not prove that the phone verified its user."},
	    {"enroll_root", "yes",
		"Root without a device may enrol one inside a login."},
	};
	char subject[CHECK_SUBJECT_SIZE];

	for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
		if (strstr(check_setting(c, section, weak[i].key),
			weak[i].word) == NULL ||
		    (section != NULL &&
			strstr(check_setting(c, NULL, weak[i].key),
			    weak[i].word) != NULL))
			continue;
		(void)snprintf(subject, sizeof subject, "%s = %s", weak[i].key,
		    weak[i].word);
		check_find(c->report, FIND_CONFIG_WEAK, section, subject, NULL,
		    "%s", weak[i].what);
	}
}

static bool
setting_is(
    struct check *c, const char *section, const char *key, const char *word)
{
	return strcmp(check_setting(c, section, key), word) == 0;
}

static bool
is_tap(struct check *c, const char *section)
{
	return setting_is(c, section, "push", "yes") &&
	       setting_is(c, section, "push_confirm", "tap");
}

static bool
rings_unproven(struct check *c, const char *section)
{
	return setting_is(c, section, "push", "yes") &&
	       setting_is(c, section, "push_without_first_factor", "yes");
}

/* No terminal shows the digits, so that only a tap could answer. */
static bool
is_mute(struct check *c, const char *section)
{
	return setting_is(c, section, "present", "none") && !is_tap(c, section);
}

/* It is so in this section, and not in all of them. */
static bool
is_here(struct check *c, const char *section,
    bool (*is)(struct check *c, const char *section))
{
	return is(c, section) && (section == NULL || !is(c, NULL));
}

/* What push costs where a host wants more of it, or where it is all there is.
 */
static void
check_push(struct check *c, const char *section)
{
	if (is_here(c, section, is_tap))
		check_find(c->report, FIND_PUSH_TAP, section,
		    "push_confirm = tap", NULL,
		    "A phone that rings approves by a tap, although its owner "
		    "may not be the one at the terminal: a question that comes "
		    "together with one of his own, or once too often, can be "
		    "approved by mistake.  Root is asked for the code all the "
		    "same.");
	if (is_here(c, section, rings_unproven))
		check_find(c->report, FIND_PUSH_UNPROVEN, section,
		    "push_without_first_factor = yes", NULL,
		    "Whoever knows an account's name can ring its phones, as "
		    "often as the limits allow, and use up what its owner may "
		    "ring.");
	if (is_here(c, section, is_mute))
		check_find(c->report, FIND_PRESENT_NONE, section,
		    "present = none", NULL,
		    "Nobody sees the QR code or the code: nobody can answer, "
		    "and everybody who is asked is denied.");
}

static void
check_agent(struct check *c)
{
	const char *path = c->root != NULL ? AGENT_WANTED : AGENT_SOCKET;
	struct stat st;

	if (check_setting(c, NULL, "ask_users")[0] == '\0' &&
	    check_setting(c, NULL, "ask_groups")[0] == '\0' &&
	    strcmp(check_setting(c, NULL, "self_enroll"), "no") == 0)
		return;
	if (lstat(path, &st) == 0 &&
	    (c->root != NULL || S_ISSOCK(st.st_mode))) {
		check_good(c->report, GROUP_CONFIG,
		    "users reach the agent at %s", AGENT_SOCKET);
		return;
	}
	check_find(c->report, FIND_AGENT_SOCKET, NULL, path, NULL,
	    "ask_users, ask_groups or self_enroll lets users call countersign "
	    "themselves, but nothing listens for them.");
}

/*
 * Everything that is wrong with the file, not the first thing alone, and with
 * the files of devices and state, if it names them.
 */
static void
load(struct check *c)
{
	struct csign_ctx *ctx = NULL;
	struct stat st;
	enum csign_err err;

	if (lstat(c->config, &st) != 0 && errno == ENOENT) {
		check_find(c->report, FIND_CONFIG_MISSING, NULL, c->config,
		    NULL,
		    "There is no configuration: every question is denied.");
		return;
	}
	c->loaded = csign_ctx_load(c->ctx, c->config, NULL) == CSIGN_OK;
	if (csign_ctx_new(NULL, &ctx) != CSIGN_OK)
		return;
	err = csign_host_check(ctx, c->config, take_finding, c);
	if (!c->loaded && err == CSIGN_OK)
		take_finding(c, csign_ctx_why(c->ctx));
	csign_ctx_free(&ctx);
}

void
check_config(struct check *c)
{
	if (c->config == NULL)
		c->config = DEFAULT_CONFIG;
	load(c);
	if (!c->loaded)
		return;
	check_good(c->report, GROUP_CONFIG, "%s can be used", c->config);
	for (size_t i = 0; i < N_SECTIONS; i++) {
		check_weak(c, sections[i]);
		check_push(c, sections[i]);
		check_groups(c, sections[i], "require_groups");
		check_groups(c, sections[i], "exempt_groups");
	}
	check_groups(c, NULL, "ask_groups");
	check_agent(c);
}
