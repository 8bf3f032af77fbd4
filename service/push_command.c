/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "dir.h"
#include "log.h"
#include "push_command.h"
#include "store.h"
#include "text.h"

#define RUNNING_MAX 8
#define WAITING_MAX 1000
#define LIFE_S 10
#define LINE_MAX_LEN 2048 /* fits into a pipe, so that writing never waits */

struct run {
	TAILQ_ENTRY(run) next;
	struct push_command *command;
	int64_t approval;
	char transaction_id[STORE_ID_SIZE];
	struct csign_buf *line; /* until it runs */
	pid_t pid;
	int pidfd;
	bool killed;
	struct event *ended; /* the process has, or its time */
};

TAILQ_HEAD(run_list, run);

struct push_command {
	struct event_base *base;
	char *path;
	push_still_open *still_open;
	void *arg;
	struct run_list waiting, running;
	unsigned n_waiting, n_running;
};

static void start_some(struct push_command *command);

static void
run_free(struct run *run)
{
	if (run->ended != NULL)
		event_free(run->ended);
	csign_close(&run->pidfd);
	csign_buf_free(&run->line);
	free(run);
}

/* --- what runs ------------------------------------------------------------ */

static void
log_status(const struct run *run, int status)
{
	char text[16];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	(void)snprintf(text, sizeof text, "%d",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	log_event(CSIGN_LOG_WARNING, "push_command_failed", "transaction",
	    run->transaction_id,
	    run->killed         ? "killed_after_10_s"
	    : WIFEXITED(status) ? "status"
				: "signal",
	    text);
}

/*
 * And what it has left behind in its process group, which is still its own:
 * nobody has waited for it yet.
 */
static void
kill_run(const struct run *run)
{
	(void)kill(-run->pid, SIGKILL);
	(void)kill(run->pid, SIGKILL);
}

static void
on_ended(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval limit = {LIFE_S, 0};
	struct run *run = arg;
	struct push_command *command = run->command;
	int status = 0;

	(void)fd;
	run->killed |= (what & EV_TIMEOUT) != 0;
	kill_run(run);
	if (waitpid(run->pid, &status, WNOHANG) == 0) {
		(void)event_add(run->ended, &limit);
		return;
	}
	log_status(run, status);
	TAILQ_REMOVE(&command->running, run, next);
	command->n_running--;
	run_free(run);
	start_some(command);
}

/* Default signals, nothing blocked, a group of its own, no descriptor. */
static int
spawn(const char *path, int input, pid_t *ret_pid)
{
	char *argv[] = {(char *)(uintptr_t)path, NULL};
	char *envp[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;
	int error;

	if ((error = posix_spawnattr_init(&attr)) != 0)
		return error;
	if ((error = posix_spawn_file_actions_init(&actions)) != 0) {
		(void)posix_spawnattr_destroy(&attr);
		return error;
	}
	sigfillset(&all);
	sigemptyset(&none);
	if ((error = posix_spawnattr_setflags(
		 &attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
			    POSIX_SPAWN_SETSIGMASK)) == 0 &&
	    (error = posix_spawnattr_setsigdefault(&attr, &all)) == 0 &&
	    (error = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
	    (error = posix_spawn_file_actions_addchdir_np(&actions, "/")) ==
		0 &&
	    (error = posix_spawn_file_actions_adddup2(&actions, input, 0)) ==
		0 &&
	    (error = posix_spawn_file_actions_addopen(
		 &actions, 1, "/dev/null", O_WRONLY, 0)) == 0 &&
	    (error = posix_spawn_file_actions_adddup2(&actions, 1, 2)) == 0 &&
	    (error = posix_spawn_file_actions_addclosefrom_np(&actions, 3)) ==
		0)
		error = posix_spawn(ret_pid, path, &actions, &attr, argv, envp);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	return error;
}

/* The end of a pipe that has the line in it, and nothing to come. */
static int
pipe_with(const struct csign_buf *line)
{
	int ends[2];
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	n = write(ends[1], csign_buf_data(line), csign_buf_len(line));
	close(ends[1]);
	if (n == (ssize_t)csign_buf_len(line))
		return ends[0];
	close(ends[0]);
	return -1;
}

/* True if there is now something to wait for. */
static bool
start(struct run *run)
{
	static const struct timeval limit = {LIFE_S, 0};
	struct push_command *command = run->command;
	int input, error, status;

	if ((input = pipe_with(run->line)) < 0)
		error = errno;
	else
		error = spawn(command->path, input, &run->pid);
	csign_close(&input);
	csign_buf_free(&run->line);
	if (error == 0) {
		run->pidfd = pidfd_open(run->pid, 0);
		run->ended = run->pidfd < 0
				 ? NULL
				 : event_new(command->base, run->pidfd, EV_READ,
				       on_ended, run);
		if (run->ended != NULL && event_add(run->ended, &limit) == 0)
			return true;
		error = ENOMEM;
		kill_run(run);
		(void)waitpid(run->pid, &status, 0);
	}
	log_event(CSIGN_LOG_ERR, "push_command_failed", "transaction",
	    run->transaction_id, "reason", strerrordesc_np(error));
	return false;
}

static void
start_some(struct push_command *command)
{
	struct run *run;

	while (command->n_running < RUNNING_MAX &&
	       (run = TAILQ_FIRST(&command->waiting)) != NULL) {
		TAILQ_REMOVE(&command->waiting, run, next);
		command->n_waiting--;
		if (command->still_open(
			command->arg, run->approval, run->transaction_id) &&
		    start(run)) {
			TAILQ_INSERT_TAIL(&command->running, run, next);
			command->n_running++;
		} else {
			run_free(run);
		}
	}
}

/* --- what waits ----------------------------------------------------------- */

static enum csign_err
put_member(struct csign_buf *line, const char *name, const char *value)
{
	enum csign_err r;

	if ((r = csign_buf_putf(line, ",\"%s\":", name)) != CSIGN_OK)
		return r;
	return csign_text_json(line, value, strlen(value));
}

static enum csign_err
make_line(const struct push_command_job *job, struct csign_buf **ret_line)
{
	struct csign_buf *line = NULL;
	enum csign_err r;

	if ((r = csign_buf_new(LINE_MAX_LEN, &line)) != CSIGN_OK)
		return r;
	if ((r = csign_buf_put_str(line, "{\"v\":1")) == CSIGN_OK &&
	    (r = put_member(line, "user", job->user)) == CSIGN_OK &&
	    (r = put_member(line, "device", job->device_id)) == CSIGN_OK &&
	    (r = put_member(line, "link", job->link_id)) == CSIGN_OK &&
	    (r = csign_buf_put_str(line, "}\n")) == CSIGN_OK) {
		*ret_line = line;
		return CSIGN_OK;
	}
	csign_buf_free(&line);
	return r;
}

enum csign_err
push_command_run(
    struct push_command *command, const struct push_command_job *job)
{
	struct run *run;
	enum csign_err r;

	if (command->n_waiting >= WAITING_MAX)
		return CSIGN_E_LIMIT;
	if ((run = calloc(1, sizeof *run)) == NULL)
		return CSIGN_E_NOMEM;
	run->command = command;
	run->approval = job->approval;
	run->pidfd = -1;
	(void)snprintf(run->transaction_id, sizeof run->transaction_id, "%s",
	    job->transaction_id);
	if ((r = make_line(job, &run->line)) != CSIGN_OK) {
		run_free(run);
		return r;
	}
	TAILQ_INSERT_TAIL(&command->waiting, run, next);
	command->n_waiting++;
	start_some(command);
	return CSIGN_OK;
}

/* --- the program ---------------------------------------------------------- */

static enum csign_err
check_program(const char *path, struct csign_why *why)
{
	const char *name;
	struct stat st;
	enum csign_err r;
	int dir = -1;

	if ((r = csign_dir_parent(path, S_IWGRP | S_IWOTH, why, &dir, &name)) !=
	    CSIGN_OK)
		return r;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		csign_why_errno(why, errno, "%s", path);
		r = CSIGN_E_FILE;
	} else if (!S_ISREG(st.st_mode) || (st.st_mode & S_IXUSR) == 0) {
		csign_why_set(why, "%s: not a program", path);
		r = CSIGN_E_FILE;
	} else {
		r = csign_check_owner(
		    &st, S_IWGRP | S_IWOTH, path, (int)strlen(path), why);
	}
	csign_close(&dir);
	return r;
}

enum csign_err
push_command_new(struct event_base *base, const char *path,
    push_still_open *still_open, void *arg, struct csign_why *why,
    struct push_command **ret_command)
{
	struct push_command *command;
	enum csign_err r;

	if ((r = check_program(path, why)) != CSIGN_OK)
		return r;
	if ((command = calloc(1, sizeof *command)) == NULL)
		return CSIGN_E_NOMEM;
	if ((command->path = strdup(path)) == NULL) {
		free(command);
		return CSIGN_E_NOMEM;
	}
	command->base = base;
	command->still_open = still_open;
	command->arg = arg;
	TAILQ_INIT(&command->waiting);
	TAILQ_INIT(&command->running);
	*ret_command = command;
	return CSIGN_OK;
}

void
push_command_free(struct push_command **command)
{
	struct run *run;
	int status;

	if (*command == NULL)
		return;
	while ((run = TAILQ_FIRST(&(*command)->waiting)) != NULL) {
		TAILQ_REMOVE(&(*command)->waiting, run, next);
		run_free(run);
	}
	while ((run = TAILQ_FIRST(&(*command)->running)) != NULL) {
		TAILQ_REMOVE(&(*command)->running, run, next);
		kill_run(run);
		(void)waitpid(run->pid, &status, 0);
		run_free(run);
	}
	free((*command)->path);
	free(*command);
	*command = NULL;
}
