/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lines.h"
#include "sshd_conf.h"

#define DEPTH_MAX 16
#define SETTINGS_MAX 4096

enum match {
	MATCH_NONE, /* outside of every block */
	MATCH_ALL,
	MATCH_USERS,
	MATCH_UNCLEAR, /* by something that only a login knows */
};

struct setting {
	char keyword[64]; /* lower case */
	char value[SSHD_VALUE_SIZE];
	char at[CHECK_SUBJECT_SIZE];
	enum match match;
	char users[SSHD_VALUE_SIZE]; /* patterns, "alice,b*,!bob" */
};

struct sshd_conf {
	struct setting *item;
	size_t n;
	unsigned int depth;
	bool includes, broken;
	/* the block that the next line is in */
	enum match match;
	char users[SSHD_VALUE_SIZE];
};

static void read_file(struct sshd_conf *conf, const char *path);

static void
include_one(void *arg, const char *path)
{
	read_file(arg, path);
}

/* Relative ones are below /etc/ssh. */
static void
take_include(struct sshd_conf *conf, char *patterns)
{
	char *pattern, path[SSHD_VALUE_SIZE + 16];

	while ((pattern = check_word(&patterns, "\"")) != NULL) {
		(void)snprintf(path, sizeof path, "%s%s",
		    pattern[0] == '/' ? "" : "/etc/ssh/", pattern);
		if (strncmp(path, SSHD_CONFIG ".d/",
			strlen(SSHD_CONFIG ".d/")) == 0)
			conf->includes = true;
		(void)check_each(path, include_one, conf);
	}
}

/* "User alice,bob" is understood, "Address ..." is not. */
static void
take_match(struct sshd_conf *conf, char *criteria)
{
	char *word = check_word(&criteria, "="), *users = NULL;

	if (word != NULL && strcasecmp(word, "user") == 0)
		users = check_word(&criteria, "=\"");
	if (word != NULL && strcasecmp(word, "all") == 0)
		conf->match = MATCH_ALL;
	else if (users != NULL && check_word(&criteria, "") == NULL)
		conf->match = MATCH_USERS;
	else
		conf->match = MATCH_UNCLEAR;
	(void)snprintf(
	    conf->users, sizeof conf->users, "%s", users != NULL ? users : "");
}

static void
keep(struct sshd_conf *conf, const char *keyword, const char *value,
    const char *file, unsigned int line)
{
	struct setting *more;

	if (conf->n == SETTINGS_MAX)
		return;
	more = reallocarray(conf->item, conf->n + 1, sizeof *more);
	if (more == NULL) {
		conf->broken = true;
		return;
	}
	conf->item = more;
	more = &more[conf->n++];
	*more = (struct setting){.match = conf->match};
	(void)snprintf(more->keyword, sizeof more->keyword, "%s", keyword);
	(void)snprintf(more->value, sizeof more->value, "%s", value);
	memcpy(more->users, conf->users, sizeof more->users);
	(void)check_at(more->at, file, line);
}

/* Old names of what has another one now. */
static const char *
modern(const char *keyword)
{
	if (strcmp(keyword, "challengeresponseauthentication") == 0 ||
	    strcmp(keyword, "skeyauthentication") == 0)
		return "kbdinteractiveauthentication";
	if (strcmp(keyword, "dsaauthentication") == 0)
		return "pubkeyauthentication";
	return keyword;
}

static void
take_line(
    struct sshd_conf *conf, char *line, const char *file, unsigned int number)
{
	char *keyword, *comment, *value = line;

	if (line[0] == '#' || (keyword = check_word(&value, "=")) == NULL)
		return;
	for (char *c = keyword; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	value += strspn(value, " =");
	if ((comment = strstr(value, " #")) != NULL)
		*comment = '\0';
	if (strcmp(keyword, "include") == 0) {
		take_include(conf, value);
	} else if (strcmp(keyword, "match") == 0) {
		take_match(conf, value);
		keep(conf, "match", conf->users, file, number);
	} else {
		keep(conf, modern(keyword), value, file, number);
	}
}

static void
read_file(struct sshd_conf *conf, const char *path)
{
	struct check_lines lines = {0};
	enum match match = conf->match;
	char users[SSHD_VALUE_SIZE];
	char *text;

	if (conf->depth == DEPTH_MAX ||
	    (text = check_text(path, CHECK_TEXT_MAX)) == NULL)
		return;
	memcpy(users, conf->users, sizeof users);
	conf->depth++;
	lines.next = text;
	while (check_line(&lines, false))
		take_line(conf, lines.line, path, lines.number);
	conf->depth--;
	/* a block ends with its file */
	conf->match = match;
	memcpy(conf->users, users, sizeof users);
	free(text);
}

struct sshd_conf *
sshd_conf_read(void)
{
	struct sshd_conf *conf = calloc(1, sizeof *conf);
	char *text = check_text(SSHD_CONFIG, 1);

	if (conf != NULL && text != NULL)
		read_file(conf, SSHD_CONFIG);
	if (conf != NULL && (text == NULL || conf->broken))
		sshd_conf_free(&conf);
	free(text);
	return conf;
}

void
sshd_conf_free(struct sshd_conf **conf)
{
	if (*conf != NULL)
		free((*conf)->item);
	free(*conf);
	*conf = NULL;
}

/* sshd's lists of patterns: one with "!" that matches wins. */
static bool
user_matches(const char *patterns, const char *user)
{
	char copy[SSHD_VALUE_SIZE];
	char *next = copy, *pattern;
	bool matches = false;

	(void)snprintf(copy, sizeof copy, "%s", patterns);
	while ((pattern = check_word(&next, ",")) != NULL) {
		if (pattern[0] == '!' && fnmatch(pattern + 1, user, 0) == 0)
			return false;
		if (fnmatch(pattern, user, 0) == 0)
			matches = true;
	}
	return matches;
}

static bool
applies(const struct setting *setting, const char *user)
{
	switch (setting->match) {
	case MATCH_ALL:
		return user != NULL;
	case MATCH_USERS:
		return user != NULL && user_matches(setting->users, user);
	case MATCH_NONE:
	case MATCH_UNCLEAR:
		break;
	}
	return false;
}

/* The first line outside of every block. */
static const struct setting *
first_outside(const struct sshd_conf *conf, const char *keyword)
{
	for (size_t i = 0; i < conf->n; i++)
		if (conf->item[i].match == MATCH_NONE &&
		    strcmp(conf->item[i].keyword, keyword) == 0)
			return &conf->item[i];
	return NULL;
}

const char *
sshd_conf_value(
    const struct sshd_conf *conf, const char *keyword, const char *user)
{
	const struct setting *first;

	/* a block that applies wins over what stands outside */
	for (size_t i = 0; i < conf->n; i++)
		if (strcmp(conf->item[i].keyword, keyword) == 0 &&
		    applies(&conf->item[i], user))
			return conf->item[i].value;
	first = first_outside(conf, keyword);
	return first != NULL ? first->value : NULL;
}

const char *
sshd_conf_at(const struct sshd_conf *conf, const char *keyword,
    char out[CHECK_SUBJECT_SIZE])
{
	const struct setting *first =
	    conf != NULL ? first_outside(conf, keyword) : NULL;

	(void)snprintf(out, CHECK_SUBJECT_SIZE, "%s",
	    first != NULL ? first->at : SSHD_CONFIG);
	return out;
}

bool
sshd_conf_too_late(const struct sshd_conf *conf, const char *keyword,
    const char *value, char out[CHECK_SUBJECT_SIZE])
{
	bool first = true;

	for (size_t i = 0; conf != NULL && i < conf->n; i++) {
		const struct setting *s = &conf->item[i];

		if (s->match != MATCH_NONE || strcmp(s->keyword, keyword) != 0)
			continue;
		if (!first && strcasecmp(s->value, value) == 0) {
			(void)snprintf(out, CHECK_SUBJECT_SIZE, "%s", s->at);
			return true;
		}
		first = false;
	}
	return false;
}

bool
sshd_conf_includes(const struct sshd_conf *conf)
{
	return conf->includes;
}

bool
sshd_conf_matches(const struct sshd_conf *conf)
{
	for (size_t i = 0; conf != NULL && i < conf->n; i++)
		if (conf->item[i].match != MATCH_NONE)
			return true;
	return false;
}
