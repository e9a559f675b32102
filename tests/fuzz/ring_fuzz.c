// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Bytes become a virtqueue, what a driver does to it and when the device is
 * called. On one ring, split or packed, anything goes: ring memory is rewritten
 * between the calls, and during them right after any word has been read. On two
 * rings, one of each kind, the driver does the same to both, and both have to
 * give the same chains and the same answers.
 *
 * side*.c compares every call with what the oracle (unit/oracle.c) and a model of
 * the device side say.
 */
#include <string.h>

#include "driver.h"
#include "setup.h"

#define MAX_OPS		200

struct fuzz {
	struct input in;
	struct side side[2];
	unsigned int nr;		/* sides */
	uint64_t table;			/* two sides: next free byte for tables */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_begin(struct fuzz *f)
{
	struct side_config cfg;

	f->nr = setup(&f->in, &cfg);
	f->table = cfg.range[0].first;
	side_init(&f->side[0], &cfg);
	if (f->nr == 2) {
		cfg.packed = false;
		cfg.features &= ~VRL_F_PACKED;
		side_init(&f->side[1], &cfg);
	}
}

static void fuzz_end(struct fuzz *f)
{
	unsigned int i;

	view_forget_pokes();
	for (i = 0; i < f->nr; i++)
		side_fini(&f->side[i]);
}

/* ---- the driver ---- */

/*
 * Three bytes: what is wrong with it, where it lies, how long it is. With two
 * sides the first range is for tables only: those of the two kinds differ.
 */
static void get_desc(struct fuzz *f, struct post_desc *d)
{
	const struct side_config *cfg = &f->side[0].cfg;
	uint8_t kind = get8(&f->in), where = get8(&f->in), len = get8(&f->in);
	const struct range *r;

	r = f->nr == 2 && cfg->nr_ranges > 1 ?
		&cfg->range[1 + where % (cfg->nr_ranges - 1)] :
		&cfg->range[where % cfg->nr_ranges];
	d->addr = r->first + 4 * (where / cfg->nr_ranges);
	d->len = kind & 8 ? 1 + 16 * len : 1 + len;
	switch (kind & 7) {
	case 4:
		d->len = 0;
		break;
	case 5:
		d->len = 0xffffffff - len;
		break;
	case 6:
		d->addr = UINT64_MAX - where;
		break;
	case 7:
		/* Any flag; such as mean the same to both where there are two. */
		d->flags ^= f->nr == 2 ? VRING_DESC_F_WRITE : kind >> 4 | len << 8;
		break;
	}
}

static uint64_t get_table(struct fuzz *f, const struct post *p)
{
	struct side *s = &f->side[0];
	uint8_t where = get8(&f->in);
	const struct range *r = &s->cfg.range[where % s->cfg.nr_ranges];
	uint64_t at;

	if (f->nr == 1)
		return r->first + (where / s->cfg.nr_ranges) * (where & 0x80 ? 1 : 16);
	/* None of those in use is written over: from a log they come again. */
	r = &s->cfg.range[0];
	if (!s->unread && !s->nr_ready && !s->nr_taken && !s->nr_again)
		f->table = r->first;
	at = f->table;
	f->table += 16 * (uint64_t)p->entries;
	return at;
}

static void get_post(struct fuzz *f, struct post *p, uint8_t how)
{
	uint8_t what = get8(&f->in), spoil = get8(&f->in);
	unsigned int i, nr_out = what >> 4 & 7;

	memset(p, 0, sizeof(*p));
	p->nr = 1 + (what & 7);
	p->spoil = spoil < SPOIL_NR ? (enum spoil)spoil : SPOIL_NOT;
	if (f->nr == 2 && p->spoil > SPOIL_TABLE_LEN)
		p->spoil = SPOIL_NOT;
	p->spoil_with = p->spoil ? get16(&f->in) : 0;
	/* One entry more would be what lies behind the table. */
	if (f->nr == 2)
		p->spoil_with |= 1;
	p->direct = p->nr;
	if (how & 0x40) {
		p->direct = f->nr == 2 || !(what & 0x80) ? 0 : p->nr - 1;
		p->entries = get8(&f->in);
		p->entries = p->entries < 200 ? p->nr - p->direct :
						(p->entries - 199) * 20;
		p->table = get_table(f, p);
	}
	for (i = 0; i < p->nr; i++) {
		p->d[i].flags = i < nr_out ? 0 : VRING_DESC_F_WRITE;
		get_desc(f, &p->d[i]);
	}
}

static void op_post(struct fuzz *f, uint8_t how)
{
	const struct range *r = &f->side[0].cfg.range[0];
	struct post p;
	unsigned int i;

	get_post(f, &p, how);
	/* Only a single hostile ring is overrun. */
	for (i = 0; i < f->nr; i++)
		if (driver_needs(&p) > driver_room(&f->side[i]) &&
		    (f->nr == 2 || p.spoil != SPOIL_HEAD))
			return;
	if (f->nr == 2 && p.entries && f->table > r->first + r->len)
		return;
	for (i = 0; i < f->nr; i++) {
		driver_post(&f->side[i], &p);
		if (how & 0x80)
			driver_publish(&f->side[i], 0);
	}
}

static void op_publish(struct fuzz *f, uint8_t how)
{
	unsigned int i;
	uint16_t more = how & 0x40 && f->nr == 1 ? get16(&f->in) : 0;

	for (i = 0; i < f->nr; i++)
		driver_publish(&f->side[i], more);
}

static void op_poke(struct fuzz *f, bool later)
{
	struct side *s = &f->side[0];
	uint8_t what = get8(&f->in), len = get8(&f->in) % 8 + 1;
	uint16_t off = get16(&f->in);
	uint8_t v[8], after;
	struct area *a;
	unsigned int i;

	for (i = 0; i < len; i++)
		v[i] = get8(&f->in);
	a = &s->area[what % (MEMORY + s->cfg.nr_ranges)];
	/* A log goes by the device's own used index. */
	if (f->nr == 2 || (s->cfg.log && a == &s->area[DEVICE]))
		return;
	if (off >= a->size)
		off %= a->size;
	after = later ? get8(&f->in) : 0;
	if (!later)
		area_poke(a, off, v, len);
	else if (a != &s->area[DEVICE])
		view_poke_later(a, off, v, len, after);
}

static void op_map(struct fuzz *f)
{
	uint8_t which = get8(&f->in);
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		if (!f->side[i].cfg.window)
			space_toggle(&f->side[i].space, which % f->side[i].cfg.nr_ranges);
}

/* ---- the device ---- */

static void same_chains(const struct vrl_burst *a, const struct vrl_burst *b)
{
	unsigned int i, k;

	CHECK(a->nr_chains == b->nr_chains);
	for (i = 0; i < a->nr_chains; i++) {
		const struct vrl_chain *c = &a->chains[i], *d = &b->chains[i];

		CHECK(c->nr_out == d->nr_out && c->nr_in == d->nr_in &&
		      c->out_len == d->out_len && c->in_len == d->in_len &&
		      c->flags == d->flags);
		for (k = 0; k < c->nr_out + c->nr_in; k++)
			CHECK(!memcmp(&a->segs[c->seg + k], &b->segs[d->seg + k],
				      sizeof(*a->segs)));
	}
}

static void op_peek(struct fuzz *f, uint8_t how)
{
	unsigned int i, max = how >> 4;
	bool fails = max == 15 && get8(&f->in) & 1;
	int ret[2];

	for (i = 0; i < f->nr; i++)
		ret[i] = side_peek(&f->side[i], max, fails);
	if (f->nr == 1)
		return;
	CHECK(ret[0] == ret[1]);
	/* Of several rules that are broken it may be any one. */
	CHECK(vrl_vq_is_broken(f->side[0].vq) == vrl_vq_is_broken(f->side[1].vq));
	same_chains(f->side[0].b, f->side[1].b);
}

static void op_consume(struct fuzz *f, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < f->nr; i++) {
		unsigned int nr = f->side[i].nr_peeked;

		side_consume(&f->side[i], n % (nr + 1));
	}
}

static void op_push(struct fuzz *f, uint8_t how)
{
	unsigned int i, n = how >> 4;
	uint8_t which[16], len;

	for (i = 0; i < n; i++)
		which[i] = get8(&f->in);
	len = get8(&f->in);
	for (i = 0; i < f->nr; i++)
		side_push(&f->side[i], which, n, 8 * len);
}

static void op_push_in_order(struct fuzz *f, uint8_t how)
{
	uint8_t len = get8(&f->in);
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		if (f->side[i].cfg.features & VRL_F_IN_ORDER)
			side_push_in_order(&f->side[i], how >> 4, 8 * len);
}

static void op_call(struct fuzz *f, uint8_t how)
{
	uint8_t after = get8(&f->in), flags = get8(&f->in);
	unsigned int i;

	for (i = 0; i < f->nr; i++) {
		if (how & 0x80)
			driver_want_call(&f->side[i], after, flags);
		side_needs_call(&f->side[i]);
	}
}

static void op_kick(struct fuzz *f, uint8_t how)
{
	bool work[2];
	unsigned int i;

	for (i = 0; i < f->nr; i++) {
		if (how & 0x80)
			side_disable_kick(&f->side[i]);
		else
			work[i] = side_enable_kick(&f->side[i]);
	}
	if (f->nr == 2 && !(how & 0x80))
		CHECK(work[0] == work[1]);
}

static void op_count(struct fuzz *f)
{
	int ret[2];
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		ret[i] = side_avail_count(&f->side[i]);
	if (f->nr == 2)
		CHECK((ret[0] > 0) == (ret[1] > 0) && (ret[0] < 0) == (ret[1] < 0));
}

/* With a log, the device dies; the driver goes on. */
static void op_die(struct fuzz *f, uint8_t how)
{
	uint8_t n = get8(&f->in), after = get8(&f->in);
	unsigned int i;

	if (f->nr == 1 && how & 0x80)
		side_die_pushing(&f->side[0], 1 + n % SIDE_CHAINS, 8 * n, after);
	else if (f->nr == 1 && how & 0x10)
		side_die_taking(&f->side[0], 1 + n % SIDE_CHAINS, after);
	else
		for (i = 0; i < f->nr; i++)
			side_reopen(&f->side[i]);
}

static void op_move(struct fuzz *f, uint8_t how)
{
	struct vrl_vq_state st;
	unsigned int i;

	if (f->side[0].cfg.log) {
		op_die(f, how);
		return;
	}
	st.last_avail = get16(&f->in);
	st.used_idx = get16(&f->in);
	for (i = 0; i < f->nr; i++) {
		struct side *s = &f->side[i];

		if (f->nr == 1 && how & 0x80)
			side_set_state(s, &st);
		else
			/* Out of order, the ring no longer has what is in flight. */
			side_migrate(s, how & 0x10 && (f->nr == 1 || !s->nr_taken));
	}
}

static void op_copy(struct fuzz *f, uint8_t how)
{
	uint16_t off = get16(&f->in), len = get16(&f->in);
	unsigned int i, which = get8(&f->in);

	if (!(how & 0x80))
		off %= 64;
	len %= SPACE_LONG;
	for (i = 0; i < f->nr; i++) {
		struct side *s = &f->side[i];

		if (!s->nr_peeked)
			continue;
		if ((how & 0x70) == 0x70)
			side_pieces(s, which % s->nr_peeked, len % 16);
		else if (how & 0x40 && (f->nr == 1 || s->cfg.nr_ranges > 1))
			side_write(s, which % s->nr_peeked, off, len);
		else
			side_read(s, which % s->nr_peeked, off, len);
	}
}

/* A device that works: all that there is, taken and given back. */
static void op_turn(struct fuzz *f, uint8_t how)
{
	static const uint8_t which[16];

	op_peek(f, 0xe0);
	op_consume(f, f->side[0].nr_peeked);
	if (how & 0x80)
		op_push(f, 0xe0);
	else
		side_push(&f->side[0], which, 15, how);
	if (!(how & 0x80) && f->nr == 2)
		side_push(&f->side[1], which, 15, how);
}

static void op_rare(struct fuzz *f, uint8_t how)
{
	unsigned int i;

	switch (how >> 4) {
	case 0:
		for (i = 0; i < f->nr; i++)
			side_reset(&f->side[i]);
		break;
	case 1:
	case 2:
	case 3:
		op_map(f);
		break;
	case 4:
	case 5:
		op_count(f);
		break;
	default:
		op_move(f, how);
	}
}

static void op(struct fuzz *f)
{
	uint8_t how = get8(&f->in);

	switch (how & 15) {
	case 0:
	case 1:
	case 2:
		op_post(f, how);
		break;
	case 3:
		op_publish(f, how);
		break;
	case 4:
		op_peek(f, how);
		break;
	case 5:
		op_consume(f, how >> 4);
		break;
	case 6:
		op_push(f, how);
		break;
	case 7:
		op_push_in_order(f, how);
		break;
	case 8:
		op_call(f, how);
		break;
	case 9:
		op_kick(f, how);
		break;
	case 10:
	case 11:
		op_poke(f, how & 1);
		break;
	case 12:
		op_copy(f, how);
		break;
	case 13:
		op_turn(f, how);
		break;
	default:
		op_rare(f, how);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	unsigned int i;

	f.in = (struct input){ data, size };
	fuzz_begin(&f);
	for (i = 0; i < MAX_OPS && f.in.size; i++)
		op(&f);
	fuzz_end(&f);
	return 0;
}
