// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Legal chains, and every malformed chain we can name, one case each. A
 * malformed chain is tried alone, and behind a good one, which must still be
 * handed out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "test.h"

#define W	VRING_DESC_F_WRITE
#define N	VRING_DESC_F_NEXT
#define I	VRING_DESC_F_INDIRECT

#define NUM		8
#define TABLE_IOVA	0x100000
#define G		0x40000000u	/* 1 GiB */

struct d {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct chain_case {
	const char *name;
	bool no_indirect;
	uint16_t head;
	struct d desc[NUM];
	struct d table[NUM + 4];	/* at TABLE_IOVA, may exceed the queue */
	enum vrl_why why;
	unsigned int nr_out, nr_in;
	uint32_t out_len, in_len;
};

static const struct chain_case cases[] = {
	{ .name = "takes_one_readable_descriptor",
	  .desc = { { 0x1000, 60, 0, 7 } }, .nr_out = 1, .out_len = 60 },
	{ .name = "takes_one_writable_descriptor", .head = 7,
	  .desc = { [7] = { 0x1000, 1526, W, 0 } }, .nr_in = 1, .in_len = 1526 },
	{ .name = "takes_header_data_and_status",
	  .desc = { { 0x1000, 12, N, 5 }, [3] = { 0x3000, 1, W, 0 },
		    [5] = { 0x2000, 1500, N, 3 } },
	  .nr_out = 2, .nr_in = 1, .out_len = 1512, .in_len = 1 },
	{ .name = "takes_chain_as_long_as_the_queue",
	  .desc = { { 0x1000, 1, N, 1 }, { 0x1000, 1, N, 2 },
		    { 0x1000, 1, N, 3 }, { 0x1000, 1, N, 4 },
		    { 0x1000, 1, N, 5 }, { 0x1000, 1, N, 6 },
		    { 0x1000, 1, N, 7 }, { 0x1000, 1, 0, 0 } },
	  .nr_out = 8, .out_len = 8 },
	{ .name = "takes_chain_that_goes_on_at_index_0", .head = 1,
	  .desc = { { 0x2000, 5, 0, 0 }, { 0x1000, 1, N, 0 } },
	  .nr_out = 2, .out_len = 6 },
	{ .name = "takes_buffer_that_ends_at_the_last_byte_of_the_space",
	  .desc = { { UINT64_MAX - 15, 16, W, 0 } }, .nr_in = 1, .in_len = 16 },
	{ .name = "takes_4_gib_less_one_byte",
	  .desc = { { 0x1000, 0xfffffffe, N, 1 }, { 0x1000, 1, W, 0 } },
	  .nr_out = 1, .nr_in = 1, .out_len = 0xfffffffe, .in_len = 1 },
	{ .name = "ignores_unknown_descriptor_flags",
	  .desc = { { 0x1000, 60, 0xfff8, 0 } }, .nr_out = 1, .out_len = 60 },
	{ .name = "takes_indirect_chain",
	  .desc = { { TABLE_IOVA, 48, I, 0 } },
	  .table = { { 0x1000, 12, N, 2 }, { 0x3000, 9, W, 0 },
		     { 0x2000, 100, N, 1 } },
	  .nr_out = 2, .nr_in = 1, .out_len = 112, .in_len = 9 },
	{ .name = "takes_direct_descriptors_before_an_indirect_one",
	  .desc = { { 0x1000, 12, N, 1 }, { TABLE_IOVA, 32, I, 0 } },
	  .table = { { 0x2000, 30, N, 1 }, { 0x3000, 7, W, 0 } },
	  .nr_out = 2, .nr_in = 1, .out_len = 42, .in_len = 7 },
	{ .name = "ignores_the_write_flag_of_an_indirect_descriptor",
	  .desc = { { TABLE_IOVA, 16, I | W, 0 } },
	  .table = { { 0x1000, 12, 0, 0 } }, .nr_out = 1, .out_len = 12 },
	{ .name = "takes_an_indirect_table_longer_than_the_queue",
	  .desc = { { TABLE_IOVA, 9 * 16, I, 0 } },
	  .table = { { 0x1000, 1, N, 1 }, { 0x1000, 1, N, 2 },
		     { 0x1000, 1, N, 3 }, { 0x1000, 1, N, 4 },
		     { 0x1000, 1, N, 5 }, { 0x1000, 1, N, 6 },
		     { 0x1000, 1, N, 7 }, { 0x1000, 1, N, 8 },
		     { 0x1000, 1, 0, 0 } },
	  .nr_out = 9, .out_len = 9 },

	{ .name = "rejects_head_outside_the_queue", .head = NUM,
	  .why = VRL_WHY_HEAD_RANGE },
	{ .name = "rejects_head_far_outside_the_queue", .head = 0xffff,
	  .why = VRL_WHY_HEAD_RANGE },
	{ .name = "rejects_next_just_outside_the_queue",
	  .desc = { { 0x1000, 1, N, NUM } }, .why = VRL_WHY_NEXT_RANGE },
	{ .name = "rejects_next_far_outside_the_queue",
	  .desc = { { 0x1000, 1, N, 0xffff } }, .why = VRL_WHY_NEXT_RANGE },
	{ .name = "rejects_descriptor_that_follows_itself",
	  .desc = { { 0x1000, 1, N, 0 } }, .why = VRL_WHY_LOOP },
	{ .name = "rejects_loop_of_two",
	  .desc = { { 0x1000, 1, N, 1 }, { 0x1000, 1, N, 0 } },
	  .why = VRL_WHY_LOOP },
	{ .name = "rejects_loop_that_the_head_is_not_part_of",
	  .desc = { { 0x1000, 1, N, 1 }, { 0x1000, 1, N, 2 },
		    { 0x1000, 1, N, 1 } }, .why = VRL_WHY_LOOP },
	{ .name = "rejects_zero_length_descriptor",
	  .desc = { { 0x1000, 0, 0, 0 } }, .why = VRL_WHY_ZERO_LEN },
	{ .name = "rejects_zero_length_writable_descriptor",
	  .desc = { { 0x1000, 0, W, 0 } }, .why = VRL_WHY_ZERO_LEN },
	{ .name = "rejects_zero_length_in_the_middle_of_a_chain",
	  .desc = { { 0x1000, 12, N, 1 }, { 0x1000, 0, N, 2 },
		    { 0x1000, 9, 0, 0 } }, .why = VRL_WHY_ZERO_LEN },
	{ .name = "rejects_loop_of_zero_length_descriptors",
	  .desc = { { 0x1000, 0, N, 1 }, { 0x1000, 0, N, 0 } },
	  .why = VRL_WHY_ZERO_LEN },
	{ .name = "rejects_zero_length_in_an_indirect_table",
	  .desc = { { TABLE_IOVA, 32, I, 0 } },
	  .table = { { 0x1000, 12, N, 1 }, { 0x1000, 0, 0, 0 } },
	  .why = VRL_WHY_ZERO_LEN },
	{ .name = "rejects_buffer_that_wraps_around",
	  .desc = { { UINT64_MAX - 15, 17, 0, 0 } }, .why = VRL_WHY_ADDR_RANGE },
	{ .name = "rejects_buffer_that_wraps_around_in_a_chain",
	  .desc = { { 0x1000, 1, N, 1 }, { UINT64_MAX, 2, 0, 0 } },
	  .why = VRL_WHY_ADDR_RANGE },
	{ .name = "rejects_4_gib_in_a_chain",
	  .desc = { { 0, 0xffffffff, N, 1 }, { 0, 1, W, 0 } },
	  .why = VRL_WHY_TOO_MANY_BYTES },
	{ .name = "rejects_8_gib_in_an_indirect_table",
	  .desc = { { TABLE_IOVA, 128, I, 0 } },
	  .table = { { 0, G, N, 1 }, { 0, G, N, 2 }, { 0, G, N, 3 },
		     { 0, G, N, 4 }, { 0, G, N, 5 }, { 0, G, N, 6 },
		     { 0, G, N, 7 }, { 0, G, 0, 0 } },
	  .why = VRL_WHY_TOO_MANY_BYTES },
	{ .name = "rejects_readable_behind_writable",
	  .desc = { { 0x1000, 1, N | W, 1 }, { 0x1000, 1, 0, 0 } },
	  .why = VRL_WHY_READ_AFTER_WRITE },
	{ .name = "rejects_readable_in_a_table_behind_a_direct_writable",
	  .desc = { { 0x1000, 1, N | W, 1 }, { TABLE_IOVA, 16, I, 0 } },
	  .table = { { 0x1000, 1, 0, 0 } },
	  .why = VRL_WHY_READ_AFTER_WRITE },
	{ .name = "rejects_indirect_without_the_feature", .no_indirect = true,
	  .desc = { { TABLE_IOVA, 16, I, 0 } },
	  .table = { { 0x1000, 1, 0, 0 } }, .why = VRL_WHY_INDIRECT_OFF },
	{ .name = "rejects_indirect_with_next",
	  .desc = { { TABLE_IOVA, 16, I | N, 1 }, { 0x1000, 1, 0, 0 } },
	  .table = { { 0x1000, 1, 0, 0 } }, .why = VRL_WHY_INDIRECT_NEXT },
	{ .name = "rejects_indirect_inside_indirect",
	  .desc = { { TABLE_IOVA, 32, I, 0 } },
	  .table = { { 0x1000, 1, N, 1 }, { TABLE_IOVA, 16, I, 0 } },
	  .why = VRL_WHY_INDIRECT_NESTED },
	{ .name = "rejects_table_that_is_its_own_entry",
	  .desc = { { TABLE_IOVA, 16, I, 0 } },
	  .table = { { TABLE_IOVA, 16, I, 0 } },
	  .why = VRL_WHY_INDIRECT_NESTED },
	{ .name = "rejects_empty_table",
	  .desc = { { TABLE_IOVA, 0, I, 0 } }, .why = VRL_WHY_INDIRECT_LEN },
	{ .name = "rejects_table_of_half_an_entry",
	  .desc = { { TABLE_IOVA, 8, I, 0 } }, .why = VRL_WHY_INDIRECT_LEN },
	{ .name = "rejects_table_of_an_entry_and_a_half",
	  .desc = { { TABLE_IOVA, 24, I, 0 } },
	  .table = { { 0x1000, 1, 0, 0 } }, .why = VRL_WHY_INDIRECT_LEN },
	{ .name = "rejects_table_of_1025_entries",
	  .desc = { { TABLE_IOVA, 1025 * 16, I, 0 } },
	  .why = VRL_WHY_INDIRECT_LEN },
	{ .name = "rejects_table_of_4_gib",
	  .desc = { { TABLE_IOVA, 0xfffffff0, I, 0 } },
	  .why = VRL_WHY_INDIRECT_LEN },
	{ .name = "rejects_table_that_wraps_around",
	  .desc = { { UINT64_MAX - 15, 32, I, 0 } }, .why = VRL_WHY_ADDR_RANGE },
	{ .name = "rejects_next_outside_a_table_shorter_than_the_queue",
	  .desc = { { TABLE_IOVA, 32, I, 0 } },
	  .table = { { 0x1000, 1, N, 2 }, { 0x1000, 1, 0, 0 },
		     { 0x1000, 1, 0, 0 } }, .why = VRL_WHY_NEXT_RANGE },
	{ .name = "rejects_loop_in_a_table_shorter_than_the_queue",
	  .desc = { { TABLE_IOVA, 32, I, 0 } },
	  .table = { { 0x1000, 1, N, 1 }, { 0x1000, 1, N, 0 } },
	  .why = VRL_WHY_LOOP },
	{ .name = "rejects_loop_in_a_table_longer_than_the_queue",
	  .desc = { { TABLE_IOVA, 12 * 16, I, 0 } },
	  .table = { { 0x1000, 1, N, 9 }, [9] = { 0x1000, 1, N, 0 } },
	  .why = VRL_WHY_LOOP },
};

static void put_table(struct guest *g, const struct chain_case *c,
		      struct vring_desc *table)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(c->table); i++)
		guest_desc_fill(&table[i], c->table[i].addr, c->table[i].len,
				c->table[i].flags, c->table[i].next);
	guest_add_mem(g, TABLE_IOVA, table, ARRAY_LEN(c->table) * sizeof(*table));
}

static void check_legal(const struct guest *g, const struct chain_case *c,
			const struct vrl_burst *b, const struct vrl_chain *ch)
{
	const struct oracle o = {
		.desc = g->desc,
		.num = g->num,
		.indirect = !c->no_indirect,
		.mem = guest_mem_find,
		.opaque = (void *)g,
	};
	static struct oracle_chain want;
	unsigned int i;

	assert_int_equal(ch->id, c->head);
	assert_int_equal(ch->flags, 0);
	assert_int_equal(ch->nr_out, c->nr_out);
	assert_int_equal(ch->nr_in, c->nr_in);
	assert_int_equal(ch->out_len, c->out_len);
	assert_int_equal(ch->in_len, c->in_len);

	assert_int_equal(oracle_walk(&o, c->head, &want), ORACLE_LEGAL);
	assert_int_equal(want.nr, c->nr_out + c->nr_in);
	for (i = 0; i < want.nr; i++) {
		const struct vrl_seg *s = &b->segs[ch->seg + i];

		assert_int_equal(s->iova, want.seg[i].iova);
		assert_int_equal(s->len, want.seg[i].len);
		assert_int_equal(s->flags, want.seg[i].write ? VRL_SEG_WRITE : 0);
	}
}

static void check_broken(struct vrl_vq *vq, const struct chain_case *c,
			 struct vrl_burst *b)
{
	const uint16_t last_avail = vq->last_avail;
	int i;

	/* Twice: broken is for good. */
	for (i = 0; i < 2; i++) {
		assert_int_equal(vrl_vq_peek_burst(vq, b, 4), -EPROTO);
		assert_int_equal(b->nr_chains, 0);
		assert_true(vrl_vq_is_broken(vq));
		assert_string_equal(vrl_why_str(vrl_vq_why(vq)),
				    vrl_why_str(c->why));
		assert_int_equal(vq->last_avail, last_avail);
	}
	assert_int_equal(vrl_vq_avail_count(vq), -EPROTO);
	assert_false(vrl_vq_needs_call(vq));
	assert_false(vrl_vq_enable_kick(vq));
}

static void run_case(const struct chain_case *c, bool behind_good)
{
	struct vring_desc *table = calloc(ARRAY_LEN(c->table), sizeof(*table));
	struct vrl_burst *b = burst_create(4, 4 * VRL_CHAIN_MAX,
					   4 * VRL_CHAIN_MAX);
	unsigned int i, nr_good = behind_good, good = NUM;
	struct vrl_vq_config cfg;
	struct vrl_vq vq;
	struct guest g;
	int ret;

	/* The good chain lives behind the descriptors of the case. */
	guest_init(&g, GUEST_SPLIT, behind_good ? 2 * NUM : NUM, 0);
	for (i = 0; i < NUM; i++)
		guest_set_desc(&g, i, c->desc[i].addr, c->desc[i].len,
			       c->desc[i].flags, c->desc[i].next);
	put_table(&g, c, table);
	guest_config(&g, &cfg, !c->no_indirect);
	assert_int_equal(vrl_vq_init(&vq, &cfg), 0);
	if (behind_good) {
		guest_set_desc(&g, good, 0x5000, 60, 0, 0);
		guest_offer(&g, good);
	}
	guest_offer(&g, c->head);

	ret = vrl_vq_peek_burst(&vq, b, 4);
	if (!c->why) {
		assert_int_equal(ret, nr_good + 1);
		assert_int_equal(b->nr_chains, nr_good + 1);
		check_legal(&g, c, b, &b->chains[nr_good]);
	} else if (behind_good) {
		assert_int_equal(ret, 1);
		assert_int_equal(b->chains[0].id, good);
		assert_false(vrl_vq_is_broken(&vq));
		vrl_vq_consume(&vq, b, 1);
	}
	if (c->why)
		check_broken(&vq, c, b);

	burst_destroy(b);
	guest_fini(&g);
	free(table);
}

static void test_case(void **state)
{
	const struct chain_case *c = *state;

	run_case(c, false);
	/* In the larger queue, an index of NUM or more is inside. */
	if (c->head < NUM && c->why != VRL_WHY_NEXT_RANGE)
		run_case(c, true);
}

/* A direct chain of nr descriptors in a queue of 2048. */
static int peek_long_chain(unsigned int nr, bool then_table, enum vrl_why *why)
{
	struct vrl_burst *b = burst_create(1, VRL_CHAIN_MAX, VRL_CHAIN_MAX);
	struct vring_desc table[2];
	struct vrl_vq_config cfg;
	struct vrl_vq vq;
	struct guest g;
	unsigned int i;
	int ret;

	guest_init(&g, GUEST_SPLIT, 2048, 0);
	for (i = 0; i < nr; i++)
		guest_set_desc(&g, i, 0x1000, 1,
			       i < nr - 1 || then_table ? N : 0, i + 1);
	if (then_table) {
		guest_desc_fill(&table[0], 0x1000, 1, N, 1);
		guest_desc_fill(&table[1], 0x1000, 1, 0, 0);
		guest_add_mem(&g, TABLE_IOVA, table, sizeof(table));
		guest_set_desc(&g, nr, TABLE_IOVA, sizeof(table), I, 0);
	}
	guest_config(&g, &cfg, true);
	assert_int_equal(vrl_vq_init(&vq, &cfg), 0);
	guest_offer(&g, 0);

	ret = vrl_vq_peek_burst(&vq, b, 1);
	*why = vrl_vq_why(&vq);
	if (ret == 1)
		assert_int_equal(b->chains[0].nr_out, nr + 2 * then_table);

	burst_destroy(b);
	guest_fini(&g);
	return ret;
}

static void stops_chains_at_1024_segments(void **state)
{
	enum vrl_why why;

	(void)state;
	assert_int_equal(peek_long_chain(1024, false, &why), 1);
	assert_int_equal(peek_long_chain(1025, false, &why), -EPROTO);
	assert_int_equal(why, VRL_WHY_CHAIN_TOO_LONG);
	assert_int_equal(peek_long_chain(1022, true, &why), 1);
	assert_int_equal(peek_long_chain(1023, true, &why), -EPROTO);
	assert_int_equal(why, VRL_WHY_CHAIN_TOO_LONG);
	assert_int_equal(peek_long_chain(1024, true, &why), -EPROTO);
	assert_int_equal(why, VRL_WHY_CHAIN_TOO_LONG);
}

static void every_reason_has_its_own_text(void **state)
{
	unsigned int i, j;

	(void)state;
	for (i = 0; i < VRL_WHY_NR; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(vrl_why_str(i), vrl_why_str(j));
	assert_string_equal(vrl_why_str(VRL_WHY_NR), "unknown reason");
}

int main(void)
{
	static struct CMUnitTest tests[ARRAY_LEN(cases) + 2];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		tests[i].name = cases[i].name;
		tests[i].test_func = test_case;
		tests[i].initial_state = (void *)&cases[i];
	}
	tests[i++] = (struct CMUnitTest)
		cmocka_unit_test(stops_chains_at_1024_segments);
	tests[i++] = (struct CMUnitTest)
		cmocka_unit_test(every_reason_has_its_own_text);
	return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
