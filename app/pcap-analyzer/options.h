/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_base.h>

#define OPTION_LIST_MAX 64

enum report_kind { REPORT_TEXT, REPORT_JSON, REPORT_NONE };

/* The command line; strings are borrowed from argv. */
struct options {
	const char *conf;
	unsigned workers;
	const char *filter;
	const char *writers[OPTION_LIST_MAX];
	unsigned writers_n;
	const char *overrides[OPTION_LIST_MAX];
	unsigned overrides_n;
	const char *plugins[OPTION_LIST_MAX];
	unsigned plugins_n;
	enum report_kind report;
	bool verify; /* the exact answer of each task beside its sketch */
	bool quiet;
	bool verbose;
	bool check;
	bool list;
	bool reference;
	bool records;
	bool schema;
	bool defaults;
	bool help;
	bool version;
	const char *const *files;
	unsigned files_n;
};

/* 0, or -EINVAL with a message for a usage error. */
int options_parse(struct options *o, int argc, char **argv, struct ns_err *e);
void options_help(void);
