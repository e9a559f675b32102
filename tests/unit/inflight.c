// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Driver and device side for the tests of the in-flight log: see inflight.h.
 */
#include <errno.h>
#include <string.h>

#include <linux/virtio_ring.h>

#include "inflight.h"
#include "test.h"

/* Indirect tables outlive everybody: they are the driver's memory. */
static struct vring_desc tables[SERIALS][4];

static bool serial_is_indirect(unsigned int serial)
{
	return serial % 5 == 4;
}

static unsigned int serial_nr_out(unsigned int serial)
{
	return 1 + serial % 2;
}

static unsigned int serial_nr_in(unsigned int serial)
{
	return serial % 3 == 0;
}

static uint32_t serial_len(unsigned int serial, unsigned int seg)
{
	return 16 + serial + 1000 * seg;
}

bool model_post(struct model *m)
{
	unsigned int i, serial = m->posted;
	unsigned int nr_out = serial_nr_out(serial), nr_in = serial_nr_in(serial);
	struct driver_buf bufs[4];
	int id;

	assert_in_range(serial, 0, SERIALS - 1);
	for (i = 0; i < nr_out + nr_in; i++)
		bufs[i] = (struct driver_buf){ (uint64_t)serial << 16 | i << 12,
					       serial_len(serial, i) };
	id = driver_post(&m->d, bufs, nr_out, nr_in,
			 serial_is_indirect(serial) ? tables[serial] : NULL);
	if (id < 0)
		return false;
	m->serial_of[id] = serial;
	m->posted++;
	return true;
}

void model_reap(struct model *m)
{
	uint32_t id, len;
	int ret;

	while ((ret = driver_get_used(&m->d, &id, &len)) > 0) {
		unsigned int serial = m->serial_of[id];

		assert_false(m->done[serial]);
		if (len != ~0u)	/* unknown, in order */
			assert_int_equal(len, serial_nr_in(serial) * serial);
		m->done[serial] = true;
		m->returned++;
	}
	/* Never a chain that is not out. */
	assert_int_equal(ret, 0);
}

static int fetch_table(void *opaque, struct vrl_fetch *reqs, unsigned int nr)
{
	const uintptr_t start = (uintptr_t)tables;
	unsigned int i;

	(void)opaque;
	for (i = 0; i < nr; i++)
		if (reqs[i].iova - start < sizeof(tables) &&
		    reqs[i].len <= sizeof(tables) - (reqs[i].iova - start))
			memcpy(reqs[i].dst, (void *)(uintptr_t)reqs[i].iova, reqs[i].len);
		else
			reqs[i].err = -EFAULT;
	return 0;
}

void device_config(struct device *dev, const struct driver *d, void *log,
		   struct vrl_vq_config *cfg)
{
	driver_config(d, cfg);
	cfg->fetch = fetch_table;
	cfg->inflight = log;
	cfg->resubmit = dev->resubmit;
}

/* As the driver posted it; each later than the one before. Returns its serial. */
static unsigned int device_check_chain(struct device *dev, const struct vrl_chain *c)
{
	const struct vrl_seg *seg = &dev->b->segs[c->seg];
	unsigned int i, serial = (unsigned int)(seg->iova >> 16);

	assert_int_equal(c->flags, 0);
	assert_true(serial >= dev->last_serial);
	dev->last_serial = serial + 1;
	assert_int_equal(c->nr_out, serial_nr_out(serial));
	assert_int_equal(c->nr_in, serial_nr_in(serial));
	for (i = 0; i < c->nr_out + c->nr_in; i++) {
		assert_int_equal(seg[i].iova, (uint64_t)serial << 16 | i << 12);
		assert_int_equal(seg[i].len, serial_len(serial, i));
		assert_int_equal(seg[i].flags, i < c->nr_out ? 0 : VRL_SEG_WRITE);
	}
	return serial;
}

unsigned int device_take(struct device *dev, unsigned int max)
{
	int i, n = vrl_vq_peek_burst(&dev->vq, dev->b, max);

	assert_true(n >= 0);
	for (i = 0; i < n; i++) {
		const struct vrl_chain *c = &dev->b->chains[i];
		unsigned int serial = device_check_chain(dev, c);

		dev->held[dev->nr_held++] = (struct vrl_used_elem){
			.id = c->id, .len = c->nr_in * serial };
	}
	vrl_vq_consume(&dev->vq, dev->b, (unsigned int)n);
	return (unsigned int)n;
}

/* As many from the front as the mask is wide. */
static void device_push_in_order(struct device *dev, unsigned int mask)
{
	unsigned int n = 0;

	while (mask >> n && n < dev->nr_held)
		n++;
	vrl_vq_push_in_order(&dev->vq, dev->held, n);
	dev->nr_held -= n;
	memmove(dev->held, dev->held + n, dev->nr_held * sizeof(dev->held[0]));
}

void device_push(struct device *dev, unsigned int mask)
{
	struct vrl_used_elem e[NUM_MAX], keep[NUM_MAX];
	unsigned int i, n = 0, nr_keep = 0;

	if (dev->vq.features & VRL_F_IN_ORDER) {
		device_push_in_order(dev, mask);
		return;
	}
	for (i = dev->nr_held; i-- > 0;)
		if (mask & 1u << i)
			e[n++] = dev->held[i];
	for (i = 0; i < dev->nr_held; i++)
		if (!(mask & 1u << i))
			keep[nr_keep++] = dev->held[i];
	memcpy(dev->held, keep, sizeof(keep));
	dev->nr_held = nr_keep;
	if (n)
		vrl_vq_push_burst(&dev->vq, e, n);
}
