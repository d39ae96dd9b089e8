/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_base.h>

/* The name that people know a port by ("https"), or NULL. */
const char *service_name(uint8_t proto, uint16_t port);
