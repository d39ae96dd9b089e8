/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_task_weight.h>

struct entropy_conf {
	struct ns_task_conf task;
	char **key;
	uint32_t key_count;
	int by; /* enum ns_task_by */
	char *memory;
};
