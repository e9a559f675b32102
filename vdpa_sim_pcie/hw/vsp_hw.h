/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vsp_hw.ko exports to an in-kernel driver of the card.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A driver reaches the card through config space, BAR 4 (regs.h) and MSI-X.
 * Plain memory does not trap, so two writes come with a bell here; and the
 * card's IOTLB is programmed through these functions, as a real card's is
 * through its command interface.
 */
#ifndef VSP_HW_H
#define VSP_HW_H

#include <linux/types.h>

struct pci_dev;
struct vsp_fn;

/* Address spaces of a function, and groups of its queues: data, control. */
#define VSP_NR_ASIDS	2
#define VSP_NR_GROUPS	2
#define VSP_GROUP_DATA	0
#define VSP_GROUP_CTRL	1

/* Ranges that a driver maps lie in [0, VSP_IOVA_LAST]; a window is as large. */
#define VSP_IOVA_LAST	((1ULL << 40) - 1)
/* As many ranges an address space can have. */
#define VSP_MAX_RANGES	(1U << 18)

#define VSP_PERM_R	(1U << 0)	/* the device may read */
#define VSP_PERM_W	(1U << 1)	/* the device may write */

/* No handle of the card's IOTLB is ever 0 or ~0. */
#define VSP_IOVA_ERROR	(~0ULL)

/* A mapping may be this long, whatever its offset in a page. */
#define VSP_IOTLB_MAX_LEN	(1024 * 1024 - 4096)
#define VSP_IOTLB_RING_MAX_LEN	(1024 * 1024)

/**
 * vsp_hw_fn() - the card's function behind a PCI device
 * @pdev: device that the caller has bound
 *
 * Return: the function, valid until the driver's remove() returns, or NULL
 * when @pdev is not a function of our card.
 */
struct vsp_fn *vsp_hw_fn(struct pci_dev *pdev);

/**
 * vsp_hw_mailbox_ring() - have the device look at its mailbox now
 * @fn: function whose VSP_CSR2_READY the caller has set
 *
 * Process context; may sleep: reset and queue disable wait for the backend,
 * not longer than its time limit. On return the reply is in the mailbox.
 */
void vsp_hw_mailbox_ring(struct vsp_fn *fn);

/**
 * vsp_hw_doorbell_ring() - have the device look at a doorbell now
 * @fn: function
 * @vq: queue whose doorbell the caller has written
 *
 * Any context. An index that the function does not have is ignored.
 */
void vsp_hw_doorbell_ring(struct vsp_fn *fn, unsigned int vq);

/**
 * vsp_hw_iotlb_map() - make memory reachable for the device
 * @fn:   function
 * @phys: first byte
 * @len:  bytes, 1 to VSP_IOTLB_MAX_LEN, physically contiguous
 * @perm: VSP_PERM_R, VSP_PERM_W or both
 *
 * Any context. The memory stays the caller's; it must outlive the mapping.
 *
 * Return: the IOVA of the first byte, with the page offset of @phys, or
 * VSP_IOVA_ERROR: bad length, or no room and no memory for more.
 */
u64 vsp_hw_iotlb_map(struct vsp_fn *fn, phys_addr_t phys, size_t len, u32 perm);

/**
 * vsp_hw_iotlb_unmap() - take memory back
 * @fn:   function
 * @iova: result of vsp_hw_iotlb_map()
 *
 * Any context. On return the device neither reads nor writes the memory and
 * will not again. An IOVA that is not mapped is counted as a DMA fault.
 */
void vsp_hw_iotlb_unmap(struct vsp_fn *fn, u64 iova);

/**
 * vsp_hw_ring_alloc() - memory for a virtqueue's rings, mapped for the device
 * @fn:   function
 * @size: bytes, up to VSP_IOTLB_RING_MAX_LEN
 * @iova: out: the device's address of it
 * @gfp:  allocation flags
 *
 * Zeroed. A backend can have it in its address space: pages are given back to
 * the kernel when the last user has let go.
 *
 * Return: kernel address, or NULL.
 */
void *vsp_hw_ring_alloc(struct vsp_fn *fn, size_t size, u64 *iova, gfp_t gfp);

/**
 * vsp_hw_ring_free() - undo vsp_hw_ring_alloc()
 * @fn:   function
 * @iova: the device's address of the ring memory
 *
 * Any context in which memory can be freed. The IOVA faults from now on.
 */
void vsp_hw_ring_free(struct vsp_fn *fn, u64 iova);

/**
 * vsp_hw_range_map() - make memory reachable for as long as its owner likes
 * @fn:   function
 * @asid: address space, below VSP_NR_ASIDS
 * @iova: the device's address of the first byte
 * @size: bytes; @iova, @size and @phys are multiples of the page size
 * @phys: first byte of memory that is physically contiguous
 * @perm: VSP_PERM_R, VSP_PERM_W or both
 *
 * Process context; the caller may hold a mmap_lock. The caller has the pages
 * pinned; the function takes references of its own, so that the caller may unpin
 * them before it unmaps. Ranges survive a reset of the device.
 *
 * Return: 0; -EINVAL: no such address space, no size, not aligned, no permission,
 * or no memory that has a page; -ERANGE: beyond VSP_IOVA_LAST; -EEXIST: a byte of it
 * is mapped; -ENOSPC: VSP_MAX_RANGES are; -ENOMEM. Nothing has changed then.
 */
int vsp_hw_range_map(struct vsp_fn *fn, u32 asid, u64 iova, u64 size, phys_addr_t phys,
		     u32 perm);

/**
 * vsp_hw_range_unmap() - take memory back
 * @fn:   function
 * @asid: address space
 * @iova: first byte
 * @size: bytes
 *
 * Process context, as above. Every range that has a byte in there goes, whole. On
 * return neither the device nor its backend can reach the memory, and the
 * references of the function are gone; but the rings of a queue keep theirs until
 * the queue is disabled.
 *
 * Return: 0; -ENOENT: nothing was mapped there; -EINVAL: no such address space or
 * no such range of numbers
 */
int vsp_hw_range_unmap(struct vsp_fn *fn, u32 asid, u64 iova, u64 size);

/* All of an address space; none is also fine. */
void vsp_hw_range_clear(struct vsp_fn *fn, u32 asid);

/**
 * vsp_hw_set_group_asid() - choose the address space of a group of queues
 * @fn:    function
 * @group: VSP_GROUP_DATA or VSP_GROUP_CTRL
 * @asid:  below VSP_NR_ASIDS; a reset of the device makes it 0
 *
 * Process context. Return: 0; -EINVAL: no such group or address space; -EBUSY: a
 * queue of the group is enabled
 */
int vsp_hw_set_group_asid(struct vsp_fn *fn, u32 group, u32 asid);

/**
 * vsp_hw_dma_has_user() - does somebody else decide what the function can reach?
 * @fn: function, with platform translation
 *
 * Any context. A bus driver such as vhost_vdpa puts the PCI device into an IOMMU
 * domain of its own, and may keep that for longer than the device is there.
 *
 * Return: true while a domain that is not the kernel's own, and that the function
 * was attached to at any time, has not been freed yet.
 */
bool vsp_hw_dma_has_user(struct vsp_fn *fn);

#endif /* VSP_HW_H */
