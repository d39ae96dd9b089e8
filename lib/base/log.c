/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_log.h>

#include <stdarg.h>
#include <stdio.h>

static enum ns_log_level threshold = NS_LOG_NOTICE;
static const char *program = "netspectra";

void ns_log_set_level(enum ns_log_level level)
{
	threshold = level;
}

void ns_log_set_program(const char *name)
{
	program = name;
}

void ns_log(enum ns_log_level level, const char *type, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
	char line[1024];
	va_list ap;

	if (level > threshold)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* one call, so that lines of several threads do not mix */
	fprintf(stderr, "%s: %s: %s: %s\n", program, type, names[level], line);
}
