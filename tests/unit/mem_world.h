/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A driver's memory for tests of vrl/mem.h: IOVA ranges whose memory lies
 * apart, each byte with a value of its own, and a burst of chains over them. What
 * an IOVA holds is told byte by byte, by a linear search over all ranges.
 */
#ifndef MEM_WORLD_H
#define MEM_WORLD_H

#include <vrl/mem.h>

#include "test.h"

#define WORLD_RANGES	128
#define WORLD_CHAINS	8
#define WORLD_SEGS	256
#define WORLD_GUARD	64		/* bytes before and behind each range */

struct world_range {
	uint64_t first;
	uint32_t len;
	uint32_t perm;
	unsigned char *mem;		/* with a guard at both ends */
};

struct world {
	struct world_range range[WORLD_RANGES];
	unsigned int nr;
	struct vrl_iotlb *tlb;
	struct vrl_mem m;
	struct vrl_burst b;
	struct vrl_chain chains[WORLD_CHAINS];
	struct vrl_seg segs[WORLD_SEGS];
};

void world_open(struct world *w);
void world_close(struct world *w);
void world_map(struct world *w, uint64_t first, uint32_t len, uint32_t perm);

/* The byte at @iova, or NULL if it is not mapped for @perm. */
unsigned char *world_byte(struct world *w, uint64_t iova, uint32_t perm);

/* Start a chain; then add its segments, readable ones first. */
struct vrl_chain *world_chain(struct world *w);
void world_seg(struct world *w, uint64_t iova, uint32_t len, uint32_t flags);

/* Byte @off of the chain's readable (perm R) or writable (perm W) part. */
unsigned char *world_chain_byte(struct world *w, const struct vrl_chain *c,
				uint32_t off, uint32_t perm);

/* Nothing mapped, and no guard, has changed since world_remember(). */
void world_assert_unchanged(struct world *w);
/* Once after the last world_map(), and after each change that is right. */
void world_remember(struct world *w);
/* What @p, from world_byte(), was then. */
unsigned char world_was(struct world *w, const unsigned char *p);

#endif /* MEM_WORLD_H */
