/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_base.h>

#include <stdarg.h>
#include <stdio.h>

void *ns_errno_null(int err)
{
	errno = err;
	return NULL;
}

int ns_fail(struct ns_err *e, int err, const char *fmt, ...)
{
	if (e != NULL) {
		va_list ap;

		va_start(ap, fmt);
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
		va_end(ap);
	}
	return ns_errno_set(err);
}
