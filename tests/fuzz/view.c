// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The log of looks, the clobbering, the late pokes: see view.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook.h"
#include "view.h"

#undef memcpy

#define MAX_POKES	8
#define WORD		8

/* One look at up to 8 bytes; a bit of @given per byte handed to the oracle. */
struct look {
	uintptr_t at;
	uint32_t next;		/* of the same bucket, later; by index + 1 */
	uint8_t len, given;
	bool copied;		/* part of a copy, not a word by itself */
	uint8_t byte[WORD];
};

/* By the 8 bytes in which a look begins. */
#define BUCKETS		1024
#define BUCKET(at)	((at) / WORD % BUCKETS)

struct poke {
	struct area *a;
	size_t off;
	uint8_t len;
	uint8_t byte[WORD];
	unsigned int after;
};

static struct {
	struct view_config cfg;
	bool running, paused;
	bool changed;
	struct look *look;
	size_t nr, room;
	uint32_t first[BUCKETS], last[BUCKETS];	/* index + 1 */
	size_t found;		/* by the last view_saw() */
	size_t nr_at_store;	/* looks before the last store into an area */
	bool clobbered_all;
	jmp_buf *die_to;	/* or NULL */
	unsigned int die_after;
	struct poke poke[MAX_POKES];
	unsigned int nr_pokes;
} view;

void check_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* ---- areas ---- */

void area_init(struct area *a, size_t size, unsigned int skew)
{
	a->size = size;
	a->block = malloc(size + skew);
	a->want = malloc(size);
	a->given = calloc(size, 1);
	CHECK(a->block && a->want && a->given);
	a->live = (uint8_t *)a->block + skew;
	memset(a->live, 0, size);
	memset(a->want, 0, size);
}

void area_fini(struct area *a)
{
	free(a->block);
	free(a->want);
	free(a->given);
	*a = (struct area){ .size = 0 };
}

void area_poke(struct area *a, size_t off, const void *p, size_t len)
{
	if (off >= a->size)
		return;
	if (len > a->size - off)
		len = a->size - off;
	memcpy(a->live + off, p, len);
	memcpy(a->want + off, p, len);
}

void area_expect(struct area *a, size_t off, const void *p, size_t len)
{
	CHECK(off <= a->size && len <= a->size - off);
	memcpy(a->want + off, p, len);
}

void area_accept(struct area *a, size_t off, size_t len)
{
	CHECK(off <= a->size && len <= a->size - off);
	if (len)
		memcpy(a->want + off, a->live + off, len);
}

static struct area *area_of(const volatile void *p)
{
	unsigned int i;

	for (i = 0; i < view.cfg.nr; i++) {
		struct area *a = &view.cfg.areas[i];

		if ((uintptr_t)p - (uintptr_t)a->live < a->size)
			return a;
	}
	return NULL;
}

/* ---- the library runs ---- */

void view_begin(const struct view_config *cfg)
{
	view.cfg = *cfg;
	view.running = true;
	view.changed = cfg->clobber || view.nr_pokes;
	view.nr = 0;
	memset(view.first, 0, sizeof(view.first));
	view.found = 0;
	view.nr_at_store = 0;
	view.clobbered_all = false;
}

void view_end(void)
{
	unsigned int i;
	size_t k;

	view.running = false;
	view.die_to = NULL;
	for (i = 0; view.clobbered_all && i < view.cfg.nr; i++)
		if (view.cfg.areas[i].size)
			memcpy(view.cfg.areas[i].live, view.cfg.areas[i].want,
			       view.cfg.areas[i].size);
	for (k = 0; view.cfg.clobber && k < view.nr; k++) {
		const struct look *l = &view.look[k];
		struct area *a = area_of((void *)l->at);
		size_t off = a ? l->at - (uintptr_t)a->live : 0;

		if (a)
			memcpy(a->live + off, a->want + off, l->len);
	}
	for (i = 0; i < view.cfg.nr; i++)
		CHECK(!view.cfg.areas[i].size ||
		      !memcmp(view.cfg.areas[i].live, view.cfg.areas[i].want,
			      view.cfg.areas[i].size));
}

void view_clobber_all(void)
{
	unsigned int i;
	size_t k;

	view.clobbered_all = true;
	for (i = 0; i < view.cfg.nr; i++)
		for (k = 0; k < view.cfg.areas[i].size; k++)
			view.cfg.areas[i].live[k] ^= view.cfg.clobber;
}

void view_poke_later(struct area *a, size_t off, const void *p, size_t len,
		     unsigned int after)
{
	struct poke *k = &view.poke[view.nr_pokes];

	if (view.nr_pokes == MAX_POKES || off >= a->size)
		return;
	*k = (struct poke){ .a = a, .off = off, .after = after };
	k->len = len < WORD ? (uint8_t)len : WORD;
	memcpy(k->byte, p, k->len);
	view.nr_pokes++;
}

void view_forget_pokes(void)
{
	view.nr_pokes = 0;
}

bool view_is_changing(void)
{
	return view.changed;
}

static void view_tick(void)
{
	unsigned int i = 0;

	while (i < view.nr_pokes) {
		struct poke *k = &view.poke[i];

		if (k->after) {
			k->after--;
			i++;
			continue;
		}
		area_poke(k->a, k->off, k->byte, k->len);
		*k = view.poke[--view.nr_pokes];
	}
}

static void view_note_word(uintptr_t at, const uint8_t *v, size_t len, bool copied)
{
	uint32_t b = BUCKET(at), i = (uint32_t)view.nr;

	if (view.nr == view.room) {
		view.room = view.room ? 2 * view.room : 4096;
		view.look = realloc(view.look, view.room * sizeof(*view.look));
		CHECK(view.look);
	}
	view.look[i] = (struct look){ .at = at, .len = (uint8_t)len, .copied = copied };
	memcpy(view.look[i].byte, v, len);
	if (view.first[b])
		view.look[view.last[b] - 1].next = i + 1;
	else
		view.first[b] = i + 1;
	view.last[b] = i + 1;
	view.nr++;
}

static void view_note(const void *p, const void *v, size_t len, bool copied)
{
	const uint8_t *from = v;
	uintptr_t at = (uintptr_t)p;

	while (len) {
		size_t n = len < WORD ? len : WORD;

		view_note_word(at, from, n, copied);
		at += n;
		from += n;
		len -= n;
	}
}

static void view_loaded(const volatile void *p, const void *v, size_t size, bool copied)
{
	struct area *a = view.running && !view.paused ? area_of(p) : NULL;
	uint8_t *at;
	size_t i;

	if (!a)
		return;
	view_note((const void *)(uintptr_t)p, v, size, copied);
	at = a->live + ((uintptr_t)p - (uintptr_t)a->live);
	for (i = 0; view.cfg.clobber && i < size; i++)
		at[i] ^= view.cfg.clobber;
	if (!view.cfg.calm)
		view_tick();
}

void hook_loaded(const volatile void *p, const void *v, size_t size)
{
	view_loaded(p, v, size, false);
}

void hook_copied(const void *p, const void *v, size_t size)
{
	view_loaded(p, v, size, true);
}

void hook_pause(bool pause)
{
	view.paused = pause;
}

void view_die(jmp_buf *to, unsigned int after)
{
	view.die_to = to;
	view.die_after = after;
}

void view_survive(void)
{
	unsigned int i;

	view.running = false;
	view.die_to = NULL;
	for (i = 0; i < view.cfg.nr; i++)
		area_accept(&view.cfg.areas[i], 0, view.cfg.areas[i].size);
}

static void view_dies(void)
{
	jmp_buf *to = view.die_to;

	view_survive();
	longjmp(*to, 1);
}

void hook_store(const volatile void *p, size_t size, bool release)
{
	(void)size;
	if (view.die_to && !view.die_after--)
		view_dies();
	if (!view.running || !area_of(p))
		return;
	view.nr_at_store = view.nr;
	if (release && view.cfg.release)
		view.cfg.release(view.cfg.opaque, p);
}

void *hook_memcpy(void *dst, const void *src, size_t size)
{
	memcpy(dst, src, size);
	if (size)
		hook_copied(src, dst, size);
	return dst;
}

/* ---- what it saw ---- */

/* The first look at this byte, among those that begin in one piece of 8. */
static size_t look_find_in(uint32_t bucket, uintptr_t at, bool copied)
{
	size_t i = view.first[bucket];

	for (; i; i = view.look[i - 1].next) {
		const struct look *l = &view.look[i - 1];

		if (at - l->at < l->len && l->copied == copied &&
		    !(l->given >> (at - l->at) & 1))
			return i;
	}
	return 0;
}

static struct look *look_find(uintptr_t at, bool copied)
{
	uint32_t here = BUCKET(at), before = BUCKET(at - WORD + 1);
	size_t i = look_find_in(here, at, copied);
	size_t k = here == before ? 0 : look_find_in(before, at, copied);

	if (k && (!i || k < i))
		i = k;
	if (!i)
		return NULL;
	view.found = i - 1;
	return &view.look[i - 1];
}

bool view_saw(const void *p, void *dst, size_t len, bool copied)
{
	uint8_t *to = dst;
	size_t i = 0;

	while (i < len) {
		uintptr_t at = (uintptr_t)p + i;
		struct look *l = look_find(at, copied);
		size_t off;

		if (!l)
			return false;
		/* On through this look, up to what has been given out. */
		for (off = at - l->at; i < len && off < l->len; off++) {
			if (l->given >> off & 1)
				break;
			to[i++] = l->byte[off];
			l->given |= (uint8_t)(1u << off);
		}
	}
	return true;
}

bool view_saw_after_store(void)
{
	return view.found >= view.nr_at_store;
}

static void look_mark(const struct look *l, uint8_t value)
{
	struct area *a = area_of((void *)l->at);

	if (a)
		memset(a->given + (l->at - (uintptr_t)a->live), value, l->len);
}

bool view_saw_all(void)
{
	bool once = true;
	size_t i;

	for (i = 0; i < view.nr; i++)
		if (view.look[i].given)
			look_mark(&view.look[i], 1);
	for (i = 0; i < view.nr; i++) {
		const struct look *l = &view.look[i];
		struct area *a = area_of((void *)l->at);

		if (a && !l->copied && !l->given && a->given[l->at - (uintptr_t)a->live])
			once = false;
	}
	for (i = 0; i < view.nr; i++)
		look_mark(&view.look[i], 0);
	return once;
}
