// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Driver side of a virtqueue: what is the same for both kinds of ring. One chain
 * at a time, sequentially consistent throughout: slow and plain on purpose.
 */
#include <errno.h>
#include <string.h>

#include "guest_ops.h"

static const struct guest_ops *guest_ops(const struct guest *g)
{
	return g->kind == GUEST_PACKED ? &guest_packed_ops : &guest_split_ops;
}

void guest_init(struct guest *g, enum guest_kind kind, unsigned int num,
		uint32_t features)
{
	if (features & ~(VRL_F_EVENT_IDX | VRL_F_IN_ORDER))
		abort();
	memset(g, 0, sizeof(*g));
	g->kind = kind;
	g->num = num;
	g->nr_free = num;
	g->features = features;
	g->event_idx = features & VRL_F_EVENT_IDX;
	g->in_order = features & VRL_F_IN_ORDER;
	g->chain = guest_calloc(num, sizeof(*g->chain));
	g->order = guest_calloc(num, sizeof(*g->order));
	guest_ops(g)->init(g);
}

void guest_fini(struct guest *g)
{
	unsigned int i;

	for (i = 0; i < g->num; i++)
		free(g->chain[i].table);
	free(g->chain);
	free(g->order);
	guest_ops(g)->fini(g);
}

void guest_start_at(struct guest *g, uint16_t idx)
{
	g->avail_idx = idx;
	g->last_used = idx;
	g->kicked = idx;
	guest_ops(g)->start_at(g, idx);
}

void guest_config(struct guest *g, struct vrl_vq_config *cfg, bool indirect)
{
	bool packed = g->kind == GUEST_PACKED;

	*cfg = (struct vrl_vq_config){
		.desc = packed ? (void *)g->ring : (void *)g->desc,
		.driver = packed ? (void *)g->driver_event : (void *)g->avail,
		.device = packed ? (void *)g->device_event : (void *)g->used,
		.num = g->num,
		.features = g->features | (indirect ? VRL_F_INDIRECT : 0) |
			    (packed ? VRL_F_PACKED : 0),
		.fetch = guest_fetch,
		.opaque = g,
		.state = { g->avail_idx, g->last_used },
	};
}

/* ---- posting ---- */

int guest_post(struct guest *g, const struct guest_buf *bufs,
	       unsigned int nr_out, unsigned int nr_in, bool indirect)
{
	unsigned int i, nr = nr_out + nr_in;
	struct guest_chain *c;
	int id;

	if (g->nr_free < (indirect ? 1 : nr))
		return -1;
	id = indirect ? guest_ops(g)->post_indirect(g, bufs, nr_out, nr) :
			guest_ops(g)->post(g, bufs, nr_out, nr);
	c = &g->chain[id];
	c->posted = true;
	c->nr_desc = indirect ? 1 : nr;
	c->in_len = 0;
	for (i = nr_out; i < nr; i++)
		c->in_len += bufs[i].len;
	if (g->in_order)
		g->order[g->next++ % g->num] = id;
	g->nr_free -= c->nr_desc;
	return id;
}

bool guest_needs_kick(struct guest *g)
{
	bool kick;

	/* Partner of (K): what was posted, then the device's wishes. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	kick = guest_ops(g)->needs_kick(g);
	g->kicked = g->avail_idx;
	g->unasked = 0;
	return kick;
}

uint32_t guest_notify_data(const struct guest *g, uint16_t vqn)
{
	return vqn | (uint32_t)g->avail_idx << 16;
}

/* ---- used buffers ---- */

static void guest_retire(struct guest *g, uint16_t id)
{
	struct guest_chain *c = &g->chain[id];

	if (g->in_order)
		g->first++;
	guest_ops(g)->retire(g, id);
	g->nr_free += c->nr_desc;
	free(c->table);
	c->table = NULL;
	c->posted = false;
}

/*
 * In order, an entry stands for all chains up to the one it names; those before
 * it are taken to be written in full (2.7.9, 2.8.8).
 */
static void guest_get_batched(struct guest *g, struct vrl_used_elem *e)
{
	e->id = g->order[g->first % g->num];
	if (e->id == g->batch.id) {
		e->len = g->batch.len;
		g->in_batch = false;
	} else {
		e->len = g->chain[e->id].in_len;
	}
}

bool guest_get_used(struct guest *g, struct vrl_used_elem *e)
{
	if (!g->in_batch) {
		if (!guest_ops(g)->has_used(g) ||
		    (g->kind == GUEST_PACKED && g->stray))
			return false;
		guest_ops(g)->read_used(g, e);
		if (e->id >= g->num || !g->chain[e->id].posted) {
			g->stray++;
			if (g->kind == GUEST_SPLIT)
				g->last_used++;
			return true;
		}
		g->in_batch = g->in_order;
		g->batch = *e;
	}
	if (g->in_batch)
		guest_get_batched(g, e);
	guest_retire(g, e->id);
	return true;
}

bool guest_enable_call(struct guest *g)
{
	guest_ops(g)->set_event(g, true, 0);
	/* Partner of (N): the wish, then what has been used. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return guest_ops(g)->has_used(g);
}

void guest_disable_call(struct guest *g)
{
	guest_ops(g)->set_event(g, false, 0);
}

void guest_call_after(struct guest *g, unsigned int n)
{
	if (!g->event_idx)
		abort();
	guest_ops(g)->set_event(g, true, n);
}

/* ---- memory ---- */

void guest_add_mem(struct guest *g, uint64_t iova, void *p, size_t len)
{
	if (g->nr_mem == GUEST_MEM_MAX)
		abort();
	g->mem[g->nr_mem++] = (struct guest_mem){ iova, p, len };
}

const void *guest_mem_find(void *opaque, uint64_t iova, uint32_t len)
{
	struct guest *g = opaque;
	unsigned int i;

	for (i = 0; i < g->nr_mem; i++) {
		const struct guest_mem *m = &g->mem[i];

		if (iova >= m->iova && iova - m->iova <= m->len &&
		    len <= m->len - (iova - m->iova))
			return (char *)m->p + (iova - m->iova);
	}
	/* Tables of guest_post() are known by their address. */
	for (i = 0; i < g->num; i++)
		if (g->chain[i].table && (uintptr_t)g->chain[i].table == iova)
			return g->chain[i].table;
	return NULL;
}

int guest_fetch(void *opaque, struct vrl_fetch *reqs, unsigned int nr)
{
	struct guest *g = opaque;
	unsigned int i;

	g->fetch_calls++;
	g->fetch_reqs += nr;
	for (i = 0; i < nr; i++) {
		const void *p = guest_mem_find(g, reqs[i].iova, reqs[i].len);

		if (p)
			memcpy(reqs[i].dst, p, reqs[i].len);
		else
			reqs[i].err = -EFAULT;
	}
	return g->fetch_ret;
}

/* ---- the device's arrays ---- */

/* Not zeroed: what is not written must show. */
static void *burst_array(size_t n, size_t size)
{
	return memset(guest_calloc(n, size), 0xa5, n * size);
}

struct vrl_burst *burst_create(unsigned int chains, unsigned int segs,
			       unsigned int table)
{
	struct vrl_burst *b = guest_calloc(1, sizeof(*b));

	b->chains = burst_array(chains, sizeof(*b->chains));
	b->segs = burst_array(segs, sizeof(*b->segs));
	b->fetches = burst_array(chains, sizeof(*b->fetches));
	b->table = burst_array(table, sizeof(*b->table));
	b->max_chains = chains;
	b->max_segs = segs;
	b->max_table = table;
	return b;
}

void burst_destroy(struct vrl_burst *b)
{
	free(b->table);
	free(b->fetches);
	free(b->segs);
	free(b->chains);
	free(b);
}

uint32_t test_random(uint32_t *state)
{
	uint32_t x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return x;
}
