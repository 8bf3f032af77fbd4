/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: what sshd would do, and whether the phone can be asked
 * then.  sshd says it itself (-T); its files say where a value comes from, and
 * stand in for it where it cannot be run.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lines.h"
#include "people.h"
#include "run.h"
#include "sshd_conf.h"

#define SSHD "/usr/sbin/sshd"
#define NOT_RUNNING "Missing privilege separation directory"
#define GRACE_MARGIN 20 /* seconds for a first factor and reading */
#define ENROL_WAITS 4   /* lifetimes: a link, comparing, a question */
#define USERS_ASKED 32

/* --- reading -------------------------------------------------------------- */

/* "90", "2m", "1h30m"; seconds. */
static unsigned int
seconds(const char *text)
{
	unsigned long total = 0, n;
	char *end;

	while (*text >= '0' && *text <= '9' && total < 1000000) {
		n = strtoul(text, &end, 10);
		switch (*end) {
		case 'm':
		case 'M':
			n *= 60;
			end++;
			break;
		case 'h':
		case 'H':
			n *= 3600;
			end++;
			break;
		case 's':
		case 'S':
			end++;
			break;
		default:
			break;
		}
		total += n;
		text = end;
	}
	return (unsigned int)total;
}

static bool
is_yes(const char *value)
{
	return strcasecmp(value, "yes") == 0;
}

/* One line of sshd -T, or the same from the files. */
static void
take(struct check_sshd *sshd, const char *keyword, const char *value)
{
	const struct {
		const char *keyword;
		bool *flag;
	} flags[] = {
	    {"usepam", &sshd->use_pam},
	    {"kbdinteractiveauthentication", &sshd->kbdint},
	    {"passwordauthentication", &sshd->password},
	    {"pubkeyauthentication", &sshd->pubkey},
	    {"hostbasedauthentication", &sshd->hostbased},
	    {"gssapiauthentication", &sshd->gssapi},
	};

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (strcmp(keyword, flags[i].keyword) == 0)
			*flags[i].flag = is_yes(value);
	if (strcmp(keyword, "permitrootlogin") == 0)
		(void)snprintf(sshd->root_login, sizeof sshd->root_login, "%s",
		    strcasecmp(value, "without-password") == 0
			? "prohibit-password"
			: value);
	else if (strcmp(keyword, "authenticationmethods") == 0)
		(void)snprintf(
		    sshd->methods, sizeof sshd->methods, "%s", value);
	else if (strcmp(keyword, "authorizedkeysfile") == 0)
		(void)snprintf(sshd->keys, sizeof sshd->keys, "%s", value);
	else if (strcmp(keyword, "logingracetime") == 0)
		sshd->grace = seconds(value);
	else if (strcmp(keyword, "maxauthtries") == 0)
		sshd->tries = seconds(value);
	else if (strcmp(keyword, "maxstartups") == 0)
		sshd->startups = seconds(value);
}

static void
from_files(
    const struct sshd_conf *conf, const char *user, struct check_sshd *sshd)
{
	static const struct {
		const char *keyword, *unset;
	} keywords[] = {
	    {"usepam", "no"},
	    {"kbdinteractiveauthentication", "yes"},
	    {"passwordauthentication", "yes"},
	    {"pubkeyauthentication", "yes"},
	    {"hostbasedauthentication", "no"},
	    {"gssapiauthentication", "no"},
	    {"permitrootlogin", "prohibit-password"},
	    {"authenticationmethods", "any"},
	    {"authorizedkeysfile", ".ssh/authorized_keys"},
	    {"logingracetime", "120"},
	    {"maxauthtries", "6"},
	    {"maxstartups", "10"},
	};

	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
		const char *value =
		    sshd_conf_value(conf, keywords[i].keyword, user);

		take(sshd, keywords[i].keyword,
		    value != NULL ? value : keywords[i].unset);
	}
	sshd->known = true;
}

/* False: said is what it said instead. */
static bool
from_sshd(const char *user, struct check_sshd *sshd, char **said)
{
	char spec[CHECK_NAME_SIZE + 64];
	const char *const argv[] = {
	    SSHD, "-T", user != NULL ? "-C" : NULL, spec, NULL};
	struct check_lines lines = {0};
	char *keyword;

	/* its addresses are those of a login from this machine */
	(void)snprintf(spec, sizeof spec,
	    "user=%s,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22",
	    user != NULL ? user : "");
	if (!check_run(argv, said))
		return false;
	lines.next = *said;
	while (check_line(&lines, false)) {
		char *value = lines.line;

		if ((keyword = check_word(&value, "")) != NULL)
			take(sshd, keyword, value + strspn(value, " "));
	}
	sshd->known = sshd->methods[0] != '\0' && sshd->root_login[0] != '\0';
	return sshd->known;
}

/* Files where sshd itself cannot say it. */
static bool
read_sshd(struct check *c, const char *user, struct check_sshd *ret_sshd,
    char **ret_said)
{
	struct check_sshd sshd = {0};
	struct sshd_conf *conf;
	bool asked = false;

	*ret_said = NULL;
	if (c->root == NULL && !c->sshd_silent)
		asked = from_sshd(user, &sshd, ret_said);
	if (!asked && (conf = sshd_conf_read()) != NULL) {
		sshd = (struct check_sshd){0};
		from_files(conf, user, &sshd);
		sshd_conf_free(&conf);
	}
	*ret_sshd = sshd;
	return asked;
}

void
check_sshd_for(struct check *c, const char *user, struct check_sshd *ret_sshd)
{
	char *said = NULL;

	(void)read_sshd(c, user, ret_sshd, &said);
	free(said);
}

/* --- its ways in ---------------------------------------------------------- */

struct ways {
	bool stack;    /* one that runs the auth stack so that it can ask */
	bool password; /* one that runs it so that it cannot */
	bool alone;    /* one that does not run it */
	bool keyless;  /* one that asks for no key before */
};

/* One list of methods, all of which are needed. */
static void
judge_list(const struct check_sshd *sshd, char *list, struct ways *ways)
{
	bool stack = false, password = false, key = false, possible = true;
	char *method;

	while ((method = strsep(&list, ",")) != NULL) {
		if (strncmp(method, "keyboard-interactive",
			strlen("keyboard-interactive")) == 0) {
			stack = true;
			possible = possible && sshd->kbdint;
		} else if (strcmp(method, "password") == 0) {
			password = true;
			possible = possible && sshd->password;
		} else {
			key = true;
			if (strncmp(method, "publickey", 9) == 0)
				possible = possible && sshd->pubkey;
			else if (strcmp(method, "hostbased") == 0)
				possible = possible && sshd->hostbased;
			else
				possible = possible && sshd->gssapi;
		}
	}
	if (!possible)
		return;
	ways->stack = ways->stack || (stack && !password);
	ways->password = ways->password || password;
	ways->alone = ways->alone || (!stack && !password);
	ways->keyless = ways->keyless || !key;
}

static struct ways
ways_in(const struct check_sshd *sshd)
{
	char copy[sizeof sshd->methods];
	char *next = copy, *list;
	struct ways ways = {0};

	if (strcmp(sshd->methods, "any") == 0)
		(void)snprintf(copy, sizeof copy,
		    "keyboard-interactive password publickey hostbased "
		    "gssapi-with-mic");
	else
		memcpy(copy, sshd->methods, sizeof copy);
	while ((list = check_word(&next, "\"")) != NULL)
		judge_list(sshd, list, &ways);
	return ways;
}

bool
check_sshd_alone(const struct check_sshd *sshd)
{
	return ways_in(sshd).alone;
}

bool
check_sshd_needs_key(const struct check_sshd *sshd)
{
	return !ways_in(sshd).keyless;
}

/* --- settings ------------------------------------------------------------- */

/* What is wrong with a keyword's value, and a better line that lost. */
static void
find_setting(struct check *c, const struct sshd_conf *conf, enum check_id id,
    const char *keyword, const char *better, const char *what)
{
	char at[CHECK_SUBJECT_SIZE], late[CHECK_SUBJECT_SIZE];

	(void)sshd_conf_at(conf, keyword, at);
	if (sshd_conf_too_late(conf, keyword, better, late))
		check_find(c->report, id, NULL, at,
		    "put the other line first, or remove this one",
		    "%s  The \"%s\" at %s comes too late: the first value "
		    "counts.",
		    what, better, late);
	else
		check_find(c->report, id, NULL, at, NULL, "%s", what);
}

static void
check_methods(struct check *c, const struct sshd_conf *conf)
{
	const struct check_sshd *sshd = &c->sshd;
	struct ways ways = ways_in(sshd);

	if (!sshd->kbdint)
		find_setting(c, conf, FIND_SSHD_KBDINT,
		    "kbdinteractiveauthentication", "yes",
		    "KbdInteractiveAuthentication is off: no login can show "
		    "the question, so every login that needs the phone fails.");
	else if (!ways.stack)
		find_setting(c, conf, FIND_SSHD_METHODS,
		    "authenticationmethods", "publickey,keyboard-interactive",
		    "No way of AuthenticationMethods leads through "
		    "keyboard-interactive, so nobody can be asked.");
	if (ways.password)
		find_setting(c, conf, FIND_SSHD_PASSWORD,
		    strcmp(sshd->methods, "any") == 0 ? "passwordauthentication"
						      : "authenticationmethods",
		    "no",
		    "The method \"password\" cannot show the question: every "
		    "login that uses it fails.");
	if (ways.alone)
		find_setting(c, conf, FIND_SSHD_ALONE, "authenticationmethods",
		    "publickey,keyboard-interactive",
		    "A key (or another method than a password) alone logs in: "
		    "the auth stack is not run, and the phone is not asked.");
	else if (ways.stack && !ways.password && sshd->kbdint)
		check_good(c->report, GROUP_SSHD,
		    ways.keyless ? "every login runs the stack that asks the "
				   "phone"
				 : "asks the phone after a key was proven");
}

/* Can a login through sshd come to an enrolment? */
static bool
enrols(struct check *c)
{
	return strcmp(check_setting(c, "sshd", "unenrolled"), "enroll") == 0 ||
	       strcmp(check_setting(c, "sshd", "recovery_enroll"), "yes") == 0;
}

static void
check_times(struct check *c, const struct sshd_conf *conf)
{
	unsigned int lifetime = check_setting_number(c, "sshd", "lifetime");
	unsigned int grace = c->sshd.grace;
	char at[CHECK_SUBJECT_SIZE];

	(void)sshd_conf_at(conf, "logingracetime", at);
	if (grace != 0 && lifetime != 0 && grace <= lifetime)
		check_find(c->report, FIND_SSHD_GRACE, NULL, at, NULL,
		    "LoginGraceTime is %u seconds, a question lives %u: sshd "
		    "hangs up before the phone can answer.",
		    grace, lifetime);
	else if (grace != 0 && lifetime != 0 && grace < lifetime + GRACE_MARGIN)
		check_find(c->report, FIND_SSHD_GRACE_SHORT, NULL, at, NULL,
		    "LoginGraceTime is %u seconds, a question lives %u: that "
		    "leaves %u for all the rest of a login.",
		    grace, lifetime, grace - lifetime);
	else if (lifetime != 0 && grace != 0 &&
		 grace / ENROL_WAITS < lifetime && enrols(c))
		check_find(c->report, FIND_SSHD_GRACE_SHORT, NULL, at, NULL,
		    "LoginGraceTime is %u seconds: too short to enrol a phone "
		    "inside a login, which takes up to four times the lifetime "
		    "of a question, %u.",
		    grace, lifetime);
	else if (lifetime != 0)
		check_good(c->report, GROUP_SSHD,
		    "LoginGraceTime leaves time for an answer");
	(void)sshd_conf_at(conf, "maxauthtries", at);
	if (c->sshd.tries < 3)
		check_find(c->report, FIND_SSHD_TRIES, NULL, at, NULL,
		    "MaxAuthTries is %u: a client that offers a few keys is "
		    "cut off before the phone is asked.",
		    c->sshd.tries);
}

static bool
count_user(void *arg, const char *user)
{
	(void)user;
	(*(size_t *)arg)++;
	return true;
}

static void
check_startups(struct check *c, const struct sshd_conf *conf)
{
	char at[CHECK_SUBJECT_SIZE];
	size_t users = 0;

	if (!c->loaded || c->sshd.startups == 0 ||
	    csign_users_each(c->ctx, count_user, &users) != CSIGN_OK ||
	    users <= c->sshd.startups)
		return;
	check_find(c->report, FIND_SSHD_STARTUPS, NULL,
	    sshd_conf_at(conf, "maxstartups", at), NULL,
	    "MaxStartups lets %u logins wait for their phones at a time, and "
	    "%zu accounts have one; more are refused at random.",
	    c->sshd.startups, users);
}

/* How the challenge appears; before 10.3 text waits for a prompt. */
static void
check_present(struct check *c)
{
	if (strcmp(check_setting(c, "sshd", "present"), "info") == 0)
		check_find(c->report, FIND_SSHD_PRESENT, NULL, "present = info",
		    NULL,
		    "Before version 10.3 sshd shows no text that is not a "
		    "prompt: nobody sees the question in time.");
}

/* What stands in the way of a stack that asks: no key, no password. */
static void
check_first_factor(struct check *c, const struct check_service *s)
{
	char at[CHECK_SUBJECT_SIZE];

	if (s->ways == NULL || s->ours == NULL ||
	    check_sshd_needs_key(&c->sshd))
		return;
	(void)check_at(at, s->ours->file, s->ours->line);
	if (check_may_ignore(c, "sshd") && s->ways->way[PAM_WAY_IGNORED].found)
		check_find(c->report, FIND_PAM_IGNORED_OPEN, "sshd", at, NULL,
		    "Accounts that the policy does not ask (unenrolled, "
		    "require_groups, exempt_groups) are let in without "
		    "proving anything.");
	if (!s->ways->way[PAM_WAY_ALONE].found)
		return;
	if (strstr(check_setting(c, "sshd", "device_kinds"), "p256") != NULL)
		check_find(c->report, FIND_PAM_P256, "sshd", at, NULL,
		    "A plain key alone opens this service: device_kinds takes "
		    "p256, which does not prove that anybody was there.");
	else
		check_find(c->report, FIND_PAM_ALONE, "sshd", at, NULL,
		    "The phone alone opens this service: no other factor is "
		    "asked for.");
}

/* --- single users --------------------------------------------------------- */

static void
check_root(struct check *c)
{
	struct check_person *root = check_person(c, "root");
	char at[CHECK_SUBJECT_SIZE];
	struct sshd_conf *conf;
	struct check_sshd sshd;

	if (root == NULL)
		return;
	check_sshd_for(c, "root", &sshd);
	if (!sshd.known || strcmp(sshd.root_login, "prohibit-password") != 0 ||
	    ways_in(&sshd).alone || !check_has_key(root, sshd.keys))
		return;
	conf = sshd_conf_read();
	check_find(c->report, FIND_SSHD_ROOT, NULL,
	    sshd_conf_at(conf, "permitrootlogin", at), NULL,
	    "Root has a key, but cannot log in: PermitRootLogin "
	    "prohibit-password refuses keyboard-interactive, which "
	    "AuthenticationMethods demands.");
	sshd_conf_free(&conf);
}

/* Match blocks, for those who matter most. */
static void
check_users(struct check *c, const struct sshd_conf *conf)
{
	struct check_sshd sshd;
	size_t asked = 0;

	if (!sshd_conf_matches(conf) || check_sshd_alone(&c->sshd))
		return;
	for (size_t i = 0; i < c->people.n && asked < USERS_ASKED; i++) {
		const struct check_person *person = &c->people.item[i];

		if (!person->shell)
			continue;
		asked++;
		check_sshd_for(c, person->name, &sshd);
		if (sshd.known && check_sshd_alone(&sshd) &&
		    check_has_key(person, sshd.keys))
			check_find(c->report, FIND_SSHD_USER_ALONE, NULL,
			    person->name, NULL,
			    "A Match block lets this account log in with a key "
			    "alone.");
	}
}

/* --- all ------------------------------------------------------------------ */

static void
see(void *arg, const char *path)
{
	(void)path;
	*(bool *)arg = true;
}

static void
check_include(struct check *c, const struct sshd_conf *conf)
{
	bool any = false;

	(void)check_each(SSHD_CONFIG ".d/*.conf", see, &any);
	if (any && conf != NULL && !sshd_conf_includes(conf))
		check_find(c->report, FIND_SSHD_INCLUDE, NULL, SSHD_CONFIG,
		    NULL,
		    "There are files in " SSHD_CONFIG
		    ".d, but no Include: sshd never reads them.");
}

/* Why sshd did not say it itself. */
static void
tell_unasked(struct check *c, const char *said)
{
	if (c->root != NULL)
		return;
	if (said == NULL || said[0] == '\0')
		check_find(c->report, FIND_UNREAD, NULL, SSHD, NULL,
		    "It could not be run, so its files were read instead.");
	else if (strstr(said, NOT_RUNNING) != NULL)
		check_find(c->report, FIND_SSHD_IDLE, NULL, SSHD, NULL,
		    "sshd does not run, so its files were read instead.");
	else
		check_find(c->report, FIND_SSHD_TEST, NULL, SSHD_CONFIG, NULL,
		    "sshd does not accept its configuration: %.300s", said);
}

void
check_sshd(struct check *c)
{
	const struct check_service *s = check_pam_service(c, "sshd");
	bool asks = check_asks(c, "sshd");
	struct sshd_conf *conf;
	char *said = NULL;
	struct stat st;

	if (stat(SSHD_CONFIG, &st) != 0 && stat(SSHD, &st) != 0)
		return; /* no sshd here */
	conf = sshd_conf_read();
	if (conf == NULL)
		check_find(c->report, FIND_UNREAD, NULL, SSHD_CONFIG, NULL,
		    "It cannot be read: %m.");
	if (!read_sshd(c, NULL, &c->sshd, &said)) {
		c->sshd_silent = true;
		tell_unasked(c, said);
	}
	free(said);
	check_include(c, conf);
	if (!asks || !c->sshd.known)
		goto out;
	if (!c->sshd.use_pam) {
		find_setting(c, conf, FIND_SSHD_USEPAM, "usepam", "yes",
		    "UsePAM is off: no stack is run, and the phone is never "
		    "asked.");
		goto out;
	}
	check_people(c);
	check_methods(c, conf);
	check_times(c, conf);
	check_startups(c, conf);
	check_present(c);
	if (s != NULL)
		check_first_factor(c, s);
	check_users(c, conf);
	check_root(c);
out:
	sshd_conf_free(&conf);
}
