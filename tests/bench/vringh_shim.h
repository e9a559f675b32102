/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What the kernel's drivers/vhost/{vringh,iotlb}.c and lib/rbtree.c need of a
 * kernel, so that they run in a process (tests/bench/linux-source gets them). Made to
 * flatter them: an uncontended lock is one locked instruction and a store, user
 * copies are plain ones, and the iterator over pages is a loop around memcpy,
 * leaner than the kernel's.
 */
#ifndef VRINGH_SHIM_H
#define VRINGH_SHIM_H

#include <errno.h>
#include <limits.h>
#include <linux/types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef unsigned int gfp_t;

#define __user
#define __force
#define __rcu
#define __cold			__attribute__((cold))
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		__asm__ volatile("" : : : "memory")
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), v, __ATOMIC_RELEASE)
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define min(a, b)		({		\
	__typeof__(a) _a = (a);			\
	__typeof__(b) _b = (b);			\
	_a < _b ? _a : _b;			\
})
#define BUG_ON(x)		do { if (unlikely(x)) abort(); } while (0)
#define BUILD_BUG_ON(x)		_Static_assert(!(x), #x)
#define WARN_ON(x)		unlikely(x)
#define IS_REACHABLE(x)		1
#define EXPORT_SYMBOL(x)	_Static_assert(1, "")
#define EXPORT_SYMBOL_GPL(x)	_Static_assert(1, "")
#define MODULE_VERSION(x)	_Static_assert(1, "")
#define MODULE_DESCRIPTION(x)	_Static_assert(1, "")
#define MODULE_AUTHOR(x)	_Static_assert(1, "")
#define MODULE_LICENSE(x)	_Static_assert(1, "")

/* x86 orders loads among themselves, and stores: only the full barrier costs. */
#define virtio_mb(weak)		((void)(weak), __atomic_thread_fence(__ATOMIC_SEQ_CST))
#define virtio_rmb(weak)	((void)(weak), __atomic_thread_fence(__ATOMIC_ACQUIRE))
#define virtio_wmb(weak)	((void)(weak), __atomic_thread_fence(__ATOMIC_RELEASE))

#define le16_to_cpu(x)		((u16)(x))
#define le32_to_cpu(x)		((u32)(x))
#define le64_to_cpu(x)		((u64)(x))
#define cpu_to_le16(x)		((u16)(x))
#define cpu_to_le32(x)		((u32)(x))
#define cpu_to_le64(x)		((u64)(x))
#define be16_to_cpu(x)		__builtin_bswap16((u16)(x))
#define be32_to_cpu(x)		__builtin_bswap32((u32)(x))
#define be64_to_cpu(x)		__builtin_bswap64((u64)(x))
#define cpu_to_be16(x)		__builtin_bswap16((u16)(x))
#define cpu_to_be32(x)		__builtin_bswap32((u32)(x))
#define cpu_to_be64(x)		__builtin_bswap64((u64)(x))
#define __LITTLE_ENDIAN		1234

/* Printing is for a broken ring, and the bench has none. */
struct va_format {
	const char *fmt;
	void *va;
};

#define DEFINE_RATELIMIT_STATE(name, interval, burst) int name
#define DEFAULT_RATELIMIT_INTERVAL 0
#define DEFAULT_RATELIMIT_BURST	0
#define __ratelimit(rs)		((void)(rs), 1)
#define printk(...)		abort()
#define KERN_NOTICE

#define GFP_KERNEL		0u
#define GFP_ATOMIC		0u
#define kmalloc(n, gfp)		((void)(gfp), malloc(n))
#define kzalloc(n, gfp)		((void)(gfp), calloc(1, n))
#define kmalloc_array(n, size, gfp) ((void)(gfp), malloc((n) * (size)))
#define krealloc_array(p, n, size, gfp) ((void)(gfp), realloc(p, (n) * (size)))
#define kfree(p)		free(p)

typedef int spinlock_t;

static inline void spin_lock(spinlock_t *l)
{
	int free_one = 0;

	while (!__atomic_compare_exchange_n(l, &free_one, 1, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED))
		free_one = 0;
}

static inline void spin_unlock(spinlock_t *l)
{
	__atomic_store_n(l, 0, __ATOMIC_RELEASE);
}

struct list_head {
	struct list_head *next, *prev;
};

#define list_first_entry(l, type, member) container_of((l)->next, type, member)

static inline void INIT_LIST_HEAD(struct list_head *l)
{
	l->next = l->prev = l;
}

static inline void list_add_tail(struct list_head *n, struct list_head *l)
{
	n->prev = l->prev;
	n->next = l;
	l->prev->next = n;
	l->prev = n;
}

static inline void list_del(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
}

struct kvec {
	void *iov_base;
	size_t iov_len;
};

#define get_user(v, p)		((v) = READ_ONCE(*(p)), 0)
#define put_user(v, p)		(WRITE_ONCE(*(p), v), 0)
#define __get_user(v, p)	get_user(v, p)
#define __put_user(v, p)	put_user(v, p)
#define copy_from_user(d, s, n)	(memcpy(d, s, n), 0ul)
#define copy_to_user(d, s, n)	(memcpy(d, s, n), 0ul)

/* A page is where its bytes are. */
struct page;

#define PAGE_SHIFT		12
#define PAGE_SIZE		4096ul
#define pfn_to_page(pfn)	((struct page *)((pfn) << PAGE_SHIFT))
#define kmap_atomic(page)	((void *)(page))
#define kunmap_atomic(p)	((void)(p))
#define kmap_local_page(page)	((void *)(page))
#define kunmap_local(p)		((void)(p))

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

static inline void bvec_set_page(struct bio_vec *v, struct page *page, unsigned int len,
				 unsigned int offset)
{
	*v = (struct bio_vec){ .bv_page = page, .bv_len = len, .bv_offset = offset };
}

#define ITER_SOURCE		1
#define ITER_DEST		0

struct iov_iter {
	const struct bio_vec *bvec;
	size_t count;
};

static inline void iov_iter_bvec(struct iov_iter *i, unsigned int direction,
				 const struct bio_vec *bvec, unsigned long nr, size_t count)
{
	(void)direction;
	(void)nr;
	*i = (struct iov_iter){ .bvec = bvec, .count = count };
}

/* For translation to user addresses, which the bench does not use. */
#define iov_iter_init(i, dir, iov, nr, n) abort()

static inline size_t iter_copy(void *p, size_t len, const struct iov_iter *i, bool from)
{
	const struct bio_vec *v = i->bvec;
	size_t n, done = 0;

	for (; done < len; done += n, v++) {
		char *at = (char *)v->bv_page + v->bv_offset;

		n = min((size_t)v->bv_len, len - done);
		if (from)
			memcpy((char *)p + done, at, n);
		else
			memcpy(at, (char *)p + done, n);
	}
	return done;
}

static inline size_t copy_from_iter(void *p, size_t len, struct iov_iter *i)
{
	return iter_copy(p, len, i, true);
}

static inline size_t copy_to_iter(const void *p, size_t len, struct iov_iter *i)
{
	return iter_copy((void *)p, len, i, false);
}

/* The kernel's own headers, without their #include lines. */
#include "rbtree_types.h"
#include "rbtree.h"
#include "rbtree_augmented.h"
#include "interval_tree_generic.h"
#include "vhost_iotlb.h"
#include "virtio_byteorder.h"
#include "vringh.h"

#endif /* VRINGH_SHIM_H */
