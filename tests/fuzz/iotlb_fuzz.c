// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Bytes become operations on a range table, each compared with a naive model:
 * an array with one cell per IOVA. There are 256 cells, so that one byte names
 * any: the lowest 128 addresses of the 64-bit space, one cell for the gap, and
 * the highest 127 addresses.
 *
 * Lookups go by vrl_iotlb_translate(), vrl_mem_at() and vrl_mem_pieces(). A range
 * gets hot when found often in a row; the input may pretend that it was. Changes
 * are noticed by a sync at the next lookup, or never if there was no change.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vrl/mem.h>

#define CELLS		256
#define MIDDLE		128
#define MAX_RANGES	12
#define BASE		UINT64_C(0x5555000000)	/* nobody follows the pointers */

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

/* Does cell @c + 1 go on where @c ends, with what would be there? */
static bool goes_on(unsigned int c, const struct cell *a, const struct cell *b)
{
	return a->id && b->id && a->perm == b->perm &&
	       b->addr - a->addr == cell_first(c + 1) - cell_first(c);
}

static int model_join(struct model *m, unsigned int a, unsigned int b,
		      uint64_t addr, uint32_t perm)
{
	const struct cell begin = { UINT32_MAX, perm, addr };
	const struct cell end = { UINT32_MAX, perm, addr + cell_first(b) - cell_first(a) };
	bool before = a && goes_on(a - 1, &m->cell[a - 1], &begin);
	bool after = b + 1 < CELLS && goes_on(b, &end, &m->cell[b + 1]);
	const unsigned int max = m->max;
	uint32_t id, behind;
	int ret;

	/* What joins takes no place of its own. */
	m->max += before || after;
	ret = model_add(m, a, b, addr, perm);
	m->max = max;
	if (ret)
		return ret;
	id = before ? m->cell[a - 1].id : m->next_id;
	for (; a <= b; a++)
		m->cell[a].id = id;
	if (!after)
		return 0;
	behind = m->cell[b + 1].id;
	for (b++; b < CELLS && m->cell[b].id == behind; b++)
		m->cell[b].id = id;
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

/* Both directions, as both hints must agree with the model. */
static void check_at(struct vrl_mem *m, const struct model *model,
		     unsigned int c, uint32_t perm, uint64_t len)
{
	uint64_t addr = 0, got = len;
	bool found = !model_translate(model, c, perm, &addr, &got) &&
		     got == len;
	const void *p;

	if (!len)
		return;
	p = vrl_mem_at(m, cell_first(c), len, perm);
	CHECK((uintptr_t)p == (found ? (uintptr_t)(addr + BASE) : 0));
}

static void check_pieces(struct vrl_mem *m, const struct model *model,
			 unsigned int c, uint32_t perm, uint64_t len)
{
	struct vrl_seg seg = { cell_first(c), (uint32_t)len, 0 };
	struct vrl_piece piece[MAX_RANGES];
	uint64_t addr, got, left;
	int want = 0, n;

	if (seg.len > UINT64_MAX - seg.iova)
		seg.len = (uint32_t)(UINT64_MAX - seg.iova);
	n = vrl_mem_pieces(m, &seg, 1, perm, piece, MAX_RANGES);
	for (left = seg.len; left && want >= 0; left -= got) {
		int ret;

		got = left;
		ret = model_translate(model, c, perm, &addr, &got);
		if (ret) {
			want = ret;
			break;
		}
		CHECK(n < 0 || want < n);
		CHECK(n < 0 || (piece[want].len == got &&
				(uintptr_t)piece[want].addr ==
				(uintptr_t)(addr + BASE)));
		want++;
		if (left == got)
			break;
		while (cell_first(c) < seg.iova + (seg.len - left) + got)
			c++;
	}
	CHECK(n == want);
}

struct run {
	struct vrl_iotlb *t;
	struct vrl_iotlb_hint hint;
	struct vrl_mem mem;
	struct model model;
};

static void look(struct run *r, const uint8_t *op)
{
	uint64_t len = op[0] & 0x80 ? UINT64_MAX - op[2] : op[2];
	uint32_t perm = op[0] >> 2 & 3;

	if (op[3] & 0x80) {
		r->hint.streak = op[3];
		r->mem.out.streak = op[3];
		r->mem.in.streak = op[3];
	}
	vrl_iotlb_sync(r->t, &r->hint);
	vrl_mem_sync(&r->mem);
	if ((op[0] & 0x10) && perm)
		check_at(&r->mem, &r->model, op[1], perm, len);
	else if ((op[0] & 0x20) && perm)
		check_pieces(&r->mem, &r->model, op[1], perm, len);
	else
		check_translate(r->t, &r->model, &r->hint, op[1], perm, len);
}

static void step(struct run *r, const uint8_t *op)
{
	uint64_t addr = op[3] * UINT64_C(0x0123456789abcdef);
	uint64_t first = cell_first(op[1]), last = cell_last(op[2]);
	uint32_t perm = op[0] >> 2 & 7;

	switch (op[0] % 4) {
	case 0:
		CHECK(vrl_iotlb_add(r->t, first, last, addr, perm) ==
		      model_add(&r->model, op[1], op[2], addr, perm));
		break;
	case 1:
		/* Few addresses, that go on often. */
		addr = first + op[3] % 4 * UINT64_C(0x0123456789abcdef);
		CHECK(vrl_iotlb_join(r->t, first, last, addr, perm) ==
		      model_join(&r->model, op[1], op[2], addr, perm));
		break;
	case 2:
		CHECK(vrl_iotlb_del(r->t, first, last) ==
		      model_del(&r->model, op[1], op[2]));
		break;
	default:
		look(r, op);
	}
	check_order(r->t, &r->model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = { .t = NULL };
	unsigned int c;

	if (!size)
		return 0;
	r.model.max = data[0] % MAX_RANGES + 1;
	r.t = malloc(vrl_iotlb_size(r.model.max));
	CHECK(r.t && !vrl_iotlb_init(r.t, r.model.max));
	CHECK(!vrl_mem_attach(&r.mem, r.t, vrl_iotlb_size(r.model.max),
			      (void *)(uintptr_t)BASE));

	for (data++, size--; size >= 4; data += 4, size -= 4)
		step(&r, data);
	vrl_iotlb_sync(r.t, &r.hint);
	for (c = 0; c < CELLS; c++)
		check_translate(r.t, &r.model, &r.hint, c, 0, UINT64_MAX);
	free(r.t);
	return 0;
}
