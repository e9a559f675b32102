// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Writing descriptors, tables and events: see driver.h.
 */
#include <endian.h>
#include <string.h>

#include "driver.h"

unsigned int driver_needs(const struct post *p)
{
	return p->direct + (p->entries > 0);
}

unsigned int driver_room(const struct side *s)
{
	unsigned int i, n = s->unread;

	for (i = 0; i < s->nr_taken; i++)
		n += s->taken[i].nr_desc;
	for (i = 0; i < s->nr_again; i++)
		n += s->again[i].nr_desc;
	if (!s->cfg.packed && n < s->in_flight)
		n = s->in_flight;
	return n < s->cfg.num ? s->cfg.num - n : 0;
}

/* Both kinds have address and length in the same place. */
static void put_desc(uint8_t *to, const struct post_desc *d, uint16_t at12, uint16_t at14)
{
	const struct vring_desc v = { htole64(d->addr), htole32(d->len),
				      htole16(at12), htole16(at14) };

	memcpy(to, &v, 16);
}

static void driver_write_table(struct side *s, const struct post *p)
{
	unsigned int i, from = p->nr - p->direct;
	uint8_t entry[16];

	for (i = 0; i < p->entries; i++) {
		const struct post_desc *d = &p->d[p->direct + i % from];
		bool last = i == p->entries - 1, spoilt = i == p->spoil_with % p->entries;
		uint16_t flags = d->flags, next = last ? 0 : (uint16_t)(i + 1);

		if (spoilt && p->spoil == SPOIL_NESTED)
			flags |= VRING_DESC_F_INDIRECT;
		if (spoilt && p->spoil == SPOIL_ENTRY_NEXT)
			next = p->spoil_with;
		if (s->cfg.packed)
			put_desc(entry, d, next, flags);
		else
			put_desc(entry, d, last && p->spoil != SPOIL_ENTRY_NEXT ?
				 flags : flags | VRING_DESC_F_NEXT, next);
		space_poke(&s->space, p->table + 16 * (uint64_t)i, entry, 16);
	}
}

/* The descriptor that leads to the table, or the i-th direct one. */
static struct post_desc driver_desc(const struct post *p, unsigned int i, bool last)
{
	struct post_desc d;

	if (i < p->direct) {
		d = p->d[i];
	} else {
		d = (struct post_desc){ p->table, 16 * p->entries, VRING_DESC_F_INDIRECT };
		if (p->spoil == SPOIL_INDIRECT_NEXT)
			d.flags |= VRING_DESC_F_NEXT;
		if (p->spoil == SPOIL_TABLE_LEN)
			d.len += p->spoil_with % 32;
	}
	if (!last || p->spoil == SPOIL_LOOP || p->spoil == SPOIL_NEXT)
		d.flags |= VRING_DESC_F_NEXT;
	return d;
}

static void driver_post_split(struct side *s, const struct post *p)
{
	unsigned int i, n = driver_needs(p), num = s->cfg.num;
	uint16_t first = s->free_desc % num, head, slot;
	uint8_t desc[16];

	for (i = 0; i < n; i++) {
		struct post_desc d = driver_desc(p, i, i == n - 1);
		uint16_t next = (uint16_t)((first + i + 1) % num);

		if (i == n - 1 && p->spoil == SPOIL_LOOP)
			next = first;
		if (i == n - 1 && p->spoil == SPOIL_NEXT)
			next = p->spoil_with;
		put_desc(desc, &d, d.flags, next);
		area_poke(&s->area[DESC], 16 * ((first + i) % num), desc, 16);
	}
	s->free_desc = (uint16_t)((first + n) % num);
	head = htole16(p->spoil == SPOIL_HEAD ? p->spoil_with : first);
	slot = (uint16_t)((s->avail_idx + s->nr_ready) % num);
	area_poke(&s->area[DRIVER], 4 + 2 * (size_t)slot, &head, 2);
}

/* All but the flags of the first one, which driver_publish() writes. */
static void driver_post_packed(struct side *s, const struct post *p)
{
	unsigned int i, n = driver_needs(p);
	uint16_t at = s->avail_idx, first = at & 0x7fff;
	uint8_t desc[16];

	for (i = 0; i < n; i++, at = side_ahead(s, at, 1)) {
		struct post_desc d = driver_desc(p, i, i == n - 1);
		uint16_t id = p->spoil == SPOIL_HEAD ? p->spoil_with : first;
		uint16_t flags = d.flags, owner;

		owner = at & VRL_STATE_WRAP ? 1u << VRING_PACKED_DESC_F_AVAIL :
					      1u << VRING_PACKED_DESC_F_USED;
		if (i == n - 1 && i && p->spoil == SPOIL_OWNER)
			owner ^= 1u << VRING_PACKED_DESC_F_USED;
		flags = (uint16_t)(flags & 0x7f7f) | owner;
		put_desc(desc, &d, id, flags);
		area_poke(&s->area[DESC], 16 * (size_t)(at & 0x7fff), desc, i ? 16 : 14);
		if (!i) {
			s->ready[s->nr_ready].off = first;
			s->ready[s->nr_ready].flags = flags;
		}
	}
	s->avail_idx = at;
}

void driver_post(struct side *s, const struct post *p)
{
	if (s->nr_ready == SIDE_CHAINS)
		driver_publish(s, 0);
	if (p->entries)
		driver_write_table(s, p);
	if (s->cfg.packed)
		driver_post_packed(s, p);
	else
		driver_post_split(s, p);
	s->unread += driver_needs(p);
	s->nr_ready++;
}

void driver_publish(struct side *s, unsigned int more)
{
	uint16_t v;

	if (!s->cfg.packed) {
		s->avail_idx = (uint16_t)(s->avail_idx + s->nr_ready + more);
		v = htole16(s->avail_idx);
		area_poke(&s->area[DRIVER], 2, &v, 2);
	}
	for (; s->cfg.packed && s->nr_ready; s->nr_ready--) {
		v = htole16(s->ready[s->nr_ready - 1].flags);
		area_poke(&s->area[DESC],
			  16 * (size_t)s->ready[s->nr_ready - 1].off + 14, &v, 2);
	}
	s->nr_ready = 0;
}

void driver_want_call(struct side *s, unsigned int after, uint16_t flags)
{
	uint16_t event = htole16(side_ahead(s, s->used_idx, after));

	flags = htole16(flags);
	if (s->cfg.packed) {
		area_poke(&s->area[DRIVER], 0, &event, 2);
		area_poke(&s->area[DRIVER], 2, &flags, 2);
		return;
	}
	area_poke(&s->area[DRIVER], 0, &flags, 2);
	if (s->cfg.features & VRL_F_EVENT_IDX)
		area_poke(&s->area[DRIVER], 4 + 2 * (size_t)s->cfg.num, &event, 2);
}
