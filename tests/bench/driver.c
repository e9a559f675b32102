// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The driver's side of a ring, split and packed (virtio 1.3, 2.7 and 2.8): posts
 * packets whose buffers lie on random pages, takes them back in the order in
 * which they were posted, and checks what came. Suppresses interrupts. It is not
 * timed, yet writes each descriptor anew for each packet, as drivers do.
 */
#define _GNU_SOURCE
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PAGE		4096u
#define RINGS_LEN	(64u << 10)
#define TABLE_LEN	512u		/* 17 entries of 16 bytes, rounded up */
#define NR_PAGES	(SLOTS_MAX * 8)

#define PACKED_AVAIL	(1u << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED	(1u << VRING_PACKED_DESC_F_USED)

#define acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

int memory_create(struct memory *m, unsigned int nr_arms)
{
	uint32_t first;

	m->area = RINGS_LEN + SLOTS_MAX * TABLE_LEN;
	first = (uint32_t)(nr_arms * m->area / PAGE);
	/* Whole MiB, so that it can be cut into 64 ranges of whole pages. */
	m->size = ((first + NR_PAGES) * (size_t)PAGE + (1u << 20) - 1) & ~(((size_t)1 << 20) - 1);
	m->fd = memfd_create("vring-bench", MFD_CLOEXEC);
	if (m->fd < 0 || ftruncate(m->fd, (off_t)m->size))
		return -1;
	m->base = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, m->fd, 0);
	m->pages = malloc(NR_PAGES * sizeof(*m->pages));
	if (m->base == MAP_FAILED || !m->pages)
		return -1;

	srandom(1);
	for (uint32_t i = 0; i < NR_PAGES; i++) {
		uint32_t j = (uint32_t)random() % (i + 1);

		m->pages[i] = m->pages[j];
		m->pages[j] = first + i;
	}
	return 0;
}

void driver_init(struct driver *d, const struct workload *w, const struct memory *m,
		 unsigned int arm, uint64_t iova_base)
{
	uint8_t *area = m->base + arm * m->area;
	struct vring_avail *avail;

	memset(area, 0, m->area);
	*d = (struct driver){
		.w = w,
		.mem = m,
		.iova_base = iova_base,
		.desc = area,
		.avail = area + 0x8000,
		.used = area + 0xa000,
		.tables = area + RINGS_LEN,
		.avail_wrap = true,
		.used_wrap = true,
	};
	avail = d->avail;
	if (w->packed)
		((struct vring_packed_desc_event *)d->avail)->flags =
			VRING_PACKED_EVENT_FLAG_DISABLE;
	else
		avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
}

void *driver_piece(const struct driver *d, uint64_t packet, unsigned int piece)
{
	uint32_t slot = (uint32_t)(packet % d->w->slots);
	uint32_t page = d->mem->pages[slot * d->w->nr_pieces + piece];

	return d->mem->base + (size_t)page * PAGE;
}

static uint64_t driver_iova(const struct driver *d, const void *p)
{
	return d->iova_base + (uint64_t)((const uint8_t *)p - d->mem->base);
}

static void *driver_table(const struct driver *d, uint64_t packet)
{
	return (uint8_t *)d->tables + packet % d->w->slots * TABLE_LEN;
}

/* ---- split ------------------------------------------------------------------ */

static struct vring_desc split_desc(const struct driver *d, unsigned int piece, uint16_t next)
{
	const struct workload *w = d->w;
	bool more = w->shape != SHAPE_DIRECT && piece + 1 < w->nr_pieces;

	return (struct vring_desc){
		.addr = driver_iova(d, driver_piece(d, d->posted, piece)),
		.len = w->pieces[piece],
		.flags = (w->rx ? VRING_DESC_F_WRITE : 0) | (more ? VRING_DESC_F_NEXT : 0),
		.next = more ? next : 0,
	};
}

static void split_offer(struct driver *d, uint16_t head)
{
	struct vring_avail *avail = d->avail;

	avail->ring[d->avail_idx++ & (d->w->ring - 1)] = head;
}

static void split_post_one(struct driver *d)
{
	const struct workload *w = d->w;
	uint16_t head = (uint16_t)(d->posted % w->slots * w->entries);
	struct vring_desc *ring = d->desc, *to = &ring[head];
	bool indirect = w->shape == SHAPE_INDIRECT;

	if (indirect)
		to = driver_table(d, d->posted);
	for (unsigned int i = 0; i < w->nr_pieces; i++)
		to[i] = split_desc(d, i, (uint16_t)(i + 1 + (indirect ? 0 : head)));
	if (indirect)
		ring[head] = (struct vring_desc){
			.addr = driver_iova(d, to),
			.len = w->nr_pieces * (uint32_t)sizeof(*to),
			.flags = VRING_DESC_F_INDIRECT,
		};
	for (unsigned int i = 0; i < w->chains; i++)
		split_offer(d, (uint16_t)(head + i));
	d->posted++;
}

/* The next used element: bytes written, or -1 if it is not @head's. */
static int64_t split_used(struct driver *d, uint32_t head)
{
	struct vring_used *used = d->used;
	const struct vring_used_elem *e = &used->ring[d->used_idx & (d->w->ring - 1)];

	if (acquire(&used->idx) == d->used_idx || e->id != head)
		return -1;
	d->used_idx++;
	return e->len;
}

/* ---- packed ----------------------------------------------------------------- */

static uint16_t packed_flags(const struct driver *d)
{
	return d->avail_wrap ? PACKED_AVAIL : PACKED_USED;
}

/* One entry of the ring; @more of the same chain follow. */
static void packed_add(struct driver *d, struct vring_packed_desc desc, bool more)
{
	struct vring_packed_desc *ring = d->desc;
	uint16_t flags = desc.flags | packed_flags(d) | (more ? VRING_DESC_F_NEXT : 0);

	desc.flags = ring[d->avail_idx].flags;
	ring[d->avail_idx] = desc;
	release(&ring[d->avail_idx].flags, flags);
	if (++d->avail_idx == d->w->ring) {
		d->avail_idx = 0;
		d->avail_wrap = !d->avail_wrap;
	}
}

static struct vring_packed_desc packed_desc(const struct driver *d, unsigned int piece)
{
	const struct workload *w = d->w;
	uint32_t chain = w->chains == 1 ? 0 : piece;

	return (struct vring_packed_desc){
		.addr = driver_iova(d, driver_piece(d, d->posted, piece)),
		.len = w->pieces[piece],
		.id = (uint16_t)(d->posted % w->slots * w->chains + chain),
		.flags = w->rx ? VRING_DESC_F_WRITE : 0,
	};
}

static void packed_post_one(struct driver *d)
{
	const struct workload *w = d->w;
	struct vring_packed_desc *table = driver_table(d, d->posted);

	for (unsigned int i = 0; i < w->nr_pieces; i++) {
		bool more = w->shape == SHAPE_CHAINED && i + 1 < w->nr_pieces;

		if (w->shape == SHAPE_INDIRECT)
			table[i] = packed_desc(d, i);
		else
			packed_add(d, packed_desc(d, i), more);
	}
	if (w->shape == SHAPE_INDIRECT)
		packed_add(d, (struct vring_packed_desc){
			.addr = driver_iova(d, table),
			.len = w->nr_pieces * (uint32_t)sizeof(*table),
			.id = (uint16_t)(d->posted % w->slots),
			.flags = VRING_DESC_F_INDIRECT,
		}, false);
	d->posted++;
}

static int64_t packed_used(struct driver *d, uint32_t id)
{
	struct vring_packed_desc *ring = d->desc;
	const struct vring_packed_desc *e = &ring[d->used_idx];
	uint16_t want = d->used_wrap ? PACKED_AVAIL | PACKED_USED : 0;

	if ((acquire(&e->flags) & (PACKED_AVAIL | PACKED_USED)) != want || e->id != id)
		return -1;
	d->used_idx += d->w->entries / d->w->chains;
	if (d->used_idx >= d->w->ring) {
		d->used_idx -= d->w->ring;
		d->used_wrap = !d->used_wrap;
	}
	return e->len;
}

/* ---- both ------------------------------------------------------------------- */

void driver_post(struct driver *d, unsigned int packets)
{
	struct vring_avail *avail = d->avail;

	for (unsigned int i = 0; i < packets; i++) {
		if (d->w->packed)
			packed_post_one(d);
		else
			split_post_one(d);
	}
	if (!d->w->packed)
		release(&avail->idx, d->avail_idx);
}

static int reap_one(struct driver *d)
{
	const struct workload *w = d->w;
	uint32_t slot = (uint32_t)(d->reaped % w->slots);
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < w->chains; i++) {
		int64_t len = w->packed ? packed_used(d, slot * w->chains + i) :
			      split_used(d, slot * w->entries + i);

		if (len < 0) {
			fprintf(stderr, "%s: packet %llu was not used, or not in order\n", w->name,
				(unsigned long long)d->reaped);
			return -1;
		}
		bytes += (uint64_t)len;
	}
	if (w->rx && bytes != HDR_LEN + w->frame) {
		fprintf(stderr, "%s: packet %llu: %llu bytes used, not %u\n", w->name,
			(unsigned long long)d->reaped, (unsigned long long)bytes,
			HDR_LEN + w->frame);
		return -1;
	}
	d->reaped++;
	return 0;
}

int driver_reap(struct driver *d, unsigned int packets)
{
	for (unsigned int i = 0; i < packets; i++)
		if (reap_one(d))
			return -1;
	return 0;
}

/* ---- contents --------------------------------------------------------------- */

static uint8_t pattern_byte(uint32_t seed, size_t i)
{
	return (uint8_t)((seed * 2654435761u + (uint32_t)i * 40503u) >> 11);
}

void pattern_fill(uint8_t *p, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = pattern_byte(seed, i);
}

/* Bytes @from.. of the frame @seed stands for. */
int pattern_check(const uint8_t *p, size_t len, uint32_t seed, size_t from)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != pattern_byte(seed, from + i)) {
			fprintf(stderr, "byte %zu of frame %u is wrong\n", from + i, seed);
			return -1;
		}
	return 0;
}

/* The header is all zero, the frame the pattern. */
void driver_fill(struct driver *d, unsigned int ahead, uint32_t seed)
{
	const struct workload *w = d->w;
	size_t skip = HDR_LEN, at = 0;

	for (unsigned int i = 0; i < w->nr_pieces; i++) {
		uint8_t *p = driver_piece(d, d->posted + ahead, i);

		memset(p, 0, skip);
		for (size_t j = skip; j < w->pieces[i]; j++)
			p[j] = pattern_byte(seed, at++);
		skip = 0;
	}
}

int driver_check(struct driver *d, uint32_t seed)
{
	const struct workload *w = d->w;
	const uint8_t *p = driver_piece(d, d->reaped, 0);
	size_t skip = HDR_LEN, at = 0;

	if (p[10] != w->chains || p[11]) {
		fprintf(stderr, "%s: num_buffers is %u, not %u\n", w->name, p[10] | p[11] << 8,
			w->chains);
		return -1;
	}
	for (unsigned int i = 0; i < w->nr_pieces && at < w->frame; i++) {
		size_t len = w->pieces[i] - skip;

		p = driver_piece(d, d->reaped, i);
		if (len > w->frame - at)
			len = w->frame - at;
		if (pattern_check(p + skip, len, seed, at))
			return -1;
		at += len;
		skip = 0;
	}
	return 0;
}
