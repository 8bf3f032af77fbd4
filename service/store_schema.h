/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of the SQLite database and every statement on them.  Included by
 * store_sqlite.c alone.
 *
 * approvals is small and hot: what is long stands beside it.  Each index is a
 * page more in most commits, so there are few.
 */
#ifndef SERVICE_STORE_SCHEMA_H
#define SERVICE_STORE_SCHEMA_H

#define SCHEMA_VERSION 1

static const char schema_sql[] =
    "CREATE TABLE schema (version INTEGER NOT NULL);"
    "INSERT INTO schema VALUES (1);"
    "CREATE TABLE health (id INTEGER PRIMARY KEY, beat INTEGER NOT NULL);"
    "CREATE TABLE spaces ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE hosts ("
    " id INTEGER PRIMARY KEY,"
    " space INTEGER NOT NULL REFERENCES spaces,"
    " name TEXT NOT NULL UNIQUE,"
    " rights INTEGER NOT NULL,"
    " key_hash BLOB NOT NULL UNIQUE,"
    " created INTEGER NOT NULL,"
    " open INTEGER NOT NULL DEFAULT 0);" /* approvals now open */
    "CREATE INDEX hosts_space ON hosts (space);"
    "CREATE TABLE users ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT," /* approvals name it */
    " space INTEGER NOT NULL REFERENCES spaces,"
    " user_id TEXT NOT NULL UNIQUE,"
    " username TEXT NOT NULL,"
    " created INTEGER NOT NULL,"
    " UNIQUE (space, username));"
    "CREATE TABLE authenticators ("
    " space INTEGER NOT NULL,"
    " device_id TEXT NOT NULL,"
    " user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"
    " name TEXT NOT NULL,"
    " created INTEGER NOT NULL,"
    " cookie_hash BLOB NOT NULL,"
    " PRIMARY KEY (space, device_id)) WITHOUT ROWID;"
    "CREATE INDEX authenticators_user ON authenticators (user);"
    "CREATE TABLE approvals ("
    " id INTEGER PRIMARY KEY,"
    " space INTEGER NOT NULL,"
    " host INTEGER NOT NULL REFERENCES hosts ON DELETE CASCADE,"
    " kind INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " event INTEGER NOT NULL,"
    " sequence INTEGER NOT NULL,"
    " tries_left INTEGER NOT NULL,"
    " ends INTEGER NOT NULL,"
    " due INTEGER NOT NULL,"
    " user INTEGER," /* of an enrolment */
    " username TEXT,"
    " transaction_id TEXT NOT NULL UNIQUE,"
    " token_hash BLOB NOT NULL," /* transaction_id is its beginning */
    " link_id TEXT NOT NULL UNIQUE,"
    " reason TEXT NOT NULL);"
    "CREATE INDEX approvals_open ON approvals (host, username)"
    " WHERE state <= 2;"
    "CREATE INDEX approvals_due ON approvals (due);"
    "CREATE TABLE sealed ("
    " approval INTEGER PRIMARY KEY REFERENCES approvals ON DELETE CASCADE,"
    " content TEXT NOT NULL,"
    " answer TEXT);"
    "CREATE TABLE claims ("
    " approval INTEGER PRIMARY KEY REFERENCES approvals ON DELETE CASCADE,"
    " device_id TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " cookie_hash BLOB NOT NULL);";

#define APPROVAL_COLUMNS                                                       \
	"SELECT id, space, host, kind, state, event, sequence, tries_left,"    \
	" ends, due, transaction_id, reason FROM approvals WHERE "
#define HOST_COLUMNS                                                           \
	"SELECT h.id, h.space, h.rights, h.created, h.name, s.name"            \
	" FROM hosts h JOIN spaces s ON s.id = h.space "
#define USER_COLUMNS                                                           \
	"SELECT u.id, u.created, u.user_id, u.username,"                       \
	" EXISTS (SELECT 1 FROM authenticators a WHERE a.user = u.id)"         \
	" FROM users u WHERE u.space = ?1 AND "

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
	X(HOST_BY_KEY, HOST_COLUMNS "WHERE h.key_hash = ?1")                   \
	X(HOST_ALL, HOST_COLUMNS "ORDER BY h.name")                            \
	X(HOST_ROOM, "UPDATE hosts SET open = open + 1"                        \
	    " WHERE id = ?1 AND open < ?2")                                    \
	X(HOST_CLOSE, "UPDATE hosts SET open = open - 1 WHERE id = ?1")        \
	X(USER_ADD, "INSERT INTO users (space, user_id, username, created)"    \
	    " VALUES (?1, ?2, ?3, ?4)"                                         \
	    " ON CONFLICT (space, username) DO NOTHING")                       \
	X(USER_BY_NAME, USER_COLUMNS "u.username = ?2")                        \
	X(USER_BY_ID, USER_COLUMNS "u.user_id = ?2")                           \
	X(USER_REMOVE, "DELETE FROM users WHERE id = ?1")                      \
	X(AUTH_ALL, "SELECT device_id, name, created FROM authenticators"      \
	    " WHERE user = ?1 ORDER BY created, device_id LIMIT ?2")           \
	X(AUTH_RENAME, "UPDATE authenticators SET name = ?3"                   \
	    " WHERE space = ?1 AND device_id = ?2")                            \
	X(AUTH_REMOVE, "DELETE FROM authenticators"                            \
	    " WHERE space = ?1 AND device_id = ?2")                            \
	X(AUTH_OWNER, "SELECT user FROM authenticators"                        \
	    " WHERE space = ?1 AND device_id = ?2")                            \
	X(AUTH_FROM_CLAIM, "INSERT INTO authenticators (space, device_id,"     \
	    " user, name, created, cookie_hash)"                               \
	    " SELECT a.space, c.device_id, a.user, c.name, ?2, c.cookie_hash"  \
	    " FROM approvals a JOIN claims c ON c.approval = a.id"             \
	    " JOIN users u ON u.id = a.user"                                   \
	    " WHERE a.id = ?1 AND (SELECT count(*) FROM authenticators"        \
	    " WHERE user = a.user) < ?3"                                       \
	    " ON CONFLICT (space, device_id) DO UPDATE"                        \
	    " SET name = excluded.name, cookie_hash = excluded.cookie_hash"    \
	    " WHERE user = excluded.user")                                     \
	X(CLAIM_FIND, "SELECT device_id FROM claims WHERE approval = ?1")      \
	X(CLAIM_PUT, "INSERT OR REPLACE INTO claims VALUES (?1, ?2, ?3, ?4)")  \
	X(CLAIM_USER, "SELECT user FROM approvals WHERE id = ?1")              \
	X(USER_ROOM, "SELECT count(*) FROM (SELECT 1 FROM approvals"           \
	    " WHERE host = ?1 AND username = ?2 AND state <= 2 LIMIT ?3)")     \
	X(CREATE, "INSERT INTO approvals (space, host, kind, state, event,"    \
	    " sequence, tries_left, ends, due, user, username,"                \
	    " transaction_id, link_id, token_hash, reason) VALUES"             \
	    " (?1, ?2, ?3, 0, 0, 1, -1, ?4, ?4, ?5, ?6, ?7, ?8, ?9, '')")      \
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
	X(NEXT_DUE, "SELECT due FROM approvals ORDER BY due LIMIT 1")
/* clang-format on */

#endif
