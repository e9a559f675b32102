/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The floor: a device side without any check. It believes every index, address
 * and length, translates by adding one constant, and publishes once per burst.
 * What a safe device side costs more is the price of safety. It is a plain loop,
 * not a proven minimum. Compiled twice, by the way in which it copies.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <linux/virtio_ring.h>
#include <string.h>

#include "bench.h"

struct floor_queue {
	uint8_t *window;		/* byte @iova lies at window + iova */
	void *desc;
	void *avail;
	void *used;
	uint16_t num;
	uint16_t at;			/* split: free running; packed: offset */
	bool wrap;
};

typedef void (*floor_copy_fn)(uint8_t *dst, const uint8_t *src, size_t len);

static inline __attribute__((always_inline)) void floor_copy_rep(uint8_t *dst, const uint8_t *src,
								 size_t len)
{
	__asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(len) : : "memory");
}

/* Vector registers, and libc's choice above some lines. */
static inline __attribute__((always_inline)) void floor_copy_inline(uint8_t *dst,
								    const uint8_t *src,
								    size_t len)
{
	typedef uint8_t v16 __attribute__((vector_size(16), aligned(1)));
	size_t i;

	if (len > 256) {
		memcpy(dst, src, len);
		return;
	}
	if (len < 16) {
		/* a header: 12 bytes */
		memcpy(dst, src, 8);
		memcpy(dst + len - 4, src + len - 4, 4);
		return;
	}
	for (i = 0; i + 16 < len; i += 16)
		*(v16 *)(dst + i) = *(const v16 *)(src + i);
	*(v16 *)(dst + len - 16) = *(const v16 *)(src + len - 16);
}

#endif /* FLOOR_H */
