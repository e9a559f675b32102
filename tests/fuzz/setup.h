/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Bytes of an input of ring_fuzz, taken from the front; behind the end all are 0.
 */
#ifndef FUZZ_SETUP_H
#define FUZZ_SETUP_H

#include "side.h"

struct input {
	const uint8_t *p;
	size_t size;
};

static inline uint8_t get8(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->p++;
}

static inline uint16_t get16(struct input *in)
{
	uint16_t low = get8(in);

	return (uint16_t)(low | get8(in) << 8);
}

/* How many sides to make: with two, @cfg is the packed one's. */
unsigned int setup(struct input *in, struct side_config *cfg);

#endif /* FUZZ_SETUP_H */
