// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of the files in debugfs: what tools/vsp and a person read.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/sizes.h>

#include "../iommu/vsp_iommu.h"
#include "debugfs.h"
#include "dma.h"
#include "session.h"

/* ---- state ---- */

static const char *kind_name(enum vsp_pci_kind kind)
{
	switch (kind) {
	case VSP_PCI_ROOT_PORT:
		return "port";
	case VSP_PCI_PF:
		return "pf";
	default:
		return "vf";
	}
}

static void show_pci(struct seq_file *s, const struct vsp_pci_fn *fn)
{
	seq_printf(s, "name: %s\n", vsp_pci_fn_name(fn));
	seq_printf(s, "kind: %s\n", kind_name(fn->kind));
	if (fn->kind == VSP_PCI_VF) {
		seq_printf(s, "pf: %s\n", vsp_pci_fn_name(fn->pf));
		seq_printf(s, "vf_index: %u\n", fn->vf_index);
	}
	seq_printf(s, "present: %u\n", READ_ONCE(fn->present));
	seq_printf(s, "in_reset: %u\n", READ_ONCE(fn->in_reset));
	seq_printf(s, "power: D%u\n", READ_ONCE(fn->power_state));
	seq_printf(s, "bus_master: %u\n", vsp_pci_fn_bus_master(fn));
	seq_printf(s, "msix_enabled: %u\n", READ_ONCE(fn->msix.enabled));
	seq_printf(s, "msix_masked: %u\n", READ_ONCE(fn->msix.function_mask));
	seq_printf(s, "nr_vectors: %u\n", fn->msix.nr_vectors);
}

static const char *translation_name(struct vsp_fn *fn)
{
	return READ_ONCE(fn->translation) == VSP_TRANSLATE_CARD ? "card" : "platform";
}

static void show_backend(struct seq_file *s, struct vsp_fn *fn)
{
	const struct vsp_session *session = fn->session;

	lockdep_assert_held(&fn->lock);
	if (!session) {
		seq_puts(s, "backend: none\n");
		return;
	}
	seq_printf(s, "backend: %s\n", session->attached ? "attached" : "open");
	seq_printf(s, "backend_pid: %d\n", pid_vnr(session->owner));
	/* A process is free to have a line feed in its name. */
	seq_printf(s, "backend_comm: %*pE\n", (int)strlen(session->comm), session->comm);
}

static void show_vq(struct seq_file *s, struct vsp_vq *vq)
{
	u16 avail, used;

	vsp_vq_indices(vq, &avail, &used);
	seq_printf(s, "vq%u.last_avail: %u\n", vq->index, avail);
	seq_printf(s, "vq%u.used_idx: %u\n", vq->index, used);
	seq_printf(s, "vq%u.stopping: %u\n", vq->index, vq->stopping);
}

static void show_virtio(struct seq_file *s, struct vsp_fn *fn)
{
	unsigned int q;

	guard(mutex)(&fn->lock);
	seq_printf(s, "status: %#x\n", fn->status);
	seq_printf(s, "device_features: %#llx\n", fn->device_features);
	seq_printf(s, "driver_features: %#llx\n", fn->driver_features);
	seq_printf(s, "translation: %s\n", translation_name(fn));
	seq_printf(s, "mac: %pM\n", fn->config.mac);
	seq_printf(s, "mtu: %u\n", le16_to_cpu((__force __le16)fn->config.mtu));
	seq_printf(s, "active_pairs: %u\n", fn->active_pairs);
	seq_printf(s, "resets: %u\n", fn->reset_count);
	seq_printf(s, "link: %s\n", fn->link_up ? "up" : "down");
	seq_printf(s, "link_mbps: %u\n", fn->link_speed);
	seq_printf(s, "nr_vqs: %u\n", fn->nr_vqs);
	seq_printf(s, "ctrl_vq: %u\n", fn->ctrl_index);
	show_backend(s, fn);
	for (q = 0; q < fn->nr_vqs; q++)
		show_vq(s, &fn->vq[q]);
}

int vsp_debug_show_state(struct seq_file *s, struct vsp_debug_open *open)
{
	show_pci(s, open->fn);
	if (open->fn->kind != VSP_PCI_ROOT_PORT)
		show_virtio(s, vsp_fn(open->fn));
	return 0;
}

int vsp_debug_show_slot(struct seq_file *s, struct vsp_debug_open *open)
{
	seq_printf(s, "%d\n", vsp_slot_is_occupied(open->fn->card));
	return 0;
}

int vsp_debug_show_link(struct seq_file *s, struct vsp_debug_open *open)
{
	struct vsp_fn *fn = vsp_fn(open->fn);

	guard(mutex)(&fn->lock);
	seq_printf(s, "%s %u\n", fn->link_up ? "up" : "down", fn->link_speed);
	return 0;
}

/* ---- interrupts ---- */

static void show_vector(struct seq_file *s, const struct vsp_pci_fn *fn, unsigned int nr)
{
	const struct vsp_msix_vec *vec = &fn->msix.vec[nr];
	unsigned int virq = READ_ONCE(vec->virq);
	struct vsp_msix_stats st;

	vsp_msix_stats(fn, nr, &st);
	seq_printf(s, "%u %u %d %llu %llu %llu %u %llu\n", nr, virq,
		   virq ? (int)READ_ONCE(vec->cpu) : -1, st.sent, st.coalesced, st.masked,
		   !!(READ_ONCE(fn->msix.pending) & BIT(nr)), st.dropped);
}

int vsp_debug_show_msix(struct seq_file *s, struct vsp_debug_open *open)
{
	unsigned int nr;

	for (nr = 0; nr < open->fn->msix.nr_vectors; nr++)
		show_vector(s, open->fn, nr);
	return 0;
}

/* ---- translation ---- */

static void show_walk(struct seq_file *s, const struct vsp_iotlb_walk *w)
{
	seq_printf(s, "mapped: %#llx-%#llx\n", w->first, w->last);
	seq_printf(s, "permission: %s%s\n", w->perm & VSP_PERM_R ? "r" : "",
		   w->perm & VSP_PERM_W ? "w" : "");
	seq_printf(s, "physical: %#llx\n", (u64)w->phys);
}

static void show_card_walk(struct seq_file *s, struct vsp_fn *fn, u64 iova)
{
	struct vsp_iotlb_walk w = {};
	bool found = vsp_iotlb_walk(&fn->iotlb, iova, &w);

	if (w.kind == VSP_WALK_RANGE)
		seq_printf(s, "asid: %llu\n", w.nr);
	else if (w.kind == VSP_WALK_RING)
		seq_printf(s, "ring: %llu\n", w.nr);
	else
		seq_printf(s, "slot: %llu\n", w.nr);
	if (found)
		show_walk(s, &w);
	else
		seq_puts(s, "fault: not mapped\n");
}

/* Tables by their physical address: where the kernel has them is its own. */
static void show_level(struct seq_file *s, const struct vsp_radix_walk *w, u64 iova,
		       unsigned int i)
{
	unsigned int level = VSP_RADIX_LEVELS - 1 - i;

	seq_printf(s, "level %u: index %llu, ", level, iova >> (12 + 9 * level) & 0x1ff);
	if (i + 1 < w->depth)
		seq_printf(s, "table at %#llx\n",
			   (u64)virt_to_phys((void *)(uintptr_t)w->entry[i]));
	else if (w->size)
		seq_printf(s, "leaf of %llu KiB, entry %#llx\n", w->size / SZ_1K, w->entry[i]);
	else
		seq_puts(s, "empty\n");
}

static void show_table(struct seq_file *s, const struct vsp_radix_walk *w, u64 iova)
{
	unsigned int i;

	for (i = 0; i < w->depth; i++)
		show_level(s, w, iova, i);
	if (!w->size) {
		seq_puts(s, "fault: not mapped\n");
		return;
	}
	seq_printf(s, "mapped: %#llx-%#llx\n", iova & ~(w->size - 1), iova | (w->size - 1));
	seq_printf(s, "permission: %s%s\n", w->perm & VSP_RADIX_READ ? "r" : "",
		   w->perm & VSP_RADIX_WRITE ? "w" : "");
	seq_printf(s, "physical: %#llx\n", w->phys + (iova & (w->size - 1)));
}

static void show_platform_walk(struct seq_file *s, struct vsp_fn *fn, u64 iova)
{
	struct vsp_iommu_master *m = fn->pci.master;
	struct vsp_radix_walk w;

	switch (m ? vsp_iommu_inspect(m, iova, &w) : VSP_IOMMU_IDENTITY) {
	case VSP_IOMMU_PAGING:
		seq_puts(s, "domain: paging\n");
		show_table(s, &w, iova);
		break;
	case VSP_IOMMU_IDENTITY:
		seq_printf(s, "domain: %s\n", m ? "identity" : "no iommu");
		if (vsp_platform_is_memory(fn, iova))
			seq_printf(s, "physical: %#llx\n", iova);
		else
			seq_puts(s, "fault: no memory\n");
		break;
	default:
		seq_puts(s, "domain: none\nfault: not mapped\n");
	}
}

int vsp_debug_show_translate(struct seq_file *s, struct vsp_debug_open *open)
{
	struct vsp_fn *fn = vsp_fn(open->fn);

	seq_printf(s, "iova: %#llx\n", open->iova);
	seq_printf(s, "translation: %s\n", translation_name(fn));
	if (READ_ONCE(fn->translation) == VSP_TRANSLATE_CARD)
		show_card_walk(s, fn, open->iova);
	else
		show_platform_walk(s, fn, open->iova);
	return 0;
}

/* ---- windows ---- */

int vsp_debug_show_window(struct seq_file *s, struct vsp_debug_open *open)
{
	struct vsp_fn *fn = vsp_fn(open->fn);
	unsigned int i;

	for (i = 0; i < VSP_NR_ASIDS; i++) {
		struct vsp_as *as = &fn->iotlb.as[i];

		seq_printf(s, "as%u.ranges: %u\n", i, READ_ONCE(as->nr));
		seq_printf(s, "as%u.faults_4k: %lld\n", i, atomic64_read(&as->faults_4k));
		seq_printf(s, "as%u.faults_2m: %lld\n", i, atomic64_read(&as->faults_2m));
		seq_printf(s, "as%u.table_cuts: %u\n", i, READ_ONCE(as->table_cuts));
		seq_printf(s, "as%u.strays: %lld\n", i, atomic64_read(&as->strays));
	}
	seq_printf(s, "dma_faults: %lld\n", atomic64_read(&fn->dma_faults));
	for (i = 0; i < VSP_NR_GROUPS; i++)
		seq_printf(s, "group%u.asid: %u\n", i, READ_ONCE(fn->group_asid[i]));
	return 0;
}

/* ---- the backend's page table ---- */

/* mmap_lock held. Only mappings of this function's own character device. */
static void show_pte(struct seq_file *s, struct mm_struct *mm, dev_t devt, u64 addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	struct follow_pfnmap_args args = { .vma = vma, .address = addr };

	if (!vma || vma->vm_start > addr || !vma->vm_file ||
	    file_inode(vma->vm_file)->i_rdev != devt) {
		seq_puts(s, "pte: not of this device\n");
	} else if (follow_pfnmap_start(&args)) {
		seq_puts(s, "pte: not present\n");
	} else {
		seq_printf(s, "pte: %#llx %s\n", (u64)PFN_PHYS(args.pfn),
			   args.writable ? "rw" : "r");
		follow_pfnmap_end(&args);
	}
}

int vsp_debug_show_pte(struct seq_file *s, struct vsp_debug_open *open)
{
	struct vsp_fn *fn = vsp_fn(open->fn);
	struct task_struct *task = NULL;
	struct mm_struct *mm;

	/* Not across mmap_lock, which page faults hold when they take locks of ours. */
	scoped_guard(mutex, &fn->lock)
		if (fn->session)
			task = get_pid_task(fn->session->owner, PIDTYPE_TGID);
	if (!task)
		return -ESRCH;
	mm = get_task_mm(task);
	put_task_struct(task);
	if (!mm)
		return -ESRCH;
	mmap_read_lock(mm);
	show_pte(s, mm, fn->chrdev->devt, open->iova);
	mmap_read_unlock(mm);
	mmput(mm);
	return 0;
}
