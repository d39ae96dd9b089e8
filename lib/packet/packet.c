/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_packet.h>

_Static_assert(sizeof(struct ns_packet) <= 192, "three cache lines of an mbuf's private area");
