// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * In-flight log of a packed ring. Each entry of the log is either free, in a list,
 * or part of one chain in flight; vrl_log_packed_open() takes nothing else for a
 * log. vrl_vq.resubmit has two halves: the chains to hand out again, and for each
 * buffer id in flight the chain's first entry.
 *
 * A chain is on record when the free list begins behind its entries, in both of
 * its heads, by one store. A push links entries to the front of the list under the
 * new head only, stores the position that the ring will have, lets the driver see
 * the used descriptors, and makes the old head and position follow. If they are
 * found apart, the ring's descriptor at the old position tells which are right:
 * still available means that the driver has seen nothing.
 */
#include "log.h"
#include "packed.h"

#define offset_of(type, member)	__builtin_offsetof(type, member)

static_assert(sizeof(struct vrl_inflight_packed_desc) == 32, "DescStatePacked");
static_assert(offset_of(struct vrl_inflight_packed_desc, next) == 2, "DescStatePacked");
static_assert(offset_of(struct vrl_inflight_packed_desc, last) == 4, "DescStatePacked");
static_assert(offset_of(struct vrl_inflight_packed_desc, num) == 6, "DescStatePacked");
static_assert(offset_of(struct vrl_inflight_packed_desc, counter) == 8, "DescStatePacked");
static_assert(offset_of(struct vrl_inflight_packed_desc, id) == 16, "DescStatePacked");
static_assert(offset_of(struct vrl_inflight_packed_desc, flags) == 18, "DescStatePacked");
static_assert(offset_of(struct vrl_inflight_packed_desc, len) == 20, "DescStatePacked");
static_assert(offset_of(struct vrl_inflight_packed_desc, addr) == 24, "DescStatePacked");
static_assert(offset_of(struct vrl_inflight_packed, free.head) == 12, "QueueRegionPacked");
static_assert(offset_of(struct vrl_inflight_packed, free.old_head) == 14, "QueueRegionPacked");
static_assert(offset_of(struct vrl_inflight_packed, used.idx) == 16, "QueueRegionPacked");
static_assert(offset_of(struct vrl_inflight_packed, used.old_idx) == 18, "QueueRegionPacked");
static_assert(offset_of(struct vrl_inflight_packed, used.wrap_counter) == 20,
	      "QueueRegionPacked");
static_assert(offset_of(struct vrl_inflight_packed, used.old_wrap_counter) == 21,
	      "QueueRegionPacked");
static_assert(offset_of(struct vrl_inflight_packed, desc) == 32, "QueueRegionPacked");

static __u16 *log_map(const struct vrl_vq *vq)
{
	return vq->resubmit + vq->num;
}

static union vrl_inflight_free free_heads(__u16 head, __u16 old)
{
	return (union vrl_inflight_free){ { .head = head, .old_head = old } };
}

static union vrl_inflight_used used_positions(__u16 used, __u16 old)
{
	return (union vrl_inflight_used){ {
		.idx = used & (VRL_STATE_WRAP - 1),
		.old_idx = old & (VRL_STATE_WRAP - 1),
		.wrap_counter = used >> 15,
		.old_wrap_counter = old >> 15,
	} };
}

void vrl_log_packed_init(struct vrl_inflight_packed *log, __u32 num, __u16 used)
{
	__u32 i;

	WRITE_ONCE(log->version, 0);
	barrier();
	log->features = 0;
	log->desc_num = (__u16)num;
	log->free = free_heads(0, 0);
	log->used = used_positions(used, used);
	for (i = 0; i < num; i++)
		log->desc[i] = (struct vrl_inflight_packed_desc){
			.next = (__u16)(i + 1),
		};
	barrier();
	WRITE_ONCE(log->version, VRL_INFLIGHT_VERSION);
}

/* ---- the ring's descriptors ----------------------------------------------------- */

/* Is the descriptor as the driver left it when it made it available, in that lap? */
static bool packed_is_available(const struct vrl_vq *vq, __u16 pos)
{
	const struct packed_desc *d = &packed_ring(vq)[pos_off(pos)];

	return (le16_to_cpu(READ_ONCE(d->flags)) & DESC_F_OWNER) == avail_flags(pos);
}

/*
 * A push that died before its last store may have marked descriptors behind its
 * first one as used. The driver would take them for used when the next push makes
 * the first one so, hence they become available ones again.
 */
static void packed_clean(struct vrl_vq *vq, __u16 pos, __u32 n)
{
	struct packed_desc *d;
	__u16 flags;

	for (; n; n--, pos = pos_add(pos, 1, vq->num)) {
		d = &packed_ring(vq)[pos_off(pos)];
		flags = le16_to_cpu(READ_ONCE(d->flags));
		if ((flags & DESC_F_OWNER) == used_flags(pos))
			WRITE_ONCE(d->flags, cpu_to_le16(flags ^ DESC_F_USED));
	}
}

/* ---- opening -------------------------------------------------------------------- */

/* What the log comes to, before any of it is written. */
struct packed_repair {
	__u16 free_head;
	__u16 used;			/* with the wrap counter in bit 15 */
	__u16 nr_free;			/* entries */
	__u16 nr_taken;
	__u16 nr_chains;
};

/* Forward or back: did the push that was under way, if any, reach the driver? */
static int packed_decide(const struct vrl_vq *vq, struct packed_repair *r)
{
	const struct vrl_inflight_packed *log = vq->inflight;
	union vrl_inflight_free f = { .word = READ_ONCE(log->free.word) };
	union vrl_inflight_used u = { .word = READ_ONCE(log->used.word) };
	__u16 used, old;

	if (u.idx >= vq->num || u.old_idx >= vq->num ||
	    u.wrap_counter > 1 || u.old_wrap_counter > 1)
		return VRL_WHY_CFG_INFLIGHT;
	used = (__u16)(u.idx | u.wrap_counter << 15);
	old = (__u16)(u.old_idx | u.old_wrap_counter << 15);

	if (used != old && !packed_is_available(vq, old)) {
		r->free_head = f.head;
		r->used = used;
	} else {
		r->free_head = f.old_head;
		r->used = old;
	}
	return 0;
}

/* An entry belongs to one list or chain only. */
static bool packed_visit(__u16 *seen, __u32 num, __u16 entry)
{
	if (entry >= num || seen[entry] != LOG_NONE)
		return false;
	seen[entry] = 0;
	return true;
}

/* Returns the length of the chain at @head, 0 if it is none. */
static __u16 packed_check_chain(const struct vrl_vq *vq, __u16 *seen, __u16 head)
{
	const struct vrl_inflight_packed *log = vq->inflight;
	__u16 nr = READ_ONCE(log->desc[head].num), left, at = head;

	for (left = nr; left; left--) {
		if (!packed_visit(seen, vq->num, at))
			return 0;
		if (left > 1)
			at = READ_ONCE(log->desc[at].next);
	}
	return at == READ_ONCE(log->desc[head].last) ? nr : 0;
}

/*
 * Free list and chains have each entry once. Lists the chains for coming again.
 * The map is where the walk remembers what it has seen.
 */
static int packed_check_entries(struct vrl_vq *vq, struct packed_repair *r)
{
	const struct vrl_inflight_packed *log = vq->inflight;
	__u16 *seen = log_map(vq), at, nr;
	__u32 i;

	for (i = 0; i < vq->num; i++)
		seen[i] = LOG_NONE;
	for (at = r->free_head; at < vq->num; at = READ_ONCE(log->desc[at].next)) {
		if (!packed_visit(seen, vq->num, at))
			return VRL_WHY_CFG_INFLIGHT;
		r->nr_free++;
	}
	/* Marks of free entries mean nothing. */
	for (i = 0; i < vq->num; i++) {
		if (seen[i] != LOG_NONE || !READ_ONCE(log->desc[i].inflight))
			continue;
		nr = packed_check_chain(vq, seen, (__u16)i);
		if (!nr)
			return VRL_WHY_CFG_INFLIGHT;
		r->nr_taken = (__u16)(r->nr_taken + nr);
		vq->resubmit[r->nr_chains++] = (__u16)i;
	}
	return r->nr_free + r->nr_taken == vq->num ? 0 : VRL_WHY_CFG_INFLIGHT;
}

/* Which chain is whose. The id of a chain stands in its last descriptor (2.8.6). */
static int packed_map_chains(struct vrl_vq *vq, const struct packed_repair *r)
{
	const struct vrl_inflight_packed *log = vq->inflight;
	__u16 *map = log_map(vq), last, id;
	__u32 i;

	for (i = 0; i < vq->num; i++)
		map[i] = LOG_NONE;
	for (i = 0; i < r->nr_chains; i++) {
		last = READ_ONCE(log->desc[vq->resubmit[i]].last);
		id = last < vq->num ? READ_ONCE(log->desc[last].id) : LOG_NONE;
		if (id >= vq->num || map[id] != LOG_NONE)
			return VRL_WHY_CFG_INFLIGHT;
		map[id] = vq->resubmit[i];
	}
	return 0;
}

static void packed_repair(struct vrl_vq *vq, const struct packed_repair *r)
{
	struct vrl_inflight_packed *log = vq->inflight;
	__u16 at = r->free_head;
	__u32 i;

	/* The heads first: once the positions agree, they count as they are. */
	WRITE_ONCE(log->free.word, free_heads(r->free_head, r->free_head).word);
	WRITE_ONCE(log->used.word, used_positions(r->used, r->used).word);
	for (i = 0; i < r->nr_free && at < vq->num; i++) {
		WRITE_ONCE(log->desc[at].inflight, 0);
		at = READ_ONCE(log->desc[at].next);
	}
	packed_clean(vq, r->used, r->nr_taken);
}

int vrl_log_packed_open(struct vrl_vq *vq)
{
	struct vrl_inflight_packed *log = vq->inflight;
	struct packed_repair r = { .nr_free = 0 };
	__u16 nr;
	int ret;

	ret = packed_decide(vq, &r);
	if (!ret)
		ret = packed_check_entries(vq, &r);
	if (!ret)
		ret = packed_map_chains(vq, &r);
	if (ret)
		return ret;
	packed_repair(vq, &r);

	nr = r.nr_chains;
	vrl_log_sort(vq->resubmit, nr, &log->desc[0].counter, sizeof(log->desc[0]));
	vq->nr_resubmit = nr;
	if (nr)
		vq->taken = READ_ONCE(log->desc[vq->resubmit[nr - 1]].counter) + 1;
	vq->log_free = r.free_head;
	vq->again_left = r.nr_taken;
	return vrl_vq_set_state(vq, &(struct vrl_vq_state){
		.last_avail = pos_add(r.used, r.nr_taken, vq->num),
		.used_idx = r.used,
	}) ? VRL_WHY_CFG_INFLIGHT : 0;
}

/* ---- taking and giving back ------------------------------------------------------- */

/*
 * One chain's descriptors, from the ring at @pos, to free entries from @at on.
 * They are read a second time here, and not believed: when they come back from
 * the log, they are checked as if they came from the ring. Returns the next free
 * entry, or LOG_NONE if somebody else has been writing to the log.
 */
static __u16 log_add_chain(struct vrl_vq *vq, __u32 id, __u16 pos, __u16 at)
{
	struct vrl_inflight_packed *log = vq->inflight;
	__u16 nr = (__u16)(id >> ID_NR_SHIFT), i, head = at, last = at;
	struct vrl_inflight_packed_desc *e;
	const struct packed_desc *d;

	for (i = 0; i < nr; i++) {
		if (unlikely(at >= vq->num))
			return LOG_NONE;
		d = &packed_ring(vq)[pos_off(pos_add(pos, i, vq->num))];
		e = &log->desc[at];
		WRITE_ONCE(e->addr, le64_to_cpu(READ_ONCE(d->addr)));
		WRITE_ONCE(e->len, le32_to_cpu(READ_ONCE(d->len)));
		WRITE_ONCE(e->flags, le16_to_cpu(READ_ONCE(d->flags)));
		WRITE_ONCE(e->id, (__u16)id);
		last = at;
		at = READ_ONCE(e->next);
	}
	e = &log->desc[head];
	WRITE_ONCE(e->num, nr);
	WRITE_ONCE(e->last, last);
	WRITE_ONCE(e->counter, vq->taken++);
	WRITE_ONCE(e->inflight, 1);
	return at;
}

void vrl_log_packed_take(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n)
{
	struct vrl_inflight_packed *log = vq->inflight;
	__u16 *map = log_map(vq), pos = vq->last_avail, at = vq->log_free, next;
	unsigned int i;
	__u32 id;

	for (i = 0; i < n; i++) {
		id = b->chains[i].id;
		if (unlikely(map[(__u16)id] != LOG_NONE)) {
			/* Two chains of one id: the log could not tell them apart. */
			vq_break(vq, VRL_WHY_ID_BUSY);
			break;
		}
		next = log_add_chain(vq, id, pos, at);
		if (unlikely(next == LOG_NONE)) {
			vq_break(vq, VRL_WHY_INFLIGHT);
			break;
		}
		map[(__u16)id] = at;
		at = next;
		pos = pos_add(pos, id >> ID_NR_SHIFT, vq->num);
	}
	vq->log_free = at;
	WRITE_ONCE(log->free.word, free_heads(at, at).word);
}

static __u32 packed_nr_desc(const struct vrl_used_elem *e, unsigned int n)
{
	__u32 nr = 0;

	while (n--)
		nr += e++->id >> ID_NR_SHIFT;
	return nr;
}

void vrl_log_packed_push(struct vrl_vq *vq, const struct vrl_used_elem *e,
			 unsigned int n)
{
	__u16 used = pos_add(vq->used_idx, packed_nr_desc(e, n), vq->num);
	struct vrl_inflight_packed *log = vq->inflight;
	__u16 free = vq->log_free, entry, last, id;
	unsigned int i;

	for (i = 0; i < n; i++) {
		id = (__u16)e[i].id;
		entry = id < vq->num ? log_map(vq)[id] : LOG_NONE;
		if (unlikely(entry == LOG_NONE))
			continue;
		last = READ_ONCE(log->desc[entry].last);
		if (unlikely(last >= vq->num)) {
			vq_break(vq, VRL_WHY_INFLIGHT);
			continue;
		}
		WRITE_ONCE(log->desc[last].next, free);
		free = entry;
	}
	WRITE_ONCE(log->free.word, free_heads(free, vq->log_free).word);
	WRITE_ONCE(log->used.word, used_positions(used, vq->used_idx).word);
	vq->log_free = free;
}

void vrl_log_packed_pushed(struct vrl_vq *vq, const struct vrl_used_elem *e,
			   unsigned int n)
{
	struct vrl_inflight_packed *log = vq->inflight;
	__u16 *map = log_map(vq), id;
	unsigned int i;

	for (i = 0; i < n; i++) {
		id = (__u16)e[i].id;
		if (unlikely(id >= vq->num || map[id] == LOG_NONE))
			continue;
		WRITE_ONCE(log->desc[map[id]].inflight, 0);
		map[id] = LOG_NONE;
	}
	WRITE_ONCE(log->free.word, free_heads(vq->log_free, vq->log_free).word);
	WRITE_ONCE(log->used.word, used_positions(vq->used_idx, vq->used_idx).word);
}

/* ---- coming again ----------------------------------------------------------------- */

/*
 * A chain from the log's copy, checked like one from the ring; it may not have more
 * than *left descriptors. Returns as peek's walks do.
 */
static int log_walk_chain(struct burst_walk *w, struct vrl_chain *c, __u16 head,
			  __u32 *left)
{
	const struct vrl_vq *vq = w->vq;
	const struct vrl_inflight_packed *log = vq->inflight;
	const __u32 room = w->b->max_segs - w->nr_segs;
	struct vrl_seg *const first = &w->b->segs[w->nr_segs];
	struct vrl_seg *seg = first;
	__u16 nr = READ_ONCE(log->desc[head].num), at = head;
	__u64 addr;
	__u32 len;
	__u16 flags;
	int ret;

	if (!nr || nr > *left)
		return VRL_WHY_INFLIGHT;
	*left -= nr;
	c->seg = w->nr_segs;
	chain_clear(c, 0);
	for (;;) {
		addr = READ_ONCE(log->desc[at].addr);
		len = READ_ONCE(log->desc[at].len);
		flags = READ_ONCE(log->desc[at].flags);
		if (flags & DESC_F_INDIRECT)
			break;
		if (seg == first + VRL_CHAIN_MAX)
			return VRL_WHY_CHAIN_TOO_LONG;
		if (seg == first + room)
			return -E2BIG;
		ret = range_check(w, addr, len);
		if (ret)
			return ret;
		seg_store(seg++, addr, len, flags & DESC_F_WRITE);
		if (seg == first + nr)
			break;
		at = READ_ONCE(log->desc[at].next);
		if (at >= vq->num)
			return VRL_WHY_INFLIGHT;
	}
	c->id = READ_ONCE(log->desc[at].id) | (__u32)nr << ID_NR_SHIFT;
	if ((__u16)c->id >= vq->num || log_map(vq)[(__u16)c->id] != head)
		return VRL_WHY_INFLIGHT;
	if (flags & DESC_F_INDIRECT)
		return seg != first ? VRL_WHY_INDIRECT_NEXT :
				      vrl_chain_note_table(w, c, addr, len);
	w->nr_segs += nr;
	return vrl_chain_divide(c, first, nr);
}

/* What came again counts against what was in flight, whatever the log says now. */
void vrl_log_packed_again(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		vq->again_left = (__u16)(vq->again_left - (b->chains[i].id >> ID_NR_SHIFT));
}

int vrl_log_packed_peek(struct burst_walk *w, unsigned int n)
{
	struct vrl_vq *vq = w->vq;
	__u32 left = vq->again_left;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++)
		ret = log_walk_chain(w, &w->b->chains[i],
				     vq->resubmit[vq->at_resubmit + i], &left);
	if (!ret)
		return (int)i;
	if (i > 1)
		return (int)(i - 1);
	return ret < 0 ? ret : vq_break(vq, ret);
}
