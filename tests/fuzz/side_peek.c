// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Looking at chains and taking them. The oracle walks the same chains by the
 * words that the library has seen, and says what has to come out.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "side.h"

/* ---- what the oracle sees ---- */

/* As looked at; else as it lies there, which is noted. */
static bool saw(const struct area *a, size_t off, void *to, size_t len, bool copied)
{
	if (view_saw(a->live + off, to, len, copied))
		return true;
	memcpy(to, a->want + off, len);
	return false;
}

static void saw_ring(struct side *s, size_t off, uint8_t *d)
{
	const struct area *a = &s->area[DESC];
	bool addr = saw(a, off, d, 8, false), len = saw(a, off + 8, d + 8, 4, false);
	uint16_t flags;

	if (!s->cfg.packed) {
		s->unseen_flags |= !saw(a, off + 12, d + 12, 2, false);
		s->unseen_rest |= !saw(a, off + 14, d + 14, 2, false) || !addr || !len;
		return;
	}
	s->unseen_flags |= !saw(a, off + 14, d + 14, 2, false);
	memcpy(&flags, d + 14, 2);
	/* The buffer id is the last one's (2.8.6). */
	if (!saw(a, off + 12, d + 12, 2, false) && !(flags & htole16(VRING_DESC_F_NEXT)))
		s->unseen_rest = true;
	s->unseen_rest |= !addr || !len;
}

/* Driver memory, piece by piece. */
static bool saw_memory(struct side *s, uint64_t iova, uint8_t *to, unsigned int len,
		       bool copied)
{
	unsigned int i = 0, k, n;
	bool all = true;

	for (k = 0; k < len; k += n) {
		uint8_t *p = space_byte(&s->space, iova + k, VRL_PERM_R, &i);
		const struct area *a = &s->area[MEMORY + i];
		size_t off;

		CHECK(p);
		off = (size_t)(p - a->live);
		n = a->size - off < len - k ? (unsigned int)(a->size - off) : len - k;
		all &= saw(a, off, to + k, n, copied);
	}
	return all;
}

/* In place only those entries are looked at that count; else all of them. */
static void saw_entry(struct side *s, uint64_t iova, uint8_t *d)
{
	if (s->copy)
		memcpy(d, s->copy + (iova - s->copy_iova), 16);
	else if (!saw_memory(s, iova, d, 16, false))
		s->unseen_rest = true;
}

static void oracle_saw(void *opaque, const void *p, uint64_t iova, void *d)
{
	struct side *s = opaque;

	if (p)
		saw_ring(s, (size_t)((uintptr_t)p - (uintptr_t)s->area[DESC].live), d);
	else
		saw_entry(s, iova, d);
}

/* Can this table be read? Its entries come from saw_entry(). */
static const void *oracle_mem(void *opaque, uint64_t iova, uint32_t len)
{
	struct side *s = opaque;
	const struct vrl_fetch *f;

	s->entries = len / 16;
	s->copy = NULL;
	s->copy_iova = iova;
	if (!s->cfg.by_fetch) {
		if (!space_has(&s->space, iova, len, VRL_PERM_R))
			return NULL;
		if (!space_lies_together(&s->space, iova, len)) {
			s->copy = s->table[0];
			s->unseen_rest |= !saw_memory(s, iova, s->copy, len, true);
		}
		return s;
	}
	if (s->next_fetched == s->nr_fetched) {
		s->unseen_rest = true;
		return NULL;
	}
	s->copy = s->table[s->next_fetched];
	f = &s->fetched[s->next_fetched++];
	CHECK(f->iova == iova && f->len == len);
	return f->err ? NULL : s;
}

static struct oracle oracle_of(struct side *s, unsigned int room)
{
	s->unseen_flags = false;
	s->unseen_rest = false;
	s->entries = 0;
	return (struct oracle){
		.desc = (const void *)s->area[DESC].live,
		.ring = (const void *)s->area[DESC].live,
		.num = s->cfg.num,
		.room = room,
		.indirect = s->cfg.features & VRL_F_INDIRECT,
		.iova_last = s->cfg.iova_last,
		.mem = oracle_mem,
		.saw = oracle_saw,
		.opaque = s,
	};
}

/* The chain at a position; @taken: descriptors of those before it in the burst. */
static enum oracle_verdict judge(struct side *s, uint16_t at, unsigned int taken,
				 struct oracle_chain *c)
{
	struct oracle o = oracle_of(s, s->cfg.num - s->in_flight - taken);
	uint16_t head;

	if (s->cfg.packed)
		return oracle_walk_packed(&o, at, c);
	if (!saw(&s->area[DRIVER], 4 + 2 * (size_t)(at % s->cfg.num), &head, 2, false))
		s->unseen_flags = true;
	return oracle_walk(&o, le16toh(head), c);
}

/* Packed: a log's copy is nobody's to change. */
static void oracle_saw_log(void *opaque, const void *p, uint64_t iova, void *d)
{
	if (p)
		memcpy(d, p, 16);
	else
		saw_entry(opaque, iova, d);
}

/* A chain that comes again: from the ring by its head, or from the log. */
static enum oracle_verdict judge_again(struct side *s, const struct taken *t,
				       struct oracle_chain *c)
{
	struct vring_packed_desc d[SIDE_NUM_MAX];
	struct oracle o = oracle_of(s, t->nr_desc);
	enum oracle_verdict verdict;

	if (!s->cfg.packed)
		return oracle_walk(&o, t->key, c);
	side_log_chain(s, t, d);
	o.ring = d;
	o.saw = oracle_saw_log;
	verdict = oracle_walk_packed(&o, VRL_STATE_WRAP, c);
	c->nr_desc = t->nr_desc;
	return verdict;
}

/* ---- one chain ---- */

static void check_legal(struct side *s, const struct vrl_chain *c,
			const struct oracle_chain *want)
{
	unsigned int k;

	CHECK(!c->flags);
	CHECK(c->nr_out == want->nr_out && c->nr_in == want->nr_in);
	CHECK(c->out_len == want->out_len && c->in_len == want->in_len);
	CHECK(c->seg + want->nr <= s->b->nr_segs && s->b->nr_segs <= s->b->max_segs);
	for (k = 0; k < want->nr; k++) {
		const struct vrl_seg *g = &s->b->segs[c->seg + k];

		CHECK(g->iova == want->seg[k].iova && g->len == want->seg[k].len);
		CHECK(g->flags == (want->seg[k].write ? VRL_SEG_WRITE : 0));
	}
}

static void check_chain(struct side *s, unsigned int i, enum oracle_verdict verdict,
			const struct oracle_chain *want)
{
	const struct vrl_chain *c = &s->b->chains[i];

	CHECK(verdict == ORACLE_LEGAL || verdict == ORACLE_FAULT);
	CHECK(!s->unseen_flags && !s->unseen_rest);
	CHECK((uint16_t)c->id == want->id);
	if (verdict == ORACLE_FAULT) {
		CHECK(c->flags == VRL_CHAIN_FAULT);
		CHECK(!c->nr_out && !c->nr_in && !c->out_len && !c->in_len);
	} else {
		check_legal(s, c, want);
	}
	s->peeked[i] = (struct taken){ .id = c->id, .key = want->id,
				       .nr_desc = (uint16_t)want->nr_desc,
				       .in_len = c->in_len };
}

/* ---- the burst ---- */

/* The arrays have room for it, whatever the library sets aside. */
static bool fits(const struct side *s, const struct oracle_chain *c)
{
	return s->roomy || (c->nr + s->entries <= s->b->max_segs &&
			    s->entries <= s->b->max_table);
}

/*
 * The burst ended before chain @c, although that was wanted and announced.
 * True if it was a malformed one.
 */
static bool check_end(struct side *s, int ret, enum oracle_verdict verdict,
		      const struct oracle_chain *c)
{
	if (verdict == ORACLE_NONE && !s->unseen_flags) {
		CHECK(ret >= 0);
		return false;
	}
	if (ret == -EPROTO) {
		CHECK(verdict == ORACLE_ILLEGAL && !s->unseen_flags);
		s->broken = true;
		CHECK(vrl_vq_why(s->vq) != VRL_WHY_AVAIL_JUMP);
		return true;
	}
	if (verdict == ORACLE_ILLEGAL && ret > 0)
		return true;
	/* Then it was too large. */
	CHECK(!s->roomy);
	CHECK(ret > 0 || ret == -E2BIG);
	CHECK(ret > 0 || view_is_changing() || verdict == ORACLE_ILLEGAL || !fits(s, c));
	return verdict == ORACLE_ILLEGAL;
}

/* How many chains there may be at most; negative: the index makes no sense. */
static int announced(struct side *s)
{
	uint16_t idx;
	unsigned int n;

	if (s->cfg.packed)
		return SIDE_NUM_MAX;
	if (view_saw(s->area[DRIVER].live + 2, &idx, 2, false)) {
		n = (uint16_t)(le16toh(idx) - s->last_avail);
		if (n + s->in_flight > s->cfg.num)
			return -1;
		s->seen_idx = le16toh(idx);
	}
	return (uint16_t)(s->seen_idx - s->last_avail);
}

/*
 * Packed, with every descriptor in flight: what looks available lies in one that
 * is the device's.
 */
static void check_full(struct side *s, int ret)
{
	s->broken = side_saw_avail(s);
	CHECK(ret == (s->broken ? -EPROTO : 0));
}

static void check_burst(struct side *s, int ret, unsigned int max)
{
	static struct oracle_chain c;
	unsigned int i, got = ret > 0 ? (unsigned int)ret : 0, taken = 0;
	int nr = announced(s);
	uint16_t at = s->last_avail;
	bool malformed = false;

	CHECK(s->b->nr_chains == got && got <= max);
	if (s->cfg.packed && s->in_flight == s->cfg.num) {
		check_full(s, ret);
		return;
	}
	if (nr < 0) {
		CHECK(ret == -EPROTO && vrl_vq_why(s->vq) == VRL_WHY_AVAIL_JUMP);
		s->broken = true;
		return;
	}
	if (s->fetch_fails && s->fetch_called) {
		CHECK(ret == -EINTR);
		return;
	}
	CHECK(got <= (unsigned int)nr);
	for (i = 0; i < got; i++) {
		check_chain(s, i, judge(s, at, taken, &c), &c);
		taken += c.nr_desc;
		at = side_ahead(s, at, s->cfg.packed ? c.nr_desc : 1);
	}
	if (got < max && got < (unsigned int)nr &&
	    !(s->cfg.packed && s->in_flight + taken == s->cfg.num))
		malformed = check_end(s, ret, judge(s, at, taken, &c), &c);
	else
		CHECK(ret >= 0);
	/* The oracle stops where a chain turns malformed, the library may go on. */
	CHECK(malformed || view_saw_all());
}

/* After a crash: those on record, in the order in which they were taken. */
static void check_again(struct side *s, int ret, unsigned int max)
{
	static struct oracle_chain c;
	unsigned int i, got = ret > 0 ? (unsigned int)ret : 0;
	bool malformed = false;

	if (max > s->nr_again)
		max = s->nr_again;
	CHECK(s->b->nr_chains == got && got <= max);
	if (s->fetch_fails && s->fetch_called) {
		CHECK(ret == -EINTR);
		return;
	}
	for (i = 0; i < got; i++) {
		check_chain(s, i, judge_again(s, &s->again[i], &c), &c);
		CHECK(s->b->chains[i].id == s->again[i].id);
		s->peeked[i].seq = s->again[i].seq;
	}
	if (got < max)
		malformed = check_end(s, ret, judge_again(s, &s->again[got], &c), &c);
	CHECK(malformed || view_saw_all());
}

int side_peek(struct side *s, unsigned int max, bool fetch_fails)
{
	int ret;

	s->nr_peeked = 0;
	s->fetch_fails = fetch_fails;
	s->fetch_called = false;
	s->nr_fetched = 0;
	s->next_fetched = 0;
	vrl_mem_sync(&s->space.mem);
	side_view_begin(s, s->cfg.clobber);
	ret = vrl_vq_peek_burst(s->vq, s->b, max);
	if (max > s->b->max_chains)
		max = s->b->max_chains;
	if (s->broken)
		CHECK(ret == -EPROTO && !s->b->nr_chains);
	else if (!max)
		CHECK(!ret && !s->b->nr_chains);
	else if (s->nr_again)
		check_again(s, ret, max);
	else
		check_burst(s, ret, max);
	view_end();
	side_check_state(s);
	if (ret > 0)
		s->nr_peeked = (unsigned int)ret;
	return ret;
}

void side_consume(struct side *s, unsigned int n)
{
	bool again = s->nr_again;
	unsigned int i;

	CHECK(n <= s->nr_peeked);
	side_view_begin(s, 0);
	vrl_vq_consume(s->vq, s->b, n);
	view_end();
	if (s->cfg.log)
		side_log_take(s, n);
	for (i = 0; i < n; i++) {
		struct taken *t = &s->peeked[i];
		unsigned int steps = s->cfg.packed ? t->nr_desc : 1;

		CHECK(s->nr_taken < SIDE_NUM_MAX);
		if (!again) {
			t->seq = s->seq++;
			s->in_flight += steps;
			s->last_avail = side_ahead(s, s->last_avail, steps);
			s->unread -= t->nr_desc < s->unread ? t->nr_desc : s->unread;
		}
		s->taken[s->nr_taken++] = *t;
	}
	CHECK(s->in_flight <= s->cfg.num);
	s->nr_peeked = 0;
	side_check_state(s);
}

/* The owner bits of the next descriptor, as looked at just now. */
bool side_saw_avail(struct side *s)
{
	uint16_t flags, owner = 1u << VRING_PACKED_DESC_F_AVAIL |
				1u << VRING_PACKED_DESC_F_USED;
	const uint8_t *p = s->area[DESC].live + 16 * (size_t)(s->last_avail & 0x7fff);

	CHECK(view_saw(p + 14, &flags, 2, false));
	return (le16toh(flags) & owner) ==
	       (s->last_avail & VRL_STATE_WRAP ? 1u << VRING_PACKED_DESC_F_AVAIL :
						 1u << VRING_PACKED_DESC_F_USED);
}

int side_avail_count(struct side *s)
{
	int ret, nr;

	side_view_begin(s, 0);
	ret = vrl_vq_avail_count(s->vq);
	if (s->broken) {
		CHECK(ret == -EPROTO);
	} else if (s->cfg.packed && s->nr_again) {
		CHECK(ret == 1);
	} else if (s->cfg.packed && s->in_flight == s->cfg.num) {
		check_full(s, ret);
	} else if (!s->cfg.packed) {
		nr = announced(s);
		s->broken = nr < 0;
		CHECK(ret == (nr < 0 ? -EPROTO : nr + (int)s->nr_again));
	} else {
		CHECK(ret == side_saw_avail(s));
	}
	view_end();
	side_check_state(s);
	return ret;
}
