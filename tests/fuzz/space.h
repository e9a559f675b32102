/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A driver's address space for the fuzz harness: some ranges, neighbours or with
 * holes between them, each an area of its own (view.h), and whatever the library
 * needs to reach them. Everything that it answers is looked up byte by byte.
 */
#ifndef FUZZ_SPACE_H
#define FUZZ_SPACE_H

#include <vrl/mem.h>

#include "view.h"

#define SPACE_RANGES	6
#define SPACE_BASE	0x10000		/* where the first range begins */
#define SPACE_LONG	17000		/* bytes of a range that a table of 1024 fits in */
#define SPACE_BYTES	(SPACE_RANGES * SPACE_LONG)

struct range {
	uint64_t first;
	uint32_t len;			/* 0: there is none */
	uint32_t perm;
	bool mapped;
};

struct space {
	struct range range[SPACE_RANGES];
	unsigned int nr;
	struct area *area;		/* one per range, the owner's */
	struct vrl_iotlb *tlb;
	struct vrl_mem mem;
};

/* @areas: room for @nr, which get what the driver's memory begins with. */
void space_init(struct space *s, const struct range *r, unsigned int nr,
		struct area *areas);
void space_fini(struct space *s);
/* The range goes, if it is there, or comes back; its memory stays. */
void space_toggle(struct space *s, unsigned int i);

/* Where a byte lies that may be used so, and in which range; NULL if nowhere. */
uint8_t *space_byte(const struct space *s, uint64_t iova, uint32_t perm,
		    unsigned int *range);
bool space_has(const struct space *s, uint64_t iova, uint64_t len, uint32_t perm);
/* In one range, at an address of 8: such tables are read in place (vrl_vq_config.mem). */
bool space_lies_together(const struct space *s, uint64_t iova, uint64_t len);
/* The driver writes; bytes without memory are lost. */
void space_poke(struct space *s, uint64_t iova, const void *p, size_t len);

#endif /* FUZZ_SPACE_H */
