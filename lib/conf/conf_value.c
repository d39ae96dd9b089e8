/* SPDX-License-Identifier: BSD-3-Clause */
/* Values with a unit, for keys that are text: sizes and durations. */
#include "conf_priv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
	bool any_case;
};

static const struct unit sizes[] = {{"", 1, false}, {"KiB", UINT64_C(1) << 10, true},
	{"MiB", UINT64_C(1) << 20, true}, {"GiB", UINT64_C(1) << 30, true}};
static const struct unit durations[] = {{"", NS_SEC_NS, false}, {"ms", NS_SEC_NS / 1000, false},
	{"s", NS_SEC_NS, false}, {"m", 60 * NS_SEC_NS, false}, {"h", 3600 * NS_SEC_NS, false}};

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* A number, blanks, a unit; 0, -EINVAL or -ERANGE. */
static int read_value(const char *s, const struct unit *units, size_t n, uint64_t *v)
{
	char *end;

	if (s == NULL)
		return -EINVAL;
	s = skip_blanks(s);
	if (!isdigit((unsigned char)s[0]) || (s[0] == '0' && isdigit((unsigned char)s[1])))
		return -EINVAL; /* a leading zero: some read that as octal */
	errno = 0;
	*v = strtoull(s, &end, 10);
	if (errno != 0)
		return -ERANGE;
	s = skip_blanks(end);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(units[i].name);

		if (units[i].any_case ? strncasecmp(s, units[i].name, len) != 0
				      : strncmp(s, units[i].name, len) != 0)
			continue;
		if (*skip_blanks(s + len) == '\0')
			return __builtin_mul_overflow(*v, units[i].factor, v) ? -ERANGE : 0;
	}
	return -EINVAL;
}

static int refuse(
	struct ns_err *e, int rc, const char *text, const char *expected, const char *limit)
{
	char shown[64];

	if (rc == -ERANGE)
		return ns_fail(e, EINVAL, "\"%s\" is more than %s",
			conf_show(text, shown, sizeof(shown)), limit);
	if (text == NULL || *skip_blanks(text) == '\0')
		return ns_fail(e, EINVAL, "expected %s, not nothing", expected);
	return ns_fail(e, EINVAL, "expected %s, not \"%s\"", expected,
		conf_show(text, shown, sizeof(shown)));
}

int ns_conf_size(const char *text, uint64_t *octets, struct ns_err *e)
{
	uint64_t v;
	int rc = read_value(text, sizes, NS_ARRAY_LEN(sizes), &v);

	if (rc < 0)
		return refuse(e, rc, text,
			"a whole number of octets, KiB, MiB or GiB, as in 65536 or 512 KiB",
			"18446744073709551615 octets");
	*octets = v;
	return 0;
}

int ns_conf_duration(const char *text, uint64_t *ns, struct ns_err *e)
{
	uint64_t v;
	int rc = read_value(text, durations, NS_ARRAY_LEN(durations), &v);

	if (rc < 0)
		return refuse(e, rc, text,
			"a whole number of seconds, or with ms, s, m or h, as in 10, 500ms or 5m",
			"18446744073 seconds");
	*ns = v;
	return 0;
}
