/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <security/pam_modules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

static const char *const way_names[PAM_WAYS] = {
    [PAM_WAY_SUCCESS] = "success",
    [PAM_WAY_OVERRULED] = "overruled",
    [PAM_WAY_AROUND] = "around",
    [PAM_WAY_TRUSTED] = "trusted",
    [PAM_WAY_OPEN] = "open",
    [PAM_WAY_IGNORED] = "ignored",
    [PAM_WAY_ALONE] = "alone",
    [PAM_WAY_BOTH] = "both",
    [PAM_WAY_EARLY] = "early",
    [PAM_WAY_LATE] = "late",
};

const char *
pam_text_way(enum pam_way_kind way)
{
	return way_names[way];
}

/* The sentences, with an example of how it comes to that. */
static const struct {
	enum pam_way_kind way;
	const char *text;
} sentences[] = {
    {PAM_WAY_OVERRULED,
	"A no of the phone, or an error, does not count: it can end with a "
	"success all the same"},
    {PAM_WAY_OPEN, "Somebody gets in without proving anything"},
    {PAM_WAY_IGNORED,
	"Who is not asked by the policy gets in without proving anything"},
    {PAM_WAY_AROUND, "A first factor alone gets in; the phone is not asked"},
    {PAM_WAY_TRUSTED,
	"Without a factor and without the phone gets in whom a module lets"},
    {PAM_WAY_ALONE, "The phone alone gets in, without another factor"},
    {PAM_WAY_BOTH, "A first factor and the phone together get in"},
};

/* "... (pam_unix.so success, pam_permit.so success)." */
static void
say_way(const struct pam_way *way, const char *text,
    void (*say)(void *arg, const char *sentence), void *arg)
{
	const char *comma = "";
	char *sentence = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&sentence, &len);

	if (out == NULL)
		return;
	(void)fprintf(out, "%s (", text);
	for (size_t i = 0; i < way->n; i++) {
		const struct pam_step *step = &way->step[i];

		/* what had no say is left out */
		if (step->code == PAM_IGNORE)
			continue;
		(void)fprintf(out, "%s%s %s", comma, step->entry->module,
		    pam_code_name(step->code));
		comma = ", ";
	}
	(void)fputs(").", out);
	if (fclose(out) == 0)
		say(arg, sentence);
	free(sentence);
}

static const char *
order(const struct pam_judgement *j)
{
	bool claims = pam_entry_has_arg(j->ours, "after_first_factor");

	if (!j->way[PAM_WAY_EARLY].found)
		return j->way[PAM_WAY_LATE].found
			   ? "The phone is asked after a first factor."
			   : "The phone is never asked.";
	if (claims)
		return "The phone is asked where no first factor was proven, "
		       "though after_first_factor on its line says that one "
		       "was: that is wrong.";
	return j->way[PAM_WAY_LATE].found
		   ? "The phone is asked whether or not a first factor was "
		     "proven before."
		   : "The phone is asked first; what the program itself "
		     "checked before (as sshd does a key) is not part of this "
		     "stack.";
}

void
pam_text_judgement(const struct pam_stack *stack, const struct pam_judgement *j,
    void (*say)(void *arg, const char *sentence), void *arg)
{
	if (stack->unusable)
		say(arg, "libpam gives up on these files: nobody gets in.");
	else if (!j->way[PAM_WAY_SUCCESS].found)
		say(arg, "Nobody gets in, whatever they prove.");
	if (j->ours == NULL)
		say(arg, "The phone is not asked: " PAM_OUR_MODULE
			 " is not in this stack.");
	else if (!stack->unusable)
		say(arg, order(j));
	if (j->ours != NULL && j->way[PAM_WAY_SUCCESS].found &&
	    !j->way[PAM_WAY_OVERRULED].found)
		say(arg, "A no of the phone, and every error, denies.");
	for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
		if (j->way[sentences[i].way].found)
			say_way(&j->way[sentences[i].way], sentences[i].text,
			    say, arg);
	if (j->incomplete)
		say(arg, "This stack has more ways than were tried.");
}

void
pam_text_hint(const char *service)
{
	if (strcmp(service, "sudo") == 0)
		(void)printf("\"sudo -i\" uses a service of its own, sudo-i: "
			     "enable that one, too.\n");
	if (strcmp(service, "su") == 0 || strcmp(service, "su-l") == 0)
		(void)printf(
		    "su asks the phone of the account to become; to ask that "
		    "of the person who calls it, set in countersign.conf:\n"
		    "  [%s]\n  identity = ruser\n",
		    service);
	if (strcmp(service, "sshd") == 0)
		(void)printf(
		    "sshd asks it for keyboard-interactive logins alone.  In "
		    "sshd_config:\n"
		    "  UsePAM yes\n"
		    "  KbdInteractiveAuthentication yes\n"
		    "  AuthenticationMethods publickey,keyboard-interactive\n"
		    "A key, then password and phone.  For a key and the phone "
		    "without a password see pam_countersign(8).\n");
}
