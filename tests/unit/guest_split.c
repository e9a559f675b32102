// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Driver side of a split virtqueue (virtio 1.3, section 2.7).
 */
#include <endian.h>

#include "guest_ops.h"

static void split_init(struct guest *g)
{
	g->desc = guest_calloc(g->num, sizeof(*g->desc));
	g->avail = guest_calloc(1, 4 + 2 * (size_t)g->num + 2);
	g->used = guest_calloc(1, 4 + 8 * (size_t)g->num + 2);
	g->busy = guest_calloc(g->num, sizeof(*g->busy));
}

static void split_fini(struct guest *g)
{
	free(g->busy);
	free(g->used);
	free(g->avail);
	free(g->desc);
}

static void split_start_at(struct guest *g, uint16_t idx)
{
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
	g->unasked++;
	guest_publish_avail_idx(g, g->avail_idx);
}

/*
 * The next free one in ring order. In order nothing else is allowed, and since the
 * device gives back in that order, too, the first one looked at is free.
 */
static unsigned int split_take_desc(struct guest *g)
{
	while (g->busy[g->next_desc]) {
		if (g->in_order)
			abort();
		g->next_desc = (g->next_desc + 1) % g->num;
	}
	g->busy[g->next_desc] = true;
	return g->next_desc;
}

static int split_post_indirect(struct guest *g, const struct guest_buf *bufs,
			       unsigned int nr_out, unsigned int nr)
{
	struct vring_desc *table = guest_calloc(nr, sizeof(*table));
	unsigned int i, head = split_take_desc(g);

	for (i = 0; i < nr; i++)
		guest_desc_fill(&table[i], bufs[i].iova, bufs[i].len,
				(i < nr - 1 ? VRING_DESC_F_NEXT : 0) |
				(i < nr_out ? 0 : VRING_DESC_F_WRITE),
				i < nr - 1 ? i + 1 : 0);
	g->chain[head].table = table;
	guest_set_desc(g, head, (uintptr_t)table, nr * sizeof(*table),
		       VRING_DESC_F_INDIRECT, 0);
	g->next_desc = (head + 1) % g->num;
	guest_offer(g, head);
	return (int)head;
}

static int split_post(struct guest *g, const struct guest_buf *bufs,
		      unsigned int nr_out, unsigned int nr)
{
	unsigned int i, head = 0, prev = 0, d;

	for (i = 0; i < nr; i++) {
		d = split_take_desc(g);
		guest_set_desc(g, d, bufs[i].iova, bufs[i].len,
			       i < nr_out ? 0 : VRING_DESC_F_WRITE, 0);
		if (i == 0) {
			head = d;
		} else {
			g->desc[prev].flags |= htole16(VRING_DESC_F_NEXT);
			g->desc[prev].next = htole16(d);
		}
		prev = d;
		g->next_desc = (d + 1) % g->num;
	}
	guest_offer(g, head);
	return (int)head;
}

static uint16_t split_used_idx(const struct guest *g)
{
	return le16toh(__atomic_load_n(&g->used->idx, __ATOMIC_SEQ_CST));
}

static bool split_has_used(const struct guest *g)
{
	return split_used_idx(g) != g->last_used;
}

static void split_read_used(const struct guest *g, struct vrl_used_elem *e)
{
	const struct vring_used_elem *u = &g->used->ring[g->last_used % g->num];

	e->id = le32toh(u->id);
	e->len = le32toh(u->len);
}

static void split_retire(struct guest *g, uint16_t id)
{
	unsigned int d = id;

	g->last_used++;
	g->busy[d] = false;
	while (le16toh(g->desc[d].flags) & VRING_DESC_F_NEXT) {
		d = le16toh(g->desc[d].next);
		g->busy[d] = false;
	}
}

static bool split_needs_kick(struct guest *g)
{
	unsigned int i;
	uint16_t event;

	if (!g->event_idx)
		return !(le16toh(__atomic_load_n(&g->used->flags,
						 __ATOMIC_SEQ_CST)) &
			 VRING_USED_F_NO_NOTIFY);
	event = le16toh(__atomic_load_n((uint16_t *)&g->used->ring[g->num],
					__ATOMIC_SEQ_CST));
	/* Did we pass the event? Counted out, not computed. */
	for (i = 0; i < g->unasked; i++)
		if ((uint16_t)(g->kicked + i) == event)
			return true;
	return false;
}

static void split_set_event(struct guest *g, bool enable, unsigned int n)
{
	uint16_t flags = enable ? 0 : VRING_AVAIL_F_NO_INTERRUPT;

	/* With event index, flags stay 0 and there is no way to say "none". */
	if (!g->event_idx)
		__atomic_store_n(&g->avail->flags, htole16(flags),
				 __ATOMIC_SEQ_CST);
	else if (enable)
		__atomic_store_n(&g->avail->ring[g->num],
				 htole16(g->last_used + n), __ATOMIC_SEQ_CST);
}

const struct guest_ops guest_split_ops = {
	.init = split_init,
	.fini = split_fini,
	.start_at = split_start_at,
	.post = split_post,
	.post_indirect = split_post_indirect,
	.has_used = split_has_used,
	.read_used = split_read_used,
	.retire = split_retire,
	.needs_kick = split_needs_kick,
	.set_event = split_set_event,
};
