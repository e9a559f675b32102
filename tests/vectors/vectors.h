/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Vectors: what a driver puts into a ring, and what the device side must say to
 * it, as plain tables. The unit tests run them on the host, and a kernel module
 * runs the same ones against the library as the kernel compiles it, so nothing here
 * uses more than both have.
 *
 * Two forms. A vec_chain is one descriptor chain, legal or not, and is tried in
 * many surroundings (vec_chain_run()). A vec_script is a sequence of what driver
 * and device do (vec_script_run()).
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <vrl/mem.h>
#include <vrl/vring.h>

/* Descriptor flags, 2.7.5 and 2.8 */
#define N		1	/* the chain goes on */
#define W		2	/* device-writable */
#define I		4	/* leads to an indirect table */

#define VEC_SPLIT	1
#define VEC_PACKED	2
#define VEC_BOTH	3

#define VEC_NUM		8	/* queue size of a vec_chain */
#define VEC_TABLE	0x100000	/* IOVA of the indirect table */
#define VEC_HOLE	0xdead0000	/* no memory there */
#define VEC_ID		5	/* buffer id of the chain, packed */
#define VEC_MAX_TABLE	12
#define VEC_MAX_STEPS	48

/*
 * @next: split, the next descriptor; packed, the buffer id. In a vector for both
 * kinds the runner fills it in: one after the other, and VEC_ID.
 */
struct vec_desc {
	__u64 addr;
	__u32 len;
	__u16 flags;
	__u16 next;
};

struct vec_seg {
	__u64 iova;
	__u32 len;
	__u32 flags;		/* W or 0 */
};

/*
 * Legal if it has segments, a fault if it is marked so, malformed otherwise, for
 * the reason @why.
 */
struct vec_chain {
	const char *name;
	__u8 kinds;
	__u8 no_indirect;	/* the feature is off */
	__u8 alone;		/* makes sense in an empty queue of VEC_NUM only */
	__u8 fault;		/* VRL_CHAIN_FAULT */
	__u8 nr;		/* packed: descriptors offered; 0: the chain's */
	__u16 head;		/* split */
	__u16 why;
	__u64 iova_last;
	struct vec_desc desc[VEC_NUM];
	struct vec_desc table[VEC_MAX_TABLE];
	struct vec_seg seg[VEC_MAX_TABLE];
};

enum vec_op {
	VEC_END,
	/* driver */
	VEC_POST,		/* id, len, flags: one descriptor at 0x1000 * (id + 1) */
	VEC_POST_CHAIN,		/* id, len, flags, nr: descriptors of that length each */
	VEC_AVAIL_IDX,		/* value: written as it is (split) */
	VEC_DRIVER_FLAGS,	/* value: avail.flags, or driver event flags */
	VEC_DRIVER_EVENT,	/* value: used_event, or offset and wrap counter */
	VEC_USED,		/* id, len: is the next used entry, nr as in IN_ORDER */
	VEC_UNUSED,		/* there is no further used entry */
	/* device */
	VEC_PEEK,		/* max, result */
	VEC_GOT,		/* index, id, out_len, in_len: of the last peek */
	VEC_TAKE,		/* n */
	VEC_PUSH,		/* id, len: noted */
	VEC_FLUSH,		/* what was noted, as one burst */
	VEC_FLUSH_IN_ORDER,	/* the same as one used entry */
	VEC_CALL,		/* needs_call: result */
	VEC_KICK_ON,		/* enable_kick: result */
	VEC_KICK_OFF,
	VEC_DEVICE_FLAGS,	/* value: used.flags, or device event flags */
	VEC_DEVICE_EVENT,	/* value: avail_event, or offset and wrap counter */
	VEC_COUNT,		/* avail_count: result */
	VEC_NOTIFIED,		/* data, result */
	VEC_STATE,		/* last_avail, used_idx */
	VEC_SET_STATE,		/* last_avail, used_idx, result */
	VEC_RESET,
	VEC_REINIT,		/* a new vrl_vq on the same rings, at the old one's state */
	VEC_WHY,		/* reason */
};

struct vec_script {
	const char *name;
	__u32 features;		/* VRL_F_*, PACKED among them */
	__u32 num;
	__u32 start;		/* both indices; packed: with the wrap counter */
	__s64 step[VEC_MAX_STEPS][5];	/* enum vec_op and its arguments */
};

/* Where and how a vector failed. */
struct vec_result {
	const char *where;	/* surroundings, or "step" */
	const char *what;
	unsigned int step;
	__s64 got, want;
};

extern const struct vec_chain vec_chains_split[], vec_chains_packed[], vec_chains_both[];
extern const struct vec_script vec_scripts_split[], vec_scripts_packed[];

/* All tables, each ends with a nameless vector. */
extern const struct vec_chain *const vec_chain_tables[];
extern const struct vec_script *const vec_script_tables[];

/* 0, or -1 and @r says why. May sleep in the kernel. */
int vec_chain_run(const struct vec_chain *v, struct vec_result *r);
int vec_script_run(const struct vec_script *v, struct vec_result *r);

/* The rings and arrays of one run, each its own allocation of the exact size. */
struct vec_room {
	__u32 num;
	__u32 features;
	__u8 *desc, *driver, *device;
	__u8 *table;		/* VEC_MAX_TABLE entries at VEC_TABLE, in two ranges */
	__u8 *table2;
	struct vrl_iotlb *tlb;
	struct vrl_mem mem;
	struct vrl_burst b;
	struct vrl_vq vq;
};

/* room.c: both kinds of rings as bytes, little endian */
int vec_room_open(struct vec_room *m, __u32 num, __u32 features);
void vec_room_close(struct vec_room *m);
/* 16 * VEC_MAX_TABLE bytes to VEC_TABLE. */
void vec_room_put_table(struct vec_room *m, const __u8 *table);
void vec_put(__u8 *p, unsigned int bytes, __u64 value);
__u64 vec_get(const __u8 *p, unsigned int bytes);
void vec_put_desc(__u8 *at, const struct vec_desc *d, bool packed);
/* Position in a packed ring, n descriptors on. */
__u16 vec_ahead(__u32 num, __u16 at, unsigned int n);
/* Flags that make a packed descriptor available, or used, at a position. */
__u16 vec_avail_bits(__u16 at);
__u16 vec_used_bits(__u16 at);
/* The rings look as if all up to @at had been used. */
void vec_start_at(struct vec_room *m, __u16 at);
/* The config of the room; fetch reads the table's memory. */
void vec_config(struct vec_room *m, struct vrl_vq_config *cfg, __u16 at);

/* Zeroed memory: the host's calloc(), the kernel's kvzalloc(). NULL: none. */
void *vec_alloc(unsigned long size);
void vec_free(void *p);

#endif /* VECTORS_H */
