// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The first bytes of an input of ring_fuzz: which ring, where, over what memory.
 */
#include <string.h>

#include "setup.h"

/*
 * Two bytes each: the gap before it and what it is for, and its length. Only the
 * last one may be at the end of the 64-bit space.
 */
static void get_ranges(struct input *in, struct side_config *cfg, bool at_top)
{
	static const uint32_t perms[] = {
		VRL_PERM_R | VRL_PERM_W, VRL_PERM_R | VRL_PERM_W, VRL_PERM_R, VRL_PERM_W,
	};
	uint64_t at = SPACE_BASE;
	unsigned int i;

	for (i = 0; i < cfg->nr_ranges; i++) {
		struct range *r = &cfg->range[i];
		uint8_t how = get8(in), len = get8(in);

		r->first = at + 8 * (how & 15);
		r->len = len == 0xff ? SPACE_LONG : 1 + 4u * len;
		r->perm = perms[how >> 6];
		at = r->first + r->len;
	}
	if (cfg->window) {
		cfg->range[0].first = 0;
		cfg->range[0].perm = VRL_PERM_R | VRL_PERM_W;
		/* As iova_last, 0 would be no limit. */
		cfg->range[0].len++;
		cfg->iova_last = cfg->range[0].len - 1;
	} else if (at_top) {
		cfg->range[i - 1].first = 0ull - cfg->range[i - 1].len;
	}
}

#define FLAG_SIDES	0x03		/* 0 split, 1 packed, else both */
#define FLAG_INDIRECT	0x04
#define FLAG_EVENT_IDX	0x08
#define FLAG_IN_ORDER	0x10
#define FLAG_FETCH	0x20
#define FLAG_WINDOW	0x40
#define FLAG_SMALL	0x80		/* arrays of the burst */

unsigned int setup(struct input *in, struct side_config *cfg)
{
	uint8_t flags = get8(in), num = get8(in), misc = get8(in), small;

	memset(cfg, 0, sizeof(*cfg));
	cfg->packed = flags & FLAG_SIDES;
	cfg->num = (flags & FLAG_SIDES) == 1 ? 1u + num % SIDE_NUM_MAX :
						    1u << num % 8;
	cfg->features = (flags & FLAG_INDIRECT ? VRL_F_INDIRECT : 0) |
			(flags & FLAG_EVENT_IDX ? VRL_F_EVENT_IDX : 0) |
			(flags & FLAG_IN_ORDER ? VRL_F_IN_ORDER : 0) |
			(cfg->packed ? VRL_F_PACKED : 0);
	cfg->by_fetch = flags & FLAG_FETCH;
	cfg->window = flags & FLAG_WINDOW;
	cfg->skew = misc & 14;
	cfg->log = misc & 1;
	/* This driver reuses ids in a circle, which a log of two sides must not see. */
	cfg->fifo = cfg->log && (flags & FLAG_SIDES) > 1;
	cfg->clobber = misc & 0x10 ? get8(in) : 0;
	cfg->iova_last = misc & 0x20 ? SPACE_BASE + 32 * get8(in) : 0;
	cfg->start = get16(in);
	if (cfg->packed)
		cfg->start = (uint16_t)(cfg->start % cfg->num | (cfg->start & 0x8000));
	if (flags & FLAG_SMALL) {
		small = get8(in);
		cfg->max_chains = 1 + small % 8;
		cfg->max_segs = 1 + (small >> 3) % 8;
		cfg->max_table = small >> 6 ? small >> 3 : 0;
	}
	cfg->nr_ranges = cfg->window ? 1 : 2 + (misc >> 6);
	get_ranges(in, cfg, num & 0x80);
	return (flags & FLAG_SIDES) < 2 ? 1 : 2;
}
