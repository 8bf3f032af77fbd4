/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "refused.h"

#define DATA_NAME "countersign_refused"

struct refused {
	struct csign_refusal refusal;
	char user[]; /* with its NUL */
};

static void
forget(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	free(data);
}

void
csign_refused_remember(
    pam_handle_t *pamh, const char *user, const struct csign_refusal *refusal)
{
	size_t size = strlen(user) + 1;
	struct refused *refused;

	if ((refused = malloc(sizeof(*refused) + size)) == NULL)
		return;
	refused->refusal = *refusal;
	memcpy(refused->user, user, size);
	if (pam_set_data(pamh, DATA_NAME, refused, forget) != PAM_SUCCESS)
		free(refused);
}

bool
csign_refused_before(
    pam_handle_t *pamh, const char *user, struct csign_refusal *ret_refusal)
{
	const struct refused *refused;
	const void *data = NULL;

	if (pam_get_data(pamh, DATA_NAME, &data) != PAM_SUCCESS ||
	    (refused = data) == NULL || strcmp(refused->user, user) != 0)
		return false;
	*ret_refusal = refused->refusal;
	return true;
}
