/* SPDX-License-Identifier: BSD-3-Clause */
#include "source_priv.h"

#include <ns_source.h>

#include <stdlib.h>

_Static_assert(NS_BURST <= 256, "burst() is asked for at most 256 packets");

void *(*ns_source_calloc)(size_t n, size_t size) = calloc;
