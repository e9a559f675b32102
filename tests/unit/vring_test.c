// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Set-up of a queue and what it refuses; limits that only one kind of ring has.
 * What is true of both is in queue_test.c, malformed chains are in the vectors.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "test.h"

static void init_refuses(const struct vrl_vq_config *cfg, enum vrl_why why)
{
	const struct vrl_used_elem e = { 0, 0 };
	struct vrl_burst b = { .max_chains = 1 };
	struct vrl_vq vq;

	assert_int_equal(vrl_vq_init(&vq, cfg), -EINVAL);
	assert_string_equal(vrl_why_str(vrl_vq_why(&vq)), vrl_why_str(why));
	assert_int_equal(vrl_vq_peek_burst(&vq, &b, 1), -EPROTO);
	/* Safe to use: it goes nowhere. */
	vrl_vq_push_burst(&vq, &e, 1);
	vrl_vq_disable_kick(&vq);
}

static void init_refuses_bad_configurations(void **state)
{
	static const uint32_t bad_num[] = { 0, 3, 255, 32769, 65536, 1u << 31 };
	struct vrl_vq_config good, cfg;
	struct guest g;
	unsigned int i;

	(void)state;
	guest_init(&g, GUEST_SPLIT, 8, 0);
	guest_config(&g, &good, true);
	for (i = 0; i < ARRAY_LEN(bad_num); i++) {
		cfg = good;
		cfg.num = bad_num[i];
		init_refuses(&cfg, VRL_WHY_CFG_NUM);
	}
	cfg = good; cfg.desc = NULL;
	init_refuses(&cfg, VRL_WHY_CFG_ADDR);
	cfg = good; cfg.driver = NULL;
	init_refuses(&cfg, VRL_WHY_CFG_ADDR);
	cfg = good; cfg.device = NULL;
	init_refuses(&cfg, VRL_WHY_CFG_ADDR);
	cfg = good; cfg.desc = (char *)cfg.desc + 8;
	init_refuses(&cfg, VRL_WHY_CFG_ALIGN);
	cfg = good; cfg.driver = (char *)cfg.driver + 1;
	init_refuses(&cfg, VRL_WHY_CFG_ALIGN);
	cfg = good; cfg.device = (char *)cfg.device + 2;
	init_refuses(&cfg, VRL_WHY_CFG_ALIGN);
	cfg = good; cfg.features = 1u << 5;
	init_refuses(&cfg, VRL_WHY_CFG_FEATURES);
	cfg = good; cfg.fetch = NULL;
	init_refuses(&cfg, VRL_WHY_CFG_FETCH);
	cfg = good; cfg.state.last_avail = 9;
	init_refuses(&cfg, VRL_WHY_CFG_STATE);
	cfg = good; cfg.device = (char *)cfg.desc + 8 * 16 - 4;
	init_refuses(&cfg, VRL_WHY_CFG_OVERLAP);
	cfg = good; cfg.driver = (char *)cfg.device + 4 + 8 * 8 - 2;
	init_refuses(&cfg, VRL_WHY_CFG_OVERLAP);
	cfg = good; cfg.driver = (void *)(UINTPTR_MAX - 15);
	init_refuses(&cfg, VRL_WHY_CFG_ADDR);
	guest_fini(&g);
}

static void init_refuses_bad_packed_configurations(void **state)
{
	struct vrl_vq_config good, cfg;
	struct guest g;

	(void)state;
	guest_init(&g, GUEST_PACKED, 7, VRL_F_EVENT_IDX);
	guest_config(&g, &good, true);
	cfg = good; cfg.num = 0;
	init_refuses(&cfg, VRL_WHY_CFG_NUM);
	cfg = good; cfg.num = 32769;
	init_refuses(&cfg, VRL_WHY_CFG_NUM);
	cfg = good; cfg.desc = (char *)cfg.desc + 8;
	init_refuses(&cfg, VRL_WHY_CFG_ALIGN);
	cfg = good; cfg.driver = (char *)cfg.driver + 2;
	init_refuses(&cfg, VRL_WHY_CFG_ALIGN);
	cfg = good; cfg.device = (char *)cfg.device + 2;
	init_refuses(&cfg, VRL_WHY_CFG_ALIGN);
	cfg = good; cfg.device = (char *)cfg.desc + 7 * 16 - 4;
	init_refuses(&cfg, VRL_WHY_CFG_OVERLAP);
	cfg = good; cfg.device = (void *)cfg.driver;
	init_refuses(&cfg, VRL_WHY_CFG_OVERLAP);
	cfg = good; cfg.state.last_avail = 7;
	init_refuses(&cfg, VRL_WHY_CFG_STATE);
	cfg = good; cfg.state.used_idx = VRL_STATE_WRAP | 1;
	init_refuses(&cfg, VRL_WHY_CFG_STATE);
	guest_fini(&g);
}

/* Nothing of the rings is touched, so one place does for all sizes. */
static void init_takes_exactly_the_sizes_of_the_specification(void **state)
{
	struct vrl_vq_config cfg = {
		.desc = (void *)0x10000000, .driver = (void *)0x20000000,
		.device = (void *)0x30000000,
	};
	struct vrl_vq vq;
	uint32_t num;

	(void)state;
	for (num = 1; num <= VRL_NUM_MAX + 2; num++) {
		bool power = !(num & (num - 1));

		cfg.num = num;
		cfg.features = 0;
		cfg.state = (struct vrl_vq_state){ 0, 0 };
		assert_int_equal(vrl_vq_init(&vq, &cfg),
				 power && num <= VRL_NUM_MAX ? 0 : -EINVAL);
		cfg.features = VRL_F_PACKED;
		cfg.state = VRL_STATE_PACKED;
		assert_int_equal(vrl_vq_init(&vq, &cfg),
				 num <= VRL_NUM_MAX ? 0 : -EINVAL);
	}
}

/* As drivers lay them out: no byte between, and the event word at the end. */
static void init_takes_areas_that_touch(void **state)
{
	struct vrl_vq_config cfg = { .num = 8 };
	uintptr_t at = 0x10000;
	struct vrl_vq vq;

	(void)state;
	cfg.desc = (void *)at;
	cfg.driver = (void *)(at + 8 * 16);
	cfg.device = (void *)(at + 8 * 16 + 4 + 2 * 8);
	assert_int_equal(vrl_vq_init(&vq, &cfg), 0);
	/* With event index, used_event would lie in the used ring. */
	cfg.features = VRL_F_EVENT_IDX;
	init_refuses(&cfg, VRL_WHY_CFG_OVERLAP);
	cfg.device = (void *)(at + 8 * 16 + 4 + 2 * 8 + 4);
	assert_int_equal(vrl_vq_init(&vq, &cfg), 0);

	cfg.features = VRL_F_PACKED;
	cfg.state = VRL_STATE_PACKED;
	cfg.driver = (void *)(at - 4);
	cfg.device = (void *)(at + 8 * 16);
	assert_int_equal(vrl_vq_init(&vq, &cfg), 0);
}

static void push_wraps_inside_one_burst_and_stores_the_index_last(void **state)
{
	struct vrl_used_elem e;
	struct ring r;
	int i;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 8, 0, 65533);
	for (i = 0; i < 8; i++)
		ring_post(&r, 100 + i);
	ring_turn(&r, 8);
	assert_int_equal(le16toh(r.g.used->idx), 5);
	for (i = 0; i < 8; i++) {
		assert_true(guest_get_used(&r.g, &e));
		assert_int_equal(e.len, 100 + i);
	}
	ring_close(&r);
}

static void jump(unsigned int num, uint16_t in_flight, uint16_t by, bool legal)
{
	struct vrl_vq_config cfg;
	struct vrl_vq vq;
	struct guest g;

	guest_init(&g, GUEST_SPLIT, num, 0);
	guest_config(&g, &cfg, false);
	cfg.state.last_avail = 65530;
	cfg.state.used_idx = 65530 - in_flight;
	assert_int_equal(vrl_vq_init(&vq, &cfg), 0);
	guest_publish_avail_idx(&g, 65530 + by);
	if (legal) {
		assert_int_equal(vrl_vq_avail_count(&vq), by);
	} else {
		assert_int_equal(vrl_vq_avail_count(&vq), -EPROTO);
		assert_int_equal(vrl_vq_why(&vq), VRL_WHY_AVAIL_JUMP);
	}
	guest_fini(&g);
}

static void avail_index_may_not_jump(void **state)
{
	(void)state;
	jump(8, 0, 8, true);
	jump(8, 0, 9, false);
	jump(8, 3, 5, true);
	jump(8, 3, 6, false);		/* more outstanding than descriptors */
	jump(8, 8, 0, true);
	jump(8, 0, 0xffff, false);	/* backwards */
	jump(VRL_NUM_MAX, 0, 32768, true);
	jump(VRL_NUM_MAX, 1, 32768, false);
	jump(VRL_NUM_MAX, 0, 32769, false);
}

static void jump_is_found_by_peek_and_enable_kick_does_not_sleep(void **state)
{
	struct ring r;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 8, VRL_F_EVENT_IDX, 0);
	guest_publish_avail_idx(&r.g, 100);
	assert_true(vrl_vq_enable_kick(&r.vq));
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 4), -EPROTO);
	assert_int_equal(vrl_vq_why(&r.vq), VRL_WHY_AVAIL_JUMP);
	ring_close(&r);
}

/* Never asked to come back with more room than the whole queue needs. */
static void loop_is_one_also_where_room_is_short(void **state)
{
	struct ring r;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 4, 0, 0);
	burst_destroy(r.b);
	r.b = burst_create(1, 4, 0);
	guest_set_desc(&r.g, 0, 0x1000, 1, VRING_DESC_F_NEXT, 1);
	guest_set_desc(&r.g, 1, 0x1000, 1, VRING_DESC_F_NEXT, 0);
	guest_offer(&r.g, 0);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 1), -EPROTO);
	assert_int_equal(vrl_vq_why(&r.vq), VRL_WHY_LOOP);
	ring_close(&r);
}

/* ---- long chains ---- */

#define LONG_NUM	2048
#define TABLE_IOVA	0x100000

static int peek_one(struct guest *g, unsigned int want, enum vrl_why *why)
{
	struct vrl_burst *b = burst_create(1, VRL_CHAIN_MAX, VRL_CHAIN_MAX);
	struct vrl_vq_config cfg;
	struct vrl_vq vq;
	int ret;

	guest_config(g, &cfg, true);
	cfg.state = (struct vrl_vq_state){ g->last_used, g->last_used };
	assert_int_equal(vrl_vq_init(&vq, &cfg), 0);
	ret = vrl_vq_peek_burst(&vq, b, 1);
	*why = vrl_vq_why(&vq);
	if (ret == 1)
		assert_int_equal(b->chains[0].nr_out, want);
	burst_destroy(b);
	return ret;
}

/* A direct chain of nr descriptors, split: then a table of two. */
static int peek_long_split(unsigned int nr, bool then_table, enum vrl_why *why)
{
	struct vring_desc table[2];
	struct guest g;
	unsigned int i;
	int ret;

	guest_init(&g, GUEST_SPLIT, LONG_NUM, 0);
	for (i = 0; i < nr; i++)
		guest_set_desc(&g, i, 0x1000, 1, i < nr - 1 || then_table ?
			       VRING_DESC_F_NEXT : 0, i + 1);
	if (then_table) {
		guest_desc_fill(&table[0], 0x1000, 1, VRING_DESC_F_NEXT, 1);
		guest_desc_fill(&table[1], 0x1000, 1, 0, 0);
		guest_add_mem(&g, TABLE_IOVA, table, sizeof(table));
		guest_set_desc(&g, nr, TABLE_IOVA, sizeof(table),
			       VRING_DESC_F_INDIRECT, 0);
	}
	guest_offer(&g, 0);
	ret = peek_one(&g, nr + 2 * then_table, why);
	guest_fini(&g);
	return ret;
}

static int peek_long_packed(unsigned int nr, enum vrl_why *why)
{
	struct guest_buf bufs[LONG_NUM];
	struct guest g;
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++)
		bufs[i] = (struct guest_buf){ 0x1000, 1 };
	guest_init(&g, GUEST_PACKED, LONG_NUM, 0);
	assert_true(guest_post(&g, bufs, nr, 0, false) >= 0);
	ret = peek_one(&g, nr, why);
	guest_fini(&g);
	return ret;
}

static void stops_chains_at_1024_segments(void **state)
{
	enum vrl_why why;

	(void)state;
	assert_int_equal(peek_long_split(1024, false, &why), 1);
	assert_int_equal(peek_long_split(1025, false, &why), -EPROTO);
	assert_int_equal(why, VRL_WHY_CHAIN_TOO_LONG);
	assert_int_equal(peek_long_split(1022, true, &why), 1);
	assert_int_equal(peek_long_split(1023, true, &why), -EPROTO);
	assert_int_equal(why, VRL_WHY_CHAIN_TOO_LONG);
	assert_int_equal(peek_long_split(1024, true, &why), -EPROTO);
	assert_int_equal(why, VRL_WHY_CHAIN_TOO_LONG);
	assert_int_equal(peek_long_packed(1024, &why), 1);
	assert_int_equal(peek_long_packed(1025, &why), -EPROTO);
	assert_int_equal(why, VRL_WHY_CHAIN_TOO_LONG);
}

static void takes_tables_of_1024_entries(void **state)
{
	struct guest_buf bufs[VRL_CHAIN_MAX];
	enum guest_kind kind;
	enum vrl_why why;
	unsigned int i;
	struct guest g;

	(void)state;
	for (i = 0; i < VRL_CHAIN_MAX; i++)
		bufs[i] = (struct guest_buf){ 0x1000, 1 };
	for (kind = GUEST_SPLIT; kind <= GUEST_PACKED; kind++) {
		guest_init(&g, kind, 4, 0);
		guest_post(&g, bufs, VRL_CHAIN_MAX, 0, true);
		assert_int_equal(peek_one(&g, VRL_CHAIN_MAX, &why), 1);
		guest_fini(&g);
	}
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_refuses_bad_configurations),
		cmocka_unit_test(init_refuses_bad_packed_configurations),
		cmocka_unit_test(init_takes_exactly_the_sizes_of_the_specification),
		cmocka_unit_test(init_takes_areas_that_touch),
		cmocka_unit_test(push_wraps_inside_one_burst_and_stores_the_index_last),
		cmocka_unit_test(avail_index_may_not_jump),
		cmocka_unit_test(jump_is_found_by_peek_and_enable_kick_does_not_sleep),
		cmocka_unit_test(loop_is_one_also_where_room_is_short),
		cmocka_unit_test(stops_chains_at_1024_segments),
		cmocka_unit_test(takes_tables_of_1024_entries),
		cmocka_unit_test(every_reason_has_its_own_text),
	};

	return cmocka_run_group_tests_name("vring", tests, NULL, NULL);
}
