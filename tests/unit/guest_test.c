// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The driver side that all ring tests rely on, against the plainest device: it
 * asks the oracle what a chain is, and writes used entries as the text of virtio
 * 1.3 has it. The library has no part in this, so that an error here is not
 * mistaken for one of the library, nor hidden by the same error there.
 */
#include <endian.h>
#include <string.h>

#include "guest.h"
#include "test.h"

struct device {
	struct guest *g;
	struct oracle o;
	uint16_t avail, used;		/* positions as the guest's */
	unsigned int in_flight;		/* descriptors */
};

static void device_init(struct device *d, struct guest *g)
{
	*d = (struct device){
		.g = g,
		.o = { .desc = g->desc, .ring = g->ring, .num = g->num,
		       .indirect = true, .mem = guest_mem_find, .opaque = g },
		.avail = g->avail_idx,
		.used = g->last_used,
	};
}

/* The next chain, or false. */
static bool device_take(struct device *d, struct oracle_chain *c)
{
	struct guest *g = d->g;

	if (g->kind == GUEST_SPLIT) {
		if (d->avail == le16toh(g->avail->idx))
			return false;
		assert_int_equal(oracle_walk(&d->o, le16toh(g->avail->ring[d->avail % g->num]), c),
				 ORACLE_LEGAL);
		d->avail++;
		return true;
	}
	if (d->in_flight == g->num)
		return false;
	d->o.room = g->num - d->in_flight;
	switch (oracle_walk_packed(&d->o, d->avail, c)) {
	case ORACLE_NONE:
		return false;
	case ORACLE_LEGAL:
		break;
	default:
		fail();
	}
	d->avail = guest_packed_ahead(g, d->avail, c->nr_desc);
	d->in_flight += c->nr_desc;
	return true;
}

/* One used entry that covers nr chains of nr_desc descriptors together. */
static void device_give(struct device *d, uint16_t id, uint32_t len,
			unsigned int nr, unsigned int nr_desc)
{
	struct guest *g = d->g;
	struct vring_packed_desc *p;
	bool wrap = d->used & 0x8000;

	if (g->kind == GUEST_SPLIT) {
		g->used->ring[d->used % g->num].id = htole32(id);
		g->used->ring[d->used % g->num].len = htole32(len);
		d->used += nr;
		g->used->idx = htole16(d->used);
		return;
	}
	p = &g->ring[d->used & 0x7fff];
	p->id = htole16(id);
	p->len = htole32(len);
	p->flags = htole16((wrap ? 0x8080 : 0) | (len ? VRING_DESC_F_WRITE : 0));
	d->used = guest_packed_ahead(g, d->used, nr_desc);
	d->in_flight -= nr_desc;
}

/* A chain whose segments tell which one it is; false when the ring is full. */
static bool post(struct guest *g, unsigned int nr, uint32_t *rnd)
{
	unsigned int i, out = 1 + test_random(rnd) % 3, in = test_random(rnd) % 3;
	struct guest_buf bufs[6];

	for (i = 0; i < out + in; i++)
		bufs[i] = (struct guest_buf){ nr, i + 1 };
	return guest_post(g, bufs, out, in, test_random(rnd) & 1) >= 0;
}

static void check_chain(const struct oracle_chain *c, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++) {
		assert_int_equal(c->seg[i].iova, nr);
		assert_int_equal(c->seg[i].len, i + 1);
	}
}

/* Each by itself; those in flight in a random order, unless in order. */
static void traffic(enum guest_kind kind, unsigned int num, uint32_t features,
		    uint16_t start)
{
	static struct oracle_chain c[64];
	unsigned int posted = 0, taken = 0, given = 0, held = 0, i;
	bool in_order = features & VRL_F_IN_ORDER;
	struct vrl_used_elem e;
	uint32_t rnd = 42;
	struct device d;
	struct guest g;

	guest_init(&g, kind, num, features);
	guest_start_at(&g, start);
	device_init(&d, &g);
	while (given < 2000) {
		while (test_random(&rnd) % 4 && post(&g, posted, &rnd))
			posted++;
		while (held < 64 && device_take(&d, &c[held]))
			check_chain(&c[held++], taken++);
		while (held && test_random(&rnd) % 8) {
			i = in_order ? 0 : test_random(&rnd) % held;
			device_give(&d, c[i].id, (uint32_t)c[i].in_len, 1, c[i].nr_desc);
			assert_true(guest_get_used(&g, &e));
			assert_int_equal(e.id, c[i].id);
			assert_int_equal(e.len, c[i].in_len);
			memmove(&c[i], &c[i + 1], (--held - i) * sizeof(c[0]));
			given++;
		}
		assert_false(guest_get_used(&g, &e));
	}
	assert_int_equal(g.stray, 0);
	guest_fini(&g);
}

static void chains_come_through_and_back(void **state)
{
	(void)state;
	traffic(GUEST_SPLIT, 8, 0, 0);
	traffic(GUEST_SPLIT, 64, 0, 65530);
	traffic(GUEST_SPLIT, 16, VRL_F_IN_ORDER, 0);
	traffic(GUEST_PACKED, 8, 0, VRL_STATE_WRAP);
	traffic(GUEST_PACKED, 7, 0, 3);
	traffic(GUEST_PACKED, 61, 0, VRL_STATE_WRAP | 60);
	traffic(GUEST_PACKED, 11, VRL_F_IN_ORDER, VRL_STATE_WRAP);
}

/* Sizes 2, 1, 3 with one used entry for all, several times round the ring. */
static void batch_in_order(enum guest_kind kind, uint16_t start)
{
	const struct guest_buf bufs[3] = { { 0, 1 }, { 0, 2 }, { 0, 4 } };
	static const unsigned int size[] = { 2, 1, 3 };
	static struct oracle_chain c[3];
	struct vrl_used_elem e;
	struct device d;
	struct guest g;
	unsigned int i, round;

	guest_init(&g, kind, 8, VRL_F_IN_ORDER);
	guest_start_at(&g, start);
	device_init(&d, &g);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 3; i++) {
			guest_post(&g, bufs, 0, size[i], false);
			assert_true(device_take(&d, &c[i]));
		}
		device_give(&d, c[2].id, 5, 3, 6);
		for (i = 0; i < 3; i++) {
			assert_true(guest_get_used(&g, &e));
			assert_int_equal(e.id, c[i].id);
			assert_int_equal(e.len, i == 2 ? 5 : (1 << size[i]) - 1);
		}
		assert_false(guest_get_used(&g, &e));
	}
	guest_fini(&g);
}

static void one_used_entry_in_order_gives_back_many(void **state)
{
	(void)state;
	batch_in_order(GUEST_SPLIT, 65530);
	batch_in_order(GUEST_PACKED, VRL_STATE_WRAP | 5);
}

static void packed_driver_honours_the_event_structure(void **state)
{
	const struct guest_buf bufs[3] = { { 0, 1 }, { 0, 2 }, { 0, 4 } };
	struct vrl_used_elem e;
	static struct oracle_chain c;
	struct device d;
	struct guest g;
	unsigned int i;

	(void)state;
	guest_init(&g, GUEST_PACKED, 5, VRL_F_EVENT_IDX);
	device_init(&d, &g);
	for (i = 0; i < 50; i++) {
		/* The third descriptor, then the fourth of three, then any, none. */
		g.device_event->flags = htole16(i % 4 < 2 ? 2 : i % 4 == 2 ? 0 : 1);
		g.device_event->off_wrap =
			htole16(guest_packed_ahead(&g, g.avail_idx, 2 + i % 4));
		guest_post(&g, bufs, 3, 0, false);
		assert_int_equal(guest_needs_kick(&g), i % 4 == 0 || i % 4 == 2);
		assert_false(guest_needs_kick(&g) && i % 4 < 2);
		assert_true(device_take(&d, &c));
		device_give(&d, c.id, 0, 1, 3);
		assert_true(guest_get_used(&g, &e));
	}
	guest_fini(&g);
}

static void foreign_used_ids_are_counted(void **state)
{
	const struct guest_buf buf = { 0, 1 };
	enum guest_kind kind;
	struct vrl_used_elem e;
	struct device d;
	struct guest g;

	(void)state;
	for (kind = GUEST_SPLIT; kind <= GUEST_PACKED; kind++) {
		int id;

		guest_init(&g, kind, 8, 0);
		device_init(&d, &g);
		id = guest_post(&g, &buf, 0, 1, false);
		device_give(&d, (id + 1) % 8, 1, 1, 1);
		assert_true(guest_get_used(&g, &e));
		assert_int_equal(e.id, (id + 1) % 8);
		assert_int_equal(g.stray, 1);
		assert_false(guest_get_used(&g, &e));
		guest_fini(&g);
	}
}

static void notification_data_names_queue_and_position(void **state)
{
	struct guest g;

	(void)state;
	guest_init(&g, GUEST_SPLIT, 8, 0);
	guest_start_at(&g, 0xfffe);
	assert_int_equal(guest_notify_data(&g, 3), 0xfffe0003);
	guest_fini(&g);
	guest_init(&g, GUEST_PACKED, 8, 0);
	assert_int_equal(guest_notify_data(&g, 0x1234), 0x80001234);
	guest_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_come_through_and_back),
		cmocka_unit_test(one_used_entry_in_order_gives_back_many),
		cmocka_unit_test(packed_driver_honours_the_event_structure),
		cmocka_unit_test(foreign_used_ids_are_counted),
		cmocka_unit_test(notification_data_names_queue_and_position),
	};

	return cmocka_run_group_tests_name("guest", tests, NULL, NULL);
}
