// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The driver rewrites every word right after the device has read it: what comes
 * out of a peek must be what was there before. The library is compiled into
 * this program with a READ_ONCE and an acquire load that do the rewriting, so a
 * second look at any word of the rings would see the driver's garbage.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "test.h"

#include "../../vringh-lib/src/platform.h"

static struct guest *victim;
static void *victim_table;		/* indirect, of two entries */
static int garbage = 0xee;
static unsigned int nr_reads;

static bool in_area(const void *p, const void *area, size_t size)
{
	return (uintptr_t)p - (uintptr_t)area < size;
}

/* Only this is the driver's; a private copy of a table stays as it is. */
static bool is_driver_memory(const struct guest *g, const void *p)
{
	const size_t num = g->num;

	if (victim_table && in_area(p, victim_table, 32))
		return true;
	if (g->kind == GUEST_PACKED)
		return in_area(p, g->ring, 16 * num) || in_area(p, g->driver_event, 4);
	return in_area(p, g->desc, 16 * num) || in_area(p, g->avail, 6 + 2 * num);
}

static void rewrite(volatile void *p, size_t size)
{
	if (!victim || !is_driver_memory(victim, (const void *)p))
		return;
	nr_reads++;
	memset((void *)p, garbage, size);
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
#include "../../vringh-lib/src/packed_used.c"
#include "../../vringh-lib/src/split.c"
#include "../../vringh-lib/src/split_used.c"
#include "../../vringh-lib/src/vring.c"

/* All of memory, where it is. */
static struct vrl_iotlb *identity(void)
{
	struct vrl_iotlb *t = malloc(vrl_iotlb_size(1));

	assert_int_equal(vrl_iotlb_init(t, 1), 0);
	assert_int_equal(vrl_iotlb_add(t, 0, UINT64_MAX, 0, VRL_PERM_R), 0);
	return t;
}

/* Tables are read in place if @in_place, else fetched. */
static struct vrl_burst *peek_rewritten(struct guest *g, int want, bool in_place)
{
	struct vrl_burst *b = burst_create(8, VRL_CHAIN_MAX, VRL_CHAIN_MAX);
	struct vrl_mem mem = { .tlb = identity() };
	struct vrl_vq_config cfg;
	struct vrl_vq vq;

	guest_config(g, &cfg, true);
	cfg.state.last_avail = g->kind == GUEST_PACKED ? VRL_STATE_WRAP : 0;
	if (in_place)
		cfg.mem = &mem;
	assert_int_equal(vrl_vq_init(&vq, &cfg), 0);
	victim = g;
	nr_reads = 0;
	assert_int_equal(vrl_vq_peek_burst(&vq, b, 8), want);
	victim = NULL;
	free((void *)mem.tlb);
	return b;
}

static enum guest_kind kind_of(void **state)
{
	return *(const enum guest_kind *)*state;
}

/*
 * Words of @nr descriptors in @chains chains. Split: the index, the entries, two
 * words of each descriptor. Packed: address, length and flags of each, the id of
 * each last one, and the flags behind, where there is no more.
 */
static unsigned int words(enum guest_kind kind, unsigned int chains, unsigned int nr)
{
	return kind == GUEST_PACKED ? 3 * nr + chains + 1 : 1 + chains + 2 * nr;
}

static void single_descriptors_are_read_once(void **state)
{
	const struct guest_buf bufs[2] = { { 0x1000, 60 }, { 0x2000, 1500 } };
	struct vrl_burst *b;
	struct guest g;

	guest_init(&g, kind_of(state), 8, 0);
	guest_post(&g, &bufs[0], 1, 0, false);
	guest_post(&g, &bufs[1], 0, 1, false);
	b = peek_rewritten(&g, 2, false);
	assert_int_equal(nr_reads, words(g.kind, 2, 2));
	assert_int_equal(b->chains[0].out_len, 60);
	assert_int_equal(b->segs[0].iova, 0x1000);
	assert_int_equal(b->segs[0].len, 60);
	assert_int_equal(b->chains[1].in_len, 1500);
	assert_int_equal(b->segs[1].iova, 0x2000);
	assert_int_equal(b->segs[1].flags, VRL_SEG_WRITE);
	burst_destroy(b);
	guest_fini(&g);
}

/* In ways that meet every place where one walk hands over to another. */
static void chained_descriptors_are_read_once(void **state)
{
	static const unsigned int outs[] = { 0, 1, 2, 3, 4 };
	const struct guest_buf bufs[4] = {
		{ 0x1000, 1 }, { 0x2000, 2 }, { 0x3000, 3 }, { 0x4000, 4 },
	};
	unsigned int i, j, nr;
	struct vrl_burst *b;
	struct guest g;

	for (nr = 2; nr <= 4; nr++) {
		for (j = 0; j < ARRAY_LEN(outs) && outs[j] <= nr; j++) {
			guest_init(&g, kind_of(state), 8, 0);
			guest_post(&g, bufs, outs[j], nr - outs[j], false);
			b = peek_rewritten(&g, 1, false);
			assert_int_equal(nr_reads, words(g.kind, 1, nr));
			for (i = 0; i < nr; i++) {
				assert_int_equal(b->segs[i].iova, bufs[i].iova);
				assert_int_equal(b->segs[i].len, bufs[i].len);
			}
			assert_int_equal(b->chains[0].nr_out, outs[j]);
			assert_int_equal(b->chains[0].nr_in, nr - outs[j]);
			burst_destroy(b);
			guest_fini(&g);
		}
	}
}

static void read_indirect(enum guest_kind kind, unsigned int nr_out, bool in_place)
{
	const struct guest_buf bufs[2] = { { 0x1000, 60 }, { 0x2000, 70 } };
	struct vrl_burst *b;
	struct guest g;
	int id;

	guest_init(&g, kind, 8, 0);
	id = guest_post(&g, bufs, nr_out, 2 - nr_out, true);
	victim_table = in_place ? g.chain[id].table : NULL;
	b = peek_rewritten(&g, 1, in_place);
	assert_int_equal(nr_reads, words(kind, 1, 1) + (in_place ? 4 : 0));
	assert_int_equal(g.fetch_reqs, !in_place);
	assert_int_equal(b->chains[0].flags, 0);
	assert_int_equal(b->chains[0].nr_out, nr_out);
	assert_int_equal(b->chains[0].out_len + b->chains[0].in_len, 130);
	assert_int_equal(b->segs[0].iova, 0x1000);
	assert_int_equal(b->segs[1].iova, 0x2000);
	victim_table = NULL;
	burst_destroy(b);
	guest_fini(&g);
}

static void indirect_descriptors_are_read_once(void **state)
{
	unsigned int nr_out;

	for (nr_out = 0; nr_out <= 2; nr_out++) {
		read_indirect(kind_of(state), nr_out, false);
		read_indirect(kind_of(state), nr_out, true);
	}
}

/*
 * Right after the one entry has been read it becomes a harmless one with no next: for
 * whoever followed it back to itself that would be the end of a chain of two.
 */
static void a_table_of_one_that_names_itself_is_a_loop(void **state)
{
	const struct guest_buf buf = { 0x1000, 60 };
	struct vring_desc *table;
	struct guest g;

	(void)state;
	guest_init(&g, GUEST_SPLIT, 8, 0);
	table = g.chain[guest_post(&g, &buf, 1, 0, true)].table;
	table->flags |= htole16(VRING_DESC_F_NEXT);
	table->next = 0;
	victim_table = table;
	garbage = 0x10;
	burst_destroy(peek_rewritten(&g, -EPROTO, true));
	garbage = 0xee;
	victim_table = NULL;
	guest_fini(&g);
}

int main(void)
{
	static enum guest_kind split = GUEST_SPLIT, packed = GUEST_PACKED;
	const struct CMUnitTest tests[] = {
		{ "split_single_descriptors_are_read_once",
		  single_descriptors_are_read_once, NULL, NULL, &split },
		{ "split_chained_descriptors_are_read_once",
		  chained_descriptors_are_read_once, NULL, NULL, &split },
		{ "split_indirect_descriptors_are_read_once",
		  indirect_descriptors_are_read_once, NULL, NULL, &split },
		cmocka_unit_test(a_table_of_one_that_names_itself_is_a_loop),
		{ "packed_single_descriptors_are_read_once",
		  single_descriptors_are_read_once, NULL, NULL, &packed },
		{ "packed_chained_descriptors_are_read_once",
		  chained_descriptors_are_read_once, NULL, NULL, &packed },
		{ "packed_indirect_descriptors_are_read_once",
		  indirect_descriptors_are_read_once, NULL, NULL, &packed },
	};

	return cmocka_run_group_tests_name("read_once", tests, NULL, NULL);
}
