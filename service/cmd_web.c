/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersignd web: which page this program serves, for comparing it with a
 * release or with what a server delivers.
 */
#include "config.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "cmd.h"
#include "web.h"

static bool
list(bool json)
{
	const struct web_file *file;
	char hash[WEB_HASH_SIZE];
	size_t i;

	for (i = 0; (file = web_file(i)) != NULL; i++) {
		if (web_file_hash(file, hash) != CSIGN_OK)
			return false;
		if (json)
			printf("%s{\"name\":\"%s\",\"path\":\"%s\","
			       "\"size\":%zu,\"sha256\":\"%s\"}",
			    i == 0 ? "[" : ",", file->name, file->path,
			    web_file_len(file), hash);
		else
			printf("%s  %6zu  %s\n", hash, web_file_len(file),
			    file->name);
	}
	if (json)
		puts("]");
	return true;
}

int
cmd_web(int argc, char **argv)
{
	static const struct option options[] = {
	    {"list", no_argument, NULL, 'l'}, {"json", no_argument, NULL, 'j'},
	    {NULL, 0, NULL, 0}};
	bool wanted = false, json = false;
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'l')
			wanted = true;
		else if (option == 'j')
			json = true;
		else
			return CMD_USAGE;
	}
	if (optind != argc || !wanted)
		return CMD_USAGE;
	if (list(json))
		return CMD_OK;
	cmd_say("the page could not be hashed");
	return CMD_TROUBLE;
}
