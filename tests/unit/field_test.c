// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Faults that others have had, as docs/faults.md numbers them, where no other test
 * of the library asks exactly that. Each for both kinds of ring, with tables fetched
 * and read in place, unless it is about one of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "test.h"

static const struct vrl_chain *peek_one(struct ring *r)
{
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 1), 1);
	return &r->b->chains[0];
}

/* ---- 2 and 3: loops ---- */

/* As long as a table can be, in a queue of 4; and the other way around. */
static void longest_loops(uint32_t len, enum vrl_why why)
{
	static struct vring_desc table[VRL_CHAIN_MAX];
	struct ring r;
	unsigned int i;

	for (i = 0; i < VRL_CHAIN_MAX; i++)
		guest_desc_fill(&table[i], 0x1000, len, VRING_DESC_F_NEXT,
				(i + 1) % VRL_CHAIN_MAX);
	ring_open(&r, GUEST_SPLIT, 4, 0, 0);
	guest_add_mem(&r.g, 0x100000, table, sizeof(table));
	guest_set_desc(&r.g, 0, 0x100000, sizeof(table), VRING_DESC_F_INDIRECT, 0);
	guest_offer(&r.g, 0);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 1), -EPROTO);
	assert_int_equal(vrl_vq_why(&r.vq), why);
	ring_close(&r);

	ring_open(&r, GUEST_SPLIT, VRL_NUM_MAX, 0, 0);
	guest_add_mem(&r.g, 0x100000, table, sizeof(table));
	guest_set_desc(&r.g, 0, 0x100000, 32, VRING_DESC_F_INDIRECT, 0);
	guest_offer(&r.g, 0);
	table[1].next = 0;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 1), -EPROTO);
	assert_int_equal(vrl_vq_why(&r.vq), why);
	ring_close(&r);
}

static void field_02_a_loop_is_measured_by_the_table_it_is_in(void **state)
{
	(void)state;
	longest_loops(1, VRL_WHY_LOOP);
}

static void field_03_a_loop_of_zero_lengths_ends(void **state)
{
	struct ring r;
	unsigned int i;

	(void)state;
	longest_loops(0, VRL_WHY_ZERO_LEN);
	ring_open(&r, GUEST_SPLIT, VRL_NUM_MAX, 0, 0);
	for (i = 0; i < VRL_NUM_MAX; i++)
		guest_set_desc(&r.g, i, 0x1000, 0, VRING_DESC_F_NEXT, (i + 1) % VRL_NUM_MAX);
	guest_offer(&r.g, 0);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 1), -EPROTO);
	ring_close(&r);
}

/* ---- 4: a driver that posts faster than the device works ---- */

static struct ring *flooded;

static int fetch_and_post(void *opaque, struct vrl_fetch *reqs, unsigned int nr)
{
	const struct guest_buf buf = { 0x1000, 60 };
	int ret = guest_fetch(opaque, reqs, nr);

	while (guest_post(&flooded->g, &buf, 1, 0, true) >= 0)
		;
	return ret;
}

static void flood(struct ring *r)
{
	struct vrl_used_elem e[8], got;
	struct vrl_vq_config cfg;
	int i, n, round;

	if (!r->vq.fetch)
		return;
	flooded = r;
	ring_config(r, &cfg, false);
	cfg.fetch = fetch_and_post;
	assert_int_equal(vrl_vq_init(&r->vq, &cfg), 0);
	guest_post(&r->g, &(struct guest_buf){ 0x1000, 60 }, 1, 0, true);
	for (round = 0; round < 100; round++) {
		n = vrl_vq_peek_burst(&r->vq, r->b, 8);
		/* The budget, though the ring is full again at each look. */
		assert_true(n > 0 && n <= 8);
		assert_int_equal(r->g.fetch_calls, round + 1);
		for (i = 0; i < n; i++)
			e[i] = (struct vrl_used_elem){ r->b->chains[i].id, 0 };
		vrl_vq_consume(&r->vq, r->b, n);
		vrl_vq_push_burst(&r->vq, e, n);
		while (guest_get_used(&r->g, &got))
			;
	}
}

static void field_04_a_flood_gets_no_more_than_the_budget(void **state)
{
	(void)state;
	ring_with_all(flood, 0);
}

/* ---- 5: headers in pieces, and chains shorter than a header ---- */

static void cut_header(struct ring *r)
{
	static const uint8_t hdr[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	uint8_t got[12], is[12];
	struct guest_buf bufs[12];
	unsigned int i;
	int indirect;

	for (i = 0; i < 12; i++)
		bufs[i] = (struct guest_buf){ (uintptr_t)&hdr[i], 1 };
	for (indirect = 0; indirect < 2; indirect++) {
		const struct vrl_chain *c;

		guest_post(&r->g, bufs, 12, 0, indirect);
		c = peek_one(r);
		assert_int_equal(vrl_mem_read(&r->mem, r->b, c, 0, got, 12), 0);
		assert_memory_equal(got, hdr, 12);
		vrl_vq_consume(&r->vq, r->b, 1);

		guest_post(&r->g, bufs, 11, 0, indirect);
		c = peek_one(r);
		memset(is, 0x55, sizeof(is));
		memcpy(got, is, sizeof(is));
		assert_int_equal(vrl_mem_read(&r->mem, r->b, c, 0, got, 12), -EMSGSIZE);
		assert_memory_equal(got, is, 12);
		assert_int_equal(vrl_mem_write(&r->mem, r->b, c, 0, is, 1), -EMSGSIZE);
		vrl_vq_consume(&r->vq, r->b, 1);
	}
}

static void field_05_headers_in_pieces_are_read_and_short_ones_refused(void **state)
{
	(void)state;
	ring_with_all(cut_header, 64);
}

/* ---- 6: the driver changes a table that has been read ---- */

static int fetch_and_ruin(void *opaque, struct vrl_fetch *reqs, unsigned int nr)
{
	int ret = guest_fetch(opaque, reqs, nr);
	unsigned int i;

	for (i = 0; i < nr; i++)
		memset((void *)(uintptr_t)reqs[i].iova, 0xee, reqs[i].len);
	return ret;
}

static void ruin(struct ring *r)
{
	const struct guest_buf bufs[2] = { { 0x1000, 60 }, { 0x2000, 70 } };
	struct vrl_vq_config cfg;
	const struct vrl_chain *c;

	if (!r->vq.fetch)
		return;
	ring_config(r, &cfg, false);
	cfg.fetch = fetch_and_ruin;
	assert_int_equal(vrl_vq_init(&r->vq, &cfg), 0);
	guest_post(&r->g, bufs, 1, 1, true);
	c = peek_one(r);
	assert_int_equal(c->out_len, 60);
	assert_int_equal(c->in_len, 70);
	assert_int_equal(r->b->segs[c->seg + 1].iova, 0x2000);
}

static void field_06_a_table_changed_after_it_was_read_changes_nothing(void **state)
{
	(void)state;
	ring_with_all(ruin, 0);
}

/* ---- 7, 8: the whole of a buffer is checked, in 64 bits ---- */

static void half_mapped(struct ring *r)
{
	static uint8_t memory[64], copy[64], zero[64];
	const uint64_t at = 0x7000;
	struct vrl_piece pieces[4];
	const struct vrl_chain *c;
	struct guest_buf bufs[2] = { { at + 32, 33 }, { at + 32, 33 } };

	vrl_iotlb_clear(r->tlb);
	assert_int_equal(vrl_iotlb_add(r->tlb, at, at + 63, (uintptr_t)memory,
				       VRL_PERM_R | VRL_PERM_W), 0);
	vrl_mem_sync(&r->mem);
	guest_post(&r->g, bufs, 1, 1, false);
	c = peek_one(r);
	assert_int_equal(vrl_mem_read(&r->mem, r->b, c, 0, copy, 33), -EFAULT);
	memset(copy, 0x77, sizeof(copy));
	assert_int_equal(vrl_mem_write(&r->mem, r->b, c, 0, copy, 33), -EFAULT);
	assert_memory_equal(memory, zero, sizeof(memory));
	assert_null(vrl_mem_at(&r->mem, at + 32, 33, VRL_PERM_R));
	assert_null(vrl_mem_at(&r->mem, at + 63, UINT32_MAX, VRL_PERM_W));
	assert_int_equal(vrl_mem_pieces(&r->mem, &r->b->segs[c->seg], 1, VRL_PERM_R,
					pieces, 4), -EFAULT);
	/* One byte less is inside. */
	assert_int_equal(vrl_mem_read(&r->mem, r->b, c, 0, copy, 32), 0);
	assert_memory_equal(copy, zero, 32);
}

static void field_07_the_end_of_a_buffer_is_checked_like_its_start(void **state)
{
	(void)state;
	ring_with_all(half_mapped, 0);
}

static void at_the_top(struct ring *r)
{
	struct guest_buf buf = { UINT64_MAX - 7, 8 };
	uint8_t copy[16] = { 0 };
	const struct vrl_chain *c;

	/* The ranges below must not be found by a sum that wrapped to 0. */
	vrl_iotlb_clear(r->tlb);
	assert_int_equal(vrl_iotlb_add(r->tlb, 0, UINT64_MAX - 8, (uintptr_t)copy,
				       VRL_PERM_R | VRL_PERM_W), 0);
	vrl_mem_sync(&r->mem);
	guest_post(&r->g, &buf, 1, 0, false);
	c = peek_one(r);
	assert_int_equal(vrl_mem_read(&r->mem, r->b, c, 0, copy, 8), -EFAULT);
	assert_int_equal(vrl_mem_read(&r->mem, r->b, c, UINT32_MAX, copy, 8), -EMSGSIZE);
	assert_int_equal(vrl_mem_read(&r->mem, r->b, c, 8, copy, UINT32_MAX), -EMSGSIZE);
	assert_null(vrl_mem_at(&r->mem, UINT64_MAX, 1, VRL_PERM_R));
}

static void field_08_sums_of_offset_and_length_do_not_wrap(void **state)
{
	(void)state;
	ring_with_all(at_the_top, 0);
}

/* ---- 12, 13: translations that are no longer ---- */

static void remapped(struct ring *r)
{
	static uint8_t one[16] = "first", two[16] = "second";
	const struct guest_buf buf = { 0x9000, 8 };
	const struct vrl_chain *c;
	char got[8];

	vrl_iotlb_clear(r->tlb);
	assert_int_equal(vrl_iotlb_add(r->tlb, 0x9000, 0x900f, (uintptr_t)one, VRL_PERM_R), 0);
	vrl_mem_sync(&r->mem);
	guest_post(&r->g, &buf, 1, 0, false);
	c = peek_one(r);
	/* Often, so that the range is hot. */
	while (!r->mem.out.size)
		assert_int_equal(vrl_mem_read(&r->mem, r->b, c, 0, got, 8), 0);
	assert_string_equal(got, "first");

	assert_int_equal(vrl_iotlb_del(r->tlb, 0x9000, 0x900f), 0);
	vrl_mem_sync(&r->mem);
	assert_int_equal(vrl_mem_read(&r->mem, r->b, c, 0, got, 8), -EFAULT);
	assert_int_equal(vrl_iotlb_add(r->tlb, 0x9000, 0x900f, (uintptr_t)two, VRL_PERM_R), 0);
	vrl_mem_sync(&r->mem);
	assert_int_equal(vrl_mem_read(&r->mem, r->b, c, 0, got, 8), 0);
	assert_string_equal(got, "second");
}

static void field_13_an_unmapped_range_is_not_used_after_the_next_sync(void **state)
{
	(void)state;
	ring_with_all(remapped, 0);
}

static void field_12_nothing_stale_is_left_in_the_table(void **state)
{
	struct vrl_iotlb *t = malloc(vrl_iotlb_size(64));
	struct vrl_iotlb_hint hint = { .size = 0 };
	__u64 i, addr, len;

	(void)state;
	assert_int_equal(vrl_iotlb_init(t, 64), 0);
	/* A hundred times as many as fit, each one gone again. */
	for (i = 0; i < 6400; i++) {
		assert_int_equal(vrl_iotlb_add(t, i << 12, (i << 12) + 4095, i, VRL_PERM_R), 0);
		if (i >= 63)
			assert_int_equal(vrl_iotlb_del(t, (i - 63) << 12,
						       ((i - 63) << 12) + 4095), 0);
	}
	assert_int_equal(t->nr, 63);
	len = 1;
	assert_int_equal(vrl_iotlb_translate(t, &hint, 6336ull << 12, VRL_PERM_R, &addr, &len),
			 -EFAULT);
	assert_int_equal(vrl_iotlb_translate(t, &hint, 6337ull << 12, VRL_PERM_R, &addr, &len), 0);
	assert_int_equal(addr, 6337);
	free(t);
}

/* ---- 28: a bad frame is completed, not left in the ring ---- */

static void completed(struct ring *r)
{
	const struct guest_buf bad = { 0xdead0000, 60 };
	struct vrl_used_elem e, got;
	const struct vrl_chain *c;
	char copy[60];
	int id;

	vrl_iotlb_clear(r->tlb);
	vrl_mem_sync(&r->mem);
	id = guest_post(&r->g, &bad, 1, 0, false);
	c = peek_one(r);
	assert_int_equal(vrl_mem_read(&r->mem, r->b, c, 0, copy, 60), -EFAULT);
	e = (struct vrl_used_elem){ c->id, 0 };
	vrl_vq_consume(&r->vq, r->b, 1);
	vrl_vq_push_burst(&r->vq, &e, 1);
	assert_true(guest_get_used(&r->g, &got));
	assert_int_equal(got.id, id);
	assert_int_equal(got.len, 0);
	assert_false(vrl_vq_is_broken(&r->vq));
}

static void field_28_a_frame_that_cannot_be_read_is_given_back(void **state)
{
	(void)state;
	ring_with_all(completed, 0);
}

/* ---- 42: no page size in what is shared ---- */

static void field_42_shared_formats_have_no_page_size(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct vrl_iotlb_entry), 32);
	assert_int_equal(offsetof(struct vrl_iotlb, entries), 16);
	assert_int_equal(vrl_iotlb_size(VRL_IOTLB_MAX), 16 + 32 * VRL_IOTLB_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(field_02_a_loop_is_measured_by_the_table_it_is_in),
		cmocka_unit_test(field_03_a_loop_of_zero_lengths_ends),
		cmocka_unit_test(field_04_a_flood_gets_no_more_than_the_budget),
		cmocka_unit_test(field_05_headers_in_pieces_are_read_and_short_ones_refused),
		cmocka_unit_test(field_06_a_table_changed_after_it_was_read_changes_nothing),
		cmocka_unit_test(field_07_the_end_of_a_buffer_is_checked_like_its_start),
		cmocka_unit_test(field_08_sums_of_offset_and_length_do_not_wrap),
		cmocka_unit_test(field_12_nothing_stale_is_left_in_the_table),
		cmocka_unit_test(field_13_an_unmapped_range_is_not_used_after_the_next_sync),
		cmocka_unit_test(field_28_a_frame_that_cannot_be_read_is_given_back),
		cmocka_unit_test(field_42_shared_formats_have_no_page_size),
	};

	return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
