/* SPDX-License-Identifier: BSD-2-Clause */
/* PAM stacks: entries with their places, and the ways through them. */
#include "config.h"

#include <security/pam_modules.h>
#include <string.h>

#include "../../cli/stack/stack.h"
#include "unit.h"

/* The service "s" with this text, on a host that has no other file. */
static struct pam_stack *
stack_of(const char *text)
{
	struct pam_stack *stack = NULL;

	assert_true(pam_stack_read_as_if(
	    "/nonexistent", "s", "/etc/pam.d/s", text, strlen(text), &stack));
	assert_string_equal(stack->file, "/etc/pam.d/s");
	return stack;
}

static void
test_entries(void **state)
{
	struct pam_stack *stack =
	    stack_of("#%PAM-1.0\n\n"
		     "-auth\t[success=ok default=2]  /lib/pam_x.so a [b\\] c] "
		     "d # e\n"
		     "auth required \\\n\n# f\n   pam_y.so\n"
		     "session optional pam_z.so\n");
	const struct pam_entry *entry = stack->type[PAM_TYPE_AUTH].item;

	(void)state;
	assert_int_equal(stack->n_problems, 0);
	assert_false(stack->unusable);
	assert_int_equal(stack->type[PAM_TYPE_AUTH].n, 2);
	assert_int_equal(entry->line, 3);
	assert_true(entry->silent);
	assert_string_equal(entry->control, "[success=ok default=2]");
	assert_int_equal(entry->action[PAM_SUCCESS], PAM_ACTION_OK);
	assert_int_equal(entry->action[PAM_AUTH_ERR], 2);
	assert_string_equal(entry->module, "/lib/pam_x.so");
	assert_int_equal(entry->n_args, 3);
	assert_string_equal(entry->args[1], "b] c");
	assert_true(pam_entry_has_arg(entry, "d"));
	assert_false(pam_entry_has_arg(entry, "e"));
	entry++;
	assert_int_equal(entry->line, 4);
	assert_string_equal(entry->module, "pam_y.so");
	assert_int_equal(stack->type[PAM_TYPE_SESSION].item->line, 8);
	assert_true(stack->from_other[PAM_TYPE_ACCOUNT]);
	pam_stack_free(&stack);
	assert_null(stack);
}

static void
test_levels(void **state)
{
	struct pam_stack *stack = stack_of("auth substack /etc/pam.d/t\n");
	const struct pam_entry *entry = stack->type[PAM_TYPE_AUTH].item;

	(void)state;
	assert_int_equal(stack->type[PAM_TYPE_AUTH].n, 2);
	assert_int_equal(entry[0].kind, PAM_ENTRY_SUBSTACK);
	assert_int_equal(entry[0].level, 0);
	assert_int_equal(entry[1].kind, PAM_ENTRY_BROKEN);
	assert_int_equal(stack->n_problems, 1);
	assert_int_equal(stack->problem[0].line, 1);
	assert_non_null(strstr(stack->problem[0].text, "/etc/pam.d/t"));
	pam_stack_free(&stack);
}

static void
test_ours(void **state)
{
	static const struct {
		const char *text;
		bool ours;
	} cases[] = {
	    {"auth required pam_countersign.so\n", true},
	    {"auth required /usr/lib/security/pam_countersign.so debug\n",
		true},
	    {"auth required pam_countersign.so.1\n", false},
	    {"auth required xpam_countersign.so\n", false},
	    {"account required pam_countersign.so\n", false},
	    {"# auth required pam_countersign.so\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pam_stack *stack = stack_of(cases[i].text);

		assert_int_equal(pam_stack_ours(stack, PAM_TYPE_AUTH) != NULL,
		    cases[i].ours);
		pam_stack_free(&stack);
	}
}

/* An example is a path that the rules really take. */
static void
test_examples(void **state)
{
	struct pam_stack *stack =
	    stack_of("auth sufficient pam_rootok.so\n"
		     "auth [success=1 default=ignore] pam_unix.so\n"
		     "auth requisite pam_deny.so\n"
		     "auth required pam_permit.so\n"
		     "auth [default=ignore success=ok] pam_countersign.so\n");
	const struct pam_entry *item = stack->type[PAM_TYPE_AUTH].item;
	struct pam_judgement *j = NULL;
	const struct pam_way *way;

	(void)state;
	assert_true(pam_judge(stack, &j));
	assert_ptr_equal(j->ours, &item[4]);
	way = &j->way[PAM_WAY_TRUSTED];
	assert_true(way->found);
	assert_int_equal(way->n, 1);
	assert_ptr_equal(way->step[0].entry, &item[0]);
	way = &j->way[PAM_WAY_OVERRULED];
	assert_true(way->found);
	assert_int_equal(way->n, 4);
	assert_ptr_equal(way->step[1].entry, &item[1]);
	assert_int_equal(way->step[1].code, PAM_SUCCESS);
	assert_ptr_equal(way->step[2].entry, &item[3]);
	assert_ptr_equal(way->step[3].entry, &item[4]);
	assert_int_equal(way->step[3].code, PAM_AUTH_ERR);
	assert_false(j->way[PAM_WAY_EARLY].found);
	assert_false(j->way[PAM_WAY_OPEN].found);
	assert_false(j->incomplete);
	pam_judgement_free(&j);
	assert_null(j);
	pam_stack_free(&stack);
}

static void
test_service_names(void **state)
{
	static const char *const good[] = {
	    "su", "su-l", "polkit-1", "a.b", "7"};
	static const char *const bad[] = {
	    "", ".", "..", "a/b", "Su", "-a", "a b", "\xc3\xa4", ".x"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(pam_service_ok(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(pam_service_ok(bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_entries),
	    cmocka_unit_test(test_levels),
	    cmocka_unit_test(test_ours),
	    cmocka_unit_test(test_examples),
	    cmocka_unit_test(test_service_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
