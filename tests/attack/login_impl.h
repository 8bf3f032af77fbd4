/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of login.h share: the login (login.c), its host
 * (login_host.c) with its files (login_files.c), the phones (login_phone.c),
 * and the doubles of libpam and of the courier.
 */
#ifndef LOGIN_IMPL_H
#define LOGIN_IMPL_H

#include "device.h"
#include "link.h"
#include "login.h"
#include "oracle.h"

#define LOGIN_PATH 512
#define LOGIN_ANSWERS 16 /* twice as many as are looked at */
#define LOGIN_TYPED 8
#define LOGIN_FILES_MAX 16

/* The stand-in for libpam's handle. */
struct pam_data {
	char name[64];
	void *value;
	void (*cleanup)(pam_handle_t *pamh, void *data, int status);
};
struct pam_handle {
	struct login *login;
	char *service, *user, *tty, *rhost, *ruser;
	struct pam_conv conv;
	struct pam_data data[4];
	size_t n_data;
};

struct login_file {
	char name[96];
	char *bytes;
	size_t len;
};

struct login {
	char dir[LOGIN_PATH / 2];
	char config_option[LOGIN_PATH];
	bool keep, share;
	struct csign_crypto *crypto;
	struct csign_p256 *keys[LOGIN_PHONES], *seals[LOGIN_PHONES];
	char codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];
	struct login_file files[LOGIN_FILES_MAX]; /* as they shall be */
	size_t n_files;
	struct login_file before[3]; /* what counts, before this login */

	/* this login */
	const struct login_script *script;
	struct login_result result;
	struct pam_handle pam;
	int backstage;
	uint64_t now_us, began_us;
	char who[300]; /* PAM_USER at its end */
	char link[CSIGN_LINK_MAX + 1];
	char digits[CSIGN_CODE_LEN + 1];
	char *typed[LOGIN_TYPED];
	size_t n_typed;

	/* its newest courier */
	int courier; /* its end of the socket, or -1 */
	uint64_t courier_next_us;
	struct csign_buf *job_store;
	struct csign_job job;
	uint64_t born_us;
	struct oracle_bytes answers[LOGIN_ANSWERS];
	size_t n_answers;
	unsigned char packet[CSIGN_FRAME_MAX];

	struct oracle_memory memory;
};

/* The login that runs now, or NULL. */
extern _Thread_local struct login *login_on_stage;

/* Ends the test: it could not be set up. */
_Noreturn void login_fail(const char *what);
/* Shall this call fail?  An errno, or 0. */
int login_fault(struct login *l, const char *call);

/* login_files.c */
/* Is the file what it was, or as it was not there? */
bool login_is_file(const struct login *l, const struct login_file *file);
/* As it is now, in place of what file had. */
void login_take_file(
    const struct login *l, const char *name, struct login_file *file);
/* Of those that login_reset() makes again; NULL: it is none of them. */
struct login_file *login_file_of(struct login *l, const char *name);
/* From now on, those are all that there are. */
void login_remember_files(struct login *l);
/* pam_double.c */
void login_pam_begin(struct login *l);
void login_pam_end(struct login *l);
/* courier_double.c */
void login_courier_begin(struct login *l);
void login_courier_end(struct login *l);
void login_call_courier(struct login *l, enum login_moment moment);
/* The wall clock, in seconds since 1970. */
uint64_t login_wall(const struct login *l);
int login_count_fds(void);

#endif
