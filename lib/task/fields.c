/* SPDX-License-Identifier: BSD-3-Clause */
/* Fields by name: those of packets from a table, those of records from the record's description. */
#include "task_priv.h"

#include <stdio.h>
#include <string.h>

/* Field i of those, or false behind the last. */
static bool nth(int of, unsigned i, struct task_field *f)
{
	if (of == NS_TASK_OF_PACKETS) {
		if (i < task_packet_fields_n)
			*f = task_packet_fields[i];
		return i < task_packet_fields_n;
	}
	if (i == ns_flow_rec_kind.fields_n)
		*f = task_record_duration;
	else if (i < ns_flow_rec_kind.fields_n &&
		 !task_record_field(&ns_flow_rec_kind.fields[i], f))
		f->name = NULL;
	return i <= ns_flow_rec_kind.fields_n;
}

int task_field_find(int of, const char *name, size_t len, struct task_field *f)
{
	for (unsigned i = 0; nth(of, i, f); i++) {
		if (f->name != NULL && strlen(f->name) == len && memcmp(f->name, name, len) == 0)
			return 0;
	}
	return ns_errno_set(ENOENT);
}

void task_field_names(int of, unsigned flags, char *buf, size_t len)
{
	struct task_field f;
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned i = 0; nth(of, i, &f); i++) {
		if (f.name == NULL || (f.flags & flags) != flags)
			continue;
		if (at + strlen(f.name) + sizeof(", ...") >= len) {
			snprintf(buf + at, len - at, ", ...");
			return;
		}
		at += (size_t)snprintf(buf + at, len - at, "%s%s", at > 0 ? ", " : "", f.name);
	}
}
