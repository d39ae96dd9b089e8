/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap-filter(7) expressions. The interpreter of libpcap is the reference; machine code is used
 * for the packets and programs for which it gives the same answer:
 *
 *   - "len" in generated code is the length of the data, so a program that asks for it runs as
 *     machine code only for packets that are not cut.
 *   - The generated code adds offset and size in 32 bits. An index register that holds octets of
 *     the packet could wrap around, so such programs are always interpreted. An index from
 *     "4 * (octet & 15)" is at most 60 and is safe: that is all of the usual filters.
 *   - 22.11's compiler for x86 gives "jset" with a constant that fits in eight bits a wrong length,
 *     and runs into the middle of the next instruction; such programs are interpreted.
 *   - Shifts by more than 31 and division by zero differ when the second operand is a register.
 */
#include "filter_priv.h"

#include <ns_filter.h>

#include <pcap/pcap.h>
#include <stdlib.h>

/* An offset below this can't wrap around when a header length and a size are added. */
#define OFFSET_MAX (1u << 30)

struct ns_filter {
	struct bpf_program prog;
	struct ns_filter_jit *jit; /* NULL: interpreted */
	bool uses_len;
};

static int dlt_of_linktype(unsigned linktype)
{
	/* Link types that DLT numbers differently per system; all others are equal. */
	switch (linktype) {
	case 100:
		return DLT_ATM_RFC1483;
	case 101:
		return DLT_RAW;
	case 102:
		return DLT_SLIP_BSDOS;
	case 103:
		return DLT_PPP_BSDOS;
	default:
		return (int)linktype;
	}
}

static bool jit_is_exact(const struct bpf_program *prog, bool *uses_len)
{
	*uses_len = false;
	for (unsigned i = 0; i < prog->bf_len; i++) {
		const struct bpf_insn *in = &prog->bf_insns[i];

		switch (BPF_CLASS(in->code)) {
		case BPF_LD:
			if (BPF_MODE(in->code) == BPF_LEN)
				*uses_len = true;
			else if (BPF_MODE(in->code) != BPF_IMM && BPF_MODE(in->code) != BPF_MEM &&
				 in->k >= OFFSET_MAX)
				return false;
			break;
		case BPF_LDX:
			if (BPF_MODE(in->code) == BPF_LEN || BPF_MODE(in->code) == BPF_MEM ||
				in->k >= OFFSET_MAX)
				return false;
			break;
		case BPF_ALU:
			if (BPF_OP(in->code) != BPF_NEG && BPF_SRC(in->code) == BPF_X)
				return false;
			if (BPF_SRC(in->code) == BPF_K && in->k > 31 &&
				(BPF_OP(in->code) == BPF_LSH || BPF_OP(in->code) == BPF_RSH))
				return false;
			break;
		case BPF_JMP:
			if (BPF_OP(in->code) == BPF_JSET && (int32_t)in->k == (int8_t)in->k)
				return false;
			break;
		case BPF_MISC:
			if (BPF_MISCOP(in->code) == BPF_TAX)
				return false;
			break;
		default:
			break;
		}
	}
	return true;
}

struct ns_filter *ns_filter_create(
	const char *expr, unsigned linktype, unsigned snaplen, struct ns_err *e)
{
	struct ns_filter *f = calloc(1, sizeof(*f));
	pcap_t *dead;

	if (f == NULL) {
		ns_fail(e, ENOMEM, "filter \"%s\": no memory", expr);
		return NULL;
	}
	dead = pcap_open_dead(dlt_of_linktype(linktype), snaplen == 0 ? 262144 : (int)snaplen);
	if (dead == NULL) {
		free(f);
		ns_fail(e, ENOMEM, "filter \"%s\": no memory", expr);
		return NULL;
	}
	if (pcap_compile(dead, &f->prog, expr, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		ns_fail(e, EINVAL, "filter \"%s\": %s", expr, pcap_geterr(dead));
		pcap_close(dead);
		free(f);
		errno = EINVAL;
		return NULL;
	}
	pcap_close(dead);
	if (jit_is_exact(&f->prog, &f->uses_len))
		f->jit = ns_filter_jit_create(&f->prog);
	return f;
}

bool ns_filter_match(
	const struct ns_filter *f, const uint8_t *data, uint32_t caplen, uint32_t wirelen)
{
	if (f->jit != NULL && caplen <= UINT16_MAX && (!f->uses_len || caplen == wirelen))
		return ns_filter_jit_match(f->jit, data, caplen);
	return bpf_filter(f->prog.bf_insns, data, wirelen, caplen) != 0;
}

bool ns_filter_jitted(const struct ns_filter *f)
{
	return f->jit != NULL;
}

void ns_filter_destroy(struct ns_filter *f)
{
	if (f == NULL)
		return;
	ns_filter_jit_destroy(f->jit);
	pcap_freecode(&f->prog);
	free(f);
}
