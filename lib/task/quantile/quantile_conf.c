/* SPDX-License-Identifier: BSD-3-Clause */
/* What an entry of type "quantile" says. */
#include "quantile_priv.h"

#include <stdio.h>

#define ERROR_MIN 0.001
#define ERROR_MAX 0.1

static int check_points(const struct quantile_conf *c, const char **key, struct ns_err *e)
{
	static _Thread_local char where[24];

	*key = "points";
	if (c->points_count == 0)
		return ns_fail(e, EINVAL, "must hold at least one percentile");
	if (c->points_count > QUANTILE_POINTS_MAX)
		return ns_fail(e, EINVAL, "more than %u percentiles", QUANTILE_POINTS_MAX);
	for (uint32_t i = 0; i < c->points_count; i++) {
		snprintf(where, sizeof(where), "points[%u]", i);
		*key = where;
		if (!(c->points[i] >= 0 && c->points[i] <= 100))
			return ns_fail(
				e, EINVAL, "%g is no percentile between 0 and 100", c->points[i]);
		if (i > 0 && !(c->points[i] > c->points[i - 1]))
			return ns_fail(e, EINVAL, "%g stands behind %g; they must increase",
				c->points[i], c->points[i - 1]);
	}
	return 0;
}

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct quantile_conf *c = values;

	if (ns_task_check(&c->task, key, e) < 0)
		return -errno;
	if (c->value == NULL) {
		*key = "value";
		return ns_fail(e, EINVAL, "must name a numeric field");
	}
	if (ns_task_check_value(&c->task, "value", c->value, key, e) < 0)
		return -errno;
	if (!(c->error >= ERROR_MIN && c->error <= ERROR_MAX)) {
		*key = "error";
		return ns_fail(
			e, EINVAL, "%g is not between %g and %g", c->error, ERROR_MIN, ERROR_MAX);
	}
	return check_points(c, key, e);
}

static const cyaml_schema_value_t point = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};

#define OPT CYAML_FLAG_OPTIONAL

static const cyaml_schema_field_t fields[] = {NS_TASK_CONF_FIELDS(struct quantile_conf),
	CYAML_FIELD_STRING_PTR("value", CYAML_FLAG_POINTER, struct quantile_conf, value, 1, 64),
	CYAML_FIELD_FLOAT("error", OPT, struct quantile_conf, error),
	CYAML_FIELD_SEQUENCE("points", OPT | CYAML_FLAG_POINTER, struct quantile_conf, points,
		&point, 0, QUANTILE_POINTS_MAX),
	CYAML_FIELD_END};

static double points[] = {1, 5, 25, 50, 75, 90, 95, 99, 99.9};

static const struct quantile_conf defaults = {
	.error = 0.01, .points = points, .points_count = NS_ARRAY_LEN(points)};

static const struct ns_conf_doc docs[] = {NS_TASK_CONF_DOCS,
	{"value", "the numeric field, e.g. l2_octets, or tcp_rtt_ns with of: flows; where 0 means "
		  "\"not known\" it is left out"},
	{"error", "relative error of each value, 0.001 to 0.1; takes 8 octets times 64 / error "
		  "at most"},
	{"points", "percentiles that have a row, increasing; 0 and 100, which are exact, always "
		   "have one"},
	{NULL, NULL}};

static struct ns_conf_variant variant = {
	.section = "tasks",
	.type = "quantile",
	.summary = "percentiles of a numeric field, with a relative error that always holds",
	.fields = fields,
	.size = sizeof(struct quantile_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check,
};
NS_CONF_VARIANT_REGISTER(variant)
