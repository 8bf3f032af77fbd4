/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What our reader of PAM stacks makes of ROOT's SERVICE when each pam_debug.so
 * in its auth stack returns what its argument "auth=CODE" says: "yes" or "no",
 * as libpam's pam_authenticate(3) would.  test_pam_stack.py asks both.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/stack/stack.h"

static int
code_by_name(const char *name)
{
	for (int code = 0; code < PAM_CODES; code++)
		if (strcmp(name, pam_code_name(code)) == 0)
			return code;
	return 0;
}

static int
code_of(const struct pam_entry *entry)
{
	if (strcmp(entry->module, "pam_permit.so") == 0)
		return 0;
	if (strcmp(entry->module, "pam_deny.so") == 0)
		return code_by_name("auth_err");
	if (strcmp(entry->module, "pam_debug.so") != 0)
		return code_by_name("module_unknown");
	for (size_t i = 0; i < entry->n_args; i++)
		if (strncmp(entry->args[i], "auth=", 5) == 0)
			return code_by_name(entry->args[i] + 5);
	return 0;
}

int
main(int argc, char **argv)
{
	struct pam_stack *stack = NULL;
	struct pam_judgement *judgement = NULL;
	const struct pam_entries *list;
	int codes[PAM_STACK_MAX] = {0};
	bool yes;

	if (argc != 3 || !pam_service_ok(argv[2]) ||
	    !pam_stack_read(argv[1], argv[2], &stack) ||
	    !pam_judge(stack, &judgement))
		return 2;
	list = &stack->type[PAM_TYPE_AUTH];
	for (size_t i = 0; i < list->n; i++)
		codes[i] = code_of(&list->item[i]);
	yes = !stack->unusable && pam_plays(list, codes);
	/* whatever happens is one of the things that can happen */
	if (yes && !judgement->way[PAM_WAY_SUCCESS].found)
		return 3;
	(void)printf("%s\n", yes ? "yes" : "no");
	pam_judgement_free(&judgement);
	pam_stack_free(&stack);
	return 0;
}
