/* SPDX-License-Identifier: BSD-2-Clause */
/* What systemd is told, sd_notify(3), without its library. */
#ifndef SERVICE_NOTIFY_H
#define SERVICE_NOTIFY_H

/* state: "READY=1", "STOPPING=1".  Does nothing outside systemd. */
void notify(const char *state);

#endif
