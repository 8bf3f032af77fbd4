/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives a courier through the leash, for tests: name=value arguments make the
 * job, each frame becomes a line with the milliseconds since the start behind
 * it, and lines on standard input say what to do:
 *
 *      outcome granted|denied|rejected REASON TRIES [DEVICE]
 *      removed DEVICE
 *      free            (let go)
 *      kill
 *
 * Being a subreaper, it inherits the courier and ends with a line
 * "exit STATUS MAXRSS_KB CPU_US" when that has ended; with orphan=yes, init
 * does, as with any other host application.
 */
#include "config.h"

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "bounds.h"
#include "leash.h"

static struct timespec began;

static double
since(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - began.tv_sec) * 1e3 +
	       (double)(now.tv_nsec - began.tv_nsec) / 1e6;
}

/* The value of argument "name=value", or def. */
static const char *
arg(char **argv, const char *name, const char *def)
{
	const size_t len = strlen(name);

	for (int i = 1; argv[i] != NULL; i++)
		if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
			return argv[i] + len + 1;
	return def;
}

static uint32_t
number(char **argv, const char *name, const char *def)
{
	return (uint32_t)strtoul(arg(argv, name, def), NULL, 10);
}

static uint8_t
index_of(const char *word, const char *const *words)
{
	for (uint8_t i = 0; words[i] != NULL; i++)
		if (strcmp(word, words[i]) == 0)
			return (uint8_t)(i + 1);
	errx(2, "%s?", word);
}

static void
print_frame(const struct csign_frame *frame)
{
	static const char *const names[] = {
	    "created", "seen", "answer", "ended", "done", "trouble", "removal"};

	printf("%s", names[frame->type - CSIGN_FRAME_CREATED]);
	if (frame->type == CSIGN_FRAME_ANSWER ||
	    frame->type == CSIGN_FRAME_REMOVAL) {
		printf(" ");
		for (size_t i = 0; i < frame->len; i++)
			printf("%02x", frame->bytes[i]);
	} else if (frame->type == CSIGN_FRAME_ENDED) {
		printf(" %u", frame->code);
	} else if (frame->type == CSIGN_FRAME_TROUBLE) {
		printf(" %u %.*s", frame->code, (int)frame->len,
		    (const char *)frame->bytes);
	} else if (frame->type == CSIGN_FRAME_CREATED && frame->code > 0) {
		printf(" %u", frame->code);
	}
	printf(" @%.2f\n", since());
}

/* False when the leash is gone. */
static bool
obey(struct csign_leash **leash, char *line)
{
	static const char *const outcomes[] = {
	    "granted", "denied", "rejected", NULL};
	char *save = NULL, *word = strtok_r(line, " \n", &save);
	const char *outcome, *reason, *tries, *device;

	if (word == NULL)
		return true;
	if (strcmp(word, "free") == 0) {
		csign_leash_free(leash);
		return false;
	}
	if (strcmp(word, "kill") == 0) {
		csign_leash_kill(leash);
		return false;
	}
	if (strcmp(word, "removed") == 0) {
		device = strtok_r(NULL, " \n", &save);
		if (device == NULL ||
		    csign_leash_removed(*leash, device) != CSIGN_OK)
			printf("removal not taken\n");
		return true;
	}
	outcome = strtok_r(NULL, " \n", &save);
	reason = strtok_r(NULL, " \n", &save);
	tries = strtok_r(NULL, " \n", &save);
	device = strtok_r(NULL, " \n", &save);
	if (outcome == NULL || reason == NULL || tries == NULL)
		errx(2, "outcome WORD REASON TRIES");
	if (csign_leash_outcome(*leash, index_of(outcome, outcomes), reason,
		(uint8_t)strtoul(tries, NULL, 10), device) != CSIGN_OK)
		printf("outcome not taken\n");
	return true;
}

/* Frames and commands until one of them ends it. */
static void
converse(struct csign_leash **leash)
{
	struct csign_why why = {""};
	struct csign_frame frame;
	enum csign_err r;
	char line[256];

	for (;;) {
		struct pollfd pfds[] = {
		    {.fd = csign_leash_fd(*leash), .events = POLLIN},
		    {.fd = 0, .events = POLLIN},
		};

		if (poll(pfds, 2, -1) < 0)
			err(2, "poll");
		if (pfds[0].revents != 0) {
			r = csign_leash_next(*leash, 0, &why, &frame);
			if (r == CSIGN_OK)
				print_frame(&frame);
			else if (r != CSIGN_E_AGAIN) {
				printf("gone %s @%.2f\n", why.text, since());
				csign_leash_free(leash);
				return;
			}
		}
		if (pfds[1].revents != 0) {
			if (fgets(line, sizeof(line), stdin) == NULL) {
				csign_leash_free(leash);
				return;
			}
			if (!obey(leash, line))
				return;
		}
	}
}

/* Of devices aaa...aaa, aaa...aab and so on; each byte of S's is the number. */
static size_t
make_copies(unsigned char *copies, size_t n)
{
	if (n > CSIGN_DEVICES_MAX)
		errx(2, "too many copies");
	for (size_t i = 0; i < n; i++) {
		unsigned char *copy = copies + i * CSIGN_COPY_LEN;

		memset(copy, 'a', CSIGN_DEVICE_ID_SIZE - 1);
		copy[CSIGN_DEVICE_ID_SIZE - 2] = (unsigned char)('a' + i);
		memset(copy + CSIGN_DEVICE_ID_SIZE - 1, (int)i,
		    CSIGN_DEVICE_SEAL_LEN);
	}
	return n * CSIGN_COPY_LEN;
}

int
main(int argc, char **argv)
{
	static const char *const ops[] = {"approve", "enrol", "ping",
	    "remove-user", "remove-device", "fetch", "rename-device", NULL};
	static unsigned char content[CSIGN_CONTENT_MAX];
	static unsigned char copies[CSIGN_COPY_LEN * CSIGN_DEVICES_MAX];
	const char *text = arg(argv, "text", "");
	const struct csign_job job = {
	    .op = index_of(arg(argv, "op", "approve"), ops),
	    .deadline_ms = number(argv, "deadline", "90000"),
	    .service = arg(argv, "service", ""),
	    .socket = arg(argv, "socket", ""),
	    .ca_file = arg(argv, "ca", ""),
	    .pins = arg(argv, "pins", ""),
	    .proxy = arg(argv, "proxy", ""),
	    .access_key =
		arg(argv, "key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
	    .subject = arg(argv, "subject", "alice"),
	    .link_id = arg(argv, "link", "AAAAAAAAAAAAAAAAAAAAAA"),
	    .content = content,
	    .content_len = text[0] != '\0' ? strlen(text)
					   : number(argv, "content", "1000"),
	    .lifetime = (uint16_t)number(argv, "lifetime", "90"),
	    .copies = copies,
	    .copies_len = make_copies(copies, number(argv, "copies", "0")),
	};
	struct csign_leash *leash = NULL;
	struct csign_why why = {""};
	const bool orphan = strcmp(arg(argv, "orphan", "no"), "yes") == 0;
	struct rusage usage;
	enum csign_err r;
	int status = 0;
	pid_t pid;

	(void)argc;
	memcpy(content, text, strlen(text));
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	if (!orphan && prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) != 0)
		err(2, "prctl");
	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	r = csign_leash_start(arg(argv, "program", CSIGN_COURIER),
	    arg(argv, "user", "nobody"),
	    number(argv, "life", arg(argv, "deadline", "90000")), &job, &why,
	    &leash);
	if (r != CSIGN_OK) {
		printf("failed %s %s @%.2f\n", csign_err_name(r), why.text,
		    since());
		return 1;
	}
	printf("started @%.2f\n", since());
	converse(&leash);
	if (orphan)
		return 0;
	while ((pid = wait4(-1, &status, 0, &usage)) < 0)
		continue;
	printf("exit %d %ld %ld @%.2f\n",
	    WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
	    usage.ru_maxrss,
	    (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L +
		usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
	    since());
	return 0;
}
