/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "checkpoint.h"

/* Pages in the log that are worth the trouble. */
#define PAGES_WORTH 1000
/*
 * The log shrinks only when the thread catches up, which it may never do while
 * everybody writes all the time: then the writer helps, at this length.
 */
#define PAGES_TOO_MANY 10000
/* Between two tries, each time twice as long. */
#define NAP_MIN_MS 20
#define NAP_MAX_MS 5000

struct checkpoint {
	sqlite3 *db; /* a connection of the thread's own */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool wanted; /* these two under the lock */
	bool stop;
	int asked_at; /* pages, in the writer's thread */
};

/* Was all moved that the log had in the beginning?  Its pages in any case. */
static bool
move(struct checkpoint *c, int *pages)
{
	int moved = 0;

	*pages = 0;
	return sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
		   pages, &moved) == SQLITE_OK &&
	       moved == *pages;
}

/*
 * Is everything in the database now, so that the log can begin anew?  What was
 * written during the first move shows at the second one, which costs nothing
 * otherwise.
 */
static bool
move_all(struct checkpoint *c)
{
	int first, second;

	return move(c, &first) && move(c, &second) && first == second;
}

/* With the lock; shorter if somebody asks, or at the end. */
static void
nap(struct checkpoint *c, unsigned ms)
{
	struct timespec until;

	if (clock_gettime(CLOCK_REALTIME, &until) != 0)
		return;
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	(void)pthread_cond_timedwait(&c->wake, &c->lock, &until);
}

/* With the lock; in a quieter moment if somebody writes all the time. */
static void
catch_up(struct checkpoint *c)
{
	unsigned ms;
	bool done;

	for (ms = NAP_MIN_MS; ms < NAP_MAX_MS && !c->stop; ms *= 2) {
		pthread_mutex_unlock(&c->lock);
		done = move_all(c);
		pthread_mutex_lock(&c->lock);
		if (done)
			return;
		if (!c->stop)
			nap(c, ms);
	}
}

static void *
run(void *arg)
{
	struct checkpoint *c = arg;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		if (!c->wanted) {
			pthread_cond_wait(&c->wake, &c->lock);
			continue;
		}
		c->wanted = false;
		catch_up(c);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

void
checkpoint_ask(struct checkpoint *c)
{
	pthread_mutex_lock(&c->lock);
	c->wanted = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

/* After each commit, in the writer's thread. */
static int
on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct checkpoint *c = arg;

	if (pages >= PAGES_TOO_MANY)
		(void)sqlite3_wal_checkpoint_v2(
		    db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (pages < c->asked_at) /* it has begun anew */
		c->asked_at = 0;
	if (pages - c->asked_at < PAGES_WORTH)
		return SQLITE_OK;
	c->asked_at = pages;
	checkpoint_ask(c);
	return SQLITE_OK;
}

static enum csign_err
start(struct checkpoint *c)
{
	sigset_t all, before;
	int errnum;

	/* Signals are for the loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errnum = pthread_create(&c->thread, NULL, run, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errnum == 0 ? CSIGN_OK : CSIGN_E_SYSTEM;
}

enum csign_err
checkpoint_new(sqlite3 *db, struct checkpoint **ret_checkpoint)
{
	struct checkpoint *c;

	if ((c = calloc(1, sizeof *c)) == NULL)
		return CSIGN_E_NOMEM;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	if (sqlite3_open_v2(sqlite3_db_filename(db, NULL), &c->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_NOFOLLOW,
		NULL) != SQLITE_OK ||
	    /* Until it has read something, it does not know of the log. */
	    sqlite3_exec(c->db, "SELECT 1 FROM sqlite_master", NULL, NULL,
		NULL) != SQLITE_OK ||
	    start(c) != CSIGN_OK) {
		sqlite3_close(c->db);
		free(c);
		return CSIGN_E_SYSTEM;
	}
	sqlite3_wal_hook(db, on_commit, c);
	*ret_checkpoint = c;
	return CSIGN_OK;
}

void
checkpoint_free(struct checkpoint **checkpoint)
{
	struct checkpoint *c = *checkpoint;

	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	sqlite3_close(c->db);
	free(c);
	*checkpoint = NULL;
}
