/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Between filter.c, which knows libpcap, and filter_jit.c, which knows DPDK. */

#include <ns_base.h>

struct bpf_program;
struct ns_filter_jit;

/** Machine code for @p prog, or NULL when DPDK can't make it; no message, it is only speed. */
struct ns_filter_jit *ns_filter_jit_create(const struct bpf_program *prog);
bool ns_filter_jit_match(const struct ns_filter_jit *j, const uint8_t *data, uint32_t caplen);
void ns_filter_jit_destroy(struct ns_filter_jit *j);
