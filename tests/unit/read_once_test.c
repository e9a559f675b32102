// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The driver rewrites every word right after the device has read it: what comes
 * out of a peek must be what was there before. The library is compiled into
 * this program with a READ_ONCE and an acquire load that do the rewriting, so a
 * second look at any word of the rings would see the driver's garbage.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "test.h"

#include "../../vringh-lib/src/platform.h"

static struct guest *victim;
static unsigned int nr_reads;

static bool in_area(const void *p, const void *area, size_t size)
{
	return (uintptr_t)p - (uintptr_t)area < size;
}

/* Only the rings are the driver's; the private table copy stays as it is. */
static void rewrite(volatile void *p, size_t size)
{
	const void *q = (const void *)p;

	if (!victim)
		return;
	if (!in_area(q, victim->desc, 16 * (size_t)victim->num) &&
	    !in_area(q, victim->avail, 6 + 2 * (size_t)victim->num))
		return;
	nr_reads++;
	memset((void *)p, 0xee, size);
}

#undef READ_ONCE
#undef smp_load_acquire
#define READ_ONCE(x) ({							\
	__typeof__(x) copy_ = *(const volatile __typeof__(x) *)&(x);	\
	rewrite((volatile void *)(uintptr_t)&(x), sizeof(x));		\
	copy_; })
#define smp_load_acquire(p)	READ_ONCE(*(p))

#include "../../vringh-lib/src/chain.c"
#include "../../vringh-lib/src/inflight.c"
#include "../../vringh-lib/src/inflight_packed.c"
#include "../../vringh-lib/src/packed.c"
#include "../../vringh-lib/src/packed_event.c"
#include "../../vringh-lib/src/split.c"
#include "../../vringh-lib/src/vring.c"

static struct vrl_burst *peek_rewritten(struct guest *g, int want)
{
	struct vrl_burst *b = burst_create(8, VRL_CHAIN_MAX, VRL_CHAIN_MAX);
	struct vrl_vq_config cfg;
	struct vrl_vq vq;

	guest_config(g, &cfg, true);
	cfg.state.last_avail = 0;
	assert_int_equal(vrl_vq_init(&vq, &cfg), 0);
	victim = g;
	nr_reads = 0;
	assert_int_equal(vrl_vq_peek_burst(&vq, b, 8), want);
	victim = NULL;
	return b;
}

static void single_descriptors_are_read_once(void **state)
{
	const struct guest_buf bufs[2] = { { 0x1000, 60 }, { 0x2000, 1500 } };
	struct vrl_burst *b;
	struct guest g;

	(void)state;
	guest_init(&g, GUEST_SPLIT, 8, 0);
	guest_post(&g, &bufs[0], 1, 0, false);
	guest_post(&g, &bufs[1], 0, 1, false);
	b = peek_rewritten(&g, 2);
	/* The index, two entries, two words of two descriptors. */
	assert_int_equal(nr_reads, 1 + 2 + 4);
	assert_int_equal(b->chains[0].out_len, 60);
	assert_int_equal(b->segs[0].iova, 0x1000);
	assert_int_equal(b->segs[0].len, 60);
	assert_int_equal(b->chains[1].in_len, 1500);
	assert_int_equal(b->segs[1].iova, 0x2000);
	assert_int_equal(b->segs[1].flags, VRL_SEG_WRITE);
	burst_destroy(b);
	guest_fini(&g);
}

static void chained_descriptors_are_read_once(void **state)
{
	const struct guest_buf bufs[4] = {
		{ 0x1000, 1 }, { 0x2000, 2 }, { 0x3000, 3 }, { 0x4000, 4 },
	};
	struct vrl_burst *b;
	unsigned int i;
	struct guest g;

	(void)state;
	guest_init(&g, GUEST_SPLIT, 8, 0);
	guest_post(&g, bufs, 2, 2, false);
	b = peek_rewritten(&g, 1);
	assert_int_equal(nr_reads, 1 + 1 + 8);
	for (i = 0; i < 4; i++) {
		assert_int_equal(b->segs[i].iova, bufs[i].iova);
		assert_int_equal(b->segs[i].len, bufs[i].len);
	}
	assert_int_equal(b->chains[0].out_len, 3);
	assert_int_equal(b->chains[0].in_len, 7);
	burst_destroy(b);
	guest_fini(&g);
}

static void indirect_descriptors_are_read_once(void **state)
{
	const struct guest_buf bufs[2] = { { 0x1000, 60 }, { 0x2000, 70 } };
	struct vrl_burst *b;
	struct guest g;

	(void)state;
	guest_init(&g, GUEST_SPLIT, 8, 0);
	guest_post(&g, bufs, 1, 1, true);
	b = peek_rewritten(&g, 1);
	assert_int_equal(nr_reads, 1 + 1 + 2);
	assert_int_equal(g.fetch_reqs, 1);
	assert_int_equal(b->chains[0].flags, 0);
	assert_int_equal(b->chains[0].out_len, 60);
	assert_int_equal(b->chains[0].in_len, 70);
	burst_destroy(b);
	guest_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_descriptors_are_read_once),
		cmocka_unit_test(chained_descriptors_are_read_once),
		cmocka_unit_test(indirect_descriptors_are_read_once),
	};

	return cmocka_run_group_tests_name("read_once", tests, NULL, NULL);
}
