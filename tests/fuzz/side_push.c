// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Giving chains back, and the questions about notifications. What must lie in
 * the rings afterwards is written down before the library is called.
 */
#include <endian.h>
#include <string.h>

#include "side.h"

#define PACKED_AVAIL	(1u << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED	(1u << VRING_PACKED_DESC_F_USED)

/* ---- push ---- */

/* 2.7.8, 2.8.8: a used entry at a position. */
static void expect_used(struct side *s, uint16_t at, const struct vrl_used_elem *e)
{
	struct vring_used_elem split = { htole32(e->id & 0xffff), htole32(e->len) };
	uint16_t flags = (at & VRL_STATE_WRAP ? PACKED_AVAIL | PACKED_USED : 0) |
			 (e->len ? VRING_DESC_F_WRITE : 0);
	struct vring_packed_desc packed = { 0, htole32(e->len), htole16(e->id & 0xffff),
					    htole16(flags) };

	if (s->cfg.packed)
		area_expect(&s->area[DESC], 16 * (size_t)(at & 0x7fff) + 8,
			    (uint8_t *)&packed + 8, 8);
	else
		area_expect(&s->area[DEVICE], 4 + 8 * (size_t)(at % s->cfg.num),
			    &split, 8);
}

/* The two bytes by which a driver sees a push: used idx, flags of the first. */
static uint8_t *show_at(struct side *s)
{
	return s->cfg.packed ?
		s->area[DESC].live + 16 * (size_t)(s->used_idx & 0x7fff) + 14 :
		s->area[DEVICE].live + 2;
}

/*
 * All but what this store changes has to be in place, or the driver could see
 * the end of a burst before its beginning.
 */
void side_released(void *opaque, const volatile void *p)
{
	struct side *s = opaque;
	const struct area *a = &s->area[s->cfg.packed ? DESC : DEVICE];
	size_t off = (uintptr_t)p - (uintptr_t)a->live;
	size_t show = (size_t)(show_at(s) - a->live);

	CHECK(!s->released && off <= show && show + 2 - off <= 8);
	s->released = true;
	CHECK(!memcmp(a->live, a->want, off));
	CHECK(!memcmp(a->live + show + 2, a->want + show + 2, a->size - show - 2));
	CHECK(!memcmp(a->live + show, s->hidden, 2));
}

static void taken_remove(struct side *s, unsigned int i)
{
	s->nr_taken--;
	memmove(&s->taken[i], &s->taken[i + 1],
		(s->nr_taken - i) * sizeof(s->taken[0]));
}

/* The index of a split ring moves on by entries, whatever is in them. */
static void push_done(struct side *s, uint16_t used_idx, unsigned int steps)
{
	CHECK(s->released);
	view_end();
	s->used_idx = used_idx;
	s->in_flight -= steps;
	s->unasked += steps;
	side_check_state(s);
}

static void push_begin(struct side *s, uint16_t used_idx)
{
	uint16_t idx = htole16(used_idx);

	if (!s->cfg.packed)
		area_expect(&s->area[DEVICE], 2, &idx, 2);
	s->released = false;
	memcpy(s->hidden, show_at(s), 2);
	side_view_begin(s, 0);
}

void side_push(struct side *s, const uint8_t *which, unsigned int n, uint32_t len)
{
	struct vrl_used_elem e[SIDE_CHAINS] = { { 0 } };
	uint16_t at = s->used_idx;
	unsigned int i, steps = 0;

	if (n > s->nr_taken)
		n = s->nr_taken;
	for (i = 0; i < n; i++) {
		bool free_order = !(s->cfg.features & VRL_F_IN_ORDER) && !s->cfg.fifo;
		unsigned int k = free_order ? which[i] % s->nr_taken : 0, step;

		e[i].id = s->taken[k].id;
		e[i].len = len < s->taken[k].in_len ? len : s->taken[k].in_len;
		expect_used(s, at, &e[i]);
		step = s->cfg.packed ? s->taken[k].nr_desc : 1;
		at = side_ahead(s, at, step);
		steps += step;
		taken_remove(s, k);
	}
	if (n)
		push_begin(s, at);
	vrl_vq_push_burst(s->vq, e, n);
	if (n)
		push_done(s, at, steps);
}

void side_push_in_order(struct side *s, unsigned int n, uint32_t len)
{
	struct vrl_used_elem e[SIDE_CHAINS];
	uint16_t at = s->used_idx;
	unsigned int i, steps = 0;

	if (n > s->nr_taken)
		n = s->nr_taken;
	for (i = 0; i < n; i++) {
		unsigned int step = s->cfg.packed ? s->taken[0].nr_desc : 1;

		e[i].id = s->taken[0].id;
		e[i].len = s->taken[0].in_len;
		if (i == n - 1 && len < e[i].len)
			e[i].len = len;
		at = side_ahead(s, at, step);
		steps += step;
		taken_remove(s, 0);
	}
	if (!n)
		return;
	expect_used(s, s->used_idx, &e[n - 1]);
	push_begin(s, at);
	vrl_vq_push_in_order(s->vq, e, n);
	push_done(s, at, steps);
}

/* ---- does the driver want an interrupt ---- */

static uint16_t saw16(const struct area *a, size_t off)
{
	uint16_t v;

	CHECK(view_saw(a->live + off, &v, 2, false));
	return le16toh(v);
}

/* Is @event one of the positions passed over since the last decision? */
static bool passed(const struct side *s, uint16_t event)
{
	uint16_t at = s->asked_idx;
	unsigned int i;

	for (i = 0; i < s->unasked; i++) {
		if (at == event)
			return true;
		at = side_ahead(s, at, 1);
	}
	return false;
}

static void check_call_split(const struct side *s, bool call)
{
	const struct area *a = &s->area[DRIVER];

	if (!(s->cfg.features & VRL_F_EVENT_IDX))
		CHECK(call == !(saw16(a, 0) & VRING_AVAIL_F_NO_INTERRUPT));
	else
		CHECK(call == (s->never_asked ||
			       passed(s, saw16(a, 4 + 2 * (size_t)s->cfg.num))));
}

static void check_call_packed(const struct side *s, bool call)
{
	const struct area *a = &s->area[DRIVER];
	uint16_t event = saw16(a, 0), flags = saw16(a, 2);
	/* So much that the positions came round. */
	bool all = s->unasked >= 2 * s->cfg.num;

	if ((flags & 3) == VRING_PACKED_EVENT_FLAG_DISABLE)
		CHECK(!call);
	else if ((flags & 3) == VRING_PACKED_EVENT_FLAG_ENABLE || s->never_asked || all)
		CHECK(call);
	else if ((flags & 3) == VRING_PACKED_EVENT_FLAG_DESC &&
		 (s->cfg.features & VRL_F_EVENT_IDX) && (event & 0x7fff) < s->cfg.num)
		CHECK(call == passed(s, event));
}

void side_needs_call(struct side *s)
{
	bool call;

	side_view_begin(s, 0);
	call = vrl_vq_needs_call(s->vq);
	if (s->broken || (!s->unasked && !s->never_asked))
		CHECK(!call);
	else if (s->cfg.packed)
		check_call_packed(s, call);
	else
		check_call_split(s, call);
	view_end();
	if (!s->broken) {
		s->asked_idx = s->used_idx;
		s->unasked = 0;
		s->never_asked = false;
	}
	side_check_state(s);
}

/* ---- does the device want a notification ---- */

/* What was asked of the driver, in its own ring (2.7.7, 2.7.10, 2.8.10). */
static void check_kick(struct side *s, bool enable)
{
	struct area *a = &s->area[DEVICE];
	bool event_idx = s->cfg.features & VRL_F_EVENT_IDX;
	size_t off = !s->cfg.packed && event_idx ? 4 + 8 * (size_t)s->cfg.num : 0;
	uint16_t v[2] = { 0, 0 };

	area_accept(a, off, s->cfg.packed ? 4 : 2);
	memcpy(v, a->live + off, s->cfg.packed ? 4 : 2);
	if (!s->cfg.packed && event_idx)
		CHECK(!enable || le16toh(v[0]) == s->last_avail);
	else if (!s->cfg.packed)
		CHECK(le16toh(v[0]) == (enable ? 0 : VRING_USED_F_NO_NOTIFY));
	else if (!enable)
		CHECK(le16toh(v[1]) == VRING_PACKED_EVENT_FLAG_DISABLE);
	else if (event_idx && le16toh(v[1]) == VRING_PACKED_EVENT_FLAG_DESC)
		CHECK(le16toh(v[0]) == s->last_avail);
	else
		CHECK(le16toh(v[1]) == VRING_PACKED_EVENT_FLAG_ENABLE);
}

bool side_enable_kick(struct side *s)
{
	bool work, want;

	side_view_begin(s, 0);
	work = vrl_vq_enable_kick(s->vq);
	if (s->broken) {
		CHECK(!work);
	} else {
		check_kick(s, true);
		want = s->cfg.packed ? side_saw_avail(s) :
				       saw16(&s->area[DRIVER], 2) != s->last_avail;
		/* Looked before it asked: what came in between is slept over. */
		CHECK(view_saw_after_store());
		CHECK(work == (want || s->nr_again));
	}
	view_end();
	side_check_state(s);
	return work;
}

void side_disable_kick(struct side *s)
{
	side_view_begin(s, 0);
	vrl_vq_disable_kick(s->vq);
	if (!s->broken && (s->cfg.packed || !(s->cfg.features & VRL_F_EVENT_IDX)))
		check_kick(s, false);
	view_end();
	side_check_state(s);
}
