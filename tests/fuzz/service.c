/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole service behind one connection: heads, bodies, JSON, queries, and
 * what every call makes of them.  An input is what a client sends; a request
 * that comes with the key of its one host, 43 letters A, is one of a host.
 * Random bytes are counted here, so that an input can name what an earlier
 * request of it has made.
 */
#include "config.h"

#include <event2/event.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../service/api.h"
#include "../../service/log.h"
#include "../../service/reply.h"
#include "../../service/service.h"
#include "../../service/store_db.h"
#include "fuzz.h"
#include "json.h"

#define KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define INPUT_MAX ((size_t)100000)
#define OUTPUT_MAX ((size_t)1 << 20)
#define IDLE_ROUNDS 3

static uint8_t next_random;

enum csign_err __wrap_csign_random(void *bytes, size_t len);

enum csign_err
__wrap_csign_random(void *bytes, size_t len)
{
	memset(bytes, ++next_random, len);
	return CSIGN_OK;
}

/* --- the service ---------------------------------------------------------- */

static void
remove_folder(const char *folder)
{
	char path[64];

	(void)snprintf(path, sizeof path, "%s/:memory:.lock", folder);
	(void)unlink(path);
	(void)rmdir(folder);
}

/* A database in memory; beside it store_open() leaves a file for its lock. */
static struct store *
open_store(void)
{
	char folder[] = "/tmp/fuzz-service-XXXXXX";
	int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct csign_why why = {""};
	struct store *store = NULL;

	MUST(back != -1 && mkdtemp(folder) != NULL && chdir(folder) == 0);
	MUST(store_open(":memory:", STORE_SERVE, &why, &store) == CSIGN_OK);
	MUST(fchdir(back) == 0 && close(back) == 0);
	remove_folder(folder);
	return store;
}

/* The next table behind this name that is not the schema's own. */
static bool
next_table(sqlite3 *db, char name[64])
{
	sqlite3_stmt *stmt = NULL;
	bool found;

	MUST(sqlite3_prepare_v2(db,
		 "SELECT name FROM sqlite_master WHERE type = 'table' AND "
		 "name NOT LIKE 'sqlite_%' AND name != 'schema' AND name > ? "
		 "ORDER BY name LIMIT 1",
		 -1, &stmt, NULL) == SQLITE_OK);
	MUST(sqlite3_bind_text(stmt, 1, name, -1, SQLITE_TRANSIENT) ==
	     SQLITE_OK);
	if ((found = sqlite3_step(stmt) == SQLITE_ROW))
		(void)snprintf(
		    name, 64, "%s", (const char *)sqlite3_column_text(stmt, 0));
	(void)sqlite3_finalize(stmt);
	return found;
}

/* What makes every table empty, the order be as it may. */
static char *
write_emptying(sqlite3 *db)
{
	struct csign_buf *sql = fuzz_buf(4096);
	char table[64] = "", *text;

	MUST(csign_buf_put_str(sql, "PRAGMA foreign_keys = OFF;") == CSIGN_OK);
	while (next_table(db, table))
		MUST(csign_buf_putf(sql, "DELETE FROM \"%s\";", table) ==
		     CSIGN_OK);
	MUST(csign_buf_put_str(sql, "PRAGMA foreign_keys = ON;") == CSIGN_OK);
	text = strdup(csign_buf_str(sql));
	MUST(text != NULL);
	csign_buf_free(&sql);
	return text;
}

/* One for all inputs, since making it takes long, and empty for each. */
static struct store *
fresh_store(void)
{
	static struct store *store;
	static char *emptying;
	unsigned char hash[STORE_HASH_LEN];

	if (store == NULL) {
		store = open_store();
		emptying = write_emptying(store->db);
	}
	MUST(sqlite3_exec(store->db, emptying, NULL, NULL, NULL) == SQLITE_OK);
	MUST(EVP_Digest(KEY, strlen(KEY), hash, NULL, EVP_sha256(), NULL) == 1);
	MUST(store_host_add(store, "web1", NULL,
		 RIGHT_APPROVE | RIGHT_ENROL | RIGHT_MANAGE, hash,
		 1) == CSIGN_OK);
	return store;
}

static void
stopped(void *arg)
{
	(void)arg;
}

static void
start(struct service *s)
{
	const struct http_config config = {
	    .handler = api_handle,
	    .refuser = api_refuse,
	    .arg = s,
	    .max_connections = 4,
	    .stopped = stopped,
	    .base = s->base = event_base_new(),
	};

	MUST(s->base != NULL);
	s->settings.max_pending_user = 3;
	s->settings.max_pending_host = 50;
	s->out = fuzz_buf(REPLY_MAX);
	s->store = fresh_store();
	MUST(rate_new(0, &s->host_rate) == CSIGN_OK);
	MUST(rate_new(0, &s->address_rate) == CSIGN_OK);
	MUST(rate_new(0, &s->link_rate) == CSIGN_OK);
	MUST(rate_new(0, &s->log_rate) == CSIGN_OK);
	MUST(inbox_new(s->base, s->store, &s->inbox) == CSIGN_OK);
	MUST(approvals_new(s->base, s->store, s->inbox, &s->settings,
		 &s->approvals) == CSIGN_OK);
	MUST(http_server_new(&config, &s->http) == CSIGN_OK);
}

static void
stop(struct service *s)
{
	http_server_free(&s->http);
	approvals_free(&s->approvals);
	inbox_free(&s->inbox);
	event_base_free(s->base);
	rate_free(&s->host_rate);
	rate_free(&s->address_rate);
	rate_free(&s->link_rate);
	rate_free(&s->log_rate);
	csign_buf_free(&s->out);
}

/* --- its client ----------------------------------------------------------- */

/* A connection to a listener that the service has. */
static int
connect_to(struct service *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(sa_family_t);
	const int kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int listener = socket(AF_UNIX, kind, 0);
	int client = socket(AF_UNIX, kind, 0);

	/* The kernel chooses an abstract name. */
	MUST(listener != -1 && client != -1);
	MUST(bind(listener, (struct sockaddr *)&address, len) == 0);
	MUST(listen(listener, 1) == 0);
	len = sizeof address;
	MUST(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
	MUST(connect(client, (struct sockaddr *)&address, len) == 0);
	MUST(http_server_listen(s->http, listener, NULL) == CSIGN_OK);
	return client;
}

/* What there is to read; false: nothing, or the end. */
static bool
receive(int client, struct csign_buf *out)
{
	char bytes[4096];
	ssize_t n = recv(client, bytes, sizeof bytes, 0);

	if (n > 0)
		MUST(csign_buf_put(out, bytes, (size_t)n) == CSIGN_OK);
	return n > 0;
}

/* Until it has nothing more to say, which a question that waits has not. */
static void
talk(struct service *s, int client, const uint8_t *data, size_t size,
    struct csign_buf *out)
{
	size_t sent = 0;

	for (int idle = 0; idle < IDLE_ROUNDS; idle++) {
		ssize_t n = 0;

		if (sent < size)
			n = send(
			    client, data + sent, size - sent, MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		(void)event_base_loop(s->base, EVLOOP_NONBLOCK);
		while (receive(client, out))
			idle = 0;
		if (n > 0)
			idle = 0;
	}
}

/* --- its replies ---------------------------------------------------------- */

/* A field of the head that ends at end, or NULL; behind its colon and space. */
static const char *
field(const char *head, const char *end, const char *name)
{
	const char *at = strcasestr(head, name);

	return at != NULL && at < end ? at + strlen(name) : NULL;
}

static void
check_body(const char *head, const char *body, size_t len)
{
	const char *type = field(head, body, "\r\nContent-Type: ");
	struct json_object *object = NULL;

	MUST(type != NULL || len == 0);
	if (type == NULL || strncmp(type, "application/json\r\n", 18) != 0)
		return;
	MUST(csign_json_parse(body, len, &object) == CSIGN_OK);
	json_object_put(object);
}

/* One after the other; of those to HEAD there is no body, so it may end. */
static void
check_replies(const char *at, bool heads)
{
	while (*at != '\0') {
		const char *body = strstr(at, "\r\n\r\n"), *length;
		unsigned long len = 0;

		MUST(strncmp(at, "HTTP/1.1 ", 9) == 0);
		MUST(body != NULL);
		body += 4;
		length = field(at, body, "\r\nContent-Length: ");
		if (length != NULL)
			len = strtoul(length, NULL, 10);
		if (heads)
			return;
		MUST(strlen(body) >= len);
		check_body(at, body, len);
		at = body + len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct service service;
	struct csign_buf *out = fuzz_buf(OUTPUT_MAX);
	int client;

	if (size > INPUT_MAX)
		size = INPUT_MAX;
	next_random = 0;
	log_set_level(CSIGN_LOG_ERR);
	memset(&service, 0, sizeof service);
	start(&service);
	client = connect_to(&service);
	talk(&service, client, data, size, out);
	MUST(close(client) == 0);
	(void)event_base_loop(service.base, EVLOOP_NONBLOCK);
	MUST(http_server_connections(service.http) == 0);
	check_replies(
	    csign_buf_str(out), memmem(data, size, "HEAD", 4) != NULL);
	stop(&service);
	csign_buf_free(&out);
	return 0;
}
