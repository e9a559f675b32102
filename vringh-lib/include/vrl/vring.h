/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Device side of a virtqueue, split ring (virtio 1.3, section 2.7) or packed ring
 * (section 2.8); who uses it need not know which. One burst of descriptor chains
 * is looked at (peek), taken (consume), and given back (push); then one question
 * tells whether the driver wants an interrupt.
 *
 * The driver is not trusted. Every word that it can change is read once into
 * private memory, checked there, and only the copy is used. What the library
 * hands out is therefore stable: a driver that rewrites its descriptors after
 * peek changes nothing. The addresses in it are still the driver's claims; the
 * caller translates each one before touching memory.
 *
 * Nothing here allocates, locks, sleeps, prints or touches user pointers. All
 * memory is the caller's. One virtqueue is used by one thread at a time; two
 * virtqueues share nothing. Any context.
 */
#ifndef VRL_VRING_H
#define VRL_VRING_H

#include <vrl/types.h>

struct vrl_mem;

/* Largest queue the specification has (2.7, 2.8: Queue Size). */
#define VRL_NUM_MAX		32768

/*
 * Most segments in one chain, and most entries in one indirect table. Section
 * 2.7.5.3.1 forbids chains longer than the queue, yet Linux posts indirect
 * tables of up to MAX_SKB_FRAGS + 2 entries on queues of any size, so a table
 * may exceed the queue size; 1024 is where QEMU stops, too. A burst whose
 * arrays have this many entries can hold any chain.
 */
#define VRL_CHAIN_MAX		1024

/* Features of a queue that change its layout or its rules (vrl_vq_config). */
#define VRL_F_INDIRECT		(1u << 0)	/* VIRTIO_F_INDIRECT_DESC */
#define VRL_F_EVENT_IDX		(1u << 1)	/* VIRTIO_F_EVENT_IDX */
#define VRL_F_PACKED		(1u << 2)	/* VIRTIO_F_RING_PACKED */
#define VRL_F_IN_ORDER		(1u << 3)	/* VIRTIO_F_IN_ORDER */

/**
 * enum vrl_why - why a queue is broken, or was refused by vrl_vq_init()
 *
 * VRL_WHY_CFG_* come from vrl_vq_init() and vrl_vq_set_state() only; all others
 * are faults of the driver. vrl_why_str() gives a text.
 */
enum vrl_why {
	VRL_WHY_OK = 0,
	VRL_WHY_CFG_NUM,
	VRL_WHY_CFG_ADDR,
	VRL_WHY_CFG_ALIGN,
	VRL_WHY_CFG_FEATURES,
	VRL_WHY_CFG_FETCH,
	VRL_WHY_CFG_STATE,
	VRL_WHY_CFG_OVERLAP,		/* areas of the ring lie in each other */
	VRL_WHY_CFG_INFLIGHT,		/* region too small, other version or size */
	VRL_WHY_RESET,			/* vrl_vq_reset(): not the driver's fault */
	VRL_WHY_AVAIL_JUMP,		/* more than the queue has outstanding */
	VRL_WHY_HEAD_RANGE,		/* head, or buffer id */
	VRL_WHY_NEXT_RANGE,
	VRL_WHY_LOOP,			/* packed: into descriptors in flight */
	VRL_WHY_CHAIN_TOO_LONG,
	VRL_WHY_ZERO_LEN,
	VRL_WHY_ADDR_RANGE,		/* beyond vrl_vq_config.iova_last, or wraps */
	VRL_WHY_TOO_MANY_BYTES,
	VRL_WHY_READ_AFTER_WRITE,
	VRL_WHY_INDIRECT_OFF,
	VRL_WHY_INDIRECT_NEXT,
	VRL_WHY_INDIRECT_NESTED,
	VRL_WHY_INDIRECT_LEN,
	VRL_WHY_ID_BUSY,		/* with an in-flight log only */
	VRL_WHY_INFLIGHT,		/* the log was written to by somebody else */
	VRL_WHY_NR
};

#define VRL_SEG_WRITE		(1u << 1)	/* device-writable */

/*
 * One piece of a chain in the driver's address space. @len is never 0, and
 * @iova + @len - 1 never wraps nor exceeds vrl_vq_config.iova_last.
 */
struct vrl_seg {
	__u64 iova;
	__u32 len;
	__u32 flags;
};

/*
 * The indirect table could not be read (vrl_fetch.err, or not in vrl_vq_config.mem).
 * The chain has no segments; give it back with length 0.
 */
#define VRL_CHAIN_FAULT		(1u << 0)

/*
 * One chain. Its segments are burst.segs[seg .. seg + nr_out + nr_in): first
 * the device-readable ones, then the device-writable ones. @id is for push, as it
 * is: bits 0 to 15 are the head (split) or the buffer id (packed), the others are
 * the library's (packed: how many descriptors of the ring the chain takes).
 * out_len + in_len < 2^32.
 */
struct vrl_chain {
	__u32 id;
	__u16 nr_out;
	__u16 nr_in;
	__u32 seg;
	__u32 flags;
	__u32 out_len;
	__u32 in_len;
};

/*
 * A descriptor as it lies in memory, in two words. The second one of a packed ring
 * has length, buffer id and flags.
 */
struct vrl_desc {
	__le64 addr;
	__le64 len_flags_next;
};

/* One read of driver memory. The fetch op sets @err: 0 or a negative errno. */
struct vrl_fetch {
	__u64 iova;
	void *dst;
	__u32 len;
	__s32 err;
};

/**
 * vrl_fetch_fn - read driver memory into private memory
 * @opaque: vrl_vq_config.opaque
 * @reqs:   what to read; @err of each is 0 on entry
 * @nr:     number of requests, > 0
 *
 * A request that cannot be read (unmapped, no permission) sets its @err; the
 * chain it belongs to is then handed out as VRL_CHAIN_FAULT. @len is never 0 and
 * @iova + @len - 1 never wraps.
 *
 * Return: 0, or a negative errno if nothing can be said about any of them; peek
 * then fails with it, the queue stays usable and nothing is lost.
 */
typedef int (*vrl_fetch_fn)(void *opaque, struct vrl_fetch *reqs,
			    unsigned int nr);

/*
 * Where a queue stands. @last_avail is the next entry to take, @used_idx the next
 * to fill. Packed: an offset into the ring, with the wrap counter in bit 15 as in
 * 2.8.10 and vhost's VRING_BASE; VRL_STATE_PACKED is a fresh queue. Split: free
 * running indices, 0 is a fresh queue.
 */
struct vrl_vq_state {
	__u16 last_avail;
	__u16 used_idx;
};

#define VRL_STATE_WRAP		(1u << 15)
#define VRL_STATE_PACKED	((struct vrl_vq_state){ VRL_STATE_WRAP, VRL_STATE_WRAP })

/*
 * What a queue is made of. Addresses are this side's (rings are mapped
 * directly): Descriptor Area, Driver Area (avail ring, or event suppression),
 * Device Area (used ring, or event suppression), with the sizes and alignment of
 * 2.7 and 2.8.
 *
 * Indirect tables are read through @mem (plain memory, vrl/mem.h) or through
 * @fetch (batched); one of the two with VRL_F_INDIRECT.
 */
struct vrl_vq_config {
	const void *desc;		/* written, too, when packed */
	const void *driver;
	void *device;
	__u32 num;			/* entries; split: a power of two */
	__u32 features;			/* VRL_F_* */
	__u64 iova_last;		/* last IOVA a buffer may have; 0: any */
	struct vrl_vq_state state;
	struct vrl_mem *mem;		/* stays the caller's, used in peek */
	vrl_fetch_fn fetch;
	void *opaque;
	void *inflight;			/* vrl/inflight.h, or NULL */
	__u16 *resubmit;		/* @num entries, packed 2 * @num; with @inflight */
};

/* A chain to give back: its vrl_chain.id, and the bytes written to it. */
struct vrl_used_elem {
	__u32 id;
	__u32 len;
};

/*
 * Where one burst goes; the caller fills everything but nr_*. @fetches and
 * @table are needed with VRL_F_INDIRECT only. With vrl_vq_config.mem a table goes
 * to @table only if it cannot be read in place (it lies in several ranges, or at
 * an odd address). The same arrays may serve many queues, one after the other;
 * peek overwrites them.
 */
struct vrl_burst {
	struct vrl_chain *chains;
	struct vrl_seg *segs;
	struct vrl_fetch *fetches;	/* max_chains of them */
	struct vrl_desc *table;		/* indirect tables are read to here */
	__u32 max_chains;
	__u32 max_segs;
	__u32 max_table;		/* entries */
	__u32 nr_chains;		/* out */
	__u32 nr_segs;			/* out: used part of segs, holes included */
};

/*
 * Memory is the caller's, fields are the library's. The first cache line is what
 * every burst needs.
 */
struct vrl_vq {
	struct vrl_desc *desc;
	const void *driver;
	void *device;
	__u64 iova_last;
	__u32 num;
	__u32 features;
	__u16 last_avail;		/* next chain to take, as in vrl_vq_state */
	__u16 avail_idx;		/* split: avail idx as last read and checked */
	__u16 used_idx;			/* next used entry to fill */
	__u16 signalled;		/* used_idx at the last needs_call */
	__u16 why;			/* enum vrl_why */
	__u8 signalled_valid;
	__u8 broken;
	__u16 peeked;			/* packed: descriptors of the last peek, or 0 */
	struct vrl_mem *mem;
	vrl_fetch_fn fetch;
	void *opaque;
	void *inflight;
	__u16 *resubmit;
	__u64 taken;			/* counter of the next chain put on record */
	__u16 nr_resubmit;
	__u16 at_resubmit;		/* next of them to come again */
	__u16 again_left;		/* packed: descriptors that may yet come again */
	__u16 log_free;			/* packed: first free entry of the log */
};

/* vrl_vq.features, beside VRL_F_*: */
#define VRL_VQ_LOG		(1u << 31)	/* there is an in-flight log */
#define VRL_VQ_AGAIN		(1u << 30)	/* its chains have not all come again */

/**
 * vrl_vq_init() - set up the device side of a virtqueue
 * @vq:  memory to initialise; on error it is a broken queue, safe to use
 * @cfg: copied; sizes and alignment: split: @num a power of two, @desc aligned to
 *       16, @driver to 2, @device to 4 (2.7); packed: 16, 4, 4 (2.8). @num up to
 *       VRL_NUM_MAX. The three areas must not overlap.
 *
 * Reads and writes no ring memory, except with an in-flight log. There is no
 * counterpart: when the caller stops calling, the queue is gone; see
 * vrl_vq_reset() for when its memory goes first.
 *
 * Return: 0, or -EINVAL with the reason in vrl_vq_why().
 */
int vrl_vq_init(struct vrl_vq *vq, const struct vrl_vq_config *cfg);

/**
 * vrl_vq_reset() - forget the rings: queue reset (2.6.1), or their memory goes
 * @vq: queue
 *
 * From the return on no ring memory is read or written: peek finds nothing
 * (-ESHUTDOWN), push drops what it is given, needs_call is false. vrl_vq_init()
 * makes it a queue again.
 */
void vrl_vq_reset(struct vrl_vq *vq);

/**
 * vrl_vq_peek_burst() - look at the next available chains
 * @vq:  queue
 * @b:   arrays to fill
 * @max: most chains wanted; b->max_chains also bounds it
 *
 * Takes nothing: the same chains come again until vrl_vq_consume(). All
 * indirect tables of the burst are read by one call of the fetch op. The burst
 * ends early before a chain for which the arrays have no room, and before a
 * malformed chain, which the next peek then finds first.
 *
 * Packed rings: a table's entries follow each other, only their VIRTQ_DESC_F_WRITE
 * counts and all else is ignored (2.8.8); an indirect descriptor stands alone
 * (2.8.19). Buffer ids of @num and more are refused (VRL_WHY_HEAD_RANGE): no driver
 * has more buffers than the ring has descriptors, and whoever keeps something per
 * buffer, as the in-flight log does, indexes it by the id.
 *
 * Return: number of chains in b->chains, 0 when the driver has posted nothing;
 * -EPROTO when the first chain or the avail index is malformed, or was before:
 * the queue is broken for good (vrl_vq_why()), ask the driver for a reset;
 * -ESHUTDOWN after vrl_vq_reset();
 * -E2BIG when the first chain is legal but too large for the arrays: come back
 * with VRL_CHAIN_MAX segments and table entries; the error of the fetch op; with
 * vrl_vq_config.mem -EAGAIN as in vrl_mem_read().
 */
int vrl_vq_peek_burst(struct vrl_vq *vq, struct vrl_burst *b, unsigned int max);

/* For vrl_vq_consume(): what is more than an addition. */
void vrl_vq_take(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n);

/**
 * vrl_vq_consume() - take the first chains of the last peek
 * @vq: queue
 * @b:  burst of the last peek
 * @n:  chains, up to the result of the last peek (not checked)
 *
 * From here on they are the caller's until pushed. Order of pushing is free,
 * except with VRL_F_IN_ORDER (2.7.9, 2.8.9). With an in-flight log they are on
 * record now; a chain whose id is in flight already breaks the queue
 * (VRL_WHY_ID_BUSY).
 */
static inline void vrl_vq_consume(struct vrl_vq *vq, const struct vrl_burst *b,
				  unsigned int n)
{
	if (vq->features & (VRL_F_PACKED | VRL_VQ_LOG))
		vrl_vq_take(vq, b, n);
	else
		vq->last_avail = (__u16)(vq->last_avail + n);
}

/**
 * vrl_vq_push_burst() - give chains back to the driver
 * @vq: queue
 * @e:  ids and the number of bytes written to each chain's writable part
 * @n:  entries, up to what was consumed and not yet pushed (not checked)
 *
 * The driver sees all @n at once, by one store (the used index; packed: the flags
 * of the first of them, written last): buffers of one mergeable packet (5.1.6.4)
 * belong in one call. On a queue that the driver broke this still works; after
 * vrl_vq_reset() nothing is written.
 */
void vrl_vq_push_burst(struct vrl_vq *vq, const struct vrl_used_elem *e,
		       unsigned int n);

/**
 * vrl_vq_push_in_order() - give back chains that were used completely
 * @vq: queue with VRL_F_IN_ORDER
 * @e:  as above, in the order in which they were taken; all but the last have had
 *      all of their writable part written (2.7.9, 2.8.9)
 * @n:  entries
 *
 * One used entry, for the last chain, tells the driver of all. On a queue without
 * VRL_F_IN_ORDER this is vrl_vq_push_burst().
 */
void vrl_vq_push_in_order(struct vrl_vq *vq, const struct vrl_used_elem *e,
			  unsigned int n);

/**
 * vrl_vq_needs_call() - does the driver want an interrupt for what was pushed
 * @vq: queue
 *
 * One decision for everything pushed since the last one, by event index
 * (2.7.10), VIRTQ_AVAIL_F_NO_INTERRUPT (2.7.7) or driver event suppression
 * (2.8.10). After init and set_state the first answer with event index is true:
 * what a predecessor pushed may not have been signalled. The caller raises the
 * interrupt when told so, or it is lost.
 *
 * Return: true if the driver must be interrupted now. False on a broken queue.
 */
bool vrl_vq_needs_call(struct vrl_vq *vq);

/**
 * vrl_vq_enable_kick() - ask the driver for a notification at its next buffer
 * @vq: queue
 *
 * Return: true if something is available already, maybe since before the
 * request: do not sleep, peek again. False: a notification will come (or the
 * queue is broken and nothing ever will).
 */
bool vrl_vq_enable_kick(struct vrl_vq *vq);

/**
 * vrl_vq_disable_kick() - tell the driver that this side polls
 * @vq: queue
 *
 * A hint (2.7.10.1); with event index the driver of a split ring still notifies
 * once in 65536 chains.
 */
void vrl_vq_disable_kick(struct vrl_vq *vq);

/**
 * vrl_vq_avail_count() - is there work, and how much
 * @vq: queue
 *
 * Return: split: chains available and not consumed; packed, where nobody can know
 * without walking: 1 if there is a chain, else 0. Or -EPROTO or -ESHUTDOWN as in
 * peek.
 */
int vrl_vq_avail_count(struct vrl_vq *vq);

/**
 * vrl_notify_vqn() - the queue that a notification with data is for
 * @data: what the driver wrote (2.9, 4.1.5.2: VIRTIO_F_NOTIFICATION_DATA), in host
 *        byte order
 *
 * Return: the driver's claim; check it before using it as an index.
 */
static inline __u16 vrl_notify_vqn(__u32 data)
{
	return (__u16)data;
}

/**
 * vrl_vq_notified() - may a notification with data be about something new
 * @vq:   queue
 * @data: as in vrl_notify_vqn()
 *
 * The position in it is a hint: never believed, only compared.
 *
 * Return: true if a peek is worth it.
 */
static inline bool vrl_vq_notified(const struct vrl_vq *vq, __u32 data)
{
	return !vq->broken && ((__u16)(data >> 16) != vq->last_avail ||
			       vq->features & VRL_VQ_AGAIN);
}

/**
 * vrl_vq_get_state() - indices from which another owner can go on
 * @vq: queue
 * @st: out; with chains in flight, last_avail - used_idx of them
 */
void vrl_vq_get_state(const struct vrl_vq *vq, struct vrl_vq_state *st);

/**
 * vrl_vq_set_state() - go on from saved indices
 * @vq: queue, initialised; a broken queue stays broken
 * @st: to take chains in flight again, last_avail = used_idx
 *
 * Return: 0, or -EINVAL if more chains than the queue has were in flight (packed:
 * descriptors; or an offset is outside the ring), or if the queue has an in-flight
 * log, which says where it stands; then nothing has changed.
 */
int vrl_vq_set_state(struct vrl_vq *vq, const struct vrl_vq_state *st);

/** vrl_vq_is_broken() - true once the driver broke the rules; see init to undo */
static inline bool vrl_vq_is_broken(const struct vrl_vq *vq)
{
	return vq->broken;
}

/** vrl_vq_why() - the reason; VRL_WHY_OK unless broken */
static inline enum vrl_why vrl_vq_why(const struct vrl_vq *vq)
{
	return (enum vrl_why)vq->why;
}

/** vrl_why_str() - a reason as text for a log line, never NULL */
const char *vrl_why_str(enum vrl_why why);

#endif /* VRL_VRING_H */
