/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What iommu/radix.c needs of the kernel, on the host. The functions are in
 * radix_test.c: tables that are counted, and that can be refused.
 */
#ifndef RADIX_HOST_H
#define RADIX_HOST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned int gfp_t;

#define GFP_ATOMIC	1u

#define READ_ONCE(x)	 __atomic_load_n(&(x), __ATOMIC_CONSUME)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))

u64 *radix_table_alloc(gfp_t gfp);
void radix_table_free(u64 *table);
bool radix_replace(u64 *p, u64 old, u64 new);

#endif /* RADIX_HOST_H */
