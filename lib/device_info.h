/* SPDX-License-Identifier: BSD-2-Clause */
/* From the library's own device to what countersign.h shows of it. */
#ifndef CSIGN_DEVICE_INFO_H
#define CSIGN_DEVICE_INFO_H

#include <stdint.h>

#include "clock.h"
#include "countersign.h"
#include "device.h"

struct csign_device_texts {
	char added[CSIGN_TIME_SIZE];
	char last_used[CSIGN_TIME_SIZE];
};

/* ret_info points into device and texts.  last_used: seconds, 0 for never. */
CSIGN_WUR enum csign_err csign_device_describe(
    const struct csign_device *device, uint64_t last_used,
    struct csign_device_info *ret_info, struct csign_device_texts *texts);

#endif
