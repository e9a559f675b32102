/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The one seam between the kernel and user space, private to the library. What
 * the sources may use, under the kernel's names:
 *
 *   READ_ONCE WRITE_ONCE smp_load_acquire smp_store_release smp_mb prefetch
 *   le16_to_cpu le64_to_cpu cpu_to_le16 cpu_to_le32
 *   likely unlikely memcpy memmove static_assert, errno numbers
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

#else /* !__KERNEL__ */

#include <assert.h>
#include <errno.h>
#include <string.h>

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define prefetch(p)	__builtin_prefetch(p)

#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)

#ifdef __CHECKER__
#define VRL_FORCE	__attribute__((force))
#else
#define VRL_FORCE
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define le16_to_cpu(x)	((VRL_FORCE __u16)(x))
#define le64_to_cpu(x)	((VRL_FORCE __u64)(x))
#define cpu_to_le16(x)	((VRL_FORCE __le16)(__u16)(x))
#define cpu_to_le32(x)	((VRL_FORCE __le32)(__u32)(x))
#else
#define le16_to_cpu(x)	__builtin_bswap16((VRL_FORCE __u16)(x))
#define le64_to_cpu(x)	__builtin_bswap64((VRL_FORCE __u64)(x))
#define cpu_to_le16(x)	((VRL_FORCE __le16)__builtin_bswap16(x))
#define cpu_to_le32(x)	((VRL_FORCE __le32)__builtin_bswap32(x))
#endif

#endif /* __KERNEL__ */

#endif /* VRL_PLATFORM_H */
