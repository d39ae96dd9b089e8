/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Lines of CSV. A flow has some forty fields, and a capture ends with as many flows as it had: so
 * the description of a kind is made into a table of steps first,
 *
 *	fields   src_ip IP | src_port U16 | ... | rev_packets U64 | rev_ip_octets U64 | ...
 *	steps    IP at 32  | U16 at 66    | ... | U64 at 128      | U64 at 136        | ... | END
 *	                                            '--> zeros: 24 octets, 3 columns, "0,0,0,"
 *
 * and a line goes from step to step, without a branch that depends on digits, strings sixteen
 * octets at a time. Where columns one after the other are zero they are put in one go. Which ones
 * are so together is for the traffic to say: a run that is met broken is tried shorter next time,
 * and all are tried whole again now and then.
 *
 * Everything may write a little further than it puts; ns_rec_line_max() has the room for it.
 */
#include "ns_rec.h"

#define CSV_WIDE 16 /* octets that are put in one go */

enum step_type {
	STEP_U8,
	STEP_U16,
	STEP_U32,
	STEP_U64,
	STEP_TIME,
	STEP_TCP_FLAGS,
	STEP_IP,
	STEP_VLANS,
	STEP_STR,
	STEP_OTHER,
	STEP_END,
};

#define SPAN 32 /* octets of a record that a run of zeros looks at */

struct zeros {
	uint64_t mask[SPAN / 8]; /* octets that must be zero, from there on */
	uint16_t from;
	uint8_t columns;
	uint8_t len;
	char text[CSV_WIDE];
};

struct step {
	uint8_t type;
	uint8_t zero; /* characters of a zero: none or one */
	uint16_t offset;
	uint16_t size;
	const struct ns_rec_field *field;
	const struct zeros *zeros; /* tried next; NULL: none */
	const struct zeros *longest, *shortest;
};

/* Text of a second since 1970: most records begin and end in one of few. */
struct second {
	uint64_t value;
	char text[CSV_WIDE];
	uint8_t len;
};

#define SECONDS 64
struct ns_rec_csv {
	const struct ns_rec_kind *kind;
	unsigned lines;
	struct second seconds[SECONDS];
	struct zeros *zeros;
	struct step steps[]; /* one a field, and the end */
};
