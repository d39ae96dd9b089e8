/* SPDX-License-Identifier: BSD-3-Clause */
/* What a thing counts for: the words, and the fields they stand for. */
#include "ns_task_weight.h"

const cyaml_strval_t ns_task_by_words[NS_TASK_BY_N] = {
	{"packets", NS_TASK_BY_PACKETS},
	{"octets", NS_TASK_BY_OCTETS},
	{"ip_octets", NS_TASK_BY_IP_OCTETS},
	{"flows", NS_TASK_BY_FLOWS},
};

const uint64_t ns_task_ones[NS_TASK_BURST] = {[0 ... NS_TASK_BURST - 1] = 1};

/* The fields that are added up; none: 1. */
static const char *const fields[2][NS_TASK_BY_N][2] = {
	[NS_TASK_OF_PACKETS] =
		{
			[NS_TASK_BY_OCTETS] = {"l2_octets"},
			[NS_TASK_BY_IP_OCTETS] = {"ip_octets"},
		},
	[NS_TASK_OF_FLOWS] =
		{
			[NS_TASK_BY_PACKETS] = {"packets", "rev_packets"},
			[NS_TASK_BY_OCTETS] = {"l2_octets", "rev_l2_octets"},
			[NS_TASK_BY_IP_OCTETS] = {"ip_octets", "rev_ip_octets"},
		},
};

const char *ns_task_by_unit(int by)
{
	switch (by) {
	case NS_TASK_BY_PACKETS:
		return "packets";
	case NS_TASK_BY_FLOWS:
		return "flows";
	default:
		return "octets";
	}
}

int ns_task_check_by(
	const struct ns_task_conf *c, const char *name, int by, const char **key, struct ns_err *e)
{
	if (by != NS_TASK_BY_FLOWS || c->of == NS_TASK_OF_FLOWS)
		return 0;
	*key = name;
	return ns_fail(e, EINVAL,
		"\"flows\" counts flow records and goes with \"of: flows\"; packets have packets, "
		"octets and ip_octets");
}

int ns_task_weight(struct ns_task_build *b, const struct ns_task_conf *c, int by,
	struct ns_task_weight *w, struct ns_err *e)
{
	const char *const *f = fields[c->of][by];

	for (w->values_n = 0; w->values_n < 2 && f[w->values_n] != NULL; w->values_n++) {
		int value = ns_task_value(b, f[w->values_n], e);

		if (value < 0)
			return value;
		w->value[w->values_n] = (unsigned)value;
	}
	return 0;
}
