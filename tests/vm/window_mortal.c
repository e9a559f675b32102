// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of vhost_vdpa whose memory goes while the backend works with it: piece by
 * piece, all at once with the rings, or with the user itself. Beside it one that
 * stays, and notices nothing.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   window_mortal ATTACK FUNCTION DEVICE GOOD_DEVICE
 *
 *   maps   memory comes and goes under the traffic
 *   rings  the rings go with all other memory
 *   ends   reset, close and kill -9 in the middle
 *
 * FUNCTION is that of DEVICE. Prints TAP. Run by 91-window-hostile.t.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/vdpa_pair.h"

static struct pair p;

/* ---- memory that goes ---- */

#define MOVING_IOVA	0x23000000ULL
#define MOVING_SIZE	(64 * PAGE)	/* first half to send from, second to receive */

static uint8_t *moving;
static uint32_t moved_out, moved_in, voided;

static void moving_post(void)
{
	uint64_t at = (uint64_t)(p.bad.tx.next % 32) * PAGE;
	struct vring_desc d = { .addr = MOVING_IOVA + at, .len = HDR_LEN + FRAME_LEN };

	memcpy(moving + at, p.bad.mem + BUFS_AT(1), HDR_LEN + FRAME_LEN);
	uq_post(&p.bad.tx, &d, 1);
	at = 32 * PAGE + (uint64_t)(p.bad.rx.next % 32) * PAGE;
	d = (struct vring_desc){ MOVING_IOVA + at, BUF_SIZE, VRING_DESC_F_WRITE, 0 };
	uq_post(&p.bad.rx, &d, 1);
}

static bool moving_reap(void)
{
	struct vring_used_elem e;

	while (uq_take(&p.bad.tx, &e, 0))
		if (e.id >= UQ_NUM || e.len)
			return false;
	while (uq_take(&p.bad.rx, &e, 0)) {
		if (e.id >= UQ_NUM || e.len > BUF_SIZE)
			return false;
		voided += !e.len;
		moved_in += e.len > HDR_LEN;
	}
	return true;
}

static bool bad_has_room(void)
{
	return (uint16_t)(p.bad.tx.vring.avail->idx - p.bad.tx.last_used) < 16 &&
	       (uint16_t)(p.bad.rx.vring.avail->idx - p.bad.rx.last_used) < 16;
}

/* What is unmapped stays as it is, whatever the backend has under way. */
static bool moving_is_quiet(uint64_t mark)
{
	volatile uint64_t *word = (uint64_t *)(moving + 32 * PAGE);
	unsigned int i;

	for (i = 0; i < 32 * PAGE / 8; i += PAGE / 8)
		word[i + 1] = mark;
	wire_send(2);
	sched_yield();
	for (i = 0; i < 32 * PAGE / 8; i += PAGE / 8)
		if (word[i + 1] != mark)
			return false;
	return true;
}

static void run_maps(void)
{
	time_t end = time(NULL) + 3;
	bool quiet = true, sane = true;
	unsigned int rounds = 0, i;

	moving = mem_anon(MOVING_SIZE, MADV_NOHUGEPAGE);
	for (; time(NULL) < end || !moved_in || !moved_out || !voided; rounds++) {
		if (time(NULL) > end + PATIENCE_MS / 1000)
			break;
		need(!user_map(&p.bad.user, MOVING_IOVA, moving, MOVING_SIZE, VHOST_ACCESS_RW),
		     "map");
		for (i = 0; i < 16; i++) {
			if (bad_has_room())
				moving_post();
			wire_send(3);
			moved_out += wire_take(p.bad.tag, 0) >= 0;
			sane = sane && moving_reap();
		}
		need(!user_unmap(&p.bad.user, MOVING_IOVA, MOVING_SIZE), "unmap");
		quiet = quiet && moving_is_quiet(rounds);
	}
	printf("# %u rounds, %u sent, %u received, %u came back empty\n", rounds, moved_out,
	       moved_in, voided);
	ok(moved_out && moved_in, "frames go both ways while their memory comes and goes");
	ok(voided, "some find none");
	ok(sane, "what comes back is what was given");
	ok(quiet, "nothing is written after unmap");
	/* A frame whose memory goes while it is copied is made of the sink. */
	wire_strays = 0;
	pair_is_well(&p);
}

/* ---- rings that go ---- */

static void run_rings(void)
{
	unsigned int i;

	is(user_unmap(&p.bad.user, 0, WINDOW_SIZE), 0, "all memory goes, with the rings");
	wire_others = 0;
	for (i = 0; i < 8; i++) {
		guest_send(&p.bad);
		guest_offer(&p.bad);
		wire_send(1);
	}
	ok(guest_works(&p.good), "that is nothing to the good one");
	is((long long)wire_others, 0, "no frame leaves such memory");
	is(pair_ranges(&p), 0, "of which no range is left");
	guest_reset(&p.bad);
	uq_setup(&p.bad.rx, &p.bad.user, 0, p.bad.mem, BAD_IOVA);
	uq_setup(&p.bad.tx, &p.bad.user, 1, p.bad.mem + RINGS_AT(1), SECRET_IOVA);
	user_start(&p.bad.user);
	uq_enable(&p.bad.rx);
	uq_enable(&p.bad.tx);
	guest_send(&p.bad);
	wire_send(1);
	ok(guest_works(&p.good), "nor are rings that are not there");
	need(!user_map(&p.bad.user, BAD_IOVA, p.bad.mem, GUEST_SIZE, VHOST_ACCESS_RW), "map");
	pair_is_well(&p);
}

/* ---- sudden ends ---- */

static void traffic(unsigned int n)
{
	struct vring_used_elem e;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (bad_has_room()) {
			guest_offer(&p.bad);
			guest_send(&p.bad);
		}
		wire_send(5);
		while (uq_take(&p.bad.tx, &e, 0))
			;
		while (uq_take(&p.bad.rx, &e, 0))
			p.bad.rx_posted--;
	}
}

/* A process with the device, which dies when it has frames under way. */
static bool child_dies(void)
{
	int status, ready[2];
	char c = 0;
	pid_t pid;

	need(!pipe(ready), "pipe");
	pid = fork();
	need(pid >= 0, "fork");
	if (!pid) {
		pair_start_bad(&p, 0);
		while (!guest_works(&p.bad))
			;
		need(write(ready[1], &c, 1) == 1, "write");
		for (;;)
			traffic(1);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		c = 1;
	close(ready[0]);
	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && !c;
}

static void run_ends(void)
{
	unsigned int i, ends = 0;

	for (i = 0; i < 6; i++) {
		traffic(20);
		pair_restart_bad(&p, 0);
	}
	ok(guest_works(&p.bad), "resets in mid-flight, again and again");
	for (i = 0; i < 6; i++) {
		traffic(20);
		user_close(&p.bad.user);
		pair_start_bad(&p, 0);
	}
	ok(guest_works(&p.bad), "closed in mid-flight, again and again");
	user_close(&p.bad.user);
	is(pair_ranges(&p), 0, "which leaves nothing mapped");
	for (i = 0; i < 3; i++)
		ends += child_dies();
	is(ends, 3, "kill -9 in mid-flight, again and again");
	is(pair_ranges(&p), 0, "leaves nothing mapped either");
	pair_start_bad(&p, 0);
	pair_is_well(&p);
}

static const struct attack attacks[] = {
	{ "maps", run_maps },
	{ "rings", run_rings },
	{ "ends", run_ends },
	{ 0 },
};

int main(int argc, char **argv)
{
	return pair_main(&p, attacks, argc, argv);
}
