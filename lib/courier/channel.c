/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "channel.h"
#include "secret.h"

/* One packet; -1 with errno, 0 at the end. */
static ssize_t
receive(void *packet, size_t size, int flags)
{
	ssize_t n;

	do
		n = recv(CSIGN_CHANNEL_FD, packet, size, flags | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	return n;
}

enum csign_err
csign_channel_job(struct csign_buf **ret_store, struct csign_job *ret_job)
{
	static unsigned char packet[CSIGN_FRAME_MAX];
	enum csign_err r = CSIGN_E_FORMAT;
	ssize_t n;

	n = receive(packet, sizeof(packet), 0);
	if (n > 0 && (size_t)n <= sizeof(packet))
		r = csign_frame_read_job(packet, (size_t)n, ret_store, ret_job);
	/* It had the access key in it. */
	csign_wipe(packet, sizeof(packet));
	return r;
}

static void
keep_outcome(struct csign_channel *channel, const struct csign_frame *frame)
{
	struct csign_api_outcome *outcome = &channel->outcome;
	size_t len = frame->len;

	if (len >= sizeof(outcome->reason))
		len = sizeof(outcome->reason) - 1;
	if (len > 0)
		memcpy(outcome->reason, frame->bytes, len);
	outcome->reason[len] = '\0';
	outcome->code = frame->code;
	outcome->tries_left = frame->tries_left;
	memcpy(outcome->device, frame->device, sizeof(outcome->device));
	channel->decided = true;
}

/* One more than there were notes is not the library's way. */
static void
keep_removed(struct csign_channel *channel, const struct csign_frame *frame)
{
	for (size_t i = 0; i < channel->n_removed; i++)
		if (strcmp(channel->removed[i], frame->device) == 0)
			return;
	if (channel->n_removed == CSIGN_REMOVALS_MAX) {
		channel->gone = true;
		return;
	}
	memcpy(channel->removed[channel->n_removed++], frame->device,
	    sizeof(frame->device));
}

void
csign_channel_hear(struct csign_channel *channel)
{
	unsigned char packet[1024]; /* an outcome is far shorter */
	struct csign_frame frame;
	ssize_t n;

	while (!channel->gone) {
		n = receive(packet, sizeof(packet), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0 || (size_t)n > sizeof(packet) ||
		    csign_frame_read(packet, (size_t)n, &frame) != CSIGN_OK ||
		    (frame.type != CSIGN_FRAME_OUTCOME &&
			frame.type != CSIGN_FRAME_REMOVED)) {
			channel->gone = true;
			return;
		}
		if (frame.type == CSIGN_FRAME_OUTCOME)
			keep_outcome(channel, &frame);
		else
			keep_removed(channel, &frame);
	}
}

void
csign_channel_wait(struct csign_channel *channel, uint32_t timeout_ms)
{
	struct pollfd pfd = {
	    .fd = channel->gone ? -1 : CSIGN_CHANNEL_FD,
	    .events = POLLIN,
	};

	if (timeout_ms > INT32_MAX)
		timeout_ms = INT32_MAX;
	(void)poll(&pfd, 1, (int)timeout_ms);
	csign_channel_hear(channel);
}

void
csign_channel_send(
    struct csign_channel *channel, const struct csign_frame *frame)
{
	struct csign_buf *packet = NULL;
	ssize_t n = -1;

	if (channel->gone)
		return;
	if (csign_buf_new(CSIGN_FRAME_MAX, &packet) == CSIGN_OK &&
	    csign_frame_write(packet, frame) == CSIGN_OK)
		n = send(CSIGN_CHANNEL_FD, csign_buf_data(packet),
		    csign_buf_len(packet), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		channel->gone = true;
	csign_buf_free(&packet);
}

void
csign_channel_trouble(
    struct csign_channel *channel, uint8_t trouble, const char *text)
{
	const struct csign_frame frame = {
	    .type = CSIGN_FRAME_TROUBLE,
	    .code = trouble,
	    .bytes = (const unsigned char *)text,
	    .len = strlen(text),
	};

	csign_channel_send(channel, &frame);
}
