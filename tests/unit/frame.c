/* SPDX-License-Identifier: BSD-2-Clause */
/* MEM-1: a frame is exactly what frame.h says, to the last byte. */
#include "unit.h"

#include "bounds.h"
#include "buf.h"
#include "fault.h"
#include "frame.h"

static const unsigned char content[] = {1, 0, 2, 0xff};

#define DEVICE "4hx2k7q3m5rj6wza"
/* Two copies; what is sealed is whatever it is. */
static const unsigned char copies[2 * CSIGN_COPY_LEN] = DEVICE "\0\1\xff";
static unsigned char many_copies[(CSIGN_DEVICES_MAX + 1) * CSIGN_COPY_LEN];

static void
fill_copies(void)
{
	for (size_t at = 0; at < sizeof(many_copies); at += CSIGN_COPY_LEN)
		memcpy(many_copies + at, DEVICE, sizeof(DEVICE) - 1);
}

static const struct csign_job full_job = {
    .op = CSIGN_OP_APPROVE,
    .deadline_ms = 90000,
    .service = "https://approve.example.org",
    .socket = "/run/countersignd/socket",
    .ca_file = "/etc/countersign/ca.pem",
    .pins = "sha256//AAAA;sha256//BBBB",
    .proxy = "http://proxy.example.org:3128",
    .access_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    .subject = "alice",
    .link_id = "BBBBBBBBBBBBBBBBBBBBBB",
    .content = content,
    .content_len = sizeof(content),
    .lifetime = 90,
    .copies = copies,
    .copies_len = CSIGN_COPY_LEN,
};

static struct csign_buf *
new_buf(void)
{
	struct csign_buf *buf = NULL;

	assert_ok(csign_buf_new(CSIGN_FRAME_MAX, &buf));
	return buf;
}

static void
assert_same_job(const struct csign_job *a, const struct csign_job *b)
{
	assert_int_equal(a->op, b->op);
	assert_int_equal(a->deadline_ms, b->deadline_ms);
	assert_string_equal(a->service, b->service);
	assert_string_equal(a->socket, b->socket);
	assert_string_equal(a->ca_file, b->ca_file);
	assert_string_equal(a->pins, b->pins);
	assert_string_equal(a->proxy, b->proxy);
	assert_string_equal(a->access_key, b->access_key);
	assert_string_equal(a->subject, b->subject);
	assert_string_equal(a->link_id, b->link_id);
	assert_bytes(
	    "content", a->content, a->content_len, b->content, b->content_len);
	assert_int_equal(a->lifetime, b->lifetime);
	assert_bytes(
	    "copies", a->copies, a->copies_len, b->copies, b->copies_len);
}

static void
test_job(void **state)
{
	struct csign_job small = {.op = CSIGN_OP_PING}, got;
	const struct csign_job empty = {
	    .op = CSIGN_OP_PING,
	    .service = "",
	    .socket = "",
	    .ca_file = "",
	    .pins = "",
	    .proxy = "",
	    .access_key = "",
	    .subject = "",
	    .link_id = "",
	    .content = content,
	    .copies = copies,
	};
	struct csign_buf *frame = new_buf(), *store = NULL;

	(void)state;
	assert_ok(csign_frame_job(frame, &full_job));
	assert_ok(csign_frame_read_job(
	    csign_buf_data(frame), csign_buf_len(frame), &store, &got));
	assert_same_job(&got, &full_job);
	csign_buf_free(&store);

	csign_buf_clear(frame);
	assert_ok(csign_frame_job(frame, &small));
	assert_ok(csign_frame_read_job(
	    csign_buf_data(frame), csign_buf_len(frame), &store, &got));
	assert_same_job(&got, &empty);
	csign_buf_free(&store);
	csign_buf_free(&frame);
}

/* The largest job that is allowed must fit the packet. */
static void
test_job_largest(void **state)
{
	static char line[CSIGN_CONF_LINE_MAX + 2];
	static unsigned char big[CSIGN_CONTENT_MAX + 1];
	struct csign_job job = full_job, got;
	struct csign_buf *frame = new_buf(), *store = NULL;

	(void)state;
	memset(line, 'x', CSIGN_CONF_LINE_MAX);
	fill_copies();
	job.pins = job.ca_file = job.proxy = job.service = job.socket = line;
	job.access_key = job.subject = job.link_id = line;
	job.content = big;
	job.content_len = CSIGN_CONTENT_MAX;
	job.copies = many_copies;
	job.copies_len = CSIGN_DEVICES_MAX * CSIGN_COPY_LEN;
	assert_ok(csign_frame_job(frame, &job));
	assert_ok(csign_frame_read_job(
	    csign_buf_data(frame), csign_buf_len(frame), &store, &got));
	assert_same_job(&got, &job);
	csign_buf_free(&store);

	csign_buf_clear(frame);
	job.content_len++;
	assert_err("content", csign_frame_job(frame, &job), CSIGN_E_TOO_LONG);
	csign_buf_clear(frame);
	job.content_len = 0;
	line[CSIGN_CONF_LINE_MAX] = 'x';
	assert_err("line", csign_frame_job(frame, &job), CSIGN_E_TOO_LONG);
	csign_buf_clear(frame);
	job = full_job;
	job.op = 0;
	assert_err("op", csign_frame_job(frame, &job), CSIGN_E_INVALID);
	csign_buf_free(&frame);
}

/* A job that was written by hand, with these copies behind it. */
static enum csign_err
read_copies(enum csign_op op, const void *bytes, size_t len)
{
	struct csign_job job = full_job, got;
	struct csign_buf *frame = new_buf(), *store = NULL, *whole = new_buf();
	enum csign_err r;
	size_t head;

	job.op = (uint8_t)op;
	job.copies_len = 0;
	assert_ok(csign_frame_job(frame, &job));
	head = csign_buf_len(frame) - 2;
	assert_ok(csign_buf_put(whole, csign_buf_data(frame), head));
	assert_ok(csign_buf_put_v16(whole, bytes, len));
	r = csign_frame_read_job(
	    csign_buf_data(whole), csign_buf_len(whole), &store, &got);
	job.copies = bytes;
	job.copies_len = len;
	csign_buf_clear(frame);
	assert_int_equal(csign_frame_job(frame, &job),
	    r == CSIGN_OK ? CSIGN_OK : CSIGN_E_INVALID);
	if (r == CSIGN_OK)
		assert_same_job(&got, &job);
	csign_buf_free(&store);
	csign_buf_free(&whole);
	csign_buf_free(&frame);
	return r;
}

static void
test_copies(void **state)
{
	const size_t one = CSIGN_COPY_LEN, most = CSIGN_DEVICES_MAX * one;
	unsigned char bad[2 * CSIGN_COPY_LEN];

	(void)state;
	fill_copies();
	assert_err("none", read_copies(CSIGN_OP_PING, "", 0), CSIGN_OK);
	assert_err("one", read_copies(CSIGN_OP_APPROVE, copies, one), CSIGN_OK);
	assert_err("as many as devices",
	    read_copies(CSIGN_OP_APPROVE, many_copies, most), CSIGN_OK);
	assert_err("one more than devices",
	    read_copies(CSIGN_OP_APPROVE, many_copies, most + one),
	    CSIGN_E_FORMAT);
	assert_err("less than one",
	    read_copies(CSIGN_OP_APPROVE, copies, one - 1), CSIGN_E_FORMAT);
	assert_err("more than one",
	    read_copies(CSIGN_OP_APPROVE, many_copies, one + 1),
	    CSIGN_E_FORMAT);
	assert_err("of an enrolment", read_copies(CSIGN_OP_ENROL, copies, one),
	    CSIGN_E_FORMAT);
	assert_err("the second has no id",
	    read_copies(CSIGN_OP_APPROVE, copies, 2 * one), CSIGN_E_FORMAT);
	memcpy(bad, many_copies, sizeof(bad));
	bad[one + 3] = '"';
	assert_err("a quote in an id",
	    read_copies(CSIGN_OP_APPROVE, bad, 2 * one), CSIGN_E_FORMAT);
	bad[one + 3] = '\0';
	assert_err("a NUL in an id",
	    read_copies(CSIGN_OP_APPROVE, bad, 2 * one), CSIGN_E_FORMAT);
}

static enum csign_err
read_job(const unsigned char *packet, size_t len)
{
	struct csign_buf *store = NULL;
	struct csign_job job;
	enum csign_err r = csign_frame_read_job(packet, len, &store, &job);

	csign_buf_free(&store);
	return r;
}

static void
test_job_damaged(void **state)
{
	struct csign_buf *frame = new_buf();
	unsigned char bytes[1024];
	size_t len;

	(void)state;
	assert_ok(csign_frame_job(frame, &full_job));
	len = csign_buf_len(frame);
	assert_true(len < sizeof(bytes));
	memcpy(bytes, csign_buf_data(frame), len);
	csign_buf_free(&frame);
	for (size_t cut = 0; cut < len; cut++)
		assert_err("cut", read_job(bytes, cut), CSIGN_E_FORMAT);
	bytes[len] = 0;
	assert_err("longer", read_job(bytes, len + 1), CSIGN_E_FORMAT);
	for (size_t i = 0; i < 5; i++) {
		bytes[i] ^= 1;
		assert_err("magic, type", read_job(bytes, len), CSIGN_E_FORMAT);
		bytes[i] ^= 1;
	}
	bytes[5] = CSIGN_OP_LOOK + 1;
	assert_err("op", read_job(bytes, len), CSIGN_E_FORMAT);
	bytes[5] = CSIGN_OP_APPROVE;
	assert_ok(read_job(bytes, len));
	/* The service's name begins behind u32, u16: a NUL ends a string. */
	assert_int_equal(bytes[12], 'h');
	bytes[12] = 0;
	assert_err("NUL", read_job(bytes, len), CSIGN_E_FORMAT);
}

/* clang-format off */
static const struct {
	const char *name;
	size_t len;
	const char *packet;
	struct csign_frame frame;
} frames[] = {
	{"created", 6, "csf1\x10\0", {CSIGN_FRAME_CREATED, 0, 0, NULL, 0, ""}},
	{"created, 16 ring", 6, "csf1\x10\x10",
	    {CSIGN_FRAME_CREATED, CSIGN_DEVICES_MAX, 0, NULL, 0, ""}},
	{"seen", 5, "csf1\x11", {CSIGN_FRAME_SEEN, 0, 0, NULL, 0, ""}},
	{"answer", 10, "csf1\x12\0\3abc",
	    {CSIGN_FRAME_ANSWER, 0, 0, (const unsigned char *)"abc", 3, ""}},
	{"ended", 6, "csf1\x13\2", {CSIGN_FRAME_ENDED, CSIGN_END_EXPIRED, 0,
	    NULL, 0, ""}},
	{"done", 5, "csf1\x14", {CSIGN_FRAME_DONE, 0, 0, NULL, 0, ""}},
	{"trouble", 12, "csf1\x15\x0a\0\4oops",
	    {CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_INTERNAL, 0,
		(const unsigned char *)"oops", 4, ""}},
	{"removal", 10, "csf1\x16\0\3abc",
	    {CSIGN_FRAME_REMOVAL, 0, 0, (const unsigned char *)"abc", 3, ""}},
	{"outcome", 13, "csf1\2\3\0\2no\1\0\0",
	    {CSIGN_FRAME_OUTCOME, CSIGN_OUTCOME_REJECTED, 1,
		(const unsigned char *)"no", 2, ""}},
	{"outcome of an enrolment", 29, "csf1\2\1\0\2OK\0\0\x10" DEVICE,
	    {CSIGN_FRAME_OUTCOME, CSIGN_OUTCOME_GRANTED, 0,
		(const unsigned char *)"OK", 2, DEVICE}},
	{"removed", 23, "csf1\3\0\x10" DEVICE,
	    {CSIGN_FRAME_REMOVED, 0, 0, NULL, 0, DEVICE}},
};

static const struct {
	const char *name;
	size_t len;
	const char *packet;
} bad_frames[] = {
	{"nothing", 0, ""},
	{"magic alone", 4, "csf1"},
	{"no type", 5, "csf1\0"},
	{"a job", 5, "csf1\1"},
	{"type between", 5, "csf1\x0f"},
	{"type beyond", 5, "csf1\x17"},
	{"type between the ways", 5, "csf1\4"},
	{"removal without bytes", 7, "csf1\x16\0\0"},
	{"removed without a device", 7, "csf1\3\0\0"},
	{"removed with half an id", 15, "csf1\3\0\x08" "4hx2k7q3"},
	{"removed with a longer id", 24, "csf1\3\0\x11" DEVICE "a"},
	{"removed with a path", 23, "csf1\3\0\x10" "../../users/4hx2"},
	{"removed in capitals", 23, "csf1\3\0\x10" "4HX2K7Q3M5RJ6WZA"},
	{"removed with a NUL", 23, "csf1\3\0\x10" "4hx2k7q3m5rj6wz\0"},
	{"removed with more", 24, "csf1\3\0\x10" DEVICE "\0"},
	{"denied, with a device", 29, "csf1\2\2\0\2OK\0\0\x10" DEVICE},
	{"type 255", 5, "csf1\xff"},
	{"another version", 6, "csf2\x10\0"},
	{"created with less", 5, "csf1\x10"},
	{"created with more", 7, "csf1\x10\0\0"},
	{"created, 17 ring", 6, "csf1\x10\x11"},
	{"answer without bytes", 7, "csf1\x12\0\0"},
	{"answer of length 4 with 3", 10, "csf1\x12\0\4abc"},
	{"answer of length 2 with 3", 10, "csf1\x12\0\2abc"},
	{"ended 0", 6, "csf1\x13\0"},
	{"ended 3", 6, "csf1\x13\3"},
	{"trouble 0", 8, "csf1\x15\0\0\0"},
	{"trouble 11", 8, "csf1\x15\x0b\0\0"},
	{"outcome 0", 11, "csf1\2\0\0\0\0\0\0"},
	{"outcome 4", 11, "csf1\2\4\0\0\0\0\0"},
	{"outcome with 9 tries", 11, "csf1\2\3\0\0\x09\0\0"},
};
/* clang-format on */

static void
assert_same_frame(
    const char *name, const struct csign_frame *a, const struct csign_frame *b)
{
	if (a->type != b->type || a->code != b->code ||
	    a->tries_left != b->tries_left || strcmp(a->device, b->device) != 0)
		fail_msg("%s: another frame", name);
	assert_bytes(name, a->len == 0 ? "" : (const char *)a->bytes, a->len,
	    b->len == 0 ? "" : (const char *)b->bytes, b->len);
}

static void
test_frames(void **state)
{
	struct csign_buf *out = new_buf();
	struct csign_frame got;

	(void)state;
	for (size_t i = 0; i < N_ROWS(frames); i++) {
		assert_err(frames[i].name,
		    csign_frame_read(frames[i].packet, frames[i].len, &got),
		    CSIGN_OK);
		assert_same_frame(frames[i].name, &got, &frames[i].frame);
		csign_buf_clear(out);
		assert_err(frames[i].name,
		    csign_frame_write(out, &frames[i].frame), CSIGN_OK);
		assert_bytes(frames[i].name, csign_buf_data(out),
		    csign_buf_len(out), frames[i].packet, frames[i].len);
	}
	csign_buf_clear(out);
	assert_ok(
	    csign_frame_outcome(out, CSIGN_OUTCOME_REJECTED, "no", 1, NULL));
	assert_bytes("outcome", csign_buf_data(out), csign_buf_len(out),
	    "csf1\2\3\0\2no\1\0\0", 13);
	assert_err("no id",
	    csign_frame_outcome(out, CSIGN_OUTCOME_GRANTED, "OK", 0, "4hx2"),
	    CSIGN_E_INVALID);
	csign_buf_free(&out);
}

static void
test_bad_frames(void **state)
{
	const struct csign_frame before = {.type = CSIGN_FRAME_DONE};
	struct csign_frame got = before;

	(void)state;
	for (size_t i = 0; i < N_ROWS(bad_frames); i++) {
		assert_err(bad_frames[i].name,
		    csign_frame_read(
			bad_frames[i].packet, bad_frames[i].len, &got),
		    CSIGN_E_FORMAT);
		assert_int_equal(got.type, before.type);
	}
	for (size_t i = 0; i < N_ROWS(frames); i++)
		for (size_t cut = 0; cut < frames[i].len; cut++)
			assert_err(frames[i].name,
			    csign_frame_read(frames[i].packet, cut, &got),
			    CSIGN_E_FORMAT);
}

static void
test_write_refuses(void **state)
{
	static const unsigned char big[CSIGN_ANSWER_MAX + 1];
	const struct csign_frame bad[] = {
	    {.type = CSIGN_FRAME_JOB},
	    {.type = (enum csign_frame_type)0},
	    {.type = CSIGN_FRAME_ANSWER},
	    {.type = CSIGN_FRAME_ANSWER, .bytes = big, .len = sizeof(big)},
	    {.type = CSIGN_FRAME_ENDED},
	    {.type = CSIGN_FRAME_CREATED, .code = CSIGN_DEVICES_MAX + 1},
	    {.type = CSIGN_FRAME_TROUBLE},
	    {.type = CSIGN_FRAME_TROUBLE,
		.code = 1,
		.bytes = big,
		.len = CSIGN_WHY_SIZE},
	    {.type = CSIGN_FRAME_OUTCOME},
	    {.type = CSIGN_FRAME_OUTCOME, .code = 1, .tries_left = 9},
	    {.type = CSIGN_FRAME_OUTCOME, .code = 2, .device = DEVICE},
	    {.type = CSIGN_FRAME_OUTCOME, .code = 1, .device = "4hx2"},
	    {.type = CSIGN_FRAME_REMOVED},
	    {.type = CSIGN_FRAME_REMOVED, .device = "4hx2"},
	    {.type = CSIGN_FRAME_REMOVAL},
	    {.type = CSIGN_FRAME_REMOVAL,
		.bytes = big,
		.len = CSIGN_REMOVAL_MAX + 1},
	};
	struct csign_buf *out = new_buf();

	(void)state;
	for (size_t i = 0; i < N_ROWS(bad); i++) {
		assert_err(
		    "bad", csign_frame_write(out, &bad[i]), CSIGN_E_INVALID);
		assert_int_equal(csign_buf_len(out), 0);
	}
	csign_buf_free(&out);
}

/* What is accepted is exactly what would be written: nothing is left over. */
static bool
is_exact(const unsigned char *packet, size_t len, struct csign_buf *out)
{
	struct csign_frame frame;

	if (csign_frame_read(packet, len, &frame) != CSIGN_OK)
		return false;
	csign_buf_clear(out);
	assert_ok(csign_frame_write(out, &frame));
	assert_bytes(
	    "random", csign_buf_data(out), csign_buf_len(out), packet, len);
	return true;
}

#define RANDOM_FRAMES 1000000
#define PACKET_SIZE 512

static uint64_t seed = UINT64_C(20261122);

static uint32_t
draw(uint32_t below)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % below;
}

/* Bytes as they fall; the first five are often those of a frame. */
static size_t
random_packet(unsigned char *packet)
{
	const size_t len = draw(4) == 0 ? draw(PACKET_SIZE) : draw(48);

	for (size_t i = 0; i < len; i++)
		packet[i] = (unsigned char)draw(256);
	if (draw(4) > 0)
		memcpy(packet, "csf1", len < 4 ? len : 4);
	if (draw(2) > 0 && len > 4)
		packet[4] = (unsigned char)draw(CSIGN_FRAME_REMOVAL + 2);
	return len;
}

/* A right one, a few bytes of which are others, missing or new. */
static size_t
changed_packet(unsigned char *packet, const struct csign_buf *job)
{
	const size_t row = draw(N_ROWS(frames) + 1);
	const bool is_job = row == N_ROWS(frames);
	size_t len = is_job ? csign_buf_len(job) : frames[row].len;

	assert_true(len + 8 < PACKET_SIZE);
	memcpy(packet,
	    is_job ? (const char *)csign_buf_data(job) : frames[row].packet,
	    len);
	for (uint32_t n = 1 + draw(3); n > 0; n--)
		packet[draw((uint32_t)len)] = (unsigned char)draw(256);
	if (draw(4) > 0)
		return len;
	if (draw(2) > 0)
		return draw((uint32_t)len);
	for (uint32_t n = 1 + draw(8); n > 0; n--)
		packet[len++] = (unsigned char)draw(256);
	return len;
}

static bool
is_exact_job(const unsigned char *packet, size_t len, struct csign_buf *out)
{
	struct csign_buf *store = NULL;
	struct csign_job job;

	if (csign_frame_read_job(packet, len, &store, &job) != CSIGN_OK)
		return false;
	csign_buf_clear(out);
	assert_ok(csign_frame_job(out, &job));
	assert_bytes(
	    "random job", csign_buf_data(out), csign_buf_len(out), packet, len);
	csign_buf_free(&store);
	return true;
}

/* No sanitizer makes this slow enough to need fewer of them. */
static void
test_random(void **state)
{
	struct csign_buf *out = new_buf(), *job = new_buf();
	unsigned char packet[PACKET_SIZE];
	unsigned long taken[2] = {0, 0}, jobs = 0;

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)seed);
	assert_ok(csign_frame_job(job, &full_job));
	for (unsigned long i = 0; i < RANDOM_FRAMES; i++) {
		const size_t len = i % 2 == 0 ? random_packet(packet)
					      : changed_packet(packet, job);
		/* Of exactly this size: an overrun is seen. */
		unsigned char *exact = malloc(len > 0 ? len : 1);

		assert_non_null(exact);
		memcpy(exact, packet, len);
		taken[i % 2] += is_exact(exact, len, out);
		jobs += is_exact_job(exact, len, out);
		free(exact);
	}
	print_message("# of %d frames %lu random and %lu changed ones are "
		      "frames, %lu jobs\n",
	    RANDOM_FRAMES, taken[0], taken[1], jobs);
	/* Neither all refused nor all taken: both were tried. */
	assert_in_range(taken[0], 1, RANDOM_FRAMES / 4);
	assert_in_range(taken[1], RANDOM_FRAMES / 100, RANDOM_FRAMES / 4);
	assert_in_range(jobs, 100, RANDOM_FRAMES / 4);
	csign_buf_free(&out);
	csign_buf_free(&job);
}

static struct csign_buf *fault_frame;

static int
read_fault_job(void)
{
	return read_job(
	    csign_buf_data(fault_frame), csign_buf_len(fault_frame));
}

static void
test_memory(void **state)
{
	(void)state;
	fault_frame = new_buf();
	assert_ok(csign_frame_job(fault_frame, &full_job));
	fault_loop(read_fault_job);
	csign_buf_free(&fault_frame);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_job),
	    cmocka_unit_test(test_job_largest),
	    cmocka_unit_test(test_job_damaged),
	    cmocka_unit_test(test_copies),
	    cmocka_unit_test(test_frames),
	    cmocka_unit_test(test_bad_frames),
	    cmocka_unit_test(test_write_refuses),
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
