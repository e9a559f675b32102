// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What vringh-lib has promised, and what was measured. Instructions are exact: a
 * target missed there fails the run. Times of a virtual machine are not: a target
 * missed there is said.
 */
#include <string.h>

#include "results.h"

struct verdict {
	FILE *f;
	int missed;		/* in instructions */
	int slow;		/* in time */
	int unknown;
};

static void say(struct verdict *v, const char *what, double target, double got, bool insns)
{
	bool ok = got <= target;

	if (got < 0) {
		fprintf(v->f, "%-58s %9.2f %9s  not measured\n", what, target, "-");
		v->unknown++;
		return;
	}
	fprintf(v->f, "%-58s %9.2f %9.2f  %s\n", what, target, got,
		ok ? "ok" : insns ? "MISSED" : "MISSED (time)");
	if (!ok && insns)
		v->missed++;
	else if (!ok)
		v->slow++;
}

static double insns_of(const char *name, const char *arm)
{
	const struct figure *f = figure_of(name, 32, arm);

	return f && f->insns ? f->insns : -1;
}

static void absolute(struct verdict *v, const char *name, double target)
{
	char what[80];

	snprintf(what, sizeof(what), "%s: instructions", name);
	say(v, what, target, insns_of(name, "vrl"), true);
}

static void against_rte(struct verdict *v, const char *name)
{
	double mine = insns_of(name, "vrl"), theirs = insns_of(name, "rte_vhost");
	char what[80];

	snprintf(what, sizeof(what), "%s: instructions against rte_vhost's", name);
	say(v, what, 0.4, mine < 0 || theirs < 0 ? -1 : mine / theirs, true);
}

/* The better of the two floors. */
static void against_floor(struct verdict *v, const char *name)
{
	const struct figure *mine = figure_of(name, 32, "vrl");
	double a = figure_ratio(mine, figure_of(name, 32, "floor"));
	double b = figure_ratio(mine, figure_of(name, 32, "floor-rep"));
	char what[80];

	snprintf(what, sizeof(what), "%s: time against the floor's%s", name,
		 mine->noisy ? " (noisy)" : "");
	say(v, what, 1.15, mine->n ? a > b ? a : b : -1, false);
}

static void judge_case(struct verdict *v, const struct workload *w)
{
	char name[32];

	snprintf(name, sizeof(name), "%s %s", w->packed ? "packed" : "split", w->name);
	if (!strcmp(name, "split tx64"))
		absolute(v, name, 110);
	else if (!strcmp(name, "split rx64"))
		absolute(v, name, 135);
	else if (!strcmp(name, "packed tx64") || !strcmp(name, "packed rx64"))
		absolute(v, name, 140);
	else if (w->frame == 64)
		against_rte(v, name);
	else if (!options.smoke)
		against_floor(v, name);
}

static void judge_lookups(struct verdict *v)
{
	static const unsigned int many[] = { 2, 3 };	/* of lookup_sizes: 64, 4096 */
	char what[80];

	for (unsigned int s = 0; s < LOOKUP_SIZES; s++) {
		snprintf(what, sizeof(what), "translation, hot range of %u: instructions",
			 lookup_sizes[s]);
		say(v, what, 10, lookups[LOOKUP_VRL_HOT][s].insns ?: -1, true);
	}
	for (unsigned int i = 0; i < 2 && !options.smoke; i++) {
		const struct figure *mine = &lookups[LOOKUP_VRL][many[i]];
		const struct figure *tree = &lookups[LOOKUP_KERNEL][many[i]];

		snprintf(what, sizeof(what), "translation, %u ranges: time against vhost_iotlb's%s",
			 lookup_sizes[many[i]], mine->noisy ? " (noisy)" : "");
		say(v, what, 0.5, tree->n ? figure_ratio(mine, tree) : -1, false);
	}
}

int verdict_print(FILE *f)
{
	struct verdict v = { .f = f };

	fprintf(f, "\n%-58s %9s %9s\n", "batch 32", "at most", "measured");
	for (unsigned int c = 0; c < results.nr_cases; c++)
		judge_case(&v, &results.cases[c]);
	if (lookup_wanted())
		judge_lookups(&v);
	fprintf(f, "%d instruction targets missed, %d time targets missed, %d not measured\n",
		v.missed, v.slow, v.unknown);
	return v.missed;
}
