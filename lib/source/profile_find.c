/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a profile lies, and what its template makes of a target. */
#include "source_priv.h"

#include <ns_profile.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 65536

static struct ns_profile *load_file(const char *name, const char *path, struct ns_err *e)
{
	FILE *f = fopen(path, "re");
	struct ns_profile *p = NULL;
	char *text;
	size_t n;

	if (f == NULL) {
		ns_fail(e, errno, "%s: %s", path, strerror(errno));
		return NULL;
	}
	text = ns_source_calloc(1, FILE_MAX + 1);
	if (text == NULL) {
		fclose(f);
		ns_fail(e, ENOMEM, "%s: no memory", path);
		return NULL;
	}
	n = fread(text, 1, FILE_MAX + 1, f);
	if (ferror(f))
		ns_fail(e, EIO, "%s: can't be read", path);
	else if (n > FILE_MAX)
		ns_fail(e, EINVAL, "%s: longer than %u octets", path, FILE_MAX);
	else
		p = ns_profile_parse(text, n, name, path, e);
	n = (size_t)errno;
	free(text);
	fclose(f);
	errno = (int)n;
	return p;
}

/* The directories to look in, in order; false: no more. */
static bool directory(unsigned i, char *buf, size_t len)
{
	static const char *const places[] = {"..", "../..", "../../..", "../../../.."};
	const char *env = getenv("NS_DRIVERS_CONFIG");
	char exe[PATH_MAX];
	ssize_t n;
	char *slash;

	if (env != NULL && env[0] != '\0') {
		snprintf(buf, len, "%s", env);
		return i == 0;
	}
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0 || i > NS_ARRAY_LEN(places))
		return false;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	if (i < NS_ARRAY_LEN(places))
		snprintf(buf, len, "%s/%s/drivers-config", exe, places[i]);
	else
		snprintf(buf, len, "%s/../share/netspectra/drivers-config", exe);
	return true;
}

struct ns_profile *ns_profile_load(const char *name, struct ns_err *e)
{
	char dir[PATH_MAX + 64] = "";
	char path[PATH_MAX + 256];
	char first[PATH_MAX + 64] = "";

	if (strchr(name, '/') != NULL)
		return load_file(name, name, e);
	if (name[0] == '\0' || name[0] == '.' || strlen(name) > 64) {
		ns_fail(e, EINVAL, "profile \"%.80s\": not a name", name);
		return NULL;
	}
	for (unsigned i = 0; directory(i, dir, sizeof(dir)); i++) {
		snprintf(path, sizeof(path), "%s/%s.yaml", dir, name);
		if (access(path, F_OK) == 0)
			return load_file(name, path, e);
		if (i == 0)
			memcpy(first, dir, sizeof(first));
	}
	ns_fail(e, ENOENT, "profile \"%s\": no file %s.yaml in %.300s%s", name, name,
		first[0] == '\0' ? "the directory of NS_DRIVERS_CONFIG" : first,
		getenv("NS_DRIVERS_CONFIG") != NULL
			? ""
			: " nor above it; set NS_DRIVERS_CONFIG to the directory of profiles");
	return NULL;
}

bool ns_profile_has_driver(const struct ns_profile *p, const char *driver)
{
	if (p->drivers == NULL || p->drivers[0] == NULL)
		return true;
	for (const char **d = p->drivers; *d != NULL; d++) {
		if (strcmp(*d, driver) == 0)
			return true;
	}
	return false;
}

int ns_profile_devargs(const struct ns_profile *p, const char *target, unsigned index,
	unsigned queues, char *buf, size_t len)
{
	const char *s = p->devargs;
	size_t at = 0;

	if (s == NULL)
		return ns_errno_set(EINVAL);
	while (*s != '\0' && at < len) {
		size_t room = len - at;

		if (strncmp(s, "{target}", 8) == 0) {
			at += (size_t)snprintf(buf + at, room, "%s", target);
			s += 8;
		} else if (strncmp(s, "{index}", 7) == 0) {
			at += (size_t)snprintf(buf + at, room, "%u", index);
			s += 7;
		} else if (strncmp(s, "{queues}", 8) == 0) {
			at += (size_t)snprintf(buf + at, room, "%u", queues);
			s += 8;
		} else {
			buf[at++] = *s++;
		}
	}
	if (at >= len)
		return ns_errno_set(ENAMETOOLONG);
	buf[at] = '\0';
	return 0;
}
