// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Driver side of a split (virtio 1.3, 2.7.13 and 2.7.14) and of a packed ring
 * (2.8.21 and 2.8.22), for one thread beside the device's. Words of the ring are
 * relaxed atomics, and every barrier is one that the specification names; they
 * carry the letters of docs/vringh-lib.md, "Memory order".
 */
#include <endian.h>
#include <string.h>

#include <linux/virtio_ring.h>

#include "driver.h"

#define LOAD(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define STORE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

#define WRAP		0x8000

struct areas {
	size_t driver, device, size;
};

static struct areas areas_of(uint32_t features, unsigned int num)
{
	struct areas a = { .driver = 16 * (size_t)num };

	if (features & VRL_F_PACKED) {
		a.device = a.driver + 16;
		a.size = a.device + 16;
	} else {
		a.device = (a.driver + 4 + 2 * (size_t)num + 2 + 15) & ~(size_t)15;
		a.size = (a.device + 4 + 8 * (size_t)num + 2 + 15) & ~(size_t)15;
	}
	return a;
}

size_t driver_mem_size(uint32_t features, unsigned int num)
{
	return areas_of(features, num).size;
}

void driver_move(struct driver *d, void *mem)
{
	struct areas a = areas_of(d->features, d->num);

	d->split_desc = mem;
	d->packed_desc = mem;
	d->driver_area = (char *)mem + a.driver;
	d->device_area = (char *)mem + a.device;
}

void driver_init(struct driver *d, void *mem, uint32_t features, unsigned int num,
		 uint16_t start)
{
	unsigned int i;

	memset(d, 0, sizeof(*d));
	d->features = features;
	d->num = num;
	driver_move(d, mem);
	for (i = 0; i < num; i++)
		d->free[i] = (uint16_t)i;
	d->nr_free = num;
	d->room = num;
	d->back = -1;
	d->avail = d->used = d->kicked = features & VRL_F_PACKED ? WRAP : start;
	if (!(features & VRL_F_PACKED)) {
		((struct vring_avail *)d->driver_area)->idx = htole16(start);
		((struct vring_used *)d->device_area)->idx = htole16(start);
	}
}

void driver_config(const struct driver *d, struct vrl_vq_config *cfg)
{
	*cfg = (struct vrl_vq_config){
		.desc = d->split_desc,
		.driver = d->driver_area,
		.device = d->device_area,
		.num = d->num,
		.features = d->features,
		.state = { d->used, d->used },
	};
}

static uint16_t free_get(struct driver *d)
{
	uint16_t id = d->free[0];

	d->nr_free--;
	memmove(d->free, d->free + 1, d->nr_free * sizeof(d->free[0]));
	return id;
}

/* ---- split ring ----------------------------------------------------------------- */

static void split_desc_set(struct vring_desc *desc, uint64_t addr, uint32_t len,
			   uint16_t flags, uint16_t next)
{
	STORE(desc->addr, htole64(addr));
	STORE(desc->len, htole32(len));
	STORE(desc->flags, htole16(flags));
	STORE(desc->next, htole16(next));
}

static int split_post(struct driver *d, const struct driver_buf *bufs,
		      unsigned int nr_out, unsigned int nr, struct vring_desc *table)
{
	struct vring_avail *avail = d->driver_area;
	unsigned int i, nr_desc = table ? 1 : nr;
	uint16_t head, at, flags;

	if (d->nr_free < nr_desc)
		return -1;
	head = at = free_get(d);
	for (i = 0; i < nr; i++) {
		flags = (i < nr_out ? 0 : VRING_DESC_F_WRITE) |
			(i < nr - 1 ? VRING_DESC_F_NEXT : 0);
		if (table) {
			split_desc_set(&table[i], bufs[i].iova, bufs[i].len, flags, i + 1);
			continue;
		}
		if (i < nr - 1)
			d->next[at] = free_get(d);
		split_desc_set(&d->split_desc[at], bufs[i].iova, bufs[i].len, flags,
			       d->next[at]);
		at = d->next[at];
	}
	if (table)
		split_desc_set(&d->split_desc[head], (uintptr_t)table,
			       nr * sizeof(*table), VRING_DESC_F_INDIRECT, 0);
	d->nr_desc[head] = nr_desc;

	STORE(avail->ring[d->avail % d->num], htole16(head));
	d->avail++;
	/* Partner of (C): entry, descriptors and buffers before avail idx. */
	__atomic_store_n(&avail->idx, htole16(d->avail), __ATOMIC_RELEASE);
	return head;
}

static bool split_has_used(const struct driver *d)
{
	struct vring_used *used = d->device_area;

	/* Partner of (U): used idx before the used element and the buffers. */
	return le16toh(__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE)) != d->used;
}

static bool split_peek_used(const struct driver *d, uint32_t *id, uint32_t *len)
{
	struct vring_used *used = d->device_area;
	struct vring_used_elem *e = &used->ring[d->used % d->num];

	if (!split_has_used(d))
		return false;
	*id = le32toh(LOAD(e->id));
	*len = le32toh(LOAD(e->len));
	return true;
}

static void split_free(struct driver *d, uint16_t id)
{
	uint16_t at;

	d->used++;
	for (at = id; d->nr_desc[id]; d->nr_desc[id]--) {
		d->free[d->nr_free++] = at;
		at = d->next[at];
	}
}

/* ---- packed ring ---------------------------------------------------------------- */

static uint16_t pos_next(const struct driver *d, uint16_t pos, unsigned int n)
{
	unsigned int off = (pos & (WRAP - 1)) + n;
	uint16_t wrap = pos & WRAP;

	return off < d->num ? off | wrap : (off - d->num) | (wrap ^ WRAP);
}

/* VIRTQ_DESC_F_AVAIL as the wrap counter, VIRTQ_DESC_F_USED its opposite (2.8.1). */
static uint16_t pos_avail_flags(uint16_t pos)
{
	return pos & WRAP ? 1 << VRING_PACKED_DESC_F_AVAIL : 1 << VRING_PACKED_DESC_F_USED;
}

static void packed_desc_set(struct vring_packed_desc *desc, uint64_t addr, uint32_t len,
			    uint16_t id)
{
	STORE(desc->addr, htole64(addr));
	STORE(desc->len, htole32(len));
	STORE(desc->id, htole16(id));
}

static void packed_table_fill(struct vring_packed_desc *table,
				  const struct driver_buf *bufs, unsigned int nr_out,
				  unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		packed_desc_set(&table[i], bufs[i].iova, bufs[i].len, 0);
		STORE(table[i].flags, htole16(i < nr_out ? 0 : VRING_DESC_F_WRITE));
	}
}

static int packed_post(struct driver *d, const struct driver_buf *bufs,
		       unsigned int nr_out, unsigned int nr, struct vring_desc *table)
{
	unsigned int i, nr_desc = table ? 1 : nr;
	uint16_t pos = d->avail, first = 0, flags, id;
	struct vring_packed_desc *desc;

	if (d->room < nr_desc || !d->nr_free)
		return -1;
	id = free_get(d);
	for (i = 0; i < nr_desc; i++, pos = pos_next(d, pos, 1)) {
		desc = &d->packed_desc[pos & (WRAP - 1)];
		if (table) {
			packed_table_fill((void *)table, bufs, nr_out, nr);
			flags = VRING_DESC_F_INDIRECT;
			packed_desc_set(desc, (uintptr_t)table, nr * sizeof(*table), id);
		} else {
			flags = (i < nr_out ? 0 : VRING_DESC_F_WRITE) |
				(i < nr - 1 ? VRING_DESC_F_NEXT : 0);
			packed_desc_set(desc, bufs[i].iova, bufs[i].len, id);
		}
		flags |= pos_avail_flags(pos);
		if (i)
			STORE(desc->flags, htole16(flags));
		else
			first = flags;
	}
	d->nr_desc[id] = nr_desc;
	d->room -= nr_desc;

	desc = &d->packed_desc[d->avail & (WRAP - 1)];
	d->avail = pos;
	/* Partner of (C): all else of the chain before its first flags. */
	__atomic_store_n(&desc->flags, htole16(first), __ATOMIC_RELEASE);
	return id;
}

static bool packed_has_used(const struct driver *d)
{
	const uint16_t both = 1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED;
	struct vring_packed_desc *desc = &d->packed_desc[d->used & (WRAP - 1)];
	/* Partner of (U): flags before id, length and the buffers. */
	uint16_t flags = le16toh(__atomic_load_n(&desc->flags, __ATOMIC_ACQUIRE));

	return (flags & both) == (d->used & WRAP ? both : 0);
}

static bool packed_peek_used(const struct driver *d, uint32_t *id, uint32_t *len)
{
	struct vring_packed_desc *desc = &d->packed_desc[d->used & (WRAP - 1)];

	if (!packed_has_used(d))
		return false;
	*id = le16toh(LOAD(desc->id));
	*len = le32toh(LOAD(desc->len));
	return true;
}

static void packed_free(struct driver *d, uint16_t id)
{
	d->used = pos_next(d, d->used, d->nr_desc[id]);
	d->room += d->nr_desc[id];
	d->nr_desc[id] = 0;
	d->free[d->nr_free++] = id;
}

/* Steps from one position to another, in a circle of twice the ring. */
static unsigned int pos_distance(const struct driver *d, uint16_t from, uint16_t to)
{
	unsigned int a = (from & (WRAP - 1)) + (from & WRAP ? 0 : d->num);
	unsigned int b = (to & (WRAP - 1)) + (to & WRAP ? 0 : d->num);

	return (b + 2 * d->num - a) % (2 * d->num);
}

/* ---- both ----------------------------------------------------------------------- */

int driver_post(struct driver *d, const struct driver_buf *bufs, unsigned int nr_out,
		unsigned int nr_in, struct vring_desc *table)
{
	bool packed = d->features & VRL_F_PACKED;
	int id = packed ? packed_post(d, bufs, nr_out, nr_out + nr_in, table) :
			  split_post(d, bufs, nr_out, nr_out + nr_in, table);

	if (id >= 0 && d->features & VRL_F_IN_ORDER)
		d->order[d->nr_order++] = (uint16_t)id;
	return id;
}

/* The oldest, of those that one element has given back. */
static void in_order_next(struct driver *d, uint32_t *id, uint32_t *len)
{
	*id = d->order[0];
	*len = *id == (uint32_t)d->back ? d->back_len : ~0u;
	if (*id == (uint32_t)d->back)
		d->back = -1;
	d->nr_order--;
	memmove(d->order, d->order + 1, d->nr_order * sizeof(d->order[0]));
}

int driver_get_used(struct driver *d, uint32_t *id, uint32_t *len)
{
	bool packed = d->features & VRL_F_PACKED;

	if (d->back < 0) {
		if (!(packed ? packed_peek_used(d, id, len) : split_peek_used(d, id, len)))
			return 0;
		if (*id >= d->num || !d->nr_desc[*id])
			return -1;
		d->back = (int)*id;
		d->back_len = *len;
	}
	if (d->features & VRL_F_IN_ORDER)
		in_order_next(d, id, len);
	else
		d->back = -1;
	if (packed)
		packed_free(d, (uint16_t)*id);
	else
		split_free(d, (uint16_t)*id);
	return 1;
}

static bool packed_needs_kick(const struct driver *d, uint16_t old)
{
	uint32_t word = le32toh(LOAD(*(uint32_t *)d->device_area));
	uint16_t event = word & 0xffff, flags = word >> 16;

	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags == VRING_PACKED_EVENT_FLAG_ENABLE;
	return pos_distance(d, old, event) < pos_distance(d, old, d->avail);
}

bool driver_needs_kick(struct driver *d)
{
	struct vring_used *used = d->device_area;
	void *avail_event = &used->ring[d->num];
	uint16_t old = d->kicked, event;

	d->kicked = d->avail;
	/* Partner of (K): avail idx or flags before the device's wish is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (d->features & VRL_F_PACKED)
		return packed_needs_kick(d, old);
	if (!(d->features & VRL_F_EVENT_IDX))
		return !(le16toh(LOAD(used->flags)) & VRING_USED_F_NO_NOTIFY);
	event = le16toh(LOAD(*(uint16_t *)avail_event));
	return (uint16_t)(event - old) < (uint16_t)(d->avail - old);
}

bool driver_enable_call(struct driver *d)
{
	struct vring_avail *avail = d->driver_area;
	bool event_idx = d->features & VRL_F_EVENT_IDX;
	uint32_t word = event_idx ? d->used | VRING_PACKED_EVENT_FLAG_DESC << 16 :
				    VRING_PACKED_EVENT_FLAG_ENABLE << 16;

	if (d->features & VRL_F_PACKED)
		STORE(*(uint32_t *)d->driver_area, htole32(word));
	else if (event_idx)
		STORE(avail->ring[d->num], htole16(d->used));
	else
		STORE(avail->flags, 0);
	/* Partner of (N): the wish before used idx or flags are read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return d->features & VRL_F_PACKED ? packed_has_used(d) : split_has_used(d);
}

void driver_disable_call(struct driver *d)
{
	struct vring_avail *avail = d->driver_area;

	if (d->features & VRL_F_PACKED)
		STORE(*(uint32_t *)d->driver_area,
		      htole32(VRING_PACKED_EVENT_FLAG_DISABLE << 16));
	else if (!(d->features & VRL_F_EVENT_IDX))
		STORE(avail->flags, htole16(VRING_AVAIL_F_NO_INTERRUPT));
}
