// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two users of vhost_vdpa at one backend; see vdpa_pair.h.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vdpa_pair.h"

static void pair_map_extras(struct pair *p)
{
	struct user *u = &p->bad.user;

	need(!user_map(u, RO_IOVA, p->ro_mem, EXTRA_SIZE, VHOST_ACCESS_RO), "map");
	need(!user_map(u, WO_IOVA, p->wo_mem, EXTRA_SIZE, VHOST_ACCESS_WO), "map");
	need(!user_map(u, SPLIT_IOVA, p->split_mem + 4 * PAGE, PAGE, VHOST_ACCESS_RW), "map");
	need(!user_map(u, SPLIT_IOVA + PAGE, p->split_mem, PAGE, VHOST_ACCESS_RW), "map");
}

void pair_start_bad(struct pair *p, uint64_t more_features)
{
	guest_open(&p->bad, p->device, BAD_IOVA, 0x66);
	pair_map_extras(p);
	guest_start(&p->bad, more_features);
}

void pair_restart_bad(struct pair *p, uint64_t more_features)
{
	guest_reset(&p->bad);
	guest_start(&p->bad, more_features);
}

static void pair_open(struct pair *p, int argc, char **argv)
{
	setlinebuf(stdout);
	if (argc != 5) {
		fprintf(stderr, "Usage: %s ATTACK FUNCTION DEVICE GOOD_DEVICE\n", argv[0]);
		exit(2);
	}
	wire_open();
	p->b.function = argv[2];
	p->device = argv[3];
	p->ro_mem = mem_anon(EXTRA_SIZE, MADV_NOHUGEPAGE);
	p->wo_mem = mem_anon(EXTRA_SIZE, MADV_NOHUGEPAGE);
	p->split_mem = mem_anon(EXTRA_SIZE, MADV_NOHUGEPAGE);
	p->secret = mem_anon(SECRET_SIZE, MADV_NOHUGEPAGE);
	secret_write(p->secret, SECRET_SIZE);
	secret_write(p->ro_mem, EXTRA_SIZE);
	secret_write(p->wo_mem, EXTRA_SIZE);
	guest_open(&p->good, argv[4], GOOD_IOVA, 0x11);
	need(!user_map(&p->good.user, SECRET_IOVA, p->secret, SECRET_SIZE, VHOST_ACCESS_RW),
	     "map");
	guest_start(&p->good, 0);
	pair_start_bad(p, 1ULL << VIRTIO_RING_F_INDIRECT_DESC);
	ok(guest_works(&p->good) && guest_works(&p->bad), "two users and a netdev, one backend");
}

void pair_is_well(struct pair *p)
{
	ok(guest_works(&p->good), "the good one works");
	ok(secret_is_whole(p->secret, SECRET_SIZE), "its memory is as it was");
	is((long long)wire_secrets, 0, "nobody has seen what is in it");
	is((long long)wire_strays, 0, "nor was anything sent that is no frame");
	pair_restart_bad(p, 0);
	ok(guest_works(&p->bad), "after a reset the bad one works, too");
}

long long pair_ranges(struct pair *p)
{
	return (long long)be_counter(&p->b, "as0.ranges");
}

int pair_main(struct pair *p, const struct attack *attacks, int argc, char **argv)
{
	pair_open(p, argc, argv);
	while (attacks->name && strcmp(attacks->name, argv[1]))
		attacks++;
	if (attacks->name)
		attacks->run();
	else
		ok(false, "this attack is not known");
	user_close(&p->bad.user);
	user_close(&p->good.user);
	return done();
}
