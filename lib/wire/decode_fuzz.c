/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages from any octets: refused with a message, or one whose every value can be read. */
#include "ns_wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static volatile uint64_t sum;

static void read_table(const struct ns_wire_msg *m)
{
	uint32_t rows = NS_MIN(m->rows, 1000u);
	struct ns_wire_column c;
	struct ns_wire_value v;

	for (unsigned i = 0; i < m->columns_n; i++) {
		if (!ns_wire_column(m, i, &c) || ns_wire_column_of(m, c.name) > (int)i)
			abort();
		for (uint32_t r = 0; r < rows; r++) {
			if (!ns_wire_value(m, i, r, &v))
				abort();
			for (size_t b = 0; b < v.len; b++)
				sum += v.bytes[b];
		}
	}
	if (ns_wire_column(m, m->columns_n, &c) || ns_wire_value(m, 0, m->rows, &v))
		abort();
}

static void read_parts(const struct ns_wire_msg *m)
{
	struct ns_wire_count c;
	uint64_t v;
	double d;

	if (m->body == NS_WIRE_EPOCH && !ns_wire_number(m, NS_WIRE_OF_EPOCH, 0, "received", &v))
		abort();
	for (int map = NS_WIRE_DROPS; map <= NS_WIRE_TOPICS; map++) {
		for (unsigned i = 0; ns_wire_count(m, (enum ns_wire_map)map, i, &c); i++)
			sum += strlen(c.name) + c.value;
	}
	for (unsigned i = 0; i < m->lcores_n; i++) {
		if (!ns_wire_real(m, NS_WIRE_OF_LCORE, i, "epoch_busy", &d) ||
			ns_wire_text(m, NS_WIRE_OF_LCORE, i, "role") == NULL)
			abort();
	}
	for (unsigned i = 0; i < m->writers_n; i++) {
		if (!ns_wire_number(m, NS_WIRE_OF_WRITER, i, "lost", &v) ||
			ns_wire_text(m, NS_WIRE_OF_WRITER, i, "message") == NULL)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct ns_err e = {0};
	struct ns_wire_msg *m = ns_wire_decode(in, len, &e);

	if (m == NULL && e.text[0] == '\0')
		abort();
	if (m != NULL) {
		sum += strlen(m->node) + strlen(m->boot) + strlen(m->topic);
		read_table(m);
		read_parts(m);
		for (size_t i = 0; i < m->sketches_len; i++)
			sum += m->sketches[i];
	}
	ns_wire_free(m);
	return 0;
}
