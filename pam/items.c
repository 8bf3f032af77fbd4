/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <security/pam_appl.h>
#include <security/pam_modutil.h>
#include <stdlib.h>
#include <string.h>

#include "items.h"

static const char *
item(pam_handle_t *pamh, int type)
{
	const void *value = NULL;

	if (pam_get_item(pamh, type, &value) != PAM_SUCCESS || value == NULL)
		return "";
	return value;
}

static enum csign_caller
caller_of(const char *service, const char *tty, const char *connection)
{
	static const struct {
		const char *service;
		enum csign_caller caller;
	} callers[] = {
	    {"doas", CSIGN_CALLER_DOAS},
	    {"login", CSIGN_CALLER_LOGIN},
	    {"sshd", CSIGN_CALLER_SSH},
	    {"su", CSIGN_CALLER_SU},
	    {"su-l", CSIGN_CALLER_SU},
	    {"sudo", CSIGN_CALLER_SUDO},
	    {"sudo-i", CSIGN_CALLER_SUDO},
	};

	for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
		if (strcmp(service, callers[i].service) == 0)
			return callers[i].caller;
	if (strcmp(tty, "ssh") == 0 || connection[0] != '\0')
		return CSIGN_CALLER_SSH;
	return CSIGN_CALLER_OTHER;
}

static bool
is_address(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char plain[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%"); /* fe80::1%eth0 */

	if (len >= sizeof(plain))
		return false;
	memcpy(plain, text, len);
	plain[len] = '\0';
	return inet_pton(AF_INET, plain, bytes) == 1 ||
	       inet_pton(AF_INET6, plain, bytes) == 1;
}

/* "client-address client-port server-address server-port" */
static enum csign_err
split_connection(const char *connection, struct csign_items *items)
{
	const char *port = strchrnul(connection, ' ');
	size_t address_len = (size_t)(port - connection);

	if (*port == ' ')
		port++;
	if ((items->ssh_address = strndup(connection, address_len)) == NULL ||
	    (items->ssh_port = strndup(port, strcspn(port, " "))) == NULL)
		return CSIGN_E_NOMEM;
	/* Not an address: nothing that sshd would say. */
	if (!is_address(items->ssh_address))
		items->ssh_address[0] = items->ssh_port[0] = '\0';
	return CSIGN_OK;
}

static const char *
environment(pam_handle_t *pamh, const char *name)
{
	const char *value = pam_getenv(pamh, name);

	return value == NULL ? "" : value;
}

static enum csign_err
copy_items(pam_handle_t *pamh, struct csign_items *items)
{
	const struct {
		char **to;
		const char *from;
	} copies[] = {
	    {&items->service, item(pamh, PAM_SERVICE)},
	    {&items->ruser, item(pamh, PAM_RUSER)},
	    {&items->rhost, item(pamh, PAM_RHOST)},
	    {&items->tty, item(pamh, PAM_TTY)},
	    {&items->ssh_passed, environment(pamh, "SSH_AUTH_INFO_0")},
	};
	const char *connection = environment(pamh, "SSH_CONNECTION");

	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++)
		if ((*copies[i].to = strdup(copies[i].from)) == NULL)
			return CSIGN_E_NOMEM;
	items->caller = caller_of(items->service, items->tty, connection);
	return split_connection(connection, items);
}

enum csign_err
csign_items_load(pam_handle_t *pamh, struct csign_items *ret_items)
{
	const char *user = NULL;
	enum csign_err r;

	*ret_items = (struct csign_items){.user = NULL};
	if ((r = copy_items(pamh, ret_items)) != CSIGN_OK)
		return r;
	if (pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || user == NULL ||
	    user[0] == '\0')
		return CSIGN_E_INVALID;
	if ((ret_items->user = strdup(user)) == NULL)
		return CSIGN_E_NOMEM;
	/* The same look-up for a name that is no account (RL-7). */
	ret_items->known = pam_modutil_getpwnam(pamh, user) != NULL;
	return CSIGN_OK;
}

bool
csign_items_unchanged(pam_handle_t *pamh, const struct csign_items *items)
{
	return strcmp(item(pamh, PAM_USER), items->user) == 0 &&
	       strcmp(item(pamh, PAM_SERVICE), items->service) == 0 &&
	       strcmp(item(pamh, PAM_RUSER), items->ruser) == 0;
}

bool
csign_items_passed(const struct csign_items *items)
{
	return items->caller == CSIGN_CALLER_SSH &&
	       items->ssh_passed[0] != '\0';
}

bool
csign_items_remote(const struct csign_items *items)
{
	switch (items->caller) {
	case CSIGN_CALLER_SSH:
		return true;
	case CSIGN_CALLER_SUDO:
	case CSIGN_CALLER_DOAS:
	case CSIGN_CALLER_SU:
		/* sudo may say this host's own name (pam_rhost). */
		return false;
	case CSIGN_CALLER_LOGIN:
	case CSIGN_CALLER_OTHER:
		break;
	}
	return items->rhost[0] != '\0';
}

void
csign_items_clear(struct csign_items *items)
{
	free(items->user);
	free(items->ruser);
	free(items->service);
	free(items->rhost);
	free(items->tty);
	free(items->ssh_address);
	free(items->ssh_port);
	free(items->ssh_passed);
	*items = (struct csign_items){.user = NULL};
}
