// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of vhost_vdpa that means no good, beside one that does, both in the window
 * of one backend. What the bad one names and has not mapped moves no byte; what the
 * good one has is neither read nor written; both work afterwards.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   window_hostile ATTACK FUNCTION DEVICE GOOD_DEVICE
 *
 *   addresses  buffers that are not there, may not be read, may not be written
 *   tables     likewise indirect tables, and chains that break the rules
 *
 * FUNCTION is that of DEVICE. Prints TAP. Run by 91-window-hostile.t.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include "lib/vdpa_pair.h"

static struct pair p;

/* ---- buffers ---- */

/* A frame from where there is none: the chain comes back, the next frame is the first. */
static bool nothing_sent_from(uint64_t iova, uint32_t len)
{
	struct vring_desc d = { .addr = iova, .len = len };
	unsigned int head = uq_post(&p.bad.tx, &d, 1);
	uint32_t marker = guest_send(&p.bad);
	struct vring_used_elem e[2] = {};
	long seq = wire_take(p.bad.tag, PATIENCE_MS);

	return uq_take(&p.bad.tx, &e[0], PATIENCE_MS) && uq_take(&p.bad.tx, &e[1], PATIENCE_MS) &&
	       e[0].id == head && e[0].len == 0 && seq == marker;
}

/* A receive buffer that is none: it comes back empty, and the next one has a frame. */
static bool nothing_received_at(uint64_t iova, uint32_t len)
{
	struct vring_desc d = { .addr = iova, .len = len, .flags = VRING_DESC_F_WRITE };
	struct vring_used_elem e[2] = {};
	unsigned int head, n = 0, i;

	while (p.bad.rx_posted && uq_take(&p.bad.rx, &e[0], 0))
		p.bad.rx_posted--;
	if (p.bad.rx_posted)
		return false;
	head = uq_post(&p.bad.rx, &d, 1);
	guest_offer(&p.bad);
	for (i = 0; i < PATIENCE_MS / 100 && n < 2; i++) {
		wire_send(1);
		n += uq_take(&p.bad.rx, &e[n], 100);
	}
	p.bad.rx_posted -= n == 2;
	return n == 2 && e[0].id == head && e[0].len == 0 && e[1].len > HDR_LEN;
}

struct place {
	const char *name;
	uint64_t iova;
	uint32_t len;
};

static void each_place(const struct place *at, unsigned int nr,
		       bool (*nothing)(uint64_t iova, uint32_t len), const char *what)
{
	char name[100];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "%s %s", what, at[i].name);
		/* Each after a failure would wait for its end. */
		if (!ok(nothing(at[i].iova, at[i].len), name))
			break;
	}
}

static const struct place nowhere[] = {
	{ "an address nobody has mapped", 0x7000000000, 256 },
	{ "address 0", 0, 256 },
	{ "another function's memory", SECRET_IOVA, 256 },
	{ "another function's memory, a window further", WINDOW_SIZE + SECRET_IOVA, 256 },
	{ "another function's memory, a window before", SECRET_IOVA - WINDOW_SIZE, 256 },
	{ "another function's memory, two windows further",
	  2 * WINDOW_SIZE + SECRET_IOVA, 256 },
	{ "another function's memory, two windows before",
	  SECRET_IOVA - 2 * WINDOW_SIZE, 256 },
	{ "the end of the window", WINDOW_SIZE - 128, 256 },
	{ "the end of all addresses", -256ULL, 256 },
	{ "where its memory begins", BAD_IOVA - 128, 256 },
	{ "where its memory ends", BAD_IOVA + GUEST_SIZE - 16, 256 },
	{ "its memory, by as much as a descriptor can say", BAD_IOVA + ROOM_AT, ~0U },
};

/* A frame over the seam of two ranges is one. */
static void test_seam(void)
{
	uint64_t at = SPLIT_IOVA + PAGE - HDR_LEN - 20;
	uint8_t *first = p.split_mem + 5 * PAGE - HDR_LEN - 20;
	struct vring_desc d = { .addr = at, .len = HDR_LEN + FRAME_LEN };
	struct vring_used_elem e;
	uint8_t frame[HDR_LEN + FRAME_LEN];
	uint32_t seq;

	seq = guest_send(&p.bad);
	need(wire_take(p.bad.tag, PATIENCE_MS) == seq && uq_take(&p.bad.tx, &e, PATIENCE_MS),
	     "a good frame");
	memcpy(frame, p.bad.mem + BUFS_AT(1) + e.id % UQ_NUM * BUF_SIZE, sizeof(frame));
	frame[HDR_LEN + 16] ^= 0x80;		/* another number */
	memcpy(first, frame, HDR_LEN + 20);
	memcpy(p.split_mem, frame + HDR_LEN + 20, FRAME_LEN - 20);
	uq_post(&p.bad.tx, &d, 1);
	is(wire_take(p.bad.tag, PATIENCE_MS), seq ^ 0x80, "over two ranges a frame is one");
	ok(uq_take(&p.bad.tx, &e, PATIENCE_MS), "and its buffer comes back");
}

/* The control queue is the kernel's. */
static void test_ctrl(void)
{
	static const uint64_t where[][2] = {
		{ SECRET_IOVA, BAD_IOVA + ROOM_AT },
		{ BAD_IOVA + ROOM_AT, SECRET_IOVA },
		{ BAD_IOVA + ROOM_AT, RO_IOVA },
		{ WO_IOVA, 0x7000000000 },
		{ -8ULL, -1ULL },
	};
	struct vring_used_elem e = {};
	unsigned int i, head;
	bool good_so_far = true;

	for (i = 0; i < sizeof(where) / sizeof(where[0]) && good_so_far; i++) {
		struct vring_desc d[2] = {
			{ .addr = where[i][0], .len = 8 },
			{ .addr = where[i][1], .len = 1, .flags = VRING_DESC_F_WRITE },
		};

		head = uq_post(&p.bad.ctrl, d, 2);
		uq_kick(&p.bad.ctrl);
		/* Where a status can be written, one is. */
		good_so_far = uq_take(&p.bad.ctrl, &e, PATIENCE_MS) && e.id == head &&
			      e.len == (i == 0);
	}
	ok(good_so_far, "commands and answers at such places come back as well");
}

static void run_addresses(void)
{
	static const struct place unreadable = { "memory to be written only", WO_IOVA, 256 };
	static const struct place unwritable = { "memory to be read only", RO_IOVA, 256 };
	uint64_t faults = be_dma_faults(&p.b);

	each_place(nowhere, sizeof(nowhere) / sizeof(nowhere[0]), nothing_sent_from,
		   "nothing is sent from");
	each_place(&unreadable, 1, nothing_sent_from, "nothing is sent from");
	each_place(nowhere, sizeof(nowhere) / sizeof(nowhere[0]) - 1, nothing_received_at,
		   "nothing is received at");
	each_place(&unwritable, 1, nothing_received_at, "nothing is received at");
	ok(secret_is_whole(p.ro_mem, EXTRA_SIZE), "which is as it was");
	test_seam();
	test_ctrl();
	ok(be_dma_faults(&p.b) > faults, "the kernel's own are DMA faults");
	pair_is_well(&p);
}

/* ---- chains ---- */

static bool nothing_from_table(uint64_t iova, uint32_t len)
{
	struct vring_desc d = { .addr = iova, .len = len, .flags = VRING_DESC_F_INDIRECT };
	unsigned int head = uq_post(&p.bad.tx, &d, 1);
	uint32_t marker = guest_send(&p.bad);
	struct vring_used_elem e[2] = {};

	return wire_take(p.bad.tag, PATIENCE_MS) == marker &&
	       uq_take(&p.bad.tx, &e[0], PATIENCE_MS) && uq_take(&p.bad.tx, &e[1], PATIENCE_MS) &&
	       e[0].id == head && e[0].len == 0;
}

/* Breaks the rules of the ring: the queue stops, says so, and a reset makes it good. */
static void breaks(const char *name, void (*post)(void))
{
	unsigned int i;

	pair_restart_bad(&p, 1ULL << VIRTIO_RING_F_INDIRECT_DESC);
	post();
	for (i = 0; i < PATIENCE_MS / 10 &&
	     !(guest_status(&p.bad) & VIRTIO_CONFIG_S_NEEDS_RESET); i++)
		usleep(10000);
	ok(guest_status(&p.bad) & VIRTIO_CONFIG_S_NEEDS_RESET, name);
}

static struct vring_desc *table(void)
{
	return (void *)(p.bad.mem + ROOM_AT);
}

static void post_table(uint32_t len)
{
	struct vring_desc d = { .addr = BAD_IOVA + ROOM_AT, .len = len,
				.flags = VRING_DESC_F_INDIRECT };

	uq_post(&p.bad.tx, &d, 1);
}

static void post_loop(void)
{
	p.bad.tx.vring.desc[0] = (struct vring_desc){ BAD_IOVA, 64, VRING_DESC_F_NEXT, 1 };
	p.bad.tx.vring.desc[1] = (struct vring_desc){ BAD_IOVA, 64, VRING_DESC_F_NEXT, 0 };
	__atomic_store_n(&p.bad.tx.vring.avail->idx, 1, __ATOMIC_RELEASE);
}

static void post_table_loop(void)
{
	table()[0] = (struct vring_desc){ BAD_IOVA, 64, VRING_DESC_F_NEXT, 1 };
	table()[1] = (struct vring_desc){ BAD_IOVA, 64, VRING_DESC_F_NEXT, 0 };
	post_table(32);
}

static void post_nested(void)
{
	table()[0] = (struct vring_desc){ BAD_IOVA + ROOM_AT, 16, VRING_DESC_F_INDIRECT, 0 };
	post_table(16);
}

static void post_odd_table(void)
{
	post_table(17);
}

static void post_far_next(void)
{
	p.bad.tx.vring.desc[0] = (struct vring_desc){ BAD_IOVA, 64, VRING_DESC_F_NEXT, 60000 };
	__atomic_store_n(&p.bad.tx.vring.avail->idx, 1, __ATOMIC_RELEASE);
}

static void post_far_head(void)
{
	p.bad.tx.vring.avail->ring[0] = 0xfff0;
	__atomic_store_n(&p.bad.tx.vring.avail->idx, 1, __ATOMIC_RELEASE);
}

static void post_wrap(void)
{
	struct vring_desc d = { .addr = -128ULL, .len = 256 };

	uq_post(&p.bad.tx, &d, 1);
}

static void post_jump(void)
{
	__atomic_store_n(&p.bad.tx.vring.avail->idx, 0x7fff, __ATOMIC_RELEASE);
}

static void post_jump_rx(void)
{
	__atomic_store_n(&p.bad.rx.vring.avail->idx, 0x7fff, __ATOMIC_RELEASE);
	wire_send(1);
}

static void run_tables(void)
{
	each_place(nowhere, sizeof(nowhere) / sizeof(nowhere[0]) - 1, nothing_from_table,
		   "there is no table at");
	*table() = (struct vring_desc){ SECRET_IOVA, HDR_LEN + FRAME_LEN, 0, 0 };
	ok(nothing_from_table(BAD_IOVA + ROOM_AT, 16), "nor a frame where a good one leads");
	breaks("a chain that is a loop needs a reset", post_loop);
	breaks("a table that is one", post_table_loop);
	breaks("a table in a table", post_nested);
	breaks("a table of one entry and a byte", post_odd_table);
	breaks("a chain that leaves the ring", post_far_next);
	breaks("a chain that begins outside", post_far_head);
	breaks("a buffer over the end of all addresses", post_wrap);
	breaks("more chains than the ring has", post_jump);
	breaks("more buffers than the ring has", post_jump_rx);
	pair_is_well(&p);
}

static const struct attack attacks[] = {
	{ "addresses", run_addresses },
	{ "tables", run_tables },
	{ 0 },
};

int main(int argc, char **argv)
{
	return pair_main(&p, attacks, argc, argv);
}
