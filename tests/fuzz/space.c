// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Ranges of a driver's memory, byte by byte: see space.h.
 */
#include <stdlib.h>
#include <string.h>

#include "space.h"

/* The table's numbers are no pointers until this is added. */
#define SPACE_SKEW	((void *)(uintptr_t)0x3000)

static void space_map(struct space *s, unsigned int i)
{
	struct range *r = &s->range[i];
	uint64_t addr = (uintptr_t)s->area[i].live - (uintptr_t)SPACE_SKEW;

	r->mapped = r->len && !vrl_iotlb_add(s->tlb, r->first,
					     r->first + (r->len - 1), addr, r->perm);
	CHECK(r->mapped == (r->len > 0));
}

void space_init(struct space *s, const struct range *r, unsigned int nr,
		struct area *areas)
{
	uint32_t size = vrl_iotlb_size(SPACE_RANGES);
	unsigned int i;

	*s = (struct space){ .nr = nr, .area = areas };
	s->tlb = malloc(size);
	CHECK(size && s->tlb && nr <= SPACE_RANGES);
	CHECK(!vrl_iotlb_init(s->tlb, SPACE_RANGES));
	for (i = 0; i < nr; i++) {
		s->range[i] = r[i];
		area_init(&areas[i], r[i].len, 0);
		space_map(s, i);
	}
	s->mem = (struct vrl_mem){ .tlb = s->tlb, .base = SPACE_SKEW };
}

void space_fini(struct space *s)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		area_fini(&s->area[i]);
	free(s->tlb);
}

void space_toggle(struct space *s, unsigned int i)
{
	struct range *r = &s->range[i];

	if (r->mapped)
		CHECK(!vrl_iotlb_del(s->tlb, r->first, r->first + (r->len - 1)));
	if (r->mapped)
		r->mapped = false;
	else
		space_map(s, i);
}

uint8_t *space_byte(const struct space *s, uint64_t iova, uint32_t perm,
		    unsigned int *range)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		const struct range *r = &s->range[i];

		if (!r->mapped || iova < r->first || iova - r->first >= r->len)
			continue;
		if (range)
			*range = i;
		return (r->perm & perm) == perm ?
			s->area[i].live + (iova - r->first) : NULL;
	}
	return NULL;
}

bool space_has(const struct space *s, uint64_t iova, uint64_t len, uint32_t perm)
{
	uint64_t i;

	for (i = 0; i < len; i++)
		if (!space_byte(s, iova + i, perm, NULL))
			return false;
	return true;
}

bool space_lies_together(const struct space *s, uint64_t iova, uint64_t len)
{
	unsigned int i = 0;
	const uint8_t *p = space_byte(s, iova, 0, &i);

	return p && !((uintptr_t)p % 8) &&
	       len <= s->area[i].size - (size_t)(p - s->area[i].live);
}

/* Whether the device may see it or not. */
void space_poke(struct space *s, uint64_t iova, const void *p, size_t len)
{
	const uint8_t *from = p;
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		uint64_t off = iova - s->range[i].first, skip = 0 - off;

		/* It begins in the range, or the range begins in it; or neither. */
		if (off < s->range[i].len)
			area_poke(&s->area[i], off, from, len);
		else if (skip < len)
			area_poke(&s->area[i], 0, from + skip, len - skip);
	}
}
