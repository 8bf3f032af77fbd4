/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves: packets that are none of a courier's words, or too many of them. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "moves_impl.h"

#define FLOOD 100
#define PACKET_MAX (CSIGN_FRAME_MAX + 1024)

static const unsigned char magic[] = {'c', 's', 'f', '1'};

static size_t
random_size(struct moves *m)
{
	static const uint32_t up_to[] = {8, 64, 512, CSIGN_ANSWER_MAX};

	return 1 + m->draw(m, up_to[m->draw(m, 4)]);
}

void
moves_random(struct moves *m)
{
	unsigned char *packet = malloc(PACKET_MAX);
	size_t len = random_size(m);

	if (packet == NULL)
		login_fail("memory");
	moves_fill_long(m, packet, len);
	if (m->draw(m, 2) == 0 && len > 6) {
		memcpy(packet, magic, sizeof(magic));
		packet[4] = (unsigned char)m->draw(m, 26);
	}
	(void)login_send(m->l, packet, len);
	free(packet);
}

static void
put_frame(struct csign_buf *out, enum csign_frame_type type, uint8_t code,
    const void *bytes, size_t len)
{
	const struct csign_frame frame = {
	    .type = type, .code = code, .bytes = bytes, .len = len};

	moves_must(csign_frame_write(out, &frame));
}

/* A frame that somebody in the product could send, either way. */
static void
good_packet(struct moves *m, struct csign_buf *out)
{
	unsigned char bytes[64];
	const struct csign_job *job = login_job(m->l);

	moves_fill(m, bytes, sizeof(bytes));
	switch (m->draw(m, 8)) {
	case 0:
		put_frame(out, CSIGN_FRAME_CREATED,
		    bytes[0] % (CSIGN_DEVICES_MAX + 1), NULL, 0);
		return;
	case 1:
		put_frame(out, CSIGN_FRAME_SEEN, 0, NULL, 0);
		return;
	case 2:
		put_frame(out, CSIGN_FRAME_ANSWER, 0, bytes, sizeof(bytes));
		return;
	case 3:
		put_frame(out, CSIGN_FRAME_ENDED,
		    (uint8_t)(CSIGN_END_CANCELLED + bytes[0] % 2), NULL, 0);
		return;
	case 4:
		put_frame(out, CSIGN_FRAME_TROUBLE,
		    (uint8_t)(1 + bytes[0] % CSIGN_TROUBLE_INTERNAL), "x", 1);
		return;
	case 5:
		put_frame(out, CSIGN_FRAME_REMOVAL, 0, bytes, sizeof(bytes));
		return;
	case 6:
		put_frame(
		    out, CSIGN_FRAME_OUTCOME, CSIGN_OUTCOME_GRANTED, "OK", 2);
		return;
	default:
		if (job == NULL)
			put_frame(out, CSIGN_FRAME_DONE, 0, NULL, 0);
		else
			moves_must(csign_frame_job(out, job));
	}
}

void
moves_mutated(struct moves *m)
{
	struct csign_buf *frame = moves_buf(CSIGN_FRAME_MAX);
	unsigned char *packet;
	size_t len, at;

	good_packet(m, frame);
	len = csign_buf_len(frame);
	if ((packet = malloc(len + 16)) == NULL)
		login_fail("memory");
	memcpy(packet, csign_buf_data(frame), len);
	switch (m->draw(m, 4)) {
	case 0: /* bits */
		for (uint32_t n = 1 + m->draw(m, 4); n > 0; n--)
			packet[m->draw(m, (uint32_t)len)] ^=
			    (unsigned char)(1 << m->draw(m, 8));
		break;
	case 1:
		len = m->draw(m, (uint32_t)len);
		break;
	case 2:
		moves_fill(m, packet + len, 16);
		len += 1 + m->draw(m, 16);
		break;
	default: /* where lengths are */
		at = 4 + m->draw(m, 4);
		packet[at < len ? at : len - 1] =
		    (unsigned char)m->draw(m, 256);
	}
	(void)login_send(m->l, packet, len);
	csign_buf_free(&frame);
	free(packet);
}

void
moves_huge(struct moves *m)
{
	static const size_t around[] = {CSIGN_ANSWER_MAX, CSIGN_FRAME_MAX,
	    CSIGN_FRAME_MAX + 7, PACKET_MAX - 16, 65535 + 7};
	size_t len = around[m->draw(m, 5)] + m->draw(m, 16);
	unsigned char *packet = calloc(1, len);

	if (packet == NULL)
		login_fail("memory");
	memcpy(packet, magic, sizeof(magic));
	packet[4] = CSIGN_FRAME_ANSWER;
	packet[5] = (unsigned char)((len - 7) >> 8);
	packet[6] = (unsigned char)(len - 7);
	packet[7] = 1; /* the version of a seal */
	(void)login_send(m->l, packet, len);
	free(packet);
}

void
moves_flood(struct moves *m)
{
	const uint32_t what = m->draw(m, 3);
	unsigned char bytes[40];

	moves_fill(m, bytes, sizeof(bytes));
	for (unsigned int i = 0; i < FLOOD; i++) {
		memcpy(bytes, &i, sizeof(i));
		if (what == 0)
			moves_say(m, CSIGN_FRAME_SEEN, 0);
		else if (what == 1)
			(void)login_send_frame(
			    m->l, CSIGN_FRAME_ANSWER, 0, bytes, sizeof(bytes));
		else
			(void)login_send_frame(m->l, CSIGN_FRAME_ANSWER, 0,
			    bytes + 4, sizeof(bytes) - 4);
	}
}
