// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware's clock: what nobody rings for is found by looking.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A write to BAR memory traps nowhere. A driver in user space cannot ring
 * (vsp_hw.h), so one thread looks at its mailbox, its doorbells and the vectors
 * that it unmasked by hand: slowly, until it finds something, then often for a
 * while. Of a queue that is not enabled it reads nothing.
 *
 * Doorbells: the device stores VSP_DOORBELL_ARMED in the word and sees any other
 * value. The in-kernel driver writes it too, but also rings; its write is told
 * from one of a driver that cannot by the counter of rings having moved.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>

#include "vsp.h"

#define POLL_IDLE_MS	20
/* Between two looks, for POLL_BUSY_MS after the last find. */
#define POLL_MIN_US	200
#define POLL_MAX_US	400
#define POLL_BUSY_MS	100
#define POLL_STATS_MS	500

static struct task_struct *poll_task;

/* Return: a driver that cannot ring has rung. */
static bool poll_doorbell(struct vsp_fn *fn, struct vsp_vq *vq)
{
	void __iomem *word = fn->pci.bar4 + VSP_BAR_DOORBELL(vq->index);
	u64 rings = atomic64_read(&vq->doorbells);
	bool found = false;

	if (readl(word) != VSP_DOORBELL_ARMED) {
		writel(VSP_DOORBELL_ARMED, word);
		/* A write that this one took away is seen in the ring. */
		mb();
		found = rings == vq->polled_rings;
		if (found)
			vsp_hw_doorbell_ring(fn, vq->index);
		else
			/* A guest with the page may have, behind the driver's back. */
			vsp_fn_look(fn, vq->index);
	}
	vq->polled_rings = atomic64_read(&vq->doorbells);
	return found;
}

static bool poll_fn(struct vsp_fn *fn)
{
	bool found = false;
	unsigned int q;

	if (vsp_mailbox_pending(fn)) {
		queue_work(vsp_wq, &fn->mbox_work);
		found = true;
	}
	for (q = 0; q < fn->nr_vqs; q++)
		if (READ_ONCE(fn->vq[q].enabled))
			found |= poll_doorbell(fn, &fn->vq[q]);
	return vsp_msix_poll(&fn->pci) || found;
}

static bool poll_card(struct vsp_card *card, bool stats)
{
	bool found = false;
	unsigned int i;

	for (i = 0; i < card->nr_fns; i++) {
		struct vsp_fn *fn = vsp_fn(card->fn[i]);

		if (!READ_ONCE(fn->plugged))
			continue;
		/* One that is not there, or sleeps, looks at nothing. */
		if (READ_ONCE(fn->pci.present) && !READ_ONCE(fn->pci.power_state))
			found |= poll_fn(fn);
		if (stats)
			vsp_stats_publish(fn);
	}
	return found;
}

static int poll_thread(void *data)
{
	unsigned long busy_until = jiffies, stats_at = jiffies;
	struct vsp_card *card = data;

	while (!kthread_should_stop()) {
		bool stats = time_after_eq(jiffies, stats_at);

		if (stats)
			stats_at = jiffies + msecs_to_jiffies(POLL_STATS_MS);
		if (poll_card(card, stats))
			busy_until = jiffies + msecs_to_jiffies(POLL_BUSY_MS);
		if (time_before(jiffies, busy_until))
			usleep_range(POLL_MIN_US, POLL_MAX_US);
		else
			schedule_timeout_interruptible(msecs_to_jiffies(POLL_IDLE_MS));
	}
	return 0;
}

/* While the card is on the bus; its functions are neither added nor freed. */
int vsp_poll_start(struct vsp_card *card)
{
	struct task_struct *task = kthread_run(poll_thread, card, "vsp-poll");

	if (IS_ERR(task))
		return PTR_ERR(task);
	poll_task = task;
	return 0;
}

void vsp_poll_stop(void)
{
	kthread_stop(poll_task);
}
