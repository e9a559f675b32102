// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The in-flight log (vrl/inflight.h): the process dies, between calls or before
 * any store of a push or of taking, and the one that goes on must hand out again
 * what the driver has not seen come back: all of it, nothing else, in order.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <vrl/inflight.h>

#include "side.h"

#define PACKED_OWNER	(1u << VRING_PACKED_DESC_F_AVAIL | 1u << VRING_PACKED_DESC_F_USED)

static unsigned int steps_of(const struct side *s, const struct taken *t)
{
	return s->cfg.packed ? t->nr_desc : 1;
}

static bool is_busy(const struct side *s, unsigned int nr, uint16_t key)
{
	unsigned int i;

	for (i = 0; i < s->nr_taken; i++)
		if (s->taken[i].key == key)
			return true;
	for (i = 0; i < nr; i++)
		if (s->peeked[i].key == key)
			return true;
	return false;
}

void side_log_take(struct side *s, unsigned int n)
{
	bool busy = false;
	unsigned int i;

	if (s->nr_again) {
		CHECK(n <= s->nr_again);
		s->nr_again -= n;
		memmove(&s->again[0], &s->again[n], s->nr_again * sizeof(s->again[0]));
		return;
	}
	/* The log could not tell two chains of one id apart. */
	for (i = 0; i < n; i++)
		busy |= is_busy(s, i, s->peeked[i].key);
	CHECK(busy == (n && vrl_vq_why(s->vq) == VRL_WHY_ID_BUSY));
	s->broken |= busy;
}

unsigned int side_log_chain(const struct side *s, const struct taken *t,
			    struct vring_packed_desc *d)
{
	const struct vrl_inflight_packed *log = s->log;
	const struct vrl_inflight_packed_desc *e = NULL;
	unsigned int i;

	for (i = 0; i < s->cfg.num && !e; i++)
		if (log->desc[i].inflight && log->desc[log->desc[i].last].id == t->key)
			e = &log->desc[i];
	CHECK(e && e->num == t->nr_desc);
	for (i = 0; i < t->nr_desc; i++, e = &log->desc[e->next]) {
		uint16_t flags = e->flags & ~(PACKED_OWNER | VRING_DESC_F_NEXT);

		CHECK(e->id == t->key);
		/* Where it ends was settled when it was taken. */
		if (i + 1u < t->nr_desc && !(i == 0 && flags & VRING_DESC_F_INDIRECT))
			flags |= VRING_DESC_F_NEXT;
		flags |= 1u << VRING_PACKED_DESC_F_AVAIL;
		d[i] = (struct vring_packed_desc){ htole64(e->addr), htole32(e->len),
						   htole16(e->id), htole16(flags) };
	}
	return i;
}

/* What is not the driver's yet cannot be marked used: the log's repair sees to it. */
static void expect_clean(struct side *s)
{
	uint16_t at = s->used_idx, flags, used;
	unsigned int i;

	for (i = 0; s->cfg.packed && i < s->in_flight; i++, at = side_ahead(s, at, 1)) {
		struct area *a = &s->area[DESC];
		size_t off = 16 * (size_t)(at & 0x7fff) + 14;

		memcpy(&flags, a->want + off, 2);
		used = htole16(at & VRL_STATE_WRAP ? PACKED_OWNER : 0);
		if ((flags & htole16(PACKED_OWNER)) == used) {
			flags ^= htole16(1u << VRING_PACKED_DESC_F_USED);
			area_expect(a, off, &flags, 2);
		}
	}
}

static int by_seq(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Of the chains of the last peek, those that made it to the log before the death. */
static void take_logged(struct side *s, unsigned int nr, uint16_t last_avail)
{
	unsigned int i;

	for (i = 0; i < nr && s->last_avail != last_avail; i++) {
		struct taken *t = &s->peeked[i];

		t->seq = s->seq++;
		s->again[s->nr_again++] = *t;
		s->in_flight += steps_of(s, t);
		s->last_avail = side_ahead(s, s->last_avail, steps_of(s, t));
		s->unread -= t->nr_desc < s->unread ? t->nr_desc : s->unread;
	}
	CHECK(s->last_avail == last_avail);
}

/* @nr chains of the last peek may have been taken, or some of them. */
static void reopen(struct side *s, unsigned int nr)
{
	/* What the log says counts, not this. */
	const struct vrl_vq_state any = { s->cfg.start, s->cfg.start };
	struct vrl_vq_state st;

	free(s->vq);
	s->vq = malloc(sizeof(*s->vq));
	CHECK(s->vq);
	memcpy(&s->again[s->nr_again], s->taken, s->nr_taken * sizeof(s->taken[0]));
	s->nr_again += s->nr_taken;
	s->nr_taken = 0;
	memset(s->resubmit, 0xa5, (s->cfg.packed ? 4 : 2) * (size_t)s->cfg.num);

	side_view_calm(s);
	CHECK(!side_open(s, s->vq, &any));
	vrl_vq_get_state(s->vq, &st);
	take_logged(s, nr, st.last_avail);
	expect_clean(s);
	view_end();
	qsort(s->again, s->nr_again, sizeof(s->again[0]), by_seq);
	side_stand(s, &(struct vrl_vq_state){ s->last_avail, s->used_idx });
	side_check_state(s);
}

void side_reopen(struct side *s)
{
	if (s->broken)
		side_reset(s);
	else
		reopen(s, 0);
}

/* Has the driver been shown that the used index, or descriptor, has moved on? */
static bool is_shown(const struct side *s, uint16_t used_idx)
{
	uint16_t v;

	if (!s->cfg.packed) {
		memcpy(&v, s->area[DEVICE].live + 2, 2);
		return le16toh(v) == used_idx;
	}
	memcpy(&v, s->area[DESC].live + 16 * (size_t)(s->used_idx & 0x7fff) + 14, 2);
	return (le16toh(v) & PACKED_OWNER) ==
	       (s->used_idx & VRL_STATE_WRAP ? PACKED_OWNER : 0);
}

/* Else nobody can tell from the ring how far a push got. */
static bool driver_left_it_alone(const struct side *s)
{
	uint16_t want = s->used_idx & VRL_STATE_WRAP ? 1u << VRING_PACKED_DESC_F_AVAIL :
						       1u << VRING_PACKED_DESC_F_USED;
	uint16_t v;

	if (!s->cfg.packed)
		return true;
	memcpy(&v, s->area[DESC].live + 16 * (size_t)(s->used_idx & 0x7fff) + 14, 2);
	return (le16toh(v) & PACKED_OWNER) == want;
}

/* Functions of their own, so that the compiler keeps nothing across the death. */
static __attribute__((noinline)) void push_until_death(struct side *s,
						       const struct vrl_used_elem *e,
						       unsigned int n, unsigned int after)
{
	jmp_buf dead;

	if (setjmp(dead))
		return;
	side_view_calm(s);
	view_die(&dead, after);
	vrl_vq_push_burst(s->vq, e, n);
	view_survive();
}

static __attribute__((noinline)) void take_until_death(struct side *s, unsigned int n,
						       unsigned int after)
{
	jmp_buf dead;

	if (setjmp(dead))
		return;
	side_view_calm(s);
	view_die(&dead, after);
	vrl_vq_consume(s->vq, s->b, n);
	view_survive();
}

void side_die_pushing(struct side *s, unsigned int n, uint32_t len, unsigned int after)
{
	struct vrl_used_elem e[SIDE_CHAINS] = { { 0 } };
	unsigned int i, nr = n < s->nr_taken ? n : s->nr_taken, steps = 0;
	uint16_t used_idx;

	if (!nr || s->broken || !driver_left_it_alone(s))
		return;
	for (i = 0; i < nr; i++) {
		e[i] = (struct vrl_used_elem){ s->taken[i].id, len };
		steps += steps_of(s, &s->taken[i]);
	}
	used_idx = side_ahead(s, s->used_idx, steps);
	push_until_death(s, e, nr, after);
	if (is_shown(s, used_idx)) {
		s->used_idx = used_idx;
		s->in_flight -= steps;
		s->nr_taken -= nr;
		memmove(&s->taken[0], &s->taken[nr], s->nr_taken * sizeof(s->taken[0]));
	}
	reopen(s, 0);
}

void side_die_taking(struct side *s, unsigned int n, unsigned int after)
{
	unsigned int i, nr = n < s->nr_peeked ? n : s->nr_peeked;

	for (i = 0; i < nr; i++)
		if (is_busy(s, i, s->peeked[i].key))
			return;
	if (!nr || s->broken || s->nr_again)
		return;
	take_until_death(s, nr, after);
	reopen(s, nr);
}
