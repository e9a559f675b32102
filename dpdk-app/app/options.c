/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Command line: EAL's options, "--", ours. Ours are read first, so that a typing
 * error is answered at once, by one line and not below the messages of EAL.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <rte_version.h>
#include <vsp_port.h>

#include "switch.h"

#define OPTIONS_MAX_STATS_S	3600

static const char options_usage[] =
	"Usage: vsp-switch [EAL options] -- --port PORT [--port PORT]... [options]\n"
	"\n"
	"A learning Ethernet switch between functions of the simulated vDPA card\n"
	"and any DPDK ethdev.\n"
	"\n"
	"  -p, --port FUNCTION   a function of the card, as in 10000:01:00.1\n"
	"  -p, --port eth:NAME   an ethdev by its name, as in eth:net_tap0 with the\n"
	"                        EAL option --vdev=net_tap0\n"
	"  -s, --stats[=SECONDS] live view every SECONDS (default 1)\n"
	"  -j, --json            statistics as one JSON object per line\n"
	"  -m, --max-frame BYTES longest frame without FCS (default 9238)\n"
	"  -h, --help            this text; EAL options: vsp-switch --help\n"
	"  -V, --version         version of DPDK\n"
	"\n"
	"Without hugepages: vsp-switch --no-huge --no-shconf --no-pci -m 256 -- ...\n";

static const struct option options_long[] = {
	{ "port",	required_argument, NULL, 'p' },
	{ "stats",	optional_argument, NULL, 's' },
	{ "json",	no_argument,	   NULL, 'j' },
	{ "max-frame",	required_argument, NULL, 'm' },
	{ "help",	no_argument,	   NULL, 'h' },
	{ "version",	no_argument,	   NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

void options_usage_print(const char *program)
{
	(void)program;
	fputs(options_usage, stdout);
}

static int options_number(const char *what, const char *text, uint32_t min,
			  uint32_t max, uint32_t *value)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || number < min ||
	    number > max) {
		fprintf(stderr, "vsp-switch: %s '%s' is not a number from %u to %u\n",
			what, text, min, max);
		return -EINVAL;
	}
	*value = (uint32_t)number;
	return 0;
}

const char *options_is_eth(const char *spec)
{
	return strncmp(spec, "eth:", 4) ? NULL : spec + 4;
}

/* Names are printed in tables and in JSON: nothing that needs an escape there. */
static bool options_name_is_plain(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\')
			return false;
	return name[0] && c - name < PORT_NAME_LEN;
}

static int options_port(struct options *o, const char *spec)
{
	const char *eth = options_is_eth(spec);
	unsigned int i;

	if (!options_name_is_plain(eth ? eth : spec)) {
		fprintf(stderr,
			"vsp-switch: port '%s' is neither a function (10000:01:00.1) nor eth:NAME\n",
			spec);
		return -EINVAL;
	}
	for (i = 0; i < o->nr_ports; i++) {
		if (!strcmp(o->ports[i], spec)) {
			fprintf(stderr, "vsp-switch: port '%s' is given twice\n",
				spec);
			return -EINVAL;
		}
	}
	if (o->nr_ports == SWITCH_MAX_PORTS) {
		fprintf(stderr, "vsp-switch: more than %u ports\n",
			SWITCH_MAX_PORTS);
		return -EINVAL;
	}
	o->ports[o->nr_ports++] = spec;
	return 0;
}

int options_eal_argc(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--"))
			return i;
	return argc;
}

/* "--stats 5" is what people type; getopt takes optional arguments by = only. */
static const char *options_stats_arg(int argc, char **argv)
{
	if (optarg)
		return optarg;
	if (optind < argc && argv[optind][0] >= '0' && argv[optind][0] <= '9')
		return argv[optind++];
	return "1";
}

static int options_one(int option, int argc, char **argv, struct options *o)
{
	switch (option) {
	case 'p':
		return options_port(o, optarg);
	case 's':
		return options_number("statistics interval",
				      options_stats_arg(argc, argv), 1,
				      OPTIONS_MAX_STATS_S, &o->stats_s);
	case 'j':
		o->json = true;
		return 0;
	case 'm':
		return options_number("longest frame", optarg, RTE_ETHER_MIN_MTU,
				      VSP_PORT_MAX_FRAME, &o->max_frame);
	case 'h':
		fputs(options_usage, stdout);
		return OPTIONS_DONE;
	case 'V':
		printf("vsp-switch on %s\n", rte_version());
		return OPTIONS_DONE;
	case ':':
		fprintf(stderr, "vsp-switch: option '%s' needs a value\n",
			argv[optind - 1]);
		return -EINVAL;
	default:
		fprintf(stderr, "vsp-switch: unknown option '%s' (see vsp-switch -- --help)\n",
			argv[optind - 1]);
		return -EINVAL;
	}
}

int options_parse(int argc, char **argv, struct options *o)
{
	const int eal = options_eal_argc(argc, argv);
	int option, ret;

	memset(o, 0, sizeof(*o));
	o->max_frame = SWITCH_MAX_FRAME;
	/* "vsp-switch --help" is EAL's, and ends with our text. */
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return 0;

	argc -= eal;
	argv += eal;
	optind = 1;
	opterr = 0;
	while (argc > 0 && (option = getopt_long(argc, argv, "+:p:s::jm:hV",
						 options_long, NULL)) != -1) {
		ret = options_one(option, argc, argv, o);
		if (ret)
			return ret;
	}
	if (argc > 0 && optind < argc) {
		fprintf(stderr, "vsp-switch: '%s' is no option (a port is given by --port)\n",
			argv[optind]);
		return -EINVAL;
	}
	if (!o->nr_ports) {
		fputs("vsp-switch: no ports: give at least one --port after '--' (see vsp-switch -- --help)\n",
		      stderr);
		return -EINVAL;
	}
	return 0;
}
