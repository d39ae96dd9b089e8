/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The names by which people know a port of DPDK: its number, DPDK's name for it, and where it is an
 * interface of the kernel, the kernel's.
 */

#include <ns_base.h>

#define NS_PORT_NAME 64 /* RTE_ETH_NAME_MAX_LEN */

/**
 * The kernel's name of the interface that the port is, or DPDK's of the port, into @p name; DPDK's
 * into @p device. Both are always set. Any thread.
 */
void ns_port_names(uint16_t port, char name[NS_PORT_NAME], char device[NS_PORT_NAME]);

/**
 * The port of that number or name (a PCI address may lack its domain). 0, or -ENODEV with a message
 * that lists the ports. Control.
 */
int ns_port_find(const char *word, uint16_t *port, struct ns_err *e);

/** Hands each name that a port can be called by to @p fn: for completion. Control. */
void ns_port_each_name(void (*fn)(void *ctx, const char *name), void *ctx);
