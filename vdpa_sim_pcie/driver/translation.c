// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who translates the addresses in a function's rings: the card's own IOTLB or the
 * platform's IOMMU. Chosen per function by the sysfs attribute `translation`,
 * before a vDPA device is added, as `vdpa dev add` has no options of a vendor.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "driver.h"

static char *translation = "";
module_param(translation, charp, 0444);
MODULE_PARM_DESC(translation,
		 "translation of new functions: card or platform (default card where the kernel has DMA operations per device)");

static const char *const translation_names[] = {
	[VSP_TRANSLATE_PLATFORM]	= "platform",
	[VSP_TRANSLATE_CARD]		= "card",
};

static enum vsp_translation translation_default =
	IS_ENABLED(CONFIG_ARCH_HAS_DMA_OPS) ? VSP_TRANSLATE_CARD : VSP_TRANSLATE_PLATFORM;

/* -EINVAL: no such name; -EOPNOTSUPP: not with this kernel. */
static int translation_parse(const char *name)
{
	int t = __sysfs_match_string(translation_names, ARRAY_SIZE(translation_names), name);

	if (t == VSP_TRANSLATE_CARD && !IS_ENABLED(CONFIG_ARCH_HAS_DMA_OPS))
		return -EOPNOTSUPP;
	return t;
}

/**
 * vsp_translation_init() - look at the module parameter
 *
 * Return: 0; -EINVAL, -EOPNOTSUPP: told in the kernel log
 */
int vsp_translation_init(void)
{
	int t;

	if (!*translation)
		return 0;
	t = translation_parse(translation);
	if (t < 0) {
		pr_err("translation=%s: %s\n", translation, t == -EINVAL ?
		       "must be card or platform" :
		       "this kernel has no DMA operations per device (CONFIG_ARCH_HAS_DMA_OPS)");
		return t;
	}
	translation_default = t;
	return 0;
}

enum vsp_translation vsp_translation_default(void)
{
	return translation_default;
}

static ssize_t translation_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vsp_nic *nic = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", translation_names[READ_ONCE(nic->translation)]);
}

static ssize_t translation_store(struct device *dev, struct device_attribute *attr,
				 const char *buf, size_t count)
{
	struct vsp_nic *nic = dev_get_drvdata(dev);
	int t = translation_parse(buf);
	int err = 0;

	if (t < 0) {
		dev_err(dev, "translation: %s\n", t == -EINVAL ?
			"must be card or platform" :
			"this kernel has no DMA operations per device");
		return t;
	}
	guard(mutex)(&nic->lock);
	if (t == nic->translation)
		return count;
	if (nic->vdpa) {
		dev_err(dev, "translation: the vDPA device %s uses it, delete that first\n",
			dev_name(&nic->vdpa->vdev.dev));
		return -EBUSY;
	}
	WRITE_ONCE(nic->translation, t);
	/* Else with the next configuration. */
	if (vsp_nic_state(nic) > 0)
		err = vsp_nic_configure(nic, &nic->prov);
	return err ? err : count;
}
static DEVICE_ATTR_RW(translation);

static struct attribute *vsp_nic_attrs[] = {
	&dev_attr_translation.attr,
	NULL
};

static const struct attribute_group vsp_nic_group = {
	.attrs = vsp_nic_attrs,
};

const struct attribute_group *vsp_nic_groups[] = {
	&vsp_nic_group,
	NULL
};
