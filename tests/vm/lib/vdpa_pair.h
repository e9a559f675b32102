/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two users of vhost_vdpa at one backend: a bad one, and a good one with a secret.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The backend runs already, with the netdev of the namespace red at a third port.
 */
#ifndef VDPA_PAIR_H
#define VDPA_PAIR_H

#include "vdpa_guest.h"

#define BAD_IOVA	0x10000000ULL
#define GOOD_IOVA	0x30000000ULL
#define RO_IOVA		0x20000000ULL	/* the bad one's, for the device to read */
#define WO_IOVA		0x21000000ULL	/* to write */
#define SPLIT_IOVA	0x22000000ULL	/* two pages, not contiguous in memory */
#define EXTRA_SIZE	(16 * PAGE)
#define SECRET_IOVA	(GOOD_IOVA + (16 << 20))	/* the good one's */
#define SECRET_SIZE	(64 * PAGE)
#define WINDOW_SIZE	(1ULL << 40)

/*
 * Here @b is a name and its counters: the process is not that backend. @split_mem:
 * its page 4, then its page 0, are what is at SPLIT_IOVA.
 */
struct pair {
	const char *device;	/* of the bad one */
	struct guest bad, good;
	struct backend b;
	uint8_t *secret, *ro_mem, *wo_mem, *split_mem;
};

struct attack {
	const char *name;	/* NULL ends a list */
	void (*run)(void);
};

/* For main(): "PROGRAM ATTACK FUNCTION DEVICE GOOD_DEVICE"; opens both, runs that one. */
int pair_main(struct pair *p, const struct attack *attacks, int argc, char **argv);
/* The bad one opens its device, and starts. */
void pair_start_bad(struct pair *p, uint64_t more_features);
void pair_restart_bad(struct pair *p, uint64_t more_features);
/* How every attack ends: cases about the good one, and about the bad one after a reset. */
void pair_is_well(struct pair *p);
long long pair_ranges(struct pair *p);

#endif
