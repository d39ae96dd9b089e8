/* SPDX-License-Identifier: BSD-3-Clause */

#include "gen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: gen-capture udp64 OUT PACKETS FLOWS ALPHA SEED   64-octet UDP, Zipf popularity\n"
	"       gen-capture imix OUT PACKETS FLOWS SEED          7:4:1 conversations\n"
	"       gen-capture frags OUT                            IPv4 and IPv6 fragments\n"
	"       gen-capture tunnels OUT                          every tunnel, nested too\n"
	"       gen-capture linktypes DIR                        one small capture per link type\n";

static int number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || *value > max) {
		fprintf(stderr, "gen-capture: \"%s\" is not a number up to %llu\n", text,
			(unsigned long long)max);
		return -EINVAL;
	}
	return 0;
}

static int run(int argc, char **argv)
{
	uint64_t packets, flows, seed;
	char *end;
	double alpha;

	if (argc == 3 && strcmp(argv[1], "frags") == 0)
		return gen_frags(argv[2]);
	if (argc == 3 && strcmp(argv[1], "tunnels") == 0)
		return gen_tunnels(argv[2]);
	if (argc == 3 && strcmp(argv[1], "linktypes") == 0)
		return gen_linktypes(argv[2]);
	if (argc < 6 || number(argv[3], UINT32_MAX, &packets) < 0 ||
		number(argv[4], UINT32_MAX, &flows) < 0 ||
		number(argv[argc - 1], UINT64_MAX, &seed))
		return -EINVAL;
	if (argc == 7 && strcmp(argv[1], "udp64") == 0) {
		alpha = strtod(argv[5], &end);
		if (*end || end == argv[5] || !(alpha >= 0 && alpha < 10))
			return -EINVAL;
		return gen_udp64(argv[2], (uint32_t)packets, (uint32_t)flows, alpha, seed);
	}
	if (argc == 6 && strcmp(argv[1], "imix") == 0)
		return gen_imix(argv[2], (uint32_t)packets, (uint32_t)flows, seed);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	int rc = run(argc, argv);

	if (rc == -EINVAL)
		fputs(usage, stderr);
	else if (rc == -ENOMEM) /* whatever else failed has said so */
		fprintf(stderr, "gen-capture: %s\n", strerror(-rc));
	return rc < 0;
}
