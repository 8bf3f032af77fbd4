/* SPDX-License-Identifier: BSD-2-Clause */
/* libpam, as far as the module uses it: one handle, and a person. */
#include "config.h"

#include <pwd.h>
#include <security/pam_ext.h>
#include <security/pam_modutil.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "login_impl.h"

static char **
item_of(pam_handle_t *pamh, int type)
{
	switch (type) {
	case PAM_SERVICE:
		return &pamh->service;
	case PAM_USER:
		return &pamh->user;
	case PAM_TTY:
		return &pamh->tty;
	case PAM_RHOST:
		return &pamh->rhost;
	case PAM_RUSER:
		return &pamh->ruser;
	default:
		return NULL;
	}
}

static void
set_text(char **to, const char *text)
{
	char *copy = NULL;

	if (text != NULL && (copy = strdup(text)) == NULL)
		login_fail("memory");
	free(*to);
	*to = copy;
}

void
login_set_item(struct login *l, int item, const char *value)
{
	char **to = item_of(&l->pam, item);

	l->backstage++;
	if (to != NULL)
		set_text(to, value);
	l->backstage--;
}

int
pam_get_item(const pam_handle_t *pamh, int type, const void **item)
{
	struct login *l = pamh->login;
	char **text = item_of(&l->pam, type);

	if (login_fault(l, "pam_get_item") != 0)
		return PAM_SYSTEM_ERR;
	if (type == PAM_CONV)
		*item = l->script->no_conversation ? NULL : &pamh->conv;
	else if (text != NULL)
		*item = *text;
	else
		return PAM_BAD_ITEM;
	return PAM_SUCCESS;
}

int
pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	const struct pam_message msg = {
	    PAM_PROMPT_ECHO_ON, prompt == NULL ? "login: " : prompt};
	const struct pam_message *msgs = &msg;
	struct pam_response *resp = NULL;

	if (login_fault(pamh->login, "pam_get_user") != 0)
		return PAM_BUF_ERR;
	if (pamh->user == NULL && !pamh->login->script->no_conversation &&
	    pamh->conv.conv(1, &msgs, &resp, pamh->conv.appdata_ptr) ==
		PAM_SUCCESS &&
	    resp != NULL) {
		pamh->login->backstage++;
		set_text(&pamh->user, resp->resp);
		free(resp->resp);
		free(resp);
		pamh->login->backstage--;
	}
	*user = pamh->user;
	return pamh->user == NULL ? PAM_CONV_ERR : PAM_SUCCESS;
}

const char *
pam_getenv(pam_handle_t *pamh, const char *name)
{
	const char *const *env = pamh->login->script->env;
	size_t len = strlen(name);

	if (login_fault(pamh->login, "pam_getenv") != 0 || env == NULL)
		return NULL;
	for (; *env != NULL; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return *env + len + 1;
	return NULL;
}

static struct pam_data *
data_of(pam_handle_t *pamh, const char *name)
{
	for (size_t i = 0; i < pamh->n_data; i++)
		if (strcmp(pamh->data[i].name, name) == 0)
			return &pamh->data[i];
	return NULL;
}

int
pam_set_data(pam_handle_t *pamh, const char *name, void *data,
    void (*cleanup)(pam_handle_t *pamh, void *data, int status))
{
	struct pam_data *entry = data_of(pamh, name);

	if (login_fault(pamh->login, "pam_set_data") != 0)
		return PAM_BUF_ERR;
	if (entry != NULL && entry->cleanup != NULL)
		entry->cleanup(pamh, entry->value, PAM_DATA_REPLACE);
	if (entry == NULL) {
		if (pamh->n_data == sizeof(pamh->data) / sizeof(pamh->data[0]))
			return PAM_BUF_ERR;
		entry = &pamh->data[pamh->n_data++];
	}
	(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
	entry->value = data;
	entry->cleanup = cleanup;
	return PAM_SUCCESS;
}

int
pam_get_data(const pam_handle_t *pamh, const char *name, const void **data)
{
	const struct pam_data *entry = data_of(&pamh->login->pam, name);

	if (login_fault(pamh->login, "pam_get_data") != 0)
		return PAM_SYSTEM_ERR;
	if (entry == NULL)
		return PAM_NO_MODULE_DATA;
	*data = entry->value;
	return PAM_SUCCESS;
}

int
pam_fail_delay(pam_handle_t *pamh, unsigned int usec)
{
	pamh->login->result.fail_delay_us = usec;
	return PAM_SUCCESS;
}

void
pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
	struct login *l = pamh->login;
	va_list ap;

	(void)priority;
	va_start(ap, fmt);
	(void)vsnprintf(l->result.log, sizeof(l->result.log), fmt, ap);
	va_end(ap);
}

/* Of the accounts of courier_double.c; an entry lives as long as the handle. */
struct passwd *
pam_modutil_getpwnam(pam_handle_t *pamh, const char *user)
{
	static _Thread_local struct passwd entry;
	static _Thread_local char store[512];
	struct passwd *found = NULL;

	(void)pamh;
	if (getpwnam_r(user, &entry, store, sizeof(store), &found) != 0)
		return NULL;
	return found;
}

enum csign_err __wrap_csign_cmdline_read(char **ret_args, size_t *ret_len);

/* What the kernel says of the arguments of sudo, or su. */
enum csign_err
__wrap_csign_cmdline_read(char **ret_args, size_t *ret_len)
{
	const char *const *word = login_on_stage->script->command;
	char *args, *end;
	size_t len = 0;

	for (size_t i = 0; word != NULL && word[i] != NULL; i++)
		len += strlen(word[i]) + 1;
	if ((args = end = malloc(len + 1)) == NULL)
		return CSIGN_E_NOMEM;
	for (; word != NULL && *word != NULL; word++)
		end = stpcpy(end, *word) + 1;
	*ret_args = args;
	*ret_len = len;
	return CSIGN_OK;
}

/* --- the person -----------------------------------------------------------
 */

/* The link is in the message as the person, or the camera, reads it. */
void
login_show(struct login *l, const char *text)
{
	const char *at = strstr(text, "https://");
	const char *digits = strstr(text, "type ");
	size_t len;

	if (at == NULL)
		return;
	len = strcspn(at, " \r\n\t");
	if (len >= sizeof(l->link))
		return;
	memcpy(l->link, at, len);
	l->link[len] = '\0';
	l->digits[0] = '\0';
	if (digits != NULL && strspn(digits + 5, "0123456789") == 3 &&
	    strspn(digits + 9, "0123456789") == 3)
		(void)snprintf(l->digits, sizeof(l->digits), "%.3s%.3s",
		    digits + 5, digits + 9);
}

static void
remember_typed(struct login *l, const char *text)
{
	if (l->n_typed < LOGIN_TYPED)
		set_text(&l->typed[l->n_typed++], text);
}

static int
one_message(struct login *l, const struct pam_message *msg, char **ret_reply)
{
	const struct login_script *s = l->script;
	const bool prompt = msg->msg_style == PAM_PROMPT_ECHO_ON ||
			    msg->msg_style == PAM_PROMPT_ECHO_OFF;
	int r = PAM_SUCCESS;

	l->result.messages++;
	login_show(l, msg->msg);
	if (msg->msg_style == PAM_ERROR_MSG)
		(void)snprintf(
		    l->result.shown, sizeof(l->result.shown), "%s", msg->msg);
	if (s->talk != NULL)
		r = s->talk(s->arg, l, msg->msg_style, msg->msg, ret_reply);
	else if (prompt)
		set_text(ret_reply, "");
	if (r == PAM_SUCCESS && *ret_reply != NULL)
		remember_typed(l, *ret_reply);
	return r;
}

static int
converse(int n, const struct pam_message **msgs, struct pam_response **ret_resp,
    void *arg)
{
	struct login *l = arg;
	struct pam_response *resp;
	int r = PAM_CONV_ERR;

	if (login_fault(l, "conversation") != 0)
		return PAM_CONV_ERR;
	l->backstage++;
	if ((resp = calloc((size_t)n, sizeof(*resp))) == NULL)
		login_fail("memory");
	for (int i = 0; i < n; i++)
		r = one_message(l, msgs[i], &resp[i].resp);
	if (r == PAM_SUCCESS) {
		*ret_resp = resp;
	} else {
		for (int i = 0; i < n; i++)
			free(resp[i].resp);
		free(resp);
	}
	l->backstage--;
	return r;
}

void
login_pam_begin(struct login *l)
{
	const struct login_script *s = l->script;

	l->pam = (struct pam_handle){
	    .login = l, .conv = {.conv = converse, .appdata_ptr = l}};
	set_text(&l->pam.service, s->service);
	set_text(&l->pam.user, s->user);
	set_text(&l->pam.tty, s->tty);
	set_text(&l->pam.rhost, s->rhost);
	set_text(&l->pam.ruser, s->ruser);
}

void
login_pam_end(struct login *l)
{
	struct pam_handle *pamh = &l->pam;

	for (size_t i = 0; i < pamh->n_data; i++)
		if (pamh->data[i].cleanup != NULL)
			pamh->data[i].cleanup(
			    pamh, pamh->data[i].value, PAM_SUCCESS);
	pamh->n_data = 0;
	for (int type = PAM_SERVICE; type <= PAM_RUSER; type++)
		if (item_of(pamh, type) != NULL)
			set_text(item_of(pamh, type), NULL);
}
