// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Bytes become operations on a range table, each compared with a naive model:
 * an array with one cell per IOVA. There are 256 cells, so that one byte names
 * any: the lowest 128 addresses of the 64-bit space, one cell for the gap, and
 * the highest 127 addresses.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vrl/iotlb.h>

#define CELLS		256
#define MIDDLE		128
#define MAX_RANGES	12

#define CHECK(x)	do { if (!(x)) __builtin_trap(); } while (0)

struct cell {
	uint32_t id;		/* of the add that made it, 0 = not mapped */
	uint32_t perm;
	uint64_t addr;		/* where the first IOVA of the cell leads */
};

struct model {
	struct cell cell[CELLS];
	unsigned int max;
	uint32_t next_id;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t cell_first(unsigned int c)
{
	return c <= MIDDLE ? c : UINT64_MAX - (CELLS - 1 - c);
}

static uint64_t cell_last(unsigned int c)
{
	return c == CELLS - 1 ? UINT64_MAX : cell_first(c + 1) - 1;
}

/* Ranges are runs of one id: a hole always lies between two parts of one. */
static unsigned int model_ranges(const struct model *m)
{
	unsigned int c, n = 0;

	for (c = 0; c < CELLS; c++)
		n += m->cell[c].id && (!c || m->cell[c - 1].id != m->cell[c].id);
	return n;
}

static unsigned int model_mapped(const struct model *m, unsigned int a,
				 unsigned int b)
{
	unsigned int n = 0;

	for (; a <= b; a++)
		n += m->cell[a].id != 0;
	return n;
}

static int model_add(struct model *m, unsigned int a, unsigned int b,
		     uint64_t addr, uint32_t perm)
{
	unsigned int c;

	if (a > b || !perm || perm > 3)
		return -EINVAL;
	if (model_mapped(m, a, b))
		return -EEXIST;
	if (model_ranges(m) == m->max)
		return -ENOSPC;
	m->next_id++;
	for (c = a; c <= b; c++)
		m->cell[c] = (struct cell){ m->next_id, perm,
					    addr + cell_first(c) - cell_first(a) };
	return 0;
}

static int model_del(struct model *m, unsigned int a, unsigned int b)
{
	struct model before = *m;
	unsigned int c;

	if (a > b)
		return -EINVAL;
	if (!model_mapped(m, a, b))
		return -ENOENT;
	for (c = a; c <= b; c++)
		m->cell[c] = (struct cell){ 0, 0, 0 };
	if (model_ranges(m) > m->max) {
		*m = before;
		return -ENOSPC;
	}
	return 0;
}

static int model_translate(const struct model *m, unsigned int c, uint32_t perm,
			   uint64_t *addr, uint64_t *len)
{
	unsigned int end = c;
	uint64_t last;

	if (!*len)
		return -EINVAL;
	if (!m->cell[c].id)
		return -EFAULT;
	if ((m->cell[c].perm & perm) != perm)
		return -EACCES;
	while (end + 1 < CELLS && m->cell[end + 1].id == m->cell[c].id)
		end++;
	last = cell_last(end);
	if (*len - 1 > last - cell_first(c))
		*len = last - cell_first(c) + 1;
	*addr = m->cell[c].addr;
	return 0;
}

static void check_order(const struct vrl_iotlb *t, const struct model *m)
{
	uint32_t i;

	CHECK(t->nr == model_ranges(m) && t->nr <= t->max);
	for (i = 0; i < t->nr; i++) {
		CHECK(t->entries[i].first <= t->entries[i].last);
		CHECK(!i || t->entries[i - 1].last < t->entries[i].first);
	}
}

static void check_translate(const struct vrl_iotlb *t, const struct model *m,
			    struct vrl_iotlb_hint *hint, unsigned int c,
			    uint32_t perm, uint64_t len)
{
	uint64_t want_addr = 7, want_len = len;
	__u64 addr = 7, got = len;
	int want = model_translate(m, c, perm, &want_addr, &want_len);

	CHECK(vrl_iotlb_translate(t, hint, cell_first(c), perm, &addr, &got) ==
	      want);
	CHECK(addr == want_addr && got == want_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vrl_iotlb_hint hint = { 0 };
	struct model m = { .next_id = 0 };
	struct vrl_iotlb *t;
	unsigned int a, b, c;

	if (!size)
		return 0;
	m.max = data[0] % MAX_RANGES + 1;
	t = malloc(vrl_iotlb_size(m.max));
	CHECK(t && !vrl_iotlb_init(t, m.max));

	for (data++, size--; size >= 4; data += 4, size -= 4) {
		uint64_t addr = data[3] * UINT64_C(0x0123456789abcdef);
		bool big = data[0] & 0x80;

		a = data[1];
		b = data[2];
		switch (data[0] % 4) {
		case 0:
		case 1:
			CHECK(vrl_iotlb_add(t, cell_first(a), cell_last(b),
					    addr, data[0] >> 2 & 7) ==
			      model_add(&m, a, b, addr, data[0] >> 2 & 7));
			break;
		case 2:
			CHECK(vrl_iotlb_del(t, cell_first(a), cell_last(b)) ==
			      model_del(&m, a, b));
			break;
		default:
			hint.streak = data[3] & 0x80 ? data[3] : hint.streak;
			check_translate(t, &m, &hint, a, data[0] >> 2 & 3,
					big ? UINT64_MAX - data[2] : data[2]);
		}
		check_order(t, &m);
	}
	for (c = 0; c < CELLS; c++)
		check_translate(t, &m, &hint, c, 0, UINT64_MAX);
	free(t);
	return 0;
}
