/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <qrencode.h>
#include <zbar.h>

#include "bounds.h"
#include "fault.h"

#define LINK "HTTPS://APPROVE.EXAMPLE.ORG/#ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SCALE 4 /* pixels a module: a phone sees no single pixels either */
#define QUIET 4
#define SIDE_MAX (177 + 2 * QUIET)

QRcode *__real_QRcode_encodeString(const char *text, int version,
    QRecLevel level, QRencodeMode hint, int casesensitive);
QRcode *__wrap_QRcode_encodeString(const char *text, int version,
    QRecLevel level, QRencodeMode hint, int casesensitive);
void __real_QRcode_free(QRcode *code);
void __wrap_QRcode_free(QRcode *code);

static struct {
	int encode_errno; /* 0: it works */
	unsigned int freed;
	bool freed_dirty;
} fake;

QRcode *
__wrap_QRcode_encodeString(const char *text, int version, QRecLevel level,
    QRencodeMode hint, int casesensitive)
{
	if (fake.encode_errno != 0) {
		errno = fake.encode_errno;
		return NULL;
	}
	return __real_QRcode_encodeString(
	    text, version, level, hint, casesensitive);
}

void
__wrap_QRcode_free(QRcode *code)
{
	fake.freed++;
	for (int i = 0; i < code->width * code->width; i++)
		fake.freed_dirty |= code->data[i] != 0;
	__real_QRcode_free(code);
}

/* What a camera sees: a square with its quiet zone, true is bright. */
struct seen {
	size_t width, height;
	bool bright[SIDE_MAX + 1][SIDE_MAX + 1];
};

/* The glyph at *text as upper and lower half, which are ink or not. */
static void
glyph(const char **text, bool *upper, bool *lower)
{
	static const struct {
		const char *utf8;
		bool upper, lower;
	} glyphs[] = {{" ", false, false}, {"\xe2\x96\x80", true, false},
	    {"\xe2\x96\x84", false, true}, {"\xe2\x96\x88", true, true}};

	for (size_t i = 0; i < N_ROWS(glyphs); i++) {
		size_t n = strlen(glyphs[i].utf8);

		if (strncmp(*text, glyphs[i].utf8, n) == 0) {
			*upper = glyphs[i].upper;
			*lower = glyphs[i].lower;
			*text += n;
			return;
		}
	}
	fail_msg("neither a block nor a space: %02x", (unsigned char)**text);
}

/* Whole lines of one width, of nothing but its glyphs. */
static void
look(const char *qr, enum csign_qr_style style, bool ink_is_bright,
    struct seen *seen)
{
	size_t rows = 0, columns = 0, x;

	memset(seen, 0, sizeof(*seen));
	for (; *qr != '\0'; qr++, rows += style == CSIGN_QR_UTF8 ? 2 : 1) {
		assert_true(rows < SIDE_MAX);
		for (x = 0; *qr != '\n'; x++) {
			bool upper = false, lower = false;

			assert_true(x < SIDE_MAX);
			if (style == CSIGN_QR_UTF8) {
				glyph(&qr, &upper, &lower);
				seen->bright[rows + 1][x] =
				    lower == ink_is_bright;
			} else {
				upper = *qr == '#';
				assert_true(upper || *qr == ' ');
				assert_int_equal(qr[1], qr[0]);
				qr += 2;
			}
			seen->bright[rows][x] = upper == ink_is_bright;
		}
		assert_true(columns == 0 || columns == x);
		columns = x;
	}
	seen->width = columns;
	seen->height = rows;
}

/* What a phone reads there, or "". */
static void
scan(const struct seen *seen, char *text, size_t size)
{
	size_t width = seen->width * SCALE, height = seen->height * SCALE;
	unsigned char *pixels = malloc(width * height);
	zbar_image_scanner_t *scanner = zbar_image_scanner_create();
	zbar_image_t *image = zbar_image_create();
	const zbar_symbol_t *symbol;

	assert_non_null(pixels);
	for (size_t y = 0; y < height; y++)
		for (size_t x = 0; x < width; x++)
			pixels[y * width + x] =
			    seen->bright[y / SCALE][x / SCALE] ? 255 : 0;
	zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
	zbar_image_set_size(image, (unsigned int)width, (unsigned int)height);
	zbar_image_set_data(image, pixels, width * height, NULL);
	text[0] = '\0';
	assert_true(zbar_scan_image(scanner, image) >= 0);
	symbol = zbar_image_first_symbol(image);
	if (symbol != NULL)
		snprintf(text, size, "%s", zbar_symbol_get_data(symbol));
	zbar_image_destroy(image);
	zbar_image_scanner_destroy(scanner);
	free(pixels);
}

static void
a_usual_link_is_37_by_19(void **state)
{
	char *qr = NULL;
	size_t lines = 0;

	(void)state;
	assert_int_equal(strlen(LINK), 55);
	assert_ok(csign_qr_draw(LINK, CSIGN_QR_UTF8, false, &qr));
	for (const char *line = qr; *line != '\0'; lines++) {
		size_t columns = 0;

		for (; *line != '\n'; line++)
			columns += (*line & 0xc0) != 0x80;
		assert_int_equal(columns, 37);
		line++;
	}
	assert_int_equal(lines, 19);
	free(qr);
}

/* Bright all around, four modules wide: phones want it. */
static void
assert_quiet_zone(const struct seen *seen)
{
	size_t side = seen->width;

	for (size_t y = 0; y < seen->height; y++)
		for (size_t x = 0; x < side; x++)
			if ((y < QUIET || y >= side - QUIET || x < QUIET ||
				x >= side - QUIET) &&
			    !seen->bright[y][x])
				fail_msg("dark at %zu, %zu", x, y);
	assert_false(seen->bright[QUIET][QUIET]);
}

static void
every_form_is_read_by_a_phone(void **state)
{
	static const char *const texts[] = {LINK, "HTTP://127.0.0.1:8080/#A",
	    "https://approve.example.org/#abcdefghijklmnopqrstuvwxyz",
	    "https://approve.example.org/Path#ABCDEFGHIJKLMNOPQRSTUVWXYZ", "1",
	    "a \"b\" ~"};

	(void)state;
	for (size_t i = 0; i < 4 * N_ROWS(texts); i++) {
		enum csign_qr_style style =
		    (i & 1) != 0 ? CSIGN_QR_ASCII : CSIGN_QR_UTF8;
		bool inverse = (i & 2) != 0;
		static struct seen seen;
		char text[CSIGN_LINK_MAX + 1];
		char *qr = NULL;

		assert_ok(csign_qr_draw(texts[i / 4], style, inverse, &qr));
		/* On a dark terminal ink is bright, on a light one dark. */
		look(qr, style, !inverse, &seen);
		assert_quiet_zone(&seen);
		/* In half blocks a last row may be over: bright as well. */
		assert_int_equal(
		    seen.height, seen.width + (style == CSIGN_QR_UTF8 ? 1 : 0));
		scan(&seen, text, sizeof(text));
		assert_string_equal(text, texts[i / 4]);
		free(qr);
	}
}

/* What a phone reads from the drawing of text. */
static void
read_back(const char *text, char *read, size_t size)
{
	static struct seen seen;
	char *qr = NULL;

	assert_ok(csign_qr_draw(text, CSIGN_QR_UTF8, false, &qr));
	look(qr, CSIGN_QR_UTF8, true, &seen);
	scan(&seen, read, size);
	free(qr);
}

static void
a_link_is_drawn_in_capitals(void **state)
{
	static const struct {
		const char *text, *read;
	} rows[] = {
	    {"https://approve.example.org/#AAAQEAYEAUDAOCAJBIFQYDIOB4",
		"HTTPS://APPROVE.EXAMPLE.ORG/#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"http://localhost:8080/#AAAQEAYEAUDAOCAJBIFQYDIOB4",
		"HTTP://LOCALHOST:8080/#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    /* these are no links, and a capital may change what they mean */
	    {"https://approve.example.org/x#AAAQEAYEAUDAOCAJBIFQYDIOB4",
		"https://approve.example.org/x#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"https://approve.example.org/#AAAQEAYEAUDAOCAJBIFQYDIOB",
		"https://approve.example.org/#AAAQEAYEAUDAOCAJBIFQYDIOB"},
	    {"https://approve.example.org/#aaaQEAYEAUDAOCAJBIFQYDIOB4",
		"https://approve.example.org/#aaaQEAYEAUDAOCAJBIFQYDIOB4"},
	    {"ftp://approve.example.org/#AAAQEAYEAUDAOCAJBIFQYDIOB4",
		"ftp://approve.example.org/#AAAQEAYEAUDAOCAJBIFQYDIOB4"},
	};
	char read[CSIGN_LINK_MAX + 1];

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		read_back(rows[i].text, read, sizeof(read));
		assert_string_equal(read, rows[i].read);
	}
}

static void
upper_case_takes_less_room(void **state)
{
	char *upper = NULL, *lower = NULL;

	(void)state;
	assert_ok(csign_qr_draw(LINK, CSIGN_QR_ASCII, false, &upper));
	assert_ok(csign_qr_draw(
	    "https://approve.example.org/#abcdefghijklmnopqrstuvwxyz",
	    CSIGN_QR_ASCII, false, &lower));
	assert_true(strlen(upper) < strlen(lower));
	free(upper);
	free(lower);
}

/* 77 characters are what version 3 holds, and only with level L. */
static void
correction_is_the_least(void **state)
{
	char text[78];
	char *qr = NULL;

	(void)state;
	memset(text, 'A', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_ok(csign_qr_draw(text, CSIGN_QR_ASCII, false, &qr));
	assert_int_equal(strcspn(qr, "\n"), 37 * 2);
	free(qr);
}

static void
text_has_bounds(void **state)
{
	char text[CSIGN_LINK_MAX + 2];
	char *qr = NULL;

	(void)state; /* MEM-4 */
	memset(text, 'x', sizeof(text));
	text[CSIGN_LINK_MAX + 1] = '\0';
	assert_err("301 bytes", csign_qr_draw(text, CSIGN_QR_UTF8, false, &qr),
	    CSIGN_E_TOO_LONG);
	assert_err("none", csign_qr_draw("", CSIGN_QR_UTF8, false, &qr),
	    CSIGN_E_INVALID);
	assert_err("NULL", csign_qr_draw(NULL, CSIGN_QR_UTF8, false, &qr),
	    CSIGN_E_INVALID);
	assert_err("nowhere", csign_qr_draw(LINK, CSIGN_QR_UTF8, false, NULL),
	    CSIGN_E_INVALID);
	assert_err("style",
	    csign_qr_draw(LINK, (enum csign_qr_style)0, false, &qr),
	    CSIGN_E_INVALID);
	assert_err("style",
	    csign_qr_draw(LINK, (enum csign_qr_style)3, false, &qr),
	    CSIGN_E_INVALID);
	assert_null(qr);
	text[CSIGN_LINK_MAX] = '\0';
	assert_ok(csign_qr_draw(text, CSIGN_QR_ASCII, true, &qr));
	free(qr);
}

static void
the_library_may_fail(void **state)
{
	char *qr = NULL;

	(void)state; /* MEM-4 */
	fake.encode_errno = ENOMEM;
	assert_err("ENOMEM", csign_qr_draw(LINK, CSIGN_QR_UTF8, false, &qr),
	    CSIGN_E_NOMEM);
	fake.encode_errno = ERANGE;
	assert_err("ERANGE", csign_qr_draw(LINK, CSIGN_QR_UTF8, false, &qr),
	    CSIGN_E_QR);
	fake.encode_errno = 0;
	assert_null(qr);
}

static int
draw(void)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	char *qr = NULL;

	r = csign_qr_draw(LINK, CSIGN_QR_UTF8, false, &qr);
	free(qr);
	return (int)r;
}

static void
no_memory_is_an_error(void **state)
{
	(void)state;
	fault_loop(draw);
}

/* A link's secret is in its picture. */
static void
nothing_of_the_picture_stays(void **state)
{
	char *qr = NULL, *line;

	(void)state; /* MEM-3 */
	assert_ok(csign_qr_draw(LINK, CSIGN_QR_ASCII, false, &qr));
	/* A line through the middle, unlike any other. */
	line = strdup(qr + 20 * (37 * 2 + 1));
	assert_non_null(line);
	line[37 * 2] = '\0';
	free(qr);
	qr = NULL;
	fake.freed = 0;
	fake.freed_dirty = false;
	fault_canary(line);
	assert_ok(csign_qr_draw(LINK, CSIGN_QR_ASCII, false, &qr));
	assert_int_equal(fault_canaries(), 0);
	assert_int_equal(fake.freed, 1);
	assert_false(fake.freed_dirty);
	free(qr); /* the caller's own, and so not wiped */
	assert_int_equal(fault_canaries(), 1);
	fault_canary(NULL);
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_usual_link_is_37_by_19),
	    cmocka_unit_test(every_form_is_read_by_a_phone),
	    cmocka_unit_test(a_link_is_drawn_in_capitals),
	    cmocka_unit_test(upper_case_takes_less_room),
	    cmocka_unit_test(correction_is_the_least),
	    cmocka_unit_test(text_has_bounds),
	    cmocka_unit_test(the_library_may_fail),
	    cmocka_unit_test(no_memory_is_an_error),
	    cmocka_unit_test(nothing_of_the_picture_stays),
	};

	return cmocka_run_group_tests_name("qr", tests, NULL, NULL);
}
