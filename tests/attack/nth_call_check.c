/* SPDX-License-Identifier: BSD-2-Clause */
/* What a login may come to in which a call failed, and what it may leave. */
#include "config.h"

#include <security/pam_modules.h>
#include <stdlib.h>
#include <string.h>

#include "nth_call_impl.h"
#include "places.h"

/* Of two questions and an enrolment. */
#define LONGEST_MS UINT64_C(480000)

/* --- the code ------------------------------------------------------------- */

/*
 * libcrypto says 0, -1 or 2.  Where that is its verdict about what a phone
 * sent, it was no answer; where it is about a key of the devices file, the file
 * is not usable, which a recovery code does not need.  What it could not make
 * was for lack of memory.  After anything else nothing was decided.
 */
static int
crypto_code(const struct scene *scene)
{
	static const char *const verdicts[] = {"EVP_DecryptFinal_ex",
	    "EVP_DigestVerify", "EVP_PKEY_fromdata",
	    "EVP_PKEY_public_check_quick"};

	if (place == PLACE_BEST_EFFORT)
		return scene->code;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (strcmp(faults.function, verdicts[i]) != 0)
			continue;
		if (place == PLACE_ANSWER)
			return PAM_AUTH_ERR;
		if (place == PLACE_DEVICES && scene->types_code)
			return scene->code;
		return PAM_AUTHINFO_UNAVAIL;
	}
	return strstr(faults.function, "_new") != NULL ? PAM_BUF_ERR
						       : PAM_AUTHINFO_UNAVAIL;
}

/*
 * Where the program cannot be asked: without a conversation nobody is asked
 * either, and what changes while people are asked decides nothing.  Without an
 * item that a policy looks at, it is another program's login, and the code is
 * that of one.  Data are for the next call only.
 */
static bool
pam_code_is_right(const struct scene *scene, int code)
{
	const bool enrols = scene->enrols && code == PAM_USER_UNKNOWN;

	if (strcmp(faults.function, "pam_get_user") == 0)
		return code == PAM_CONV_ERR;
	if (strcmp(faults.function, "pam_getenv") == 0)
		return enrols;
	if (strcmp(faults.function, "pam_get_item") != 0 &&
	    strcmp(faults.function, "conversation") != 0)
		return false;
	return enrols || code == PAM_CONV_ERR || code == PAM_AUTHINFO_UNAVAIL ||
	       /* There is no yes to "[y/N]", and no code at the prompt. */
	       (scene->enrols && code == PAM_MAXTRIES) ||
	       (scene->types_code && code == PAM_AUTH_ERR);
}

/* The code that this trouble has; more than one where it may be mended. */
static bool
code_is_right(const struct scene *scene, int code)
{
	if (faults.hits == 0)
		return code == scene->code;
	/* What becomes of memory that it lacks is libcrypto's own affair. */
	if (strcmp(faults.function, "CRYPTO_malloc") == 0)
		return code == scene->code || code == PAM_BUF_ERR ||
		       code == PAM_AUTHINFO_UNAVAIL || code == PAM_AUTH_ERR;
	if (faults.class == FAULTS_CRYPTO)
		return code == crypto_code(scene);
	if (code == scene->code)
		return true;
	/* A file that is not there, and an account without a device. */
	if (strcmp(faults.how, "ENOENT") == 0 &&
	    (code == PAM_AUTH_ERR || code == PAM_USER_UNKNOWN))
		return true;
	switch (faults.class) {
	case FAULTS_MEMORY:
		return code == PAM_BUF_ERR;
	case FAULTS_CRYPTO:
	case FAULTS_SYSTEM:
	case FAULTS_LIBRARY:
		return code == PAM_AUTHINFO_UNAVAIL ||
		       (code == PAM_BUF_ERR &&
			   (strcmp(faults.how, "ENOMEM") == 0 ||
			       strcmp(faults.function, "mmap") == 0));
	case FAULTS_PAM:
		return pam_code_is_right(scene, code);
	}
	return false;
}

/* --- the grant, what is left, and the next login -------------------------- */

/* Is something perhaps not on the disk that a grant needs there? */
static bool
is_lost(void)
{
	static const char *const calls[] = {"fsync", "fdatasync", "renameat2"};

	if (faults.hits == 0 || place == PLACE_BEST_EFFORT ||
	    strcmp(faults.how, "EINTR") == 0)
		return false;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(faults.function, calls[i]) == 0)
			return true;
	return false;
}

void
check_grant(const struct login_result *r)
{
	char why[256] = "";

	if (r->code == PAM_IGNORE)
		complain(&shared->grants, "ignored");
	else if (r->code == PAM_SUCCESS &&
		 !login_is_right(host, why, sizeof(why)))
		complain(&shared->grants, "a wrong grant: %s", why);
}

void
check_leftovers(const struct login_result *r)
{
	if (faults.live != 0)
		complain(&shared->leaks, "%ld blocks are left, one by %p",
		    faults.live, faults.leak);
	if (r->fds != 0 || r->children != 0)
		complain(&shared->leaks, "%d descriptors, %d children left",
		    r->fds, r->children);
	if (r->stuck || r->ms > LONGEST_MS)
		complain(&shared->stuck, "it took %llu ms",
		    (unsigned long long)r->ms);
}

void
check_next(const struct scene *scene)
{
	static const struct scene by_phone = {
	    "", "", "alice", .phone = LOGIN_PHONE_1, .choice = "approve"};
	static const struct scene enrolled = {"", "", "carol",
	    .phone = LOGIN_PHONE_STRANGER, .choice = "approve"};
	char *devices = login_get(host, "store/devices/carol", NULL);
	const struct scene *next = !scene->enrols    ? &by_phone
				   : devices == NULL ? scene
						     : &enrolled;
	struct login_result r;
	char why[256] = "";

	free(devices);
	login_keep_files(host, true);
	r = play(next);
	login_keep_files(host, false);
	if (r.code != PAM_SUCCESS || !login_is_right(host, why, sizeof(why)))
		complain(&shared->lost, "the next login: code %d, %s; %s",
		    r.code, why, r.log);
}

/* --- all of it ------------------------------------------------------------ */

void
try_one(const struct scene *scene, const struct faults_plan *plan)
{
	const struct login_result r = play_with(scene, plan);
	/*
	 * Where more calls failed, what the first did may have been mended, and
	 * it is not known which of the others decided.
	 */
	const bool one = faults.hits <= 1;

	shared->cases++;
	shared->hit += faults.hits > 0;
	check_grant(&r);
	if (one && r.code == PAM_SUCCESS && is_lost())
		complain(&shared->grants, "a grant in spite of it");
	if (plan->mode == FAULTS_EINTR ? r.code != scene->code
				       : one && !code_is_right(scene, r.code))
		complain(&shared->wrong_codes, "code %d; %s", r.code, r.log);
	check_leftovers(&r);
}
