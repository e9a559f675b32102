// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of the card. Its functions hang below an MSI parent domain of our
 * own, so the PCI core programs the MSI-X table in BAR 4 as for any card, and
 * burns no vector of a CPU. A raised vector travels so:
 *
 *   vsp_msix_raise() -> cross call to the vector's CPU -> irq_work -> handler
 *
 * The irq_work makes it a true hard interrupt wherever the cross call was run.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "pci.h"
#include "trace.h"

/* Hardware interrupt number in our domain: 32 for each function, the port last. */
#define MSIX_HWIRQS_PER_FN	32
#define MSIX_HWIRQS		(MSIX_HWIRQS_PER_FN * (VSP_MAX_FNS + 1))

static_assert(VSP_MSIX_MAX_VECTORS <= MSIX_HWIRQS_PER_FN);

/* ---- delivery ---- */

static void __iomem *msix_entry(const struct vsp_msix_vec *vec)
{
	return vec->fn->bar4 + VSP_BAR_MSIX_TABLE + vec->nr * PCI_MSIX_ENTRY_SIZE;
}

static bool msix_is_entry_masked(const struct vsp_msix_vec *vec)
{
	return readl(msix_entry(vec) + PCI_MSIX_ENTRY_VECTOR_CTRL) &
	       PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

static bool msix_is_masked(const struct vsp_msix_vec *vec)
{
	return READ_ONCE(vec->fn->msix.function_mask) || msix_is_entry_masked(vec);
}

static void msix_cross_call(void *data)
{
	struct vsp_msix_vec *vec = data;

	irq_work_queue(&vec->work);
}

static void msix_handle(struct irq_work *work)
{
	struct vsp_msix_vec *vec = container_of(work, struct vsp_msix_vec, work);
	unsigned int virq;

	/*
	 * (A) First let a new message be sent, then call the handler: what is
	 * raised from here on may not be seen by it. Pairs with (B).
	 */
	atomic_set_release(&vec->in_flight, 0);
	smp_mb();
	virq = READ_ONCE(vec->virq);
	if (virq)
		generic_handle_irq(virq);
}

/* False if a message is on its way already. */
static bool msix_dispatch(struct vsp_msix_vec *vec)
{
	/* (B) Full barrier: the cause is visible before the message is. */
	if (atomic_xchg(&vec->in_flight, 1))
		return false;
	/* Refused if the CPU has just gone offline; then any will do. */
	if (smp_call_function_single_async(READ_ONCE(vec->cpu), &vec->csd))
		irq_work_queue(&vec->work);
	return true;
}

static bool msix_drop(struct vsp_msix_vec *vec)
{
	atomic64_inc(&vec->dropped);
	trace_vsp_msix(vec->fn, vec->nr, VSP_TRACE_MSIX_DROPPED);
	return false;
}

static bool msix_send(struct vsp_msix_vec *vec)
{
	if (!READ_ONCE(vec->virq))
		return msix_drop(vec);
	if (msix_dispatch(vec)) {
		atomic64_inc(&vec->sent);
		trace_vsp_msix(vec->fn, vec->nr, VSP_TRACE_MSIX_SENT);
	} else {
		atomic64_inc(&vec->coalesced);
		trace_vsp_msix(vec->fn, vec->nr, VSP_TRACE_MSIX_COALESCED);
	}
	return true;
}

static void msix_publish_pending(struct vsp_pci_fn *fn, u32 pending)
{
	lockdep_assert_held(&fn->msix.lock);
	WRITE_ONCE(fn->msix.pending, pending);
	writel(pending, fn->bar4 + VSP_BAR_MSIX_PBA);
}

/* Send what is pending and no longer masked. Return: there was such a vector. */
static bool msix_flush_locked(struct vsp_pci_fn *fn)
{
	struct vsp_msix *m = &fn->msix;
	unsigned long todo = m->pending;
	u32 left = m->pending;
	unsigned int nr;

	lockdep_assert_held(&m->lock);
	if (!todo || !m->enabled || m->function_mask)
		return false;
	for_each_set_bit(nr, &todo, m->nr_vectors)
		if (!msix_is_entry_masked(&m->vec[nr]))
			left &= ~BIT(nr);
	todo &= ~left;
	if (!todo)
		return false;
	msix_publish_pending(fn, left);
	for_each_set_bit(nr, &todo, m->nr_vectors)
		msix_send(&m->vec[nr]);
	return true;
}

static bool msix_latch(struct vsp_msix_vec *vec)
{
	struct vsp_pci_fn *fn = vec->fn;
	unsigned long flags;

	atomic64_inc(&vec->masked);
	trace_vsp_msix(fn, vec->nr, VSP_TRACE_MSIX_PENDING);
	raw_spin_lock_irqsave(&fn->msix.lock, flags);
	WRITE_ONCE(fn->msix.pending, fn->msix.pending | BIT(vec->nr));
	/* (C) Pending is set before the mask is read again. Pairs with (D). */
	mb();
	/* A driver that has just unmasked it does not find a bit in the PBA for a moment. */
	if (!msix_flush_locked(fn))
		msix_publish_pending(fn, fn->msix.pending);
	raw_spin_unlock_irqrestore(&fn->msix.lock, flags);
	return true;
}

bool vsp_msix_raise(struct vsp_pci_fn *fn, unsigned int vector)
{
	struct vsp_msix_vec *vec;

	if (vector >= fn->msix.nr_vectors)
		return false;
	vec = &fn->msix.vec[array_index_nospec(vector, fn->msix.nr_vectors)];
	if (!READ_ONCE(fn->msix.enabled))
		return msix_drop(vec);
	if (fn->kind == VSP_PCI_ROOT_PORT)
		return msix_send(vec);
	return msix_is_masked(vec) ? msix_latch(vec) : msix_send(vec);
}

bool vsp_msix_poll(struct vsp_pci_fn *fn)
{
	unsigned long flags;
	bool sent;

	if (!READ_ONCE(fn->msix.pending))
		return false;
	raw_spin_lock_irqsave(&fn->msix.lock, flags);
	sent = msix_flush_locked(fn);
	raw_spin_unlock_irqrestore(&fn->msix.lock, flags);
	return sent;
}

void vsp_msix_update(struct vsp_pci_fn *fn)
{
	struct vsp_msix *m = &fn->msix;
	unsigned long flags;

	lockdep_assert_held(&fn->card->cfg_lock);
	/* Its one vector is MSI and cannot be masked; root_port.c knows when it is on. */
	if (fn->kind == VSP_PCI_ROOT_PORT) {
		WRITE_ONCE(m->enabled, true);
		return;
	}
	raw_spin_lock_irqsave(&m->lock, flags);
	WRITE_ONCE(m->enabled, vsp_cfg_is_msix_enabled(fn->cfg) &&
			       vsp_cfg_is_bus_master(fn->cfg));
	/* In D3hot a function sends no message; what it would send waits. */
	WRITE_ONCE(m->function_mask, vsp_cfg_is_msix_masked(fn->cfg) || fn->power_state);
	/* Or the next driver would start with the last one's interrupts. */
	if (m->pending && !vsp_cfg_is_msix_enabled(fn->cfg))
		msix_publish_pending(fn, 0);
	mb();		/* (D), for the function mask */
	msix_flush_locked(fn);
	raw_spin_unlock_irqrestore(&m->lock, flags);
}

void vsp_msix_reset(struct vsp_pci_fn *fn)
{
	struct vsp_msix *m = &fn->msix;
	unsigned long flags;
	unsigned int nr;

	if (fn->kind == VSP_PCI_ROOT_PORT)
		return;
	raw_spin_lock_irqsave(&m->lock, flags);
	WRITE_ONCE(m->enabled, false);
	WRITE_ONCE(m->function_mask, false);
	for (nr = 0; nr < m->nr_vectors; nr++) {
		void __iomem *entry = msix_entry(&m->vec[nr]);

		writel(0, entry + PCI_MSIX_ENTRY_LOWER_ADDR);
		writel(0, entry + PCI_MSIX_ENTRY_UPPER_ADDR);
		writel(0, entry + PCI_MSIX_ENTRY_DATA);
		writel(PCI_MSIX_ENTRY_CTRL_MASKBIT, entry + PCI_MSIX_ENTRY_VECTOR_CTRL);
	}
	msix_publish_pending(fn, 0);
	raw_spin_unlock_irqrestore(&m->lock, flags);
}

void vsp_msix_stats(const struct vsp_pci_fn *fn, unsigned int vector,
		    struct vsp_msix_stats *stats)
{
	const struct vsp_msix_vec *vec;

	memset(stats, 0, sizeof(*stats));
	if (vector >= fn->msix.nr_vectors)
		return;
	vec = &fn->msix.vec[array_index_nospec(vector, fn->msix.nr_vectors)];
	stats->sent = atomic64_read(&vec->sent);
	stats->coalesced = atomic64_read(&vec->coalesced);
	stats->masked = atomic64_read(&vec->masked);
	stats->dropped = atomic64_read(&vec->dropped);
	stats->pending = READ_ONCE(fn->msix.pending) & BIT(vec->nr);
}

int vsp_msix_init(struct vsp_pci_fn *fn, unsigned int nr_vectors)
{
	struct vsp_msix *m = &fn->msix;
	unsigned int nr;

	raw_spin_lock_init(&m->lock);
	m->vec = kcalloc(nr_vectors, sizeof(*m->vec), GFP_KERNEL);
	if (!m->vec)
		return -ENOMEM;
	m->nr_vectors = nr_vectors;
	for (nr = 0; nr < nr_vectors; nr++) {
		struct vsp_msix_vec *vec = &m->vec[nr];

		vec->fn = fn;
		vec->nr = nr;
		INIT_CSD(&vec->csd, msix_cross_call, vec);
		vec->work = IRQ_WORK_INIT_HARD(msix_handle);
	}
	vsp_msix_reset(fn);
	return 0;
}

/*
 * A vector's message may be anywhere between cross call and handler. Sleeping is
 * right here, as the other CPU may be a stopped virtual one.
 */
static void msix_vec_drain(struct vsp_msix_vec *vec)
{
	while (atomic_read(&vec->in_flight))
		usleep_range(10, 100);
	irq_work_sync(&vec->work);
}

void vsp_msix_fini(struct vsp_pci_fn *fn)
{
	unsigned int nr;

	for (nr = 0; nr < fn->msix.nr_vectors; nr++)
		msix_vec_drain(&fn->msix.vec[nr]);
	kfree(fn->msix.vec);
	fn->msix.vec = NULL;
	fn->msix.nr_vectors = 0;
}

/* ---- the parent domain ---- */

static int msix_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force)
{
	struct vsp_msix_vec *vec = irq_data_get_irq_chip_data(d);
	unsigned int cpu = READ_ONCE(vec->cpu);

	if (!cpumask_test_cpu(cpu, mask) || !cpu_online(cpu))
		cpu = cpumask_any_and_distribute(mask, cpu_online_mask);
	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	WRITE_ONCE(vec->cpu, cpu);
	irq_data_update_effective_affinity(d, cpumask_of(cpu));
	return IRQ_SET_MASK_OK;
}

/* What a local APIC would want to see. Nobody decodes it: raising reads vec->cpu. */
static void msix_compose_msg(struct irq_data *d, struct msi_msg *msg)
{
	struct vsp_msix_vec *vec = irq_data_get_irq_chip_data(d);

	msg->address_hi = 0;
	msg->address_lo = 0xfee00000 | (READ_ONCE(vec->cpu) & 0xff) << 12;
	msg->data = d->hwirq;
}

/*
 * An interrupt that came while disabled is sent again when enabled. Without this
 * the kernel would call the handler from a tasklet.
 */
static int msix_retrigger(struct irq_data *d)
{
	msix_dispatch(irq_data_get_irq_chip_data(d));
	return 1;
}

static struct irq_chip msix_parent_chip = {
	.name			= "VSP-MSI",
	.irq_retrigger		= msix_retrigger,
	.irq_set_affinity	= msix_set_affinity,
	.irq_compose_msi_msg	= msix_compose_msg,
};

static int msix_domain_alloc(struct irq_domain *d, unsigned int virq,
			     unsigned int nr_irqs, void *arg)
{
	struct vsp_card *card = d->host_data;
	msi_alloc_info_t *info = arg;
	struct vsp_msix_vec *vec;
	struct vsp_pci_fn *fn;
	unsigned int nr, row;

	fn = vsp_bridge_find(card, to_pci_dev(msi_desc_to_dev(info->desc)));
	nr = info->desc->msi_index;
	if (!fn || nr_irqs != 1 || nr >= fn->msix.nr_vectors)
		return -EINVAL;
	vec = &fn->msix.vec[nr];
	row = fn->kind == VSP_PCI_ROOT_PORT ? VSP_MAX_FNS : fn->index;
	irq_domain_set_hwirq_and_chip(d, virq, row * MSIX_HWIRQS_PER_FN + nr,
				      &msix_parent_chip, vec);
	vsp_irq_set_move_immediate(virq);
	/* It remembers its last choice per CPU. */
	scoped_guard(preempt)
		WRITE_ONCE(vec->cpu, cpumask_any_and_distribute(cpu_online_mask,
								cpu_online_mask));
	WRITE_ONCE(vec->virq, virq);
	return 0;
}

static void msix_domain_free(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	struct irq_data *data = irq_domain_get_irq_data(d, virq);
	struct vsp_msix_vec *vec = irq_data_get_irq_chip_data(data);

	/*
	 * A message sent after the drain finds no interrupt: the store comes
	 * before in_flight is read, and msix_handle() reads after it was set.
	 */
	WRITE_ONCE(vec->virq, 0);
	smp_mb();
	msix_vec_drain(vec);
	irq_domain_reset_irq_data(data);
}

static const struct irq_domain_ops msix_domain_ops = {
	.alloc	= msix_domain_alloc,
	.free	= msix_domain_free,
};

/* ---- the domain of each function, made by the PCI core ---- */

/* handle_edge_irq() calls it unchecked; an edge needs no answer. */
static void msix_ack(struct irq_data *d)
{
}

static struct vsp_msix_vec *msix_vec_of(struct irq_data *d)
{
	return irq_data_get_irq_chip_data(d->parent_data);
}

/* The descriptor's lock is held: what is pending is sent, not handled here. */
static void msix_unmask(struct irq_data *d)
{
	struct vsp_pci_fn *fn = msix_vec_of(d)->fn;

	fn->card->msix_unmask(d);
	/* (D) The mask bit is clear before pending is read. Pairs with (C). */
	mb();
	vsp_msix_poll(fn);
}

static unsigned int msix_startup(struct irq_data *d)
{
	struct vsp_pci_fn *fn = msix_vec_of(d)->fn;
	unsigned int ret = fn->card->msix_startup(d);

	mb();		/* (D), as above */
	vsp_msix_poll(fn);
	return ret;
}

static bool msix_init_dev_info(struct device *dev, struct irq_domain *domain,
			       struct irq_domain *real_parent, struct msi_domain_info *info)
{
	const struct msi_parent_ops *ops = real_parent->msi_parent_ops;
	struct vsp_card *card = real_parent->host_data;

	info->flags &= ops->supported_flags;
	info->flags |= ops->required_flags;
	info->handler = handle_edge_irq;
	info->handler_name = "edge";
	info->chip->irq_ack = msix_ack;
	if (info->bus_token != DOMAIN_BUS_PCI_DEVICE_MSIX)
		return true;

	/* The chip is this device's own copy, the callbacks are the same in all. */
	card->msix_unmask = info->chip->irq_unmask;
	info->chip->irq_unmask = msix_unmask;
	if (info->chip->irq_startup) {
		card->msix_startup = info->chip->irq_startup;
		info->chip->irq_startup = msix_startup;
	}
	return true;
}

static const struct msi_parent_ops msix_parent_ops = {
	.supported_flags	= MSI_GENERIC_FLAGS_MASK | MSI_FLAG_PCI_MSIX |
				  MSI_FLAG_PCI_MSIX_ALLOC_DYN,
	.required_flags		= MSI_FLAG_USE_DEF_DOM_OPS | MSI_FLAG_USE_DEF_CHIP_OPS,
	.bus_select_token	= DOMAIN_BUS_NEXUS,
	.prefix			= "VSP-",
	.init_dev_msi_info	= msix_init_dev_info,
};

/**
 * vsp_msix_domain_create() - the parent of all interrupt domains of the card
 * @card: the card
 *
 * Process context. ISOLATED_MSI says that no function can raise another's
 * interrupt, which is true here and lets vfio work without unsafe interrupts.
 *
 * Return: 0 or -ENOMEM
 */
int vsp_msix_domain_create(struct vsp_card *card)
{
	struct irq_domain_info info = {
		.domain_flags	= IRQ_DOMAIN_FLAG_ISOLATED_MSI,
		.size		= MSIX_HWIRQS,
		.hwirq_max	= MSIX_HWIRQS,
		.ops		= &msix_domain_ops,
		.host_data	= card,
	};

	card->msi_fwnode = irq_domain_alloc_named_fwnode("vsp-msi");
	if (!card->msi_fwnode)
		return -ENOMEM;
	info.fwnode = card->msi_fwnode;
	card->msi_domain = msi_create_parent_irq_domain(&info, &msix_parent_ops);
	if (!card->msi_domain)
		goto err_free_fwnode;
	return 0;

err_free_fwnode:
	irq_domain_free_fwnode(card->msi_fwnode);
	return -ENOMEM;
}

/* Undoes it; the bus and with it all interrupts are gone. */
void vsp_msix_domain_destroy(struct vsp_card *card)
{
	irq_domain_remove(card->msi_domain);
	irq_domain_free_fwnode(card->msi_fwnode);
}
