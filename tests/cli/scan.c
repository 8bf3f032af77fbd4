/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign-phone's scanner: links and QR codes in terminal dumps. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/phone/scan.h"
#include "../../cli/phone/screen.h"
#include "../unit/unit.h"
#include "buf.h"
#include "countersign.h"
#include "crypto.h"

#define LINK_A "https://approve.example.org/#AAAAAAAAAAAAAAAAAAAAAAAAAA"
#define LINK_B "https://approve.example.org:8443/#AEBAGBAFAYDQQCIKBMGA2DQPCA"
#define LINK_C "http://127.0.0.1:8080/#GEZDGNBVGY3TQOJQGEZDGNBVGY"
#define UPPER_A "HTTPS://APPROVE.EXAMPLE.ORG/#AAAAAAAAAAAAAAAAAAAAAAAAAA"

struct dump {
	struct csign_crypto *crypto;
	struct csign_buf *text;
	struct scan scan;
};

static void
put(struct dump *d, const char *text)
{
	assert_int_equal(csign_buf_put_str(d->text, text), CSIGN_OK);
}

/* A QR code with prefix in front of and suffix behind each of its lines. */
static void
draw(struct dump *d, const char *link, enum csign_qr_style style, bool inverse,
    const char *prefix, const char *suffix)
{
	char *qr = NULL, *line, *rest;

	assert_int_equal(csign_qr_draw(link, style, inverse, &qr), CSIGN_OK);
	for (line = strtok_r(qr, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		put(d, prefix);
		put(d, line);
		put(d, suffix);
	}
	free(qr);
}

static void
look(struct dump *d)
{
	assert_int_equal(scan_text(d->crypto, csign_buf_str(d->text),
			     csign_buf_len(d->text), &d->scan),
	    CSIGN_OK);
}

/* Found, in this order, whatever the case of the host. */
static void
expect(const struct dump *d, size_t n, const char *const *links)
{
	assert_int_equal(d->scan.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(
		    strcasecmp(d->scan.links[i].text, links[i]), 0);
}

static int
setup(void **state)
{
	struct dump *d = calloc(1, sizeof *d);

	if (d == NULL || csign_crypto_new(&d->crypto) != CSIGN_OK ||
	    csign_buf_new(1 << 20, &d->text) != CSIGN_OK)
		return -1;
	*state = d;
	return 0;
}

static int
teardown(void **state)
{
	struct dump *d = *state;

	csign_buf_free(&d->text);
	csign_crypto_free(&d->crypto);
	free(d);
	return 0;
}

static const struct form {
	enum csign_qr_style style;
	bool inverse;
} forms[] = {{CSIGN_QR_UTF8, false}, {CSIGN_QR_UTF8, true},
    {CSIGN_QR_ASCII, false}, {CSIGN_QR_ASCII, true}};

#define N_FORMS (sizeof forms / sizeof forms[0])

static void
each_form(struct dump *d, const char *prefix, const char *suffix)
{
	const char *const links[] = {UPPER_A};

	for (size_t i = 0; i < N_FORMS; i++) {
		csign_buf_clear(d->text);
		put(d, "Scan this:\n\n");
		draw(d, UPPER_A, forms[i].style, forms[i].inverse, prefix,
		    suffix);
		put(d, "\nand approve it\n$ ");
		look(d);
		expect(d, 1, links);
	}
}

static void
test_every_form(void **state)
{
	each_form(*state, "", "\n");
}

static void
test_indented(void **state)
{
	each_form(*state, "        ", "\n");
}

static void
test_pty_line_ends(void **state)
{
	each_form(*state, "", "\r\n");
	each_form(*state, "", "\r\r\n");
}

static void
test_colours_and_titles(void **state)
{
	each_form(*state, "\x1b[0;37;40m", "\x1b[0m\x1b]0;a title\x07\n");
	each_form(*state, "\x1b]8;;file:///tmp\x1b\\", "\x1b(B\n");
}

static void
test_noise_around(void **state)
{
	each_form(*state, "12:01 log |   ", "   | \xff\xfe text \xc3\xa9\n");
}

/* Text right above and below, with '#' in it and without an empty line. */
static void
test_noise_above_and_below(void **state)
{
	struct dump *d = *state;
	const char *const links[] = {UPPER_A};

	for (size_t i = 0; i < N_FORMS; i++) {
		csign_buf_clear(d->text);
		for (int k = 0; k < 12; k++)
			put(d, "#### heading #### of # a file ########\n");
		draw(d, UPPER_A, forms[i].style, forms[i].inverse, "", "\n");
		for (int k = 0; k < 12; k++)
			put(d, "root@web1:/# make install # ##\n");
		look(d);
		expect(d, 1, links);
	}
}

static void
test_link_alone(void **state)
{
	struct dump *d = *state;
	const char *const links[] = {LINK_B};

	put(d, "open <" LINK_B "> on the phone, or (" LINK_B ").\n");
	look(d);
	expect(d, 1, links);
}

static void
test_link_and_code_are_one(void **state)
{
	struct dump *d = *state;
	const char *const links[] = {LINK_A};

	draw(d, UPPER_A, CSIGN_QR_UTF8, false, "", "\n");
	put(d, "\n" LINK_A "\n");
	look(d);
	expect(d, 1, links);
}

/* The newest last: what the terminal shows now. */
static void
test_several(void **state)
{
	struct dump *d = *state;
	const char *const links[] = {LINK_A, LINK_C, LINK_B};

	draw(d, UPPER_A, CSIGN_QR_UTF8, false, "", "\n");
	put(d, "\n\n" LINK_C "\n\n");
	draw(d, LINK_B, CSIGN_QR_ASCII, true, "", "\n");
	look(d);
	expect(d, 3, links);
}

static void
test_redrawn_counts_where_it_is_last(void **state)
{
	struct dump *d = *state;
	const char *const links[] = {LINK_B, LINK_A};

	put(d, LINK_A "\n" LINK_B "\nand again " LINK_A "\n");
	look(d);
	expect(d, 2, links);
}

static void
test_side_by_side(void **state)
{
	struct dump *d = *state;
	char *left = NULL, *right = NULL, *l, *r, *rest_l, *rest_r;

	assert_int_equal(
	    csign_qr_draw(LINK_A, CSIGN_QR_UTF8, false, &left), CSIGN_OK);
	assert_int_equal(
	    csign_qr_draw(LINK_C, CSIGN_QR_UTF8, false, &right), CSIGN_OK);
	l = strtok_r(left, "\n", &rest_l);
	r = strtok_r(right, "\n", &rest_r);
	while (l != NULL || r != NULL) {
		put(d, l != NULL ? l : "");
		put(d, "   |   ");
		put(d, r != NULL ? r : "");
		put(d, "\n");
		l = l == NULL ? NULL : strtok_r(NULL, "\n", &rest_l);
		r = r == NULL ? NULL : strtok_r(NULL, "\n", &rest_r);
	}
	free(left);
	free(right);
	look(d);
	assert_int_equal(d->scan.n, 2);
}

static void
test_nothing(void **state)
{
	static const char *const texts[] = {
	    "",
	    "nothing here\n",
	    "https://approve.example.org/\n",
	    "https://approve.example.org/#AAAAAAAAAAAAAAAAAAAAAAAAA\n",
	    "https://approve.example.org/#AAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
	    "https://approve.example.org/x#AAAAAAAAAAAAAAAAAAAAAAAAAA\n",
	    "http://approve.example.org/#AAAAAAAAAAAAAAAAAAAAAAAAAA\n",
	    "ftp://approve.example.org/#AAAAAAAAAAAAAAAAAAAAAAAAAA\n",
	    "https:/approve.example.org/#AAAAAAAAAAAAAAAAAAAAAAAAAA\n",
	    "\x1b[",
	    "\x1b]",
	    "\x1b",
	    "\xe2\x96",
	    "\xf0\x9f\x98",
	};
	struct dump *d = *state;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		csign_buf_clear(d->text);
		put(d, texts[i]);
		look(d);
		assert_int_equal(d->scan.n, 0);
	}
}

/* A code of something else, and half a code, are no links. */
static void
test_other_codes(void **state)
{
	struct dump *d = *state;
	char *qr = NULL;

	draw(d, "https://example.org/menu.pdf", CSIGN_QR_UTF8, false, "", "\n");
	assert_int_equal(
	    csign_qr_draw(UPPER_A, CSIGN_QR_UTF8, false, &qr), CSIGN_OK);
	qr[strlen(qr) / 2] = '\0';
	put(d, qr);
	free(qr);
	look(d);
	assert_int_equal(d->scan.n, 0);
}

static void
test_more_than_fit(void **state)
{
	struct dump *d = *state;

	for (unsigned int i = 0; i < SCAN_LINKS_MAX + 3; i++) {
		char link[96];

		(void)snprintf(link, sizeof link,
		    "https://h%u.example/#%cAAAAAAAAAAAAAAAAAAAAAAAAA\n", i,
		    'A' + (char)i);
		put(d, link);
	}
	look(d);
	assert_int_equal(d->scan.n, SCAN_LINKS_MAX);
	assert_memory_equal(d->scan.links[0].text, "https://h3.", 11);
}

/* Long lines and many of them neither hang nor overflow. */
static void
test_huge(void **state)
{
	struct dump *d = *state;
	const char *const links[] = {UPPER_A};

	for (int i = 0; i < 700; i++) {
		for (int k = 0; k < 100; k++)
			put(d, "##  ## ");
		put(d, "\n");
	}
	draw(d, UPPER_A, CSIGN_QR_ASCII, true, "", "\n");
	look(d);
	expect(d, 1, links);
}

static void
test_cells(void **state)
{
	struct screen screen;
	const char text[] =
	    "a\tb\x1b[31m\xe2\x96\x80\xe2\x96\x84\xe2\x96\x88#\r"
	    "c\xff\n\x1b]0;x\x07z";

	(void)state;
	assert_int_equal(screen_read(text, sizeof text - 1, &screen), CSIGN_OK);
	assert_int_equal(screen.n, 3);
	assert_string_equal(screen.lines[0].text, "a       b   #");
	assert_int_equal(screen.lines[0].filled[8], 0);
	assert_int_equal(screen.lines[0].filled[9], SCREEN_UPPER);
	assert_int_equal(screen.lines[0].filled[10], SCREEN_LOWER);
	assert_int_equal(
	    screen.lines[0].filled[11], SCREEN_UPPER | SCREEN_LOWER);
	assert_int_equal(
	    screen.lines[0].filled[12], SCREEN_UPPER | SCREEN_LOWER);
	assert_string_equal(screen.lines[1].text, "c ");
	assert_string_equal(screen.lines[2].text, "z");
	screen_clear(&screen);
}

#define DUMP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cells),
	    DUMP_TEST(test_every_form),
	    DUMP_TEST(test_indented),
	    DUMP_TEST(test_pty_line_ends),
	    DUMP_TEST(test_colours_and_titles),
	    DUMP_TEST(test_noise_around),
	    DUMP_TEST(test_noise_above_and_below),
	    DUMP_TEST(test_link_alone),
	    DUMP_TEST(test_link_and_code_are_one),
	    DUMP_TEST(test_several),
	    DUMP_TEST(test_redrawn_counts_where_it_is_last),
	    DUMP_TEST(test_side_by_side),
	    DUMP_TEST(test_nothing),
	    DUMP_TEST(test_other_codes),
	    DUMP_TEST(test_more_than_fit),
	    DUMP_TEST(test_huge),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
