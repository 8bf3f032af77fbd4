/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of the SQLite database and every statement on them.  Included by
 * store_db.h alone.
 *
 * approvals is small and hot: what is long stands beside it.  Each index is a
 * page more in most commits, so there are few.
 */
#ifndef SERVICE_STORE_SCHEMA_H
#define SERVICE_STORE_SCHEMA_H

#define SCHEMA_VERSION 3

/* Version 1.  Never changed: a new database takes every step from here on. */
#define SCHEMA_1                                                               \
	"CREATE TABLE schema (version INTEGER NOT NULL);"                      \
	"INSERT INTO schema VALUES (1);"                                       \
	"CREATE TABLE health (id INTEGER PRIMARY KEY, beat INTEGER NOT NULL);" \
	"CREATE TABLE spaces ("                                                \
	" id INTEGER PRIMARY KEY,"                                             \
	" name TEXT NOT NULL UNIQUE);"                                         \
	"CREATE TABLE hosts ("                                                 \
	" id INTEGER PRIMARY KEY,"                                             \
	" space INTEGER NOT NULL REFERENCES spaces,"                           \
	" name TEXT NOT NULL UNIQUE,"                                          \
	" rights INTEGER NOT NULL,"                                            \
	" key_hash BLOB NOT NULL UNIQUE,"                                      \
	" created INTEGER NOT NULL,"                                           \
	" open INTEGER NOT NULL DEFAULT 0);"                                   \
	"CREATE INDEX hosts_space ON hosts (space);"                           \
	"CREATE TABLE users ("                                                 \
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"                               \
	" space INTEGER NOT NULL REFERENCES spaces,"                           \
	" user_id TEXT NOT NULL UNIQUE,"                                       \
	" username TEXT NOT NULL,"                                             \
	" created INTEGER NOT NULL,"                                           \
	" UNIQUE (space, username));"                                          \
	"CREATE TABLE authenticators ("                                        \
	" space INTEGER NOT NULL,"                                             \
	" device_id TEXT NOT NULL,"                                            \
	" user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"           \
	" name TEXT NOT NULL,"                                                 \
	" created INTEGER NOT NULL,"                                           \
	" cookie_hash BLOB NOT NULL,"                                          \
	" PRIMARY KEY (space, device_id)) WITHOUT ROWID;"                      \
	"CREATE INDEX authenticators_user ON authenticators (user);"           \
	"CREATE TABLE approvals ("                                             \
	" id INTEGER PRIMARY KEY,"                                             \
	" space INTEGER NOT NULL,"                                             \
	" host INTEGER NOT NULL REFERENCES hosts ON DELETE CASCADE,"           \
	" kind INTEGER NOT NULL,"                                              \
	" state INTEGER NOT NULL,"                                             \
	" event INTEGER NOT NULL,"                                             \
	" sequence INTEGER NOT NULL,"                                          \
	" tries_left INTEGER NOT NULL,"                                        \
	" ends INTEGER NOT NULL,"                                              \
	" due INTEGER NOT NULL,"                                               \
	" user INTEGER,"                                                       \
	" username TEXT,"                                                      \
	" transaction_id TEXT NOT NULL UNIQUE,"                                \
	" token_hash BLOB NOT NULL,"                                           \
	" link_id TEXT NOT NULL UNIQUE,"                                       \
	" reason TEXT NOT NULL);"                                              \
	"CREATE INDEX approvals_open ON approvals (host, username)"            \
	" WHERE state <= 2;"                                                   \
	"CREATE INDEX approvals_due ON approvals (due);"                       \
	"CREATE TABLE sealed ("                                                \
	" approval INTEGER PRIMARY KEY REFERENCES approvals ON DELETE "        \
	"CASCADE,"                                                             \
	" content TEXT NOT NULL,"                                              \
	" answer TEXT);"                                                       \
	"CREATE TABLE claims ("                                                \
	" approval INTEGER PRIMARY KEY REFERENCES approvals ON DELETE "        \
	"CASCADE,"                                                             \
	" device_id TEXT NOT NULL,"                                            \
	" name TEXT NOT NULL,"                                                 \
	" cookie_hash BLOB NOT NULL);"

/*
 * 2: keys that were replaced and are good for a while; which device a host has
 * enrolled, and several phones that say that it is theirs; devices that are to
 * go; what was done by commands, until the log has it.
 */
#define SCHEMA_2                                                               \
	"CREATE TABLE old_keys ("                                              \
	" key_hash BLOB PRIMARY KEY,"                                          \
	" host INTEGER NOT NULL REFERENCES hosts ON DELETE CASCADE,"           \
	" ends INTEGER NOT NULL) WITHOUT ROWID;"                               \
	"CREATE INDEX old_keys_host ON old_keys (host);"                       \
	"ALTER TABLE approvals ADD COLUMN device_id TEXT;"                     \
	"ALTER TABLE claims RENAME TO claims_1;"                               \
	"CREATE TABLE claims ("                                                \
	" id INTEGER PRIMARY KEY,"                                             \
	" approval INTEGER NOT NULL REFERENCES approvals ON DELETE CASCADE,"   \
	" device_id TEXT NOT NULL,"                                            \
	" name TEXT NOT NULL,"                                                 \
	" cookie_hash BLOB NOT NULL,"                                          \
	" UNIQUE (approval, device_id));"                                      \
	"INSERT INTO claims (approval, device_id, name, cookie_hash)"          \
	" SELECT approval, device_id, name, cookie_hash FROM claims_1;"        \
	"DROP TABLE claims_1;"                                                 \
	"CREATE INDEX authenticators_cookie ON authenticators (cookie_hash);"  \
	"CREATE TABLE removals ("                                              \
	" space INTEGER NOT NULL,"                                             \
	" device_id TEXT NOT NULL,"                                            \
	" asked INTEGER NOT NULL,"                                             \
	" proof TEXT NOT NULL,"                                                \
	" PRIMARY KEY (space, device_id),"                                     \
	" FOREIGN KEY (space, device_id) REFERENCES authenticators"            \
	" ON DELETE CASCADE);"                                                 \
	"CREATE TABLE commands ("                                              \
	" id INTEGER PRIMARY KEY,"                                             \
	" time INTEGER NOT NULL,"                                              \
	" uid INTEGER NOT NULL,"                                               \
	" what TEXT NOT NULL,"                                                 \
	" name TEXT NOT NULL,"                                                 \
	" space TEXT NOT NULL);"                                               \
	"UPDATE schema SET version = 2;"

/*
 * 3: S, sealed to the devices that a question is for; where phones are rung,
 * and when they were.
 */
#define SCHEMA_3                                                               \
	"ALTER TABLE approvals ADD COLUMN created INTEGER NOT NULL DEFAULT 0;" \
	"CREATE TABLE copies ("                                                \
	" approval INTEGER NOT NULL REFERENCES approvals ON DELETE CASCADE,"   \
	" space INTEGER NOT NULL,"                                             \
	" device_id TEXT NOT NULL,"                                            \
	" sealed TEXT NOT NULL,"                                               \
	" PRIMARY KEY (approval, device_id),"                                  \
	" FOREIGN KEY (space, device_id) REFERENCES authenticators"            \
	" ON DELETE CASCADE) WITHOUT ROWID;"                                   \
	"CREATE INDEX copies_device ON copies (space, device_id);"             \
	"CREATE TABLE subscriptions ("                                         \
	" cookie_hash BLOB PRIMARY KEY,"                                       \
	" created INTEGER NOT NULL,"                                           \
	" endpoint TEXT NOT NULL,"                                             \
	" p256dh TEXT NOT NULL,"                                               \
	" auth TEXT NOT NULL);"                                                \
	"CREATE INDEX subscriptions_endpoint ON subscriptions (endpoint);"     \
	"CREATE TABLE rings ("                                                 \
	" id INTEGER PRIMARY KEY,"                                             \
	" cookie_hash BLOB NOT NULL,"                                          \
	" host INTEGER NOT NULL REFERENCES hosts ON DELETE CASCADE,"           \
	" username TEXT NOT NULL,"                                             \
	" time INTEGER NOT NULL,"                                              \
	" forgiven INTEGER NOT NULL DEFAULT 0);"                               \
	"CREATE INDEX rings_phone ON rings (cookie_hash);"                     \
	"CREATE INDEX rings_host ON rings (host, username);"                   \
	"UPDATE schema SET version = 3;"

#define APPROVAL_COLUMNS                                                       \
	"SELECT id, space, host, kind, state, event, sequence, tries_left,"    \
	" ends, due, transaction_id, reason, username FROM approvals WHERE "
#define HOST_COLUMNS(old_ends)                                                 \
	"SELECT h.id, h.space, h.rights, h.created, h.name, s.name, " old_ends \
	" FROM hosts h JOIN spaces s ON s.id = h.space "
#define IS_REMOVED(a)                                                          \
	"EXISTS (SELECT 1 FROM removals r WHERE r.space = " a ".space"         \
	" AND r.device_id = " a ".device_id)"
#define USER_COLUMNS                                                           \
	"SELECT u.id, u.created, u.user_id, u.username, u.space, s.name,"      \
	" (SELECT count(*) FROM authenticators a WHERE a.user = u.id"          \
	" AND NOT " IS_REMOVED(                                                \
	    "a") ")"                                                           \
		 " FROM users u JOIN spaces s ON s.id = u.space WHERE "
#define DEVICE_COLUMNS                                                         \
	"SELECT a.device_id, a.name, a.created, u.username, "                  \
	"a.space, " IS_REMOVED(                                                \
	    "a") ", EXISTS (SELECT 1 FROM subscriptions s"                     \
		 " WHERE s.cookie_hash = a.cookie_hash)"                       \
		 " FROM authenticators a JOIN users u ON u.id = a.user "
/* The devices with a copy of a question. */
#define COPIES_OF                                                              \
	" FROM copies c JOIN authenticators a USING (space, device_id)"
/* ?1: the phone; all that have the endpoint that it has. */
#define SAME_ENDPOINT                                                          \
	"(SELECT ?1 UNION SELECT cookie_hash FROM subscriptions"               \
	" WHERE endpoint = (SELECT endpoint FROM subscriptions"                \
	" WHERE cookie_hash = ?1))"

/* clang-format off */
#define STATEMENTS(X)                                                          \
	X(BEGIN, "BEGIN IMMEDIATE")                                            \
	X(COMMIT, "COMMIT")                                                    \
	X(ROLLBACK, "ROLLBACK")                                                \
	X(BEAT, "INSERT OR REPLACE INTO health VALUES (1, ?1)")                \
	X(BEAT_READ, "SELECT beat FROM health WHERE id = 1")                   \
	X(SPACE_ADD, "INSERT INTO spaces (name) VALUES (?1)")                  \
	X(SPACE_FIND, "SELECT id FROM spaces WHERE name = ?1")                 \
	X(HOST_ADD, "INSERT INTO hosts (space, name, rights, key_hash,"        \
	    " created) VALUES (?1, ?2, ?3, ?4, ?5)")                           \
	X(HOST_REMOVE, "DELETE FROM hosts WHERE name = ?1")                    \
	X(HOST_BY_KEY, HOST_COLUMNS("0") "WHERE h.key_hash = ?1")              \
	X(HOST_BY_OLD_KEY, HOST_COLUMNS("o.ends") "JOIN old_keys o"            \
	    " ON o.host = h.id WHERE o.key_hash = ?1 AND o.ends > ?2")         \
	X(HOST_BY_NAME, HOST_COLUMNS("0") "WHERE h.name = ?1")                 \
	X(HOST_ALL, HOST_COLUMNS("(SELECT max(ends) FROM old_keys"             \
	    " WHERE host = h.id AND ends > ?1)") "ORDER BY h.name")            \
	X(KEY_SET, "UPDATE hosts SET key_hash = ?2 WHERE id = ?1")             \
	X(OLD_KEY_KEEP, "INSERT INTO old_keys (key_hash, host, ends)"          \
	    " SELECT key_hash, id, ?2 FROM hosts WHERE id = ?1")               \
	X(OLD_KEY_SOONER, "UPDATE old_keys SET ends = ?2"                      \
	    " WHERE host = ?1 AND ends > ?2")                                  \
	X(OLD_KEY_EXPIRE, "DELETE FROM old_keys WHERE ends <= ?1")             \
	X(COMMAND_ADD, "INSERT INTO commands (time, uid, what, name, space)"   \
	    " VALUES (?1, ?2, ?3, ?4, ?5)")                                    \
	X(COMMAND_ALL, "SELECT id, time, uid, what, name, space"               \
	    " FROM commands ORDER BY id")                                      \
	X(COMMAND_DROP, "DELETE FROM commands WHERE id <= ?1")                 \
	X(DATA_VERSION, "PRAGMA data_version")                                 \
	X(HOST_ROOM, "UPDATE hosts SET open = open + 1"                        \
	    " WHERE id = ?1 AND open < ?2")                                    \
	X(HOST_CLOSE, "UPDATE hosts SET open = open - 1 WHERE id = ?1")        \
	X(USER_ADD, "INSERT INTO users (space, user_id, username, created)"    \
	    " VALUES (?1, ?2, ?3, ?4)"                                         \
	    " ON CONFLICT (space, username) DO NOTHING")                       \
	X(USER_BY_NAME, USER_COLUMNS "u.space = ?1 AND u.username = ?2")       \
	X(USER_BY_ID, USER_COLUMNS "u.space = ?1 AND u.user_id = ?2")          \
	X(USER_REMOVE, "DELETE FROM users WHERE id = ?1")                      \
	X(USER_ALL, USER_COLUMNS "(?1 = 0 OR u.space = ?1)"                    \
	    " AND (?2 IS NULL OR u.username = ?2)"                             \
	    " ORDER BY s.name, u.username")                                    \
	X(AUTH_ALL, DEVICE_COLUMNS "WHERE a.user = ?1"                         \
	    " ORDER BY a.created, a.device_id LIMIT ?2")                       \
	X(AUTH_OF_COOKIE, DEVICE_COLUMNS "WHERE a.cookie_hash = ?1"            \
	    " ORDER BY a.created, a.device_id LIMIT ?2")                       \
	X(REMOVAL_PUT, "INSERT OR REPLACE INTO removals"                       \
	    " (space, device_id, asked, proof) SELECT space, device_id, ?3, ?4" \
	    " FROM authenticators WHERE cookie_hash = ?1 AND device_id = ?2")  \
	X(REMOVAL_SOME, "SELECT r.device_id, r.proof FROM removals r"          \
	    " JOIN authenticators a USING (space, device_id)"                  \
	    " JOIN users u ON u.id = a.user"                                   \
	    " WHERE r.space = ?1 AND r.asked > ?3"                             \
	    " ORDER BY u.username IS ?2 DESC, random() LIMIT ?4")              \
	X(REMOVAL_EXPIRE, "DELETE FROM authenticators WHERE EXISTS"            \
	    " (SELECT 1 FROM removals r WHERE r.space = authenticators.space"  \
	    " AND r.device_id = authenticators.device_id"                      \
	    " AND r.asked <= ?1)")                                             \
	X(AUTH_RENAME, "UPDATE authenticators SET name = ?3"                   \
	    " WHERE space = ?1 AND device_id = ?2")                            \
	X(AUTH_REMOVE, "DELETE FROM authenticators"                            \
	    " WHERE space = ?1 AND device_id = ?2")                            \
	X(AUTH_OWNER, "SELECT user, " IS_REMOVED("a") " FROM authenticators a" \
	    " WHERE space = ?1 AND device_id = ?2")                            \
	X(AUTH_FROM_CLAIM, "INSERT INTO authenticators (space, device_id,"     \
	    " user, name, created, cookie_hash)"                               \
	    " SELECT a.space, c.device_id, a.user, c.name, ?2, c.cookie_hash"  \
	    " FROM approvals a JOIN claims c ON c.approval = a.id"             \
	    " JOIN users u ON u.id = a.user"                                   \
	    " WHERE a.id = ?1 AND (SELECT count(*) FROM authenticators"        \
	    " WHERE user = a.user) < ?3"                                       \
	    " AND c.device_id = coalesce(a.device_id, c.device_id)"            \
	    " ORDER BY c.id DESC LIMIT 1"                                      \
	    " ON CONFLICT (space, device_id) DO UPDATE"                        \
	    " SET name = excluded.name, cookie_hash = excluded.cookie_hash"    \
	    " WHERE user = excluded.user AND NOT EXISTS (SELECT 1"             \
	    " FROM removals r WHERE r.space = excluded.space"                  \
	    " AND r.device_id = excluded.device_id)")                          \
	X(CLAIM_COUNT, "SELECT count(*), total(device_id = ?2),"               \
	    " total(device_id = ?2 AND cookie_hash = ?3)"                      \
	    " FROM claims WHERE approval = ?1")                                \
	X(CLAIM_OF, "SELECT 1 FROM claims"                                     \
	    " WHERE approval = ?1 AND cookie_hash = ?2")                       \
	X(CLAIM_PUT, "INSERT OR REPLACE INTO claims (approval, device_id,"     \
	    " name, cookie_hash) VALUES (?1, ?2, ?3, ?4)")                     \
	X(CLAIM_FOR, "SELECT user, device_id FROM approvals WHERE id = ?1")    \
	X(DEVICE_SET, "UPDATE approvals SET device_id = ?2 WHERE id = ?1")     \
	X(USER_ROOM, "SELECT count(*) FROM (SELECT 1 FROM approvals"           \
	    " WHERE host = ?1 AND username = ?2 AND state <= 2 LIMIT ?3)")     \
	X(CREATE, "INSERT INTO approvals (space, host, kind, state, event,"    \
	    " sequence, tries_left, ends, due, user, username,"                \
	    " transaction_id, link_id, token_hash, created, reason) VALUES"    \
	    " (?1, ?2, ?3, 0, 0, 1, -1, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, '')") \
	X(SEALED_PUT, "INSERT INTO sealed (approval, content)"                 \
	    " VALUES (?1, ?2)")                                                \
	X(SEALED_DROP, "DELETE FROM sealed WHERE approval = ?1")               \
	X(CONTENT_GET, "SELECT content FROM sealed WHERE approval = ?1")       \
	X(ANSWER_PUT, "UPDATE sealed SET answer = ?2 WHERE approval = ?1")     \
	X(ANSWER_GET, "SELECT answer FROM sealed WHERE approval = ?1"          \
	    " AND answer IS NOT NULL")                                         \
	X(BY_ID, APPROVAL_COLUMNS "id = ?1")                                   \
	X(BY_TOKEN, APPROVAL_COLUMNS "transaction_id = ?1"                     \
	    " AND token_hash = ?2")                                            \
	X(BY_TRANSACTION, APPROVAL_COLUMNS "transaction_id = ?2"               \
	    " AND space = ?1")                                                 \
	X(BY_LINK, APPROVAL_COLUMNS "link_id = ?1")                            \
	X(CHANGE, "UPDATE approvals SET state = ?3, event = ?4,"               \
	    " sequence = ?2, tries_left = ?5, due = ?6, reason = ?7"           \
	    " WHERE id = ?1 AND sequence = ?2 - 1")                            \
	X(POSTPONE, "UPDATE approvals SET due = ?2 WHERE id = ?1")             \
	X(OPEN_OF, "SELECT id FROM approvals WHERE host IN"                    \
	    " (SELECT id FROM hosts WHERE space = ?1)"                         \
	    " AND username = ?2 AND state <= 2 LIMIT ?3")                      \
	X(DUE, "SELECT id FROM approvals WHERE due <= ?1"                      \
	    " ORDER BY due LIMIT ?2")                                          \
	X(REMOVE, "DELETE FROM approvals WHERE id = ?1")                       \
	X(NEXT_DUE, "SELECT due FROM approvals ORDER BY due LIMIT 1")          \
	X(COPY_PUT, "INSERT INTO copies (approval, space, device_id, sealed)"  \
	    " SELECT ?1, a.space, a.device_id, ?5 FROM authenticators a"       \
	    " JOIN users u ON u.id = a.user WHERE a.space = ?2"                \
	    " AND a.device_id = ?3 AND u.username = ?4"                        \
	    " AND NOT " IS_REMOVED("a"))                                       \
	X(COPY_WIPE, "UPDATE copies SET sealed = '' WHERE approval = ?1")      \
	X(INBOX, "SELECT p.id, p.state, p.sequence, p.created, p.ends,"        \
	    " p.link_id, c.device_id, c.sealed" COPIES_OF                      \
	    " JOIN approvals p ON p.id = c.approval"                           \
	    " WHERE a.cookie_hash = ?1 AND p.state <= 2"                       \
	    " AND (p.ends > ?2 OR p.state = 2) AND NOT " IS_REMOVED("a")       \
	    " ORDER BY p.created DESC, p.id DESC, c.device_id LIMIT ?3")       \
	X(INBOX_PHONES, "SELECT DISTINCT a.cookie_hash" COPIES_OF              \
	    " WHERE c.approval = ?1 LIMIT ?2")                                 \
	X(SUBSCRIPTION_SOME, "SELECT s.cookie_hash, s.created, s.endpoint,"    \
	    " s.p256dh, s.auth, min(c.device_id)" COPIES_OF                    \
	    " JOIN subscriptions s ON s.cookie_hash = a.cookie_hash"           \
	    " WHERE c.approval = ?1 AND NOT " IS_REMOVED("a")                  \
	    " GROUP BY s.cookie_hash LIMIT ?3")                                \
	X(SUBSCRIPTION_OTHERS, "SELECT s.cookie_hash, s.created, s.endpoint,"  \
	    " s.p256dh, s.auth, min(a.device_id) FROM authenticators o"        \
	    " JOIN authenticators a ON a.user = o.user"                        \
	    " JOIN subscriptions s ON s.cookie_hash = a.cookie_hash"           \
	    " WHERE o.space = ?1 AND o.device_id = ?2"                         \
	    " AND s.cookie_hash IS NOT o.cookie_hash"                          \
	    " AND NOT " IS_REMOVED("a") " GROUP BY s.cookie_hash LIMIT ?3")    \
	X(SUBSCRIPTION_PUT, "INSERT OR REPLACE INTO subscriptions"             \
	    " (cookie_hash, created, endpoint, p256dh, auth)"                  \
	    " VALUES (?1, ?2, ?3, ?4, ?5)")                                    \
	X(SUBSCRIPTION_GET, "SELECT cookie_hash, created, endpoint, p256dh,"   \
	    " auth, '' FROM subscriptions WHERE cookie_hash = ?1")             \
	X(SUBSCRIPTION_REMOVE, "DELETE FROM subscriptions"                     \
	    " WHERE cookie_hash = ?1")                                         \
	X(SUBSCRIPTION_DROP, "DELETE FROM subscriptions"                       \
	    " WHERE cookie_hash = ?1 AND endpoint = ?2")                       \
	X(SUBSCRIPTION_OF_DEVICE, "DELETE FROM subscriptions"                  \
	    " WHERE cookie_hash IN (SELECT cookie_hash FROM authenticators"    \
	    " WHERE space = ?1 AND device_id = ?2) AND NOT EXISTS"             \
	    " (SELECT 1 FROM authenticators o"                                 \
	    " WHERE o.cookie_hash = subscriptions.cookie_hash"                 \
	    " AND NOT (o.space = ?1 AND o.device_id = ?2))")                   \
	X(SUBSCRIPTION_OF_USER, "DELETE FROM subscriptions"                    \
	    " WHERE cookie_hash IN (SELECT cookie_hash FROM authenticators"    \
	    " WHERE user = ?1) AND NOT EXISTS (SELECT 1 FROM authenticators o" \
	    " WHERE o.cookie_hash = subscriptions.cookie_hash"                 \
	    " AND o.user != ?1)")                                              \
	X(SUBSCRIPTION_EXPIRE, "DELETE FROM subscriptions WHERE NOT EXISTS"    \
	    " (SELECT 1 FROM authenticators a"                                 \
	    " WHERE a.cookie_hash = subscriptions.cookie_hash)")               \
	X(RING_COUNT, "SELECT total(time > ?2 AND NOT forgiven),"              \
	    " total(NOT forgiven), total(time > ?2), count(*) FROM rings"      \
	    " WHERE time > ?3 AND cookie_hash IN " SAME_ENDPOINT)              \
	X(RING_PUT, "INSERT INTO rings (cookie_hash, host, username, time,"    \
	    " forgiven) VALUES (?1, ?2, ?3, ?4, ?5)")                          \
	X(RING_FORGIVE, "UPDATE rings SET forgiven = 1"                        \
	    " WHERE host = ?1 AND username = ?2")                              \
	X(RING_EXPIRE, "DELETE FROM rings WHERE time <= ?1")                   \
	X(RING_AHEAD, "UPDATE rings SET time = ?1 WHERE time > ?1")
/* clang-format on */

#endif
