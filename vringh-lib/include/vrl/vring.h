/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Device side of a virtqueue, split ring (virtio 1.3, section 2.7). One burst
 * of descriptor chains is looked at (peek), taken (consume), and given back
 * (push); then one question tells whether the driver wants an interrupt.
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

/* Largest queue the specification has (2.7: Queue Size). */
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
	VRL_WHY_AVAIL_JUMP,
	VRL_WHY_HEAD_RANGE,
	VRL_WHY_NEXT_RANGE,
	VRL_WHY_LOOP,
	VRL_WHY_CHAIN_TOO_LONG,
	VRL_WHY_ZERO_LEN,
	VRL_WHY_ADDR_WRAP,
	VRL_WHY_TOO_MANY_BYTES,
	VRL_WHY_READ_AFTER_WRITE,
	VRL_WHY_INDIRECT_OFF,
	VRL_WHY_INDIRECT_NEXT,
	VRL_WHY_INDIRECT_NESTED,
	VRL_WHY_INDIRECT_LEN,
	VRL_WHY_NR
};

#define VRL_SEG_WRITE		(1u << 1)	/* device-writable */

/*
 * One piece of a chain in the driver's address space. @len is never 0, and
 * @iova + @len - 1 never wraps.
 */
struct vrl_seg {
	__u64 iova;
	__u32 len;
	__u32 flags;
};

/*
 * The indirect table could not be read (vrl_fetch.err). The chain has no
 * segments; give it back with length 0.
 */
#define VRL_CHAIN_FAULT		(1u << 0)

/*
 * One chain. Its segments are burst.segs[seg .. seg + nr_out + nr_in): first
 * the device-readable ones, then the device-writable ones. @head is the id to
 * push. out_len + in_len < 2^32.
 */
struct vrl_chain {
	__u16 head;
	__u16 nr_out;
	__u16 nr_in;
	__u16 flags;
	__u32 seg;
	__u32 out_len;
	__u32 in_len;
};

/* A descriptor as it lies in memory, in the two words it is read by. */
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
 * What a queue is made of. Addresses are this side's (rings are mapped
 * directly); sizes and alignment are those of section 2.7. The indices are both
 * 0 for a fresh queue; to resume, last_avail is the next entry to take and
 * used_idx the next to fill.
 */
struct vrl_vq_config {
	const void *desc;
	const void *avail;
	void *used;
	__u32 num;
	__u32 features;
	vrl_fetch_fn fetch;		/* only with VRL_F_INDIRECT */
	void *opaque;
	__u16 last_avail;
	__u16 used_idx;
};

struct vrl_vq_state {
	__u16 last_avail;
	__u16 used_idx;
};

/* An entry for the used ring, in host byte order. */
struct vrl_used_elem {
	__u32 id;
	__u32 len;
};

/*
 * Where one burst goes; the caller fills everything but nr_*. @fetches and
 * @table are needed with VRL_F_INDIRECT only. The same arrays may serve many
 * queues, one after the other; peek overwrites them.
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

/* Memory is the caller's, fields are the library's. */
struct vrl_vq {
	const struct vrl_desc *desc;
	const void *avail;
	void *used;
	__u32 num;
	__u32 features;
	__u16 last_avail;		/* next avail entry to take */
	__u16 avail_idx;		/* avail idx as last read and checked */
	__u16 used_idx;			/* next used entry to fill */
	__u16 signalled;		/* used_idx at the last needs_call */
	__u8 signalled_valid;
	__u8 broken;
	__u16 why;			/* enum vrl_why */
	vrl_fetch_fn fetch;
	void *opaque;
};

/**
 * vrl_vq_init() - set up the device side of a split virtqueue
 * @vq:  memory to initialise; on error it is a broken queue, safe to use
 * @cfg: copied; @num is a power of two up to VRL_NUM_MAX, @desc aligned to 16,
 *       @avail to 2, @used to 4
 *
 * Reads and writes no ring memory. There is no counterpart: when the caller
 * stops calling, the queue is gone.
 *
 * Return: 0, or -EINVAL with the reason in vrl_vq_why().
 */
int vrl_vq_init(struct vrl_vq *vq, const struct vrl_vq_config *cfg);

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
 * Return: number of chains in b->chains, 0 when the driver has posted nothing;
 * -EPROTO when the first chain or the avail index is malformed, or was before:
 * the queue is broken for good (vrl_vq_why()), ask the driver for a reset;
 * -E2BIG when the first chain is legal but too large for the arrays: come back
 * with VRL_CHAIN_MAX segments and table entries; or the error of the fetch op.
 */
int vrl_vq_peek_burst(struct vrl_vq *vq, struct vrl_burst *b, unsigned int max);

/**
 * vrl_vq_consume() - take the first chains of the last peek
 * @vq: queue
 * @n:  chains, up to the result of the last peek (not checked)
 *
 * From here on they are the caller's until pushed. Order of pushing is free.
 */
static inline void vrl_vq_consume(struct vrl_vq *vq, unsigned int n)
{
	vq->last_avail = (__u16)(vq->last_avail + n);
}

/**
 * vrl_vq_push_burst() - give chains back to the driver
 * @vq: queue
 * @e:  heads and the number of bytes written to each chain's writable part
 * @n:  entries, up to what was consumed and not yet pushed (not checked)
 *
 * The driver sees all @n at once, by one store of the used index: buffers of
 * one mergeable packet (5.1.6.4) belong in one call.
 */
void vrl_vq_push_burst(struct vrl_vq *vq, const struct vrl_used_elem *e,
		       unsigned int n);

/**
 * vrl_vq_needs_call() - does the driver want an interrupt for what was pushed
 * @vq: queue
 *
 * One decision for everything pushed since the last one, by event index
 * (2.7.10) or VIRTQ_AVAIL_F_NO_INTERRUPT (2.7.7). After init and set_state the
 * first answer with event index is true: what a predecessor pushed may not have
 * been signalled. The caller raises the interrupt when told so, or it is lost.
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
 * A hint (2.7.10.1); with event index the driver still notifies once in 65536
 * chains.
 */
void vrl_vq_disable_kick(struct vrl_vq *vq);

/**
 * vrl_vq_avail_count() - how many chains wait
 * @vq: queue
 *
 * Return: chains available and not consumed, or -EPROTO as in peek.
 */
int vrl_vq_avail_count(struct vrl_vq *vq);

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
 * Return: 0, or -EINVAL if more chains than the queue has were in flight; then
 * nothing has changed.
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
