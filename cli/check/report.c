/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define LINE_WIDTH 79
#define INDENT 11 /* "  warning  " */

struct finding {
	enum check_id id;
	char *services; /* "sshd sudo", or NULL */
	char *subject, *problem, *remedy;
};

struct good {
	enum check_group group;
	char *text;
};

struct check_report {
	struct finding *finding;
	size_t n_findings;
	struct good *good;
	size_t n_good;
	bool broken;
};

static const struct kind {
	const char *id;
	enum check_group group;
	enum check_severity severity;
	const char *remedy;
} kinds[] = {
#define CHECK_FINDING_KIND(name, id, group, severity, remedy)                  \
	[FIND_##name] = {id, GROUP_##group, SEVERITY_##severity, remedy},
    CHECK_FINDINGS(CHECK_FINDING_KIND)
#undef CHECK_FINDING_KIND
};

/* What people read, and the word that programs read. */
static const struct {
	const char *title, *word;
} groups[GROUPS] = {
    [GROUP_GENERAL] = {"This check", "general"},
    [GROUP_CONFIG] = {"Configuration", "config"},
    [GROUP_FILES] = {"Files and courier", "files"},
    [GROUP_PAM] = {"PAM stacks", "pam"},
    [GROUP_SSHD] = {"sshd", "sshd"},
    [GROUP_SUDO] = {"sudo", "sudo"},
    [GROUP_ACCOUNTS] = {"Accounts and devices", "accounts"},
    [GROUP_RECOVERY] = {"A way in without a phone", "recovery"},
    [GROUP_SERVICE] = {"Service", "service"},
    [GROUP_CLOCK] = {"Clock", "clock"},
    [GROUP_PAGE] = {"The phone's page", "page"},
};

static const char *const severities[SEVERITIES] = {
    [SEVERITY_NOTE] = "note",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_ERROR] = "error",
};

struct check_report *
check_report_new(void)
{
	return calloc(1, sizeof(struct check_report));
}

void
check_report_free(struct check_report **report)
{
	struct check_report *r = *report;

	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n_findings; i++) {
		free(r->finding[i].services);
		free(r->finding[i].subject);
		free(r->finding[i].problem);
		free(r->finding[i].remedy);
	}
	for (size_t i = 0; i < r->n_good; i++)
		free(r->good[i].text);
	free(r->finding);
	free(r->good);
	free(r);
	*report = NULL;
}

/* Much of it is from files: nothing but printable ASCII goes on from here. */
static char *
clean(char *text)
{
	for (char *c = text; c != NULL && *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return text;
}

static char *
copy(const char *text)
{
	return clean(strdup(text));
}

static char *CSIGN_PRINTF(1, 0) format(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) == -1)
		return NULL;
	return clean(text);
}

/* The same thing at the same place, in another service's stack. */
static struct finding *
known(const struct check_report *report, enum check_id id, const char *subject)
{
	for (size_t i = 0; i < report->n_findings; i++)
		if (report->finding[i].id == id &&
		    strcmp(report->finding[i].subject, subject) == 0)
			return &report->finding[i];
	return NULL;
}

static bool
add_service(struct finding *f, const char *service)
{
	char *longer = NULL;

	if (service == NULL)
		return true;
	if (f->services == NULL)
		return (f->services = copy(service)) != NULL;
	if (asprintf(&longer, "%s %s", f->services, service) == -1)
		return false;
	free(f->services);
	f->services = clean(longer);
	return true;
}

static bool
add_finding(struct check_report *report, struct finding f, const char *service)
{
	struct finding *more = NULL;

	if (f.subject != NULL && f.problem != NULL && f.remedy != NULL &&
	    add_service(&f, service))
		more = reallocarray(
		    report->finding, report->n_findings + 1, sizeof *more);
	if (more == NULL) {
		free(f.services);
		free(f.subject);
		free(f.problem);
		free(f.remedy);
		return false;
	}
	report->finding = more;
	more[report->n_findings++] = f;
	return true;
}

void
check_find(struct check_report *report, enum check_id id, const char *service,
    const char *subject, const char *remedy, const char *fmt, ...)
{
	struct finding f = {.id = id, .subject = copy(subject)};
	struct finding *old;
	va_list ap;

	if (f.subject != NULL && (old = known(report, id, f.subject)) != NULL) {
		free(f.subject);
		if (!add_service(old, service))
			report->broken = true;
		return;
	}
	va_start(ap, fmt);
	f.problem = format(fmt, ap);
	va_end(ap);
	f.remedy = copy(remedy != NULL ? remedy : kinds[id].remedy);
	if (!add_finding(report, f, service))
		report->broken = true;
}

void
check_good(
    struct check_report *report, enum check_group group, const char *fmt, ...)
{
	struct good *more =
	    reallocarray(report->good, report->n_good + 1, sizeof *more);
	struct good good = {.group = group};
	va_list ap;

	va_start(ap, fmt);
	good.text = format(fmt, ap);
	va_end(ap);
	if (more != NULL)
		report->good = more;
	if (more == NULL || good.text == NULL) {
		free(good.text);
		report->broken = true;
		return;
	}
	more[report->n_good++] = good;
}

size_t
check_count(const struct check_report *report, enum check_severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_findings; i++)
		if (kinds[report->finding[i].id].severity == severity)
			n++;
	return n;
}

bool
check_report_broken(const struct check_report *report)
{
	return report->broken;
}

/* --- for people ----------------------------------------------------------- */

/* Words from column "at" on, broken before LINE_WIDTH; a line end behind. */
static void
put_wrapped(const char *text, int at)
{
	const char *word = text;
	bool first = true;

	while (*word != '\0') {
		int len = (int)strcspn(word, " ");

		if (!first && at + 1 + len > LINE_WIDTH) {
			(void)printf("\n%*s", INDENT, "");
			at = INDENT;
		} else if (!first) {
			(void)putchar(' ');
			at++;
		}
		(void)printf("%.*s", len, word);
		at += len;
		first = false;
		word += len;
		word += strspn(word, " ");
	}
	(void)putchar('\n');
}

static void
put_head(const char *word)
{
	(void)printf("  %-*s", INDENT - 2, word);
}

static void
print_finding(const struct finding *f)
{
	put_head(severities[kinds[f->id].severity]);
	(void)printf("%s: %s", kinds[f->id].id, f->subject);
	if (f->services != NULL)
		(void)printf(" (%s)", f->services);
	(void)printf("\n%*s", INDENT, "");
	put_wrapped(f->problem, INDENT);
	(void)printf("%*s-> ", INDENT, "");
	put_wrapped(f->remedy, INDENT + 3);
}

static void
print_group(const struct check_report *report, enum check_group group)
{
	bool any = false;

	for (int severity = SEVERITIES - 1; severity >= 0; severity--) {
		for (size_t i = 0; i < report->n_findings; i++) {
			const struct finding *f = &report->finding[i];

			if (kinds[f->id].group != group ||
			    (int)kinds[f->id].severity != severity)
				continue;
			if (!any)
				(void)printf("%s\n", groups[group].title);
			any = true;
			print_finding(f);
		}
	}
	for (size_t i = 0; i < report->n_good; i++) {
		if (report->good[i].group != group)
			continue;
		if (!any)
			(void)printf("%s\n", groups[group].title);
		any = true;
		put_head("good");
		put_wrapped(report->good[i].text, INDENT);
	}
	if (any)
		(void)putchar('\n');
}

void
check_report_print(const struct check_report *report)
{
	size_t errors = check_count(report, SEVERITY_ERROR);
	size_t warnings = check_count(report, SEVERITY_WARNING);
	size_t notes = check_count(report, SEVERITY_NOTE);

	for (int group = 0; group < GROUPS; group++)
		print_group(report, (enum check_group)group);
	(void)printf("%zu error%s, %zu warning%s, %zu note%s.\n", errors,
	    errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", notes,
	    notes == 1 ? "" : "s");
}

/* --- for programs --------------------------------------------------------- */

/* Adds one to an array; takes o over, also when it fails. */
static bool
json_append(struct json_object *array, struct json_object *o)
{
	if (o != NULL && json_object_array_add(array, o) == 0)
		return true;
	json_object_put(o);
	return false;
}

static struct json_object *
json_services(const char *services)
{
	struct json_object *array = json_object_new_array();

	while (array != NULL && services != NULL && *services != '\0') {
		int len = (int)strcspn(services, " ");

		if (!json_append(
			array, json_object_new_string_len(services, len))) {
			json_object_put(array);
			return NULL;
		}
		services += len;
		services += strspn(services, " ");
	}
	return array;
}

static struct json_object *
json_finding(const struct finding *f)
{
	const struct kind *kind = &kinds[f->id];
	struct json_object *o = json_object_new_object();
	struct json_object *services = json_services(f->services);

	if (services != NULL && out_json_add(o, "services", services) &&
	    out_json_str(o, "id", kind->id) &&
	    out_json_str(o, "group", groups[kind->group].word) &&
	    out_json_str(o, "severity", severities[kind->severity]) &&
	    out_json_str(o, "subject", f->subject) &&
	    out_json_str(o, "problem", f->problem) &&
	    out_json_str(o, "remedy", f->remedy))
		return o;
	json_object_put(o);
	return NULL;
}

static struct json_object *
json_good(const struct good *good)
{
	struct json_object *o = json_object_new_object();

	if (out_json_str(o, "group", groups[good->group].word) &&
	    out_json_str(o, "text", good->text))
		return o;
	json_object_put(o);
	return NULL;
}

static bool
json_count(struct json_object *o, const char *name,
    const struct check_report *report, enum check_severity severity)
{
	return out_json_add(o, name,
	    json_object_new_int64((int64_t)check_count(report, severity)));
}

struct json_object *
check_report_json(const struct check_report *report, const char *root)
{
	struct json_object *findings = json_object_new_array();
	struct json_object *good = json_object_new_array();
	struct json_object *o = json_object_new_object();
	bool ok = findings != NULL && good != NULL;

	for (size_t i = 0; ok && i < report->n_findings; i++)
		ok = json_append(findings, json_finding(&report->finding[i]));
	for (size_t i = 0; ok && i < report->n_good; i++)
		ok = json_append(good, json_good(&report->good[i]));
	ok = out_json_add(o, "findings", findings) && ok;
	ok = out_json_add(o, "good", good) && ok;
	ok = ok && json_count(o, "errors", report, SEVERITY_ERROR) &&
	     json_count(o, "warnings", report, SEVERITY_WARNING) &&
	     json_count(o, "notes", report, SEVERITY_NOTE) &&
	     out_json_str(o, "root", root);
	if (ok)
		return o;
	json_object_put(o);
	return NULL;
}
