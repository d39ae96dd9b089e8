/* SPDX-License-Identifier: BSD-3-Clause */
/* Writer: the main thread, once, before others start; readers: any thread. */
#include <ns_node.h>

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define ALLOWED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

static struct ns_node node;

int ns_node_check(const char *name, struct ns_err *e)
{
	size_t len = strlen(name);

	if (len == 0 || len > NS_NODE_NAME_MAX || strspn(name, ALLOWED) != len)
		return ns_fail(e, EINVAL,
			"\"%.80s\" is no name of a node: 1 to %d of A-Z, a-z, 0-9, _, . and -",
			name, NS_NODE_NAME_MAX);
	return 0;
}

/* What a host may be called that a node may not. */
static void host_name(char name[NS_NODE_NAME_MAX + 1])
{
	if (gethostname(name, NS_NODE_NAME_MAX + 1) != 0 || name[0] == '\0')
		strcpy(name, "node");
	name[NS_NODE_NAME_MAX] = '\0';
	for (char *p = name; *p != '\0'; p++) {
		if (strchr(ALLOWED, *p) == NULL)
			*p = '_';
	}
}

int ns_node_init(const char *name, struct ns_err *e)
{
	struct ns_node n = {.start_ns = ns_clock_real()};
	uint8_t id[16];

	if (name == NULL || name[0] == '\0') {
		host_name(n.name);
	} else {
		if (ns_node_check(name, e) < 0)
			return -errno;
		strcpy(n.name, name);
	}
	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return ns_fail(e, EIO, "no random numbers for a boot id");
	for (unsigned i = 0; i < sizeof(id); i++)
		snprintf(n.boot + 2 * (size_t)i, 3, "%02x", id[i]);
	node = n;
	return 0;
}

const struct ns_node *ns_node(void)
{
	return &node;
}
