// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Two threads, driver and device. Once they run freely and sleep whenever they
 * may: a lost notification leaves both asleep, and a time limit ends the test as
 * failed. And once they meet at each race of request and work, many times, each
 * side storing its word and loading the other's: without the barriers (K) and
 * (N) of split.c and packed.c both load old values now and then. That takes two CPUs.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "guest.h"
#include "test.h"

#define NUM		16
#define CHAINS		60000u
#define LIMIT_S		10

struct wire {
	struct guest g;
	struct vrl_vq vq;
	sem_t kick, call;
	unsigned int kicks, calls;
	atomic_bool failed;
};

static bool wait_for(struct wire *w, sem_t *sem)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += LIMIT_S;
	while (sem_timedwait(sem, &ts)) {
		if (errno != EINTR) {
			atomic_store(&w->failed, true);
			return false;
		}
	}
	return !atomic_load(&w->failed);
}

static void *driver(void *arg)
{
	const struct guest_buf buf = { 0x1000, 60 };
	struct wire *w = arg;
	struct vrl_used_elem e;
	unsigned int posted = 0, done = 0;

	while (done < CHAINS) {
		while (posted < CHAINS &&
		       guest_post(&w->g, &buf, 1, 0, false) >= 0) {
			posted++;
			/* Often with one outstanding: most races per chain. */
			if (posted % 7)
				break;
		}
		if (guest_needs_kick(&w->g)) {
			w->kicks++;
			sem_post(&w->kick);
		}
		guest_disable_call(&w->g);
		while (guest_get_used(&w->g, &e))
			done++;
		if (done == posted || !guest_enable_call(&w->g)) {
			if (done < posted && !wait_for(w, &w->call))
				return NULL;
		}
	}
	return NULL;
}

static void device(struct wire *w)
{
	struct vrl_burst *b = burst_create(4, 16, 0);
	struct vrl_used_elem e[4];
	unsigned int done = 0;
	int i, n;

	while (done < CHAINS) {
		n = vrl_vq_peek_burst(&w->vq, b, 4);
		if (n < 0)
			break;
		if (!n) {
			if (vrl_vq_enable_kick(&w->vq))
				continue;
			if (!wait_for(w, &w->kick))
				break;
			vrl_vq_disable_kick(&w->vq);
			continue;
		}
		for (i = 0; i < n; i++)
			e[i] = (struct vrl_used_elem){ b->chains[i].id, 0 };
		vrl_vq_consume(&w->vq, b, n);
		vrl_vq_push_burst(&w->vq, e, n);
		if (vrl_vq_needs_call(&w->vq)) {
			w->calls++;
			sem_post(&w->call);
		}
		done += n;
	}
	burst_destroy(b);
	if (done < CHAINS)
		atomic_store(&w->failed, true);
}

static void exchange(enum guest_kind kind, uint32_t features)
{
	struct wire w = { .kicks = 0 };
	struct vrl_vq_config cfg;
	pthread_t thread;

	guest_init(&w.g, kind, NUM, features);
	guest_config(&w.g, &cfg, false);
	assert_int_equal(vrl_vq_init(&w.vq, &cfg), 0);
	assert_int_equal(sem_init(&w.kick, 0, 0), 0);
	assert_int_equal(sem_init(&w.call, 0, 0), 0);

	assert_int_equal(pthread_create(&thread, NULL, driver, &w), 0);
	device(&w);
	sem_post(&w.call);
	pthread_join(thread, NULL);
	assert_false(atomic_load(&w.failed));
	/* They did sleep, or the test has shown nothing. */
	assert_true(w.kicks > 0);
	assert_true(w.calls > 0);

	sem_destroy(&w.kick);
	sem_destroy(&w.call);
	guest_fini(&w.g);
}

/* Both threads leave at the same time, as far as that can be had. */
static void meet(atomic_uint *at, unsigned int n)
{
	unsigned int spins = 0;

	atomic_fetch_add(at, 1);
	while (atomic_load_explicit(at, memory_order_acquire) < n)
		if (++spins > 1000)
			sched_yield();
}

struct race {
	struct guest g;
	struct vrl_vq vq;
	atomic_uint at;
	unsigned int rounds;		/* written by the device, between meetings */
	bool call_race;
	bool end;
	bool driver_acts, device_acts;	/* one of both is needed per round */
};

/*
 * Neither side takes as long as the other to come to its store: waiting differently
 * each time, at the one place or the other, has them meet now and then.
 */
static void dawdle(unsigned int n)
{
	volatile unsigned int i;

	for (i = 0; i < n; i++)
		;
}

/* One round: the driver posts (kick race) or asks for an interrupt (call race). */
static void *race_driver(void *arg)
{
	const struct guest_buf buf = { 0x1000, 60 };
	struct race *r = arg;
	struct vrl_used_elem e;
	unsigned int n = 0;

	for (;;) {
		if (r->call_race) {
			guest_disable_call(&r->g);
			guest_post(&r->g, &buf, 1, 0, false);
		}
		meet(&r->at, n += 2);
		if (r->end)
			return NULL;
		meet(&r->at, n += 2);
		dawdle(r->call_race ? n % 799 : n % 37);
		if (r->call_race) {
			r->driver_acts = guest_enable_call(&r->g);
		} else {
			guest_post(&r->g, &buf, 1, 0, false);
			r->driver_acts = guest_needs_kick(&r->g);
		}
		meet(&r->at, n += 2);
		meet(&r->at, n += 2);
		while (guest_get_used(&r->g, &e))
			;
	}
}

static void race_turn(struct race *r, struct vrl_burst *b)
{
	struct vrl_used_elem e = { 0, 0 };

	assert_int_equal(vrl_vq_peek_burst(&r->vq, b, 1), 1);
	e.id = b->chains[0].id;
	vrl_vq_consume(&r->vq, b, 1);
	vrl_vq_push_burst(&r->vq, &e, 1);
}

static void race_device(struct race *r)
{
	struct vrl_burst *b = burst_create(1, 1, 0);
	unsigned int n = 0, lost = 0;
	time_t end = time(NULL) + 1;

	for (r->rounds = 0; r->rounds < 400000; r->rounds++) {
		if (!r->call_race)
			vrl_vq_disable_kick(&r->vq);
		meet(&r->at, n += 2);
		meet(&r->at, n += 2);
		dawdle(r->call_race ? n % 37 : n % 97);
		if (r->call_race) {
			race_turn(r, b);
			r->device_acts = vrl_vq_needs_call(&r->vq);
		} else {
			r->device_acts = vrl_vq_enable_kick(&r->vq);
		}
		meet(&r->at, n += 2);
		lost += !r->driver_acts && !r->device_acts;
		if (!r->call_race)
			race_turn(r, b);
		meet(&r->at, n += 2);
		if (time(NULL) >= end)
			break;
	}
	r->end = true;
	meet(&r->at, n + 2);
	burst_destroy(b);
	assert_int_equal(lost, 0);
}

static void race(bool call_race, enum guest_kind kind, uint32_t features)
{
	struct race r = { .call_race = call_race };
	struct vrl_vq_config cfg;
	pthread_t thread;

	guest_init(&r.g, kind, NUM, features);
	guest_config(&r.g, &cfg, false);
	assert_int_equal(vrl_vq_init(&r.vq, &cfg), 0);
	vrl_vq_needs_call(&r.vq);
	assert_int_equal(pthread_create(&thread, NULL, race_driver, &r), 0);
	race_device(&r);
	pthread_join(thread, NULL);
	guest_fini(&r.g);
}

static void race_all(bool call_race)
{
	race(call_race, GUEST_SPLIT, 0);
	race(call_race, GUEST_SPLIT, VRL_F_EVENT_IDX);
	race(call_race, GUEST_PACKED, 0);
	race(call_race, GUEST_PACKED, VRL_F_EVENT_IDX);
}

static void kick_race_has_no_loser(void **state)
{
	(void)state;
	race_all(false);
}

static void call_race_has_no_loser(void **state)
{
	(void)state;
	race_all(true);
}

static void no_notification_is_lost_with_flags(void **state)
{
	(void)state;
	exchange(GUEST_SPLIT, 0);
	exchange(GUEST_PACKED, 0);
}

static void no_notification_is_lost_with_event_index(void **state)
{
	(void)state;
	exchange(GUEST_SPLIT, VRL_F_EVENT_IDX);
	exchange(GUEST_PACKED, VRL_F_EVENT_IDX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kick_race_has_no_loser),
		cmocka_unit_test(call_race_has_no_loser),
		cmocka_unit_test(no_notification_is_lost_with_flags),
		cmocka_unit_test(no_notification_is_lost_with_event_index),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
