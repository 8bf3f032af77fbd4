/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "shares.h"

TAILQ_HEAD(member_list, share_member);

/* Of one owner, as long as it has a member. */
struct share {
	struct share_owner owner; /* first: it is what the tree compares */
	size_t count;
	struct member_list lists[SHARE_N_DOING];
};

/*
 * A balanced tree, so that no choice of addresses makes it slow: at most as
 * many owners as connections.
 */
struct shares {
	void *tree;
};

static int
compare(const void *a, const void *b)
{
	const struct share_owner *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return memcmp(x->key, y->key, sizeof x->key);
}

enum csign_err
shares_new(struct shares **ret_shares)
{
	struct shares *shares = calloc(1, sizeof *shares);

	if (shares == NULL)
		return CSIGN_E_NOMEM;
	*ret_shares = shares;
	return CSIGN_OK;
}

void
shares_free(struct shares **shares)
{
	free(*shares);
	*shares = NULL;
}

static struct share *
add_share(struct shares *shares, const struct share_owner *owner)
{
	struct share *share = calloc(1, sizeof *share);
	unsigned i;

	if (share == NULL)
		return NULL;
	share->owner = *owner;
	for (i = 0; i < SHARE_N_DOING; i++)
		TAILQ_INIT(&share->lists[i]);
	if (tsearch(share, &shares->tree, compare) != NULL)
		return share;
	free(share);
	return NULL;
}

enum csign_err
shares_join(struct shares *shares, const struct share_owner *owner,
    enum share_doing doing, struct share_member *member)
{
	struct share *const *found = tfind(owner, &shares->tree, compare);
	struct share *share = found != NULL ? *found : add_share(shares, owner);

	if (share == NULL)
		return CSIGN_E_NOMEM;
	share->count++;
	member->share = share;
	member->doing = doing;
	TAILQ_INSERT_TAIL(&share->lists[doing], member, next);
	return CSIGN_OK;
}

void
shares_leave(struct shares *shares, struct share_member *member)
{
	struct share *share = member->share;

	if (share == NULL)
		return;
	TAILQ_REMOVE(&share->lists[member->doing], member, next);
	member->share = NULL;
	if (--share->count > 0)
		return;
	tdelete(share, &shares->tree, compare);
	free(share);
}

void
shares_do(struct share_member *member, enum share_doing doing)
{
	struct share *share = member->share;

	if (share == NULL)
		return;
	TAILQ_REMOVE(&share->lists[member->doing], member, next);
	member->doing = doing;
	TAILQ_INSERT_TAIL(&share->lists[doing], member, next);
}

const struct share_owner *
shares_owner(const struct share_member *member)
{
	return member->share != NULL ? &member->share->owner : NULL;
}

size_t
shares_count(const struct share_member *member)
{
	return member->share != NULL ? member->share->count : 0;
}

struct share_member *
shares_first(const struct share_member *member, enum share_doing doing)
{
	struct share_member *first;

	if (member->share == NULL)
		return NULL;
	first = TAILQ_FIRST(&member->share->lists[doing]);
	return first == member ? TAILQ_NEXT(first, next) : first;
}
