/* SPDX-License-Identifier: BSD-3-Clause */
/* Sketches of any type: a table of what each of them can do. */
#include "any_priv.h"
#include "ns_cms.h"
#include "ns_entropy.h"
#include "ns_hll.h"
#include "ns_quantile.h"
#include "ns_sample.h"
#include "ns_spread.h"
#include "ns_topk.h"

#include <inttypes.h>

#define TYPE(x)                                                                          \
	static size_t x##_write_size(const void *s)                                      \
	{                                                                                \
		return ns_##x##_write_size(s);                                           \
	}                                                                                \
	static size_t x##_write(const void *s, uint8_t *out)                             \
	{                                                                                \
		return ns_##x##_write(s, out);                                           \
	}                                                                                \
	static void *x##_parse(const uint8_t *in, size_t len, struct ns_err *e)          \
	{                                                                                \
		return ns_##x##_parse(in, len, e);                                       \
	}                                                                                \
	static int x##_merge(void *into, const void *from)                               \
	{                                                                                \
		return ns_##x##_merge(into, from);                                       \
	}                                                                                \
	static void x##_destroy(void *s)                                                 \
	{                                                                                \
		ns_##x##_destroy(s);                                                     \
	}                                                                                \
	static const struct any_ops x##_ops = {#x, x##_write_size, x##_write, x##_parse, \
		x##_merge, x##_destroy, any_##x##_params, any_##x##_facts};

TYPE(hll)
TYPE(cms)
TYPE(topk)
TYPE(sample)
TYPE(spread)
TYPE(quantile)
TYPE(entropy)

static const struct any_ops *const types[] = {
	[NS_SKETCH_HLL] = &hll_ops,
	[NS_SKETCH_CMS] = &cms_ops,
	[NS_SKETCH_TOPK] = &topk_ops,
	[NS_SKETCH_SAMPLE] = &sample_ops,
	[NS_SKETCH_SPREAD] = &spread_ops,
	[NS_SKETCH_QUANTILE] = &quantile_ops,
	[NS_SKETCH_ENTROPY] = &entropy_ops,
};

const char *ns_sketch_name(unsigned type)
{
	return type < NS_ARRAY_LEN(types) && types[type] != NULL ? types[type]->name : NULL;
}

size_t ns_sketch_write_size(const struct ns_sketch *s)
{
	return types[s->type]->write_size(s->self);
}

size_t ns_sketch_write(const struct ns_sketch *s, uint8_t *out)
{
	return types[s->type]->write(s->self, out);
}

int ns_sketch_parse(struct ns_sketch *s, const uint8_t *in, size_t len, struct ns_err *e)
{
	*s = (struct ns_sketch){0};
	if (len < NS_SKETCH_HEAD)
		return ns_fail(
			e, EBADMSG, "sketch: %zu octets, a head has %d", len, NS_SKETCH_HEAD);
	if (ns_sketch_name(in[4]) == NULL)
		return ns_fail(e, EBADMSG, "sketch: octet 4: type %u is not known", in[4]);
	void *self = types[in[4]]->parse(in, len, e);

	if (self == NULL)
		return errno == ENOMEM ? -ENOMEM : ns_errno_set(EBADMSG);
	*s = (struct ns_sketch){.type = in[4], .self = self};
	return 0;
}

void ns_sketch_destroy(struct ns_sketch *s)
{
	if (s->self != NULL)
		types[s->type]->destroy(s->self);
	*s = (struct ns_sketch){0};
}

unsigned ns_sketch_params(const struct ns_sketch *s, struct ns_sketch_param param[NS_SKETCH_PARAMS])
{
	return types[s->type]->params(s->self, param);
}

int ns_sketch_alike(const struct ns_sketch *a, const struct ns_sketch *b, struct ns_err *e)
{
	struct ns_sketch_param of_a[NS_SKETCH_PARAMS], of_b[NS_SKETCH_PARAMS];

	if (a->type != b->type)
		return ns_fail(e, EINVAL, "sketches differ in type: %s and %s",
			types[a->type]->name, types[b->type]->name);
	unsigned n = ns_sketch_params(a, of_a);

	ns_sketch_params(b, of_b);
	for (unsigned i = 0; i < n; i++) {
		if (of_a[i].value != of_b[i].value)
			return ns_fail(e, EINVAL,
				"%s sketches differ in %s: %" PRIu64 " and %" PRIu64,
				types[a->type]->name, of_a[i].name, of_a[i].value, of_b[i].value);
	}
	return 0;
}

int ns_sketch_merge(struct ns_sketch *into, const struct ns_sketch *from, struct ns_err *e)
{
	int rc = ns_sketch_alike(into, from, e);

	if (rc < 0)
		return rc;
	rc = types[into->type]->merge(into->self, from->self);
	if (rc < 0)
		return ns_fail(e, -rc, "%s sketches do not merge: %s", types[into->type]->name,
			rc == -EOVERFLOW ? "the sum is too large" : "they are not alike");
	return 0;
}

void ns_sketch_facts(const struct ns_sketch *s, struct ns_sketch_facts *f)
{
	*f = (struct ns_sketch_facts){.confidence = 1};
	types[s->type]->facts(s->self, f);
}
