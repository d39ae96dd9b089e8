/* SPDX-License-Identifier: BSD-3-Clause */
/* Who writes the name of Redis's protocol over TLS shall hear why it is not there. */
#include <ns_registry.h>
#include <ns_write.h>

static int rediss_check(const char *target, struct ns_err *e)
{
	(void)target;
	return ns_fail(e, EPROTONOSUPPORT,
		"rediss: hiredis 0.14 of Debian 12 has no TLS; use a Redis on this host over "
		"redis:unix:/PATH, or a tunnel that ends here (stunnel) as redis:127.0.0.1:PORT");
}

static struct ns_writer *rediss_open(const struct ns_writer_args *args, struct ns_err *e)
{
	rediss_check(args->target, e);
	return ns_errno_null(EPROTONOSUPPORT);
}

/* There is never a writer to be put to. */
static const struct ns_writer_ops rediss_ops = {.open = rediss_open, .check = rediss_check};

static const struct ns_plugin rediss = {.kind = NS_WRITER_KIND,
	.name = "rediss",
	.summary = "refused with the reason: there is no Redis over TLS here",
	.abi = NS_PLUGIN_ABI,
	.ops = &rediss_ops};

NS_PLUGIN_REGISTER(rediss)
