// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root port at work: its interrupt, and the slot with the card in it.
 *
 * The card answers while it is in the slot, the slot has power and the link is
 * not disabled. What software writes takes effect in a work item, as on real
 * slots some time later; until it has come up a card is not there at all.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/pci.h>

#include "pci.h"

/* ---- the interrupt: hot-plug, error reporting and PME share one message ---- */

void vsp_port_update(struct vsp_card *card)
{
	u32 irqs = vsp_cfg_port_interrupts(card->port.cfg);
	u32 rose = irqs & ~card->port_irqs;

	lockdep_assert_held(&card->cfg_lock);
	card->port_irqs = irqs;
	if (rose)
		vsp_msix_raise(&card->port, 0);
}

/* ---- the card comes up and goes down; slot_lock held ---- */

/* As a master abort does: every byte of a BAR that is not there reads ff. */
static void slot_fill_bars(struct vsp_card *card, u8 byte)
{
	unsigned int i;

	for (i = 0; i < card->nr_fns; i++) {
		struct vsp_pci_fn *fn = card->fn[i];

		/* What the kernel has not found nobody has mapped. */
		if (byte ? !READ_ONCE(fn->plugged) : !fn->is_blank)
			continue;
		memset_io(fn->bar4, byte, VSP_BAR_SIZE);
		fn->is_blank = byte;
	}
}

static void slot_take_down(struct vsp_card *card)
{
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&card->cfg_lock, flags);
	card->is_up = false;
	for (i = 0; i < card->nr_fns; i++) {
		struct vsp_pci_fn *fn = card->fn[i];

		if (!fn->present)
			continue;
		WRITE_ONCE(fn->present, false);
		vsp_bridge_reset_fn(fn);
	}
	raw_spin_unlock_irqrestore(&card->cfg_lock, flags);

	/* Whoever writes registers has ended, or sees that the function is gone. */
	for (i = 0; i < card->nr_fns; i++)
		flush_work(&card->fn[i]->flr_work);
	slot_fill_bars(card, 0xff);
}

static void slot_bring_up(struct vsp_card *card)
{
	unsigned long flags;
	unsigned int i;

	slot_fill_bars(card, 0);
	raw_spin_lock_irqsave(&card->cfg_lock, flags);
	for (i = 0; i < card->nr_fns; i++) {
		struct vsp_pci_fn *fn = card->fn[i];

		/* A VF is reset when it comes. */
		if (fn->kind != VSP_PCI_PF)
			continue;
		vsp_cfg_power_on(fn->cfg);
		WRITE_ONCE(fn->present, true);
		vsp_bridge_reset_fn(fn);
	}
	card->is_up = true;
	raw_spin_unlock_irqrestore(&card->cfg_lock, flags);
}

static bool slot_wants_up(struct vsp_card *card)
{
	guard(raw_spinlock_irqsave)(&card->cfg_lock);
	return card->is_occupied && vsp_cfg_slot_is_on(card->port.cfg);
}

static void slot_update(struct vsp_card *card)
{
	bool up = slot_wants_up(card);

	lockdep_assert_held(&card->slot_lock);
	if (up && !card->is_up)
		slot_bring_up(card);
	else if (!up && card->is_up)
		slot_take_down(card);

	guard(raw_spinlock_irqsave)(&card->cfg_lock);
	vsp_cfg_set_slot(card->port.cfg, card->is_occupied, card->is_up);
	vsp_port_update(card);
}

static void slot_work(struct work_struct *work)
{
	struct vsp_card *card = container_of(work, struct vsp_card, slot_work);

	guard(mutex)(&card->slot_lock);
	slot_update(card);
}

void vsp_port_written(struct vsp_card *card)
{
	lockdep_assert_held(&card->cfg_lock);
	vsp_msix_update(&card->port);
	vsp_port_update(card);
	if ((card->is_occupied && vsp_cfg_slot_is_on(card->port.cfg)) != card->is_up)
		queue_work(card->wq, &card->slot_work);
}

/* ---- what a hand does ---- */

static bool slot_has_plugged(struct vsp_card *card)
{
	unsigned int i;

	for (i = 0; i < card->nr_fns; i++)
		if (READ_ONCE(card->fn[i]->pdev))
			return true;
	return false;
}

int vsp_slot_unplug(struct vsp_card *card)
{
	guard(mutex)(&card->slot_lock);
	if (!card->is_occupied)
		return -ENODEV;
	WRITE_ONCE(card->is_occupied, false);
	slot_update(card);
	return 0;
}

int vsp_slot_plug(struct vsp_card *card)
{
	guard(mutex)(&card->slot_lock);
	if (card->is_occupied)
		return -EEXIST;
	if (slot_has_plugged(card))
		return -EBUSY;
	WRITE_ONCE(card->is_occupied, true);
	slot_update(card);
	return 0;
}

bool vsp_slot_is_occupied(const struct vsp_card *card)
{
	return READ_ONCE(card->is_occupied);
}

void vsp_slot_init(struct vsp_card *card)
{
	mutex_init(&card->slot_lock);
	INIT_WORK(&card->slot_work, slot_work);
	card->is_occupied = true;
	card->is_up = true;
}
