/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole login: options, items, environment, configuration, files, what the
 * person types, what the courier brings and which call fails are all drawn from
 * the input.  Whatever happens, it ends, leaves nothing, and grants only what
 * the oracle would grant.
 *
 * The input, byte by byte, as authenticate_seeds.py packs it: see struct plan.
 * With FUZZ_TRACE in the environment each login says what it came to.  What
 * seeds have to come to is in fuzz_seed_holds(): after a change of the order in
 * which things are drawn, or of words, they are to be packed again.
 */
#include "config.h"

#include <errno.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "fuzz.h"
#include "moves.h"

#define STEPS_MAX 16
#define TYPED_MAX 4
#define TEXT_MAX 64
#define SETTINGS_SIZE 1024
#define LIFETIME_MS 300000 /* the longest */
#define COURIERS 4         /* in one login: conflict, ring, enrolment, test */

/* A word of a list, or, if it is the first (NULL), text from the input. */
static const char *const services[] = {
    NULL, "sshd", "sudo", "su", "login", "cron", ""};
static const char *const users[] = {
    NULL, "alice", "al", "bob", "carol", "root", "mallory", ""};
static const char *const ttys[] = {NULL, "ssh", "/dev/pts/3", ""};
static const char *const hosts[] = {NULL, "192.0.2.1", "evil.example", ""};
static const char *const commands[] = {NULL, "id", "-n", "-l", "-"};
static const char *const environments[] = {NULL,
    "SSH_CONNECTION=192.0.2.1 5 "
    "192.0.2.2 22",
    "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA"};
static const char *const options[] = {
    NULL, "debug", "after_first_factor", "nullok", "config=/nonexistent"};
static const char *const settings[] = {NULL, "push = no\n", "push = yes\n",
    "present = prompt\n", "present = info\n", "present = none\n",
    "unenrolled = ignore\n", "unenrolled = enroll\n", "recovery = no\n",
    "recovery_enroll = yes\n", "push_confirm = tap\n", "lifetime = 30\n",
    "push_without_first_factor = yes\n", "device_kinds = webauthn\n",
    "evidence = yes\n", "qr = ascii\n", "cut_command = deny\n",
    "exempt_groups = nobody\n"};
static const char *const files[] = {LOGIN_DEVICES, LOGIN_STATE, LOGIN_RINGS,
    LOGIN_CONFIG, "access.key", LOGIN_AUDIT, "store/devices/bob"};

#define N(list) ((uint32_t)(sizeof(list) / sizeof((list)[0])))

enum damage { REMOVED, CUT, BITS, LONGER, OTHERS, DAMAGES };
enum reply { EMPTY, CODE, USED_CODE, FROM_INPUT, YES, NOTHING, ERROR, REPLIES };

/* Everything that is drawn before the login begins, in this order. */
struct plan {
	struct moves moves;
	char texts[16][TEXT_MAX + 1];
	size_t n_texts;
	const char *args[6], *env[4], *command[4];
	enum reply replies[TYPED_MAX];
	const char *typed[TYPED_MAX];
	size_t n_typed;
	bool renamed; /* PAM_USER, by the conversation */
	const char *new_user;
	enum damage damage;
	const char *file;           /* that is damaged, or NULL */
	unsigned long played_fault; /* number of the call that fails, 0 none */
	unsigned long played;
	struct login_script script;
	/* the courier */
	struct {
		uint32_t after_ms;
		uint32_t move;
	} steps[STEPS_MAX];
	size_t n_steps, next;
	uint32_t waited_ms;
};

static struct login *host;
static struct moves_past past;
static struct login_result latest;

static uint32_t
draw(struct plan *p, uint32_t below)
{
	return p->moves.draw(&p->moves, below);
}

static const char *
draw_text(struct plan *p)
{
	char *text;
	uint32_t len = draw(p, TEXT_MAX);

	if (p->n_texts == sizeof(p->texts) / sizeof(p->texts[0]))
		return "";
	text = p->texts[p->n_texts++];
	for (uint32_t i = 0; i < len; i++)
		text[i] = (char)draw(p, 256);
	return text;
}

static const char *
draw_word(struct plan *p, const char *const *list, uint32_t n)
{
	const char *word = list[draw(p, n)];

	return word == NULL ? draw_text(p) : word;
}

#define WORD(p, list) draw_word(p, list, N(list))

/* --- what happens ---------------------------------------------------------
 */

static int
talk(void *arg, struct login *l, int style, const char *text, char **ret_reply)
{
	struct plan *p = arg;
	const size_t i = p->n_typed < TYPED_MAX ? p->n_typed : TYPED_MAX - 1;
	const char *reply = "";

	(void)text;
	if (p->renamed)
		login_set_item(l, PAM_USER, p->new_user);
	if (style != PAM_PROMPT_ECHO_ON && style != PAM_PROMPT_ECHO_OFF)
		return p->replies[i] == ERROR ? PAM_CONV_ERR : PAM_SUCCESS;
	p->n_typed++;
	switch (p->replies[i]) {
	case CODE:
		reply = login_recovery_code(l, i);
		break;
	case USED_CODE:
		reply = login_recovery_code(l, 0);
		break;
	case FROM_INPUT:
		reply = p->typed[i];
		break;
	case YES:
		reply = "y";
		break;
	case NOTHING:
		return PAM_SUCCESS;
	case ERROR:
		return PAM_CONV_ERR;
	case EMPTY:
	case REPLIES:
		break;
	}
	MUST((*ret_reply = strdup(reply)) != NULL);
	return PAM_SUCCESS;
}

/* Moves of moves.h, and four that need this login's own knowledge. */
enum { ENROL = MOVES, BY_DIGITS, BY_NEW, RAW, ALL_MOVES };

static void
send_sealed(struct plan *p, bool made, const struct csign_buf *out)
{
	if (made)
		(void)login_send_frame(p->moves.l, CSIGN_FRAME_ANSWER, 0,
		    csign_buf_data(out), csign_buf_len(out));
}

static void
make_move(struct plan *p, uint32_t move)
{
	struct login *l = p->moves.l;
	const struct csign_p256 *stranger = login_key(l, LOGIN_PHONE_STRANGER);
	struct csign_buf *out = fuzz_buf(CSIGN_ANSWER_MAX);
	const char *text;

	switch (move) {
	case ENROL:
		send_sealed(p,
		    login_enrol(l, stranger,
			login_seal_key(l, LOGIN_PHONE_STRANGER), out),
		    out);
		break;
	case BY_DIGITS:
		send_sealed(p,
		    login_sign(l, login_key(l, LOGIN_PHONE_1), "approve",
			login_digits(l), out),
		    out);
		break;
	case BY_NEW:
		send_sealed(
		    p, login_sign(l, stranger, "approve", "", out), out);
		break;
	case RAW:
		text = draw_text(p);
		(void)login_send(l, text, strlen(text));
		break;
	default:
		moves_make(&p->moves, (enum move)move);
	}
	csign_buf_free(&out);
}

static uint32_t
courier(void *arg, struct login *l, enum login_moment moment)
{
	struct plan *p = arg;

	(void)l;
	while (moment != LOGIN_FREED && p->next < p->n_steps) {
		const uint32_t after = p->steps[p->next].after_ms;

		if (after > p->waited_ms) {
			const uint32_t ms = after - p->waited_ms;

			p->waited_ms = after;
			return ms;
		}
		p->waited_ms = 0;
		make_move(p, p->steps[p->next++].move);
	}
	return LOGIN_NEVER;
}

/* One call that is played fails, if none of the others shall. */
static int
fault(void *arg, const char *call)
{
	struct plan *p = arg;

	if (p->played_fault > 0 && ++p->played == p->played_fault)
		return EIO;
	return faults_error(call);
}

/*
 * What is asked for whom, where, and by which file it is recorded, the oracle
 * knows, and no path leads out of the login's folder: lines of the input do not
 * change that, nor does damage.
 */
static bool
is_oracle_s(const char *line)
{
	return strstr(line, "identity") != NULL ||
	       strstr(line, "host") != NULL || strstr(line, "audit") != NULL ||
	       strstr(line, "dir") != NULL ||
	       strstr(line, "evidence_file") != NULL;
}

/* Are all of the oracle's lines of one configuration in the other? */
static bool
has_oracle_s(const char *other, const char *config)
{
	char line[SETTINGS_SIZE];
	const char *end;

	for (; (end = strchr(config, '\n')) != NULL; config = end + 1) {
		const size_t len = (size_t)(end - config) + 1;

		MUST(len + 2 <= sizeof(line));
		line[0] = '\n';
		memcpy(line + 1, config, len);
		line[len + 1] = '\0';
		if (is_oracle_s(line) && strstr(other, line) == NULL)
			return false;
	}
	return true;
}

static void
damage_file(struct plan *p, struct login *l)
{
	char *bytes, *before, path[512];
	size_t len = 0;

	login_path(l, p->file, path, sizeof(path));
	if (p->damage == REMOVED) {
		(void)remove(path);
		return;
	}
	before = login_get(l, p->file, NULL);
	bytes = login_get(
	    l, p->damage == OTHERS ? "store/devices/bob" : p->file, &len);
	if (before == NULL || bytes == NULL || len == 0)
		goto out;
	if (p->damage == CUT)
		bytes[len = draw(p, (uint32_t)len)] = '\0';
	else if (p->damage == BITS)
		bytes[draw(p, (uint32_t)len)] ^= "\1\2\4\10\20\40"[draw(p, 6)];
	if (strcmp(p->file, LOGIN_CONFIG) == 0 && !has_oracle_s(bytes, before))
		goto out;
	login_put(l, p->file, bytes, len);
	if (p->damage == LONGER)
		login_put(l, p->file, bytes, len - 1);
out:
	free(before);
	free(bytes);
}

static void
prepare(void *arg, struct login *l)
{
	struct plan *p = arg;

	if (p->file != NULL)
		damage_file(p, l);
}

/* --- what is drawn --------------------------------------------------------
 */

static void
draw_program(struct plan *p)
{
	struct login_script *s = &p->script;
	size_t n = 0;

	s->service = WORD(p, services);
	s->user = WORD(p, users);
	if (draw(p, 16) == 15)
		s->user = NULL;
	s->tty = WORD(p, ttys);
	s->rhost = WORD(p, hosts);
	s->ruser = WORD(p, users);
	p->command[n++] = s->service;
	for (uint32_t i = draw(p, 3); i > 0; i--)
		p->command[n++] = WORD(p, commands);
	s->command = p->command;
	n = 0;
	for (uint32_t i = draw(p, 4); i > 0; i--)
		p->env[n++] = WORD(p, environments);
	s->env = p->env;
	n = 0;
	p->args[n++] = login_config_option(host);
	for (uint32_t i = draw(p, 4); i > 0; i--)
		p->args[n++] = WORD(p, options);
	s->args = p->args;
	s->no_conversation = draw(p, 16) == 15;
	s->again = draw(p, 8) == 7 ? 1 : 0;
}

static void
draw_settings(struct plan *p)
{
	char text[SETTINGS_SIZE] = "";
	size_t len = 0;

	for (uint32_t i = draw(p, 5); i > 0; i--) {
		const char *line = WORD(p, settings);

		if (is_oracle_s(line))
			continue;
		memcpy(text + len, line, strlen(line) + 1);
		len += strlen(line);
	}
	login_configure(host, text);
}

static void
draw_person(struct plan *p)
{
	const uint32_t what = draw(p, 16);

	for (size_t i = 0; i < TYPED_MAX; i++) {
		p->replies[i] = (enum reply)draw(p, REPLIES);
		p->typed[i] = p->replies[i] == FROM_INPUT ? draw_text(p) : "";
	}
	p->renamed = what == 15;
	p->new_user = p->renamed ? WORD(p, users) : NULL;
}

static void
draw_trouble(struct plan *p, struct faults_plan *plan)
{
	const uint32_t what = draw(p, 16);

	plan->mode = FAULTS_COUNT;
	if (what == 1) {
		p->file = files[draw(p, N(files))];
		p->damage = (enum damage)draw(p, DAMAGES);
	} else if (what == 2) {
		p->played_fault = 1 + draw(p, 256);
	} else if (what == 3) {
		plan->mode = FAULTS_LOT;
		plan->one_in = 400;
		plan->seed = draw(p, 65536);
	} else if (what == 4) {
		plan->mode = FAULTS_NTH;
		plan->at = draw(p, 4096);
		plan->way = draw(p, 8);
	}
}

static void
draw_courier(struct plan *p)
{
	static const uint32_t pauses[] = {0, 0, 0, 1, 500, 5000, 40000, 95000};

	p->n_steps = draw(p, STEPS_MAX + 1);
	for (size_t i = 0; i < p->n_steps; i++) {
		const uint32_t what = draw(p, 256);

		p->steps[i].after_ms = pauses[what % 8];
		p->steps[i].move = what / 8 % ALL_MOVES;
	}
}

/* --- and what must be so --------------------------------------------------
 */

/* What is open, for whoever has to find out why. */
static void
show_fds(void)
{
	char name[64], target[256];

	for (int fd = 0; fd < 256; fd++) {
		ssize_t n;

		(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		if ((n = readlink(name, target, sizeof(target) - 1)) < 0)
			continue;
		target[n] = '\0';
		(void)fprintf(stderr, "%d: %s\n", fd, target);
	}
}

/* Within the one call; the next one takes the new name from its beginning. */
static bool
was_renamed(const struct plan *p)
{
	return p->renamed && p->script.again == 0 && p->script.user != NULL &&
	       strcmp(p->new_user, p->script.user) != 0;
}

static void
check(const struct plan *p, const struct login_result *r)
{
	char why[256] = "";

	switch (r->code) {
	case PAM_SUCCESS:
		MUST(!was_renamed(p));
		if (!login_is_right(host, why, sizeof(why)))
			fuzz_fail(__FILE__, __LINE__, why);
		break;
	case PAM_IGNORE: /* only by policy, which is not for alice or bob */
		MUST(login_audited(host, "granted") == 0);
		break;
	case PAM_AUTH_ERR:
	case PAM_MAXTRIES:
	case PAM_AUTHINFO_UNAVAIL:
	case PAM_USER_UNKNOWN:
	case PAM_BUF_ERR:
	case PAM_CONV_ERR:
		break;
	default:
		fuzz_fail(__FILE__, __LINE__, "a PAM code that nobody knows");
	}
	MUST(!r->stuck);
	if (r->fds != 0)
		show_fds();
	MUST(r->fds == 0);
	MUST(r->children == 0);
	MUST(r->ms <= COURIERS * (LIFETIME_MS + 3000));
}

static void
close_host(void)
{
	login_close(&host);
}

static void
open_host(void)
{
	static const unsigned char nonsense[100] = {1};

	/* Without faults_own_crypto(): libcrypto loses memory of its own. */
	faults_outside = login_is_backstage;
	host = login_open();
	moves_remember(&past, nonsense, sizeof(nonsense));
	MUST(atexit(close_host) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct plan p;
	bool trace;
	struct faults_plan plan = {.mode = FAULTS_COUNT};

	if (host == NULL)
		open_host();
	trace = getenv("FUZZ_TRACE") != NULL;
	memset(&p, 0, sizeof(p));
	p.moves = (struct moves){.l = host,
	    .past = &past,
	    .draw = moves_by_bytes,
	    .data = data,
	    .size = size};
	p.script = (struct login_script){.talk = talk,
	    .courier = courier,
	    .fault = fault,
	    .prepare = prepare,
	    .arg = &p};
	draw_program(&p);
	draw_settings(&p);
	draw_person(&p);
	draw_trouble(&p, &plan);
	draw_courier(&p);
	login_share_crypto(host, plan.mode == FAULTS_COUNT);
	faults_begin(&plan);
	latest = login_run(host, &p.script);
	faults_end();
	if (trace)
		(void)fprintf(stderr, "code %d, %llu ms, %s\n", latest.code,
		    (unsigned long long)latest.ms, latest.log);
	check(&p, &latest);
	return 0;
}

/* By the beginning of its name; the rest comes to what it comes to. */
bool
fuzz_seed_holds(const char *name)
{
	static const struct {
		const char *name;
		int code;
		const char *log;
	} seeds[] = {
	    {"bad-devices", PAM_AUTHINFO_UNAVAIL, "reason=DEVICES"},
	    {"bad-state", PAM_AUTHINFO_UNAVAIL, "reason=STATE"},
	    {"denied", PAM_MAXTRIES, "reason=DENIED"},
	    {"enrolled", PAM_SUCCESS, "method=enrolment"},
	    {"expired", PAM_AUTH_ERR, "reason=EXPIRED"},
	    {"flooded", PAM_MAXTRIES, "reason=LIMIT"},
	    {"forged", PAM_MAXTRIES, "reason=LIMIT"},
	    {"granted-again", PAM_SUCCESS, "method=recovery"},
	    {"granted-recovery", PAM_SUCCESS, "method=recovery"},
	    {"granted-sudo", PAM_SUCCESS,
		"service=sudo user=alice tty=/dev/pts/3"},
	    {"granted-tap", PAM_SUCCESS, "service=sudo user=alice"},
	    {"granted", PAM_SUCCESS,
		"service=sshd user=alice rhost=192.0.2.1 tty=ssh"},
	    {"ignored", PAM_IGNORE, "user=carol"},
	    {"no-conversation", PAM_CONV_ERR, "user=bob"},
	    {"not-me", PAM_MAXTRIES, "reason=NOT_ME"},
	    {"options", PAM_AUTHINFO_UNAVAIL, "\\x22nullok\\x22"},
	    {"renamed", PAM_AUTHINFO_UNAVAIL, "reason=CHANGED"},
	    {"stranger", PAM_USER_UNKNOWN, "reason=UNKNOWN_USER"},
	};
	size_t i = 0;

	while (i < N(seeds) &&
	       strncmp(name, seeds[i].name, strlen(seeds[i].name)) != 0)
		i++;
	return i == N(seeds) || (latest.code == seeds[i].code &&
				    strstr(latest.log, seeds[i].log) != NULL);
}
