/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign agent: serves the one user whose connection is standard input,
 * agent.h.  A child runs the command as if it had been called here; this
 * process watches the user, the child and the clock.
 */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/caller.h"
#include "agent/place.h"
#include "agent/request.h"
#include "cmd.h"
#include "process.h"

#define REQUEST_MS 5000    /* until the request is whole */
#define COMMAND_MS 1800000 /* longer than an enrolment with its approvals */
#define GRACE_MS 5000      /* from SIGTERM to SIGKILL */
#define BACKSTOP_S 2400    /* whatever hangs: the end */

/* One connection; everything belongs to cmd_agent(). */
struct visit {
	int sock;
	struct caller caller;
	struct agent_request *request;
	char *config; /* NULL: the installed one */
};

/* --- the child ------------------------------------------------------------ */

static bool
take_descriptors(const struct agent_request *request)
{
	/* The kernel gave them numbers above these: 0 to 2 are open here. */
	for (int i = 0; i < AGENT_FDS; i++)
		if (dup2(request->fds[i], i) == -1)
			return false;
	return close_range(AGENT_FDS, ~0U, 0) == 0;
}

/* Nothing of the agent's but the privileges, nothing of the user's but these
 * three descriptors and the name. */
static _Noreturn void
run_command(const struct visit *visit, pid_t agent, const sigset_t *mask)
{
	const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	enum out_status status;

	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)signal(signals[i], SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	closelog();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != agent ||
	    setsid() == -1 || clearenv() != 0 ||
	    !take_descriptors(visit->request))
		_exit(STATUS_TROUBLE);
	(void)alarm(BACKSTOP_S);
	openlog("countersign", LOG_PID, LOG_AUTHPRIV);
	(void)setlocale(LC_CTYPE, visit->request->utf8 ? "C.UTF-8" : "C");
	caller_become(&visit->caller, visit->config);
	status = program_dispatch(
	    &countersign_program, visit->request->argc, visit->request->argv);
	if (!out_flush())
		status = STATUS_TROUBLE;
	_exit((int)status);
}

/* Returns the child, or -1. */
static pid_t
start(const struct visit *visit)
{
	pid_t agent = getpid(), pid;
	sigset_t stops, before;

	/* A signal in between belongs to one of the two, not to both. */
	(void)sigemptyset(&stops);
	(void)sigaddset(&stops, SIGINT);
	(void)sigaddset(&stops, SIGTERM);
	(void)sigaddset(&stops, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &stops, &before);
	(void)fflush(NULL);
	if ((pid = fork()) == 0)
		run_command(visit, agent, &before);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* --- the parent ----------------------------------------------------------- */

static enum out_status
reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return STATUS_TROUBLE;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > STATUS_TROUBLE)
		return STATUS_TROUBLE;
	return (enum out_status)WEXITSTATUS(status);
}

/*
 * Until the child has ended.  The user going away (or saying anything more),
 * the end of the time, and a stop of the agent all end the command: first
 * kindly, so that it can cancel what is pending, then at once.
 */
static enum out_status
attend(int sock, pid_t pid, int pidfd, int stop_fd)
{
	struct pollfd fds[3] = {{.fd = pidfd, .events = POLLIN},
	    {.fd = sock, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
	int64_t deadline = agent_now_ms() + COMMAND_MS, left;
	int signo = SIGTERM, n;

	for (;;) {
		left = deadline - agent_now_ms();
		n = poll(fds, 3, left > 0 ? (int)left : 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || fds[0].revents != 0)
			break;
		(void)kill(pid, signo);
		signo = SIGKILL;
		fds[1].fd = fds[2].fd = -1;
		deadline = agent_now_ms() + GRACE_MS;
	}
	if (n == -1)
		(void)kill(pid, SIGKILL);
	return reap(pid);
}

static enum out_status
run(const struct visit *visit)
{
	enum out_status status;
	int stop_fd = -1, pidfd;
	pid_t pid;

	if (!process_stop_fd(&stop_fd) || (pid = start(visit)) == -1) {
		syslog(
		    LOG_ERR, "event=agent_failed what=process reason=\"%m\"");
		return STATUS_TROUBLE;
	}
	for (size_t i = 0; i < AGENT_FDS; i++)
		(void)close(visit->request->fds[i]);
	if ((pidfd = pidfd_open(pid, 0)) == -1) {
		syslog(LOG_ERR, "event=agent_failed what=pidfd reason=\"%m\"");
		(void)kill(pid, SIGKILL);
		return reap(pid);
	}
	status = attend(visit->sock, pid, pidfd, stop_fd);
	(void)close(pidfd);
	return status;
}

static void
reply(int sock, enum out_status status)
{
	struct agent_reply message = {.status = (uint32_t)status};

	memcpy(message.magic, AGENT_MAGIC, sizeof message.magic);
	/* A client that is gone needs none. */
	(void)!send(
	    sock, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Who it is and what he wants; NULL, or why it is not served. */
static const char *
receive(struct visit *visit, uid_t uid)
{
	const char *why = NULL;

	if (uid == 0)
		return "root needs no agent";
	/* until the end of this process */
	if (agent_place(uid) == -1)
		return errno == EWOULDBLOCK ? "too many at a time"
					    : "no place in " AGENT_FOLDER;
	if (!caller_find(uid, &visit->caller, &why))
		return why;
	return agent_receive(visit->sock, REQUEST_MS, visit->request);
}

static enum out_status
serve(struct visit *visit)
{
	enum out_status status = STATUS_TROUBLE;
	struct ucred peer;
	socklen_t len = sizeof peer;
	const char *why;

	if (getsockopt(visit->sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) !=
		0 ||
	    len != sizeof peer || peer.pid == 0) {
		out_error("standard input is no connection to a user: "
			  "countersign.socket starts the agent");
		return STATUS_USAGE;
	}
	if ((why = receive(visit, peer.uid)) != NULL) {
		syslog(LOG_WARNING,
		    "event=agent_refused uid=%u pid=%d reason=\"%s\"", peer.uid,
		    (int)peer.pid, why);
	} else {
		status = run(visit);
		syslog(LOG_INFO, "event=agent_done uid=%u pid=%d status=%d",
		    peer.uid, (int)peer.pid, (int)status);
	}
	reply(visit->sock, status);
	return STATUS_YES;
}

/* Whatever started the agent may have had ideas of its own. */
static void
reset_signals(void)
{
	sigset_t none;

	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGALRM, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

enum out_status
cmd_agent(const struct args *args)
{
	struct visit visit = {.sock = STDIN_FILENO};
	enum out_status status = STATUS_TROUBLE;

	reset_signals();
	(void)alarm(BACKSTOP_S + GRACE_MS / 1000);
	openlog("countersign", LOG_PID, LOG_AUTHPRIV);
	visit.request = calloc(1, sizeof *visit.request);
	if (visit.request == NULL)
		out_error("%m");
	else if (!common_path(args->option[OPT_CONFIG], &visit.config))
		;
	else if (chdir("/") != 0)
		out_error("/: %m");
	else
		status = serve(&visit);
	free(visit.config);
	free(visit.request);
	return status;
}
