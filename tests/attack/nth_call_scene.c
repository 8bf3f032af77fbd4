/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins, and who plays in them: the person, the courier and the phone. */
#include "config.h"

#include <security/pam_modules.h>
#include <string.h>

#include "nth_call_impl.h"
#include "places.h"

#define SOON_MS 500 /* that a phone takes */
#define SSH_PROVEN "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA"

const struct scene scenes[] = {
    {"phone", "", "alice", .phone = LOGIN_PHONE_1, .choice = "approve",
	.code = PAM_SUCCESS},
    {"recovery code", "", "alice", .types_code = true, .code = PAM_SUCCESS},
    {"push and typed digits", "evidence = yes\n", "alice", .proven = true,
	.phone = LOGIN_PHONE_2, .choice = "approve", .by_digits = true,
	.code = PAM_SUCCESS},
    {"denied", "", "alice", .proven = true, .phone = LOGIN_PHONE_1,
	.choice = "deny", .code = PAM_MAXTRIES},
    {"enrolment in a login", "unenrolled = enroll\n", "carol", .proven = true,
	.phone = LOGIN_PHONE_STRANGER, .choice = "approve", .enrols = true,
	.code = PAM_SUCCESS},
    {"policy lets nobody by", "unenrolled = ignore\n", "alice",
	.phone = LOGIN_PHONE_1, .choice = "approve", .code = PAM_SUCCESS},
};
const size_t n_scenes = sizeof(scenes) / sizeof(scenes[0]);

struct stage stage;
struct login *host;

/* --- who answers ---------------------------------------------------------- */

static int
talk(void *arg, struct login *l, int style, const char *text, char **ret_reply)
{
	const struct stage *s = arg;
	const char *reply = "";

	if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON)
		return PAM_SUCCESS;
	if (s->scene->types_code)
		reply = login_recovery_code(l, 0);
	else if (strstr(text, "[y/N]") != NULL)
		reply = "y";
	if ((*ret_reply = strdup(reply)) == NULL)
		return PAM_BUF_ERR;
	return PAM_SUCCESS;
}

/* The old answer, once; false: it is the phone's turn. */
static bool
send_first(struct login *l, struct stage *s)
{
	if (s->first == NULL || csign_buf_len(s->first) == 0 || s->first_sent)
		return false;
	/* An enrolment has one try, and would end by it. */
	if (login_job(l)->op == CSIGN_OP_ENROL && !s->enrols_by_it)
		return false;
	s->first_sent = login_send_frame(l, CSIGN_FRAME_ANSWER, 0,
	    csign_buf_data(s->first), csign_buf_len(s->first));
	/* Whoever takes this one has not heard the other. */
	s->answer_sent = false;
	return true;
}

static void
phone_answers(struct login *l, struct stage *s)
{
	const struct csign_p256 *key = login_key(l, s->scene->phone);
	struct csign_buf *out = NULL;
	bool made;

	if (csign_buf_new(CSIGN_ANSWER_MAX + 64, &out) != CSIGN_OK)
		return;
	if (login_job(l)->op == CSIGN_OP_ENROL)
		made = login_enrol(
		    l, key, login_seal_key(l, s->scene->phone), out);
	else
		made = login_sign(l, key, s->scene->choice,
		    s->scene->by_digits ? login_digits(l) : "", out);
	if (made) {
		shared->answer_len = csign_buf_len(out);
		memcpy(shared->answer, csign_buf_data(out), shared->answer_len);
		s->answer_sent = login_send_frame(l, CSIGN_FRAME_ANSWER, 0,
		    csign_buf_data(out), csign_buf_len(out));
	}
	csign_buf_free(&out);
}

static uint32_t
courier(void *arg, struct login *l, enum login_moment moment)
{
	struct stage *s = arg;

	if (moment == LOGIN_STARTED) {
		(void)login_send_frame(l, CSIGN_FRAME_CREATED, 1, NULL, 0);
		if (s->scene->choice == NULL)
			return LOGIN_NEVER;
		return s->late_ms == 0
			   ? SOON_MS
			   : (uint32_t)((int32_t)login_job(l)->lifetime * 1000 +
					s->late_ms);
	}
	if (moment == LOGIN_WAITS && send_first(l, s))
		return SOON_MS;
	if (moment == LOGIN_WAITS &&
	    !(s->enrols_by_it && login_job(l)->op == CSIGN_OP_ENROL))
		phone_answers(l, s);
	return LOGIN_NEVER;
}

static int
fault(void *arg, const char *call)
{
	(void)arg;
	return faults_error(call);
}

/* --- a login -------------------------------------------------------------- */

struct login_result
play(const struct scene *scene)
{
	static const char *const env[] = {SSH_PROVEN, NULL};
	/* login_is_right() looks at it later. */
	static struct login_script script;

	script = (struct login_script){
	    .service = "sshd",
	    .user = scene->user,
	    .tty = "ssh",
	    .rhost = "192.0.2.1",
	    .env = scene->proven ? env : NULL,
	    .talk = talk,
	    .courier = courier,
	    .fault = fault,
	    .arg = &stage,
	};

	stage.scene = scene;
	stage.first_sent = stage.answer_sent = false;
	return login_run(host, &script);
}

struct login_result
play_with(const struct scene *scene, const struct faults_plan *plan)
{
	struct login_result r;

	place = PLACE_ANY;
	faults_begin(plan);
	r = play(scene);
	faults_end();
	return r;
}
