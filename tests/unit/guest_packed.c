// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Driver side of a packed virtqueue (virtio 1.3, section 2.8). Positions are an
 * offset into the ring with the wrap counter in bit 15, and are moved one
 * descriptor at a time.
 */
#include <endian.h>

#include "guest_ops.h"

#define F_AVAIL		(1 << VRING_PACKED_DESC_F_AVAIL)
#define F_USED		(1 << VRING_PACKED_DESC_F_USED)
#define WRAP		(1u << VRING_PACKED_EVENT_F_WRAP_CTR)

static void packed_init(struct guest *g)
{
	g->ring = guest_calloc(g->num, sizeof(*g->ring));
	g->driver_event = guest_calloc(1, sizeof(*g->driver_event));
	g->device_event = guest_calloc(1, sizeof(*g->device_event));
	g->avail_idx = WRAP;
	g->last_used = WRAP;
	g->kicked = WRAP;
}

static void packed_fini(struct guest *g)
{
	free(g->device_event);
	free(g->driver_event);
	free(g->ring);
}

static unsigned int offset_of(uint16_t at)
{
	return at & (WRAP - 1);
}

static bool wrap_of(uint16_t at)
{
	return at & WRAP;
}

uint16_t guest_packed_ahead(const struct guest *g, uint16_t at, unsigned int n)
{
	while (n--) {
		at++;
		if (offset_of(at) == g->num)
			at = wrap_of(at) ? 0 : WRAP;
	}
	return at;
}

/* What a descriptor's two bits are when it is available in this lap (2.8.1). */
static uint16_t avail_bits(uint16_t at)
{
	return wrap_of(at) ? F_AVAIL : F_USED;
}

static uint16_t used_bits(uint16_t at)
{
	return wrap_of(at) ? F_AVAIL | F_USED : 0;
}

/* Before the position all is used in this lap, behind it in the one before. */
static void packed_start_at(struct guest *g, uint16_t idx)
{
	unsigned int i;

	for (i = 0; i < g->num; i++)
		g->ring[i].flags = htole16(used_bits(i < offset_of(idx) ?
						     idx : idx ^ WRAP));
}

void guest_packed_fill(struct vring_packed_desc *d, uint64_t addr, uint32_t len,
		       uint16_t id, uint16_t flags)
{
	d->addr = htole64(addr);
	d->len = htole32(len);
	d->id = htole16(id);
	d->flags = htole16(flags);
}

/* Write a descriptor, all but the flags, which are returned. */
static uint16_t packed_place(struct guest *g, uint16_t at,
			     const struct vring_packed_desc *d)
{
	struct vring_packed_desc *to = &g->ring[offset_of(at)];

	to->addr = d->addr;
	to->len = d->len;
	to->id = d->id;
	return le16toh(d->flags) | avail_bits(at);
}

/* The n descriptors from avail_idx on are written but for the first one's flags. */
static void packed_publish(struct guest *g, uint16_t first_flags, unsigned int n)
{
	struct vring_packed_desc *first = &g->ring[offset_of(g->avail_idx)];

	g->avail_idx = guest_packed_ahead(g, g->avail_idx, n);
	g->unasked += n;
	__atomic_store_n(&first->flags, htole16(first_flags), __ATOMIC_SEQ_CST);
}

void guest_packed_offer(struct guest *g, const struct vring_packed_desc *d,
			unsigned int n)
{
	uint16_t at = g->avail_idx, first = packed_place(g, at, &d[0]);
	unsigned int i;

	for (i = 1; i < n; i++) {
		at = guest_packed_ahead(g, at, 1);
		g->ring[offset_of(at)].flags = htole16(packed_place(g, at, &d[i]));
	}
	packed_publish(g, first, n);
}

/* Any id that the device does not have; not the offset, so that both show. */
static uint16_t packed_take_id(struct guest *g)
{
	unsigned int id = (offset_of(g->avail_idx) + g->num / 2) % g->num;

	while (g->chain[id].posted)
		id = (id + 1) % g->num;
	return id;
}

static int packed_post(struct guest *g, const struct guest_buf *bufs,
		       unsigned int nr_out, unsigned int nr)
{
	uint16_t at = g->avail_idx, id = packed_take_id(g), first = 0, flags;
	struct vring_packed_desc d;
	unsigned int i;

	/* The id counts in the last one only (2.8.6). */
	for (i = 0; i < nr; i++) {
		guest_packed_fill(&d, bufs[i].iova, bufs[i].len, i < nr - 1 ? 0xffff : id,
				  (i < nr - 1 ? VRING_DESC_F_NEXT : 0) |
				  (i < nr_out ? 0 : VRING_DESC_F_WRITE));
		flags = packed_place(g, at, &d);
		if (i == 0)
			first = flags;
		else
			g->ring[offset_of(at)].flags = htole16(flags);
		at = guest_packed_ahead(g, at, 1);
	}
	packed_publish(g, first, nr);
	return id;
}

static int packed_post_indirect(struct guest *g, const struct guest_buf *bufs,
				unsigned int nr_out, unsigned int nr)
{
	struct vring_packed_desc *table = guest_calloc(nr, sizeof(*table)), d;
	uint16_t id = packed_take_id(g);
	unsigned int i;

	/* In order of the table; ids mean nothing in it (2.8.7). */
	for (i = 0; i < nr; i++)
		guest_packed_fill(&table[i], bufs[i].iova, bufs[i].len, 0xffff,
				  i < nr_out ? 0 : VRING_DESC_F_WRITE);
	g->chain[id].table = table;
	guest_packed_fill(&d, (uintptr_t)table, nr * sizeof(*table), id,
			  VRING_DESC_F_INDIRECT);
	guest_packed_offer(g, &d, 1);
	return id;
}

static const struct vring_packed_desc *packed_next_used(const struct guest *g)
{
	return &g->ring[offset_of(g->last_used)];
}

/* Both bits as in this lap: used, and not what was left of the lap before. */
static bool packed_has_used(const struct guest *g)
{
	uint16_t flags = le16toh(__atomic_load_n(&packed_next_used(g)->flags,
						 __ATOMIC_SEQ_CST));

	return (flags & (F_AVAIL | F_USED)) == used_bits(g->last_used);
}

static void packed_read_used(const struct guest *g, struct vrl_used_elem *e)
{
	const struct vring_packed_desc *d = packed_next_used(g);

	/* Without the flag nothing was written, and len is reserved (2.8.4). */
	e->id = le16toh(d->id);
	e->len = le16toh(d->flags) & VRING_DESC_F_WRITE ? le32toh(d->len) : 0;
}

/* The driver remembers how many descriptors to pass over (2.8.6). */
static void packed_retire(struct guest *g, uint16_t id)
{
	g->last_used = guest_packed_ahead(g, g->last_used, g->chain[id].nr_desc);
}

static bool packed_needs_kick(struct guest *g)
{
	uint16_t at = g->kicked, flags, event;
	unsigned int i;

	flags = le16toh(__atomic_load_n(&g->device_event->flags,
					__ATOMIC_SEQ_CST)) & 3;
	if (flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (flags == VRING_PACKED_EVENT_FLAG_ENABLE || !g->event_idx)
		return true;
	event = le16toh(__atomic_load_n(&g->device_event->off_wrap,
					__ATOMIC_SEQ_CST));
	/* Was the descriptor of the event made available? Counted out. */
	for (i = 0; i < g->unasked; i++, at = guest_packed_ahead(g, at, 1))
		if (at == event)
			return true;
	return false;
}

static void packed_set_event(struct guest *g, bool enable, unsigned int n)
{
	uint16_t at = guest_packed_ahead(g, g->last_used, n);
	uint16_t flags = VRING_PACKED_EVENT_FLAG_DISABLE;

	if (enable)
		flags = g->event_idx ? VRING_PACKED_EVENT_FLAG_DESC :
				       VRING_PACKED_EVENT_FLAG_ENABLE;
	/* The offset first: it counts from when the flags say so. */
	__atomic_store_n(&g->driver_event->off_wrap, htole16(at),
			 __ATOMIC_SEQ_CST);
	__atomic_store_n(&g->driver_event->flags, htole16(flags),
			 __ATOMIC_SEQ_CST);
}

const struct guest_ops guest_packed_ops = {
	.init = packed_init,
	.fini = packed_fini,
	.start_at = packed_start_at,
	.post = packed_post,
	.post_indirect = packed_post_indirect,
	.has_used = packed_has_used,
	.read_used = packed_read_used,
	.retire = packed_retire,
	.needs_kick = packed_needs_kick,
	.set_event = packed_set_event,
};
