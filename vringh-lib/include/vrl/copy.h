/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Copies between the driver's memory and this side's, whose addresses are known
 * already.
 *
 * Short copies are a few moves that overlap in the middle, without a loop. The
 * compiler makes of them what the build allows: 16 bytes each in user space, 8 in
 * the kernel. Long ones are memcpy()'s, which knows the CPU. VRL_PLAIN_C leaves
 * everything to it.
 */
#ifndef VRL_COPY_H
#define VRL_COPY_H

#include <vrl/types.h>

/* Longest copy that is done inline. */
#define VRL_COPY_SHORT	256

#ifndef VRL_PLAIN_C

/* One size of move at both ends. For @n <= @len <= 2 * @n. */
#define VRL_MOVE_ENDS(d, s, len, n) do {				\
	__builtin_memcpy(d, s, n);					\
	__builtin_memcpy((d) + (len) - (n), (s) + (len) - (n), n);	\
} while (0)

/* What a virtio-net header takes. */
static inline void vrl_copy_8_to_16(char *d, const char *s, __u64 len)
{
	VRL_MOVE_ENDS(d, s, len, 8);
}

static inline void vrl_copy_tiny(char *d, const char *s, __u64 len)
{
	if (len >= 8)
		VRL_MOVE_ENDS(d, s, len, 8);
	else if (len >= 4)
		VRL_MOVE_ENDS(d, s, len, 4);
	else if (len >= 2)
		VRL_MOVE_ENDS(d, s, len, 2);
	else if (len)
		*d = *s;
}

/*
 * In three steps, so that there are few comparisons for what is common: 12, 64 and
 * 76 bytes. Up to 64:
 */
static inline __attribute__((__always_inline__)) void
vrl_copy_small(char *d, const char *s, __u64 len)
{
	if (len >= 32)
		VRL_MOVE_ENDS(d, s, len, 32);
	else if (len >= 16)
		VRL_MOVE_ENDS(d, s, len, 16);
	else
		vrl_copy_tiny(d, s, len);
}

/* 129 to VRL_COPY_SHORT. */
static inline __attribute__((__always_inline__)) void
vrl_copy_middle(char *d, const char *s, __u64 len)
{
	__builtin_memcpy(d, s, 64);
	__builtin_memcpy(d + 64, s + 64, 64);
	d += len - 128;
	s += len - 128;
	__builtin_memcpy(d, s, 64);
	__builtin_memcpy(d + 64, s + 64, 64);
}

/* False, and nothing is copied, if @len is more than VRL_COPY_SHORT. */
static inline __attribute__((__always_inline__)) bool
vrl_copy_short(char *d, const char *s, __u64 len)
{
	if (len <= 64)
		vrl_copy_small(d, s, len);
	else if (len <= 128)
		VRL_MOVE_ENDS(d, s, len, 64);
	else if (len <= VRL_COPY_SHORT)
		vrl_copy_middle(d, s, len);
	else
		return false;
	return true;
}

/* A call costs as much as a short copy. */
static inline __attribute__((__always_inline__)) void
vrl_copy_to_driver(void *dst, const void *src, __u64 len);

/**
 * vrl_copy_from_driver() - copy driver memory to private memory
 * @dst: private memory; does not overlap @src
 * @src: driver memory, which may change meanwhile
 * @len: bytes, 0 is none
 *
 * Any context. What is in @dst afterwards stays as it is: the compiler cannot
 * look at @src again when the caller looks at @dst.
 */
static inline void vrl_copy_from_driver(void *dst, const void *src, __u64 len)
{
	if (!vrl_copy_short((char *)dst, (const char *)src, len))
		__builtin_memcpy(dst, src, len);
	__asm__ __volatile__("" : : : "memory");
}

/** vrl_copy_to_driver() - the same in the other direction */
static inline void vrl_copy_to_driver(void *dst, const void *src, __u64 len)
{
	if (!vrl_copy_short((char *)dst, (const char *)src, len))
		__builtin_memcpy(dst, src, len);
}

#else /* VRL_PLAIN_C */

static inline bool vrl_copy_short(char *d, const char *s, __u64 len)
{
	if (len <= VRL_COPY_SHORT)
		__builtin_memcpy(d, s, len);
	return len <= VRL_COPY_SHORT;
}

static inline void vrl_copy_8_to_16(char *d, const char *s, __u64 len)
{
	__builtin_memcpy(d, s, len);
}

static inline void vrl_copy_from_driver(void *dst, const void *src, __u64 len)
{
	if (len)
		__builtin_memcpy(dst, src, len);
}

static inline void vrl_copy_to_driver(void *dst, const void *src, __u64 len)
{
	if (len)
		__builtin_memcpy(dst, src, len);
}

#endif /* VRL_PLAIN_C */

#endif /* VRL_COPY_H */
