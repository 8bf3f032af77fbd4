/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fast phone with its connection already open: reads links, opens and signs
 * each question, waits DELAY ms, answers; prints when (CLOCK_MONOTONIC, ms) it
 * sent the answer and when it was told that the answer had been taken.
 * The key is SCALAR, 64 hexadecimal digits.
 * usage: phone HOST:PORT CA SCALAR DELAY
 *
 * A line is a link, or a link, what to answer and another SCALAR.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "codec.h"
#include "phone.h"

#define PATIENCE_MS 5000

static void
check(enum csign_err err, const char *what)
{
	if (err != CSIGN_OK)
		stop("%s: %s", what, csign_err_text(err));
}

static unsigned
hex(char digit)
{
	return digit <= '9' ? (unsigned)(digit - '0')
			    : (unsigned)((digit | 32) - 'a') + 10;
}

static struct csign_p256 *
read_key(struct csign_crypto *crypto, const char *scalar)
{
	unsigned char bytes[32];
	struct csign_p256 *key = NULL;

	if (strlen(scalar) != 64)
		stop("a scalar has 64 digits");
	for (size_t i = 0; i < 32; i++)
		bytes[i] = (unsigned char)(hex(scalar[2 * i]) << 4 |
					   hex(scalar[2 * i + 1]));
	check(csign_p256_from_scalar(crypto, bytes, &key), "key");
	return key;
}

/* The host may still be looking at an answer before this one. */
static void
send_answer(
    struct client *c, const char *path, const char *body, double give_up)
{
	int status;

	while ((status = client_call(c, path, NULL, body)) == 409 &&
	       strstr(c->body, "\"answered\"") != NULL && now_ms() < give_up)
		usleep(500);
	if (status != 202)
		stop("answer: %s", c->reply);
}

static void
answer(struct client *c, struct csign_crypto *crypto,
    const struct csign_p256 *key, const char *text, const char *choice,
    long delay)
{
	static char body[32768], sealed[4096], path[128];
	static unsigned char bytes[16384];
	struct csign_question question = {0};
	struct csign_link *link = NULL;
	struct csign_buf *out = NULL;
	char *origin = NULL;
	struct timespec wall;
	double sent;
	size_t len;

	check(csign_link_parse(crypto, text, &link, &origin), "link");
	snprintf(path, sizeof path, "/links/%s", csign_link_id(link));
	if (client_call(c, path, NULL, NULL) != 200)
		stop("%s: %s", path, c->reply);
	client_member(c, "content", body, sizeof body);
	check(csign_b64u_decode(body, strlen(body), bytes, sizeof bytes, &len),
	    "content");
	check(csign_question_open(crypto, link, bytes, len, &question),
	    "question");
	usleep((useconds_t)delay * 1000);
	clock_gettime(CLOCK_REALTIME, &wall);
	check(csign_buf_new(sizeof bytes, &out), "memory");
	check(
	    csign_phone_answer(crypto, link, &question, key, choice, "",
		(uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000,
		out),
	    "answer");
	check(csign_b64u_encode(csign_buf_data(out), csign_buf_len(out), sealed,
		  sizeof sealed),
	    "answer");
	snprintf(path, sizeof path, "/links/%s/answer", csign_link_id(link));
	snprintf(body, sizeof body, "{\"answer\":\"%.4095s\",\"hint\":\"%s\"}",
	    sealed, choice);
	sent = now_ms();
	send_answer(c, path, body, sent + PATIENCE_MS);
	printf("%.4f %.4f\n", sent, now_ms());
	fflush(stdout);
	csign_question_clear(&question);
	csign_link_free(&link);
	csign_buf_free(&out);
	free(origin);
}

/* "LINK", or "LINK CHOICE SCALAR" with another key than usual. */
static void
answer_line(struct client *c, struct csign_crypto *crypto,
    const struct csign_p256 *usual, char *line, long delay)
{
	struct csign_p256 *other = NULL;
	char *rest, *link = strtok_r(line, " \n", &rest);
	const char *choice = strtok_r(NULL, " \n", &rest);
	const char *scalar = strtok_r(NULL, " \n", &rest);

	if (link == NULL)
		stop("an empty line");
	if (scalar != NULL)
		other = read_key(crypto, scalar);
	answer(c, crypto, other != NULL ? other : usual, link,
	    choice != NULL ? choice : "approve", delay);
	csign_p256_free(&other);
}

int
main(int argc, char **argv)
{
	struct csign_crypto *crypto = NULL;
	struct csign_p256 *key;
	static struct client c;
	char line[512];
	long delay;

	if (argc != 5)
		return 2;
	check(csign_crypto_new(&crypto), "crypto");
	key = read_key(crypto, argv[3]);
	delay = strtol(argv[4], &(char *){NULL}, 10);
	client_open(&c, argv[1], client_tls(argv[2]));
	while (fgets(line, sizeof line, stdin) != NULL)
		answer_line(&c, crypto, key, line, delay);
	csign_p256_free(&key);
	csign_crypto_free(&crypto);
	return 0;
}
