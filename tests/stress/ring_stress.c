// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Two threads on one virtqueue: a driver with the weakest memory order that the
 * specification allows it (unit/driver.c) and a device side. Each chain carries
 * its number; both check every word of the other's buffers, so that a missing
 * barrier is wrong data, or a race for the thread sanitizer. Where they sleep, a
 * wait that nobody ends is a lost notification.
 *
 * Usage: ring_stress [SECONDS], for all arms together. Speaks TAP.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_ring.h>
#include <vrl/inflight.h>
#include <vrl/vring.h>

#include "driver.h"
#include "guest.h"

#define BURST		16
#define OUT_WORDS	16
#define IN_WORDS	8
#define LOST_MS		20000		/* no host is as slow as that */

/*
 * How who has nothing to do waits. A sleep is a real one, on an eventfd; but whoever
 * wakes the other is alone then, and what the two do at the same moment is what
 * goes wrong. A doze is a sleep that costs nothing: a counter in memory.
 */
enum wait {
	WAIT_POLL,
	WAIT_SLEEP,
	WAIT_DOZE,
};

struct arm {
	const char *name;
	uint32_t features;
	unsigned int num;
	enum wait wait;
	bool log;
};

/* Where one side waits for the other. */
struct bell {
	int fd;
	unsigned int rung;		/* atomic */
	unsigned int heard;		/* the waiter's */
	unsigned long waits;
	uint32_t seed;
};

/* What one id carries. Plain memory: the rings alone order its use. */
struct cargo {
	uint32_t out[OUT_WORDS];
	uint32_t in[IN_WORDS];
	struct vring_desc table[4];
	uint32_t serial;		/* the driver's */
	unsigned int nr_in;
};

struct stress {
	const struct arm *arm;
	struct driver d;
	struct vrl_vq vq;
	struct vrl_burst *b;
	struct cargo *cargo;		/* by slot, which is not the id */
	struct cargo *of_id[DRIVER_NUM_MAX];
	struct cargo *spare[DRIVER_NUM_MAX];
	unsigned int nr_spare;
	_Alignas(64) struct bell kick;
	_Alignas(64) struct bell call;
	_Alignas(64)
	int done;			/* atomic: the driver posts no more */
	int failed;			/* atomic */
	double seconds;
	uint32_t posted, returned, taken;
	unsigned long kicks, calls;
};

static void stress_fail(struct stress *s, const char *fmt, ...)
{
	va_list ap;

	if (__atomic_exchange_n(&s->failed, 1, __ATOMIC_RELAXED))
		return;
	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
}

static bool stress_failed(struct stress *s)
{
	return __atomic_load_n(&s->failed, __ATOMIC_RELAXED);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void bell_ring(struct stress *s, struct bell *b)
{
	if (s->arm->wait == WAIT_DOZE)
		__atomic_add_fetch(&b->rung, 1, __ATOMIC_RELAXED);
	else
		eventfd_write(b->fd, 1);
}

static bool bell_doze(struct stress *s, struct bell *b)
{
	double end = now() + LOST_MS / 1000.0;
	unsigned int i, rung;

	while (!stress_failed(s) && now() < end) {
		for (i = 0; i < 1000; i++) {
			rung = __atomic_load_n(&b->rung, __ATOMIC_RELAXED);
			if (rung != b->heard) {
				b->heard = rung;
				return true;
			}
		}
		sched_yield();
	}
	return false;
}

/* False if nobody rings for LOST_MS. */
static bool bell_wait(struct stress *s, struct bell *b)
{
	struct pollfd p = { .fd = b->fd, .events = POLLIN };
	eventfd_t value;
	unsigned int ms;

	b->waits++;
	if (s->arm->wait == WAIT_DOZE)
		return bell_doze(s, b);
	for (ms = 0; ms < LOST_MS && !stress_failed(s); ms += 100)
		if (poll(&p, 1, 100) > 0)
			return !eventfd_read(b->fd, &value);
	return false;
}

/* A little later, never the same: so that both sides' decisions meet. */
static void bell_dawdle(struct bell *b)
{
	volatile unsigned int i = test_random(&b->seed) % 128;

	while (i)
		i--;
}

static uint32_t word_out(uint32_t serial, unsigned int i)
{
	return serial * 2654435761u + i;
}

static uint32_t word_in(uint32_t serial, unsigned int i)
{
	return ~word_out(serial, i);
}

/* ---- driver --------------------------------------------------------------------- */

/* Serial numbers decide the shape: one buffer, three, or a table of three. */
static bool driver_post_one(struct stress *s)
{
	uint32_t serial = s->posted;
	struct driver_buf bufs[3];
	bool indirect = serial % 3 == 2 && s->arm->features & VRL_F_INDIRECT;
	unsigned int i, nr_out = serial % 3 ? 2 : 1;
	struct cargo *c;
	int id;

	if (!s->nr_spare)
		return false;
	c = s->spare[s->nr_spare - 1];
	for (i = 1; i < OUT_WORDS; i++)
		c->out[i] = word_out(serial, i);
	c->out[0] = serial;
	memset(c->in, 0, sizeof(c->in));
	c->serial = serial;
	c->nr_in = serial % 3 != 0;
	bufs[0] = (struct driver_buf){ (uintptr_t)c->out, 4 };
	bufs[1] = (struct driver_buf){ (uintptr_t)&c->out[1], sizeof(c->out) - 4 };
	if (nr_out == 1)
		bufs[0].len = sizeof(c->out);
	bufs[nr_out] = (struct driver_buf){ (uintptr_t)c->in, sizeof(c->in) };

	id = driver_post(&s->d, bufs, nr_out, c->nr_in, indirect ? c->table : NULL);
	if (id < 0)
		return false;
	s->of_id[id] = c;
	s->nr_spare--;
	s->posted++;
	return true;
}

static unsigned int driver_reap(struct stress *s)
{
	unsigned int i, n = 0;
	uint32_t id, len;
	struct cargo *c;
	int ret;

	while ((ret = driver_get_used(&s->d, &id, &len)) > 0) {
		c = s->of_id[id];
		if (len != c->nr_in * sizeof(c->in))
			stress_fail(s, "chain %u came back with length %u", c->serial, len);
		for (i = 0; i < IN_WORDS && c->nr_in; i++)
			if (c->in[i] != word_in(c->serial, i))
				stress_fail(s, "chain %u came back with other data", c->serial);
		s->spare[s->nr_spare++] = c;
		s->returned++;
		n++;
	}
	if (ret < 0)
		stress_fail(s, "id %u came back, which is not out", id);
	return n;
}

static void driver_idle(struct stress *s)
{
	if (s->arm->wait == WAIT_POLL) {
		sched_yield();
		return;
	}
	bell_dawdle(&s->call);
	if (!driver_enable_call(&s->d) && !bell_wait(s, &s->call))
		stress_fail(s, "no interrupt: %u posted, %u taken, %u returned", s->posted,
			    __atomic_load_n(&s->taken, __ATOMIC_RELAXED), s->returned);
	driver_disable_call(&s->d);
}

static void *driver_main(void *arg)
{
	struct stress *s = arg;
	double end = now() + s->seconds;
	uint32_t seed = 1;
	unsigned int n, window;
	bool go = true;

	driver_disable_call(&s->d);
	while ((go || s->returned != s->posted) && !stress_failed(s)) {
		go = go && now() < end;
		/* Few at a time make both sides sleep often. */
		window = 1 + test_random(&seed) % (s->arm->wait ? 4 : s->arm->num);
		for (n = 0; go && n < window && driver_post_one(s); n++)
			;
		if (n && driver_needs_kick(&s->d)) {
			s->kicks++;
			bell_ring(s, &s->kick);
		}
		if (!driver_reap(s) && s->returned != s->posted && (!n || s->arm->wait))
			driver_idle(s);
	}
	__atomic_store_n(&s->done, 1, __ATOMIC_RELEASE);
	bell_ring(s, &s->kick);
	return NULL;
}

/* ---- device --------------------------------------------------------------------- */

/* Tables are plain memory of this process. */
static int fetch_table(void *opaque, struct vrl_fetch *reqs, unsigned int nr)
{
	unsigned int i;

	(void)opaque;
	for (i = 0; i < nr; i++)
		memcpy(reqs[i].dst, (void *)(uintptr_t)reqs[i].iova, reqs[i].len);
	return 0;
}

static void device_work(struct stress *s, const struct vrl_chain *c, struct vrl_used_elem *e)
{
	const struct vrl_seg *seg = &s->b->segs[c->seg];
	uint32_t out[OUT_WORDS] = { 0 }, serial = s->taken, i, at = 0;

	for (i = 0; i < c->nr_out && at + seg->len <= sizeof(out); i++, at += seg++->len)
		memcpy((char *)out + at, (void *)(uintptr_t)seg->iova, seg->len);
	if (at != sizeof(out) || out[0] != serial)
		stress_fail(s, "chain %u: took %u, %u bytes", serial, out[0], at);
	for (i = 1; i < OUT_WORDS; i++)
		if (out[i] != word_out(serial, i))
			stress_fail(s, "chain %u: other data", serial);
	for (i = 0; c->nr_in && i < IN_WORDS; i++)
		((uint32_t *)(uintptr_t)seg->iova)[i] = word_in(serial, i);
	*e = (struct vrl_used_elem){ .id = c->id, .len = c->in_len };
	__atomic_store_n(&s->taken, serial + 1, __ATOMIC_RELAXED);
}

/* In order or, where that is not promised, the other way around. */
static void device_give_back(struct stress *s, struct vrl_used_elem *e, unsigned int n)
{
	struct vrl_used_elem swap;
	unsigned int i;

	for (i = 0; i < n / 2; i++) {
		swap = e[i];
		e[i] = e[n - 1 - i];
		e[n - 1 - i] = swap;
	}
	vrl_vq_push_burst(&s->vq, e, n);
	if (vrl_vq_needs_call(&s->vq)) {
		s->calls++;
		bell_ring(s, &s->call);
	}
}

static void device_idle(struct stress *s)
{
	if (s->arm->wait == WAIT_POLL) {
		sched_yield();
		return;
	}
	bell_dawdle(&s->kick);
	if (!vrl_vq_enable_kick(&s->vq) && !bell_wait(s, &s->kick))
		stress_fail(s, "no kick: %u taken", s->taken);
	vrl_vq_disable_kick(&s->vq);
}

static void *device_main(void *arg)
{
	struct stress *s = arg;
	struct vrl_used_elem e[BURST];
	int i, n;

	vrl_vq_disable_kick(&s->vq);
	while (!stress_failed(s)) {
		n = vrl_vq_peek_burst(&s->vq, s->b, BURST);
		if (n < 0) {
			stress_fail(s, "peek: %d, %s", n, vrl_why_str(vrl_vq_why(&s->vq)));
		} else if (n) {
			vrl_vq_consume(&s->vq, s->b, (unsigned int)n);
			for (i = 0; i < n; i++)
				device_work(s, &s->b->chains[i], &e[i]);
			device_give_back(s, e, (unsigned int)n);
		} else if (__atomic_load_n(&s->done, __ATOMIC_ACQUIRE)) {
			break;
		} else {
			device_idle(s);
		}
	}
	return NULL;
}

/* ---- arms ----------------------------------------------------------------------- */

#define SPLIT	VRL_F_INDIRECT
#define PACKED	(VRL_F_INDIRECT | VRL_F_PACKED)
#define EVENT	VRL_F_EVENT_IDX

static const struct arm arms[] = {
	{ "split ring, both poll", SPLIT, 64, WAIT_POLL, false },
	{ "split ring of 4 with an in-flight log", SPLIT, 4, WAIT_POLL, true },
	{ "split ring, flags, both sleep", SPLIT, 64, WAIT_SLEEP, false },
	{ "split ring, flags, both doze", SPLIT, 64, WAIT_DOZE, false },
	{ "split ring, event index, both sleep", SPLIT | EVENT, 64, WAIT_SLEEP, false },
	{ "split ring, event index, both doze", SPLIT | EVENT, 64, WAIT_DOZE, false },
	{ "packed ring, both poll", PACKED, 64, WAIT_POLL, false },
	{ "packed ring of 5 with an in-flight log", PACKED, 5, WAIT_POLL, true },
	{ "packed ring, flags, both sleep", PACKED, 61, WAIT_SLEEP, false },
	{ "packed ring, flags, both doze", PACKED, 61, WAIT_DOZE, false },
	{ "packed ring, event index, both sleep", PACKED | EVENT, 61, WAIT_SLEEP, false },
	{ "packed ring, event index, both doze", PACKED | EVENT, 61, WAIT_DOZE, false },
};

#define NR_ARMS	(sizeof(arms) / sizeof(arms[0]))

static void *xzalloc(size_t size)
{
	void *p = aligned_alloc(64, (size + 63) & ~(size_t)63);

	if (!p)
		abort();
	return memset(p, 0, size);
}

/* On two CPUs, if there are two: on one, nothing is ever at the same moment. */
static void thread_place(pthread_t thread, unsigned int which)
{
	cpu_set_t all, one;
	int cpu;

	if (sched_getaffinity(0, sizeof(all), &all) || CPU_COUNT(&all) < 2)
		return;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || which--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		pthread_setaffinity_np(thread, sizeof(one), &one);
		return;
	}
}

static bool arm_run(const struct arm *arm, double seconds)
{
	struct stress *s = xzalloc(sizeof(*s));
	void *ring = xzalloc(driver_mem_size(arm->features, arm->num));
	void *log = arm->log ? xzalloc(vrl_inflight_size(arm->features, arm->num)) : NULL;
	struct vrl_vq_config cfg;
	pthread_t driver, device;
	unsigned int i;
	bool ok;

	s->arm = arm;
	s->seconds = seconds;
	s->cargo = xzalloc(arm->num * sizeof(*s->cargo));
	for (i = 0; i < arm->num; i++)
		s->spare[s->nr_spare++] = &s->cargo[i];
	s->kick = (struct bell){ .fd = eventfd(0, EFD_NONBLOCK), .seed = 3 };
	s->call = (struct bell){ .fd = eventfd(0, EFD_NONBLOCK), .seed = 5 };
	s->b = burst_create(BURST, 4 * BURST, 4 * BURST);
	driver_init(&s->d, ring, arm->features, arm->num, 0);
	driver_config(&s->d, &cfg);
	cfg.fetch = fetch_table;
	cfg.inflight = log;
	cfg.resubmit = xzalloc(2 * arm->num * sizeof(*cfg.resubmit));
	if (s->kick.fd < 0 || s->call.fd < 0 || vrl_vq_init(&s->vq, &cfg) ||
	    pthread_create(&driver, NULL, driver_main, s) ||
	    pthread_create(&device, NULL, device_main, s))
		abort();
	thread_place(driver, 0);
	thread_place(device, 1);
	pthread_join(driver, NULL);
	pthread_join(device, NULL);

	ok = !s->failed && s->returned && s->returned == s->taken;
	printf("# %u chains, %lu kicks, %lu calls; waited: driver %lu, device %lu\n",
	       s->returned, s->kicks, s->calls, s->call.waits, s->kick.waits);
	/* An arm about waiting in which nobody did has tested nothing. */
	if (arm->wait)
		ok = ok && s->call.waits && s->kick.waits;
	close(s->kick.fd);
	close(s->call.fd);
	burst_destroy(s->b);
	free(cfg.resubmit);
	free(s->cargo);
	free(log);
	free(ring);
	free(s);
	return ok;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 4;
	int failed = 0;
	unsigned int i;
	bool ok;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", NR_ARMS);
	for (i = 0; i < NR_ARMS; i++) {
		ok = arm_run(&arms[i], seconds / NR_ARMS);
		printf("%s %u - %s\n", ok ? "ok" : "not ok", i + 1, arms[i].name);
		failed += !ok;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
