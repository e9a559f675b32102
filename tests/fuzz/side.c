// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Making, moving and resetting a virtqueue: see side.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vrl/inflight.h>

#include "side.h"

uint16_t side_ahead(const struct side *s, uint16_t at, unsigned int n)
{
	unsigned int off = at & 0x7fff, wrap = at & VRL_STATE_WRAP;

	if (!s->cfg.packed)
		return (uint16_t)(at + n);
	for (; n; n--)
		if (++off == s->cfg.num) {
			off = 0;
			wrap ^= VRL_STATE_WRAP;
		}
	return (uint16_t)(off | wrap);
}

static int side_fetch(void *opaque, struct vrl_fetch *reqs, unsigned int nr)
{
	struct side *s = opaque;
	unsigned int i, k;

	CHECK(nr > 0 && nr <= s->b->max_chains && !s->fetch_called);
	s->fetch_called = true;
	s->nr_fetched = nr;
	for (i = 0; i < nr; i++) {
		struct vrl_fetch *f = &reqs[i];
		uint8_t *to = f->dst;

		CHECK(f->len > 0 && f->len <= FETCH_MAX && !f->err);
		CHECK(f->iova + (f->len - 1) >= f->iova);
		if (!space_has(&s->space, f->iova, f->len, VRL_PERM_R))
			f->err = -EFAULT;
		for (k = 0; !f->err && k < f->len; k++)
			to[k] = *space_byte(&s->space, f->iova + k, VRL_PERM_R, NULL);
		s->fetched[i] = *f;
		if (!f->err)
			memcpy(s->table[i], f->dst, f->len);
	}
	if (s->cfg.clobber)
		view_clobber_all();
	return s->fetch_fails ? -EINTR : 0;
}

static void side_init_areas(struct side *s)
{
	const struct side_config *cfg = &s->cfg;
	size_t num = cfg->num, event = cfg->features & VRL_F_EVENT_IDX ? 2 : 0;

	area_init(&s->area[DESC], 16 * num, 0);
	if (cfg->packed) {
		area_init(&s->area[DRIVER], 4, cfg->skew & 12);
		area_init(&s->area[DEVICE], 4, cfg->skew & 12);
	} else {
		area_init(&s->area[DRIVER], 4 + 2 * num + event, cfg->skew & 14);
		area_init(&s->area[DEVICE], 4 + 8 * num + event, cfg->skew & 12);
	}
}

static void side_fini_areas(struct side *s)
{
	unsigned int i;

	for (i = DESC; i < MEMORY; i++)
		area_fini(&s->area[i]);
}

/* A device begins here, whoever was there before. */
int side_open(struct side *s, struct vrl_vq *vq, const struct vrl_vq_state *st)
{
	const struct vrl_vq_config cfg = {
		.desc = s->area[DESC].live,
		.driver = s->area[DRIVER].live,
		.device = s->area[DEVICE].live,
		.num = s->cfg.num,
		.features = s->cfg.features,
		.iova_last = s->cfg.iova_last,
		.state = *st,
		.mem = s->cfg.by_fetch ? NULL : &s->space.mem,
		.fetch = s->cfg.by_fetch ? side_fetch : NULL,
		.opaque = s,
		.inflight = s->log,
		.resubmit = s->resubmit,
	};

	return vrl_vq_init(vq, &cfg);
}

/* The model when nobody has asked for anything yet. */
void side_stand(struct side *s, const struct vrl_vq_state *st)
{
	s->last_avail = st->last_avail;
	s->used_idx = st->used_idx;
	s->seen_idx = st->last_avail;
	s->asked_idx = st->used_idx;
	s->unasked = 0;
	s->never_asked = true;
	s->nr_peeked = 0;
}

/* Memory that holds no log yet. */
static void side_begin_log(struct side *s)
{
	uint32_t size = vrl_inflight_size(s->cfg.features, s->cfg.num);

	free(s->log);
	free(s->resubmit);
	s->log = calloc(1, size);
	s->resubmit = calloc(s->cfg.packed ? 2 * s->cfg.num : s->cfg.num, 2);
	CHECK(s->log && s->resubmit);
	CHECK(!vrl_inflight_check(s->log, size, s->cfg.features, s->cfg.num));
	s->nr_again = 0;
}

static void side_begin(struct side *s)
{
	struct vrl_vq_state st = { s->cfg.start, s->cfg.start };
	uint16_t idx = htole16(s->cfg.start);

	side_init_areas(s);
	if (s->cfg.log)
		side_begin_log(s);
	if (!s->cfg.packed) {
		area_poke(&s->area[DRIVER], 2, &idx, 2);
		area_poke(&s->area[DEVICE], 2, &idx, 2);
	}
	side_stand(s, &st);
	CHECK(!side_open(s, s->vq, &st));
	s->broken = false;
	s->nr_taken = 0;
	s->in_flight = 0;
	s->avail_idx = s->cfg.start;
	s->nr_ready = 0;
	s->unread = 0;
}

/* At most one side of each kind is there. */
static uint8_t tables[2][SIDE_CHAINS][FETCH_MAX];

/* Arrays for any SIDE_CHAINS chains: too large to be made for every input. */
static struct vrl_burst *side_roomy_burst(bool packed)
{
	static struct vrl_burst *b[2];

	if (!b[packed])
		b[packed] = burst_create(SIDE_CHAINS, SIDE_CHAINS * VRL_CHAIN_MAX,
					 SIDE_CHAINS * VRL_CHAIN_MAX);
	return b[packed];
}

void side_init(struct side *s, const struct side_config *cfg)
{
	memset(s, 0, sizeof(*s));
	s->cfg = *cfg;
	s->table = tables[cfg->packed];
	s->roomy = !cfg->max_chains;
	s->b = s->roomy ? side_roomy_burst(cfg->packed) :
	       burst_create(cfg->max_chains, cfg->max_segs, cfg->max_table);
	s->vq = malloc(sizeof(*s->vq));
	CHECK(s->vq);
	space_init(&s->space, cfg->range, cfg->nr_ranges, &s->area[MEMORY]);
	if (cfg->window)
		s->space.mem.window = s->area[MEMORY].live;
	side_begin(s);
}

void side_fini(struct side *s)
{
	side_fini_areas(s);
	space_fini(&s->space);
	free(s->log);
	free(s->resubmit);
	free(s->vq);
	if (!s->roomy)
		burst_destroy(s->b);
}

void side_view_begin(struct side *s, uint8_t clobber)
{
	const struct view_config cfg = {
		.areas = s->area,
		.nr = MEMORY + s->cfg.nr_ranges,
		.clobber = clobber,
		.release = side_released,
		.opaque = s,
	};

	view_begin(&cfg);
}

void side_view_calm(struct side *s)
{
	const struct view_config cfg = {
		.areas = s->area,
		.nr = MEMORY + s->cfg.nr_ranges,
		.calm = true,
	};

	view_begin(&cfg);
}

void side_check_state(const struct side *s)
{
	struct vrl_vq_state st;

	vrl_vq_get_state(s->vq, &st);
	CHECK(st.last_avail == s->last_avail && st.used_idx == s->used_idx);
	CHECK(vrl_vq_is_broken(s->vq) == s->broken);
	CHECK((vrl_vq_why(s->vq) != VRL_WHY_OK) == s->broken);
}

/* The chains in flight will come again, in the order of the ring. */
static void side_rewind(struct side *s, struct vrl_vq_state *st)
{
	unsigned int i;

	st->last_avail = st->used_idx;
	for (i = 0; i < s->nr_taken; i++)
		s->unread += s->taken[i].nr_desc;
	s->nr_taken = 0;
	s->in_flight = 0;
}

void side_migrate(struct side *s, bool rewind)
{
	struct vrl_vq *vq = malloc(sizeof(*vq));
	struct vrl_vq_state st;

	CHECK(vq);
	vrl_vq_get_state(s->vq, &st);
	if (rewind)
		side_rewind(s, &st);
	side_stand(s, &st);
	CHECK(!side_open(s, vq, &st));
	s->broken = false;
	vrl_vq_reset(s->vq);
	free(s->vq);
	s->vq = vq;
	side_check_state(s);
}

/* Steps from one position to another, or more than @max. */
static unsigned int side_steps(const struct side *s, uint16_t from, uint16_t to,
			       unsigned int max)
{
	unsigned int n = 0;

	while (from != to && n <= max) {
		from = side_ahead(s, from, 1);
		n++;
	}
	return n;
}

/* Another device's numbers: a chain in flight is not known here, so none is. */
void side_set_state(struct side *s, const struct vrl_vq_state *st)
{
	bool valid = !s->cfg.packed || ((st->last_avail & 0x7fff) < s->cfg.num &&
					(st->used_idx & 0x7fff) < s->cfg.num);
	unsigned int steps = valid ? side_steps(s, st->used_idx, st->last_avail,
						s->cfg.num) : 0;
	int ret = vrl_vq_set_state(s->vq, st);

	valid = valid && steps <= s->cfg.num;
	CHECK(ret == (valid ? 0 : -EINVAL));
	if (valid) {
		side_stand(s, st);
		s->nr_taken = 0;
		s->in_flight = steps;
		s->avail_idx = st->last_avail;
		s->nr_ready = 0;
		s->unread = 0;
	}
	side_check_state(s);
}

/* With the rings freed, the sanitizer sees who still touches them. */
void side_reset(struct side *s)
{
	const struct vrl_used_elem e = { s->cfg.packed ? 1u << 16 : 0, 1 };
	struct vrl_vq_state st;

	vrl_vq_reset(s->vq);
	side_fini_areas(s);
	CHECK(vrl_vq_is_broken(s->vq) && vrl_vq_why(s->vq) == VRL_WHY_RESET);
	CHECK(vrl_vq_peek_burst(s->vq, s->b, s->b->max_chains) == -ESHUTDOWN);
	CHECK(!s->b->nr_chains && !s->b->nr_segs);
	CHECK(vrl_vq_avail_count(s->vq) < 0);
	vrl_vq_push_burst(s->vq, &e, 1);
	vrl_vq_push_in_order(s->vq, &e, 1);
	CHECK(!vrl_vq_needs_call(s->vq));
	CHECK(!vrl_vq_enable_kick(s->vq));
	vrl_vq_disable_kick(s->vq);
	vrl_vq_get_state(s->vq, &st);
	vrl_vq_set_state(s->vq, &st);
	CHECK(vrl_vq_peek_burst(s->vq, s->b, 1) == -ESHUTDOWN);

	view_forget_pokes();
	side_begin(s);
	side_check_state(s);
}
