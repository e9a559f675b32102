// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X of a function as a driver in user space sees it: masks, pending bits and
 * statistics, by the raw table in BAR 4. Run by 65-msix.t.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/pci_regs.h>

#include "lib/vfio_fn.h"

static uint64_t vector_stat(struct vfio_fn *fn, unsigned int v, uint32_t stat)
{
	return fn_stat(fn, VSP_STAT_VECTOR(v) + stat);
}

static uint32_t entry_ctrl(unsigned int v)
{
	return VSP_BAR_MSIX_TABLE + v * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL;
}

/* Each command raises the mailbox's vector; this many eventfd signals arrive. */
static uint64_t commands(struct vfio_fn *fn, unsigned int n)
{
	fn_irq_wait(fn, VSP_VECTOR_MAILBOX, 0);
	while (n--)
		fn_mbox_set(fn, VSP_MBOX_RESUME, 0);
	return fn_irq_wait(fn, VSP_VECTOR_MAILBOX, 0);
}

static void function_mask(struct vfio_fn *fn, const char *value)
{
	char cmd[96];

	/* vfio keeps the capability's control word to itself. */
	snprintf(cmd, sizeof(cmd), "setpci -s %s CAP_MSIX+2.w=%s:4000", fn->name, value);
	ok(!system(cmd), value[0] == '4' ? "the function mask is set" : "and cleared");
}

static void test_entry_mask(struct vfio_fn *fn)
{
	const unsigned int v = VSP_VECTOR_MAILBOX;
	uint64_t masked = vector_stat(fn, v, VSP_STAT_VECTOR_MASKED), sent;

	ok(!(fn_read32(fn, entry_ctrl(v)) & 1) && fn_read32(fn, VSP_BAR_MSIX_TABLE) >> 20 == 0xfee,
	   "the table shows the message and no mask");
	fn_write32(fn, entry_ctrl(v), 1);
	fn_mbox_set(fn, VSP_MBOX_RESUME, 0);
	fn_irq_wait(fn, v, 0);
	ok(commands(fn, 5) == 0, "a vector masked in the table does not fire");
	ok(fn_read32(fn, VSP_BAR_MSIX_PBA) & 1 << v, "its pending bit is set");
	ok(vector_stat(fn, v, VSP_STAT_VECTOR_MASKED) >= masked + 5 &&
	   vector_stat(fn, v, VSP_STAT_VECTOR_PENDING) == 1, "the statistics say so");
	sent = vector_stat(fn, v, VSP_STAT_VECTOR_SENT);
	fn_write32(fn, entry_ctrl(v), 0);
	ok(fn_irq_wait(fn, v, PATIENCE_MS) == 1, "unmasked by hand it fires once");
	ok(!(fn_read32(fn, VSP_BAR_MSIX_PBA) & 1 << v), "and is not pending any more");
	ok(vector_stat(fn, v, VSP_STAT_VECTOR_SENT) > sent, "that is counted, too");
}

static void test_function_mask(struct vfio_fn *fn)
{
	const unsigned int v = VSP_VECTOR_MAILBOX;

	function_mask(fn, "4000");
	fn_irq_wait(fn, v, 0);
	ok(commands(fn, 5) == 0 && fn_read32(fn, VSP_BAR_MSIX_PBA) & 1 << v,
	   "under it every vector is pending");
	function_mask(fn, "0000");
	ok(fn_irq_wait(fn, v, PATIENCE_MS) == 1, "then it fires once");
	ok(!(fn_read32(fn, VSP_BAR_MSIX_PBA) & 1 << v), "and is not pending any more");
}

static void test_disabled(struct vfio_fn *fn)
{
	const unsigned int v = VSP_VECTOR_MAILBOX;
	uint64_t dropped = vector_stat(fn, v, VSP_STAT_VECTOR_DROPPED);
	uint32_t cmd = fn_config_read(fn, PCI_COMMAND, 2);

	fn_irq_wait(fn, v, 100);
	fn_config_write(fn, PCI_COMMAND, cmd & ~PCI_COMMAND_MASTER, 2);
	ok(commands(fn, 5) == 0, "without bus mastering there is no interrupt");
	fn_config_write(fn, PCI_COMMAND, cmd, 2);
	ok(vector_stat(fn, v, VSP_STAT_VECTOR_DROPPED) >= dropped + 5, "they are dropped");
	fn_mbox_set(fn, VSP_MBOX_RESUME, 0);
	ok(fn_irq_wait(fn, v, PATIENCE_MS) > 0, "with it they come again");
	gives(fn_irqs_off(fn), 0, "MSI-X is disabled");
	dropped = vector_stat(fn, v, VSP_STAT_VECTOR_DROPPED);
	ok(commands(fn, 5) == 0 &&
	   vector_stat(fn, v, VSP_STAT_VECTOR_DROPPED) >= dropped + 5, "that drops them, too");
	gives(fn_irqs_on(fn), 0, "enabled");
	fn_mbox_set(fn, VSP_MBOX_RESUME, 0);
	ok(fn_irq_wait(fn, v, PATIENCE_MS) > 0, "they come again");
}

static void run_msix(struct vfio_fn *fn)
{
	if (!gives(fn_irqs_on(fn), 0, "MSI-X vectors as eventfds"))
		return;
	fn_mbox_set(fn, VSP_MBOX_RESUME, 0);
	ok(fn_irq_wait(fn, VSP_VECTOR_MAILBOX, PATIENCE_MS) > 0, "the mailbox's vector fires");
	test_entry_mask(fn);
	test_function_mask(fn);
	test_disabled(fn);
}

int main(int argc, char **argv)
{
	struct vfio_fn fn;

	if (argc != 2) {
		fprintf(stderr, "usage: vfio_msix FUNCTION\n");
		return 2;
	}
	if (!ok(!fn_open(&fn, argv[1]), "the function opens: group, container, BAR 4"))
		return done();
	run_msix(&fn);
	fn_close(&fn);
	return done();
}
