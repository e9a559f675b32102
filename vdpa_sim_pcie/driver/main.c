// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binds the card's PCI functions, PF and VFs, and offers them to the vDPA bus.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/virtio_net.h>

#include "driver.h"

static int num_vfs;
module_param(num_vfs, int, 0444);
MODULE_PARM_DESC(num_vfs, "virtual functions to enable when a PF is bound (default 0)");

static bool num_vfs_ok(struct pci_dev *pf)
{
	int total = pci_sriov_get_totalvfs(pf);

	if (num_vfs <= total)
		return true;
	pr_err("num_vfs=%d is out of range: 0 to %d on %s\n", num_vfs, total, pci_name(pf));
	return false;
}

/**
 * vsp_nic_identify() - ask the card what it is
 * @nic: function, mapped; nic->lock held
 *
 * Process context. The limits are the card's, the checks are ours.
 *
 * Return: 0; -ENODEV: not our kind of card; or the mailbox's error
 */
int vsp_nic_identify(struct vsp_nic *nic)
{
	struct device *dev = &nic->pdev->dev;
	u32 magic = vsp_reg_read(nic, VSP_REG_MAGIC);
	u32 version = vsp_reg_read(nic, VSP_REG_VERSION);
	u32 type = vsp_reg_read(nic, VSP_REG_FN_TYPE);
	struct vsp_mbox_resource res;
	int err;

	if (magic != VSP_MAGIC) {
		dev_err(dev, "bad magic %#x in BAR %d\n", magic, VSP_BAR);
		return -ENODEV;
	}
	if (version >> 16 != VSP_REGS_VERSION >> 16 || type != VSP_FN_TYPE_VIRTIO) {
		dev_err(dev, "register layout %#x, function type %u: need %#x, %u\n",
			version, type, VSP_REGS_VERSION, VSP_FN_TYPE_VIRTIO);
		return -ENODEV;
	}
	err = vsp_mbox_get(nic, VSP_MBOX_GET_FEATURES, &nic->features);
	if (!err)
		err = vsp_mbox_get_resource(nic, &res);
	if (err)
		return err;
	nic->nr_vqs = le32_to_cpu(res.nr_vqs);
	nic->max_vq_size = min_t(u32, le32_to_cpu(res.max_vq_size), U16_MAX);
	nic->config_size = vsp_reg_read(nic, VSP_REG_CONFIG_SIZE);
	if (nic->nr_vqs < 3 || nic->nr_vqs > VSP_DRV_MAX_VQS ||
	    le32_to_cpu(res.nr_vectors) < VSP_VECTOR_VQ0 + nic->nr_vqs ||
	    nic->config_size < offsetofend(struct virtio_net_config, mtu) ||
	    nic->config_size > VSP_BAR_SIZE - VSP_BAR_CONFIG) {
		dev_err(dev, "unusable: %u queues, %u vectors, %u bytes of configuration\n",
			nic->nr_vqs, le32_to_cpu(res.nr_vectors), nic->config_size);
		return -ENODEV;
	}
	return 0;
}

/* The card's own MAC address and MTU: defaults of a device that is added. */
static int nic_read_factory(struct vsp_nic *nic)
{
	struct vsp_provision *f = &nic->factory;
	struct virtio_net_config c;
	int err;

	err = vsp_mbox_get_config(nic, 0, &c, offsetofend(struct virtio_net_config, mtu));
	if (err)
		return err;
	ether_addr_copy(f->mac, c.mac);
	f->mtu = le16_to_cpu((__force __le16)c.mtu);
	f->features = nic->features;
	f->pairs = nic->features & BIT_ULL(VIRTIO_NET_F_MQ) ? (nic->nr_vqs - 1) / 2 : 1;
	nic->max_pairs = f->pairs;
	nic->prov = *f;
	if (!is_valid_ether_addr(f->mac)) {
		dev_err(&nic->pdev->dev, "the card has no valid MAC address: %pM\n", f->mac);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

static int nic_map(struct vsp_nic *nic)
{
	struct pci_dev *pdev = nic->pdev;
	int err;

	err = pci_enable_device_mem(pdev);
	if (err) {
		pci_err(pdev, "can't enable the function: %d\n", err);
		return err;
	}
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err) {
		pci_err(pdev, "can't use 64-bit DMA addresses: %d\n", err);
		goto err_enable;
	}
	if (pci_resource_len(pdev, VSP_BAR) < VSP_BAR_SIZE) {
		pci_err(pdev, "BAR %d is smaller than %#x\n", VSP_BAR, VSP_BAR_SIZE);
		err = -ENODEV;
		goto err_enable;
	}
	err = pci_request_region(pdev, VSP_BAR, KBUILD_MODNAME);
	if (err)
		goto err_enable;
	nic->bar = pci_iomap(pdev, VSP_BAR, 0);
	if (!nic->bar) {
		err = -ENOMEM;
		goto err_request;
	}
	pci_set_master(pdev);
	return 0;

err_request:
	pci_release_region(pdev, VSP_BAR);
err_enable:
	pci_disable_device(pdev);
	return err;
}

/* The mapping itself stays until vsp_nic_put(). */
static void nic_unmap(struct vsp_nic *nic)
{
	pci_clear_master(nic->pdev);
	pci_release_region(nic->pdev, VSP_BAR);
	pci_disable_device(nic->pdev);
}

static int nic_alloc_vectors(struct vsp_nic *nic)
{
	unsigned int nr = VSP_VECTOR_VQ0 + nic->nr_vqs;
	int err;

	err = pci_alloc_irq_vectors(nic->pdev, nr, nr, PCI_IRQ_MSIX);
	if (err < 0) {
		pci_err(nic->pdev, "can't allocate %u MSI-X vectors: %d\n", nr, err);
		return err;
	}
	return 0;
}

static int vsp_enable_vfs(struct pci_dev *pdev, int nr)
{
	int err = pci_enable_sriov(pdev, nr);

	if (err)
		pci_err(pdev, "can't enable %d virtual functions: %d\n", nr, err);
	return err;
}

/* Everything that the mailbox says. */
static int nic_read(struct vsp_nic *nic)
{
	int err;

	guard(mutex)(&nic->lock);
	err = vsp_nic_identify(nic);
	return err ? err : nic_read_factory(nic);
}

static int nic_start(struct vsp_nic *nic)
{
	int err;

	nic->fn = vsp_hw_fn(nic->pdev);
	if (!nic->fn) {
		pci_err(nic->pdev, "not a function of the simulated card\n");
		return -ENODEV;
	}
	err = nic_map(nic);
	if (err)
		return err;
	err = nic_read(nic);
	if (err)
		goto err_map;
	err = nic_alloc_vectors(nic);
	if (err)
		goto err_map;
	vsp_nic_enlist(nic);
	err = vsp_mgmt_register(nic);
	if (err)
		goto err_vectors;
	return 0;

err_vectors:
	pci_free_irq_vectors(nic->pdev);
err_map:
	nic_unmap(nic);
	return err;
}

static void nic_stop(struct vsp_nic *nic)
{
	vsp_mgmt_unregister(nic);
	pci_free_irq_vectors(nic->pdev);
	nic_unmap(nic);
}

static int vsp_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vsp_nic *nic;
	int err;

	nic = kzalloc(sizeof(*nic), GFP_KERNEL);
	if (!nic)
		return -ENOMEM;
	nic->pdev = pci_dev_get(pdev);
	nic->translation = vsp_translation_default();
	vsp_nic_init(nic);
	pci_set_drvdata(pdev, nic);
	err = nic_start(nic);
	if (err)
		goto err_init;
	if (!pdev->is_virtfn && num_vfs) {
		err = num_vfs_ok(pdev) ? vsp_enable_vfs(pdev, num_vfs) : -EINVAL;
		if (err)
			goto err_start;
	}
	return 0;

err_start:
	nic_stop(nic);
err_init:
	vsp_nic_retire(nic);
	pci_set_drvdata(pdev, NULL);
	vsp_nic_put(nic);
	return err;
}

/*
 * Order: whoever waits for a card that has been pulled; the VFs, as they need
 * their PF; the vDPA device, which still talks to the card; then what it talks
 * through.
 */
static void vsp_remove(struct pci_dev *pdev)
{
	struct vsp_nic *nic = pci_get_drvdata(pdev);

	if (vsp_reg_read(nic, VSP_REG_MAGIC) == ~0U)
		vsp_nics_look();
	if (!pdev->is_virtfn)
		pci_disable_sriov(pdev);
	nic_stop(nic);
	vsp_nic_retire(nic);
	pci_set_drvdata(pdev, NULL);
	vsp_nic_put(nic);
}

/* A write to sriov_numvfs. vDPA devices on VFs that go are deleted with them. */
static int vsp_sriov_configure(struct pci_dev *pdev, int nr)
{
	int err;

	if (!nr) {
		if (pci_vfs_assigned(pdev)) {
			pci_err(pdev, "a guest holds a virtual function\n");
			return -EBUSY;
		}
		pci_disable_sriov(pdev);
		return 0;
	}
	if (nr > pci_sriov_get_totalvfs(pdev)) {
		pci_err(pdev, "%d virtual functions: the card has 0 to %d\n", nr,
			pci_sriov_get_totalvfs(pdev));
		return -ERANGE;
	}
	err = vsp_enable_vfs(pdev, nr);
	return err ? err : nr;
}

/*
 * No MODULE_DEVICE_TABLE: the card appears while modprobe loads vsp_hw for this
 * module, and udev would then load this one too, without the user's parameters.
 */
static const struct pci_device_id vsp_pci_ids[] = {
	{ PCI_DEVICE(VSP_VENDOR_ID, VSP_DEVICE_ID) },
	{ PCI_DEVICE(VSP_VENDOR_ID, VSP_VF_DEVICE_ID) },
	{ }
};

static struct pci_driver vsp_pci_driver = {
	.name			= KBUILD_MODNAME,
	.id_table		= vsp_pci_ids,
	.probe			= vsp_probe,
	.remove			= vsp_remove,
	.sriov_configure	= vsp_sriov_configure,
	.err_handler		= &vsp_err_handlers,
	.dev_groups		= vsp_nic_groups,
	.driver.pm		= pm_sleep_ptr(&vsp_pm_ops),
};

/* A probe that fails does not fail the load: look at the cards before it. */
static int num_vfs_check(void)
{
	struct pci_dev *pf = NULL;

	if (num_vfs < 0) {
		pr_err("num_vfs=%d is out of range: 0 and up\n", num_vfs);
		return -EINVAL;
	}
	while ((pf = pci_get_device(VSP_VENDOR_ID, VSP_DEVICE_ID, pf))) {
		if (!num_vfs_ok(pf)) {
			pci_dev_put(pf);
			return -EINVAL;
		}
	}
	return 0;
}

static int __init vsp_driver_init(void)
{
	int err = num_vfs_check();

	if (!err)
		err = vsp_translation_init();
	if (!err)
		err = vsp_orphan_init();
	if (err)
		return err;
	err = vsp_recover_init();
	if (err)
		goto err_orphan;
	err = pci_register_driver(&vsp_pci_driver);
	if (err)
		goto err_recover;
	return 0;

err_recover:
	vsp_recover_exit();
err_orphan:
	vsp_orphan_exit();
	return err;
}

static void __exit vsp_driver_exit(void)
{
	pci_unregister_driver(&vsp_pci_driver);
	vsp_recover_exit();
	vsp_orphan_exit();
}

module_init(vsp_driver_init);
module_exit(vsp_driver_exit);

MODULE_DESCRIPTION("vDPA driver of the simulated PCIe SmartNIC");
MODULE_AUTHOR("The vdpa_sim_pcie authors");
MODULE_LICENSE("GPL");
