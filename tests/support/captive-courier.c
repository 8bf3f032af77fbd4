/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real courier, taken over: instead of asking the question it does what
 * the subject of the job says, from inside of the sandbox, and tells what came
 * of it as trouble: "done NUMBER" or "errno NUMBER".  If the sandbox ends it,
 * there is nothing to tell.
 */
#include "config.h"

#include <arpa/inet.h>
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/courier/question.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* What comes behind the first word. */
static const char *given;

static long
number(void)
{
	return strtol(given, NULL, 0);
}

/* --- files ---------------------------------------------------------------- */

static long
read_file(void)
{
	char byte;
	const int fd = open(given, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : read(fd, &byte, 1);
}

static long
list_folder(void)
{
	char entries[4096];
	const int fd = open(given, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? -1 : syscall(SYS_getdents64, fd, entries, 4096L);
}

static long
write_file(void)
{
	return open(given, O_WRONLY);
}

static long
change_file(void)
{
	return open(given, O_RDWR);
}

static long
create_file(void)
{
	return open(given, O_WRONLY | O_CREAT, 0600);
}

static long
empty_file(void)
{
	return open(given, O_RDONLY | O_TRUNC);
}

static long
open_like_openat2(void)
{
	const uint64_t how[3] = {O_RDONLY, 0, 0};

	return syscall(SYS_openat2, AT_FDCWD, given, how, sizeof(how));
}

/* --- sockets -------------------------------------------------------------- */

static long
open_socket(int family, int type, int protocol)
{
	return socket(family, type | SOCK_CLOEXEC, protocol);
}

/* To this machine, at a port. */
static long
connect_port(void)
{
	const struct sockaddr_in to = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)number()),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int fd = (int)open_socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? -1
		      : connect(fd, (const struct sockaddr *)&to, sizeof(to));
}

/* The same by a way that is not connect(2). */
static long
connect_fast(void)
{
	const struct sockaddr_in to = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)number()),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int fd = (int)open_socket(AF_INET, SOCK_STREAM, 0);

	return sendto(
	    fd, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&to, sizeof(to));
}

static long
bind_any(void)
{
	const struct sockaddr_in any = {.sin_family = AF_INET};
	const int fd = (int)open_socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (const struct sockaddr *)&any, sizeof(any));
}

static long
listen_any(void)
{
	return listen((int)open_socket(AF_INET, SOCK_STREAM, 0), 1);
}

static long
accept_one(void)
{
	return accept4(3, NULL, NULL, 0);
}

static long
set_option(int level, int option, const void *value, socklen_t len)
{
	return setsockopt((int)open_socket(AF_INET, SOCK_STREAM, 0), level,
	    option, value, len);
}

static long
attach_filter(void)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {1, &all};

	return set_option(
	    SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static long
bind_device(void)
{
	return set_option(SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
}

static long
change_protocol(void)
{
	return set_option(IPPROTO_TCP, TCP_ULP, "tls", 4);
}

static long
connect_later(void)
{
	const int on = 1;

	return set_option(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on));
}

static long
set_other_option(void)
{
	const int on = 1;

	return set_option(IPPROTO_RAW, 1, &on, sizeof(on));
}

static long
stream(void)
{
	return open_socket((int)number(), SOCK_STREAM, 0);
}

static long
datagram(void)
{
	return open_socket((int)number(), SOCK_DGRAM, 0);
}

/* AF_UNIX in the lower half of the register. */
static long
unix_in_disguise(void)
{
	return syscall(SYS_socket, (1L << 32) | AF_UNIX, (long)SOCK_STREAM, 0L);
}

static long
raw_socket(void)
{
	return open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static long
mptcp_socket(void)
{
	return open_socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
}

/* --- other processes ------------------------------------------------------ */

static long
fork_once(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static long
fork_raw(unsigned long flags)
{
	const long pid = syscall(SYS_clone, flags, 0L, 0L, 0L, 0L);

	if (pid == 0)
		_exit(0);
	return pid;
}

static long
vfork_once(void)
{
#ifdef SYS_vfork
	return syscall(SYS_vfork);
#else
	return fork_raw(CLONE_VM | CLONE_VFORK);
#endif
}

static long
clone_process(void)
{
	return fork_raw(CLONE_VM | CLONE_FILES | SIGCHLD);
}

static long
clone_user_space(void)
{
	return fork_raw(CLONE_NEWUSER | SIGCHLD);
}

static long
clone_like_clone3(void)
{
	return syscall(SYS_clone3, NULL, 0L);
}

static void *
nothing(void *arg)
{
	return arg;
}

static long
start_thread(void)
{
	pthread_t thread;
	const int r = pthread_create(&thread, NULL, nothing, NULL);

	if (r != 0) {
		errno = r;
		return -1;
	}
	return pthread_join(thread, NULL);
}

static long
execute(void)
{
	char *const argv[] = {NULL};

	return execve("/bin/true", argv, argv);
}

static long
execute_descriptor(void)
{
	const int fd = open("/bin/true", O_PATH);
	char *const argv[] = {NULL};

	return syscall(SYS_execveat, fd, "", argv, argv, AT_EMPTY_PATH);
}

static long
read_memory(long call)
{
	char here[8];
	int there = 0;
	const struct iovec local = {here, sizeof(here)};
	const struct iovec remote = {&there, sizeof(there)};

	return syscall(call, number(), &local, 1L, &remote, 1L, 0L);
}

static long
read_other(void)
{
	return read_memory(SYS_process_vm_readv);
}

static long
write_other(void)
{
	return read_memory(SYS_process_vm_writev);
}

/* A thread's signal to another process. */
static long
kill_thread(void)
{
	return syscall(SYS_tgkill, number(), number(), 0L);
}

/* --- itself --------------------------------------------------------------- */

static long
write_and_execute(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long
map_both(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		   ? -1
		   : 0;
}

static long
raise_limit(void)
{
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

	return prlimit(0, RLIMIT_FSIZE, &none, NULL);
}

static long
ask_limit(void)
{
	struct rlimit limit;

	return prlimit(0, RLIMIT_FSIZE, NULL, &limit);
}

static long
many_descriptors(void)
{
	for (int i = 0; i < 64; i++)
		if (dup(3) < 0)
			return -1;
	return 0;
}

static long
much_memory(void)
{
	return mmap(NULL, 300UL << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0) == MAP_FAILED
		   ? -1
		   : 0;
}

static long
foreign_call(void)
{
#ifdef __x86_64__
	long r;

	/* getpid(2), as a program of 32 bits would call it */
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory");
	return r;
#else
	return (long)raise(SIGSYS);
#endif
}

/* getpid(2) in a numbering that is not this one's. */
static long
foreign_number(void)
{
	return syscall(0x40000000L | SYS_getpid);
}

static long
abort_itself(void)
{
	abort();
}

/* To outlive its alarm: deaf to every signal that one can be deaf to. */
static long
stay(void)
{
	sigset_t all;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_IGN);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	while (poll(NULL, 0, -1) <= 0)
		continue;
	return 0;
}

/* --- plain calls ---------------------------------------------------------- */

struct call {
	const char *name;
	long number;
	long args[4];
};

static long
plain(const char *name)
{
	static char text[] = "/dev/shm/countersign-captive";
	static long zeroes[64];
	const long path = (long)(uintptr_t)text;
	const long zero = (long)(uintptr_t)zeroes;
	const long other = number();
	const struct call calls[] = {
	    {"add-key", SYS_add_key, {path, path, zero, 1}},
	    {"bounding-set", SYS_prctl, {PR_CAPBSET_READ, 1}},
	    {"bpf", SYS_bpf, {0, zero, 64}},
	    {"capset", SYS_capset, {zero, zero}},
	    {"chdir", SYS_chdir, {path}},
	    {"chroot", SYS_chroot, {path}},
	    {"fchmodat", SYS_fchmodat, {AT_FDCWD, path, 0777}},
	    {"fchownat", SYS_fchownat, {AT_FDCWD, path, 0, 0}},
	    {"getcwd", SYS_getcwd, {zero, 64}},
	    {"init-module", SYS_init_module, {zero, 1, zero}},
	    {"inotify", SYS_inotify_init1, {0}},
	    {"io-uring", SYS_io_uring_setup, {1, zero}},
	    {"keyctl", SYS_keyctl, {0, -3, 0}},
	    {"kill", SYS_kill, {other, 0}},
	    {"landlock", SYS_landlock_create_ruleset, {0, 0, 1}},
	    {"linkat", SYS_linkat, {AT_FDCWD, path, AT_FDCWD, path}},
	    {"memfd", SYS_memfd_create, {path, 0}},
	    {"mkdirat", SYS_mkdirat, {AT_FDCWD, path, 0700}},
	    {"mknodat", SYS_mknodat, {AT_FDCWD, path, 0600, 0}},
	    {"mount", SYS_mount, {path, path, path, 0}},
	    {"name-to-handle", SYS_name_to_handle_at, {AT_FDCWD, path}},
	    {"open-by-handle", SYS_open_by_handle_at, {3, zero, 0}},
	    {"perf", SYS_perf_event_open, {zero, 0, -1, -1}},
	    {"personality", SYS_personality, {0xffffffffL}},
	    {"pidfd-getfd", SYS_pidfd_getfd, {3, 0, 0}},
	    {"pidfd-open", SYS_pidfd_open, {other, 0}},
	    {"pidfd-signal", SYS_pidfd_send_signal, {3, 0, 0, 0}},
	    {"pivot-root", SYS_pivot_root, {path, path}},
	    {"prctl-dumpable", SYS_prctl, {PR_SET_DUMPABLE, 1}},
	    {"prctl-name", SYS_prctl, {PR_SET_NAME, path}},
	    {"prctl-subreaper", SYS_prctl, {PR_SET_CHILD_SUBREAPER, 1}},
	    {"prctl-tracer", SYS_prctl, {PR_SET_PTRACER, -1}},
	    {"ptrace", SYS_ptrace, {16, other, 0, 0}},
	    {"ptrace-me", SYS_ptrace, {0, 0, 0, 0}},
	    {"quotactl", SYS_quotactl, {0, path, 0, zero}},
	    {"reboot", SYS_reboot, {0, 0, 0}},
	    {"renameat2", SYS_renameat2, {AT_FDCWD, path, AT_FDCWD, path}},
	    {"request-key", SYS_request_key, {path, path, 0, 0}},
	    {"sched", SYS_sched_setscheduler, {0, 0, zero}},
	    {"seccomp", SYS_seccomp, {1, 0, 0}},
	    {"semget", SYS_semget, {0, 1, 01000}},
	    {"setitimer", SYS_setitimer, {0, zero, 0}},
	    {"setns", SYS_setns, {3, 0}},
	    {"setpriority", SYS_setpriority, {0, 0, 19}},
	    {"setresuid", SYS_setresuid, {-1, -1, -1}},
	    {"setsid", SYS_setsid, {0}},
	    {"shmget", SYS_shmget, {0, 4096, 01600}},
	    {"sigqueue", SYS_rt_sigqueueinfo, {other, 0, zero}},
	    {"sockets-pair", SYS_socketpair, {AF_INET, SOCK_STREAM, 0, zero}},
	    {"swapon", SYS_swapon, {path, 0}},
	    {"symlinkat", SYS_symlinkat, {path, AT_FDCWD, path}},
	    {"timer", SYS_timer_create, {0, 0, zero}},
	    {"tomorrow", 479, {0}},
	    {"truncate", SYS_truncate, {path, 0}},
	    {"umask", SYS_umask, {0}},
	    {"unlinkat", SYS_unlinkat, {AT_FDCWD, path, 0}},
	    {"unshare-net", SYS_unshare, {CLONE_NEWNET}},
	    {"unshare-user", SYS_unshare, {CLONE_NEWUSER}},
	    {"userfaultfd", SYS_userfaultfd, {0}},
	    {"utimensat", SYS_utimensat, {AT_FDCWD, path, zero, 0}},
	    {"xattr", SYS_setxattr, {path, path, path, 1}},
	    {"fcntl-owner", SYS_fcntl, {3, F_SETOWN, other}},
	    {"fcntl-flags", SYS_fcntl, {3, F_GETFL, 0}},
	    {"tiocsti", SYS_ioctl, {0, TIOCSTI, path}},
	    {"tiocgwinsz", SYS_ioctl, {0, TIOCGWINSZ, zero}},
	    {"fionread", SYS_ioctl, {3, FIONREAD, zero}},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(name, calls[i].name) == 0)
			return syscall(calls[i].number, calls[i].args[0],
			    calls[i].args[1], calls[i].args[2],
			    calls[i].args[3], 0L, 0L);
	errno = EDOM; /* the test asks for something that is not here */
	return -1;
}

static long
attack(const char *name)
{
	static const struct {
		const char *name;
		long (*run)(void);
	} attacks[] = {
	    {"abort", abort_itself},
	    {"accept", accept_one},
	    {"attach-filter", attach_filter},
	    {"bind", bind_any},
	    {"bind-device", bind_device},
	    {"change", change_file},
	    {"change-protocol", change_protocol},
	    {"clone3", clone_like_clone3},
	    {"clone-process", clone_process},
	    {"clone-user-space", clone_user_space},
	    {"connect", connect_port},
	    {"connect-fast", connect_fast},
	    {"connect-later", connect_later},
	    {"create", create_file},
	    {"datagram", datagram},
	    {"empty", empty_file},
	    {"execve", execute},
	    {"execveat", execute_descriptor},
	    {"foreign-call", foreign_call},
	    {"foreign-number", foreign_number},
	    {"fork", fork_once},
	    {"limit", raise_limit},
	    {"limit-asked", ask_limit},
	    {"list", list_folder},
	    {"listen", listen_any},
	    {"many-descriptors", many_descriptors},
	    {"map-both", map_both},
	    {"mptcp", mptcp_socket},
	    {"much-memory", much_memory},
	    {"openat2", open_like_openat2},
	    {"option", set_other_option},
	    {"raw", raw_socket},
	    {"read", read_file},
	    {"stay", stay},
	    {"stream", stream},
	    {"tgkill", kill_thread},
	    {"thread", start_thread},
	    {"unix-in-disguise", unix_in_disguise},
	    {"vfork", vfork_once},
	    {"vm-read", read_other},
	    {"vm-write", write_other},
	    {"write", write_file},
	    {"write-and-execute", write_and_execute},
	};

	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		if (strcmp(name, attacks[i].name) == 0)
			return attacks[i].run();
	return plain(name);
}

void
csign_question_run(struct csign_channel *channel, struct csign_http *http,
    const struct csign_job *job)
{
	char name[64], text[64];
	const size_t len = strcspn(job->subject, " ");
	long r;

	(void)http;
	(void)snprintf(
	    name, sizeof(name), "%.*s", (int)(len & 63), job->subject);
	given = job->subject + len + (job->subject[len] == ' ');
	r = attack(name);
	if (r < 0)
		(void)snprintf(text, sizeof(text), "errno %d", errno);
	else
		(void)snprintf(text, sizeof(text), "done %ld", r);
	csign_channel_trouble(channel, CSIGN_TROUBLE_INTERNAL, text);
}
