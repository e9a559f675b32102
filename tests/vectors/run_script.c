// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Runs a script: the driver's steps write bytes into the rings, the device's steps
 * call the library, and each answer and each byte the device writes is compared.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <string.h>
#endif

#include "vectors.h"

#define MAX_IDS		64	/* queue sizes of scripts stay below */
#define MAX_BURST	32

struct vec_step {
	enum vec_op op;
	__s64 a, b, c, d;
};

struct script {
	struct vec_room m;
	struct vec_result *r;
	bool packed;
	__u16 avail, used;		/* the driver's positions */
	unsigned int nr[MAX_IDS];	/* descriptors per id */
	__u32 id[MAX_IDS];		/* as the device knows it */
	unsigned int next_desc;		/* split */
	struct vrl_used_elem e[MAX_BURST];
	unsigned int nr_e;
};

static int expect(struct script *s, const char *what, __s64 got, __s64 want)
{
	s->r->what = what;
	s->r->got = got;
	s->r->want = want;
	return got == want ? 0 : -1;
}

/* ---- driver ---- */

/* Heads are the script's; the others of a chain are counted down from the end. */
static void post_split(struct script *s, __u16 id, __u32 len, __u16 flags,
		       unsigned int nr)
{
	struct vec_room *m = &s->m;
	struct vec_desc d = { 0x1000 * (id + 1ull), len, flags, 0 };
	unsigned int i, at = id;

	for (i = 1; i <= nr; i++, at = d.next) {
		d.flags = (__u16)(flags | (i < nr ? N : 0));
		d.next = (__u16)(i < nr ? --s->next_desc : 0);
		vec_put_desc(m->desc + 16 * at, &d, false);
	}
	vec_put(m->driver + 4 + 2 * (s->avail % m->num), 2, id);
	vec_put(m->driver + 2, 2, ++s->avail);
}

static void post_packed(struct script *s, __u16 id, __u32 len, __u16 flags,
			unsigned int nr)
{
	struct vec_room *m = &s->m;
	struct vec_desc d = { 0x1000 * (id + 1ull), len, 0, id };

	for (; nr--; s->avail = vec_ahead(m->num, s->avail, 1)) {
		d.flags = (__u16)(flags | (nr ? N : 0) | vec_avail_bits(s->avail));
		vec_put_desc(m->desc + 16 * (s->avail & 0x7fff), &d, true);
	}
}

static void post(struct script *s, const struct vec_step *st, unsigned int nr)
{
	__u16 id = (__u16)st->a;

	s->nr[id] = nr;
	if (s->packed)
		post_packed(s, id, (__u32)st->b, (__u16)st->c, nr);
	else
		post_split(s, id, (__u32)st->b, (__u16)st->c, nr);
}

/* By d entries or descriptors; 0: those of the chain. */
static int used_split(struct script *s, const struct vec_step *st)
{
	const __u8 *device = s->m.device;
	const __u8 *at = device + 4 + 8 * (s->used % s->m.num);
	int ret;

	ret = expect(s, "used index has not come here",
		     vec_get(device + 2, 2) == s->used, 0) ? :
	      expect(s, "used id", vec_get(at, 4), st->a) ? :
	      expect(s, "used len", vec_get(at + 4, 4), st->b);
	s->used = (__u16)(s->used + (st->d ? : 1));
	return ret;
}

static bool packed_is_used(const struct script *s)
{
	__u16 flags = (__u16)vec_get(s->m.desc + 16 * (s->used & 0x7fff) + 14, 2);

	return (flags & 0x8080) == vec_used_bits(s->used);
}

/* The write flag says whether anything was written (2.8.3). */
static int used_packed(struct script *s, const struct vec_step *st)
{
	const __u8 *at = s->m.desc + 16 * (s->used & 0x7fff);
	int ret;

	ret = expect(s, "descriptor is used", packed_is_used(s), 1) ? :
	      expect(s, "used id", vec_get(at + 12, 2), st->a) ? :
	      expect(s, "write flag", vec_get(at + 14, 2) & W, st->b ? W : 0);
	if (!ret && st->b)
		ret = expect(s, "used len", vec_get(at + 8, 4), st->b);
	s->used = vec_ahead(s->m.num, s->used,
			    st->d ? (unsigned int)st->d : s->nr[st->a]);
	return ret;
}

static int unused(struct script *s)
{
	if (s->packed)
		return expect(s, "descriptor is used", packed_is_used(s), 0);
	return expect(s, "used index", vec_get(s->m.device + 2, 2), s->used);
}

/* Where the driver's and the device's wishes are: flags, then event. */
static __u8 *driver_word(struct script *s, bool event)
{
	if (s->packed)
		return s->m.driver + (event ? 0 : 2);
	return s->m.driver + (event ? 4 + 2 * s->m.num : 0);
}

static __u8 *device_word(struct script *s, bool event)
{
	if (s->packed)
		return s->m.device + (event ? 0 : 2);
	return s->m.device + (event ? 4 + 8 * s->m.num : 0);
}

static int do_driver(struct script *s, const struct vec_step *st)
{
	switch (st->op) {
	case VEC_POST:
		post(s, st, 1);
		return 0;
	case VEC_POST_CHAIN:
		post(s, st, (unsigned int)st->d);
		return 0;
	case VEC_AVAIL_IDX:
		vec_put(s->m.driver + 2, 2, (__u64)st->a);
		return 0;
	case VEC_DRIVER_FLAGS:
		vec_put(driver_word(s, false), 2, (__u64)st->a);
		return 0;
	case VEC_DRIVER_EVENT:
		vec_put(driver_word(s, true), 2, (__u64)st->a);
		return 0;
	case VEC_USED:
		return s->packed ? used_packed(s, st) : used_split(s, st);
	case VEC_UNUSED:
		return unused(s);
	default:
		return expect(s, "operation", st->op, VEC_END);
	}
}

/* ---- device ---- */

static int got(struct script *s, const struct vec_step *st)
{
	const struct vrl_chain *c = &s->m.b.chains[st->a];

	return expect(s, "chain is there", st->a < s->m.b.nr_chains, 1) ? :
	       expect(s, "id", c->id & 0xffff, st->b) ? :
	       expect(s, "out_len", c->out_len, st->c) ? :
	       expect(s, "in_len", c->in_len, st->d);
}

static void take(struct script *s, unsigned int n)
{
	const struct vrl_burst *b = &s->m.b;
	unsigned int i;

	for (i = 0; i < n; i++)
		s->id[b->chains[i].id & 0xffff] = b->chains[i].id;
	vrl_vq_consume(&s->m.vq, b, n);
}

static int state(struct script *s, const struct vec_step *st)
{
	struct vrl_vq_state now;

	vrl_vq_get_state(&s->m.vq, &now);
	return expect(s, "last_avail", now.last_avail, st->a) ? :
	       expect(s, "used_idx", now.used_idx, st->b);
}

static int reinit(struct script *s)
{
	struct vrl_vq_config cfg;

	vec_config(&s->m, &cfg, 0);
	vrl_vq_get_state(&s->m.vq, &cfg.state);
	memset(&s->m.vq, 0xa5, sizeof(s->m.vq));
	return expect(s, "vrl_vq_init()", vrl_vq_init(&s->m.vq, &cfg), 0);
}

static int do_burst(struct script *s, const struct vec_step *st)
{
	struct vrl_vq *vq = &s->m.vq;

	switch (st->op) {
	case VEC_PEEK:
		return expect(s, "peek", vrl_vq_peek_burst(vq, &s->m.b, (unsigned int)st->a),
			      st->b);
	case VEC_GOT:
		return got(s, st);
	case VEC_TAKE:
		take(s, (unsigned int)st->a);
		return 0;
	case VEC_PUSH:
		s->e[s->nr_e++] = (struct vrl_used_elem){ s->id[st->a], (__u32)st->b };
		return 0;
	case VEC_FLUSH:
		vrl_vq_push_burst(vq, s->e, s->nr_e);
		s->nr_e = 0;
		return 0;
	case VEC_FLUSH_IN_ORDER:
		vrl_vq_push_in_order(vq, s->e, s->nr_e);
		s->nr_e = 0;
		return 0;
	default:
		return do_driver(s, st);
	}
}

static int do_step(struct script *s, const struct vec_step *st)
{
	struct vrl_vq_state to = { (__u16)st->a, (__u16)st->b };
	struct vrl_vq *vq = &s->m.vq;

	switch (st->op) {
	case VEC_CALL:
		return expect(s, "needs_call", vrl_vq_needs_call(vq), st->a);
	case VEC_KICK_ON:
		return expect(s, "enable_kick", vrl_vq_enable_kick(vq), st->a);
	case VEC_KICK_OFF:
		vrl_vq_disable_kick(vq);
		return 0;
	case VEC_DEVICE_FLAGS:
		return expect(s, "device flags", vec_get(device_word(s, false), 2), st->a);
	case VEC_DEVICE_EVENT:
		return expect(s, "device event", vec_get(device_word(s, true), 2), st->a);
	case VEC_COUNT:
		return expect(s, "avail_count", vrl_vq_avail_count(vq), st->a);
	case VEC_NOTIFIED:
		return expect(s, "notified", vrl_vq_notified(vq, (__u32)st->a), st->b);
	case VEC_STATE:
		return state(s, st);
	case VEC_SET_STATE:
		return expect(s, "set_state", vrl_vq_set_state(vq, &to), st->c);
	case VEC_RESET:
		vrl_vq_reset(vq);
		return 0;
	case VEC_REINIT:
		return reinit(s);
	case VEC_WHY:
		return expect(s, "reason", vrl_vq_why(vq), st->a);
	default:
		return do_burst(s, st);
	}
}

static int run_steps(struct script *s, const struct vec_script *v)
{
	struct vrl_vq_config cfg;
	int ret;

	vec_start_at(&s->m, s->avail);
	vec_config(&s->m, &cfg, s->avail);
	ret = expect(s, "vrl_vq_init()", vrl_vq_init(&s->m.vq, &cfg), 0);
	while (!ret && s->r->step < VEC_MAX_STEPS) {
		const __s64 *row = v->step[s->r->step++];
		const struct vec_step st = {
			(enum vec_op)row[0], row[1], row[2], row[3], row[4],
		};

		if (st.op == VEC_END)
			break;
		ret = do_step(s, &st);
	}
	return ret;
}

int vec_script_run(const struct vec_script *v, struct vec_result *r)
{
	struct script *s = vec_alloc(sizeof(*s));
	int ret;

	*r = (struct vec_result){ .where = "step", .what = "memory for the run" };
	if (!s)
		return -1;
	s->r = r;
	s->packed = v->features & VRL_F_PACKED;
	s->avail = (__u16)v->start;
	s->used = (__u16)v->start;
	s->next_desc = v->num;
	ret = vec_room_open(&s->m, v->num, v->features);
	if (!ret)
		ret = run_steps(s, v);
	vec_room_close(&s->m);
	vec_free(s);
	return ret ? -1 : 0;
}
