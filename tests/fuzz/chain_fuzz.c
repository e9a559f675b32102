// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Bytes become rings, indirect tables and a schedule of calls. All areas are
 * heap blocks of their exact size, so the sanitizer sees any access outside;
 * what comes out is compared with the oracle, which walks a snapshot taken
 * before the peek. The fetch op may rewrite all driver memory after it has read
 * the tables: that must change nothing.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define MEM_SIZE	1024	/* behind every IOVA, repeating */
#define BIG_CHAINS	64
#define BIG		(BIG_CHAINS * VRL_CHAIN_MAX)

#define OPT_INDIRECT	0x01
#define OPT_EVENT_IDX	0x02
#define OPT_REWRITE	0x04
#define OPT_FETCH_FAILS	0x08
#define OPT_RAW_AVAIL	0x10	/* avail idx from the bytes, not made plausible */

struct head {
	uint8_t num_shift, opt, max_segs, max_table, max, consume;
	uint8_t avail, in_flight;
	uint16_t start;
};

struct fuzz {
	struct head h;
	unsigned int num;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint8_t *mem;
	/* As of before the peek. */
	struct vring_desc *old_desc;
	struct vring_avail *old_avail;
	uint8_t *old_mem;
};

#define CHECK(x)	do { if (!(x)) __builtin_trap(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t avail_size(const struct fuzz *f)
{
	return 6 + 2 * (size_t)f->num;
}

static size_t used_size(const struct fuzz *f)
{
	return 6 + 8 * (size_t)f->num;
}

static size_t desc_size(const struct fuzz *f)
{
	return sizeof(struct vring_desc) * f->num;
}

static void *take(const uint8_t **data, size_t *size, size_t want)
{
	size_t n = *size < want ? *size : want;
	void *p = calloc(1, want);

	CHECK(p);
	memcpy(p, *data, n);
	*data += n;
	*size -= n;
	return p;
}

static void *copy(const void *p, size_t size)
{
	void *q = malloc(size);

	CHECK(q);
	return memcpy(q, p, size);
}

/* Any IOVA leads somewhere, unless the piece would cross the end of memory. */
static const void *mem_at(const uint8_t *mem, uint64_t iova, uint32_t len)
{
	uint64_t at = iova % MEM_SIZE;

	return len <= MEM_SIZE - at ? mem + at : NULL;
}

static const void *oracle_mem(void *opaque, uint64_t iova, uint32_t len)
{
	struct fuzz *f = opaque;

	return mem_at(f->old_mem, iova, len);
}

static void rewrite(void *p, size_t size)
{
	uint8_t *b = p;

	while (size--)
		*b++ ^= 0x5a;
}

static int fuzz_fetch(void *opaque, struct vrl_fetch *reqs, unsigned int nr)
{
	struct fuzz *f = opaque;
	unsigned int i;

	CHECK(nr > 0);
	for (i = 0; i < nr; i++) {
		const void *p = mem_at(f->mem, reqs[i].iova, reqs[i].len);

		CHECK(reqs[i].len > 0 && reqs[i].err == 0);
		CHECK(reqs[i].iova + (reqs[i].len - 1) >= reqs[i].iova);
		if (p)
			memcpy(reqs[i].dst, p, reqs[i].len);
		else
			reqs[i].err = -EFAULT;
	}
	if (f->h.opt & OPT_REWRITE) {
		rewrite(f->desc, desc_size(f));
		rewrite(f->avail, avail_size(f));
		rewrite(f->mem, MEM_SIZE);
	}
	return f->h.opt & OPT_FETCH_FAILS ? -EINTR : 0;
}

static void snapshot(struct fuzz *f)
{
	free(f->old_desc);
	free(f->old_avail);
	free(f->old_mem);
	f->old_desc = copy(f->desc, desc_size(f));
	f->old_avail = copy(f->avail, avail_size(f));
	f->old_mem = copy(f->mem, MEM_SIZE);
}

static enum oracle_verdict judge(struct fuzz *f, uint16_t slot,
				 unsigned int *head, struct oracle_chain *c)
{
	const struct oracle o = {
		.desc = f->old_desc,
		.num = f->num,
		.indirect = f->h.opt & OPT_INDIRECT,
		.mem = oracle_mem,
		.opaque = f,
	};

	*head = le16toh(f->old_avail->ring[slot % f->num]);
	return oracle_walk(&o, *head, c);
}

static void check_chain(struct fuzz *f, const struct vrl_burst *b,
			unsigned int i, uint16_t slot)
{
	static struct oracle_chain want;
	const struct vrl_chain *c = &b->chains[i];
	unsigned int k, head;

	switch (judge(f, slot, &head, &want)) {
	case ORACLE_ILLEGAL:
	case ORACLE_NONE:
		CHECK(0);
		break;
	case ORACLE_FAULT:
		CHECK(c->id == head && c->flags == VRL_CHAIN_FAULT);
		CHECK(!c->nr_out && !c->nr_in && !c->out_len && !c->in_len);
		return;
	case ORACLE_LEGAL:
		break;
	}
	CHECK(c->id == head && !c->flags);
	CHECK(c->nr_out == want.nr_out && c->nr_in == want.nr_in);
	CHECK(c->out_len == want.out_len && c->in_len == want.in_len);
	CHECK(c->seg + want.nr <= b->nr_segs && b->nr_segs <= b->max_segs);
	for (k = 0; k < want.nr; k++) {
		const struct vrl_seg *s = &b->segs[c->seg + k];

		CHECK(s->iova == want.seg[k].iova && s->len == want.seg[k].len);
		CHECK(s->flags == (want.seg[k].write ? VRL_SEG_WRITE : 0));
	}
}

/* Why did the burst end where it ended? */
static void check_end(struct fuzz *f, const struct vrl_vq *vq,
		      const struct vrl_vq_state *st, const struct vrl_burst *b,
		      int ret, unsigned int max)
{
	static struct oracle_chain c;
	uint16_t n = le16toh(f->old_avail->idx) - st->last_avail;
	uint16_t in_flight = st->last_avail - st->used_idx;
	bool jump = (uint32_t)n + in_flight > f->num;
	bool roomy = b->max_segs == BIG;
	unsigned int head, got = ret > 0 ? (unsigned int)ret : 0;

	if (max > b->max_chains)
		max = b->max_chains;
	CHECK(b->nr_chains == got);
	if (ret == -EINTR) {
		CHECK(f->h.opt & OPT_FETCH_FAILS);
		return;
	}
	if (ret == -EPROTO) {
		CHECK(vrl_vq_is_broken(vq));
		CHECK((vrl_vq_why(vq) == VRL_WHY_AVAIL_JUMP) ? jump :
		      judge(f, st->last_avail, &head, &c) == ORACLE_ILLEGAL);
		return;
	}
	/* While enough are known to be there, a jump is not looked for. */
	if (jump || got == max || got == n)
		return;
	CHECK(ret != 0 && (ret > 0 || ret == -E2BIG));
	if (roomy)
		CHECK(ret > 0 && judge(f, st->last_avail + got, &head, &c) ==
		      ORACLE_ILLEGAL);
}

static int turn(struct fuzz *f, struct vrl_vq *vq, struct vrl_burst *b)
{
	struct vrl_used_elem e[BIG_CHAINS];
	unsigned int i, n, max = f->h.max;
	struct vrl_vq_state st;
	int ret;

	vrl_vq_get_state(vq, &st);
	snapshot(f);
	ret = vrl_vq_peek_burst(vq, b, max);
	check_end(f, vq, &st, b, ret, max);
	for (i = 0; ret > 0 && i < (unsigned int)ret; i++)
		check_chain(f, b, i, st.last_avail + i);
	CHECK(vq->last_avail == st.last_avail && vq->used_idx == st.used_idx);
	if (ret <= 0)
		return ret;

	n = f->h.consume % ((unsigned int)ret + 1);
	for (i = 0; i < n; i++)
		e[i] = (struct vrl_used_elem){ b->chains[i].id, i };
	vrl_vq_consume(vq, b, n);
	vrl_vq_push_burst(vq, e, n);
	CHECK(le16toh(f->used->idx) == (uint16_t)(st.used_idx + n));
	for (i = 0; i < n; i++) {
		const struct vring_used_elem *u =
			&f->used->ring[(uint16_t)(st.used_idx + i) % f->num];

		CHECK(le32toh(u->id) == e[i].id && le32toh(u->len) == i);
	}
	vrl_vq_needs_call(vq);
	vrl_vq_enable_kick(vq);
	vrl_vq_disable_kick(vq);
	return n ? ret : 0;
}

static void run(struct fuzz *f)
{
	bool big = !f->h.max_segs && !f->h.max_table;
	struct vrl_vq_config cfg = {
		.desc = f->desc,
		.driver = f->avail,
		.device = f->used,
		.num = f->num,
		.features = (f->h.opt & OPT_INDIRECT ? VRL_F_INDIRECT : 0) |
			    (f->h.opt & OPT_EVENT_IDX ? VRL_F_EVENT_IDX : 0),
		.fetch = fuzz_fetch,
		.opaque = f,
		.state.last_avail = f->h.start,
		.state.used_idx = f->h.start - f->h.in_flight % (f->num + 1),
	};
	static struct vrl_burst *big_burst;
	struct vrl_burst *b;
	struct vrl_vq vq;
	int i;

	if (!big_burst)
		big_burst = burst_create(BIG_CHAINS, BIG, BIG);
	b = big ? big_burst : burst_create(1 + f->h.max % 8, f->h.max_segs,
					   f->h.max_table);

	CHECK(vrl_vq_init(&vq, &cfg) == 0);
	for (i = 0; i < 6; i++)
		if (turn(f, &vq, b) <= 0)
			break;
	if (vrl_vq_is_broken(&vq))
		CHECK(vrl_vq_peek_burst(&vq, b, 1) == -EPROTO);
	if (!big)
		burst_destroy(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .num = 0 };

	if (size < sizeof(f.h))
		return 0;
	memcpy(&f.h, data, sizeof(f.h));
	data += sizeof(f.h);
	size -= sizeof(f.h);

	f.num = 1u << f.h.num_shift % 7;
	f.avail = take(&data, &size, avail_size(&f));
	f.desc = take(&data, &size, desc_size(&f));
	f.mem = take(&data, &size, MEM_SIZE);
	f.used = take(&data, &size, used_size(&f));
	if (!(f.h.opt & OPT_RAW_AVAIL))
		f.avail->idx = htole16(f.h.start + f.h.avail % (f.num + 1));

	run(&f);
	free(f.old_desc);
	free(f.old_avail);
	free(f.old_mem);
	free(f.used);
	free(f.mem);
	free(f.desc);
	free(f.avail);
	return 0;
}
