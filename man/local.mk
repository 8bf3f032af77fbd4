# SPDX-License-Identifier: BSD-2-Clause
dist_man_MANS += %D%/libcountersign.3
dist_man_MANS += %D%/countersign.conf.5
dist_man_MANS += %D%/countersign-devices.5
dist_man_MANS += %D%/countersignd.conf.5
dist_man_MANS += %D%/countersign-protocol.7
dist_man_MANS += %D%/countersign-security.7
dist_man_MANS += %D%/countersignd.8
