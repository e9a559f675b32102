/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What guest.c needs of each kind of ring; private to guest*.c.
 */
#ifndef GUEST_OPS_H
#define GUEST_OPS_H

#include <stdlib.h>

#include "guest.h"

struct guest_ops {
	void (*init)(struct guest *g);
	void (*fini)(struct guest *g);
	void (*start_at)(struct guest *g, uint16_t idx);
	/* Post a chain of nr descriptors; the id, or -1. */
	int (*post)(struct guest *g, const struct guest_buf *bufs,
		    unsigned int nr_out, unsigned int nr);
	/* Post one descriptor that leads to a new table of nr entries. */
	int (*post_indirect)(struct guest *g, const struct guest_buf *bufs,
			     unsigned int nr_out, unsigned int nr);
	bool (*has_used)(const struct guest *g);
	void (*read_used)(const struct guest *g, struct vrl_used_elem *e);
	/* A chain is the driver's again; move on behind it. */
	void (*retire)(struct guest *g, uint16_t id);
	bool (*needs_kick)(struct guest *g);
	/* enable: ask for a call when n have been passed over. */
	void (*set_event)(struct guest *g, bool enable, unsigned int n);
};

extern const struct guest_ops guest_split_ops, guest_packed_ops;

static inline void *guest_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

#endif /* GUEST_OPS_H */
