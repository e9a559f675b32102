// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Copies too long to be done inline (vrl/copy.h).
 */
#include <vrl/copy.h>

#include "platform.h"

void vrl_copy_long_from_driver(void *dst, const void *src, __u64 len)
{
	memcpy(dst, src, (unsigned long)len);
}

void vrl_copy_long_to_driver(void *dst, const void *src, __u64 len)
{
	if (!copy_string_move(dst, src, (unsigned long)len))
		memcpy(dst, src, (unsigned long)len);
}
