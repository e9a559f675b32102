// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The floor (floor.h), split and packed, compiled once per way to copy:
 * FLOOR_COPY and FLOOR_ARM come from the command line.
 */
#include "floor.h"

#define acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define always		static inline __attribute__((always_inline))

#define AVAIL		(1u << VRING_PACKED_DESC_F_AVAIL)
#define USED		(1u << VRING_PACKED_DESC_F_USED)

static struct floor_queue queue;

/* One piece of guest memory, from or to the private frame. */
always uint32_t copy_piece(uint8_t *frame, uint64_t iova, uint32_t len, bool rx)
{
	if (rx)
		FLOOR_COPY(queue.window + iova, frame, len);
	else
		FLOOR_COPY(frame, queue.window + iova, len);
	return len;
}

/* ---- split ------------------------------------------------------------------ */

/* One chain; at most @room bytes. Returns how many there were. */
always uint32_t split_chain(uint16_t head, uint8_t *frame, uint32_t room, bool rx)
{
	const struct vring_desc *table = queue.desc, *d = &table[head];
	uint32_t done = 0, len;

	if (d->flags & VRING_DESC_F_INDIRECT) {
		table = (const void *)(queue.window + d->addr);
		d = table;
	}
	for (;;) {
		len = d->len < room - done ? d->len : room - done;
		done += copy_piece(frame + done, d->addr, len, rx);
		if (!(d->flags & VRING_DESC_F_NEXT) || done == room)
			return done;
		d = &table[d->next];
	}
}

always uint16_t split_head(uint16_t at)
{
	const struct vring_avail *avail = queue.avail;

	return avail->ring[at & (queue.num - 1)];
}

always void split_give(uint16_t at, uint16_t head, uint32_t len)
{
	struct vring_used *used = queue.used;

	used->ring[at & (queue.num - 1)] = (struct vring_used_elem){ .id = head, .len = len };
}

static unsigned int split_tx(unsigned int n)
{
	const struct vring_avail *avail = queue.avail;
	struct vring_used *used = queue.used;
	uint16_t at = queue.at, nr = acquire(&avail->idx) - at;

	if (n > nr)
		n = nr;
	for (unsigned int i = 0; i < n; i++, at++) {
		uint16_t head = split_head(at);

		frames.len[i] = split_chain(head, frames.buf[i], FRAME_MAX, false);
		split_give(at, head, 0);
	}
	release(&used->idx, at);
	queue.at = at;
	return n;
}

static unsigned int split_rx(unsigned int n)
{
	struct vring_used *used = queue.used;
	uint16_t at = queue.at;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t left = frames.len[i], len;
		uint8_t *from = frames.buf[i], *hdr = NULL;
		uint16_t head, first = at;

		for (; left; left -= len, from += len, at++) {
			head = split_head(at);
			len = split_chain(head, from, left, true);
			split_give(at, head, len);
			if (!hdr)
				hdr = queue.window + ((struct vring_desc *)queue.desc)[head].addr;
		}
		if ((uint16_t)(at - first) > 1)
			hdr[10] = (uint8_t)(at - first);
	}
	release(&used->idx, at);
	queue.at = at;
	return n;
}

/* ---- packed ----------------------------------------------------------------- */

always uint16_t packed_used_flags(void)
{
	return queue.wrap ? AVAIL | USED : 0;
}

always bool packed_is_avail(void)
{
	const struct vring_packed_desc *d = (struct vring_packed_desc *)queue.desc + queue.at;
	uint16_t flags = acquire(&d->flags);

	return !!(flags & AVAIL) == queue.wrap && !!(flags & USED) != queue.wrap;
}

always void packed_step(uint16_t n)
{
	queue.at += n;
	if (queue.at >= queue.num) {
		queue.at -= queue.num;
		queue.wrap = !queue.wrap;
	}
}

struct packed_chain {
	uint32_t len;
	uint16_t id;
	uint16_t taken;			/* entries of the ring */
};

always struct packed_chain packed_chain(uint8_t *frame, uint32_t room, bool rx)
{
	const struct vring_packed_desc *ring = queue.desc, *d = &ring[queue.at];
	struct packed_chain c = { .id = d->id, .taken = 1 };
	uint16_t at = queue.at;

	if (d->flags & VRING_DESC_F_INDIRECT) {
		const struct vring_packed_desc *end;

		end = (const void *)(queue.window + d->addr + d->len);
		for (d = (const void *)(queue.window + d->addr); d < end && c.len < room; d++)
			c.len += copy_piece(frame + c.len, d->addr,
					    d->len < room - c.len ? d->len : room - c.len, rx);
		return c;
	}
	for (;; c.taken++) {
		c.len += copy_piece(frame + c.len, d->addr,
				    d->len < room - c.len ? d->len : room - c.len, rx);
		c.id = d->id;
		if (!(d->flags & VRING_DESC_F_NEXT))
			return c;
		if (++at == queue.num)
			at = 0;
		d = &ring[at];
	}
}

/* What the first of a burst says is written last. */
struct packed_first {
	struct vring_packed_desc *d;
	uint16_t flags;
};

always void packed_give(const struct packed_chain *c, uint32_t len, struct packed_first *first)
{
	struct vring_packed_desc *d = (struct vring_packed_desc *)queue.desc + queue.at;
	uint16_t flags = packed_used_flags();

	d->id = c->id;
	d->len = len;
	if (first->d)
		release(&d->flags, flags);
	else
		*first = (struct packed_first){ .d = d, .flags = flags };
	packed_step(c->taken);
}

static unsigned int packed_tx(unsigned int n)
{
	struct packed_first first = { 0 };
	unsigned int i;

	for (i = 0; i < n && packed_is_avail(); i++) {
		struct packed_chain c = packed_chain(frames.buf[i], FRAME_MAX, false);

		frames.len[i] = c.len;
		packed_give(&c, 0, &first);
	}
	if (first.d)
		release(&first.d->flags, first.flags);
	return i;
}

static unsigned int packed_rx(unsigned int n)
{
	struct packed_first first = { 0 };
	unsigned int i;

	for (i = 0; i < n && packed_is_avail(); i++) {
		const struct vring_packed_desc *d;
		uint32_t left = frames.len[i];
		uint8_t *from = frames.buf[i], *hdr;
		uint8_t nr = 0;

		d = (struct vring_packed_desc *)queue.desc + queue.at;
		hdr = queue.window + d->addr;
		for (; left; nr++) {
			struct packed_chain c = packed_chain(from, left, true);

			packed_give(&c, c.len, &first);
			left -= c.len;
			from += c.len;
		}
		if (nr > 1)
			hdr[10] = nr;
	}
	if (first.d)
		release(&first.d->flags, first.flags);
	return i;
}

/* ---- the arm ---------------------------------------------------------------- */

static bool is_packed;

static int floor_open(const struct arm *a, const struct driver *d)
{
	(void)a;
	is_packed = d->w->packed;
	queue = (struct floor_queue){
		.window = d->mem->base - d->iova_base,
		.desc = d->desc,
		.avail = d->avail,
		.used = d->used,
		.num = (uint16_t)d->w->ring,
		.wrap = true,
	};
	return 0;
}

static unsigned int floor_tx(void *ctx, unsigned int n)
{
	(void)ctx;
	return is_packed ? packed_tx(n) : split_tx(n);
}

static unsigned int floor_rx(void *ctx, unsigned int n)
{
	(void)ctx;
	return is_packed ? packed_rx(n) : split_rx(n);
}

const struct arm FLOOR_ARM = {
	.name = FLOOR_NAME,
	.open = floor_open,
	.tx = floor_tx,
	.rx = floor_rx,
	.get = flat_get,
	.put = flat_put,
};
