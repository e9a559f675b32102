/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The translation table of a domain: a 4-level radix tree over 48 bits of
 * address, like a CPU's page table, with leaves of 4 KiB, 2 MiB and 1 GiB.
 *
 * No lock: tables are added by compare and exchange and stay until the tree
 * goes, leaves are single words. Any number of callers may map, unmap and look
 * up at once, in any context, as long as the ranges that are mapped and
 * unmapped at the same time are disjoint.
 *
 * Knows nothing of the IOMMU core and is compiled on the host as well.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#ifndef VSP_RADIX_H
#define VSP_RADIX_H

#ifdef __KERNEL__
#include <linux/gfp.h>
#include <linux/types.h>
#else
#include "radix_host.h"
#endif

#define VSP_RADIX_READ		(1U << 0)
#define VSP_RADIX_WRITE		(1U << 1)
#define VSP_RADIX_PERM		(VSP_RADIX_READ | VSP_RADIX_WRITE)

#define VSP_RADIX_LEVELS	4
#define VSP_RADIX_ADDR_BITS	48

struct vsp_radix {
	u64 *root;
};

/**
 * struct vsp_radix_walk - what a lookup goes through
 * @entry: the words read, from the root on; 0: nothing there
 * @depth: how many
 * @size:  bytes of the leaf that the last one is; 0: it is none
 * @phys:  where the leaf begins
 * @perm:  its permissions
 */
struct vsp_radix_walk {
	u64 entry[VSP_RADIX_LEVELS];
	unsigned int depth;
	u64 size;
	u64 phys;
	u32 perm;
};

/* Return: 0 or -ENOMEM. May sleep if @gfp may. */
int vsp_radix_init(struct vsp_radix *r, gfp_t gfp);

/* Nobody uses the tree any more. */
void vsp_radix_fini(struct vsp_radix *r);

/**
 * vsp_radix_map() - map a range
 * @r:      tree
 * @iova:   where, a multiple of @pgsize
 * @phys:   what, a multiple of @pgsize
 * @size:   bytes, a multiple of @pgsize
 * @pgsize: 4 KiB, 2 MiB or 1 GiB: size of the leaves. Smaller ones are used
 *          where the tree has been finer before
 * @perm:   VSP_RADIX_READ, VSP_RADIX_WRITE or both
 * @gfp:    for tables
 * @mapped: out: bytes mapped from @iova on, also after an error
 *
 * Return: 0; -ENOMEM; -EEXIST: something is mapped there; -ERANGE: beyond 48
 * bits; -EINVAL: another page size, or not aligned
 */
int vsp_radix_map(struct vsp_radix *r, u64 iova, u64 phys, u64 size, u64 pgsize,
		  u32 perm, gfp_t gfp, u64 *mapped);

/**
 * vsp_radix_unmap() - take a range away
 * @r:    tree
 * @iova: multiple of 4 KiB
 * @size: multiple of 4 KiB
 *
 * Any context. Larger leaves that the range ends in are split first; the rest of
 * them stays mapped all the while.
 *
 * Return: bytes from @iova on that were mapped and are not any more. Less than
 * @size: a hole, or no memory to split a leaf
 */
u64 vsp_radix_unmap(struct vsp_radix *r, u64 iova, u64 size);

/**
 * vsp_radix_lookup() - translate an address
 * @r:    tree
 * @iova: address
 * @perm: what must be permitted; 0: anything that is mapped
 * @phys: out: what @iova maps to
 * @len:  out: how many bytes from there on are the same leaf's
 *
 * Return: true if it is mapped for that
 */
bool vsp_radix_lookup(const struct vsp_radix *r, u64 iova, u32 perm, u64 *phys, u64 *len);

/* What a lookup of @iova reads, for people. */
void vsp_radix_walk(const struct vsp_radix *r, u64 iova, struct vsp_radix_walk *w);

#endif /* VSP_RADIX_H */
