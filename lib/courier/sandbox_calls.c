/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls of the courier, of libcurl, of OpenSSL and of the C
 * library's resolver with its modules.  Names that this machine does not have
 * are skipped by libseccomp.
 *
 * Arguments are compared in all of their 64 bits where a match allows: one
 * with something in the upper half, of which the kernel would see the lower,
 * is not allowed.
 */
#include "config.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox_impl.h"

/* One call for all of sockets, with its arguments where no filter looks. */
#ifdef __i386__
#error "the courier's system calls cannot be filtered on this machine"
#endif

#ifdef CSIGN_SANITIZED
/* Sanitizers map, trace and read as they like; errnos stay as they are. */
#define VIOLATION SCMP_ACT_LOG
#else
#define VIOLATION SCMP_ACT_KILL_PROCESS
#endif

#define INT_BITS 0xffffffffULL
#define SOCK_FLAGS ((scmp_datum_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))
#define OPEN_CHANGES ((scmp_datum_t)(O_ACCMODE | O_CREAT | O_TRUNC))

/*
 * One number for all machines since Linux 5.1, so the C library of tomorrow
 * asks for one of these; as on a kernel of today, there is none.
 */
#define FIRST_UNKNOWN 451
#define N_UNKNOWN 29

#ifdef __s390__
#define CLONE_FLAGS_ARG 1
#else
#define CLONE_FLAGS_ARG 0
#endif

/* <sys/prctl.h> may be older than the C library that names its memory. */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* What cannot do harm beyond this process, its descriptors and its files. */
static const int harmless[] = {
    /* memory */
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(mremap),
    SCMP_SYS(munlock),
    SCMP_SYS(munmap),
    /* descriptors */
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(lseek),
    SCMP_SYS(_llseek),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    /* waiting */
    SCMP_SYS(epoll_create),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(eventfd),
    SCMP_SYS(eventfd2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(ppoll_time64),
    SCMP_SYS(pselect6),
    SCMP_SYS(pselect6_time64),
    SCMP_SYS(select),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_settime64),
    SCMP_SYS(_newselect),
    /* looking at files; Landlock says which may be read */
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fadvise64),
    SCMP_SYS(fadvise64_64),
    SCMP_SYS(fstat),
    SCMP_SYS(fstat64),
    SCMP_SYS(fstatat64),
    SCMP_SYS(fstatfs),
    SCMP_SYS(fstatfs64),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents),
    SCMP_SYS(getdents64),
    SCMP_SYS(lstat),
    SCMP_SYS(lstat64),
    SCMP_SYS(newfstatat),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(stat),
    SCMP_SYS(stat64),
    SCMP_SYS(statfs),
    SCMP_SYS(statfs64),
    SCMP_SYS(statx),
    /* sockets; socket(2) and Landlock say which and where to */
    SCMP_SYS(connect),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),
    SCMP_SYS(recv),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(recvmmsg_time64),
    SCMP_SYS(recvmsg),
    SCMP_SYS(shutdown),
    /* threads */
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(futex),
    SCMP_SYS(futex_time64),
    SCMP_SYS(getcpu),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address),
    /* signals to itself */
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sigreturn),
    /* time and chance */
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_getres_time64),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_gettime64),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_nanosleep_time64),
    SCMP_SYS(getrandom),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(nanosleep),
    SCMP_SYS(time),
    /* who and where it is */
    SCMP_SYS(capget),
    SCMP_SYS(getegid),
    SCMP_SYS(getegid32),
    SCMP_SYS(geteuid),
    SCMP_SYS(geteuid32),
    SCMP_SYS(getgid),
    SCMP_SYS(getgid32),
    SCMP_SYS(getgroups),
    SCMP_SYS(getgroups32),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getresgid),
    SCMP_SYS(getresgid32),
    SCMP_SYS(getresuid),
    SCMP_SYS(getresuid32),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(getuid32),
    SCMP_SYS(sysinfo),
    SCMP_SYS(ugetrlimit),
    SCMP_SYS(uname),
    /* what is left of the sandbox: csign_sandbox_narrow() */
    SCMP_SYS(landlock_add_rule),
    SCMP_SYS(landlock_create_ruleset),
    SCMP_SYS(landlock_restrict_self),
    SCMP_SYS(seccomp),
};

/* A filter being made; after the first error nothing more is done. */
struct filter {
	scmp_filter_ctx ctx;
	int error; /* errno, 0: none yet */
};

static void
begin(struct filter *filter, uint32_t otherwise)
{
	filter->ctx = seccomp_init(otherwise);
	filter->error = filter->ctx == NULL ? ENOMEM : 0;
}

static void
keep_error(struct filter *filter, int r)
{
	if (filter->error == 0 && r < 0)
		filter->error = -r;
}

/* At most three arguments matter. */
static void
rule(struct filter *filter, uint32_t action, int call, unsigned int n,
    struct scmp_arg_cmp a, struct scmp_arg_cmp b, struct scmp_arg_cmp c)
{
	const struct scmp_arg_cmp args[] = {a, b, c};

	if (filter->error == 0)
		keep_error(filter,
		    seccomp_rule_add_array(filter->ctx, action, call, n, args));
}

static const struct scmp_arg_cmp any = {0};

static struct scmp_arg_cmp
is(unsigned int arg, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_EQ, value, 0};
}

/* Of these bits of it. */
static struct scmp_arg_cmp
has(unsigned int arg, scmp_datum_t mask, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_MASKED_EQ, mask, value};
}

static struct scmp_arg_cmp
above(unsigned int arg, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_GT, value, 0};
}

static void
allow(struct filter *filter, int call)
{
	rule(filter, SCMP_ACT_ALLOW, call, 0, any, any, any);
}

static void
allow_if(struct filter *filter, int call, struct scmp_arg_cmp a)
{
	rule(filter, SCMP_ACT_ALLOW, call, 1, a, any, any);
}

/* The call fails, as it does on a kernel that does not have it. */
static void
absent(struct filter *filter, int call)
{
	rule(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0, any, any, any);
}

/* In force from now on. */
static int
finish(struct filter *filter)
{
	if (filter->ctx == NULL) {
		errno = filter->error;
		return -1;
	}
	/* What another kind of system call would mean is not known here. */
	if (filter->error == 0)
		keep_error(filter,
		    seccomp_attr_set(filter->ctx, SCMP_FLTATR_ACT_BADARCH,
			SCMP_ACT_KILL_PROCESS));
	/* no_new_privs is set already. */
	if (filter->error == 0)
		keep_error(filter,
		    seccomp_attr_set(filter->ctx, SCMP_FLTATR_CTL_NNP, 0));
	/* A failure of the kernel's as it is, instead of ECANCELED. */
	if (filter->error == 0)
		keep_error(filter,
		    seccomp_attr_set(filter->ctx, SCMP_FLTATR_API_SYSRAWRC, 1));
	if (filter->error == 0)
		keep_error(filter, seccomp_load(filter->ctx));
	seccomp_release(filter->ctx);
	errno = filter->error;
	return filter->error == 0 ? 0 : -1;
}

/* No memory becomes code that was written here. */
static void
allow_memory(struct filter *filter)
{
	static const int maps[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2)};
	const scmp_datum_t both = PROT_WRITE | PROT_EXEC;

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		allow_if(filter, maps[i], has(2, both, 0));
		allow_if(filter, maps[i], has(2, both, PROT_WRITE));
		allow_if(filter, maps[i], has(2, both, PROT_EXEC));
		rule(filter, SCMP_ACT_ERRNO(EACCES), maps[i], 1,
		    has(2, both, both), any, any);
	}
	allow_if(filter, SCMP_SYS(mprotect), has(2, PROT_EXEC, 0));
	rule(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(mprotect), 1,
	    has(2, PROT_EXEC, PROT_EXEC), any, any);
}

/* To read; a library that would write is told what it is told as nobody. */
static void
allow_opening(struct filter *filter, int call, unsigned int flags)
{
	static const int writing[] = {O_WRONLY, O_RDWR};

	allow_if(filter, call, has(flags, OPEN_CHANGES, O_RDONLY));
	for (size_t i = 0; i < sizeof(writing) / sizeof(writing[0]); i++)
		rule(filter, SCMP_ACT_ERRNO(EACCES), call, 1,
		    has(flags, O_ACCMODE, (scmp_datum_t)writing[i]), any, any);
}

static void
allow_files(struct filter *filter)
{
	static const int commands[] = {
	    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_SETFD, F_SETFL};
	static const unsigned int requests[] = {
	    FIONBIO, FIONREAD, SIOCGIFINDEX, TCGETS};

	allow_opening(filter, SCMP_SYS(open), 1);
	allow_opening(filter, SCMP_SYS(openat), 2);
	/* Its flags are in memory, where no filter looks. */
	absent(filter, SCMP_SYS(openat2));
	absent(filter, SCMP_SYS(inotify_init1));
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const scmp_datum_t command = (scmp_datum_t)commands[i];

		allow_if(filter, SCMP_SYS(fcntl), is(1, command));
		allow_if(filter, SCMP_SYS(fcntl64), is(1, command));
	}
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		allow_if(filter, SCMP_SYS(ioctl), is(1, requests[i]));
}

/*
 * TCP and UDP by their numbers: of the other protocols, MPTCP for one, not
 * every Landlock knows the ports.  Families beyond, netlink among them, are
 * asked for by the C library, which does without.
 */
static void
allow_sockets(struct filter *filter)
{
	static const struct {
		int type, protocol;
	} internet[] = {
	    {SOCK_STREAM, 0},
	    {SOCK_STREAM, IPPROTO_TCP},
	    {SOCK_DGRAM, 0},
	    {SOCK_DGRAM, IPPROTO_UDP},
	};
	static const int families[] = {AF_INET, AF_INET6};
	const int call = SCMP_SYS(socket);

	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++)
		for (size_t i = 0; i < sizeof(internet) / sizeof(internet[0]);
		     i++)
			rule(filter, SCMP_ACT_ALLOW, call, 3,
			    is(0, (scmp_datum_t)families[f]),
			    has(1, ~SOCK_FLAGS, (scmp_datum_t)internet[i].type),
			    is(2, (scmp_datum_t)internet[i].protocol));
	allow_if(filter, call, is(0, AF_UNIX));
	rule(filter, SCMP_ACT_ERRNO(EACCES), call, 1, above(0, AF_INET6), any,
	    any);
	allow_if(filter, SCMP_SYS(socketpair), is(0, AF_UNIX));
	/* Lookups by broadcast want to; nothing here waits to be called. */
	rule(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(bind), 0, any, any, any);
}

/* Some options are taken away again: refuse_options(). */
static void
allow_talking(struct filter *filter)
{
	static const int levels[] = {
	    SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		allow_if(filter, SCMP_SYS(setsockopt),
		    is(1, (scmp_datum_t)levels[i]));
	/* MSG_FASTOPEN would connect without asking Landlock. */
	allow_if(filter, SCMP_SYS(send), has(3, MSG_FASTOPEN, 0));
	allow_if(filter, SCMP_SYS(sendto), has(3, MSG_FASTOPEN, 0));
	allow_if(filter, SCMP_SYS(sendmsg), has(2, MSG_FASTOPEN, 0));
	allow_if(filter, SCMP_SYS(sendmmsg), has(3, MSG_FASTOPEN, 0));
}

static void
allow_process(struct filter *filter)
{
	const scmp_datum_t spaces = CLONE_NEWCGROUP | CLONE_NEWIPC |
				    CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID |
				    CLONE_NEWUSER | CLONE_NEWUTS;

	/* libcap, for one, asks when it is loaded. */
	static const unsigned int options[] = {PR_CAPBSET_READ, PR_GET_DUMPABLE,
	    PR_GET_NAME, PR_SET_NAME, PR_SET_VMA};

	/* The resolver's thread, never a process. */
	allow_if(filter, SCMP_SYS(clone),
	    has(CLONE_FLAGS_ARG, CLONE_THREAD | spaces, CLONE_THREAD));
	absent(filter, SCMP_SYS(clone3));
	/* abort(3) */
	allow_if(
	    filter, SCMP_SYS(tgkill), is(0, (scmp_datum_t)(unsigned)getpid()));
	/* Its limits are looked at and stay. */
	rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, is(0, 0), is(2, 0),
	    any);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		allow_if(filter, SCMP_SYS(prctl), is(0, options[i]));
}

int
csign_sandbox_calls(void)
{
	struct filter filter;

	begin(&filter, VIOLATION);
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		allow(&filter, harmless[i]);
	allow_memory(&filter);
	allow_files(&filter);
	allow_sockets(&filter);
	allow_talking(&filter);
	allow_process(&filter);
	for (int i = 0; i < N_UNKNOWN; i++)
		absent(&filter, FIRST_UNKNOWN + i);
	return finish(&filter);
}

/* --- once the job is known ------------------------------------------------ */

/* Code in the kernel, other kinds of connection, other interfaces. */
static void
refuse_options(struct filter *filter)
{
	static const struct {
		int level, option;
	} options[] = {
	    {SOL_SOCKET, SO_ATTACH_BPF},
	    {SOL_SOCKET, SO_ATTACH_FILTER},
	    {SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF},
	    {SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF},
	    {SOL_SOCKET, SO_BINDTODEVICE},
	    {IPPROTO_TCP, TCP_FASTOPEN_CONNECT},
	    {IPPROTO_TCP, TCP_ULP},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		rule(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), 2,
		    has(1, INT_BITS, (scmp_datum_t)options[i].level),
		    has(2, INT_BITS, (scmp_datum_t)options[i].option), any);
}

static void
refuse_family(struct filter *filter, int family)
{
	rule(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
	    has(0, INT_BITS, (scmp_datum_t)family), any, any);
}

static void
refuse_sockets(struct filter *filter, const struct csign_sandbox_needs *needs)
{
	if (needs->local) {
		refuse_family(filter, AF_INET);
		refuse_family(filter, AF_INET6);
		return;
	}
	refuse_family(filter, AF_UNIX);
	/* Whoever asks no name server sends no datagrams. */
	if (!needs->names)
		rule(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
		    has(1, INT_BITS & ~SOCK_FLAGS, SOCK_DGRAM), any, any);
}

int
csign_sandbox_calls_narrow(const struct csign_sandbox_needs *needs)
{
	static const int done[] = {
	    SCMP_SYS(landlock_add_rule),
	    SCMP_SYS(landlock_create_ruleset),
	    SCMP_SYS(landlock_restrict_self),
	    SCMP_SYS(seccomp),
	};
	struct filter filter;

	begin(&filter, SCMP_ACT_ALLOW);
	refuse_options(&filter);
	refuse_sockets(&filter, needs);
	for (size_t i = 0; i < sizeof(done) / sizeof(done[0]); i++)
		rule(&filter, SCMP_ACT_KILL_PROCESS, done[i], 0, any, any, any);
	return finish(&filter);
}
