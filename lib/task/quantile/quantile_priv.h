/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_task.h>

#define QUANTILE_POINTS_MAX 32

struct quantile_conf {
	struct ns_task_conf task;
	char *value;
	double error;
	double *points;
	uint32_t points_count;
};
