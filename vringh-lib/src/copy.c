// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Copies too long to be done inline (vrl/copy.h).
 */
#include <vrl/copy.h>

#include "platform.h"

/*
 * From here on the CPU's block copy: it does not fetch the lines that it
 * overwrites, and going to the driver these were last in its cache. Starting it costs
 * more than shorter copies gain.
 */
#define STRING_MOVE_MIN	512

void vrl_copy_long(void *dst, const void *src, __u64 len)
{
	if (len < STRING_MOVE_MIN ||
	    !copy_string_move(dst, src, (unsigned long)len))
		memcpy(dst, src, (unsigned long)len);
}
