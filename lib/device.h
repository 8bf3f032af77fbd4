/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that may sign for an account, and their file, countersign-devices(5).
 */
#ifndef CSIGN_DEVICE_H
#define CSIGN_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account.h"
#include "bounds.h"
#include "buf.h"
#include "countersign.h"
#include "crypto.h"
#include "store.h"
#include "why.h"

enum csign_kind {
	CSIGN_KIND_UNSIGNED = 0, /* only in answers, for "deny" */
	CSIGN_KIND_WEBAUTHN = 1,
	CSIGN_KIND_P256 = 2,
};

struct csign_device {
	enum csign_kind kind;
	char id[CSIGN_DEVICE_ID_SIZE];
	unsigned char point[CSIGN_POINT_LEN];
	bool has_seal;
	unsigned char seal[CSIGN_POINT_LEN];
	/* webauthn only */
	unsigned char credential[CSIGN_CREDENTIAL_MAX];
	size_t credential_len;
	char rp[CSIGN_HOST_MAX + 1];
	char origin[CSIGN_URL_MAX + 1];
	bool backup_eligible; /* BE: a synced passkey, or one that may be */
	bool backed_up;       /* BS, when it was enrolled */
	unsigned char aaguid[16];
	/* both */
	uint64_t added; /* seconds since 1970 */
	char by[CSIGN_USER_MAX + 1];
	char name[CSIGN_DEVICE_NAME_MAX + 1];
};

struct csign_device_list {
	struct csign_device *items; /* n of them, CSIGN_DEVICES_MAX at most */
	size_t n;
};

const char *csign_kind_name(enum csign_kind kind);
/* First 10 bytes of SHA-256 over the point, as 16 characters of base32. */
CSIGN_WUR enum csign_err csign_device_id(struct csign_crypto *crypto,
    const unsigned char point[CSIGN_POINT_LEN], char out[CSIGN_DEVICE_ID_SIZE]);
/* "4hx2k7q3m5rj6wza" -> "4hx2-k7q3-m5rj-6wza" (19 characters and NUL). */
void csign_device_id_show(const char id[CSIGN_DEVICE_ID_SIZE], char out[20]);

/*
 * Can the name be stored and shown as it is: at most 64 bytes, nothing in it
 * that csign_text_safe() would write differently?  CSIGN_E_FORMAT.
 */
CSIGN_WUR enum csign_err csign_device_name_check(const char *name);

void csign_device_list_clear(struct csign_device_list *list);
/* NULL if there is none with that id. */
const struct csign_device *csign_device_by_id(
    const struct csign_device_list *list, const char *id);
/* Do they share an id, a key or a credential?  ENR-7. */
bool csign_device_same(
    const struct csign_device *a, const struct csign_device *b);

/*
 * One file's text: all of it or nothing.  Every key is checked to be a point,
 * every id to be its key's.  CSIGN_E_DEVICES; why says "path:line: reason".
 * An account with the uid CSIGN_UID_ANY is compared by its name alone.
 */
#define CSIGN_UID_ANY ((uid_t)-1)
CSIGN_WUR enum csign_err csign_devices_parse(struct csign_crypto *crypto,
    const char *path, const char *text, size_t len,
    const struct csign_account *account, struct csign_device_list *ret_list,
    struct csign_why *why);
/*
 * Whose a devices file says it is: uid, file and name of an account that need
 * not exist.  CSIGN_E_DEVICES if that cannot be read.
 */
CSIGN_WUR enum csign_err csign_devices_whose(
    const char *text, size_t len, struct csign_account *ret_account);
/* CSIGN_E_INVALID if a device could not be read back: empty, 17, bad name. */
CSIGN_WUR enum csign_err csign_devices_format(
    const struct csign_device_list *list, const struct csign_account *account,
    struct csign_buf *out);

/*
 * The store: <state_dir>/devices.  CSIGN_E_UNENROLLED only under the
 * conditions of countersign-security(7) USR-2 (directory safe, marker file
 * present, this file alone missing; the caller looks at the state's mark),
 * CSIGN_E_DEVICES or CSIGN_E_FILE for everything else.
 */
CSIGN_WUR enum csign_err csign_devices_read(struct csign_crypto *crypto,
    const char *state_dir, const struct csign_account *account,
    struct csign_device_list *ret_list, struct csign_why *why);
/*
 * The caller holds the account's state lock.  An empty list removes the file.
 * What could not be read back is not written.
 */
CSIGN_WUR enum csign_err csign_devices_write(struct csign_crypto *crypto,
    const char *state_dir, const struct csign_account *account,
    const struct csign_device_list *list, struct csign_why *why);
/*
 * The lock of the whole store, for who must look at every account's devices
 * and then write one's (ENR-7): taken inside that account's state lock, at
 * most 2 s long.  Closing *ret_fd releases it.
 */
CSIGN_WUR enum csign_err csign_devices_lock(
    const char *state_dir, struct csign_why *why, int *ret_fd);
/* Is this id, point or credential somebody's already?  ENR-7.  *ret_user: who,
 * or "". */
CSIGN_WUR enum csign_err csign_devices_owner(struct csign_crypto *crypto,
    const char *state_dir, const struct csign_device *device,
    char ret_user[CSIGN_USER_MAX + 1], struct csign_why *why);
/* Accounts with a file, sorted; the callback returns false to stop. */
CSIGN_WUR enum csign_err csign_devices_each(const char *state_dir,
    bool (*visit)(void *arg, const char *user), void *arg,
    struct csign_why *why);

#endif
