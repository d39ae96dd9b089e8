/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Who is speaking: every message that leaves the process carries the node's name, and a boot id
 * that is another one each time the program starts, so that sequence numbers that begin anew are
 * not taken for lost messages.
 */

#include <ns_base.h>

#define NS_NODE_NAME_MAX 63

struct ns_node {
	char name[NS_NODE_NAME_MAX + 1]; /**< [A-Za-z0-9_.-]+ */
	char boot[33]; /**< 128 random bits in hex */
	uint64_t start_ns; /**< when the program started, since 1970 */
};

/**
 * Sets the name (NULL or "": the host's) and draws a boot id. 0, or -EINVAL with a message that
 * says what is allowed. Main thread, before others start.
 */
int ns_node_init(const char *name, struct ns_err *e);

/** Whether a name may be a node's: 0 or -EINVAL with a message. Any thread. */
int ns_node_check(const char *name, struct ns_err *e);

/** This node; before ns_node_init() name and boot are "". Any thread, read only. */
const struct ns_node *ns_node(void);
