/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: the stacks of PAM's services, and every way through
 * those that ask the phone.
 */
#include "config.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lines.h"
#include "module.h"

/* Parts of other stacks, not services. */
static const char *const parts[] = {"common-", "system-auth", "password-auth",
    "fingerprint-auth", "smartcard-auth", "postlogin", "system-login",
    "system-local-login", "system-remote-login", "system-services"};

/* What editors and package managers leave behind: nobody's service. */
static const char *const leftovers[] = {"~", ".dpkg-", ".rpmnew", ".rpmsave",
    ".ucf-", ".bak", ".orig", ".old", ".save", ".countersign"};

/* Services with nobody in front of them who could read a question. */
static const char *const unattended[] = {"vsftpd", "proftpd", "pure-ftpd",
    "dovecot", "imap", "pop3", "smtp", "samba", "ppp", "openvpn", "squid",
    "httpd", "apache2", "mysql", "mariadb", "postgresql", "radiusd"};

/* Programs that draw a dialogue of their own, some without being root. */
static const char *const dialogs[] = {"polkit-1", "gdm-password", "lightdm",
    "sddm", "kde", "xrdp-sesman", "cockpit", "xscreensaver", "i3lock",
    "swaylock", "xlock", "vlock", "cinnamon-screensaver", "mate-screensaver"};

/* The same program under two names. */
static const char *const siblings[][2] = {{"sudo", "sudo-i"}, {"su", "su-l"}};

#define HAS(list, word) has((list), sizeof(list) / sizeof((list)[0]), (word))

static bool
has(const char *const *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], word) == 0)
			return true;
	return false;
}

/* --- reading -------------------------------------------------------------- */

const struct check_service *
check_pam_service(const struct check *c, const char *name)
{
	for (size_t i = 0; i < c->n_services; i++)
		if (strcmp(c->service[i].stack->service, name) == 0)
			return &c->service[i];
	return NULL;
}

bool
check_asks_anywhere(const struct check *c)
{
	for (size_t i = 0; i < c->n_services; i++)
		if (c->service[i].ours != NULL)
			return true;
	return false;
}

bool
check_asks(const struct check *c, const char *service)
{
	const struct check_service *s = check_pam_service(c, service);

	if (s == NULL)
		s = check_pam_service(c, "other");
	return s != NULL && s->ours != NULL;
}

/* Is this file the stack of a service that somebody may use? */
static bool
is_service(const char *name)
{
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strncmp(name, parts[i], strlen(parts[i])) == 0)
			return false;
	for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++)
		if (strstr(name, leftovers[i]) != NULL)
			return false;
	return pam_service_ok(name);
}

static void
read_service(void *arg, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	struct check *c = arg;
	struct check_service service = {0}, *more;

	if (!is_service(name) || check_pam_service(c, name) != NULL)
		return;
	more = reallocarray(c->service, c->n_services + 1, sizeof *more);
	if (more != NULL)
		c->service = more;
	if (more == NULL || !pam_stack_read("/", name, &service.stack)) {
		check_find(c->report, FIND_UNREAD, name, path, NULL,
		    "There was no memory to read it.");
		return;
	}
	service.ours = pam_stack_ours(service.stack, PAM_TYPE_AUTH);
	if (service.ours != NULL && !pam_judge(service.stack, &service.ways))
		check_find(c->report, FIND_UNREAD, name, path, NULL,
		    "There was no memory to think it through.");
	more[c->n_services++] = service;
}

/* --- every way through ---------------------------------------------------- */

struct looking {
	struct check *c;
	const struct check_service *s;
	const char *name;
	char at[CHECK_SUBJECT_SIZE]; /* our line */
};

static bool
found(const struct looking *l, enum pam_way_kind kind)
{
	return l->s->ways->way[kind].found;
}

/* The entry that let this example of a way end well. */
static const struct pam_entry *
last_entry(const struct looking *l, enum pam_way_kind kind)
{
	const struct pam_way *way = &l->s->ways->way[kind];

	return way->n > 0 ? way->step[way->n - 1].entry : l->s->ours;
}

/* Did a module that asks about the account, not of it, lead around ours? */
static const struct pam_entry *
exemption(const struct looking *l, enum pam_way_kind kind)
{
	const struct pam_way *way = &l->s->ways->way[kind];

	for (size_t i = 0; i < way->n; i++) {
		const struct pam_step *step = &way->step[i];
		int action = step->entry->action[step->code];

		if (step->entry->proof == PAM_PROOF_WHO &&
		    (action > 0 || action == PAM_ACTION_DONE))
			return step->entry;
	}
	return NULL;
}

static void
find_exemption(const struct looking *l, const struct pam_entry *entry)
{
	char at[CHECK_SUBJECT_SIZE];

	check_find(l->c->report, FIND_PAM_EXEMPT, l->name,
	    check_at(at, entry->file, entry->line), NULL,
	    "Accounts for which %s succeeds are not asked.", entry->module);
}

static void
judge_around(const struct looking *l)
{
	const struct pam_entry *last, *exempt;
	char at[CHECK_SUBJECT_SIZE];

	if (found(l, PAM_WAY_AROUND)) {
		last = last_entry(l, PAM_WAY_AROUND);
		exempt = exemption(l, PAM_WAY_AROUND);
		if (exempt != NULL)
			find_exemption(l, exempt);
		else
			check_find(l->c->report, FIND_PAM_AROUND, l->name,
			    check_at(at, last->file, last->line), NULL,
			    "The phone is not asked when %s succeeds: this "
			    "line ends the stack, or jumps, before it.",
			    last->module);
	}
	if (found(l, PAM_WAY_TRUSTED)) {
		exempt = exemption(l, PAM_WAY_TRUSTED);
		/* root needs nobody's approval to become somebody */
		if (exempt != NULL &&
		    strstr(exempt->module, "pam_rootok.so") == NULL)
			find_exemption(l, exempt);
	}
	if (found(l, PAM_WAY_OPEN)) {
		last = last_entry(l, PAM_WAY_OPEN);
		check_find(l->c->report, FIND_PAM_OPEN, l->name,
		    check_at(at, last->file, last->line), NULL,
		    "There is a way to success in which nothing is proven and "
		    "the phone is not asked; it ends here.");
	}
}

/* The result when every module succeeds and ours says PAM_IGNORE. */
static bool
ignored_gets_in(const struct looking *l)
{
	const struct pam_entries *auth = &l->s->stack->type[PAM_TYPE_AUTH];
	int *codes = calloc(auth->n, sizeof *codes);
	bool in = true;

	for (size_t i = 0; codes != NULL && i < auth->n; i++)
		codes[i] = pam_entry_is_ours(&auth->item[i]) ? PAM_IGNORE
							     : PAM_SUCCESS;
	if (codes != NULL)
		in = pam_plays(auth, codes);
	free(codes);
	return in;
}

static void
judge_overruled(const struct looking *l)
{
	const struct pam_entry *ours = l->s->ours;

	/* a module that is missing is then as if it had nothing to say */
	if (ours->silent && ignored_gets_in(l))
		check_find(l->c->report, FIND_PAM_MISSING_PASSES, l->name,
		    l->at, NULL,
		    "The \"-\" lets everybody pass unasked while the module "
		    "is missing, as in the middle of an update.");
	if (!found(l, PAM_WAY_OVERRULED))
		return;
	check_find(l->c->report, FIND_PAM_OVERRULED, l->name, l->at, NULL,
	    "A denial on the phone, or any failure, does not count here: with "
	    "the control \"%s\" the login succeeds all the same when %s does.",
	    ours->control, last_entry(l, PAM_WAY_OVERRULED)->module);
}

static void
judge_ignored(const struct looking *l)
{
	if (!check_may_ignore(l->c, l->name))
		return;
	if (!ignored_gets_in(l))
		check_find(l->c->report, FIND_PAM_IGNORED_CLOSED, l->name,
		    l->at, NULL,
		    "Accounts that the policy does not ask (unenrolled, "
		    "require_groups, exempt_groups) are not let in by this "
		    "stack: nothing else in it decides about them.");
	else if (found(l, PAM_WAY_IGNORED) && strcmp(l->name, "sshd") != 0)
		check_find(l->c->report, FIND_PAM_IGNORED_OPEN, l->name, l->at,
		    NULL,
		    "Accounts that the policy does not ask (unenrolled, "
		    "require_groups, exempt_groups) are let in without "
		    "proving anything.");
}

/* What comes first; of sshd its own settings know more: sshd.c. */
static void
judge_order(const struct looking *l)
{
	bool claims = pam_entry_has_arg(l->s->ours, "after_first_factor");

	if (claims && found(l, PAM_WAY_EARLY)) {
		check_find(l->c->report, FIND_PAM_FIRST_FACTOR, l->name, l->at,
		    NULL,
		    "The line says that a first factor was proven, but the "
		    "stack comes here without one, too.");
		return;
	}
	if (strcmp(l->name, "sshd") == 0)
		return;
	if (!found(l, PAM_WAY_ALONE)) {
		if (found(l, PAM_WAY_EARLY) && !found(l, PAM_WAY_LATE))
			check_find(l->c->report, FIND_PAM_EARLY, l->name, l->at,
			    NULL, "The phone is asked before the password is.");
		return;
	}
	if (strstr(check_setting(l->c, l->name, "device_kinds"), "p256") !=
	    NULL)
		check_find(l->c->report, FIND_PAM_P256, l->name, l->at, NULL,
		    "A plain key alone opens this service: device_kinds takes "
		    "p256, which does not prove that anybody was there.");
	else
		check_find(l->c->report, FIND_PAM_ALONE, l->name, l->at, NULL,
		    "The phone alone opens this service: no other factor is "
		    "asked for.");
}

static void
judge(const struct looking *l)
{
	const struct pam_entry *ours = l->s->ours;
	const char *name = strrchr(ours->module, '/');
	size_t errors;

	if (l->s->ways->incomplete)
		check_find(l->c->report, FIND_PAM_COMPLEX, l->name, l->at, NULL,
		    "This stack has too many ways to try them all.");
	if (!found(l, PAM_WAY_SUCCESS)) {
		check_find(l->c->report, FIND_PAM_NEVER, l->name, l->at, NULL,
		    "No answer of any module leads to success: nobody can get "
		    "in by this stack.");
		return;
	}
	errors = check_count(l->c->report, SEVERITY_ERROR);
	judge_overruled(l);
	judge_around(l);
	judge_ignored(l);
	judge_order(l);
	if (check_count(l->c->report, SEVERITY_ERROR) == errors)
		check_good(l->c->report, GROUP_PAM,
		    "%s: %s is asked, and a no ends it (%s)", l->name,
		    name != NULL ? name + 1 : ours->module, l->at);
}

/* --- the rest ------------------------------------------------------------- */

/* Every line for our module: where it must not be, or not again. */
static void
check_entries(struct check *c, const struct check_service *s)
{
	const char *name = s->stack->service;
	char at[CHECK_SUBJECT_SIZE];
	size_t n = 0;

	for (int type = 0; type < PAM_TYPES; type++) {
		const struct pam_entries *entries = &s->stack->type[type];

		for (size_t i = 0; i < entries->n; i++) {
			const struct pam_entry *entry = &entries->item[i];

			if (!pam_entry_is_ours(entry))
				continue;
			(void)check_at(at, entry->file, entry->line);
			if (type != PAM_TYPE_AUTH)
				check_find(c->report, FIND_PAM_TYPE, name, at,
				    NULL,
				    "The module always fails in the stack "
				    "\"%s\".",
				    pam_type_name((enum pam_type)type));
			else if (n++ == 1)
				check_find(c->report, FIND_PAM_TWICE, name, at,
				    NULL,
				    "The phone is asked a second time in the "
				    "same login.");
			check_module(c, name, entry);
			check_module_options(c, name, entry);
		}
	}
}

/* Of stacks that ask the phone: all; of the others: what breaks them. */
static void
check_problems(struct check *c, const struct check_service *s)
{
	const struct pam_stack *stack = s->stack;
	char at[CHECK_SUBJECT_SIZE];

	for (size_t i = 0; i < stack->n_problems; i++) {
		const struct pam_problem *p = &stack->problem[i];

		if (!stack->unusable && s->ours == NULL)
			continue;
		check_find(c->report,
		    stack->unusable ? FIND_PAM_UNUSABLE : FIND_PAM_SYNTAX,
		    stack->service, check_at(at, p->file, p->line), NULL,
		    "%s%s.", p->text,
		    stack->unusable ? ": libpam gives up, and nobody gets in"
				    : "");
	}
}

static void
check_kind(struct check *c, const struct check_service *s)
{
	const char *name = s->stack->service;
	char at[CHECK_SUBJECT_SIZE];

	(void)check_at(at, s->ours->file, s->ours->line);
	if (strcmp(name, "other") == 0)
		check_find(c->report, FIND_PAM_OTHER, name, at, NULL,
		    "Every service without a stack of its own asks the phone, "
		    "also those with nobody to answer.");
	if (HAS(unattended, name))
		check_find(c->report, FIND_PAM_UNATTENDED, name, at, NULL,
		    "Nobody who uses %s sees a question, so everybody is "
		    "denied.",
		    name);
	if (HAS(dialogs, name))
		check_find(c->report, FIND_PAM_DIALOG, name, at, NULL,
		    "%s draws its own dialogue: whether it shows the question "
		    "depends on it.",
		    name);
	if ((strcmp(name, "su") == 0 || strcmp(name, "su-l") == 0) &&
	    s->ways != NULL && !s->ways->way[PAM_WAY_TRUSTED].found)
		check_find(c->report, FIND_PAM_SU_ROOT, name, at, NULL,
		    "Root itself is asked when it runs su, and so are scripts "
		    "of root's.");
}

static void
check_siblings(struct check *c)
{
	for (size_t i = 0; i < sizeof siblings / sizeof siblings[0]; i++) {
		for (size_t k = 0; k < 2; k++) {
			const char *asks = siblings[i][k];
			const char *not = siblings[i][1 - k];
			char remedy[CHECK_SUBJECT_SIZE];
			const struct check_service *s =
			    check_pam_service(c, not );

			if (s == NULL || s->ours != NULL ||
			    check_pam_service(c, asks) == NULL ||
			    !check_asks(c, asks))
				continue;
			(void)snprintf(remedy, sizeof remedy,
			    "countersign pam enable %s", not );
			check_find(c->report, FIND_PAM_SIBLING, not,
			    s->stack->file != NULL ? s->stack->file : not,
			    remedy,
			    "%s asks the phone and %s does not: \"%s\" is a "
			    "way around it.",
			    asks, not,
			    strcmp(siblings[i][0], "sudo") == 0
				? (k == 0 ? "sudo -i" : "sudo")
				: (k == 0 ? "su -" : "su"));
		}
	}
}

static void
check_writable(void *arg, const char *path)
{
	struct check *c = arg;
	char why[128];

	if (!check_safe(path, why, sizeof why))
		check_find(c->report, FIND_PAM_WRITABLE, NULL, path, NULL,
		    "Who can change a stack decides who gets in: %s.", why);
}

static void
judge_service(struct check *c, const struct check_service *s)
{
	struct looking l = {.c = c, .s = s, .name = s->stack->service};

	check_problems(c, s);
	check_entries(c, s);
	if (s->ours == NULL || s->stack->unusable)
		return;
	check_kind(c, s);
	(void)check_at(l.at, s->ours->file, s->ours->line);
	if (s->ways != NULL)
		judge(&l);
}

void
check_pam(struct check *c)
{
	bool any;

	any = check_each("/etc/pam.d/*", read_service, c);
	any = check_each("/usr/lib/pam.d/*", read_service, c) || any;
	if (!any) {
		check_find(c->report, FIND_UNREAD, NULL, "/etc/pam.d", NULL,
		    "No PAM service was found there.");
		return;
	}
	(void)check_each("/etc/pam.d/*", check_writable, c);
	for (size_t i = 0; i < c->n_services; i++)
		judge_service(c, &c->service[i]);
	check_siblings(c);
	if (!check_asks_anywhere(c))
		check_find(c->report, FIND_PAM_NONE, NULL, "/etc/pam.d", NULL,
		    "No PAM service asks the phone: nothing is protected yet.");
}
