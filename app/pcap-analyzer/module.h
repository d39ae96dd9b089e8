/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_base.h>

/**
 * Can a plug-in module be loaded into this program as it is linked? One that is linked with DPDK's
 * shared libraries would bring a second EAL to a program that has its own: the two would end the
 * program. -EPROTO with a message naming the library; 0 for all else, dlopen() says what is wrong.
 */
int module_check(const char *path, struct ns_err *e);
