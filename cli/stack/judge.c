/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of libpam's dispatcher, and a walk over everything that can happen
 * under them.  A point of the walk is the next entry, what libpam believes so
 * far, and what was proven; the points are few, since most codes of a module
 * lead to the same one.
 */
#include "config.h"

#include <limits.h>
#include <security/pam_modules.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stack.h"

/* --- libpam ----------------------------------------------------------------
 */

/* What libpam believes: its "impression" and "status" in one. */
enum belief {
	BELIEF_NONE,
	BELIEF_YES,
	BELIEF_YES_BUT, /* positive, and the status is not PAM_SUCCESS */
	BELIEF_NO,
};

struct machine {
	size_t next; /* entry; the number of entries: the end */
	enum belief belief;
	/* the belief at the entrance of each level of substacks */
	enum belief entered[PAM_STACK_DEPTH + 1];
	unsigned int level; /* of the entry before */
};

static void
machine_start(struct machine *m)
{
	memset(m, 0, sizeof *m);
}

static void
believe_yes(struct machine *m, int code)
{
	if (m->belief == BELIEF_NONE || m->belief == BELIEF_YES)
		m->belief = code == PAM_SUCCESS ? BELIEF_YES : BELIEF_YES_BUT;
}

/* Past the rest of the level of entry i. */
static size_t
level_end(const struct pam_entries *list, size_t i)
{
	unsigned int level = list->item[i].level;

	while (i + 1 < list->n && list->item[i + 1].level >= level)
		i++;
	return i;
}

/* The entry that n entries are jumped over to stand on; *ret_left: too few. */
static size_t
jump(const struct pam_entries *list, size_t i, int n, int *ret_left)
{
	unsigned int level = list->item[i].level;

	while (n > 0 && i + 1 < list->n && list->item[i + 1].level >= level) {
		do
			i++;
		while (i + 1 < list->n && list->item[i + 1].level > level);
		n--;
	}
	*ret_left = n;
	return i;
}

/* The marks of substacks are passed, and the belief at the entrance kept. */
static void
settle(const struct pam_entries *list, struct machine *m)
{
	while (m->next < list->n) {
		const struct pam_entry *entry = &list->item[m->next];

		if (m->level < entry->level)
			m->entered[entry->level] = m->belief;
		m->level = entry->level;
		if (entry->kind != PAM_ENTRY_SUBSTACK)
			return;
		m->next++;
	}
}

/* The entry at next returned code. */
static void
machine_step(const struct pam_entries *list, struct machine *m, int code)
{
	size_t i = m->next;
	int action = list->item[i].action[code], left;

	switch (action) {
	case PAM_ACTION_IGNORE:
		break;
	case PAM_ACTION_RESET:
		m->belief = m->entered[list->item[i].level];
		break;
	case PAM_ACTION_OK:
		believe_yes(m, code);
		break;
	case PAM_ACTION_DONE:
		believe_yes(m, code);
		if (m->belief != BELIEF_NO)
			i = level_end(list, i);
		break;
	case PAM_ACTION_BAD:
		m->belief = BELIEF_NO;
		break;
	case PAM_ACTION_DIE:
		m->belief = BELIEF_NO;
		i = level_end(list, i);
		break;
	default:
		i = jump(list, i, action, &left);
		if (left > 0)
			m->belief = BELIEF_NO;
		break;
	}
	m->next = i + 1;
	settle(list, m);
}

bool
pam_plays(const struct pam_entries *list, const int *codes)
{
	struct machine m;

	machine_start(&m);
	settle(list, &m);
	while (m.next < list->n)
		machine_step(list, &m,
		    list->item[m.next].kind == PAM_ENTRY_BROKEN
			? PAM_PERM_DENIED
			: codes[m.next]);
	return m.belief == BELIEF_YES;
}

/* --- what can happen -------------------------------------------------------
 */

/* What our module said. */
enum ours { OURS_SILENT, OURS_YES, OURS_IGNORE, OURS_NO };

struct point {
	struct machine machine;
	enum ours ours;
	bool factor, who; /* proven so far */
	/* how it came here */
	size_t parent; /* of the points; itself: the first */
	const struct pam_entry *called;
	int code;
};

#define POINTS_MAX ((size_t)65536)
#define SLOTS (POINTS_MAX * 2) /* a power of two */

struct walk {
	const struct pam_entries *list;
	struct pam_judgement *j;
	struct point *point;
	size_t n;
	uint32_t *slot; /* hash table of points, 0 is free, else index + 1 */
	bool no_memory;
};

static bool
same(const struct point *a, const struct point *b)
{
	return a->machine.next == b->machine.next &&
	       a->machine.belief == b->machine.belief &&
	       a->machine.level == b->machine.level && a->ours == b->ours &&
	       a->factor == b->factor && a->who == b->who &&
	       memcmp(a->machine.entered, b->machine.entered,
		   sizeof a->machine.entered) == 0;
}

static size_t
hash(const struct point *p)
{
	uint64_t h = p->machine.next;

	h = h * 31 + (uint64_t)p->machine.belief;
	h = h * 31 + (uint64_t)p->ours * 4 + (p->factor ? 2u : 0u) +
	    (p->who ? 1u : 0u);
	for (size_t i = 0; i <= PAM_STACK_DEPTH; i++)
		h = h * 31 + (uint64_t)p->machine.entered[i];
	h ^= h >> 29;
	return (size_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (SLOTS - 1);
}

/* A point that was not met before is kept, to be looked at later. */
static void
add_point(struct walk *w, const struct point *p)
{
	size_t at = hash(p);

	for (; w->slot[at] != 0; at = (at + 1) & (SLOTS - 1))
		if (same(p, &w->point[w->slot[at] - 1]))
			return;
	if (w->n == POINTS_MAX) {
		w->j->incomplete = true;
		return;
	}
	w->point[w->n++] = *p;
	w->slot[at] = (uint32_t)w->n;
}

/* The example for a kind of way: how point i came about. */
static void
found(struct walk *w, enum pam_way_kind kind, size_t i)
{
	struct pam_way *way = &w->j->way[kind];
	size_t n = 0;

	if (way->found)
		return;
	for (size_t k = i; w->point[k].called != NULL; k = w->point[k].parent)
		n++;
	way->step = calloc(n + 1, sizeof *way->step);
	if (way->step == NULL) {
		w->no_memory = true;
		return;
	}
	way->found = true;
	way->n = n;
	for (size_t k = i; w->point[k].called != NULL; k = w->point[k].parent)
		way->step[--n] =
		    (struct pam_step){w->point[k].called, w->point[k].code};
}

static void
judge_end(struct walk *w, size_t i)
{
	const struct point *p = &w->point[i];

	if (p->machine.belief != BELIEF_YES)
		return;
	found(w, PAM_WAY_SUCCESS, i);
	switch (p->ours) {
	case OURS_NO:
		found(w, PAM_WAY_OVERRULED, i);
		break;
	case OURS_YES:
		found(w, p->factor ? PAM_WAY_BOTH : PAM_WAY_ALONE, i);
		break;
	case OURS_IGNORE:
		if (!p->factor && !p->who)
			found(w, PAM_WAY_IGNORED, i);
		break;
	case OURS_SILENT:
		found(w,
		    p->factor ? PAM_WAY_AROUND
		    : p->who  ? PAM_WAY_TRUSTED
			      : PAM_WAY_OPEN,
		    i);
		break;
	}
}

/* Can the entry return the code, as far as anybody knows? */
static bool
possible(const struct pam_entry *entry, int code)
{
	const char *slash = strrchr(entry->module, '/');
	const char *name = slash != NULL ? slash + 1 : entry->module;

	if (entry->kind == PAM_ENTRY_BROKEN)
		return code == PAM_PERM_DENIED;
	if (strcmp(name, "pam_permit.so") == 0)
		return code == PAM_SUCCESS;
	if (strcmp(name, "pam_deny.so") == 0)
		return code == PAM_AUTH_ERR;
	/* it always has an answer, unlike what asks a service or a device */
	if (strcmp(name, "pam_unix.so") == 0 && code == PAM_IGNORE)
		return false;
	/* these two are no answers to "is it you?" */
	return code != PAM_INCOMPLETE && code != PAM_NEW_AUTHTOK_REQD;
}

/* A second yes of our module does not undo a no. */
static enum ours
ours_after(enum ours before, int code)
{
	enum ours now = code == PAM_SUCCESS  ? OURS_YES
			: code == PAM_IGNORE ? OURS_IGNORE
					     : OURS_NO;

	return now > before || before == OURS_IGNORE ? now : before;
}

static void
take_step(struct walk *w, size_t i, int code)
{
	struct point p = w->point[i];
	const struct pam_entry *entry = &w->list->item[p.machine.next];

	p.parent = i;
	p.called = entry;
	p.code = code;
	if (entry->proof == PAM_PROOF_OURS)
		p.ours = ours_after(p.ours, code);
	else if (code == PAM_SUCCESS)
		switch (entry->proof) {
		case PAM_PROOF_WHO:
			p.who = true;
			break;
		case PAM_PROOF_FACTOR:
		case PAM_PROOF_UNKNOWN:
			p.factor = true;
			break;
		case PAM_PROOF_NONE:
		case PAM_PROOF_OURS:
			break;
		}
	machine_step(w->list, &p.machine, code);
	add_point(w, &p);
}

/* Codes in the order in which they are tried: what is seen most comes first. */
static int
nth_code(int n)
{
	if (n == 1)
		return PAM_AUTH_ERR;
	return n == PAM_AUTH_ERR ? 1 : n;
}

/* Of the failures that mean the same here, one is enough: the first. */
static bool
tried(const struct pam_entry *entry, int n)
{
	int code = nth_code(n);

	if (code == PAM_SUCCESS || code == PAM_IGNORE)
		return false;
	for (int k = 1; k < n; k++)
		if (nth_code(k) != PAM_IGNORE && possible(entry, nth_code(k)) &&
		    entry->action[nth_code(k)] == entry->action[code])
			return true;
	return false;
}

/* All that can follow from point i. */
static void
expand(struct walk *w, size_t i)
{
	const struct point *p = &w->point[i];
	const struct pam_entry *entry;

	if (p->machine.next >= w->list->n) {
		judge_end(w, i);
		return;
	}
	entry = &w->list->item[p->machine.next];
	if (entry->proof == PAM_PROOF_OURS)
		found(w, p->factor ? PAM_WAY_LATE : PAM_WAY_EARLY, i);
	for (int n = 0; n < PAM_CODES; n++)
		if (possible(entry, nth_code(n)) && !tried(entry, n))
			take_step(w, i, nth_code(n));
}

static void
walk(struct walk *w)
{
	struct point start = {.parent = 0};

	machine_start(&start.machine);
	settle(w->list, &start.machine);
	add_point(w, &start);
	for (size_t i = 0; i < w->n && !w->no_memory; i++)
		expand(w, i);
}

bool
pam_judge(const struct pam_stack *stack, struct pam_judgement **ret_judgement)
{
	struct pam_judgement *j = calloc(1, sizeof *j);
	struct walk w = {.list = &stack->type[PAM_TYPE_AUTH], .j = j};

	w.point = calloc(POINTS_MAX, sizeof *w.point);
	w.slot = calloc(SLOTS, sizeof *w.slot);
	w.no_memory = j == NULL || w.point == NULL || w.slot == NULL;
	if (!w.no_memory) {
		j->ours = pam_stack_ours(stack, PAM_TYPE_AUTH);
		if (!stack->unusable)
			walk(&w);
	}
	free(w.point);
	free(w.slot);
	if (w.no_memory) {
		pam_judgement_free(&j);
		return false;
	}
	*ret_judgement = j;
	return true;
}

void
pam_judgement_free(struct pam_judgement **judgement)
{
	if (*judgement == NULL)
		return;
	for (size_t i = 0; i < PAM_WAYS; i++)
		free((*judgement)->way[i].step);
	free(*judgement);
	*judgement = NULL;
}
