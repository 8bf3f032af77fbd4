/* SPDX-License-Identifier: BSD-2-Clause */
/* A PAM service's file: whatever is in it, the judge comes to an end. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../cli/stack/stack.h"
#include "fuzz.h"

static void
check_entry(const struct pam_entry *entry)
{
	MUST(entry->file != NULL && entry->line > 0);
	MUST(entry->level <= PAM_STACK_DEPTH);
	MUST(entry->control != NULL && entry->module != NULL);
	MUST(entry->kind != PAM_ENTRY_MODULE || entry->args != NULL);
	MUST(entry->args == NULL || entry->args[entry->n_args] == NULL);
	for (int code = 0; code < PAM_CODES; code++)
		MUST(entry->action[code] >= PAM_ACTION_RESET);
}

static void
check_way(const struct pam_stack *stack, const struct pam_way *way)
{
	const struct pam_entries *list = &stack->type[PAM_TYPE_AUTH];

	MUST(way->found == (way->step != NULL));
	for (size_t i = 0; i < way->n; i++) {
		MUST(way->step[i].entry >= list->item);
		MUST(way->step[i].entry < list->item + list->n);
		MUST(i == 0 || way->step[i].entry > way->step[i - 1].entry);
	}
}

/* The example of a success is one: libpam's rules say so, too. */
static void
check_success(const struct pam_stack *stack, const struct pam_way *way)
{
	int codes[PAM_STACK_MAX] = {0};

	for (size_t i = 0; i < way->n; i++)
		codes[way->step[i].entry - stack->type[PAM_TYPE_AUTH].item] =
		    way->step[i].code;
	MUST(pam_plays(&stack->type[PAM_TYPE_AUTH], codes));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pam_stack *stack = NULL;
	struct pam_judgement *judgement = NULL;

	/* No other file is there. */
	MUST(pam_stack_read_as_if("/nonexistent", "s", "/etc/pam.d/s",
	    size > 0 ? (const char *)data : "", size, &stack));
	for (int type = 0; type < PAM_TYPES; type++)
		for (size_t i = 0; i < stack->type[type].n; i++)
			check_entry(&stack->type[type].item[i]);
	for (size_t i = 0; i < stack->n_problems; i++)
		MUST(stack->problem[i].text[0] != '\0');
	MUST(pam_judge(stack, &judgement));
	for (int way = 0; way < PAM_WAYS; way++)
		check_way(stack, &judgement->way[way]);
	for (int way = 0; way < PAM_WAY_EARLY; way++)
		if (judgement->way[way].found)
			check_success(stack, &judgement->way[way]);
	pam_judgement_free(&judgement);
	pam_stack_free(&stack);
	return 0;
}
