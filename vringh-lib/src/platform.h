/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The one seam between the kernel and user space, private to the library. What
 * the sources may use, under the kernel's names:
 *
 *   READ_ONCE WRITE_ONCE smp_load_acquire smp_store_release smp_mb smp_rmb
 *   smp_wmb barrier cpu_relax prefetch OPTIMIZER_HIDE_VAR
 *   le16_to_cpu le32_to_cpu le64_to_cpu cpu_to_le16 cpu_to_le32
 *   likely unlikely noinline __always_inline memcpy memmove static_assert
 *   errno numbers
 *
 * and of its own: select_pointer(), a choice that is never a branch.
 */
#ifndef VRL_PLATFORM_H
#define VRL_PLATFORM_H

#include <vrl/types.h>

#ifdef __KERNEL__

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/prefetch.h>
#include <linux/string.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>
#include <linux/processor.h>

#else /* !__KERNEL__ */

#include <assert.h>
#include <errno.h>
#include <string.h>

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define noinline	__attribute__((__noinline__))
#ifndef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))
#endif
#define prefetch(p)	__builtin_prefetch(p)
#define OPTIMIZER_HIDE_VAR(v)	__asm__("" : "+r"(v))

/* The same accesses; the thread sanitizer takes a volatile one for a race. */
#ifdef __SANITIZE_THREAD__
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#else
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#endif

#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define barrier()	__asm__ __volatile__("" : : : "memory")
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
/* Stronger than the kernel's, which order loads with loads, stores with stores. */
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)

#if defined(__x86_64__) || defined(__i386__)
#define cpu_relax()		__builtin_ia32_pause()
#elif defined(__aarch64__)
#define cpu_relax()		__asm__ __volatile__("yield" ::: "memory")
#else
#define cpu_relax()		__asm__ __volatile__("" ::: "memory")
#endif

#ifdef __CHECKER__
#define VRL_FORCE	__attribute__((force))
#else
#define VRL_FORCE
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define le16_to_cpu(x)	((VRL_FORCE __u16)(x))
#define le32_to_cpu(x)	((VRL_FORCE __u32)(x))
#define le64_to_cpu(x)	((VRL_FORCE __u64)(x))
#define cpu_to_le16(x)	((VRL_FORCE __le16)(__u16)(x))
#define cpu_to_le32(x)	((VRL_FORCE __le32)(__u32)(x))
#else
#define le16_to_cpu(x)	__builtin_bswap16((VRL_FORCE __u16)(x))
#define le32_to_cpu(x)	__builtin_bswap32((VRL_FORCE __u32)(x))
#define le64_to_cpu(x)	__builtin_bswap64((VRL_FORCE __u64)(x))
#define cpu_to_le16(x)	((VRL_FORCE __le16)__builtin_bswap16(x))
#define cpu_to_le32(x)	((VRL_FORCE __le32)__builtin_bswap32(x))
#endif

#endif /* __KERNEL__ */

/*
 * @cond ? @yes : @no, for conditions that nobody can guess. gcc takes a conditional
 * move if told so; clang makes a branch of whatever it understands.
 */
static __always_inline const void *select_pointer(bool cond, const void *yes,
						  const void *no)
{
#ifdef __clang__
	unsigned long mask = -(unsigned long)cond;

	OPTIMIZER_HIDE_VAR(mask);
	return (const char *)no + (((unsigned long)yes - (unsigned long)no) & mask);
#else
	return __builtin_expect_with_probability(cond, 1, 0.5) ? yes : no;
#endif
}

#endif /* VRL_PLATFORM_H */
