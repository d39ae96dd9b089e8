/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_base.h>

#include <stdio.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_SEC_NS + (uint64_t)t.tv_nsec;
}

uint64_t ns_clock_mono(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t ns_clock_real(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t ns_clock_cpu(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

char *ns_fmt_seconds(char *buf, size_t len, double s)
{
	if (s < 1e-6)
		snprintf(buf, len, "%.0f ns", s * 1e9);
	else if (s < 1e-3)
		snprintf(buf, len, "%.1f us", s * 1e6);
	else if (s < 1)
		snprintf(buf, len, "%.2f ms", s * 1e3);
	else if (s < 120)
		snprintf(buf, len, "%.2f s", s);
	else if (s < 7200)
		snprintf(buf, len, "%.1f min", s / 60);
	else if (s < 172800)
		snprintf(buf, len, "%.1f h", s / 3600);
	else
		snprintf(buf, len, "%.1f d", s / 86400);
	return buf;
}

static char *scaled(char *buf, size_t len, double v, const char *unit)
{
	static const char *const prefix[] = {"", "k", "M", "G", "T", "P", "E"};
	size_t i = 0;

	while (v >= 1000 && i + 1 < NS_ARRAY_LEN(prefix)) {
		v /= 1000;
		i++;
	}
	if (i == 0 && unit[0] == '\0')
		snprintf(buf, len, v == (double)(uint64_t)v ? "%.0f" : "%.1f", v);
	else if (i == 0)
		snprintf(buf, len, "%.0f %s", v, unit);
	else
		snprintf(buf, len, "%.2f %s%s", v, prefix[i], unit);
	return buf;
}

char *ns_fmt_count(char *buf, size_t len, double count)
{
	return scaled(buf, len, count, "");
}

char *ns_fmt_octets(char *buf, size_t len, double octets)
{
	return scaled(buf, len, octets, "B");
}

char *ns_fmt_time(char *buf, size_t len, uint64_t ns)
{
	time_t s = (time_t)(ns / NS_SEC_NS);
	struct tm tm;
	char date[24];

	gmtime_r(&s, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buf, len, "%s.%09u", date, (unsigned)(ns % NS_SEC_NS));
	return buf;
}
