/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap-analyzer: the engine over capture files. */
#include "module.h"
#include "options.h"
#include "progress.h"
#include "report.h"

#include <ns_log.h>
#include <ns_registry.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

NS_LOG_TYPE("pcap-analyzer");

enum { EXIT_OK = 0, EXIT_USAGE = 1, EXIT_DAMAGED = 2, EXIT_INTERRUPTED = 130 };

static struct ns_engine *volatile running;
static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	struct ns_engine *en = running;

	interrupted = sig;
	if (en != NULL)
		ns_engine_stop(en);
}

static int fail(const struct ns_err *e, int status)
{
	fprintf(stderr, "pcap-analyzer: %s\n", e->text);
	return status;
}

static int usage(const struct ns_err *e)
{
	fail(e, 0);
	fputs("Try 'pcap-analyzer --help'.\n", stderr);
	return EXIT_USAGE;
}

static void list_plugins(void)
{
	NS_PLUGIN_FOREACH (NULL, p)
		printf("%-8s %-10s %s\n", p->kind, p->name, p->summary);
}

static int write_report(const struct options *o, struct report *r, struct ns_engine *en,
	struct ns_engine_stats *s, double wall_s)
{
	struct report_input in = {
		.stats = s,
		.timeline = ns_engine_timeline(en),
		.files = o->files,
		.files_n = o->files_n,
		.filter = o->filter,
		.faults = ns_engine_input_message(en),
		.interrupted = interrupted != 0,
		.wall_s = wall_s,
		.cpu_s = (double)ns_clock_cpu() / 1e9,
	};
	int rc = 0;

	in.kinds = ns_engine_task_kinds(en, &in.kinds_n);
	if (o->report == REPORT_TEXT)
		rc = report_text(r, &in, stdout);
	else if (o->report == REPORT_JSON)
		rc = report_json(r, &in, stdout);
	if (rc == 0 && fflush(stdout) != 0)
		rc = -errno;
	if (rc < 0)
		NS_LOG(ERR, "the report can not be written: %s", strerror(-rc));
	return rc;
}

/* One message a fault, each on its line: which file, which offset, what. */
static void say_faults(struct ns_engine *en)
{
	const char *p = ns_engine_input_message(en);

	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		fprintf(stderr, "pcap-analyzer: %.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
}

static int finish(const struct options *o, struct report *r, struct ns_engine *en, uint64_t start,
	int rc, const struct ns_err *e)
{
	struct ns_engine_stats *s = malloc(sizeof(*s));
	int status = EXIT_OK;

	if (s == NULL)
		return EXIT_USAGE;
	ns_engine_stats(en, s);
	say_faults(en);
	if (write_report(o, r, en, s, (double)(ns_clock_mono() - start) / 1e9) < 0)
		status = EXIT_USAGE;
	if (!ns_engine_conserved(s)) {
		NS_LOG(ERR,
			"packets are not accounted for: received %llu, analysed %llu, dropped %llu",
			(unsigned long long)s->received, (unsigned long long)s->analysed,
			(unsigned long long)s->drops);
		status = EXIT_USAGE;
	}
	free(s);
	if (rc < 0)
		return fail(e, EXIT_USAGE);
	if (status != EXIT_OK)
		return status;
	if (ns_engine_input_status(en) == NS_SOURCE_DAMAGED)
		return EXIT_DAMAGED;
	return interrupted != 0 ? EXIT_INTERRUPTED : EXIT_OK;
}

static int analyse(const struct options *o, const struct ns_conf *conf)
{
	struct ns_err e = {""};
	struct report *r = o->report != REPORT_NONE ? report_create() : NULL;
	struct ns_sink_ops sink = {.put = report_put, .ctx = r};
	struct ns_engine_args args = {
		.conf = conf,
		.source = "pcap",
		.targets = o->files,
		.targets_n = o->files_n,
		.filter = o->filter,
		.workers = o->workers,
		.writers = o->writers,
		.writers_n = o->writers_n,
		.sink = r != NULL ? &sink : NULL,
		.timeline = r != NULL,
		.verify = o->verify,
	};
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};
	struct progress progress;
	uint64_t start = ns_clock_mono();

	if (o->report != REPORT_NONE && r == NULL) {
		ns_fail(&e, ENOMEM, "no memory");
		return fail(&e, EXIT_USAGE);
	}
	struct ns_engine *en = ns_engine_create(&args, &e);

	if (en == NULL) {
		int err = errno;

		report_destroy(r);
		/* a file that is no capture is damaged input; one that is not there is a wrong call
		 */
		return fail(&e, err == EBADMSG ? EXIT_DAMAGED : EXIT_USAGE);
	}
	running = en;
	/* a second signal ends the program at once */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	progress_init(&progress, !o->quiet && isatty(STDERR_FILENO));
	int rc = ns_engine_run(en, progress_tick, &progress, &e);
	int status = finish(o, r, en, start, rc, &e);

	running = NULL;
	ns_engine_destroy(en);
	report_destroy(r);
	return status;
}

static int load_plugin(const char *file, struct ns_err *e)
{
	int rc = module_check(file, e);

	if (rc == 0)
		rc = ns_plugin_load(file, e);
	if (rc == 0)
		rc = ns_registry_seal(e);
	return NS_MIN(rc, 0);
}

static int show(const struct ns_conf *conf)
{
	char *text = ns_conf_dump(conf), *masked = text != NULL ? ns_conf_mask(text) : NULL;
	bool good = masked != NULL && fputs(masked, stdout) != EOF && fflush(stdout) != EOF;

	free(text);
	free(masked);
	return good ? EXIT_OK : EXIT_USAGE;
}

static int start(const struct options *o)
{
	struct ns_err e;
	const char *overrides[OPTION_LIST_MAX + 1];
	unsigned n = 0;

	for (unsigned i = 0; i < o->plugins_n; i++) {
		if (load_plugin(o->plugins[i], &e) < 0)
			return fail(&e, EXIT_USAGE);
	}
	/* what only ns-engine has: a configuration may be for both */
	static const char *const live[] = {NS_LIVE_SECTIONS, NULL};

	ns_conf_foreign(live);
	if (ns_registry_seal(&e) < 0)
		return fail(&e, EXIT_USAGE);
	if (o->list) {
		list_plugins();
		return EXIT_OK;
	}
	if (o->reference)
		return ns_conf_reference(STDOUT_FILENO) < 0 ? EXIT_USAGE : EXIT_OK;
	if (o->schema)
		return ns_conf_schema(STDOUT_FILENO) < 0 ? EXIT_USAGE : EXIT_OK;
	if (o->records)
		return ns_rec_reference(STDOUT_FILENO) < 0 ? EXIT_USAGE : EXIT_OK;
	/* progress wants to be told more often than a live engine's epochs */
	if (!o->defaults && !o->check)
		overrides[n++] = "engine.epoch_ms=200";
	for (unsigned i = 0; i < o->overrides_n; i++)
		overrides[n++] = o->overrides[i];
	ns_conf_on_plugin(load_plugin);
	struct ns_conf *conf = ns_conf_load(o->conf, overrides, n, &e);

	if (conf == NULL)
		return fail(&e, EXIT_USAGE);
	int status = EXIT_OK;

	if (o->defaults) {
		status = show(conf);
	} else if (!o->check && o->files_n == 0) {
		ns_fail(&e, EINVAL, "no capture file is named");
		status = usage(&e);
	} else if (o->check) {
		/* the configuration has been; what the command line adds to it has not */
		if (ns_writers_check(o->writers, o->writers_n, &e) < 0)
			status = fail(&e, EXIT_USAGE);
	} else {
		status = analyse(o, conf);
	}
	ns_conf_destroy(conf);
	return status;
}

int main(int argc, char **argv)
{
	struct options o;
	struct ns_err e;

	ns_log_set_program("pcap-analyzer");
	signal(SIGPIPE, SIG_IGN);
	if (options_parse(&o, argc, argv, &e) < 0)
		return usage(&e);
	if (o.quiet)
		ns_log_set_level(NS_LOG_ERR);
	else if (o.verbose)
		ns_log_set_level(NS_LOG_INFO);
	if (o.help) {
		options_help();
		return EXIT_OK;
	}
	if (o.version) {
		puts("pcap-analyzer (NetSpectra) " NS_VERSION);
		return EXIT_OK;
	}
	return start(&o);
}
