// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Runs a chain in every surrounding that must make no difference: both kinds of
 * ring if it is for both, alone and behind a good chain, at the start of the ring
 * and across its end, with its table read through the fetch op and in place.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <string.h>
#endif

#include "vectors.h"

#define GOOD_ID		(VEC_NUM + 1)
#define GOOD_IOVA	0x800
#define GOOD_LEN	60

/* One surrounding. */
struct way {
	const char *name;
	bool packed, behind, far, mem;
};

static const struct way ways[] = {
	{ "split", false, false, false, false },
	{ "split, table in place", false, false, false, true },
	{ "split, index about to wrap", false, false, true, false },
	{ "split, behind a good chain", false, true, false, false },
	{ "split, behind a good chain, table in place", false, true, true, true },
	{ "packed", true, false, false, false },
	{ "packed, table in place", true, false, false, true },
	{ "packed, across the end of the ring", true, false, true, false },
	{ "packed, behind a good chain", true, true, false, false },
	{ "packed, behind a good chain, across the end", true, true, true, true },
};

static int failed(struct vec_result *r, const char *what, __s64 got, __s64 want)
{
	r->what = what;
	r->got = got;
	r->want = want;
	return -1;
}

#define EXPECT(r, what, got, want) do {					\
	__s64 got_ = (__s64)(got), want_ = (__s64)(want);		\
	if (got_ != want_)						\
		return failed(r, what, got_, want_);			\
} while (0)

/* ---- the driver ---- */

static void put_table(struct vec_room *m, const struct vec_chain *v, bool packed)
{
	__u8 table[16 * VEC_MAX_TABLE];
	unsigned int i;

	for (i = 0; i < VEC_MAX_TABLE; i++) {
		struct vec_desc d = v->table[i];

		if (v->kinds == VEC_BOTH)
			d.next = packed ? 0xffff : i + 1;
		vec_put_desc(&table[16 * i], &d, packed);
	}
	vec_room_put_table(m, table);
}

/*
 * The good chain's descriptor lies behind those of the vector, its entry before
 * the vector's.
 */
static void offer_split(struct vec_room *m, const struct vec_chain *v,
			const struct way *w, __u16 at)
{
	const struct vec_desc good = { GOOD_IOVA, GOOD_LEN, 0, 0 };
	unsigned int i;

	for (i = 0; i < VEC_NUM; i++) {
		struct vec_desc d = v->desc[i];

		if (v->kinds == VEC_BOTH)
			d.next = i + 1;
		vec_put_desc(m->desc + 16 * i, &d, false);
	}
	if (w->behind) {
		vec_put_desc(m->desc + 16 * GOOD_ID, &good, false);
		vec_put(m->driver + 4 + 2 * (at % m->num), 2, GOOD_ID);
		at++;
	}
	vec_put(m->driver + 4 + 2 * (at % m->num), 2, v->head);
	vec_put(m->driver + 2, 2, (__u16)(at + 1));
}

static unsigned int chain_length(const struct vec_chain *v)
{
	unsigned int n = 0;

	if (v->nr)
		return v->nr;
	while (n < VEC_NUM - 1 && v->desc[n].flags & N)
		n++;
	return n + 1;
}

static void offer_packed(struct vec_room *m, const struct vec_chain *v,
			 const struct way *w, __u16 at)
{
	unsigned int i, n = chain_length(v);
	struct vec_desc d = { GOOD_IOVA, GOOD_LEN, 0, GOOD_ID };

	if (w->behind) {
		d.flags = vec_avail_bits(at);
		vec_put_desc(m->desc + 16 * (at & 0x7fff), &d, true);
		at = vec_ahead(m->num, at, 1);
	}
	for (i = 0; i < n; i++, at = vec_ahead(m->num, at, 1)) {
		d = v->desc[i];
		d.flags |= vec_avail_bits(at);
		if (v->kinds == VEC_BOTH)
			d.next = i < n - 1 ? 0xffff : VEC_ID;
		vec_put_desc(m->desc + 16 * (at & 0x7fff), &d, true);
	}
}

/* ---- what the device must say ---- */

static int check_segs(const struct vec_chain *v, const struct vrl_burst *b,
		      const struct vrl_chain *c, struct vec_result *r)
{
	unsigned int i, nr_out = 0, nr_in = 0;
	__u64 out_len = 0, in_len = 0;

	for (i = 0; i < VEC_MAX_TABLE && v->seg[i].len; i++) {
		const struct vec_seg *want = &v->seg[i];
		const struct vrl_seg *s = &b->segs[c->seg + i];

		if (want->flags & W) {
			nr_in++;
			in_len += want->len;
		} else {
			nr_out++;
			out_len += want->len;
		}
		EXPECT(r, "segments are not there", c->seg + i < b->nr_segs, 1);
		EXPECT(r, "iova of a segment", s->iova, want->iova);
		EXPECT(r, "length of a segment", s->len, want->len);
		EXPECT(r, "flags of a segment", s->flags,
		       want->flags & W ? VRL_SEG_WRITE : 0);
	}
	EXPECT(r, "readable segments", c->nr_out, nr_out);
	EXPECT(r, "writable segments", c->nr_in, nr_in);
	EXPECT(r, "readable bytes", c->out_len, out_len);
	EXPECT(r, "writable bytes", c->in_len, in_len);
	return 0;
}

/* Twice: broken is for good, and nothing was taken. */
static int check_broken(struct vec_room *m, const struct vec_chain *v,
			struct vec_result *r)
{
	struct vrl_vq_state before, after;
	int i;

	vrl_vq_get_state(&m->vq, &before);
	for (i = 0; i < 2; i++) {
		EXPECT(r, "peek of a malformed chain",
		       vrl_vq_peek_burst(&m->vq, &m->b, 4), -EPROTO);
		EXPECT(r, "chains of a malformed peek", m->b.nr_chains, 0);
		EXPECT(r, "broken", vrl_vq_is_broken(&m->vq), 1);
		EXPECT(r, "reason", vrl_vq_why(&m->vq), v->why);
	}
	vrl_vq_get_state(&m->vq, &after);
	EXPECT(r, "last_avail of a broken queue", after.last_avail, before.last_avail);
	EXPECT(r, "used_idx of a broken queue", after.used_idx, before.used_idx);
	EXPECT(r, "avail_count of a broken queue", vrl_vq_avail_count(&m->vq), -EPROTO);
	EXPECT(r, "needs_call of a broken queue", vrl_vq_needs_call(&m->vq), 0);
	EXPECT(r, "enable_kick of a broken queue", vrl_vq_enable_kick(&m->vq), 0);
	return 0;
}

static int check(struct vec_room *m, const struct vec_chain *v,
		 const struct way *w, struct vec_result *r)
{
	unsigned int nr_good = w->behind;
	const struct vrl_chain *c = &m->b.chains[nr_good];
	bool legal = v->seg[0].len || v->fault;
	int ret;

	if (!legal && !nr_good)
		return check_broken(m, v, r);
	ret = vrl_vq_peek_burst(&m->vq, &m->b, 4);
	EXPECT(r, "peek", ret, nr_good + legal);
	EXPECT(r, "chains in the burst", m->b.nr_chains, ret);
	EXPECT(r, "broken by a legal chain", vrl_vq_is_broken(&m->vq), 0);
	if (nr_good) {
		EXPECT(r, "id of the good chain", m->b.chains[0].id & 0xffff, GOOD_ID);
		EXPECT(r, "length of the good chain", m->b.chains[0].out_len, GOOD_LEN);
	}
	if (!legal) {
		vrl_vq_consume(&m->vq, &m->b, 1);
		return check_broken(m, v, r);
	}
	EXPECT(r, "id", c->id & 0xffff, w->packed ? VEC_ID : v->head);
	EXPECT(r, "flags of the chain", c->flags, v->fault ? VRL_CHAIN_FAULT : 0);
	return check_segs(v, &m->b, c, r);
}

static int run_way(const struct vec_chain *v, const struct way *w,
		   struct vec_result *r)
{
	__u32 num = w->behind ? 2 * VEC_NUM : VEC_NUM;
	__u32 features = (v->no_indirect ? 0 : VRL_F_INDIRECT) |
			 (w->packed ? VRL_F_PACKED : 0);
	struct vrl_vq_config cfg;
	struct vec_room m;
	__u16 at;
	int ret;

	if (w->packed)
		at = w->far ? num - 1 : 0x8000;
	else
		at = w->far ? 65535 : 0;
	r->where = w->name;
	ret = vec_room_open(&m, num, features);
	if (ret) {
		failed(r, "memory for the run", ret, 0);
		goto out;
	}
	vec_start_at(&m, at);
	put_table(&m, v, w->packed);
	if (w->packed)
		offer_packed(&m, v, w, at);
	else
		offer_split(&m, v, w, at);

	vec_config(&m, &cfg, at);
	cfg.iova_last = v->iova_last;
	if (w->mem) {
		cfg.mem = &m.mem;
		cfg.fetch = NULL;
	}
	ret = vrl_vq_init(&m.vq, &cfg);
	if (ret)
		failed(r, "vrl_vq_init()", ret, 0);
	else
		ret = check(&m, v, w, r);
out:
	vec_room_close(&m);
	return ret ? -1 : 0;
}

int vec_chain_run(const struct vec_chain *v, struct vec_result *r)
{
	unsigned int i;

	r->step = 0;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!(v->kinds & (ways[i].packed ? VEC_PACKED : VEC_SPLIT)))
			continue;
		if (v->alone && ways[i].behind)
			continue;
		if (run_way(v, &ways[i], r))
			return -1;
	}
	return 0;
}
