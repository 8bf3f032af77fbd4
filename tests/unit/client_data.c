/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clientDataJSON by the limited verification algorithm, made strict: WebAuthn
 * Level 3, 5.8.1.2.  Every row is signed, so that its form alone decides.
 */
#include "proving.h"

#define T "\"type\":\"webauthn.get\""
#define C ",\"challenge\":\"@C\""
#define O ",\"origin\":\"@O\""
#define X ",\"crossOrigin\":false"

static const struct {
	const char *name, *b;
	enum csign_err want;
} client_data[] = {
    {"as the standard says", "{" T C O X "}", CSIGN_OK},
    {"Firefox, no crossOrigin", "{" T C O "}", CSIGN_OK},
    {"Chrome, more members",
	"{" T C O X ",\"other_keys_can_be_added_here\":\"do not compare "
	"clientDataJSON against a template. See https://goo.gl/yabPex\"}",
	CSIGN_OK},
    {"more members, not read", "{" T C O X ",\"x\":{\"crossOrigin\":true}}",
	CSIGN_OK},
    /* type */
    {"create", "{\"type\":\"webauthn.create\"" C O X "}", CSIGN_E_PROOF_TYPE},
    {"payment", "{\"type\":\"payment.get\"" C O X "}", CSIGN_E_PROOF_TYPE},
    {"upper case", "{\"type\":\"Webauthn.get\"" C O X "}", CSIGN_E_PROOF_TYPE},
    {"longer type", "{\"type\":\"webauthn.get2\"" C O X "}",
	CSIGN_E_PROOF_TYPE},
    {"shorter type", "{\"type\":\"webauthn.ge\"" C O X "}", CSIGN_E_PROOF_TYPE},
    {"empty type", "{\"type\":\"\"" C O X "}", CSIGN_E_PROOF_TYPE},
    {"no type, all of it inside another member", "{\"x\":\"{" T C O X "}\"}",
	CSIGN_E_PROOF_TYPE},
    {"all of it behind another member", "{\"x\":1," T C O X "}",
	CSIGN_E_PROOF_TYPE},
    /* challenge */
    {"challenge with padding", "{" T ",\"challenge\":\"@C=\"" O X "}",
	CSIGN_E_PROOF_CHALLENGE},
    {"challenge one short",
	"{" T
	",\"challenge\":\"OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01A\"" O X "}",
	CSIGN_E_PROOF_CHALLENGE},
    {"another challenge",
	"{" T
	",\"challenge\":\"OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag\"" O X
	"}",
	CSIGN_E_PROOF_CHALLENGE},
    {"empty challenge", "{" T ",\"challenge\":\"\"" O X "}",
	CSIGN_E_PROOF_CHALLENGE},
    {"challenge and more", "{" T ",\"challenge\":\"@C@C\"" O X "}",
	CSIGN_E_PROOF_CHALLENGE},
    /* origin */
    {"http", "{" T C ",\"origin\":\"http://" RP "\"" X "}",
	CSIGN_E_PROOF_ORIGIN},
    {"port", "{" T C ",\"origin\":\"@O:8443\"" X "}", CSIGN_E_PROOF_ORIGIN},
    {"upper case origin",
	"{" T C ",\"origin\":\"https://Approve.example.org\"" X "}",
	CSIGN_E_PROOF_ORIGIN},
    {"slash", "{" T C ",\"origin\":\"@O/\"" X "}", CSIGN_E_PROOF_ORIGIN},
    {"dot", "{" T C ",\"origin\":\"@O.\"" X "}", CSIGN_E_PROOF_ORIGIN},
    {"subdomain", "{" T C ",\"origin\":\"https://evil." RP "\"" X "}",
	CSIGN_E_PROOF_ORIGIN},
    {"longer", "{" T C ",\"origin\":\"@O.evil.example\"" X "}",
	CSIGN_E_PROOF_ORIGIN},
    {"shorter", "{" T C ",\"origin\":\"https://approve.example.or\"" X "}",
	CSIGN_E_PROOF_ORIGIN},
    {"look-alike",
	"{" T C ",\"origin\":\"https://\xd0\xb0pprove.example.org\"" X "}",
	CSIGN_E_PROOF_ORIGIN},
    {"null origin", "{" T C ",\"origin\":\"null\"" X "}", CSIGN_E_PROOF_ORIGIN},
    {"app",
	"{" T C ",\"origin\":\"android:apk-key-hash:"
	"OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag\"" X "}",
	CSIGN_E_PROOF_ORIGIN},
    {"empty origin", "{" T C ",\"origin\":\"\"" X "}", CSIGN_E_PROOF_ORIGIN},
    /* crossOrigin */
    {"crossOrigin true", "{" T C O ",\"crossOrigin\":true}",
	CSIGN_E_PROOF_CROSS_ORIGIN},
    {"crossOrigin a text", "{" T C O ",\"crossOrigin\":\"false\"}",
	CSIGN_E_PROOF_CROSS_ORIGIN},
    {"crossOrigin 1", "{" T C O ",\"crossOrigin\":1}",
	CSIGN_E_PROOF_CROSS_ORIGIN},
    {"crossOrigin null", "{" T C O ",\"crossOrigin\":null}",
	CSIGN_E_PROOF_CROSS_ORIGIN},
    {"crossOrigin true, topOrigin",
	"{" T C O ",\"crossOrigin\":true,\"topOrigin\":\"https://evil\"}",
	CSIGN_E_PROOF_CROSS_ORIGIN},
    {"topOrigin behind the origin",
	"{" T C O ",\"topOrigin\":\"https://evil\"" X "}",
	CSIGN_E_PROOF_CROSS_ORIGIN},
    {"topOrigin in its place", "{" T C O X ",\"topOrigin\":\"https://evil\"}",
	CSIGN_E_PROOF_CROSS_ORIGIN},
    /* form */
    {"challenge first",
	"{\"challenge\":\"@C\",\"type\":\"webauthn.get\"" O X "}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"origin first", "{\"origin\":\"@O\",\"type\":\"webauthn.get\"" C X "}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"crossOrigin first", "{\"crossOrigin\":false," T C O "}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"origin before challenge", "{" T O C X "}", CSIGN_E_PROOF_CLIENT_DATA},
    {"crossOrigin before origin", "{" T C X O "}", CSIGN_E_PROOF_CLIENT_DATA},
    {"another member between", "{" T ",\"x\":1" C O X "}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"another member before crossOrigin",
	"{" T C O ",\"x\":1,\"crossOrigin\":true}", CSIGN_E_PROOF_CLIENT_DATA},
    {"space in front", " {" T C O X "}", CSIGN_E_PROOF_CLIENT_DATA},
    {"space behind", "{" T C O X "} ", CSIGN_E_PROOF_CLIENT_DATA},
    {"space inside", "{ " T C O X "}", CSIGN_E_PROOF_CLIENT_DATA},
    {"space behind a comma", "{" T ", \"challenge\":\"@C\"" O X "}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"space behind a colon", "{\"type\": \"webauthn.get\"" C O X "}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"new line at the end", "{" T C O X "}\n", CSIGN_E_PROOF_CLIENT_DATA},
    {"new line in a later member", "{" T C O X ",\"x\":\"\n\"}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"escape in the type", "{\"type\":\"webauthn\\u002eget\"" C O X "}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"escape in the origin", "{" T C ",\"origin\":\"https:\\/\\/" RP "\"" X "}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"escape in a name", "{\"\\u0074ype\":\"webauthn.get\"" C O X "}",
	CSIGN_E_PROOF_TYPE},
    {"byte order mark", "\xef\xbb\xbf{" T C O X "}", CSIGN_E_PROOF_CLIENT_DATA},
    {"not UTF-8", "{" T C O X ",\"x\":\"\xff\"}", CSIGN_E_PROOF_CLIENT_DATA},
    {"UTF-8", "{" T C O X ",\"x\":\"\xc3\xa4\"}", CSIGN_OK},
    {"type a number", "{\"type\":1" C O X "}", CSIGN_E_PROOF_CLIENT_DATA},
    {"origin not a text", "{" T C ",\"origin\":null" X "}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"unended type", "{\"type\":\"webauthn.get}", CSIGN_E_PROOF_CLIENT_DATA},
    {"cut", "{" T C "}", CSIGN_E_PROOF_CLIENT_DATA},
    {"brace behind", "{" T C O "}}", CSIGN_E_PROOF_CLIENT_DATA},
    {"brace behind crossOrigin", "{" T C O X "}}", CSIGN_E_PROOF_CLIENT_DATA},
    {"two objects", "{" T C O X "}{" T C O X "}", CSIGN_E_PROOF_CLIENT_DATA},
    {"falsehood", "{" T C O ",\"crossOrigin\":falsehood}",
	CSIGN_E_PROOF_CLIENT_DATA},
    {"array", "[" T C O X "]", CSIGN_E_PROOF_CLIENT_DATA},
    {"empty object", "{}", CSIGN_E_PROOF_CLIENT_DATA},
    {"brace", "{", CSIGN_E_PROOF_CLIENT_DATA},
    {"empty", "", CSIGN_E_PROOF_CLIENT_DATA},
};

#undef T
#undef C
#undef O
#undef X

static void
test_client_data(void **state)
{
	static struct fixture f;

	(void)state;
	fixture(&f, CSIGN_KIND_WEBAUTHN);
	for (size_t i = 0; i < N_ROWS(client_data); i++) {
		set_b(&f, client_data[i].b);
		sign_webauthn(&f);
		assert_err(client_data[i].name, check(&f), client_data[i].want);
	}
	fixture_free(&f);
}

/* Every cut and every NUL of good client data, each time with its signature. */
static void
test_client_data_bytes(void **state)
{
	static struct fixture f;
	size_t len;

	(void)state;
	fixture(&f, CSIGN_KIND_WEBAUTHN);
	len = f.b_len;
	for (size_t i = 0; i < len; i++) {
		f.b_len = i;
		sign_webauthn(&f);
		assert_err("cut", check(&f), CSIGN_E_PROOF_CLIENT_DATA);
	}
	f.b_len = len;
	for (size_t i = 0; i < len; i++) {
		char was = f.b[i];

		f.b[i] = '\0';
		sign_webauthn(&f);
		assert_err("NUL", check(&f), CSIGN_E_PROOF_CLIENT_DATA);
		f.b[i] = was;
	}
	/* base64 of the standard alphabet, by changing what differs */
	for (size_t i = 0; i < len; i++) {
		char was = f.b[i];

		if (was != '-' && was != '_')
			continue;
		f.b[i] = was == '-' ? '+' : '/';
		sign_webauthn(&f);
		assert_true(check(&f) != CSIGN_OK);
		f.b[i] = was;
	}
	sign_webauthn(&f);
	assert_ok(check(&f));
	/* the longest that is looked at */
	f.b[len - 1] = ',';
	memset(f.b + len, 'x', sizeof(f.b) - len);
	f.b[CSIGN_CLIENT_DATA_MAX - 1] = '}';
	f.b_len = CSIGN_CLIENT_DATA_MAX;
	sign_webauthn(&f);
	assert_ok(check(&f));
	f.b[CSIGN_CLIENT_DATA_MAX - 1] = 'x';
	f.b[CSIGN_CLIENT_DATA_MAX] = '}';
	f.b_len = CSIGN_CLIENT_DATA_MAX + 1;
	sign_webauthn(&f);
	assert_err("4,097 bytes", check(&f), CSIGN_E_PROOF_CLIENT_DATA);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_client_data),
	    cmocka_unit_test(test_client_data_bytes),
	};

	return cmocka_run_group_tests_name(
	    "client data", tests, setup, teardown);
}
