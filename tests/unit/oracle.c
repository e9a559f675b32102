// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What virtio 1.3 says about one descriptor chain: its segments, or that it is
 * malformed. A loop is found by remembering which entries were visited, not by
 * counting as the library does. Of a malformed chain it does not matter which
 * rule it breaks first.
 *
 * Beyond the text: a length of 0, 4 GiB in a chain, more than 1024 segments, a
 * buffer behind iova_last and, packed, an id that is not below the queue size are
 * refused as well (vrl/vring.h says why).
 */
#include <endian.h>
#include <string.h>

#include "guest.h"

/* One element of a chain or table, of whichever kind. */
struct oracle_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t last;		/* next (split), id (packed) */
};

#define IN_RING		UINT64_MAX	/* no table has an entry there */

/*
 * 16 bytes of the ring, at @p, or of a table, at @iova: as they lie there, or as
 * the device has seen them.
 */
static void oracle_look(const struct oracle *o, const void *p, uint64_t iova,
			void *copy)
{
	if (o->saw)
		o->saw(o->opaque, iova == IN_RING ? p : NULL, iova, copy);
	else
		memcpy(copy, p, 16);
}

static struct oracle_desc oracle_split_desc(const struct oracle *o, const void *p,
					    uint64_t iova)
{
	struct vring_desc d;

	oracle_look(o, p, iova, &d);
	return (struct oracle_desc){
		le64toh(d.addr), le32toh(d.len),
		le16toh(d.flags), le16toh(d.next),
	};
}

static struct oracle_desc oracle_packed_desc(const struct oracle *o, const void *p,
					     uint64_t iova)
{
	struct vring_packed_desc d;

	oracle_look(o, p, iova, &d);
	return (struct oracle_desc){
		le64toh(d.addr), le32toh(d.len),
		le16toh(d.flags), le16toh(d.id),
	};
}

static bool oracle_in_space(const struct oracle *o, uint64_t addr, uint32_t len)
{
	uint64_t last = o->iova_last ? o->iova_last : UINT64_MAX;

	return addr <= last && len - 1 <= last - addr;
}

static bool oracle_add(const struct oracle *o, struct oracle_chain *c,
		       const struct oracle_desc *d)
{
	uint64_t total = c->out_len + c->in_len + d->len;
	bool write = d->flags & VRING_DESC_F_WRITE;

	if (d->len == 0 || total >= UINT64_C(0x100000000))
		return false;
	if (!oracle_in_space(o, d->addr, d->len))
		return false;
	if (!write && c->nr_in > 0)
		return false;
	if (c->nr == ORACLE_MAX_SEGS)
		return false;

	c->seg[c->nr].iova = d->addr;
	c->seg[c->nr].len = d->len;
	c->seg[c->nr].write = write;
	c->nr++;
	c->nr_out += !write;
	c->nr_in += write;
	c->out_len += write ? 0 : d->len;
	c->in_len += write ? d->len : 0;
	return true;
}

static void oracle_clear(struct oracle_chain *c)
{
	c->id = 0;
	c->nr_desc = 0;
	c->nr = 0;
	c->nr_out = 0;
	c->nr_in = 0;
	c->out_len = 0;
	c->in_len = 0;
}

/*
 * The table that a descriptor leads to. Its memory is the same for both kinds:
 * 16 bytes per entry.
 */
static enum oracle_verdict oracle_read_table(const struct oracle *o,
					     const struct oracle_desc *d,
					     void *table, size_t size)
{
	const void *p;

	if (!o->indirect || d->flags & VRING_DESC_F_NEXT)
		return ORACLE_ILLEGAL;
	if (d->len == 0 || d->len % 16 || d->len > size)
		return ORACLE_ILLEGAL;
	if (!oracle_in_space(o, d->addr, d->len))
		return ORACLE_ILLEGAL;

	p = o->mem(o->opaque, d->addr, d->len);
	if (!p)
		return ORACLE_FAULT;
	if (!o->saw)
		memcpy(table, p, d->len);
	return ORACLE_LEGAL;
}

/* ---- split ---- */

static enum oracle_verdict oracle_split_table(const struct oracle *o,
					      const struct oracle_desc *at,
					      const struct vring_desc *table,
					      struct oracle_chain *c)
{
	bool visited[ORACLE_MAX_SEGS] = { false };
	unsigned int entries = at->len / 16, i = 0, nr = 0;

	for (;;) {
		struct oracle_desc d;

		if (i >= entries || (o->saw ? nr++ == entries : visited[i]))
			return ORACLE_ILLEGAL;
		visited[i] = true;

		d = oracle_split_desc(o, &table[i], at->addr + 16 * (uint64_t)i);
		if (d.flags & VRING_DESC_F_INDIRECT)
			return ORACLE_ILLEGAL;
		if (!oracle_add(o, c, &d))
			return ORACLE_ILLEGAL;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return ORACLE_LEGAL;
		i = d.last;
	}
}

enum oracle_verdict oracle_walk(const struct oracle *o, unsigned int head,
				struct oracle_chain *c)
{
	static bool visited[VRL_NUM_MAX];
	struct vring_desc table[ORACLE_MAX_SEGS];
	enum oracle_verdict verdict;
	unsigned int i = head;

	oracle_clear(c);
	c->id = (uint16_t)head;
	memset(visited, 0, o->num * sizeof(visited[0]));
	for (;;) {
		struct oracle_desc d;

		if (i >= o->num || (o->saw ? c->nr_desc == o->num : visited[i]))
			return ORACLE_ILLEGAL;
		visited[i] = true;
		c->nr_desc++;

		d = oracle_split_desc(o, &o->desc[i], IN_RING);
		if (d.flags & VRING_DESC_F_INDIRECT) {
			verdict = oracle_read_table(o, &d, table, sizeof(table));
			if (verdict != ORACLE_LEGAL)
				return verdict;
			return oracle_split_table(o, &d, table, c);
		}
		if (!oracle_add(o, c, &d))
			return ORACLE_ILLEGAL;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return ORACLE_LEGAL;
		i = d.last;
	}
}

/* ---- packed ---- */

static bool oracle_is_avail(uint16_t flags, bool wrap)
{
	bool avail = flags & (1 << VRING_PACKED_DESC_F_AVAIL);
	bool used = flags & (1 << VRING_PACKED_DESC_F_USED);

	return avail == wrap && used != wrap;
}

/* Every entry counts, in order; only WRITE means something in it (2.8.7). */
static enum oracle_verdict oracle_packed_indirect(const struct oracle *o,
						  const struct oracle_desc *d,
						  struct oracle_chain *c)
{
	struct vring_packed_desc table[ORACLE_MAX_SEGS];
	enum oracle_verdict verdict;
	unsigned int i;

	verdict = oracle_read_table(o, d, table, sizeof(table));
	if (verdict != ORACLE_LEGAL)
		return verdict;
	for (i = 0; i < d->len / 16; i++) {
		struct oracle_desc e = oracle_packed_desc(o, &table[i], d->addr + 16 * (uint64_t)i);

		if (!oracle_add(o, c, &e))
			return ORACLE_ILLEGAL;
	}
	return ORACLE_LEGAL;
}

/* Ids are an index below the queue size, or nobody could keep books by them. */
static enum oracle_verdict oracle_id(const struct oracle *o,
				     const struct oracle_desc *d,
				     struct oracle_chain *c)
{
	c->id = d->last;
	return d->last < o->num ? ORACLE_LEGAL : ORACLE_ILLEGAL;
}

enum oracle_verdict oracle_walk_packed(const struct oracle *o, uint16_t at,
				       struct oracle_chain *c)
{
	unsigned int room = o->room ? o->room : o->num;
	unsigned int i = at & 0x7fff;
	bool wrap = at & 0x8000;
	struct oracle_desc d;

	oracle_clear(c);
	d = oracle_packed_desc(o, &o->ring[i], IN_RING);
	if (!oracle_is_avail(d.flags, wrap))
		return ORACLE_NONE;
	for (;;) {
		c->nr_desc++;

		if (d.flags & VRING_DESC_F_INDIRECT) {
			/* Never part of a list (2.8.19). */
			if (c->nr_desc > 1 || oracle_id(o, &d, c))
				return ORACLE_ILLEGAL;
			return oracle_packed_indirect(o, &d, c);
		}
		if (!oracle_add(o, c, &d))
			return ORACLE_ILLEGAL;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return oracle_id(o, &d, c);
		/* Longer than the ring, or into what is in flight. */
		if (c->nr_desc == room)
			return ORACLE_ILLEGAL;
		/* That the others are available is implied by the first (2.8.2). */
		i = (i + 1) % o->num;
		d = oracle_packed_desc(o, &o->ring[i], IN_RING);
	}
}
