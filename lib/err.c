/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "countersign.h"

const char *
csign_err_name(enum csign_err err)
{
	switch (err) {
	case CSIGN_OK:
		return "OK";
	case CSIGN_E_BASE:
		break;
#define NAME(name, text)                                                       \
	case CSIGN_E_##name:                                                   \
		return #name;
		CSIGN_ERR_LIST(NAME)
#undef NAME
	}
	return "UNKNOWN";
}

const char *
csign_err_text(enum csign_err err)
{
	switch (err) {
	case CSIGN_OK:
		return "success";
	case CSIGN_E_BASE:
		break;
#define TEXT(name, text)                                                       \
	case CSIGN_E_##name:                                                   \
		return text;
		CSIGN_ERR_LIST(TEXT)
#undef TEXT
	}
	return "unknown error";
}
