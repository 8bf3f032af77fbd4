/* SPDX-License-Identifier: BSD-2-Clause */
/* What the reader and the writer of countersign-devices(5) share. */
#ifndef CSIGN_DEVICE_FILE_H
#define CSIGN_DEVICE_FILE_H

#define CSIGN_DEVICES_HEADER "# countersign-devices "
#define CSIGN_DEVICES_VERSION 1
#define CSIGN_AAGUID_LEN 16

#endif
