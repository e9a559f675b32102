// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Rings of both kinds as the bytes that the specification says, written without
 * the structs of the library or the kernel; and what else a run needs.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <string.h>
#endif

#include "vectors.h"

#define TABLE_BYTES	(16 * VEC_MAX_TABLE)
/* In the middle of the second entry, and no multiple of a word. */
#define TABLE_BREAK	21
#define ROOM_CHAINS	64
#define ROOM_SEGS	(2 * VRL_CHAIN_MAX)

void vec_put(__u8 *p, unsigned int bytes, __u64 value)
{
	for (; bytes--; value >>= 8)
		*p++ = (__u8)value;
}

__u64 vec_get(const __u8 *p, unsigned int bytes)
{
	__u64 value = 0;

	while (bytes--)
		value = value << 8 | p[bytes];
	return value;
}

void vec_put_desc(__u8 *at, const struct vec_desc *d, bool packed)
{
	vec_put(at, 8, d->addr);
	vec_put(at + 8, 4, d->len);
	vec_put(at + (packed ? 14 : 12), 2, d->flags);
	vec_put(at + (packed ? 12 : 14), 2, d->next);
}

__u16 vec_ahead(__u32 num, __u16 at, unsigned int n)
{
	while (n--) {
		/* With 32768 entries the carry does it. */
		at++;
		if ((at & 0x7fff) == num)
			at = (at & 0x8000) ^ 0x8000;
	}
	return at;
}

__u16 vec_avail_bits(__u16 at)
{
	return at & 0x8000 ? 1 << 7 : 1 << 15;
}

__u16 vec_used_bits(__u16 at)
{
	return at & 0x8000 ? 1 << 7 | 1 << 15 : 0;
}

void vec_start_at(struct vec_room *m, __u16 at)
{
	__u32 i;

	if (!(m->features & VRL_F_PACKED)) {
		vec_put(m->driver + 2, 2, at);
		vec_put(m->device + 2, 2, at);
		return;
	}
	for (i = 0; i < m->num; i++)
		vec_put(m->desc + 16 * i + 14, 2,
			vec_used_bits(i < (at & 0x7fff) ? at : at ^ 0x8000));
}

/* ---- the room ---- */

static int room_arrays(struct vec_room *m)
{
	struct vrl_burst *b = &m->b;

	b->max_chains = ROOM_CHAINS;
	b->max_segs = ROOM_SEGS;
	b->max_table = ROOM_SEGS;
	b->chains = vec_alloc(ROOM_CHAINS * sizeof(*b->chains));
	b->segs = vec_alloc(ROOM_SEGS * sizeof(*b->segs));
	b->fetches = vec_alloc(ROOM_CHAINS * sizeof(*b->fetches));
	b->table = vec_alloc(ROOM_SEGS * sizeof(*b->table));
	return b->chains && b->segs && b->fetches && b->table ? 0 : -ENOMEM;
}

/* The table lies in two ranges which are neighbours for the device only. */
static int room_memory(struct vec_room *m)
{
	int ret;

	m->table = vec_alloc(TABLE_BREAK);
	m->table2 = vec_alloc(TABLE_BYTES - TABLE_BREAK);
	m->tlb = vec_alloc(vrl_iotlb_size(2));
	if (!m->table || !m->table2 || !m->tlb)
		return -ENOMEM;
	ret = vrl_iotlb_init(m->tlb, 2);
	if (!ret)
		ret = vrl_iotlb_add(m->tlb, VEC_TABLE, VEC_TABLE + TABLE_BREAK - 1,
				    (unsigned long)m->table, VRL_PERM_R);
	if (!ret)
		ret = vrl_iotlb_add(m->tlb, VEC_TABLE + TABLE_BREAK,
				    VEC_TABLE + TABLE_BYTES - 1,
				    (unsigned long)m->table2, VRL_PERM_R);
	m->mem = (struct vrl_mem){ .tlb = m->tlb };
	return ret;
}

int vec_room_open(struct vec_room *m, __u32 num, __u32 features)
{
	bool packed = features & VRL_F_PACKED;

	*m = (struct vec_room){ .num = num, .features = features };
	m->desc = vec_alloc(16ul * num);
	m->driver = vec_alloc(packed ? 4 : 6 + 2ul * num);
	m->device = vec_alloc(packed ? 4 : 6 + 8ul * num);
	if (!m->desc || !m->driver || !m->device)
		return -ENOMEM;
	return room_memory(m) ? : room_arrays(m);
}

void vec_room_close(struct vec_room *m)
{
	vec_free(m->b.table);
	vec_free(m->b.fetches);
	vec_free(m->b.segs);
	vec_free(m->b.chains);
	vec_free(m->tlb);
	vec_free(m->table2);
	vec_free(m->table);
	vec_free(m->device);
	vec_free(m->driver);
	vec_free(m->desc);
}

void vec_room_put_table(struct vec_room *m, const __u8 *table)
{
	memcpy(m->table, table, TABLE_BREAK);
	memcpy(m->table2, table + TABLE_BREAK, TABLE_BYTES - TABLE_BREAK);
}

static void room_copy_table(const struct vec_room *m, __u32 off, __u8 *dst,
			    __u32 len)
{
	for (; len--; off++)
		*dst++ = off < TABLE_BREAK ? m->table[off] :
			 m->table2[off - TABLE_BREAK];
}

static int room_fetch(void *opaque, struct vrl_fetch *reqs, unsigned int nr)
{
	struct vec_room *m = opaque;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		__u64 off = reqs[i].iova - VEC_TABLE;

		if (off >= TABLE_BYTES || reqs[i].len > TABLE_BYTES - off)
			reqs[i].err = -EFAULT;
		else
			room_copy_table(m, (__u32)off, reqs[i].dst, reqs[i].len);
	}
	return 0;
}

void vec_config(struct vec_room *m, struct vrl_vq_config *cfg, __u16 at)
{
	*cfg = (struct vrl_vq_config){
		.desc = m->desc,
		.driver = m->driver,
		.device = m->device,
		.num = m->num,
		.features = m->features,
		.state = { at, at },
		.fetch = room_fetch,
		.opaque = m,
	};
}
