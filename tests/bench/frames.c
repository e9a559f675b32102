// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Private memory of the arms that hold a frame in one piece: as in an mbuf, the
 * frame begins on a cache line and the header lies in front of it.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define LINE	64u
#define STRIDE	(FRAME_MAX + 2 * LINE)

struct frames frames;

int frames_create(void)
{
	uint8_t *p = aligned_alloc(LINE, (size_t)STRIDE * BATCH_MAX);

	if (!p)
		return -1;
	memset(p, 0, (size_t)STRIDE * BATCH_MAX);
	for (unsigned int i = 0; i < BATCH_MAX; i++)
		frames.buf[i] = p + (size_t)i * STRIDE + LINE - HDR_LEN;
	return 0;
}

const uint8_t *flat_get(void *ctx, unsigned int i, uint32_t *len)
{
	(void)ctx;
	*len = frames.len[i] - HDR_LEN;
	return frames.buf[i] + HDR_LEN;
}

void flat_put(void *ctx, unsigned int i, const uint8_t *frame, uint32_t len)
{
	(void)ctx;
	memset(frames.buf[i], 0, HDR_LEN);
	frames.buf[i][10] = 1;
	memcpy(frames.buf[i] + HDR_LEN, frame, len);
	frames.len[i] = HDR_LEN + len;
}
