/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign pam: what the phone does in a stack, and our line into it or out
 * of it.
 */
#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "root.h"
#include "stack/edit.h"
#include "stack/second_way.h"
#include "stack/show.h"

/* --- show -------------------------------------------------------------------
 */

/* NULL: no memory.  The caller frees it. */
static char *
entry_text(const struct pam_entry *entry, bool control)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	if (control) {
		for (unsigned int i = 0; i < entry->level; i++)
			(void)fputs("  ", out);
		(void)fputs(entry->kind == PAM_ENTRY_BROKEN ? "(broken line)"
							    : entry->control,
		    out);
	} else {
		(void)fputs(entry->module, out);
		for (size_t i = 0; i < entry->n_args; i++)
			(void)fprintf(out, " %s", entry->args[i]);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void
print_entry(struct out_table *table, const struct pam_entry *entry)
{
	char *control = entry_text(entry, true);
	char *module = entry_text(entry, false);
	char *where = NULL;

	if (control != NULL && module != NULL &&
	    asprintf(&where, "%s:%u", entry->file, entry->line) != -1) {
		const char *cells[3] = {control, module, where};

		(void)out_table_row(table, cells);
		free(where);
	}
	free(module);
	free(control);
}

static void
print_stack(const struct pam_stack *stack)
{
	static const char *const heads[] = {"CONTROL", "MODULE", "FROM"};
	const struct pam_entries *list = &stack->type[PAM_TYPE_AUTH];
	struct out_table *table = out_table_new(3, heads);

	for (size_t i = 0; table != NULL && i < list->n; i++)
		print_entry(table, &list->item[i]);
	if (table != NULL)
		out_table_print(table);
	out_table_free(&table);
}

static void
print_sentence(void *arg, const char *sentence)
{
	(void)arg;
	(void)printf("- %s\n", sentence);
}

static void
show_text(const struct pam_stack *stack, const struct pam_judgement *j)
{
	(void)printf("The auth stack of %s (%s%s):\n", stack->service,
	    stack->file != NULL ? stack->file : "no file of its own",
	    stack->from_other[PAM_TYPE_AUTH] ? "; the lines are those of other"
					     : "");
	print_stack(stack);
	(void)printf("\nWhat that means:\n");
	for (size_t i = 0; i < stack->n_problems; i++)
		(void)printf("- %s:%u: %s.\n", stack->problem[i].file,
		    stack->problem[i].line, stack->problem[i].text);
	pam_text_judgement(stack, j, print_sentence, NULL);
}

static struct json_object *
entry_json(const struct pam_entry *entry)
{
	struct json_object *o = json_object_new_object();
	struct json_object *args = json_object_new_array();

	(void)out_json_str(o, "control", entry->control);
	(void)out_json_str(o, "module", entry->module);
	for (size_t i = 0; args != NULL && i < entry->n_args; i++)
		(void)json_object_array_add(
		    args, json_object_new_string(entry->args[i]));
	(void)out_json_add(o, "arguments", args);
	(void)out_json_str(o, "file", entry->file);
	(void)out_json_add(
	    o, "line", json_object_new_int64((int64_t)entry->line));
	(void)out_json_add(
	    o, "depth", json_object_new_int64((int64_t)entry->level));
	return o;
}

static void
add_sentence(void *arg, const char *sentence)
{
	(void)json_object_array_add(arg, json_object_new_string(sentence));
}

static struct json_object *
problems_json(const struct pam_stack *stack)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; list != NULL && i < stack->n_problems; i++) {
		struct json_object *o = json_object_new_object();

		(void)out_json_str(o, "file", stack->problem[i].file);
		(void)out_json_add(o, "line",
		    json_object_new_int64((int64_t)stack->problem[i].line));
		(void)out_json_str(o, "text", stack->problem[i].text);
		(void)json_object_array_add(list, o);
	}
	return list;
}

static void
show_json(const struct pam_stack *stack, const struct pam_judgement *j)
{
	const struct pam_entries *list = &stack->type[PAM_TYPE_AUTH];
	struct json_object *o = json_object_new_object();
	struct json_object *entries = json_object_new_array();
	struct json_object *ways = json_object_new_object();
	struct json_object *meaning = json_object_new_array();

	for (size_t i = 0; entries != NULL && i < list->n; i++)
		(void)json_object_array_add(
		    entries, entry_json(&list->item[i]));
	for (unsigned int way = 0; way < PAM_WAYS; way++)
		(void)out_json_bool(ways, pam_text_way((enum pam_way_kind)way),
		    j->way[way].found);
	if (meaning != NULL)
		pam_text_judgement(stack, j, add_sentence, meaning);
	(void)out_json_str(o, "service", stack->service);
	(void)out_json_str(o, "file", stack->file);
	(void)out_json_bool(o, "asks", j->ours != NULL);
	(void)out_json_bool(o, "unusable", stack->unusable);
	(void)out_json_add(o, "entries", entries);
	(void)out_json_add(o, "ways", ways);
	(void)out_json_add(o, "meaning", meaning);
	(void)out_json_add(o, "problems", problems_json(stack));
	out_json_print(o);
}

static enum out_status
show(const struct args *args, const char *root, const char *service)
{
	struct pam_stack *stack = NULL;
	struct pam_judgement *j = NULL;
	enum out_status status = STATUS_TROUBLE;

	if (!pam_stack_read(root, service, &stack) || !pam_judge(stack, &j)) {
		out_error("out of memory");
	} else {
		if (args_flag(args, OPT_JSON))
			show_json(stack, j);
		else
			show_text(stack, j);
		status = stack->unusable ? STATUS_TROUBLE : STATUS_YES;
	}
	pam_judgement_free(&j);
	pam_stack_free(&stack);
	return status;
}

/* --- enable, disable --------------------------------------------------------
 */

/* The configuration of the host below root; NULL, with a message: none. */
static struct csign_ctx *
load_config(const struct args *args, const char *root)
{
	struct args with = *args;
	struct csign_ctx *ctx = NULL;
	char *path = NULL;

	if (!args_flag(args, OPT_CONFIG) && strcmp(root, "/") != 0) {
		if (asprintf(&path, "%s%s/countersign/countersign.conf", root,
			CSIGN_SYSCONFDIR) == -1)
			return NULL;
		with.option[OPT_CONFIG] = path;
	}
	(void)!common_context(&with, &ctx);
	free(path);
	return ctx;
}

/* ENR-9: a phone that works, and a way to root that needs none. */
static bool
may_enable(const struct args *args, const struct pam_edit *edit)
{
	bool force = args_flag(args, OPT_FORCE);
	struct csign_ctx *ctx = load_config(args, edit->root);
	struct second_way way;

	second_way_look(ctx, edit, &way);
	csign_ctx_free(&ctx);
	if (!way.phone)
		out_error("%s%s", force ? "WARNING: " : "", way.phone_text);
	if (!way.root)
		out_error("%s%s", force ? "WARNING: " : "", way.root_text);
	if (way.phone && way.root) {
		if (!args_flag(args, OPT_JSON))
			(void)printf("A phone that works: %s.\n"
				     "A way to root without it: %s.\n",
			    way.phone_text, way.root_text);
		return true;
	}
	if (!force) {
		out_error("%s was not changed; --force changes it all the same",
		    edit->path);
		return false;
	}
	out_error("WARNING: --force: IF THE PHONE DOES NOT WORK, NOBODY MAY BE "
		  "ABLE TO BECOME ROOT ON THIS HOST.  Keep a shell of root "
		  "open.");
	return true;
}

static void
say_done(const struct pam_edit *edit)
{
	if (!edit->enable) {
		(void)printf(
		    "%s asks no phone any more: our line is out of %s.\n",
		    edit->service, edit->path);
		return;
	}
	(void)printf("%s asks the phone now: %s:%u.\n", edit->service,
	    edit->path, edit->line);
	pam_text_judgement(edit->stack, edit->judgement, print_sentence, NULL);
	(void)printf("The file as it was: %s" PAM_EDIT_BACKUP "\n"
		     "Try it in a second terminal, and keep a shell of root "
		     "open in this one.\n"
		     "To undo it: countersign pam disable %s\n",
	    edit->path, edit->service);
	pam_text_hint(edit->service);
}

static void
edit_json(const struct pam_edit *edit, bool changed)
{
	struct json_object *o = json_object_new_object();

	(void)out_json_str(o, "service", edit->service);
	(void)out_json_str(o, "file", edit->path);
	(void)out_json_bool(o, "changed", changed);
	(void)out_json_add(o, "line",
	    edit->line != 0 ? json_object_new_int64((int64_t)edit->line)
			    : NULL);
	out_json_print(o);
}

static enum out_status
carry_out(const struct args *args, struct pam_edit *edit)
{
	bool dry = args_flag(args, OPT_DRY_RUN);

	if (dry && !args_flag(args, OPT_JSON))
		pam_edit_diff(edit);
	if (edit->enable && !may_enable(args, edit))
		return STATUS_NO;
	if (!dry && !pam_edit_apply(edit)) {
		out_error("%s", edit->why);
		return STATUS_TROUBLE;
	}
	if (args_flag(args, OPT_JSON))
		edit_json(edit, !dry);
	else if (!dry)
		say_done(edit);
	return STATUS_YES;
}

static enum out_status
change(
    const struct args *args, const char *root, const char *service, bool enable)
{
	enum pam_edit_result result = PAM_EDIT_TROUBLE;
	enum out_status status = STATUS_TROUBLE;
	struct pam_edit *edit = NULL;

	/* Whether there is a second way is in files that are root's. */
	if (geteuid() != 0 && strcmp(root, "/") == 0) {
		out_error("pam: only root can change the stacks of this host");
		return STATUS_TROUBLE;
	}
	edit = pam_edit_plan(root, service, enable, &result);
	if (edit == NULL) {
		out_error("out of memory");
		return STATUS_TROUBLE;
	}
	switch (result) {
	case PAM_EDIT_READY:
		status = carry_out(args, edit);
		break;
	case PAM_EDIT_NOTHING:
		if (args_flag(args, OPT_JSON))
			edit_json(edit, false);
		else
			(void)printf("%s.  Nothing was changed.\n", edit->why);
		status = STATUS_YES;
		break;
	case PAM_EDIT_REFUSED:
		out_error("%s", edit->why);
		status = STATUS_NO;
		break;
	case PAM_EDIT_TROUBLE:
		out_error("%s", edit->why);
		break;
	}
	pam_edit_free(&edit);
	return status;
}

enum out_status
cmd_pam(const struct args *args)
{
	const char *verb = args->operand[0], *service = args->operand[1];
	enum out_status status = STATUS_USAGE;
	char *root = NULL;

	if (!pam_service_ok(service)) {
		out_error(
		    "\"%s\" cannot be the name of a PAM service", service);
		return STATUS_USAGE;
	}
	if (!root_option(args->option[OPT_ROOT], &root))
		return STATUS_USAGE;
	if (strcmp(verb, "show") == 0)
		status = show(args, root, service);
	else if (strcmp(verb, "enable") == 0)
		status = change(args, root, service, true);
	else if (strcmp(verb, "disable") == 0)
		status = change(args, root, service, false);
	else
		out_error("pam: enable, disable or show, not \"%s\"", verb);
	free(root);
	return status;
}
