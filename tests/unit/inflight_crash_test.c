// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The in-flight log, by dying: a device side takes and gives back chains, and for
 * every state that its stores leave ring and log in, another one goes on from there
 * (vrl_vq_init() again, in memory of its own). Then each chain must have come back
 * to the driver exactly once, and been handed out in the order of posting.
 */
#include <string.h>

#include <vrl/inflight.h>

#include "inflight.h"
#include "stores.h"
#include "test.h"

/* A second life in memory of its own: @snap, the driver as it was. */
struct afterlife {
	_Alignas(64) char mem[MEM_BYTES];
	struct model m;
	struct device dev;
};

static void afterlife_begin(struct afterlife *a, const char *snap, const struct model *m,
			    struct vrl_burst *b)
{
	memcpy(a->mem, snap, MEM_BYTES);
	a->m = *m;
	driver_move(&a->m.d, a->mem);
	a->dev = (struct device){ .b = b };
}

static void afterlife_open(struct afterlife *a)
{
	struct vrl_vq_config cfg;

	device_config(&a->dev, &a->m.d, a->mem + RING_BYTES, &cfg);
	assert_int_equal(vrl_vq_init(&a->dev.vq, &cfg), 0);
	assert_true(vrl_vq_needs_call(&a->dev.vq) ||
		    !(a->m.d.features & VRL_F_EVENT_IDX));
}

/* Everything is taken and comes back, three at a time, out of order. */
static void afterlife_finish(struct afterlife *a)
{
	unsigned int n, left = SERIALS;

	do {
		n = device_take(&a->dev, 3);
		device_push(&a->dev, 2);
		model_reap(&a->m);
		device_push(&a->dev, ~0u);
		model_reap(&a->m);
		assert_true(left--);
	} while (n);
	assert_int_equal(a->m.returned, a->m.posted);
	assert_int_equal(a->dev.vq.last_avail, a->dev.vq.used_idx);
}

static void check_afterlife(const char *snap, const struct model *m, struct vrl_burst *b)
{
	static struct afterlife a;

	afterlife_begin(&a, snap, m, b);
	afterlife_open(&a);
	afterlife_finish(&a);

	/* And with a driver that went on while nobody was there. */
	afterlife_begin(&a, snap, m, b);
	model_reap(&a.m);
	while (model_post(&a.m) && a.m.posted % 3)
		;
	afterlife_open(&a);
	afterlife_finish(&a);
}

struct life {
	struct stores s, s2;
	struct model m;
	struct device dev;
	struct device dev2;
	struct vrl_burst *b, *b2;
	unsigned int arg;		/* of what is being recorded */
	unsigned long states;
};

static void life_take(void *arg)
{
	struct life *l = arg;

	device_take(&l->dev, l->arg);
}

static void life_push(void *arg)
{
	struct life *l = arg;

	device_push(&l->dev, l->arg);
}

static void life_open(void *arg)
{
	struct life *l = arg;
	struct driver d = l->m.d;
	struct vrl_vq_config cfg;

	driver_move(&d, l->s2.mem);
	device_config(&l->dev2, &d, l->s2.mem + RING_BYTES, &cfg);
	assert_int_equal(vrl_vq_init(&l->dev2.vq, &cfg), 0);
}

/* Every state, and every state of the repair of it. */
static void life_check(struct life *l)
{
	unsigned int i, k;

	for (i = 0; i < l->s.nr; i++) {
		check_afterlife(stores_at(&l->s, i), &l->m, l->b2);
		memcpy(l->s2.mem, stores_at(&l->s, i), MEM_BYTES);
		stores_record(&l->s2, life_open, l);
		for (k = 1; k < l->s2.nr; k++)
			check_afterlife(stores_at(&l->s2, k), &l->m, l->b2);
		l->states += l->s2.nr;
	}
}

static void life_begin(struct life *l, uint32_t features, unsigned int num, uint16_t start)
{
	struct vrl_vq_config cfg;

	memset(l, 0, sizeof(*l));
	stores_init(&l->s, MEM_BYTES, 512);
	stores_init(&l->s2, MEM_BYTES, 512);
	l->b = burst_create(NUM_MAX, 4 * NUM_MAX, 4 * NUM_MAX);
	l->b2 = burst_create(NUM_MAX, 4 * NUM_MAX, 4 * NUM_MAX);
	l->dev.b = l->b;
	assert_in_range(driver_mem_size(features, num), 1, RING_BYTES);
	assert_in_range(vrl_inflight_size(features, num), 1, LOG_BYTES);
	driver_init(&l->m.d, l->s.mem, features, num, start);
	device_config(&l->dev, &l->m.d, l->s.mem + RING_BYTES, &cfg);
	assert_int_equal(vrl_vq_init(&l->dev.vq, &cfg), 0);
}

static void life_end(struct life *l)
{
	burst_destroy(l->b2);
	burst_destroy(l->b);
	stores_fini(&l->s2);
	stores_fini(&l->s);
}

/* @rounds of posting, taking and giving back what @random says. */
static void life_run(uint32_t features, unsigned int num, unsigned int rounds, uint32_t seed)
{
	struct life l;

	life_begin(&l, features, num, 65530);
	while (rounds--) {
		while (model_post(&l.m) && test_random(&seed) % 4)
			;
		l.arg = 1 + test_random(&seed) % 3;
		stores_record(&l.s, life_take, &l);
		life_check(&l);
		l.arg = test_random(&seed) & test_random(&seed);
		stores_record(&l.s, life_push, &l);
		life_check(&l);
		if (test_random(&seed) % 2)
			model_reap(&l.m);
	}
	device_push(&l.dev, ~0u);
	model_reap(&l.m);
	print_message("# %lu states, %u chains\n", l.states, l.m.posted);
	assert_in_range(l.states, 200, 1000000);
	life_end(&l);
}

static void no_chain_is_lost_or_doubled_by_a_crash_after_any_store_split(void **state)
{
	(void)state;
	life_run(VRL_F_INDIRECT, 8, 60, 1);
	life_run(VRL_F_INDIRECT | VRL_F_EVENT_IDX, 4, 60, 7);
	life_run(VRL_F_INDIRECT | VRL_F_IN_ORDER, 8, 40, 5);
}

static void no_chain_is_lost_or_doubled_by_a_crash_after_any_store_packed(void **state)
{
	(void)state;
	life_run(VRL_F_PACKED | VRL_F_INDIRECT, 8, 40, 3);
	life_run(VRL_F_PACKED | VRL_F_INDIRECT | VRL_F_EVENT_IDX, 5, 24, 11);
	life_run(VRL_F_PACKED | VRL_F_INDIRECT | VRL_F_IN_ORDER, 7, 24, 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_chain_is_lost_or_doubled_by_a_crash_after_any_store_split),
		cmocka_unit_test(no_chain_is_lost_or_doubled_by_a_crash_after_any_store_packed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
