// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * vring-bench: device sides of a virtqueue side by side. tests/bench/run runs it
 * twice, under callgrind for the instructions and then for the times; `make
 * bench-vring` runs that.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "results.h"

/* The first two are the floor; order is that of the table. */
const struct arm *const arms[] = {
	&arm_floor_inline, &arm_floor_rep,
#ifdef WITH_VRL
	&arm_vrl_window, &arm_vrl_table1, &arm_vrl_table64,
#endif
#ifdef WITH_RTE
	&arm_rte, &arm_rte_iotlb64,
#endif
#ifdef WITH_VRINGH
	&arm_vringh_kern, &arm_vringh_iotlb,
#endif
	NULL
};

struct options options = { .rounds = 25, .scratch = "." };

unsigned int arms_count(void)
{
	return sizeof(arms) / sizeof(arms[0]) - 1;
}

static const struct option longopts[] = {
	{ "arm", required_argument, NULL, 'a' },
	{ "count", required_argument, NULL, 'c' },
	{ "insns", required_argument, NULL, 'i' },
	{ "keep", no_argument, NULL, 'K' },
	{ "json", required_argument, NULL, 'j' },
	{ "only", required_argument, NULL, 'o' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "scratch", required_argument, NULL, 's' },
	{ "smoke", no_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int usage(FILE *f)
{
	fprintf(f, "Usage: vring-bench [OPTION...]\n"
		   "  --arm NAME     this arm alone\n"
		   "  --count FILE   under callgrind: count instructions, write them\n"
		   "  --insns FILE   instructions, as counted before\n"
		   "  --json FILE    write all figures\n"
		   "  --keep         keep what callgrind dumps (callgrind_annotate)\n"
		   "  --only PREFIX  cases whose name (\"split tx64\") begins so, or lookup\n"
		   "  --rounds N     quiet rounds wanted, 1 to %u (25)\n"
		   "  --scratch DIR  for the vhost-user socket (.)\n"
		   "  --smoke        check contents and instructions, take no times\n", ROUNDS_MAX);
	return f == stdout ? 0 : 2;
}

static int options_read(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "h", longopts, NULL)) != -1) {
		switch (c) {
		case 'a': options.arm = optarg; break;
		case 'K': options.keep = true; break;
		case 'c': options.count_to = optarg; break;
		case 'i': options.insns = optarg; break;
		case 'j': options.json = optarg; break;
		case 'o': options.only = optarg; break;
		case 'r': options.rounds = (unsigned int)atoi(optarg); break;
		case 's': options.scratch = optarg; break;
		case 'k': options.smoke = true; break;
		case 'h': exit(usage(stdout));
		default: return usage(stderr);
		}
	}
	if (!options.rounds || options.rounds > ROUNDS_MAX || optind != argc)
		return usage(stderr);
	return 0;
}

static void cases_collect(void)
{
	struct workload w;
	char name[32];

	for (unsigned int i = 0; workload_get(&w, i); i++) {
		snprintf(name, sizeof(name), "%s %s", w.packed ? "packed" : "split", w.name);
		if (!options.only || !strncmp(name, options.only, strlen(options.only)))
			results.cases[results.nr_cases++] = w;
	}
}

/* All on one core. DPDK's and valgrind's own threads wait in system calls. */
static void stay_on_core(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Alone with --only lookup. */
bool lookup_wanted(void)
{
	return !options.arm && (!options.only || !strcmp(options.only, "lookup"));
}

static int measure_cases(unsigned int pass, const struct memory *m)
{
	for (unsigned int c = 0; c < results.nr_cases; c++) {
		fprintf(stderr, "\r%-6s %-12s", results.cases[c].packed ? "packed" : "split",
			results.cases[c].name);
		if (measure_case(c, pass, m))
			return -1;
	}
	return 0;
}

static int measure_all(void)
{
	unsigned int passes = options.count_to || options.smoke ? 1 : PASSES;
	struct memory m;

	if (memory_create(&m, arms_count()) || frames_create()) {
		perror("memory");
		return -1;
	}
	for (unsigned int pass = 0; pass < passes; pass++)
		if (measure_cases(pass, &m))
			return -1;
	fprintf(stderr, "\r%-20s\r", "lookup");
	return lookup_wanted() ? lookup_run() : 0;
}

int main(int argc, char **argv)
{
	int ret = options_read(argc, argv);

	if (ret)
		return ret;
	cases_collect();
	stay_on_core();
	if (options.count_to ? count_start() : 0)
		return 2;
	if (options.insns && count_read(options.insns)) {
		perror(options.insns);
		return 2;
	}
#ifdef WITH_RTE
	if (rte_start())
		return 2;
#endif
	ticks_calibrate();
	if (measure_all())
		return 2;
	if (options.count_to)
		return count_write(options.count_to) ? 2 : 0;
	if (!options.smoke)
		report_tables(stdout);
	if (options.json && report_json(options.json)) {
		perror(options.json);
		return 2;
	}
	return verdict_print(stdout) ? 1 : 0;
}
