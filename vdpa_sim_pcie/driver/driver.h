/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's structures, and what its files offer each other.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A struct vsp_nic is a PCI function this driver has bound, PF and VF alike. It
 * has at most one struct vsp_vdpa, the vDPA device that a user added to it.
 *
 * Order of locks, outermost first; the first two are the vDPA core's:
 *
 *   vdpa_dev_lock    one management command at a time
 *   vdev->cf_lock    status, features, configuration: set_status, reset
 *   vsp_nics_lock    the list of bound functions (recover.c)
 *   nic->lock        one mailbox command at a time, whether the card listens, and
 *                    what it has been told (nic->vdpa, struct vsp_vdpa)
 *   irq->lock        the callback of one vector; interrupt context takes it
 *
 * The bus drivers (virtio_vdpa, vhost_vdpa) call the operations of one queue one
 * at a time, except kick_vq.
 *
 * What the card is told is kept here too, in struct vsp_vdpa. While a function is
 * in reset it is only kept, and told when the function is back (recover.c).
 */
#ifndef VSP_DRIVER_H
#define VSP_DRIVER_H

#include <linux/cpumask.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/vdpa.h>
#include <linux/virtio_net.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../hw/regs.h"
#include "../hw/vsp_hw.h"

/* As many as there are doorbell pages. */
#define VSP_DRV_MAX_VQS ((VSP_BAR_MAILBOX - VSP_BAR_DOORBELL(0)) / 0x1000)

/* What a user may set when adding a device. */
struct vsp_provision {
	u64 features;
	u16 mtu;
	u16 pairs;
	u8 mac[ETH_ALEN];
};

/* Why a function cannot be reached now; it comes back when the last one ends. */
enum vsp_away {
	VSP_AWAY_RESET	= 1U << 0,	/* a reset of this function by the kernel */
	VSP_AWAY_PF	= 1U << 1,	/* a reset of its PF, which takes it along */
	VSP_AWAY_AER	= 1U << 2,	/* recovery from a PCIe error */
	VSP_AWAY_PM	= 1U << 3,	/* the system sleeps */
};

struct vsp_nic {
	struct kref ref;		/* the PCI driver; a vDPA device left behind */
	struct list_head node;		/* vsp_nics_lock */
	struct pci_dev *pdev;
	struct vsp_fn *fn;
	void __iomem *bar;
	struct pci_saved_state *saved;	/* configuration space, for after a bus reset */

	struct mutex lock;		/* mailbox; to the end of this paragraph */
	u32 away;			/* enum vsp_away */
	bool failed;			/* does not answer, or was not to be restored */
	bool gone;			/* unbound: never to be reached again */
	bool listening;			/* none of these; a kick reads it without lock */
	wait_queue_head_t wait;		/* for @away to become 0 */
	struct delayed_work watch;	/* an error recovery that never ends */

	u64 features;			/* what the card offers */
	u32 nr_vqs;
	u32 total_vfs;
	u16 max_pairs;
	u16 max_vq_size;
	u32 config_size;
	struct vsp_provision factory;	/* the card's own MAC and limits */
	struct vsp_provision prov;	/* in force; nic->lock */

	enum vsp_translation translation;	/* nic->lock */

	struct vdpa_mgmt_dev mgmt;
	bool removing;			/* vdpa_dev_lock: devices with a user stay */
	struct vsp_vdpa *vdpa;		/* vdpa_dev_lock and nic->lock: either to read */
};

/*
 * One MSI-X vector. The callback may be replaced while interrupts arrive; it
 * runs with no lock held, and only while @live.
 */
struct vsp_irq {
	spinlock_t lock;		/* cb, live */
	struct vdpa_callback cb;
	bool live;
	bool requested;
	unsigned int virq;
	bool has_affinity;
	struct cpumask affinity;
	char name[40];			/* as in /proc/interrupts */
};

/* As the virtio driver has set it up. */
struct vsp_vdpa_vq {
	bool ready;
	bool has_state;			/* else the card goes on at the used index */
	u16 state;
	u32 size;			/* 0: not set */
	u64 desc;
	u64 driver;
	u64 device;
	struct vsp_irq irq;
};

struct vsp_vdpa {
	struct vdpa_device vdev;	/* first: vdpa_alloc_device() wants it */
	struct vsp_nic *nic;
	struct vsp_fn *fn;		/* nic->fn; every DMA mapping needs it */
	u64 features;			/* offered to the virtio driver */
	u64 driver_features;		/* 0: none accepted yet */
	u32 nr_vqs;
	u16 pairs;			/* in use, as the card said before a reset */
	u8 status;			/* as last written; the card adds to it */
	bool irqs_up;
	bool running;			/* DRIVER_OK was set */
	bool pinned;			/* holds the module: vsp_user_pin() */
	bool suspended;			/* by suspend(); a reset ends it */
	bool has_user;			/* of vhost_vdpa, with the card's translation: */
	bool has_maps;			/* vhost_ops.c; nic->lock */
	u32 group_asid[VSP_NR_GROUPS];
	struct delayed_work reap;	/* once the function has gone */
	struct vsp_irq config_irq;
	struct vsp_vdpa_vq vq[VSP_DRV_MAX_VQS];
};

static inline struct vsp_vdpa *to_vsp_vdpa(struct vdpa_device *vdev)
{
	return container_of(vdev, struct vsp_vdpa, vdev);
}

static inline u32 vsp_reg_read(struct vsp_nic *nic, u32 reg)
{
	return readl(nic->bar + reg);
}

static inline u64 vsp_reg_read64(struct vsp_nic *nic, u32 reg)
{
	return readq(nic->bar + reg);
}

/* mailbox.c; nic->lock held */
int vsp_mbox_set(struct vsp_nic *nic, enum vsp_mbox_cmd cmd, u64 value);
int vsp_mbox_get(struct vsp_nic *nic, enum vsp_mbox_cmd cmd, u64 *value);
int vsp_mbox_set_vq(struct vsp_nic *nic, enum vsp_mbox_cmd cmd, u16 index, u32 value);
int vsp_mbox_get_vq(struct vsp_nic *nic, enum vsp_mbox_cmd cmd, u16 index, u32 *value);
int vsp_mbox_set_vq_addr(struct vsp_nic *nic, u16 index, u64 desc, u64 driver,
			 u64 device);
int vsp_mbox_set_config(struct vsp_nic *nic, unsigned int offset, const void *src,
			unsigned int len);
int vsp_mbox_get_config(struct vsp_nic *nic, unsigned int offset, void *dst,
			unsigned int len);
int vsp_mbox_get_resource(struct vsp_nic *nic, struct vsp_mbox_resource *res);

/* irq.c */
bool vsp_vdpa_is_ctrl(const struct vsp_vdpa *vv, u16 idx);
void vsp_irq_init(struct vsp_irq *irq);
void vsp_irq_set_cb(struct vsp_irq *irq, const struct vdpa_callback *cb);
void vsp_irq_set_live(struct vsp_irq *irq, bool live);
int vsp_irq_set_affinity(struct vsp_irq *irq, const struct cpumask *mask);
void vsp_irq_call(struct vsp_irq *irq);
int vsp_irqs_up(struct vsp_vdpa *vv);
int vsp_irqs_tell(struct vsp_vdpa *vv);
void vsp_irqs_down(struct vsp_vdpa *vv);

/* device.c; nic->lock held, but for create and kick */
struct vsp_vdpa *vsp_vdpa_create(struct vsp_nic *nic, const char *name,
				 const struct vsp_provision *prov);
int vsp_vdpa_start(struct vsp_vdpa *vv);
int vsp_vdpa_reset(struct vsp_vdpa *vv);
int vsp_vdpa_restore(struct vsp_vdpa *vv);
void vsp_vdpa_quiesce(struct vsp_vdpa *vv);
void vsp_vdpa_wake(struct vsp_vdpa *vv);
int vsp_vdpa_set_vq_addr(struct vsp_vdpa *vv, u16 idx, u64 desc, u64 driver, u64 device);
int vsp_vdpa_set_vq_size(struct vsp_vdpa *vv, u16 idx, u32 size);
int vsp_vdpa_set_vq_state(struct vsp_vdpa *vv, u16 idx, u16 state);
int vsp_vdpa_get_vq_state(struct vsp_vdpa *vv, u16 idx, u16 *state);
void vsp_vdpa_vq_ready(struct vsp_vdpa *vv, u16 idx, bool ready);
void vsp_vdpa_kick(struct vsp_vdpa *vv, u16 idx);
int vsp_nic_configure(struct vsp_nic *nic, const struct vsp_provision *prov);
void vsp_nic_config(const struct vsp_provision *prov, struct virtio_net_config *c);
void vsp_nic_learn(struct vsp_nic *nic);
int vsp_nic_set_mac(struct vsp_nic *nic, unsigned int offset, const void *src,
		    unsigned int len);

/* main.c */
int vsp_nic_identify(struct vsp_nic *nic);

/* recover.c */
extern const struct pci_error_handlers vsp_err_handlers;
extern const struct dev_pm_ops vsp_pm_ops;
int vsp_recover_init(void);
void vsp_recover_exit(void);
void vsp_nic_init(struct vsp_nic *nic);
void vsp_nic_enlist(struct vsp_nic *nic);
void vsp_nic_retire(struct vsp_nic *nic);
void vsp_nic_put(struct vsp_nic *nic);
int vsp_nic_state(struct vsp_nic *nic);
int vsp_nic_wait(struct vsp_nic *nic);
void vsp_nic_fail(struct vsp_nic *nic, const char *why, int err);
void vsp_nics_look(void);

/* dma_ops.c */
int vsp_dma_setup(struct vsp_vdpa *vv);

/* vdpa_ops.c; the second one for the card's translation */
extern const struct vdpa_config_ops vsp_vdpa_ops;
extern const struct vdpa_config_ops vsp_vdpa_card_ops;

/* vhost_ops.c: more of them, and what goes with them */
struct vdpa_iova_range vsp_op_get_iova_range(struct vdpa_device *vdev);
int vsp_op_dma_map(struct vdpa_device *vdev, unsigned int asid, u64 iova, u64 size,
		   u64 pa, u32 perm, void *opaque);
int vsp_op_dma_unmap(struct vdpa_device *vdev, unsigned int asid, u64 iova, u64 size);
int vsp_op_reset_map(struct vdpa_device *vdev, unsigned int asid);
u32 vsp_op_get_vq_group(struct vdpa_device *vdev, u16 idx);
int vsp_op_set_group_asid(struct vdpa_device *vdev, unsigned int group, unsigned int asid);
struct vdpa_notification_area vsp_op_get_vq_notification(struct vdpa_device *vdev,
							 u16 idx);
u64 vsp_op_get_backend_features(const struct vdpa_device *vdev);
int vsp_op_suspend(struct vdpa_device *vdev);
int vsp_op_resume(struct vdpa_device *vdev);
int vsp_vdpa_restore_suspended(struct vsp_vdpa *vv);
int vsp_vdpa_restore_groups(struct vsp_vdpa *vv);
void vsp_vdpa_drop_maps(struct vsp_vdpa *vv);

/* mgmt.c */
int vsp_mgmt_register(struct vsp_nic *nic);
void vsp_mgmt_unregister(struct vsp_nic *nic);

/* translation.c */
extern const struct attribute_group *vsp_nic_groups[];
int vsp_translation_init(void);
enum vsp_translation vsp_translation_default(void);

/* orphan.c */
int vsp_orphan_init(void);
void vsp_orphan_exit(void);
void vsp_user_pin(struct vsp_vdpa *vv);
void vsp_user_unpin(struct vsp_vdpa *vv);
bool vsp_orphan_adopt(struct vsp_vdpa *vv);

#endif /* VSP_DRIVER_H */
