/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Included by force (-include) ahead of every source of the library when it is
 * built for a fuzz harness: each look at a shared word and each store to one goes
 * through view.c, which notes it and may have the driver change memory at that
 * very moment.
 */
#ifndef FUZZ_HOOK_H
#define FUZZ_HOOK_H

#include <stdbool.h>
#include <stddef.h>

#include <vrl/copy.h>

#include "../../vringh-lib/src/platform.h"

/* @v is what was loaded from @p. */
void hook_loaded(const volatile void *p, const void *v, size_t size);
/* The same of a copy of any size. */
void hook_copied(const void *p, const void *v, size_t size);
/* Right before something is stored to @p; release: what was stored before is visible. */
void hook_store(const volatile void *p, size_t size, bool release);
/* Looks in between are not noted. */
void hook_pause(bool pause);
void *hook_memcpy(void *dst, const void *src, size_t size);

#undef READ_ONCE
#define READ_ONCE(x) ({							\
	const __typeof__(x) seen_ = *(const volatile __typeof__(x) *)&(x); \
	hook_loaded(&(x), &seen_, sizeof(seen_));			\
	seen_; })

#undef WRITE_ONCE
#define WRITE_ONCE(x, v) do {						\
	hook_store(&(x), sizeof(x), false);				\
	*(volatile __typeof__(x) *)&(x) = (v);				\
} while (0)

#undef smp_load_acquire
#define smp_load_acquire(p) ({						\
	const __typeof__(*(p)) seen_ = __atomic_load_n(p, __ATOMIC_ACQUIRE); \
	hook_loaded(p, &seen_, sizeof(seen_));				\
	seen_; })

#undef smp_store_release
#define smp_store_release(p, v) do {					\
	hook_store(p, sizeof(*(p)), true);				\
	__atomic_store_n(p, v, __ATOMIC_RELEASE);			\
} while (0)

#undef memcpy
#define memcpy(dst, src, size)	hook_memcpy(dst, src, size)

static inline void hook_copy_from_driver(void *dst, const void *src, __u64 len)
{
	/* One look, whatever it is made of. */
	hook_pause(true);
	vrl_copy_from_driver(dst, src, len);
	hook_pause(false);
	hook_copied(src, dst, len);
}

#define vrl_copy_from_driver	hook_copy_from_driver

#endif /* FUZZ_HOOK_H */
