// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Driver side of a split virtqueue (virtio 1.3, section 2.7). One descriptor at
 * a time, sequentially consistent throughout: slow and plain on purpose.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

static void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

void guest_init(struct guest *g, unsigned int num, bool event_idx)
{
	memset(g, 0, sizeof(*g));
	g->num = num;
	g->event_idx = event_idx;
	g->desc = xcalloc(num, sizeof(*g->desc));
	g->avail = xcalloc(1, 4 + 2 * (size_t)num + 2);
	g->used = xcalloc(1, 4 + 8 * (size_t)num + 2);
	g->busy = xcalloc(num, sizeof(*g->busy));
	g->table = xcalloc(num, sizeof(*g->table));
}

void guest_fini(struct guest *g)
{
	unsigned int i;

	for (i = 0; i < g->num; i++)
		free(g->table[i]);
	free(g->table);
	free(g->busy);
	free(g->used);
	free(g->avail);
	free(g->desc);
}

void guest_start_at(struct guest *g, uint16_t idx)
{
	g->avail_idx = idx;
	g->last_used = idx;
	g->kicked = idx;
	g->avail->idx = htole16(idx);
	g->used->idx = htole16(idx);
}

void guest_desc_fill(struct vring_desc *d, uint64_t addr, uint32_t len,
		     uint16_t flags, uint16_t next)
{
	d->addr = htole64(addr);
	d->len = htole32(len);
	d->flags = htole16(flags);
	d->next = htole16(next);
}

void guest_set_desc(struct guest *g, unsigned int i, uint64_t addr,
		    uint32_t len, uint16_t flags, uint16_t next)
{
	guest_desc_fill(&g->desc[i], addr, len, flags, next);
}

void guest_publish_avail_idx(struct guest *g, uint16_t idx)
{
	__atomic_store_n(&g->avail->idx, htole16(idx), __ATOMIC_SEQ_CST);
}

void guest_offer(struct guest *g, uint16_t head)
{
	__atomic_store_n(&g->avail->ring[g->avail_idx % g->num], htole16(head),
			 __ATOMIC_RELAXED);
	g->avail_idx++;
	guest_publish_avail_idx(g, g->avail_idx);
}

void guest_add_mem(struct guest *g, uint64_t iova, void *p, size_t len)
{
	if (g->nr_mem == GUEST_MEM_MAX)
		abort();
	g->mem[g->nr_mem++] = (struct guest_mem){ iova, p, len };
}

static int guest_alloc_desc(struct guest *g)
{
	unsigned int i;

	for (i = 0; i < g->num; i++) {
		if (!g->busy[i]) {
			g->busy[i] = true;
			return (int)i;
		}
	}
	return -1;
}

static unsigned int guest_nr_free(const struct guest *g)
{
	unsigned int i, n = 0;

	for (i = 0; i < g->num; i++)
		n += !g->busy[i];
	return n;
}

static int guest_post_indirect(struct guest *g, const struct guest_buf *bufs,
			       unsigned int nr_out, unsigned int nr)
{
	struct vring_desc *table;
	unsigned int i;
	int head;

	head = guest_alloc_desc(g);
	if (head < 0)
		return -1;

	table = xcalloc(nr, sizeof(*table));
	for (i = 0; i < nr; i++)
		guest_desc_fill(&table[i], bufs[i].iova, bufs[i].len,
				(i < nr - 1 ? VRING_DESC_F_NEXT : 0) |
				(i < nr_out ? 0 : VRING_DESC_F_WRITE),
				i < nr - 1 ? i + 1 : 0);
	g->table[head] = table;
	guest_set_desc(g, head, (uintptr_t)table, nr * sizeof(*table),
		       VRING_DESC_F_INDIRECT, 0);
	guest_offer(g, head);
	return head;
}

int guest_post(struct guest *g, const struct guest_buf *bufs,
	       unsigned int nr_out, unsigned int nr_in, bool indirect)
{
	unsigned int i, nr = nr_out + nr_in;
	int head = -1, prev = -1, d;

	if (indirect)
		return guest_post_indirect(g, bufs, nr_out, nr);
	if (guest_nr_free(g) < nr)
		return -1;

	for (i = 0; i < nr; i++) {
		d = guest_alloc_desc(g);
		guest_set_desc(g, d, bufs[i].iova, bufs[i].len,
			       i < nr_out ? 0 : VRING_DESC_F_WRITE, 0);
		if (prev < 0) {
			head = d;
		} else {
			g->desc[prev].flags |= htole16(VRING_DESC_F_NEXT);
			g->desc[prev].next = htole16(d);
		}
		prev = d;
	}
	guest_offer(g, head);
	return head;
}

static void guest_free_chain(struct guest *g, unsigned int head)
{
	unsigned int d = head;

	free(g->table[head]);
	g->table[head] = NULL;
	g->busy[d] = false;
	while (le16toh(g->desc[d].flags) & VRING_DESC_F_NEXT) {
		d = le16toh(g->desc[d].next);
		g->busy[d] = false;
	}
}

static uint16_t guest_used_idx(const struct guest *g)
{
	return le16toh(__atomic_load_n(&g->used->idx, __ATOMIC_SEQ_CST));
}

bool guest_get_used(struct guest *g, struct vrl_used_elem *e)
{
	const struct vring_used_elem *u;

	if (guest_used_idx(g) == g->last_used)
		return false;

	u = &g->used->ring[g->last_used % g->num];
	e->id = le32toh(u->id);
	e->len = le32toh(u->len);
	g->last_used++;
	if (e->id < g->num && g->busy[e->id])
		guest_free_chain(g, e->id);
	return true;
}

bool guest_needs_kick(struct guest *g)
{
	uint16_t old = g->kicked, new = g->avail_idx, event;

	g->kicked = new;
	/* Partner of (K) in vring.c. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!g->event_idx)
		return !(le16toh(__atomic_load_n(&g->used->flags,
						 __ATOMIC_SEQ_CST)) &
			 VRING_USED_F_NO_NOTIFY);
	event = le16toh(__atomic_load_n((uint16_t *)&g->used->ring[g->num],
					__ATOMIC_SEQ_CST));
	/* Did we pass the event? Counted out, not computed. */
	for (; old != new; old++)
		if (old == event)
			return true;
	return false;
}

bool guest_enable_call(struct guest *g)
{
	if (g->event_idx)
		__atomic_store_n(&g->avail->ring[g->num],
				 htole16(g->last_used), __ATOMIC_SEQ_CST);
	else
		__atomic_store_n(&g->avail->flags, 0, __ATOMIC_SEQ_CST);
	/* Partner of (N) in vring.c. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return guest_used_idx(g) != g->last_used;
}

void guest_disable_call(struct guest *g)
{
	if (!g->event_idx)
		__atomic_store_n(&g->avail->flags,
				 htole16(VRING_AVAIL_F_NO_INTERRUPT),
				 __ATOMIC_SEQ_CST);
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
		if (g->table[i] && (uintptr_t)g->table[i] == iova)
			return g->table[i];
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

void guest_config(struct guest *g, struct vrl_vq_config *cfg, bool indirect)
{
	*cfg = (struct vrl_vq_config){
		.desc = g->desc,
		.driver = g->avail,
		.device = g->used,
		.num = g->num,
		.features = (indirect ? VRL_F_INDIRECT : 0) |
			    (g->event_idx ? VRL_F_EVENT_IDX : 0),
		.fetch = guest_fetch,
		.opaque = g,
		.state = { g->avail_idx, g->last_used },
	};
}

/* Not zeroed: what is not written must show. */
static void *burst_array(size_t n, size_t size)
{
	return memset(xcalloc(n, size), 0xa5, n * size);
}

struct vrl_burst *burst_create(unsigned int chains, unsigned int segs,
			       unsigned int table)
{
	struct vrl_burst *b = xcalloc(1, sizeof(*b));

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
