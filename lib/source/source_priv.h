/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stddef.h>

/* All memory of this room comes from here, so that a test can make the Nth allocation fail. */
extern void *(*ns_source_calloc)(size_t n, size_t size);
