// SPDX-License-Identifier: GPL-2.0-only
/*
 * The translation table of a domain.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A word is 0, the address of the next table, or a leaf: physical address, LEAF
 * and permissions. Tables are aligned to 4 KiB, so a leaf is none by its LEAF
 * bit. Levels count from the leaves of 4 KiB, level 0, to the root, level 3.
 */
#ifdef __KERNEL__
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#endif

#include "radix.h"

#define RADIX_BITS	9
#define RADIX_ENTRIES	(1U << RADIX_BITS)
#define RADIX_TOP	(VSP_RADIX_LEVELS - 1)
#define RADIX_PAGE_SHIFT 12
#define RADIX_PAGE	(1ULL << RADIX_PAGE_SHIFT)
#define RADIX_LIMIT	(1ULL << VSP_RADIX_ADDR_BITS)
/* Largest leaf: 1 GiB. */
#define RADIX_MAX_LEAF	2

#define RADIX_LEAF	(1ULL << 2)
#define RADIX_PHYS	(((1ULL << 52) - 1) & ~(RADIX_PAGE - 1))

#ifdef __KERNEL__
static u64 *radix_table_alloc(gfp_t gfp)
{
	return (u64 *)__get_free_page(gfp | __GFP_ZERO);
}

static void radix_table_free(u64 *table)
{
	free_page((unsigned long)table);
}

/* Return: true if *p was @old and is @new now. Full barrier then. */
static bool radix_replace(u64 *p, u64 old, u64 new)
{
	return cmpxchg64(p, old, new) == old;
}
#endif

static unsigned int radix_shift(unsigned int level)
{
	return RADIX_PAGE_SHIFT + RADIX_BITS * level;
}

static u64 radix_size(unsigned int level)
{
	return 1ULL << radix_shift(level);
}

static unsigned int radix_index(u64 iova, unsigned int level)
{
	return (iova >> radix_shift(level)) & (RADIX_ENTRIES - 1);
}

static u64 *radix_table(u64 entry)
{
	return entry & RADIX_LEAF ? NULL : (u64 *)(uintptr_t)entry;
}

static u64 radix_leaf(u64 phys, u64 perm)
{
	return phys | RADIX_LEAF | perm;
}

int vsp_radix_init(struct vsp_radix *r, gfp_t gfp)
{
	r->root = radix_table_alloc(gfp);
	return r->root ? 0 : -ENOMEM;
}

static void radix_free(u64 *table, unsigned int level)
{
	unsigned int i;

	for (i = 0; level && i < RADIX_ENTRIES; i++)
		if (radix_table(table[i]))
			radix_free(radix_table(table[i]), level - 1);
	radix_table_free(table);
}

void vsp_radix_fini(struct vsp_radix *r)
{
	radix_free(r->root, RADIX_TOP);
	r->root = NULL;
}

/* The table below @slot, which was empty; another caller may be faster. */
static u64 *radix_grow(u64 *slot, gfp_t gfp)
{
	u64 *table = radix_table_alloc(gfp);

	if (!table)
		return NULL;
	if (radix_replace(slot, 0, (uintptr_t)table))
		return table;
	radix_table_free(table);
	return radix_table(READ_ONCE(*slot));
}

/*
 * The empty slot for @iova, at level @want or, where there is a table already,
 * below. Return: 0, -ENOMEM or -EEXIST.
 */
static int radix_descend(struct vsp_radix *r, u64 iova, unsigned int want, gfp_t gfp,
			 u64 **slot, unsigned int *level)
{
	u64 *table = r->root;
	unsigned int l;
	u64 e;

	for (l = RADIX_TOP;; l--) {
		*slot = &table[radix_index(iova, l)];
		e = READ_ONCE(*(*slot));
		if (e & RADIX_LEAF)
			return -EEXIST;
		if (!e && l <= want) {
			*level = l;
			return 0;
		}
		table = e ? radix_table(e) : radix_grow(*slot, gfp);
		if (!table)
			return -ENOMEM;
	}
}

/* Fill slots of one table. Return: how many. */
static unsigned int radix_fill(u64 *slot, u64 phys, u64 perm, u64 step, unsigned int max)
{
	unsigned int i;

	for (i = 0; i < max && !READ_ONCE(slot[i]); i++, phys += step)
		WRITE_ONCE(slot[i], radix_leaf(phys, perm));
	return i;
}

static int radix_level_of(u64 pgsize)
{
	unsigned int l;

	for (l = 0; l <= RADIX_MAX_LEAF; l++)
		if (pgsize == radix_size(l))
			return l;
	return -EINVAL;
}

int vsp_radix_map(struct vsp_radix *r, u64 iova, u64 phys, u64 size, u64 pgsize,
		  u32 perm, gfp_t gfp, u64 *mapped)
{
	int want = radix_level_of(pgsize);
	unsigned int level, n;
	u64 *slot;
	int err;

	*mapped = 0;
	if (want < 0 || ((iova | phys | size) & (pgsize - 1)))
		return -EINVAL;
	if (iova >= RADIX_LIMIT || size > RADIX_LIMIT - iova)
		return -ERANGE;
	while (*mapped < size) {
		err = radix_descend(r, iova + *mapped, want, gfp, &slot, &level);
		if (err)
			return err;
		n = min_t(u64, RADIX_ENTRIES - radix_index(iova + *mapped, level),
			  (size - *mapped) >> radix_shift(level));
		n = radix_fill(slot, phys + *mapped, perm & VSP_RADIX_PERM,
			       radix_size(level), n);
		*mapped += (u64)n << radix_shift(level);
	}
	return 0;
}

/* What @iova ends at: a leaf or nothing, and where that stands. */
static u64 *radix_find(const struct vsp_radix *r, u64 iova, unsigned int *level, u64 *entry)
{
	u64 *slot = &r->root[radix_index(iova, RADIX_TOP)];
	unsigned int l = RADIX_TOP;
	u64 *table;

	/* Words of level 0 are never tables. */
	for (*entry = READ_ONCE(*slot); (table = radix_table(*entry)); l--) {
		slot = &table[radix_index(iova, l - 1)];
		*entry = READ_ONCE(*slot);
	}
	*level = l;
	return slot;
}

/* Put a table of smaller leaves in place of a leaf. Return: false for no memory. */
static bool radix_split(u64 *slot, u64 leaf, unsigned int level)
{
	u64 *table = radix_table_alloc(GFP_ATOMIC);

	if (!table)
		return false;
	radix_fill(table, leaf & RADIX_PHYS, leaf & VSP_RADIX_PERM, radix_size(level - 1),
		   RADIX_ENTRIES);
	/* Somebody who unmaps another part of it may be faster. */
	if (!radix_replace(slot, leaf, (uintptr_t)table))
		radix_table_free(table);
	return true;
}

/* Clear leaves of one table. Return: how many. */
static unsigned int radix_clear(u64 *slot, unsigned int max)
{
	unsigned int i;

	for (i = 0; i < max && READ_ONCE(slot[i]) & RADIX_LEAF; i++)
		WRITE_ONCE(slot[i], 0);
	return i;
}

u64 vsp_radix_unmap(struct vsp_radix *r, u64 iova, u64 size)
{
	unsigned int level, n;
	u64 done = 0, entry;
	u64 *slot;

	if (iova >= RADIX_LIMIT || size > RADIX_LIMIT - iova ||
	    ((iova | size) & (RADIX_PAGE - 1)))
		return 0;
	while (done < size) {
		slot = radix_find(r, iova + done, &level, &entry);
		if (!entry)
			break;
		if (((iova + done) & (radix_size(level) - 1)) ||
		    size - done < radix_size(level)) {
			if (!radix_split(slot, entry, level))
				break;
			continue;
		}
		n = min_t(u64, RADIX_ENTRIES - radix_index(iova + done, level),
			  (size - done) >> radix_shift(level));
		done += (u64)radix_clear(slot, n) << radix_shift(level);
	}
	return done;
}

bool vsp_radix_lookup(const struct vsp_radix *r, u64 iova, u32 perm, u64 *phys, u64 *len)
{
	unsigned int level;
	u64 entry, offset;

	if (iova >= RADIX_LIMIT)
		return false;
	radix_find(r, iova, &level, &entry);
	if (!(entry & RADIX_LEAF) || (entry & perm) != perm)
		return false;
	offset = iova & (radix_size(level) - 1);
	*phys = (entry & RADIX_PHYS) + offset;
	*len = radix_size(level) - offset;
	return true;
}

void vsp_radix_walk(const struct vsp_radix *r, u64 iova, struct vsp_radix_walk *w)
{
	const u64 *table = r->root;
	u64 e = 0;

	*w = (struct vsp_radix_walk) {};
	if (iova >= RADIX_LIMIT)
		return;
	while (table) {
		e = READ_ONCE(table[radix_index(iova, RADIX_TOP - w->depth)]);
		w->entry[w->depth++] = e;
		table = radix_table(e);
	}
	if (e & RADIX_LEAF) {
		w->size = radix_size(VSP_RADIX_LEVELS - w->depth);
		w->phys = e & RADIX_PHYS;
		w->perm = e & VSP_RADIX_PERM;
	}
}
