// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The cases: what a packet looks like in the ring.
 *
 * 64 KiB is a TSO frame as Linux posts it: 78 bytes of headers, then pages. There
 * is no driver that sends it in one descriptor, so tx has no direct case of it;
 * rx has, where the device takes 16 mergeable buffers of a page each.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define PAGE		4096u
#define TSO_HEAD	78u
#define TSO_FRAME	65226u
#define RX_BUF		1548u	/* Linux' mergeable buffer: header and 1536 */

struct spec {
	uint32_t frame;
	const char *size;
	enum shape shape;
};

static const struct spec specs[] = {
	{ 64, "64", SHAPE_DIRECT },
	{ 64, "64", SHAPE_CHAINED },
	{ 64, "64", SHAPE_INDIRECT },
	{ 1500, "1500", SHAPE_DIRECT },
	{ 1500, "1500", SHAPE_CHAINED },
	{ 1500, "1500", SHAPE_INDIRECT },
	{ TSO_FRAME, "64k", SHAPE_DIRECT },
	{ TSO_FRAME, "64k", SHAPE_CHAINED },
	{ TSO_FRAME, "64k", SHAPE_INDIRECT },
};

#define NR_SPECS	(sizeof(specs) / sizeof(specs[0]))

static const char *const suffix[] = {
	[SHAPE_DIRECT] = "",
	[SHAPE_CHAINED] = "-chain",
	[SHAPE_INDIRECT] = "-ind",
};

static void add_piece(struct workload *w, uint32_t len)
{
	w->pieces[w->nr_pieces++] = len;
}

static void lay_out(struct workload *w)
{
	uint32_t room = w->rx ? RX_BUF - HDR_LEN : w->frame;
	uint32_t left, n;

	if (w->frame == TSO_FRAME) {
		left = HDR_LEN + TSO_FRAME;
		if (w->shape != SHAPE_DIRECT) {
			add_piece(w, TSO_HEAD);
			left -= TSO_HEAD;
		}
		for (; left; left -= n) {
			n = left < PAGE ? left : PAGE;
			add_piece(w, w->rx ? PAGE : n);
		}
	} else if (w->shape == SHAPE_DIRECT) {
		add_piece(w, HDR_LEN + room);
	} else {
		add_piece(w, HDR_LEN);
		add_piece(w, room);
	}
}

/* Case number @i of one direction of one kind of ring. */
static void fill(struct workload *w, const struct spec *s)
{
	w->frame = s->frame;
	w->shape = s->shape;
	snprintf(w->name, sizeof(w->name), "%s%s%s", w->rx ? "rx" : "tx", s->size,
		 suffix[s->shape]);
	lay_out(w);

	w->chains = s->shape == SHAPE_DIRECT ? w->nr_pieces : 1;
	w->entries = s->shape == SHAPE_INDIRECT ? 1 : w->nr_pieces;
	w->ring = w->entries * BATCH_MAX > 256 ? RING_MAX : 256;
	w->slots = w->ring / w->entries;
	if (w->frame == TSO_FRAME && w->slots > 2 * BATCH_MAX)
		w->slots = 2 * BATCH_MAX;
	/* Packed: slots are positions; a ring holds a whole number of them. */
	w->ring = w->packed ? w->slots * w->entries : w->ring;
}

bool workload_get(struct workload *w, unsigned int i)
{
	unsigned int n = 0;

	for (int packed = 0; packed < 2; packed++)
		for (int rx = 0; rx < 2; rx++)
			for (unsigned int s = 0; s < NR_SPECS; s++) {
				bool none = !rx && specs[s].frame == TSO_FRAME &&
					    specs[s].shape == SHAPE_DIRECT;

				if (none || n++ != i)
					continue;
				memset(w, 0, sizeof(*w));
				w->packed = packed;
				w->rx = rx;
				fill(w, &specs[s]);
				return true;
			}
	return false;
}
