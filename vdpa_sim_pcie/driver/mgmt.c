// SPDX-License-Identifier: GPL-2.0-only
/*
 * The management device: `vdpa dev add ... mgmtdev pci/10000:01:00.x`.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Everything is checked before anything is made. The vDPA core hands a driver no
 * way to send text to the user here, so the reason goes to the kernel log.
 * The core holds vdpa_dev_lock around all of it.
 */
#include <linux/etherdevice.h>
#include <linux/sysfs.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <uapi/linux/vdpa.h>

#include "driver.h"

#define nic_err(nic, fmt, ...) dev_err(&(nic)->pdev->dev, fmt, ##__VA_ARGS__)

static struct vsp_nic *to_nic(struct vdpa_mgmt_dev *mgmt)
{
	return container_of(mgmt, struct vsp_nic, mgmt);
}

static bool has_attr(const struct vdpa_dev_set_config *config, unsigned int attr)
{
	return config->mask & BIT_ULL(attr);
}

static int provision_features(struct vsp_nic *nic, u64 features, struct vsp_provision *prov)
{
	u64 unknown = features & ~nic->features;
	u64 missing = VSP_FEATURES_REQUIRED & ~features;

	if (unknown) {
		nic_err(nic, "device_features %#llx: the card has no %#llx, only bits of %#llx\n",
			features, unknown, nic->features);
		return -EINVAL;
	}
	if (missing) {
		nic_err(nic, "device_features %#llx: needs VERSION_1, ACCESS_PLATFORM: %#llx\n",
			features, missing);
		return -EINVAL;
	}
	prov->features = features;
	if (!(features & BIT_ULL(VIRTIO_NET_F_MQ)))
		prov->pairs = 1;
	return 0;
}

static int provision_pairs(struct vsp_nic *nic, u16 pairs, struct vsp_provision *prov)
{
	if (!pairs || pairs > nic->max_pairs) {
		nic_err(nic, "max_vqp %u is out of range: 1 to %u\n", pairs, nic->max_pairs);
		return -EINVAL;
	}
	prov->pairs = pairs;
	return 0;
}

static int provision_mtu(struct vsp_nic *nic, u16 mtu, struct vsp_provision *prov)
{
	if (mtu < VSP_MTU_MIN || mtu > VSP_MTU_MAX) {
		nic_err(nic, "mtu %u is out of range: %u to %u\n", mtu, VSP_MTU_MIN,
			VSP_MTU_MAX);
		return -EINVAL;
	}
	prov->mtu = mtu;
	return 0;
}

static int provision_mac(struct vsp_nic *nic, const u8 *mac, struct vsp_provision *prov)
{
	if (!is_valid_ether_addr(mac)) {
		nic_err(nic, "mac %pM is not a station's: neither zero nor multicast\n", mac);
		return -EINVAL;
	}
	ether_addr_copy(prov->mac, mac);
	return 0;
}

/* From the user's wishes and the card's defaults to what the device shall be. */
static int provision_parse(struct vsp_nic *nic, const struct vdpa_dev_set_config *config,
			   struct vsp_provision *prov)
{
	int err = 0;

	*prov = nic->factory;
	if (has_attr(config, VDPA_ATTR_DEV_FEATURES))
		err = provision_features(nic, config->device_features, prov);
	if (!err && has_attr(config, VDPA_ATTR_DEV_NET_CFG_MAX_VQP))
		err = provision_pairs(nic, config->net.max_vq_pairs, prov);
	if (!err && has_attr(config, VDPA_ATTR_DEV_NET_CFG_MTU))
		err = provision_mtu(nic, config->net.mtu, prov);
	if (!err && has_attr(config, VDPA_ATTR_DEV_NET_CFG_MACADDR))
		err = provision_mac(nic, config->net.mac, prov);
	return err;
}

/* Leave nothing of a device's settings to the next one. nic->lock held. */
static void nic_set_factory(struct vsp_nic *nic)
{
	int err = 0;

	nic->prov = nic->factory;
	if (vsp_nic_state(nic) > 0)
		err = vsp_nic_configure(nic, &nic->factory);
	if (err)
		dev_warn(&nic->pdev->dev, "can't restore the card's defaults: %d\n", err);
}

/*
 * The device becomes a folder in the function's, among files such as "reset" and
 * "driver". Asked before, as the driver core answers with a call trace.
 */
static bool name_is_taken(struct vsp_nic *nic, const char *name)
{
	struct kernfs_node *kn = sysfs_get_dirent(nic->pdev->dev.kobj.sd, name);

	sysfs_put(kn);
	return kn;
}

/* The card is configured, the device is made and known to the function. */
static struct vsp_vdpa *nic_make_device(struct vsp_nic *nic, const char *name,
					const struct vsp_provision *prov)
{
	struct vsp_vdpa *vv;
	int err;

	guard(mutex)(&nic->lock);
	err = vsp_nic_wait(nic);
	if (err) {
		nic_err(nic, "%s: the function %s: %d\n", name,
			err == -EBUSY ? "is in reset" : "does not work", err);
		return ERR_PTR(err);
	}
	err = vsp_nic_configure(nic, prov);
	if (err) {
		nic_err(nic, "%s: the card refuses its configuration: %d\n", name, err);
		return ERR_PTR(err);
	}
	vv = vsp_vdpa_create(nic, name, prov);
	if (IS_ERR(vv))
		nic_set_factory(nic);
	else
		nic->vdpa = vv;
	return vv;
}

static void nic_drop_device(struct vsp_nic *nic)
{
	guard(mutex)(&nic->lock);
	/* The bus driver has reset it, if there was one and it was polite. */
	vsp_vdpa_reset(nic->vdpa);
	vsp_vdpa_drop_maps(nic->vdpa);
	nic->vdpa = NULL;
	nic_set_factory(nic);
}

static int vsp_dev_add(struct vdpa_mgmt_dev *mgmt, const char *name,
		       const struct vdpa_dev_set_config *config)
{
	struct vsp_nic *nic = to_nic(mgmt);
	struct vsp_provision prov;
	struct vsp_vdpa *vv;
	int err;

	if (nic->vdpa) {
		nic_err(nic, "%s: this function has its vDPA device already: %s\n", name,
			dev_name(&nic->vdpa->vdev.dev));
		return -EBUSY;
	}
	if (name_is_taken(nic, name)) {
		nic_err(nic, "%s: the function has a sysfs entry of that name\n", name);
		return -EEXIST;
	}
	err = provision_parse(nic, config, &prov);
	if (err)
		return err;
	vv = nic_make_device(nic, name, &prov);
	if (IS_ERR(vv))
		return PTR_ERR(vv);
	vv->vdev.mdev = mgmt;
	/* A bus driver may probe, and use the device, before this returns. */
	err = _vdpa_register_device(&vv->vdev, vv->nr_vqs);
	if (err) {
		nic_err(nic, "%s: can't register the vDPA device: %d%s\n", name, err,
			err == -EEXIST ? " (the name is taken)" : "");
		nic_drop_device(nic);
		put_device(&vv->vdev.dev);
	}
	return err;
}

static void vsp_dev_del(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdev)
{
	struct vsp_nic *nic = to_nic(mgmt);

	if (nic->removing && vsp_orphan_adopt(to_vsp_vdpa(vdev)))
		return;
	get_device(&vdev->dev);
	_vdpa_unregister_device(vdev);
	nic_drop_device(nic);
	put_device(&vdev->dev);
}

/* vdev->cf_lock held for writing. */
static int vsp_dev_set_attr(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdev,
			    const struct vdpa_dev_set_config *config)
{
	struct vsp_nic *nic = to_nic(mgmt);
	struct vsp_provision prov;
	int err;

	if (!has_attr(config, VDPA_ATTR_DEV_NET_CFG_MACADDR) ||
	    !(to_vsp_vdpa(vdev)->features & BIT_ULL(VIRTIO_NET_F_MAC)))
		return -EOPNOTSUPP;
	err = provision_mac(nic, config->net.mac, &prov);
	if (err)
		return err;
	guard(mutex)(&nic->lock);
	return vsp_nic_set_mac(nic, 0, prov.mac, ETH_ALEN);
}

static const struct vdpa_mgmtdev_ops vsp_mgmt_ops = {
	.dev_add	= vsp_dev_add,
	.dev_del	= vsp_dev_del,
	.dev_set_attr	= vsp_dev_set_attr,
};

static struct virtio_device_id vsp_mgmt_ids[] = {
	{ VIRTIO_ID_NET, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

/**
 * vsp_mgmt_register() - offer a function for `vdpa dev add`
 * @nic: function; features and limits are known
 *
 * Return: 0 or the vDPA core's error
 */
int vsp_mgmt_register(struct vsp_nic *nic)
{
	struct vdpa_mgmt_dev *mgmt = &nic->mgmt;

	mgmt->device = &nic->pdev->dev;
	mgmt->ops = &vsp_mgmt_ops;
	mgmt->id_table = vsp_mgmt_ids;
	mgmt->supported_features = nic->features;
	mgmt->max_supported_vqs = nic->nr_vqs;
	mgmt->config_attr_mask = BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR) |
				 BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU) |
				 BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP) |
				 BIT_ULL(VDPA_ATTR_DEV_FEATURES);
	return vdpa_mgmtdev_register(mgmt);
}

/*
 * Undoes vsp_mgmt_register(); deletes the vDPA device, if there is one, or parts
 * with it, if it is in use by a user of vhost_vdpa.
 */
void vsp_mgmt_unregister(struct vsp_nic *nic)
{
	nic->removing = true;
	vdpa_mgmtdev_unregister(&nic->mgmt);
}
