// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What virtio 1.3 says about one descriptor chain: its segments, or that it is
 * malformed. A loop is found by remembering which entries were visited, not by
 * counting as the library does. Of a malformed chain it does not matter which
 * rule it breaks first.
 */
#include <endian.h>
#include <string.h>

#include "guest.h"

static bool oracle_add(struct oracle_chain *c, uint64_t addr, uint32_t len,
		       bool write)
{
	uint64_t total = c->out_len + c->in_len + len;

	if (len == 0 || total >= UINT64_C(0x100000000))
		return false;
	if (addr > UINT64_MAX - len + 1)
		return false;
	if (!write && c->nr_in > 0)
		return false;
	if (c->nr == ORACLE_MAX_SEGS)
		return false;

	c->seg[c->nr].iova = addr;
	c->seg[c->nr].len = len;
	c->seg[c->nr].write = write;
	c->nr++;
	c->nr_out += !write;
	c->nr_in += write;
	c->out_len += write ? 0 : len;
	c->in_len += write ? len : 0;
	return true;
}

static enum oracle_verdict oracle_table(const struct vring_desc *table,
					unsigned int entries,
					struct oracle_chain *c)
{
	bool visited[ORACLE_MAX_SEGS] = { false };
	unsigned int i = 0;

	for (;;) {
		uint16_t flags;

		if (i >= entries || visited[i])
			return ORACLE_ILLEGAL;
		visited[i] = true;

		flags = le16toh(table[i].flags);
		if (flags & VRING_DESC_F_INDIRECT)
			return ORACLE_ILLEGAL;
		if (!oracle_add(c, le64toh(table[i].addr),
				le32toh(table[i].len),
				flags & VRING_DESC_F_WRITE))
			return ORACLE_ILLEGAL;
		if (!(flags & VRING_DESC_F_NEXT))
			return ORACLE_LEGAL;
		i = le16toh(table[i].next);
	}
}

static enum oracle_verdict oracle_indirect(const struct oracle *o,
					   const struct vring_desc *d,
					   struct oracle_chain *c)
{
	struct vring_desc table[ORACLE_MAX_SEGS];
	uint64_t addr = le64toh(d->addr);
	uint32_t len = le32toh(d->len);
	const void *p;

	if (!o->indirect || le16toh(d->flags) & VRING_DESC_F_NEXT)
		return ORACLE_ILLEGAL;
	if (len == 0 || len % sizeof(*d) || len > sizeof(table))
		return ORACLE_ILLEGAL;
	if (addr > UINT64_MAX - len + 1)
		return ORACLE_ILLEGAL;

	p = o->mem(o->opaque, addr, len);
	if (!p)
		return ORACLE_FAULT;
	memcpy(table, p, len);
	return oracle_table(table, len / sizeof(*d), c);
}

enum oracle_verdict oracle_walk(const struct oracle *o, unsigned int head,
				struct oracle_chain *c)
{
	static bool visited[VRL_NUM_MAX];
	unsigned int i = head;

	c->nr = 0;
	c->nr_out = 0;
	c->nr_in = 0;
	c->out_len = 0;
	c->in_len = 0;
	memset(visited, 0, o->num * sizeof(visited[0]));
	for (;;) {
		const struct vring_desc *d = &o->desc[i];
		uint16_t flags;

		if (i >= o->num || visited[i])
			return ORACLE_ILLEGAL;
		visited[i] = true;

		flags = le16toh(d->flags);
		if (flags & VRING_DESC_F_INDIRECT)
			return oracle_indirect(o, d, c);
		if (!oracle_add(c, le64toh(d->addr), le32toh(d->len),
				flags & VRING_DESC_F_WRITE))
			return ORACLE_ILLEGAL;
		if (!(flags & VRING_DESC_F_NEXT))
			return ORACLE_LEGAL;
		i = le16toh(d->next);
	}
}
