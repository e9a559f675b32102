// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * One case, all arms: first a check of order, length and each byte, then either
 * instructions (count.c) or times. Times are taken of the device's call alone,
 * between fences; a sample is the mean of the middle half of a round's bursts, the
 * arms take turns within a round, and rounds in which the core was slow count only
 * if there are hardly any others.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "results.h"

#define BURSTS		64u
#define WARM_UP		8u
#define QUIET		1.08	/* a core slower than its best by this is noisy */
#define QUIET_MIN	3u	/* with fewer quiet rounds all of them count */

const unsigned int batches[BATCHES] = { 1, 8, 32 };
struct results results;
double ns_per_tick;

static double timer_ticks;

/* ---- time ------------------------------------------------------------------- */

/* Whatever was written before is drained, whatever comes after waits. */
uint64_t ticks_before(void)
{
	uint64_t t;

	_mm_mfence();
	_mm_lfence();
	t = __rdtsc();
	_mm_lfence();
	return t;
}

uint64_t ticks_after(void)
{
	uint64_t t;

	_mm_mfence();
	_mm_lfence();
	t = __rdtsc();
	_mm_lfence();
	return t;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double middle_mean(double *v, unsigned int n)
{
	double sum = 0;

	qsort(v, n, sizeof(*v), compare);
	for (unsigned int i = n / 4; i < n - n / 4; i++)
		sum += v[i];
	return sum / (n - 2 * (n / 4));
}

void ticks_calibrate(void)
{
	double v[BURSTS];
	struct timespec a, b, pause = { .tv_nsec = 50000000 };
	uint64_t start, end;

	for (unsigned int i = 0; i < BURSTS; i++) {
		start = ticks_before();
		v[i] = (double)(ticks_after() - start);
	}
	timer_ticks = middle_mean(v, BURSTS);

	clock_gettime(CLOCK_MONOTONIC_RAW, &a);
	start = __rdtsc();
	nanosleep(&pause, NULL);
	end = __rdtsc();
	clock_gettime(CLOCK_MONOTONIC_RAW, &b);
	ns_per_tick = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) /
		      (double)(end - start);
}

/* A chain of dependent multiplications: only clock and interruptions change it. */
static double core_ticks(void)
{
	uint64_t start = ticks_before(), x = 1;

	for (unsigned int i = 0; i < 20000; i++)
		__asm__ volatile("imul %0, %0" : "+r"(x));
	return (double)(ticks_after() - start);
}

bool core_is_quiet(void)
{
	static double best;
	double t = core_ticks();

	if (!best || t < best)
		best = t;
	return t <= best * QUIET;
}

void figure_add(struct figure *f, double ns, bool quiet)
{
	if (f->nr_samples == ROUNDS_MAX)
		return;
	f->samples[f->nr_samples] = ns;
	f->quiet[f->nr_samples++] = quiet;
	f->n += quiet;
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

void figure_finish(struct figure *f)
{
	double v[ROUNDS_MAX];
	unsigned int n = 0;

	f->noisy = f->n < QUIET_MIN;
	for (unsigned int i = 0; i < f->nr_samples; i++)
		if (f->noisy || f->quiet[i])
			v[n++] = f->samples[i];
	f->n = n;
	if (!n)
		return;
	f->ns = median(v, n);
	f->min = v[0];
	f->max = v[n - 1];
}

double figure_ratio(const struct figure *a, const struct figure *b)
{
	double v[ROUNDS_MAX];
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->nr_samples && i < b->nr_samples; i++)
		if ((a->noisy || a->quiet[i]) && b->samples[i] > 0)
			v[n++] = a->samples[i] / b->samples[i];
	return n ? median(v, n) : 0;
}

/* ---- one burst -------------------------------------------------------------- */

static int complain(const struct arm *a, const struct driver *d, const char *what)
{
	fprintf(stderr, "%s, %s %s: %s\n", a->name, d->w->packed ? "packed" : "split", d->w->name,
		what);
	return -1;
}

/* Less than the timer itself ever costs. */
#define FAILED	-1e9

/* Ticks or instructions of the device for @n packets; FAILED or less on error. */
static double burst(const struct arm *a, struct driver *d, unsigned int n, bool count)
{
	uint64_t start = 0, end = 0;
	double cost = 0;
	unsigned int got;

	driver_post(d, n);
	if (count)
		count_begin();
	else
		start = ticks_before();
	got = d->w->rx ? a->rx(a->ctx, n) : a->tx(a->ctx, n);
	if (count)
		cost = count_end();
	else
		end = ticks_after();
	if (got != n)
		return FAILED + complain(a, d, "took fewer packets than there were");
	if (driver_reap(d, n))
		return FAILED + complain(a, d, "gave back the wrong thing");
	if (a->release && !d->w->rx)
		a->release(a->ctx);
	return count ? cost : (double)(end - start) - timer_ticks;
}

/* Packets with contents; each has a pattern of its own, so nothing old passes. */
static int check_burst(const struct arm *a, struct driver *d, unsigned int n)
{
	static uint32_t seed;
	static uint8_t frame[FRAME_MAX];
	const struct workload *w = d->w;
	unsigned int got;
	uint32_t len;

	for (unsigned int i = 0; i < n; i++) {
		pattern_fill(frame, w->frame, seed + i);
		if (w->rx)
			a->put(a->ctx, i, frame, w->frame);
		else
			driver_fill(d, i, seed + i);
	}
	driver_post(d, n);
	got = w->rx ? a->rx(a->ctx, n) : a->tx(a->ctx, n);
	if (got != n)
		return complain(a, d, "took fewer packets than there were");
	for (unsigned int i = 0; i < n; i++) {
		if (w->rx) {
			if (driver_check(d, seed + i) || driver_reap(d, 1))
				return complain(a, d, "wrote the wrong thing");
			continue;
		}
		if (driver_reap(d, 1))
			return complain(a, d, "gave back the wrong thing");
		const uint8_t *p = a->get(a->ctx, i, &len);

		if (len != w->frame || pattern_check(p, len, seed + i, 0))
			return complain(a, d, "read the wrong thing");
	}
	if (a->release && !w->rx)
		a->release(a->ctx);
	seed += n;
	return 0;
}

static int check(const struct arm *a, struct driver *d)
{
	unsigned int n = options.count_to ? 1 : 2 * d->w->slots / BATCH_MAX + 2;

	for (unsigned int b = 0; b < BATCHES; b++)
		if (check_burst(a, d, batches[b]))
			return -1;
	for (unsigned int i = 0; i < n; i++)
		if (check_burst(a, d, BATCH_MAX))
			return -1;
	return 0;
}

/* ---- one case --------------------------------------------------------------- */

static bool arm_takes(const struct arm *a, const struct workload *w)
{
	if (options.arm && strcmp(options.arm, a->name))
		return false;
	return !(a->split_only && w->packed);
}

static int count_arm(const struct arm *a, struct driver *d, struct figure (*fig)[ARMS_MAX],
		     unsigned int arm)
{
	for (unsigned int b = 0; b < BATCHES; b++) {
		unsigned int n = batches[b], times = n == 1 ? 4 : 1;
		double sum = 0, one;

		for (unsigned int i = 0; i < times; i++) {
			one = burst(a, d, n, true);
			if (one <= FAILED)
				return -1;
			sum += one;
		}
		fig[b][arm].insns = sum / times / n;
	}
	return 0;
}

static int sample(const struct arm *a, struct driver *d, unsigned int batch, double *ns)
{
	double v[BURSTS];

	for (unsigned int i = 0; i < WARM_UP + BURSTS; i++) {
		double t = burst(a, d, batch, false);

		if (t <= FAILED)
			return -1;
		if (i >= WARM_UP)
			v[i - WARM_UP] = t;
	}
	*ns = middle_mean(v, BURSTS) * ns_per_tick / batch;
	return 0;
}

/* One round: every arm once with every batch. */
static int round_run(unsigned int c, struct driver *drivers)
{
	double ns[BATCHES][ARMS_MAX];
	bool quiet = core_is_quiet();

	for (unsigned int b = 0; b < BATCHES; b++)
		for (unsigned int a = 0; arms[a]; a++)
			if (arm_takes(arms[a], &results.cases[c]) &&
			    sample(arms[a], &drivers[a], batches[b], &ns[b][a]))
				return -1;
	quiet &= core_is_quiet();
	results.rounds++;
	results.noisy += !quiet;
	for (unsigned int b = 0; b < BATCHES; b++)
		for (unsigned int a = 0; arms[a]; a++)
			if (arm_takes(arms[a], &results.cases[c]))
				figure_add(&results.fig[c][b][a], ns[b][a], quiet);
	return 0;
}

/* This pass's part of the rounds. */
static int time_arms(unsigned int c, unsigned int pass, struct driver *drivers)
{
	const struct figure *first = &results.fig[c][0][0];
	unsigned int wanted = options.rounds * (pass + 1) / PASSES;
	unsigned int most = (options.rounds + options.rounds / 2) / PASSES + 1;

	/* Half as many again for noisy rounds; then what there is must do. */
	for (unsigned int i = 0; i < most; i++)
		if (first->n < wanted && round_run(c, drivers))
			return -1;
	if (pass < PASSES - 1)
		return 0;
	for (unsigned int b = 0; b < BATCHES; b++)
		for (unsigned int a = 0; arms[a]; a++)
			figure_finish(&results.fig[c][b][a]);
	return 0;
}

static int open_arm(unsigned int a, struct driver *d, const struct workload *w,
		    const struct memory *m)
{
	uint64_t base = arms[a]->identity ? (uint64_t)(uintptr_t)m->base : IOVA_BASE;

	driver_init(d, w, m, a, base);
	if (arms[a]->open(arms[a], d))
		return complain(arms[a], d, "cannot be opened");
	return check(arms[a], d);
}

int measure_case(unsigned int c, unsigned int pass, const struct memory *m)
{
	struct driver drivers[ARMS_MAX];
	const struct workload *w = &results.cases[c];
	int ret = 0;

	for (unsigned int a = 0; arms[a] && !ret; a++) {
		if (!arm_takes(arms[a], w))
			continue;
		ret = open_arm(a, &drivers[a], w, m);
		if (!ret && options.count_to)
			ret = count_arm(arms[a], &drivers[a], results.fig[c], a);
	}
	if (!ret && !options.count_to && !options.smoke)
		ret = time_arms(c, pass, drivers);
	for (unsigned int a = 0; arms[a]; a++)
		if (arm_takes(arms[a], w) && arms[a]->close)
			arms[a]->close(arms[a]->ctx);
	return ret;
}
