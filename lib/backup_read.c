/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a backup: csign_backup_parse(), declared in backup.h. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "bounds.h"
#include "clock.h"
#include "device.h"
#include "state.h"
#include "state_file.h"

#define CHECKSUM_LINE_LEN                                                      \
	(sizeof(CSIGN_BACKUP_CHECKSUM) - 1 + CSIGN_STATE_DIGEST_SIZE)

void
csign_backup_path(const char *part, const struct csign_account *account,
    char out[CSIGN_BACKUP_PATH_SIZE])
{
	if (strcmp(part, CSIGN_STORE_DEVICES) == 0)
		(void)snprintf(out, CSIGN_BACKUP_PATH_SIZE, "%s/%s",
		    CSIGN_STORE_DEVICES, account->file);
	else
		(void)snprintf(out, CSIGN_BACKUP_PATH_SIZE, "%s/%u",
		    CSIGN_STORE_STATE, (unsigned)account->uid);
}

void
csign_backup_clear(struct csign_backup *backup)
{
	free(backup->files);
	backup->files = NULL;
	backup->n = 0;
}

static int
compare_paths(const void *path, const void *file)
{
	const struct csign_backup_file *f = file;

	return strcmp(path, f->path);
}

const struct csign_backup_file *
csign_backup_find(const struct csign_backup *backup, const char *part,
    const struct csign_account *account)
{
	char path[CSIGN_BACKUP_PATH_SIZE];
	const struct csign_backup_file *file = NULL;

	csign_backup_path(part, account, path);
	if (backup->n > 0)
		file = bsearch(path, backup->files, backup->n,
		    sizeof(*backup->files), compare_paths);
	if (file == NULL || file->whose.uid != account->uid ||
	    strcmp(file->whose.file, account->file) != 0)
		return NULL;
	return file;
}

static enum csign_err
check_devices(struct csign_crypto *crypto, const char *path,
    const struct csign_piece *text, struct csign_account *ret_whose,
    struct csign_why *why)
{
	struct csign_device_list list = {NULL, 0};
	struct csign_account whose;
	enum csign_err r = csign_devices_whose(text->at, text->len, &whose);

	if (r != CSIGN_OK) {
		csign_why_set(why, "%s:1: this is not a devices file", path);
		return r;
	}
	r = csign_devices_parse(
	    crypto, path, text->at, text->len, &whose, &list, why);
	csign_device_list_clear(&list);
	if (r == CSIGN_OK)
		*ret_whose = whose;
	return r;
}

static enum csign_err
check_state(struct csign_crypto *crypto, const char *path,
    const struct csign_piece *text, struct csign_account *ret_whose,
    struct csign_why *why)
{
	struct csign_account whose;
	struct csign_state state;
	enum csign_err r = csign_state_whose(text->at, text->len, &whose);

	if (r != CSIGN_OK) {
		csign_why_set(why,
		    "%s:1: this is not a state file, or one of a newer version "
		    "of countersign",
		    path);
		return r;
	}
	r = csign_state_parse(
	    crypto, path, text->at, text->len, &whose, &state, why);
	if (r == CSIGN_OK)
		*ret_whose = whose;
	return r;
}

enum csign_err
csign_backup_check(struct csign_crypto *crypto, const char *name,
    const char *path, const struct csign_piece *text,
    struct csign_account *ret_whose, struct csign_why *why)
{
	bool devices = strncmp(name, CSIGN_STORE_STATE "/",
			   sizeof(CSIGN_STORE_STATE)) != 0;
	char named[CSIGN_BACKUP_PATH_SIZE];
	struct csign_account whose = {0};
	enum csign_err r = CSIGN_E_INTERNAL;

	if (devices)
		r = check_devices(crypto, path, text, &whose, why);
	else
		r = check_state(crypto, path, text, &whose, why);
	if (r != CSIGN_OK)
		return r;
	/* It lies under the name that its header gives it, and no other. */
	csign_backup_path(
	    devices ? CSIGN_STORE_DEVICES : CSIGN_STORE_STATE, &whose, named);
	if (strcmp(name, named) != 0) {
		csign_why_set(why, "%s:1: the header names %s", path, named);
		return devices ? CSIGN_E_DEVICES : CSIGN_E_STATE;
	}
	*ret_whose = whose;
	return CSIGN_OK;
}

/* --- the container -------------------------------------------------------- */

static enum csign_err
not_a_backup(struct csign_why *why, const char *what)
{
	csign_why_set(why, "the backup cannot be used: %s", what);
	return CSIGN_E_FORMAT;
}

/* The first line. */
static enum csign_err
read_header(struct csign_piece line, struct csign_why *why)
{
	struct csign_piece version, host, made;
	char text[CSIGN_TIME_SIZE];
	uint32_t number = 0;
	uint64_t when = 0;

	if (!csign_piece_skip(&line, CSIGN_BACKUP_HEADER) ||
	    !csign_piece_token(&line, &version) ||
	    !csign_piece_u32(&version, UINT32_MAX, &number))
		return not_a_backup(why, "it is none");
	if (number > CSIGN_BACKUP_VERSION)
		return not_a_backup(
		    why, "a newer version of countersign made it");
	if (number != CSIGN_BACKUP_VERSION ||
	    !csign_piece_token(&line, &host) ||
	    !csign_piece_skip(&host, "host=") ||
	    !csign_piece_token(&line, &made) ||
	    !csign_piece_skip(&made, "made=") ||
	    !csign_piece_copy(&made, text, sizeof(text)) ||
	    csign_time_parse(text, &when) != CSIGN_OK || line.len > 0)
		return not_a_backup(why, "its first line is malformed");
	return CSIGN_OK;
}

/* The last line; *text is then what is before it. */
static enum csign_err
read_checksum(struct csign_crypto *crypto, struct csign_piece *text,
    struct csign_why *why)
{
	char sum[CSIGN_STATE_DIGEST_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_piece last;
	size_t len = text->len;

	if (len < CHECKSUM_LINE_LEN)
		return not_a_backup(why, "it was cut off");
	len -= CHECKSUM_LINE_LEN;
	if ((r = csign_state_digest(crypto, text->at, len, sum)) != CSIGN_OK)
		return r;
	last = (struct csign_piece){text->at + len, CHECKSUM_LINE_LEN};
	if (!csign_piece_skip(&last, CSIGN_BACKUP_CHECKSUM) ||
	    !csign_piece_skip(&last, sum) || !csign_piece_is(&last, "\n"))
		return not_a_backup(
		    why, "it was cut off or changed: the checksum is wrong");
	text->len = len;
	return CSIGN_OK;
}

/* "file devices/alice 234", and then so many bytes. */
static bool
cut_file(struct csign_piece *rest, struct csign_backup_file *file)
{
	struct csign_piece line, path, len;
	uint32_t number = 0;
	bool ended = false;

	if (!csign_piece_line(rest, &line, &ended) || !ended ||
	    !csign_piece_skip(&line, CSIGN_BACKUP_FILE) ||
	    !csign_piece_token(&line, &path) ||
	    !csign_piece_token(&line, &len) || line.len > 0 ||
	    !csign_piece_copy(&path, file->path, sizeof(file->path)) ||
	    !csign_piece_u32(&len, CSIGN_FILE_MAX, &number) || number == 0 ||
	    number > rest->len || rest->at[number - 1] != '\n')
		return false;
	file->text = (struct csign_piece){rest->at, number};
	rest->at += number;
	rest->len -= number;
	return true;
}

static enum csign_err
read_file(struct csign_crypto *crypto, struct csign_piece *rest,
    const struct csign_backup_file *last, struct csign_backup_file *file,
    struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	if (!cut_file(rest, file))
		return not_a_backup(why, "a file in it is malformed");
	/* So none is there twice. */
	if (last != NULL && strcmp(last->path, file->path) >= 0)
		return not_a_backup(why, "its files are not in their order");
	r = csign_backup_check(
	    crypto, file->path, file->path, &file->text, &file->whose, why);
	if (r == CSIGN_E_DEVICES || r == CSIGN_E_STATE)
		return CSIGN_E_FORMAT;
	return r;
}

static enum csign_err
read_files(struct csign_crypto *crypto, struct csign_piece rest,
    struct csign_backup *backup, struct csign_why *why)
{
	struct csign_backup_file *larger = NULL, *last = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;
	size_t room = 0;

	while (rest.len > 0) {
		if (backup->n == room) {
			room = room * 2 + 16;
			larger = reallocarray(
			    backup->files, room, sizeof(*backup->files));
			if (larger == NULL)
				return CSIGN_E_NOMEM;
			backup->files = larger;
		}
		last = backup->n == 0 ? NULL : &backup->files[backup->n - 1];
		r = read_file(
		    crypto, &rest, last, &backup->files[backup->n], why);
		if (r != CSIGN_OK)
			return r;
		backup->n++;
	}
	return CSIGN_OK;
}

enum csign_err
csign_backup_parse(struct csign_crypto *crypto, const char *text, size_t len,
    struct csign_backup *ret_backup, struct csign_why *why)
{
	struct csign_piece rest = {text, len}, line;
	struct csign_backup backup = {NULL, 0};
	enum csign_err r = CSIGN_E_INTERNAL;
	bool ended = false;

	if (len > CSIGN_BACKUP_MAX)
		return not_a_backup(why, "it is too long");
	/* What it is first: another version may have another checksum. */
	if (!csign_piece_line(&rest, &line, &ended))
		return not_a_backup(why, "it is empty");
	if ((r = read_header(line, why)) != CSIGN_OK)
		return r;
	rest = (struct csign_piece){text, len};
	if ((r = read_checksum(crypto, &rest, why)) != CSIGN_OK)
		return r;
	(void)csign_piece_line(&rest, &line, &ended);
	r = read_files(crypto, rest, &backup, why);
	if (r != CSIGN_OK) {
		csign_backup_clear(&backup);
		return r;
	}
	*ret_backup = backup;
	return CSIGN_OK;
}
