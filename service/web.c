/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "reply.h"
#include "web.h"

/* symbol, name, path, Content-Type; sorted by name. */
/* clang-format off */
#define WEB_FILES(X)                                                           \
	X(approval, "approval.js", "/approval.js", JS)                         \
	X(carrier, "carrier.js", "/carrier.js", JS)                            \
	X(enrolment_device, "enrolment-device.js", "/enrolment-device.js", JS) \
	X(enrolment_screens, "enrolment-screens.js", "/enrolment-screens.js",  \
	    JS)                                                                \
	X(enrolment, "enrolment.js", "/enrolment.js", JS)                      \
	X(field, "field.js", "/field.js", JS)                                  \
	X(home_screen, "home-screen.js", "/home-screen.js", JS)                \
	X(home, "home.js", "/home.js", JS)                                     \
	X(icon_192, "icon-192.png", "/icon-192.png", "image/png")              \
	X(icon, "icon.svg", "/icon.svg", "image/svg+xml")                      \
	X(inbox, "inbox.js", "/inbox.js", JS)                                  \
	X(index, "index.html", "/", "text/html; charset=utf-8")                \
	X(install, "install.js", "/install.js", JS)                            \
	X(main, "main.js", "/main.js", JS)                                     \
	X(manifest, "manifest.webmanifest", "/manifest.webmanifest",           \
	    "application/manifest+json")                                       \
	X(memory, "memory.js", "/memory.js", JS)                               \
	X(passkey, "passkey.js", "/passkey.js", JS)                            \
	X(protocol, "protocol.js", "/protocol.js", JS)                         \
	X(rare_words, "rare-words.js", "/rare-words.js", JS)                   \
	X(removal, "removal.js", "/removal.js", JS)                            \
	X(ring, "ring.js", "/ring.js", JS)                                     \
	X(service, "service.json", "/service.json", "application/json")        \
	X(style, "style.css", "/style.css", "text/css; charset=utf-8")         \
	X(sw, "sw.js", "/sw.js", JS)                                           \
	X(trouble, "trouble.js", "/trouble.js", JS)                            \
	X(verdict, "verdict.js", "/verdict.js", JS)                            \
	X(view, "view.js", "/view.js", JS)                                     \
	X(visit, "visit.js", "/visit.js", JS)                                  \
	X(words, "words.js", "/words.js", JS)
/* clang-format on */

#define JS "text/javascript; charset=utf-8"

/* The assembler reads the files; WEB_FOLDER is where they are. */
#define WEB_EMBED(symbol, name, path, type)                                    \
	__asm__(".pushsection .rodata.web,\"a\",%progbits\n"                   \
		"web_" #symbol ":\n\t.incbin \"" WEB_FOLDER name "\"\n"        \
		"web_" #symbol "_end:\n\t.popsection\n");                      \
	extern const unsigned char web_##symbol[], web_##symbol##_end[];
WEB_FILES(WEB_EMBED)

#define WEB_ENTRY(symbol, name, path, type)                                    \
	{name, path, type, web_##symbol, web_##symbol##_end},
static const struct web_file files[] = {WEB_FILES(WEB_ENTRY)};
#define N_FILES (sizeof files / sizeof files[0])

const struct web_file *
web_file(size_t index)
{
	return index < N_FILES ? &files[index] : NULL;
}

size_t
web_file_len(const struct web_file *file)
{
	return (size_t)(file->end - file->data);
}

enum csign_err
web_file_hash(const struct web_file *file, char ret_hash[WEB_HASH_SIZE])
{
	unsigned char hash[32];
	size_t i;

	if (EVP_Digest(file->data, web_file_len(file), hash, NULL, EVP_sha256(),
		NULL) != 1)
		return CSIGN_E_CRYPTO;
	for (i = 0; i < sizeof hash; i++)
		(void)snprintf(ret_hash + 2 * i, 3, "%02x", hash[i]);
	return CSIGN_OK;
}

static const struct web_file *
find(const char *path)
{
	size_t i;

	for (i = 0; i < N_FILES; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	return NULL;
}

/* One of the tags in If-None-Match; * fits everything. */
static bool
has_tag(const char *field, const char *tag)
{
	return field != NULL &&
	       (strcmp(field, "*") == 0 || strstr(field, tag) != NULL);
}

static void
serve(struct call *call)
{
	const struct web_file *file = find(call->request->head.path);
	char hash[WEB_HASH_SIZE], tag[WEB_HASH_SIZE + 2];
	char extra[sizeof "ETag: \r\n" + sizeof tag];
	struct http_reply reply = {.cache = "no-cache", .extra = extra};
	enum csign_err r;

	if (file == NULL) {
		call_fail(call, CSIGN_E_NOT_FOUND);
		return;
	}
	if ((r = web_file_hash(file, hash)) != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	(void)snprintf(tag, sizeof tag, "\"%s\"", hash);
	(void)snprintf(extra, sizeof extra, "ETag: %s\r\n", tag);
	reply.status =
	    has_tag(call->request->head.field[HTTP_IF_NONE_MATCH], tag) ? 304
									: 200;
	if (reply.status == 200) {
		reply.type = file->type;
		reply.body = file->data;
		reply.body_len = web_file_len(file);
	}
	http_reply(call->conn, &reply);
}

#define WEB_ROUTE(symbol, name, path, type)                                    \
	{path, HTTP_GET, SIDE_OPEN, 0, false, serve},
const struct route web_routes[] = {
    WEB_FILES(WEB_ROUTE){NULL, 0, SIDE_OPEN, 0, false, NULL},
};
