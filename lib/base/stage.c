/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_stage.h>

int ns_stages_up(const struct ns_stage *stages, size_t n, void *ctx, struct ns_err *e)
{
	for (size_t i = 0; i < n; i++) {
		int rc = stages[i].init(ctx, e);

		if (rc < 0) {
			ns_stages_down(stages, i, ctx);
			return ns_errno_set(-rc);
		}
	}
	return 0;
}

void ns_stages_down(const struct ns_stage *stages, size_t n, void *ctx)
{
	while (n-- > 0) {
		if (stages[n].fini != NULL)
			stages[n].fini(ctx);
	}
}
