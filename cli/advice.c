/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "root.h"
#include "stack/edit.h"
#include "stack/show.h"

#define TEXT_MAX ((size_t)262144)

const char advice_settings[] =
    "\n"
    "# What people change most; all keys are in countersign.conf(5), and\n"
    "# \"countersign check-config\" reads this file as a login does.\n"
    "#\n"
    "# How long a question may be answered, in seconds.\n"
    "#lifetime = 90\n"
    "# Accounts without a device: deny, ignore (let them pass), or enroll\n"
    "# (inside the login, after a first factor).\n"
    "#unenrolled = deny\n"
    "# Who is asked at all, and who is not.\n"
    "#require_groups = sudo\n"
    "#exempt_groups = robots\n"
    "# May users enrol a second device, after the first has approved?\n"
    "#self_enroll = approve\n"
    "# Are recovery codes taken, and may a phone be replaced after one?\n"
    "#recovery = yes\n"
    "#recovery_enroll = yes\n"
    "# Who besides root may use \"countersign ask\".\n"
    "#ask_users = deploy\n"
    "# Do phones ring?  What they ask for then: code, the digits on the\n"
    "# terminal, or tap, nothing; see countersign.conf(5) for the price.\n"
    "#push = yes\n"
    "#push_confirm = code\n"
    "# How the QR code is drawn: utf8, ascii or off.\n"
    "#qr = utf8\n";

const char advice_sections[] =
    "\n"
    "# For one PAM service; sections come last.\n"
    "#\n"
    "# su: ask the phone of the person who calls it, not that of the account\n"
    "# to become.\n"
    "#[su]\n"
    "#identity = ruser\n"
    "# sudo: what sudoers says, so that the phone can show what one approval\n"
    "# covers; in minutes.\n"
    "#[sudo]\n"
    "#timestamp_timeout = 15\n";

/* --- whose files these are --------------------------------------------------
 */

static bool
says(const char *root, const char *path, const char *sign)
{
	char *text = root_read(root, path, TEXT_MAX, NULL);
	bool found = text != NULL && strstr(text, sign) != NULL;

	free(text);
	return found;
}

/* By a sign in a file; "" is in every one. */
static const struct family {
	const char *path, *sign;
	const char *name, *note;
} families[] = {
    {"/etc/pam.d/common-auth", "managed by pam-auth-update",
	"Debian, Ubuntu and their like (pam-auth-update)",
	"Every service at once: pam-auth-update --enable countersign\n"
	"(not enabled by itself; \"countersign pam show SERVICE\" says what "
	"it does).\n"},
    {"/etc/authselect/authselect.conf", "",
	"Fedora, RHEL and their like (authselect)",
	"system-auth and password-auth are written by authselect: change the "
	"files of\nsingle services only.  Where such a file says \"auth "
	"include system-auth\",\nwrite \"auth substack system-auth\", or the "
	"stack ends before our line.\n"},
    {"/etc/pam.d/common-auth-pc", "", "openSUSE, SLES (pam-config)",
	"common-auth is written by pam-config: change the files of single "
	"services only.\nThose of the distribution are in /usr/lib/pam.d; "
	"copy one to /etc/pam.d to change it.\n"},
    {"/etc/arch-release", "", "Arch Linux",
	"system-auth belongs to the package pambase: change the files of "
	"single services\nonly.  Where such a file says \"auth include "
	"system-auth\" write \"auth substack\nsystem-auth\".\n"},
};

static void
print_family(const char *root)
{
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (says(root, families[i].path, families[i].sign)) {
			(void)printf("This is %s.\n%s", families[i].name,
			    families[i].note);
			return;
		}
	(void)printf("No distribution's tool for PAM files is known here.\n");
}

/* --- lines ------------------------------------------------------------------
 */

/* The text of line n, without its end. */
static void
print_line(const char *text, unsigned int n)
{
	for (; n > 1 && *text != '\0'; n--) {
		text += strcspn(text, "\n");
		text += *text != '\0' ? 1 : 0;
	}
	(void)printf("%.*s", (int)strcspn(text, "\n"), text);
}

static void
print_service(const char *root, const char *service)
{
	enum pam_edit_result result = PAM_EDIT_TROUBLE;
	struct pam_edit *edit = pam_edit_plan(root, service, true, &result);

	if (edit == NULL)
		return;
	if (result == PAM_EDIT_READY) {
		(void)printf(
		    "  %s, behind line %u (", edit->path, edit->line - 1);
		print_line(edit->old, edit->line - 1);
		(void)printf("):\n    %.*s\n", (int)strcspn(edit->text, "#"),
		    edit->text);
	} else {
		(void)printf("  %s: %s\n", service, edit->why);
	}
	pam_edit_free(&edit);
}

void
advice_print(const char *root)
{
	static const char *const services[] = {"sshd", "sudo", "su"};

	(void)printf("\nNo login asks a phone yet.  ");
	print_family(root);
	(void)printf("\nThe lines for PAM; \"countersign pam enable SERVICE\" "
		     "puts them there:\n");
	for (size_t i = 0; i < 3; i++)
		print_service(root, services[i]);
	(void)printf("\n");
	pam_text_hint("su");
	(void)printf("\n");
	pam_text_hint("sshd");
	(void)printf(
	    "\nHow not to lock yourself out:\n"
	    "  1. Keep a shell of root open in this terminal until all of it "
	    "has worked.\n"
	    "  2. Keep a way to root that needs no phone, such as a password "
	    "for root at the console.\n"
	    "  3. Try each change in a second terminal: \"sudo -k; sudo "
	    "true\", \"ssh localhost\".\n"
	    "  4. To undo: countersign pam disable SERVICE\n"
	    "\nNext:\n"
	    "  countersign enroll USER              a phone for a user\n"
	    "  countersign recovery USER            codes for the day it is "
	    "lost\n"
	    "  countersign pam enable sudo --dry-run\n"
	    "  countersign check                    what could lock somebody "
	    "out\n");
}
