/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What memory looks like after each single store to it: the states in which a
 * process can leave it that is killed at any moment. The machine's own stores are
 * seen, as the compiler ordered them, whatever the source says: the memory is
 * write-protected, and each store that faults is let through alone.
 */
#ifndef STORES_H
#define STORES_H

#include <stddef.h>

struct stores {
	char *mem;			/* whole pages */
	size_t len;			/* of @mem, what is recorded */
	char *snaps;			/* @nr times @len bytes */
	unsigned int nr, max;
};

/* At most @max states are kept; more end the test. */
void stores_init(struct stores *s, size_t len, unsigned int max);
void stores_fini(struct stores *s);
/* Calls fn(arg): snaps[0] is the memory before, snaps[nr - 1] the memory after. */
void stores_record(struct stores *s, void (*fn)(void *arg), void *arg);
static inline const char *stores_at(const struct stores *s, unsigned int i)
{
	return s->snaps + i * s->len;
}

#endif /* STORES_H */
