/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What was found: one figure per case, batch and arm, and one per lookup table;
 * and those who fill (measure.c, count.c, lookup.c) and read them (report.c,
 * verdict.c).
 */
#ifndef RESULTS_H
#define RESULTS_H

#include <stdio.h>

#include "bench.h"

#define ARMS_MAX	12u
#define CASES_MAX	40u
#define BATCHES		3u
#define ROUNDS_MAX	101u
/* Rounds are spread over so many, as a shared machine is slow for seconds on end. */
#define PASSES		5u

extern const unsigned int batches[BATCHES];

struct figure {
	double insns;		/* per packet or lookup; 0: not counted */
	double ns, min, max;	/* median over the rounds that count */
	unsigned int n;		/* rounds that count */
	bool noisy;		/* too few were quiet: all of them count */
	unsigned int nr_samples;
	double samples[ROUNDS_MAX];	/* ns of each round, the same rounds in all arms */
	bool quiet[ROUNDS_MAX];
};

struct results {
	struct workload cases[CASES_MAX];
	unsigned int nr_cases;
	struct figure fig[CASES_MAX][BATCHES][ARMS_MAX];
	unsigned int rounds;
	unsigned int noisy;	/* of them */
};

extern struct results results;

/* What the command line asks for. */
struct options {
	unsigned int rounds;
	const char *count_to;	/* under callgrind: write instructions there */
	const char *insns;	/* read them from there */
	const char *json;
	const char *only;	/* beginning of the cases' names */
	const char *arm;	/* this one alone */
	bool keep;		/* callgrind's dumps */
	const char *scratch;	/* directory for the socket */
	bool smoke;		/* check and verdict on instructions, no times */
};

extern struct options options;

/* ---- measure.c -------------------------------------------------------------- */
extern double ns_per_tick;

void ticks_calibrate(void);
uint64_t ticks_before(void);
uint64_t ticks_after(void);
/* Does the core run as fast as it ever did? A neighbour or the clock may forbid. */
bool core_is_quiet(void);
/* Mean of the middle half. Sorts @v. */
double middle_mean(double *v, unsigned int n);
void figure_add(struct figure *f, double ns, bool quiet);
void figure_finish(struct figure *f);
/* Median of the quotients of each round: what slows both down does not count. */
double figure_ratio(const struct figure *a, const struct figure *b);
/* Check, then count or time each arm on case @c; times in passes 0 to PASSES - 1. */
int measure_case(unsigned int c, unsigned int pass, const struct memory *m);

/* ---- count.c ---------------------------------------------------------------- */
int count_start(void);
void count_begin(void);
/* Instructions since count_begin(); a string instruction counts as one. */
double count_end(void);
int count_write(const char *path);
int count_read(const char *path);

/* ---- lookup.c --------------------------------------------------------------- */
#define LOOKUP_SIZES	4u
enum lookup_arm {
	LOOKUP_WINDOW,
	LOOKUP_VRL_HOT,
	LOOKUP_VRL,
	LOOKUP_KERNEL_HOT,
	LOOKUP_KERNEL,
	LOOKUP_ARMS
};

extern const unsigned int lookup_sizes[LOOKUP_SIZES];
extern const char *const lookup_names[LOOKUP_ARMS];
extern struct figure lookups[LOOKUP_ARMS][LOOKUP_SIZES];

bool lookup_wanted(void);
int lookup_run(void);

/* ---- report.c, verdict.c ---------------------------------------------------- */
struct figure *figure_of(const char *ring_case, unsigned int batch, const char *arm);
void report_tables(FILE *f);
int report_json(const char *path);
/* Prints targets and what was measured; number of missed instruction targets. */
int verdict_print(FILE *f);

#endif /* RESULTS_H */
