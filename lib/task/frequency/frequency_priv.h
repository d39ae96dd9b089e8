/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_cms.h>
#include <ns_task_weight.h>

#define FREQ_WATCH_MAX 4096

struct freq_conf {
	struct ns_task_conf task;
	char **key;
	uint32_t key_count;
	int by; /* enum ns_task_by */
	char *memory;
	int layout; /* enum ns_cms_layout */
	uint32_t depth;
	bool plain;
	char **watch;
	uint32_t watch_count;
};
