/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <ctype.h>
#include <security/pam_modules.h>
#include <string.h>

#include "control.h"

#define UNDEFINED 1 /* an action that a control did not mention, until then */
#define JUMP_MAX 100000

/* --- controls ---------------------------------------------------------------
 */

static const char *const code_names[PAM_CODES + 1] = {"success", "open_err",
    "symbol_err", "service_err", "system_err", "buf_err", "perm_denied",
    "auth_err", "cred_insufficient", "authinfo_unavail", "user_unknown",
    "maxtries", "new_authtok_reqd", "acct_expired", "session_err",
    "cred_unavail", "cred_expired", "cred_err", "no_module_data", "conv_err",
    "authtok_err", "authtok_recover_err", "authtok_lock_busy",
    "authtok_disable_aging", "try_again", "ignore", "abort", "authtok_expired",
    "module_unknown", "bad_item", "conv_again", "incomplete", "default"};

static const char *const action_names[] = {
    "ignore", "ok", "done", "bad", "die", "reset"};

#define N_ACTIONS (sizeof action_names / sizeof action_names[0])

const char *
pam_code_name(int code)
{
	return code >= 0 && code < PAM_CODES ? code_names[code] : "?";
}

static void
set_default(int action[PAM_CODES], int value)
{
	for (size_t i = 0; i < PAM_CODES; i++)
		if (action[i] == UNDEFINED)
			action[i] = value;
}

/* Jumps are positive, so "undefined" is no number of this array's. */
void
pam_control_all(int action[PAM_CODES], int value)
{
	for (size_t i = 0; i < PAM_CODES; i++)
		action[i] = value;
}

/* The index of the name that text begins with; n: none. */
static size_t
match(const char *const *names, size_t n, const char **text)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);

		if (strncmp(names[i], *text, len) == 0) {
			*text += len;
			return i;
		}
	}
	return n;
}

static const char *
skip_space(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* "ok", or how many to jump over; false: neither. */
static bool
read_action(const char **text, int *ret_action)
{
	size_t i = match(action_names, N_ACTIONS, text);
	long value = 0;

	if (i < N_ACTIONS) {
		*ret_action = -(int)i;
		return true;
	}
	while (isdigit((unsigned char)**text)) {
		value = value * 10 + (**text - '0');
		if (value > JUMP_MAX)
			value = JUMP_MAX;
		(*text)++;
	}
	/* Jumps are kept apart from UNDEFINED until all are known. */
	*ret_action = (int)value + UNDEFINED;
	return value > 0;
}

/* "value=action ..."; false: libpam calls it wrong, and all of it is bad. */
static bool
read_pairs(const char *text, int action[PAM_CODES])
{
	while (*(text = skip_space(text)) != '\0') {
		size_t code = match(code_names, PAM_CODES + 1, &text);
		int value;

		if (code > PAM_CODES)
			return false;
		text = skip_space(text);
		if (*text != '=')
			return false;
		text = skip_space(text + 1);
		if (!read_action(&text, &value))
			return false;
		if (code == PAM_CODES)
			set_default(action, value);
		else
			action[code] = value;
	}
	return true;
}

static void
read_brackets(const char *text, int action[PAM_CODES], bool *ret_good)
{
	pam_control_all(action, UNDEFINED);
	*ret_good = read_pairs(text, action);
	if (!*ret_good)
		pam_control_all(action, PAM_ACTION_BAD);
	set_default(action, PAM_ACTION_BAD);
	for (size_t i = 0; i < PAM_CODES; i++)
		if (action[i] > UNDEFINED)
			action[i] -= UNDEFINED;
}

static const struct named_control {
	const char *name;
	int success, ignore, rest;
} named_controls[] = {
    {"required", PAM_ACTION_OK, PAM_ACTION_IGNORE, PAM_ACTION_BAD},
    {"requisite", PAM_ACTION_OK, PAM_ACTION_IGNORE, PAM_ACTION_DIE},
    {"optional", PAM_ACTION_OK, PAM_ACTION_IGNORE, PAM_ACTION_IGNORE},
    {"sufficient", PAM_ACTION_DONE, PAM_ACTION_IGNORE, PAM_ACTION_IGNORE},
};

#define N_CONTROLS (sizeof named_controls / sizeof named_controls[0])

bool
pam_control_read(const char *text, int action[PAM_CODES])
{
	bool good;

	for (size_t i = 0; i < N_CONTROLS; i++)
		if (strcasecmp(named_controls[i].name, text) == 0) {
			pam_control_all(action, named_controls[i].rest);
			action[PAM_SUCCESS] = named_controls[i].success;
			action[PAM_NEW_AUTHTOK_REQD] =
			    named_controls[i].success;
			action[PAM_IGNORE] = named_controls[i].ignore;
			return true;
		}
	read_brackets(text, action, &good);
	return good;
}

/* --- modules ----------------------------------------------------------------
 */

static const struct {
	const char *name;
	enum pam_proof proof;
} modules[] = {
    {"access", PAM_PROOF_NONE},
    {"cap", PAM_PROOF_NONE},
    {"debug", PAM_PROOF_NONE},
    {"deny", PAM_PROOF_NONE},
    {"echo", PAM_PROOF_NONE},
    {"env", PAM_PROOF_NONE},
    {"faildelay", PAM_PROOF_NONE},
    {"faillock", PAM_PROOF_NONE},
    {"fprintd", PAM_PROOF_FACTOR},
    {"ftp", PAM_PROOF_NONE},
    {"gnome_keyring", PAM_PROOF_NONE},
    {"google_authenticator", PAM_PROOF_FACTOR},
    {"group", PAM_PROOF_NONE},
    {"issue", PAM_PROOF_NONE},
    {"keyinit", PAM_PROOF_NONE},
    {"krb5", PAM_PROOF_FACTOR},
    {"kwallet5", PAM_PROOF_NONE},
    {"lastlog", PAM_PROOF_NONE},
    {"ldap", PAM_PROOF_FACTOR},
    {"limits", PAM_PROOF_NONE},
    {"listfile", PAM_PROOF_WHO},
    {"localuser", PAM_PROOF_WHO},
    {"loginuid", PAM_PROOF_NONE},
    {"mail", PAM_PROOF_NONE},
    {"mount", PAM_PROOF_NONE},
    {"motd", PAM_PROOF_NONE},
    {"nologin", PAM_PROOF_NONE},
    {"oath", PAM_PROOF_FACTOR},
    {"permit", PAM_PROOF_NONE},
    {"pkcs11", PAM_PROOF_FACTOR},
    {"rootok", PAM_PROOF_WHO},
    {"securetty", PAM_PROOF_NONE},
    {"selinux", PAM_PROOF_NONE},
    {"sepermit", PAM_PROOF_NONE},
    {"shells", PAM_PROOF_NONE},
    {"ssh_agent_auth", PAM_PROOF_FACTOR},
    {"sss", PAM_PROOF_FACTOR},
    {"succeed_if", PAM_PROOF_WHO},
    {"systemd", PAM_PROOF_NONE},
    {"systemd_home", PAM_PROOF_FACTOR},
    {"tally2", PAM_PROOF_NONE},
    {"time", PAM_PROOF_NONE},
    {"u2f", PAM_PROOF_FACTOR},
    {"umask", PAM_PROOF_NONE},
    {"unix", PAM_PROOF_FACTOR},
    {"usertype", PAM_PROOF_WHO},
    {"warn", PAM_PROOF_NONE},
    {"wheel", PAM_PROOF_WHO},
    {"winbind", PAM_PROOF_FACTOR},
};

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

enum pam_proof
pam_module_proof(const char *module)
{
	const char *name = base_name(module);
	size_t len = strlen(name);

	if (strcmp(name, PAM_OUR_MODULE) == 0)
		return PAM_PROOF_OURS;
	if (len < 7 || strncmp(name, "pam_", 4) != 0 ||
	    strcmp(name + len - 3, ".so") != 0)
		return PAM_PROOF_UNKNOWN;
	for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
		if (strlen(modules[i].name) == len - 7 &&
		    strncmp(modules[i].name, name + 4, len - 7) == 0)
			return modules[i].proof;
	return PAM_PROOF_UNKNOWN;
}
