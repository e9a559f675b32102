// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Instructions, exact, by callgrind: this program runs under it, collects only
 * between count_begin() and count_end(), has the counts dumped and reads them.
 * (Single-stepping would count the real libc's copies, too, but costs 22 us per
 * instruction in a virtual machine.) callgrind counts each iteration of a string
 * instruction; here it counts as one, hence the look at each address.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include "results.h"

static char base[256];		/* name of the dumps, without the number */
static unsigned int nr_dumps;
static double overhead;		/* instructions of counting itself */

void count_begin(void)
{
	CALLGRIND_ZERO_STATS;
	CALLGRIND_TOGGLE_COLLECT;
}

/* Length of the string instruction with a repeat prefix at @p, or 0. */
static unsigned int rep_len(const uint8_t *p)
{
	unsigned int n = 1;

	if (p[0] != 0xf3)
		return 0;
	if (p[1] == 0x48)
		n = 2;
	return p[n] == 0xa4 || p[n] == 0xa5 || p[n] == 0xaa || p[n] == 0xab ? n + 1 : 0;
}

/* String instructions of one dump: what stands behind each tells how often it ran. */
#define REPS_MAX	64u

struct dump {
	bool mine;		/* lines are of this very program, linked at fixed addresses */
	char id[32];		/* callgrind's name for it, "(3)" */
	bool skip;		/* the next line is the cost of a call */
	bool second;		/* pass: now count what follows string instructions */
	double total;
	uint64_t behind[REPS_MAX];
	unsigned int nr_reps;
};

static void dump_object(struct dump *d, const char *s, bool here)
{
	const char *end = strchr(s, ')');
	size_t n = end ? (size_t)(end - s) + 1 : 0;

	if (strstr(s, "/vring-bench"))
		snprintf(d->id, sizeof(d->id), "%.*s", (int)n, s);
	if (here)
		d->mine = n && n == strlen(d->id) && !strncmp(s, d->id, n);
}

static bool dump_is_behind(const struct dump *d, uint64_t addr)
{
	for (unsigned int i = 0; i < d->nr_reps; i++)
		if (d->behind[i] == addr)
			return true;
	return false;
}

static void dump_cost(struct dump *d, const char *line)
{
	char *end;
	uint64_t addr = strtoull(line, &end, 16);
	uint64_t cost = strtoull(end, NULL, 10);
	unsigned int len;

	if (d->second) {
		if (d->mine && dump_is_behind(d, addr))
			d->total += (double)cost;
		return;
	}
	len = d->mine ? rep_len((const uint8_t *)(uintptr_t)addr) : 0;
	if (!len)
		d->total += (double)cost;
	else if (!dump_is_behind(d, addr + len) && d->nr_reps < REPS_MAX)
		d->behind[d->nr_reps++] = addr + len;
}

static void dump_line(struct dump *d, const char *line)
{
	if (!strncmp(line, "ob=", 3)) {
		dump_object(d, line + 3, true);
	} else if (!strncmp(line, "cob=", 4)) {
		dump_object(d, line + 4, false);
	} else if (!strncmp(line, "calls=", 6)) {
		d->skip = true;
	} else if (!strncmp(line, "0x", 2)) {
		if (!d->skip)
			dump_cost(d, line);
		d->skip = false;
	}
}

static double dump_read(const char *path)
{
	struct dump d = { 0 };
	char line[1024];
	FILE *f = fopen(path, "r");

	if (!f)
		return -1;
	for (int pass = 0; pass < 2; pass++) {
		rewind(f);
		d.second = pass;
		d.mine = d.skip = false;
		while (fgets(line, sizeof(line), f))
			dump_line(&d, line);
	}
	fclose(f);
	if (!options.keep)
		unlink(path);
	return d.total;
}

double count_end(void)
{
	char path[300];
	double n;

	CALLGRIND_TOGGLE_COLLECT;
	CALLGRIND_DUMP_STATS;
	snprintf(path, sizeof(path), "%s.%u", base, ++nr_dumps);
	n = dump_read(path);
	if (n < 0)
		fprintf(stderr, "no counts in %s\n", path);
	return n - overhead;
}

int count_start(void)
{
	const char *out = getenv("VRING_BENCH_DUMP");

	if (!RUNNING_ON_VALGRIND || !out) {
		fprintf(stderr, "--count is for callgrind: see tests/bench/run\n");
		return -1;
	}
	snprintf(base, sizeof(base), "%s", out);
	count_begin();
	overhead = count_end();
	return overhead < 0 ? -1 : 0;
}

/* ---- from the run that counts to the run that takes times -------------------- */

int count_write(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	for (unsigned int c = 0; c < results.nr_cases; c++)
		for (unsigned int b = 0; b < BATCHES; b++)
			for (unsigned int a = 0; arms[a]; a++)
				if (results.fig[c][b][a].insns)
					fprintf(f, "case %s %s %u %s %.3f\n",
						results.cases[c].packed ? "packed" : "split",
						results.cases[c].name, batches[b], arms[a]->name,
						results.fig[c][b][a].insns);
	for (unsigned int a = 0; a < LOOKUP_ARMS; a++)
		for (unsigned int s = 0; s < LOOKUP_SIZES; s++)
			if (lookups[a][s].insns)
				fprintf(f, "lookup %u %u %.3f\n", a, s, lookups[a][s].insns);
	return fclose(f);
}

int count_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[256], ring[8], name[16], arm[32], full[32];
	unsigned int batch, a, s;
	struct figure *fig;
	double n;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "case %7s %15s %u %31s %lf", ring, name, &batch, arm, &n) == 5) {
			snprintf(full, sizeof(full), "%s %s", ring, name);
			fig = figure_of(full, batch, arm);
			if (fig)
				fig->insns = n;
		} else if (sscanf(line, "lookup %u %u %lf", &a, &s, &n) == 3 &&
			   a < LOOKUP_ARMS && s < LOOKUP_SIZES) {
			lookups[a][s].insns = n;
		}
	}
	fclose(f);
	return 0;
}
