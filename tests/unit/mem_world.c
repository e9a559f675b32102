// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * See mem_world.h.
 */
#include <stdlib.h>
#include <string.h>

#include "mem_world.h"

static size_t range_bytes(const struct world_range *r)
{
	return r->len + 2 * WORLD_GUARD;
}

void world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->tlb = malloc(vrl_iotlb_size(WORLD_RANGES));
	assert_non_null(w->tlb);
	assert_int_equal(vrl_iotlb_init(w->tlb, WORLD_RANGES), 0);
	w->m.tlb = w->tlb;
	w->b.chains = w->chains;
	w->b.segs = w->segs;
}

void world_close(struct world *w)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		free(w->range[i].mem);
	free(w->tlb);
}

/* Twice the memory: what is, and what world_remember() saw. */
void world_map(struct world *w, uint64_t first, uint32_t len, uint32_t perm)
{
	struct world_range *r = &w->range[w->nr++];
	size_t i;

	assert_true(w->nr <= WORLD_RANGES);
	*r = (struct world_range){ .first = first, .len = len, .perm = perm };
	r->mem = malloc(2 * range_bytes(r));
	assert_non_null(r->mem);
	for (i = 0; i < range_bytes(r); i++)
		r->mem[i] = (unsigned char)((i + 1) * 37 + w->nr * 101);
	assert_int_equal(vrl_iotlb_add(w->tlb, first, first + len - 1,
				       (uintptr_t)r->mem + WORLD_GUARD, perm),
			 0);
}

unsigned char *world_byte(struct world *w, uint64_t iova, uint32_t perm)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++) {
		struct world_range *r = &w->range[i];

		if (iova - r->first < r->len && (r->perm & perm) == perm)
			return r->mem + WORLD_GUARD + (iova - r->first);
	}
	return NULL;
}

struct vrl_chain *world_chain(struct world *w)
{
	struct vrl_chain *c = &w->chains[w->b.nr_chains++];

	assert_true(w->b.nr_chains <= WORLD_CHAINS);
	*c = (struct vrl_chain){ .id = 7 * w->b.nr_chains,
				 .seg = w->b.nr_segs };
	return c;
}

void world_seg(struct world *w, uint64_t iova, uint32_t len, uint32_t flags)
{
	struct vrl_chain *c = &w->chains[w->b.nr_chains - 1];

	assert_true(w->b.nr_segs < WORLD_SEGS);
	w->segs[w->b.nr_segs++] = (struct vrl_seg){ iova, len, flags };
	if (flags) {
		c->nr_in++;
		c->in_len += len;
	} else {
		c->nr_out++;
		c->out_len += len;
	}
}

unsigned char *world_chain_byte(struct world *w, const struct vrl_chain *c,
				uint32_t off, uint32_t perm)
{
	const struct vrl_seg *s = &w->segs[c->seg];

	if (perm == VRL_PERM_W)
		s += c->nr_out;
	for (; off >= s->len; s++)
		off -= s->len;
	return world_byte(w, s->iova + off, perm);
}

void world_remember(struct world *w)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		memcpy(w->range[i].mem + range_bytes(&w->range[i]),
		       w->range[i].mem, range_bytes(&w->range[i]));
}

unsigned char world_was(struct world *w, const unsigned char *p)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++) {
		size_t n = range_bytes(&w->range[i]);

		if ((size_t)((uintptr_t)p - (uintptr_t)w->range[i].mem) < n)
			return p[n];
	}
	fail_msg("not a byte of this world");
	return 0;
}

void world_assert_unchanged(struct world *w)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		assert_memory_equal(w->range[i].mem +
				    range_bytes(&w->range[i]),
				    w->range[i].mem,
				    range_bytes(&w->range[i]));
}
