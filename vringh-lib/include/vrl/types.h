/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Fixed-width types, bool and NULL, for the kernel and for user space. This is the
 * only public header of the library that knows which of the two it is in.
 */
#ifndef VRL_TYPES_H
#define VRL_TYPES_H

#include <linux/types.h>

#ifndef __KERNEL__
#include <stdbool.h>
#include <stddef.h>
#endif

#endif /* VRL_TYPES_H */
