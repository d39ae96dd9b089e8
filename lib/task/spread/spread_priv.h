/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_task.h>

struct spread_conf {
	struct ns_task_conf task;
	char **key, **peers;
	uint32_t key_count, peers_count;
	uint32_t top;
	uint32_t least;
	char *memory;
};
