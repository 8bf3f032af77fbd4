/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An application that authenticates through the real Linux-PAM with a folder
 * of service files of its own (pam_start_confdir(3)), plays a conversation,
 * well-behaved or hostile, and writes down what it saw.  See --help.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "hygiene.h"

#define WORDS_MAX 64
#define OPTIONS_VARIABLE "PAM_RUN_OPTIONS"
#define SEPARATOR '\x1f'

/* libpam's log lines come here instead of going to the system's log. */
#define VISIBLE __attribute__((visibility("default")))
VISIBLE void __syslog_chk(int priority, int flag, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
VISIBLE void syslog(int priority, const char *fmt, ...);

enum conv_kind {
	CONV_NORMAL,
	CONV_NULL,
	CONV_ERROR,
	CONV_DIRTY,
	CONV_AGAIN,
	CONV_EOF,
	CONV_BLIND,
	CONV_LONG,
	CONV_HUGE,
	CONV_NULL_ANSWER,
	CONV_WRONG_COUNT,
	CONV_CHATTY,
};

static const char *const conv_names[] = {"normal", "null", "error", "dirty",
    "again", "eof", "blind", "long", "huge", "null-answer", "wrong-count",
    "chatty", NULL};

struct words {
	const char *item[WORDS_MAX];
	size_t n;
};

static struct run {
	const char *confdir, *service, *user, *ruser, *rhost, *tty;
	const char *new_user, *new_service;
	struct words env, answers, calls;
	int flags;
	enum conv_kind conv;
	bool interactive, json, hygiene, log, keep_going, reap;
	unsigned long rounds, interrupt_ms, change_at;
	int interrupt_signal;
	size_t n_prompts, n_messages;
	pam_handle_t *pamh;
} run = {.service = "pam-run", .rounds = 1, .interrupt_signal = SIGINT};

static const char *const help =
    "usage: pam-run --confdir DIR [options] [-- ARGV0 [ARGUMENT...]]\n"
    "\n"
    "Authenticates once through Linux-PAM with the service files in DIR, and\n"
    "prints a line for each thing that happens:\n"
    "  info: TEXT, error: TEXT, prompt: TEXT, answer: TEXT,\n"
    "  log[PRIORITY]: TEXT, delay: MICROSECONDS, env: NAME=VALUE,\n"
    "  hygiene: WHAT CHANGED (or \"same\"), result: CALL NAME (NUMBER) MS ms\n"
    "A text of several lines gets the word in front of each of them.  Waiting\n"
    "after a failure (pam_fail_delay) is reported instead of slept.\n"
    "Arguments after -- become the program's own command line, as a module\n"
    "reads it from /proc/self/cmdline: -- sudo -u bob id\n"
    "\n"
    "  --confdir DIR        folder of PAM service files (required)\n"
    "  --service NAME       service file to use [pam-run]\n"
    "  --user NAME          PAM_USER\n"
    "  --ruser NAME         PAM_RUSER\n"
    "  --rhost NAME         PAM_RHOST\n"
    "  --tty NAME           PAM_TTY\n"
    "  --env NAME=VALUE     PAM environment; may be repeated\n"
    "  --flags WORD,...     silent, disallow-null-authtok\n"
    "  --calls WORD,...     authenticate, setcred, account, open-session,\n"
    "                       close-session, chauthtok; the first that fails\n"
    "                       is the last [authenticate,setcred]\n"
    "  --keep-going         make all calls, as sudo tries three times\n"
    "  --answer TEXT        answer to the first, second ... prompt; the last\n"
    "                       one is repeated; none: an empty line\n"
    "  --interactive        show messages as they are, read answers from\n"
    "                       standard input\n"
    "  --conv KIND          how the conversation misbehaves:\n"
    "       null            there is no conversation function\n"
    "       error           PAM_CONV_ERR for everything\n"
    "       dirty           the same, and a bad pointer as response\n"
    "       again           PAM_CONV_AGAIN for everything\n"
    "       eof             PAM_CONV_ERR for prompts (end of file)\n"
    "       blind           PAM_CONV_ERR for prompts with echo, as sshd's\n"
    "                       password method does\n"
    "       long, huge      answers of 512 bytes, of 1 MiB\n"
    "       null-answer     success, but no text\n"
    "       wrong-count     success, but no response at all\n"
    "       chatty          text comes back from messages that ask nothing\n"
    "  --new-user NAME      the conversation sets PAM_USER\n"
    "  --new-service NAME   the conversation sets PAM_SERVICE\n"
    "  --change-at N        ... only from the Nth message on [1]\n"
    "  --interrupt MS       block SIGINT and SIGQUIT as sudo does, and send\n"
    "                       SIGINT after MS milliseconds; at the end, say\n"
    "                       whether it is still pending\n"
    "  --quit MS            the same with SIGQUIT\n"
    "  --reap               collect every child, whosever, each 1 ms\n"
    "  --rounds N           do it all N times\n"
    "  --hygiene            compare descriptors, signal actions and mask,\n"
    "                       umask, directory, environment, locale, threads\n"
    "                       and children before and after\n"
    "  --log                show log lines\n"
    "  --json               one JSON object a line instead of text\n"
    "  --help               this text\n"
    "\n"
    "Exit status: 0 every call succeeded, 1 one failed, 2 wrong usage,\n"
    "3 PAM could not be started.  With --hygiene, 4 if something changed.\n";

static void
put_json_string(const char *text)
{
	putchar('"');
	for (const unsigned char *p = (const unsigned char *)text; *p != 0;
	     p++) {
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			printf("\\u%04x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}

/* One happening: kind and text; number goes with some of them. */
static void
note(const char *kind, const char *text, long number)
{
	const char *end;

	if (run.json) {
		printf("{\"event\":\"%s\",\"text\":", kind);
		put_json_string(text);
		printf(",\"number\":%ld}\n", number);
		fflush(stdout);
		return;
	}
	do {
		end = strchrnul(text, '\n');
		if (strcmp(kind, "log") == 0)
			printf("log[%ld]: ", number);
		else
			printf("%s: ", kind);
		printf("%.*s\n", (int)(end - text), text);
		text = end + 1;
	} while (*end != '\0');
	fflush(stdout);
}

void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	(void)flag;
	if (!run.log)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note("log", text, LOG_PRI(priority));
}

void
syslog(int priority, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	if (!run.log)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note("log", text, LOG_PRI(priority));
}

/* --- the conversation ------------------------------------------------------
 */

static char *
filled(size_t len)
{
	char *text = malloc(len + 1);

	if (text == NULL)
		abort();
	memset(text, 'A', len);
	text[len] = '\0';
	return text;
}

static char *
read_line(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n = getline(&line, &size, stdin);

	if (n < 0) {
		free(line);
		return NULL;
	}
	if (n > 0 && line[n - 1] == '\n')
		line[n - 1] = '\0';
	return line;
}

static char *
scripted_answer(void)
{
	const char *text = "";

	if (run.answers.n > 0)
		text = run.answers.item[run.n_prompts < run.answers.n
					    ? run.n_prompts
					    : run.answers.n - 1];
	run.n_prompts++;
	note("answer", text, 0);
	return strdup(text);
}

static char *
answer_text(void)
{
	switch (run.conv) {
	case CONV_LONG:
		return filled(PAM_MAX_RESP_SIZE);
	case CONV_HUGE:
		return filled((size_t)1 << 20);
	case CONV_NULL_ANSWER:
		return NULL;
	case CONV_NORMAL:
	case CONV_NULL:
	case CONV_ERROR:
	case CONV_DIRTY:
	case CONV_AGAIN:
	case CONV_EOF:
	case CONV_BLIND:
	case CONV_WRONG_COUNT:
	case CONV_CHATTY:
		break;
	}
	return run.interactive ? read_line() : scripted_answer();
}

static bool
is_prompt(const struct pam_message *msg)
{
	return msg->msg_style == PAM_PROMPT_ECHO_ON ||
	       msg->msg_style == PAM_PROMPT_ECHO_OFF;
}

static void
show_message(const struct pam_message *msg)
{
	if (run.interactive) {
		fputs(msg->msg, stdout);
		if (!is_prompt(msg))
			putchar('\n');
		fflush(stdout);
	} else if (is_prompt(msg)) {
		note("prompt", msg->msg, msg->msg_style);
	} else if (msg->msg_style == PAM_ERROR_MSG) {
		note("error", msg->msg, msg->msg_style);
	} else {
		note("info", msg->msg, msg->msg_style);
	}
}

static int
misbehave(const struct pam_message *msg, struct pam_response **resp)
{
	if (run.conv == CONV_DIRTY)
		*resp = (struct pam_response *)-1;
	if (run.conv == CONV_ERROR || run.conv == CONV_DIRTY)
		return PAM_CONV_ERR;
	if (run.conv == CONV_AGAIN)
		return PAM_CONV_AGAIN;
	if (run.conv == CONV_EOF && is_prompt(msg))
		return PAM_CONV_ERR;
	if (run.conv == CONV_BLIND && msg->msg_style == PAM_PROMPT_ECHO_ON)
		return PAM_CONV_ERR;
	return PAM_SUCCESS;
}

static int
converse(int n, const struct pam_message **msgs, struct pam_response **resp,
    void *data)
{
	struct pam_response *out;
	int r;

	(void)data;
	run.n_messages++;
	if (run.new_user != NULL && run.n_messages >= run.change_at)
		pam_set_item(run.pamh, PAM_USER, run.new_user);
	if (run.new_service != NULL && run.n_messages >= run.change_at)
		pam_set_item(run.pamh, PAM_SERVICE, run.new_service);
	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	for (int i = 0; i < n; i++) {
		show_message(msgs[i]);
		if ((r = misbehave(msgs[i], resp)) != PAM_SUCCESS)
			return r;
	}
	if (run.conv == CONV_WRONG_COUNT) {
		*resp = NULL;
		return PAM_SUCCESS;
	}
	if ((out = calloc((size_t)n, sizeof(*out))) == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		if (!is_prompt(msgs[i])) {
			if (run.conv == CONV_CHATTY)
				out[i].resp = filled(8);
			continue;
		}
		out[i].resp = answer_text();
		if (out[i].resp == NULL && run.conv != CONV_NULL_ANSWER) {
			for (int j = 0; j < i; j++)
				free(out[j].resp);
			free(out);
			return PAM_CONV_ERR;
		}
	}
	*resp = out;
	return PAM_SUCCESS;
}

/* Linux-PAM would sleep here. */
static void
delay(int result, unsigned int usec, void *data)
{
	char text[32];

	(void)result;
	(void)data;
	snprintf(text, sizeof(text), "%u", usec);
	if (usec > 0)
		note("delay", text, (long)usec);
}

/* --- one run ----------------------------------------------------------------
 */

static const char *
code_name(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
#define N(c) {c, #c}
	    N(PAM_SUCCESS),
	    N(PAM_OPEN_ERR),
	    N(PAM_SYMBOL_ERR),
	    N(PAM_SERVICE_ERR),
	    N(PAM_SYSTEM_ERR),
	    N(PAM_BUF_ERR),
	    N(PAM_PERM_DENIED),
	    N(PAM_AUTH_ERR),
	    N(PAM_CRED_INSUFFICIENT),
	    N(PAM_AUTHINFO_UNAVAIL),
	    N(PAM_USER_UNKNOWN),
	    N(PAM_MAXTRIES),
	    N(PAM_CRED_ERR),
	    N(PAM_CONV_ERR),
	    N(PAM_AUTHTOK_ERR),
	    N(PAM_IGNORE),
	    N(PAM_ABORT),
	    N(PAM_MODULE_UNKNOWN),
	    N(PAM_BAD_ITEM),
	    N(PAM_CONV_AGAIN),
	    N(PAM_INCOMPLETE),
#undef N
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code)
			return names[i].name;
	return "PAM_?";
}

static const char *const call_names[] = {"authenticate", "setcred", "account",
    "open-session", "close-session", "chauthtok", NULL};

static int
call(const char *name)
{
	static int (*const functions[])(pam_handle_t *, int) = {
	    pam_authenticate, pam_setcred, pam_acct_mgmt, pam_open_session,
	    pam_close_session, pam_chauthtok};
	struct timespec a, b;
	char text[512];
	int r = PAM_SYSTEM_ERR, flags = run.flags;
	double ms;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (size_t i = 0; call_names[i] != NULL; i++)
		if (strcmp(name, call_names[i]) == 0)
			r = functions[i](
			    run.pamh, i == 1 ? (int)PAM_ESTABLISH_CRED : flags);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ms = (double)(b.tv_sec - a.tv_sec) * 1e3 +
	     (double)(b.tv_nsec - a.tv_nsec) / 1e6;
	if (run.json) {
		printf("{\"event\":\"result\",\"call\":\"%s\",\"text\":\"%s\","
		       "\"number\":%d,\"ms\":%ld.%03ld}\n",
		    name, code_name(r), r, (long)ms, (long)(ms * 1000) % 1000);
		fflush(stdout);
		return r;
	}
	snprintf(text, sizeof(text), "%s %s (%d) %.1f ms", name, code_name(r),
	    r, ms);
	note("result", text, r);
	return r;
}

static int
set_items(void)
{
	const struct {
		int item;
		const char *value;
	} items[] = {
	    {PAM_RUSER, run.ruser}, {PAM_RHOST, run.rhost}, {PAM_TTY, run.tty}};
	void (*delay_function)(int, unsigned int, void *) = delay;
	const void *delay_item;
	int r = PAM_SUCCESS;

	memcpy(&delay_item, &delay_function, sizeof(delay_item));
	for (size_t i = 0; i < 3 && r == PAM_SUCCESS; i++)
		if (items[i].value != NULL)
			r = pam_set_item(
			    run.pamh, items[i].item, items[i].value);
	for (size_t i = 0; i < run.env.n && r == PAM_SUCCESS; i++)
		r = pam_putenv(run.pamh, run.env.item[i]);
	if (r == PAM_SUCCESS)
		r = pam_set_item(run.pamh, PAM_FAIL_DELAY, delay_item);
	return r;
}

static void
show_environment(void)
{
	char **list = pam_getenvlist(run.pamh);

	for (char **e = list; e != NULL && *e != NULL; e++) {
		if (run.log)
			note("env", *e, 0);
		free(*e);
	}
	free(list);
}

static int
one_round(void)
{
	struct pam_conv conv = {run.conv == CONV_NULL ? NULL : converse, NULL};
	int r;

	run.n_prompts = run.n_messages = 0;
	r = pam_start_confdir(
	    run.service, run.user, &conv, run.confdir, &run.pamh);
	if (r != PAM_SUCCESS || set_items() != PAM_SUCCESS) {
		fprintf(stderr, "pam-run: PAM could not be started: %s\n",
		    code_name(r));
		return 3;
	}
	for (size_t i = 0;
	     i < run.calls.n && (r == PAM_SUCCESS || run.keep_going); i++)
		r = call(run.calls.item[i]);
	show_environment();
	pam_end(run.pamh, r);
	run.pamh = NULL;
	return r == PAM_SUCCESS ? 0 : 1;
}

static void
arm_interrupt(timer_t *timer)
{
	struct sigevent event = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = run.interrupt_signal};
	struct itimerspec when = {
	    .it_value = {.tv_sec = (time_t)(run.interrupt_ms / 1000),
		.tv_nsec = (long)(run.interrupt_ms % 1000) * 1000000}};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, timer) != 0 ||
	    timer_settime(*timer, 0, &when, NULL) != 0)
		abort();
}

static void
reap(int sig)
{
	const int saved = errno;

	(void)sig;
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		continue;
	errno = saved;
}

/* As an application that thinks that every child is its own. */
static void
reap_always(void)
{
	const struct sigaction action = {.sa_handler = reap};
	const struct itimerval often = {{0, 1000}, {0, 1000}};

	if (sigaction(SIGALRM, &action, NULL) != 0 ||
	    sigaction(SIGCHLD, &action, NULL) != 0 ||
	    setitimer(ITIMER_REAL, &often, NULL) != 0)
		abort();
}

static void
note_change(const char *what)
{
	note("hygiene", what, 1);
}

static int
all_rounds(void)
{
	struct hygiene before, after;
	timer_t timer = NULL;
	int status = 0;

	if (run.interrupt_ms > 0)
		arm_interrupt(&timer);
	if (run.reap)
		reap_always();
	hygiene_take(&before);
	for (unsigned long i = 0; i < run.rounds; i++)
		if ((status = one_round()) == 3)
			break;
	if (run.hygiene) {
		hygiene_take(&after);
		if (hygiene_same(&before, &after, note_change))
			note("hygiene", "same", 0);
		else
			status = 4;
		hygiene_clear(&after);
	}
	hygiene_clear(&before);
	if (run.interrupt_ms > 0) {
		sigset_t pending;

		sigpending(&pending);
		note("pending",
		    sigismember(&pending, SIGINT) == 1    ? "SIGINT"
		    : sigismember(&pending, SIGQUIT) == 1 ? "SIGQUIT"
							  : "nothing",
		    0);
		timer_delete(timer);
	}
	return status;
}

/* --- options ----------------------------------------------------------------
 */

static void __attribute__((noreturn)) usage(const char *what)
{
	fprintf(stderr, "pam-run: %s; see pam-run --help\n", what);
	exit(2);
}

static void
add_word(struct words *words, const char *text)
{
	if (words->n == WORDS_MAX)
		usage("too many words");
	words->item[words->n++] = text;
}

static void
split(struct words *words, char *list)
{
	char *save = NULL;

	words->n = 0;
	for (char *w = strtok_r(list, ",", &save); w != NULL;
	     w = strtok_r(NULL, ",", &save))
		add_word(words, w);
}

static int
index_of(const char *const *names, const char *name)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static unsigned long
number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end != '\0')
		usage("not a number");
	return n;
}

static int
parse_flags(char *list)
{
	struct words words = {.n = 0};
	int flags = 0;

	split(&words, list);
	for (size_t i = 0; i < words.n; i++) {
		if (strcmp(words.item[i], "silent") == 0)
			flags |= (int)PAM_SILENT;
		else if (strcmp(words.item[i], "disallow-null-authtok") == 0)
			flags |= (int)PAM_DISALLOW_NULL_AUTHTOK;
		else
			usage("unknown flag");
	}
	return flags;
}

static void
set_option(int option, char *value)
{
	int i;

	switch (option) {
	case 'c':
		run.confdir = value;
		break;
	case 's':
		run.service = value;
		break;
	case 'u':
		run.user = value;
		break;
	case 'r':
		run.ruser = value;
		break;
	case 'h':
		run.rhost = value;
		break;
	case 't':
		run.tty = value;
		break;
	case 'e':
		add_word(&run.env, value);
		break;
	case 'f':
		run.flags = parse_flags(value);
		break;
	case 'C':
		/* A copy, since impersonate() needs the list whole. */
		if ((value = strdup(value)) == NULL)
			abort();
		split(&run.calls, value);
		for (size_t w = 0; w < run.calls.n; w++)
			if (index_of(call_names, run.calls.item[w]) < 0)
				usage("unknown call");
		break;
	case 'a':
		add_word(&run.answers, value);
		break;
	case 'k':
		if ((i = index_of(conv_names, value)) < 0)
			usage("unknown conversation");
		run.conv = (enum conv_kind)i;
		break;
	case 'U':
		run.new_user = value;
		break;
	case 'S':
		run.new_service = value;
		break;
	case 'A':
		run.change_at = number(value);
		break;
	case 'Q':
		run.interrupt_signal = SIGQUIT;
		run.interrupt_ms = number(value);
		break;
	case 'I':
		run.interrupt_ms = number(value);
		break;
	case 'n':
		run.rounds = number(value);
		break;
	default:
		usage("wrong usage");
	}
}

static void
parse_options(int argc, char **argv)
{
	static int interactive, json, hygiene, log_lines, keep_going;
	static int reap_all, want_help;
	static const struct option options[] = {
	    {"confdir", required_argument, NULL, 'c'},
	    {"service", required_argument, NULL, 's'},
	    {"user", required_argument, NULL, 'u'},
	    {"ruser", required_argument, NULL, 'r'},
	    {"rhost", required_argument, NULL, 'h'},
	    {"tty", required_argument, NULL, 't'},
	    {"env", required_argument, NULL, 'e'},
	    {"flags", required_argument, NULL, 'f'},
	    {"calls", required_argument, NULL, 'C'},
	    {"answer", required_argument, NULL, 'a'},
	    {"conv", required_argument, NULL, 'k'},
	    {"new-user", required_argument, NULL, 'U'},
	    {"new-service", required_argument, NULL, 'S'},
	    {"change-at", required_argument, NULL, 'A'},
	    {"interrupt", required_argument, NULL, 'I'},
	    {"quit", required_argument, NULL, 'Q'},
	    {"rounds", required_argument, NULL, 'n'},
	    {"interactive", no_argument, &interactive, 1},
	    {"json", no_argument, &json, 1},
	    {"keep-going", no_argument, &keep_going, 1},
	    {"hygiene", no_argument, &hygiene, 1},
	    {"log", no_argument, &log_lines, 1},
	    {"reap", no_argument, &reap_all, 1},
	    {"help", no_argument, &want_help, 1},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1)
		if (c != 0)
			set_option(c, optarg);
	run.interactive = interactive != 0;
	run.json = json != 0;
	run.keep_going = keep_going != 0;
	run.hygiene = hygiene != 0;
	run.log = log_lines != 0;
	run.reap = reap_all != 0;
	if (want_help != 0) {
		fputs(help, stdout);
		exit(0);
	}
	if (run.confdir == NULL)
		usage("--confdir is missing");
	if (run.calls.n == 0) {
		add_word(&run.calls, "authenticate");
		add_word(&run.calls, "setcred");
	}
}

/*
 * "-- sudo -u bob id": start again with that as the command line; our own
 * options travel in a variable that is removed at once.
 */
static void
impersonate(int argc, char **argv, int first)
{
	static char joined[32768];
	size_t len = 0;

	for (int i = 0; i < first - 1 && i < argc; i++) {
		size_t n = strlen(argv[i]);

		if (len + n + 2 > sizeof(joined))
			usage("the options are too long");
		memcpy(joined + len, argv[i], n);
		len += n;
		joined[len++] = SEPARATOR;
	}
	joined[len] = '\0';
	setenv(OPTIONS_VARIABLE, joined, 1);
	execv("/proc/self/exe", argv + first);
	usage("could not start again");
}

static int
impersonated(char *joined, char **args)
{
	const char separator[] = {SEPARATOR, '\0'};
	int n = 0;
	char *word;

	while (n < WORDS_MAX * 4 - 1 &&
	       (word = strsep(&joined, separator)) != NULL && joined != NULL)
		args[n++] = word;
	args[n] = NULL;
	return n;
}

int
main(int argc, char **argv)
{
	static char *args[WORDS_MAX * 4];
	char *joined = getenv(OPTIONS_VARIABLE), *copy = NULL;
	int status;

	setlocale(LC_ALL, "");
	if (joined != NULL) {
		copy = strdup(joined);
		unsetenv(OPTIONS_VARIABLE);
		parse_options(impersonated(copy, args), args);
	} else {
		parse_options(argc, argv);
		if (optind < argc)
			impersonate(argc, argv, optind);
	}
	status = all_rounds();
	free(copy);
	return status;
}
