/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of what streams hold. */
#include "stream_priv.h"

#include <stdlib.h>
#include <string.h>

const struct ns_stream_conf ns_stream_defaults = {
	.memory = UINT64_C(64) << 20,
	.held = 256 << 10,
	.window = 16 << 20,
	.packets = 128,
	.wait_ms = 1000,
	.overlap = NS_STREAM_FIRST_WINS,
};

struct ns_stream_pool *ns_stream_pool_create(
	const struct ns_stream_conf *conf, const struct ns_stream_ops *ops, bool live)
{
	/* sequence numbers say no more than 2 GiB ahead and behind */
	if (conf->memory < CHUNK || conf->held == 0 || conf->window == 0 ||
		conf->window > UINT32_MAX / 4)
		return ns_errno_null(EINVAL);
	struct ns_stream_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ns_errno_null(ENOMEM);
	p->conf = *conf;
	p->ops = *ops;
	p->stats.chunks = conf->memory / CHUNK;
	p->memory = aligned_alloc(CHUNK, p->stats.chunks * CHUNK);
	if (p->memory == NULL) {
		free(p);
		return ns_errno_null(ENOMEM);
	}
	if (live)
		memset(p->memory, 0, p->stats.chunks * CHUNK);
	return p;
}

void ns_stream_pool_destroy(struct ns_stream_pool *p)
{
	if (p == NULL)
		return;
	free(p->memory);
	free(p);
}

struct ns_stream_piece *pool_get(struct ns_stream_pool *p)
{
	struct ns_stream_piece *c = p->unused;

	if (c != NULL)
		p->unused = c->next;
	else if (p->fresh < p->stats.chunks)
		c = (struct ns_stream_piece *)(void *)(p->memory + p->fresh++ * CHUNK);
	else
		return NULL;
	ns_stat_add(&p->stats.chunks_used, 1);
	return c;
}

void pool_put(struct ns_stream_pool *p, struct ns_stream_piece *c)
{
	c->next = p->unused;
	p->unused = c;
	ns_stat_add(&p->stats.chunks_used, UINT64_MAX);
}

void ns_stream_pool_stats(const struct ns_stream_pool *p, struct ns_stream_stats *s)
{
	const uint64_t *from = (const uint64_t *)&p->stats;
	uint64_t *to = (uint64_t *)s;

	_Static_assert(sizeof(*s) % sizeof(*to) == 0, "nothing but counters");
	for (size_t i = 0; i < sizeof(*s) / sizeof(*to); i++)
		to[i] = ns_stat_get(&from[i]);
}
