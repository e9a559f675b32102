// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The vectors on the host: one test each. And the oracle, which knows nothing of
 * them, must come to the same verdict and segments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "test.h"
#include "../vectors/vectors.h"

#define MAX_TESTS	512

void *vec_alloc(unsigned long size)
{
	return calloc(1, size);
}

void vec_free(void *p)
{
	free(p);
}

static void report(const struct vec_result *r)
{
	fail_msg("%s %u: %s: %lld, wanted %lld", r->where, r->step, r->what,
		 (long long)r->got, (long long)r->want);
}

/* ---- the oracle on the same chains ---- */

struct memory {
	const void *table;
};

static const void *memory_at(void *opaque, uint64_t iova, uint32_t len)
{
	const struct memory *m = opaque;
	uint64_t off = iova - VEC_TABLE;

	if (off >= 16 * VEC_MAX_TABLE || len > 16 * VEC_MAX_TABLE - off)
		return NULL;
	return (const char *)m->table + off;
}

static void check_verdict(const struct vec_chain *v, enum oracle_verdict verdict,
			  const struct oracle_chain *c)
{
	unsigned int i;

	if (v->fault) {
		assert_int_equal(verdict, ORACLE_FAULT);
		return;
	}
	if (!v->seg[0].len) {
		assert_int_equal(verdict, ORACLE_ILLEGAL);
		assert_true(v->why > VRL_WHY_RESET && v->why < VRL_WHY_NR);
		return;
	}
	assert_int_equal(verdict, ORACLE_LEGAL);
	assert_int_equal(v->why, VRL_WHY_OK);
	for (i = 0; i < c->nr; i++) {
		assert_int_equal(c->seg[i].iova, v->seg[i].iova);
		assert_int_equal(c->seg[i].len, v->seg[i].len);
		assert_int_equal(c->seg[i].write, v->seg[i].flags == W);
	}
	assert_true(i == VEC_MAX_TABLE || !v->seg[i].len);
}

static void oracle_agrees_split(const struct vec_chain *v)
{
	static struct oracle_chain c;
	struct vring_desc desc[VEC_NUM], table[VEC_MAX_TABLE];
	struct memory m = { table };
	const struct oracle o = {
		.desc = desc, .num = VEC_NUM, .indirect = !v->no_indirect,
		.iova_last = v->iova_last, .mem = memory_at, .opaque = &m,
	};
	bool both = v->kinds == VEC_BOTH;
	unsigned int i;

	for (i = 0; i < VEC_NUM; i++)
		guest_desc_fill(&desc[i], v->desc[i].addr, v->desc[i].len,
				v->desc[i].flags, both ? i + 1 : v->desc[i].next);
	for (i = 0; i < VEC_MAX_TABLE; i++)
		guest_desc_fill(&table[i], v->table[i].addr, v->table[i].len,
				v->table[i].flags, both ? i + 1 : v->table[i].next);
	check_verdict(v, oracle_walk(&o, v->head, &c), &c);
}

static void oracle_agrees_packed(const struct vec_chain *v)
{
	static struct oracle_chain c;
	struct vring_packed_desc ring[VEC_NUM], table[VEC_MAX_TABLE];
	struct memory m = { table };
	const struct oracle o = {
		.ring = ring, .num = VEC_NUM, .indirect = !v->no_indirect,
		.iova_last = v->iova_last, .mem = memory_at, .opaque = &m,
	};
	bool both = v->kinds == VEC_BOTH;
	unsigned int i;

	for (i = 0; i < VEC_NUM; i++)
		guest_packed_fill(&ring[i], v->desc[i].addr, v->desc[i].len,
				  both ? VEC_ID : v->desc[i].next,
				  v->desc[i].flags | 1 << VRING_PACKED_DESC_F_AVAIL);
	for (i = 0; i < VEC_MAX_TABLE; i++)
		guest_packed_fill(&table[i], v->table[i].addr, v->table[i].len,
				  v->table[i].next, v->table[i].flags);
	check_verdict(v, oracle_walk_packed(&o, VRL_STATE_WRAP, &c), &c);
}

/* ---- the tests ---- */

static void chain(void **state)
{
	const struct vec_chain *v = *state;
	struct vec_result r;

	if (v->kinds & VEC_SPLIT)
		oracle_agrees_split(v);
	if (v->kinds & VEC_PACKED)
		oracle_agrees_packed(v);
	if (vec_chain_run(v, &r))
		report(&r);
}

static void script(void **state)
{
	struct vec_result r;

	if (vec_script_run(*state, &r))
		report(&r);
}

/* Every reason that a driver can cause is caused by some vector. */
static void every_reason_has_a_vector(void **state)
{
	const struct vec_chain *const *table, *v;
	bool seen[VRL_WHY_NR] = { false };
	unsigned int i;

	(void)state;
	for (table = vec_chain_tables; *table; table++)
		for (v = *table; v->name; v++)
			seen[v->why] = true;
	/* Scripts have the first, vring_test the second. */
	seen[VRL_WHY_AVAIL_JUMP] = true;
	seen[VRL_WHY_CHAIN_TOO_LONG] = true;
	/* With an in-flight log only: inflight_test. */
	seen[VRL_WHY_ID_BUSY] = true;
	seen[VRL_WHY_INFLIGHT] = true;
	for (i = VRL_WHY_RESET + 1; i < VRL_WHY_NR; i++)
		if (!seen[i])
			fail_msg("no vector for: %s", vrl_why_str(i));
}

static void add_test(struct CMUnitTest *t, const char *prefix, const char *name,
		     CMUnitTestFunction fn, const void *v)
{
	char *full = malloc(strlen(prefix) + strlen(name) + 1);

	if (!full)
		abort();
	t->name = strcat(strcpy(full, prefix), name);
	t->test_func = fn;
	t->initial_state = (void *)v;
}

int main(void)
{
	static const char *const kind[] = { "split_", "packed_" };
	static struct CMUnitTest tests[MAX_TESTS];
	const struct vec_script *s;
	const struct vec_chain *c;
	unsigned int i, n = 0;
	int ret;

	for (i = 0; vec_chain_tables[i]; i++)
		for (c = vec_chain_tables[i]; c->name; c++)
			add_test(&tests[n++], "", c->name, chain, c);
	for (i = 0; vec_script_tables[i]; i++)
		for (s = vec_script_tables[i]; s->name; s++)
			add_test(&tests[n++], kind[i], s->name, script, s);
	add_test(&tests[n++], "", "every_reason_has_a_vector",
		 every_reason_has_a_vector, NULL);
	/* The rest are nameless: cmocka passes over what has no function. */
	ret = cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
	for (i = 0; i < n; i++)
		free((char *)tests[i].name);
	return ret;
}
