/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether DPDK's telemetry socket can be made. EAL does not start when it can't, so the answer must
 * be known before: its directory, $RUNTIME_DIRECTORY, /var/run of root, $XDG_RUNTIME_DIR or /tmp,
 * with "dpdk" and the file prefix behind it, is made here as EAL would make it.
 */
#include "engine_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PREFIX "rte" /* EAL's own */
#define SOCKET "dpdk_telemetry.v2:99" /* the longest name that it may get */

static const char *base(void)
{
	const char *dir = getenv("RUNTIME_DIRECTORY"); /* of systemd */

	if (dir != NULL)
		return dir;
	if (getuid() == 0)
		return "/var/run";
	dir = getenv("XDG_RUNTIME_DIR");
	return dir != NULL ? dir : "/tmp";
}

/* What engine.eal says of --file-prefix; the last one counts. */
static const char *prefix(const struct ns_engine_conf *c)
{
	static const char option[] = "--file-prefix";
	const size_t len = sizeof(option) - 1;
	const char *found = PREFIX;

	for (unsigned i = 0; i < c->eal_count; i++) {
		if (strncmp(c->eal[i], option, len) != 0)
			continue;
		if (c->eal[i][len] == '=')
			found = c->eal[i] + len + 1;
		else if (c->eal[i][len] == '\0' && i + 1 < c->eal_count)
			found = c->eal[i + 1];
	}
	return found;
}

static int make(const char *dir, struct ns_err *e)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return ns_fail(e, errno, "%s: %s", dir, strerror(errno));
	if (access(dir, W_OK | X_OK) < 0)
		return ns_fail(e, errno, "%s: %s", dir, strerror(errno));
	return 0;
}

int engine_runtime_dir(const struct ns_engine *en, struct ns_err *e)
{
	struct sockaddr_un sa;
	char dir[sizeof(sa.sun_path)];
	int n = snprintf(dir, sizeof(dir), "%s/dpdk/%s/" SOCKET, base(), prefix(en->conf));

	if (n < 0 || (size_t)n >= sizeof(dir))
		return ns_fail(
			e, ENAMETOOLONG, "%s: a socket below it has too long a name", base());
	snprintf(dir, sizeof(dir), "%s/dpdk", base());
	int rc = make(dir, e);

	snprintf(dir, sizeof(dir), "%s/dpdk/%s", base(), prefix(en->conf));
	return rc < 0 ? rc : make(dir, e);
}
