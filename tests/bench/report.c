// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The table that people read and the JSON that programs read.
 */
#include <string.h>

#include "results.h"

static void full_name(char *s, size_t size, const struct workload *w)
{
	snprintf(s, size, "%s %s", w->packed ? "packed" : "split", w->name);
}

struct figure *figure_of(const char *ring_case, unsigned int batch, const char *arm)
{
	char name[32];

	for (unsigned int c = 0; c < results.nr_cases; c++) {
		full_name(name, sizeof(name), &results.cases[c]);
		if (strcmp(name, ring_case))
			continue;
		for (unsigned int b = 0; b < BATCHES; b++)
			for (unsigned int a = 0; arms[a]; a++)
				if (batches[b] == batch && !strcmp(arms[a]->name, arm))
					return &results.fig[c][b][a];
	}
	return NULL;
}

/* ---- table ------------------------------------------------------------------ */

static void print_figure(FILE *f, const struct figure *fig)
{
	char cell[32];

	if (!fig->insns && !fig->n)
		snprintf(cell, sizeof(cell), "-");
	else if (!fig->n)
		snprintf(cell, sizeof(cell), "%.0f / -", fig->insns);
	else if (fig->ns < 1000)
		snprintf(cell, sizeof(cell), "%.0f / %.1f", fig->insns, fig->ns);
	else
		snprintf(cell, sizeof(cell), "%.0f / %.0f", fig->insns, fig->ns);
	fprintf(f, " %14s", cell);
}

/* Instructions, then time. */
static void print_ratios(FILE *f, const struct figure *mine, const struct figure *theirs)
{
	char insns[16] = "-", ns[16] = "-";

	if (theirs && mine->insns && theirs->insns)
		snprintf(insns, sizeof(insns), "%.2f", mine->insns / theirs->insns);
	if (theirs && mine->n && theirs->n)
		snprintf(ns, sizeof(ns), "%.2f", figure_ratio(mine, theirs));
	fprintf(f, "  %5s %5s", insns, ns);
}

static void print_row(FILE *f, unsigned int c, unsigned int b)
{
	char name[32];

	full_name(name, sizeof(name), &results.cases[c]);
	fprintf(f, "%-19s %2u ", name, batches[b]);
	for (unsigned int a = 0; arms[a]; a++)
		print_figure(f, &results.fig[c][b][a]);

	const struct figure *mine = figure_of(name, batches[b], "vrl");
	const struct figure *rte = figure_of(name, batches[b], "rte_vhost");
	const struct figure *vringh = figure_of(name, batches[b], "vringh");

	print_ratios(f, mine, rte);
	print_ratios(f, mine, vringh);
	fprintf(f, "%s\n", mine->noisy ? "  noisy" : "");
}

static void print_lookups(FILE *f)
{
	fprintf(f, "\nOne translation: instructions / ns, by number of ranges\n%-26s", "");
	for (unsigned int s = 0; s < LOOKUP_SIZES; s++)
		fprintf(f, " %14u", lookup_sizes[s]);
	fprintf(f, "\n");
	for (unsigned int a = 0; a < LOOKUP_ARMS; a++) {
		fprintf(f, "%-26s", lookup_names[a]);
		for (unsigned int s = 0; s < LOOKUP_SIZES; s++)
			print_figure(f, &lookups[a][s]);
		fprintf(f, "\n");
	}
}

void report_tables(FILE *f)
{
	fprintf(f, "One packet: instructions / ns, and vrl against rte_vhost and vringh\n"
		   "%-22s ", "case, batch");
	for (unsigned int a = 0; arms[a]; a++)
		fprintf(f, " %14s", arms[a]->name);
	fprintf(f, "     rte_vhost       vringh\n");
	for (unsigned int c = 0; c < results.nr_cases; c++)
		for (unsigned int b = 0; b < BATCHES; b++)
			print_row(f, c, b);
	if (lookup_wanted())
		print_lookups(f);
	if (results.rounds)
		fprintf(f, "\n%u rounds, %u of them noisy\n", results.rounds, results.noisy);
}

/* ---- JSON ------------------------------------------------------------------- */

static const char *separator = "";

static void json_vs(FILE *f, const char *name, unsigned int batch, bool insns,
		    const struct figure *mine)
{
	static const char *const others[] = { "rte_vhost", "vringh", "floor", "floor-rep" };
	const char *comma = "";

	fprintf(f, "\"vs\": {");
	for (unsigned int i = 0; i < sizeof(others) / sizeof(*others); i++) {
		const struct figure *o = figure_of(name, batch, others[i]);

		if (!o || !(insns ? o->insns > 0 : o->n > 0))
			continue;
		fprintf(f, "%s\"%s\": %.4f", comma, others[i],
			insns ? mine->insns / o->insns : figure_ratio(mine, o));
		comma = ", ";
	}
	fprintf(f, "}}");
}

/* All of a figure but what it is compared with. */
static void json_begin(FILE *f, const char *arm, const char *name, unsigned int param,
		       const struct figure *fig, bool insns)
{
	fprintf(f, "%s\n{\"arm\": \"%s\", \"figure\": \"%s %u\", \"unit\": \"%s\", ", separator,
		arm, name, param, insns ? "instructions" : "ns");
	if (insns)
		fprintf(f, "\"n\": 1, \"median\": %.2f, \"min\": %.2f, \"max\": %.2f, ",
			fig->insns, fig->insns, fig->insns);
	else
		fprintf(f, "\"n\": %u, \"median\": %.3f, \"min\": %.3f, \"max\": %.3f, ",
			fig->n, fig->ns, fig->min, fig->max);
	separator = ",";
}

static void json_figure(FILE *f, unsigned int c, unsigned int b, unsigned int a)
{
	const struct figure *fig = &results.fig[c][b][a];
	char name[32];

	full_name(name, sizeof(name), &results.cases[c]);
	for (int insns = 1; insns >= 0; insns--) {
		if (!(insns ? fig->insns > 0 : fig->n > 0))
			continue;
		json_begin(f, arms[a]->name, name, batches[b], fig, insns);
		json_vs(f, name, batches[b], insns, fig);
	}
}

static void json_lookup(FILE *f, unsigned int a, unsigned int s)
{
	const struct figure *fig = &lookups[a][s];

	for (int insns = 1; insns >= 0; insns--) {
		json_begin(f, lookup_names[a], "lookup", lookup_sizes[s], fig, insns);
		fprintf(f, "\"vs\": {}}");
	}
}

int report_json(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	fprintf(f, "[");
	for (unsigned int c = 0; c < results.nr_cases; c++)
		for (unsigned int b = 0; b < BATCHES; b++)
			for (unsigned int a = 0; arms[a]; a++)
				json_figure(f, c, b, a);
	for (unsigned int a = 0; a < LOOKUP_ARMS; a++)
		for (unsigned int s = 0; s < LOOKUP_SIZES; s++)
			json_lookup(f, a, s);
	fprintf(f, "\n]\n");
	return fclose(f);
}
