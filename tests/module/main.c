// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsp_dma_test.ko: binds a function by driver_override. Files of the function in
 * sysfs:
 *
 *   dma_test      write the name of a test to run it; read the names
 *   dma_vectors   one line per MSI-X vector: number, Linux interrupt, times
 *   dma_raise     write a vector's number to have the card raise it
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma_test.h"

static bool managed;
module_param(managed, bool, 0444);
MODULE_PARM_DESC(managed, "vectors of the queues have managed affinity (default 0)");

/* ---- vectors ---- */

static irqreturn_t vector_handler(int virq, void *data)
{
	struct test_vector *v = data;

	atomic_inc(&v->count);
	return IRQ_HANDLED;
}

static void vectors_free(struct test_dev *t)
{
	unsigned int i;

	for (i = 0; i < t->nr_vectors; i++)
		if (t->vec[i].virq)
			free_irq(t->vec[i].virq, &t->vec[i]);
	pci_free_irq_vectors(t->pdev);
}

static int vectors_alloc(struct test_dev *t)
{
	/* Mailbox and configuration are for everybody's CPU. */
	struct irq_affinity affinity = { .pre_vectors = VSP_VECTOR_VQ0 };
	unsigned int flags = PCI_IRQ_MSIX | (managed ? PCI_IRQ_AFFINITY : 0);
	unsigned int i;
	int n, err;

	n = pci_alloc_irq_vectors_affinity(t->pdev, VSP_VECTOR_VQ0 + 1, TEST_VECTORS, flags,
					   managed ? &affinity : NULL);
	if (n < 0)
		return n;
	t->nr_vectors = n;
	for (i = 0; i < t->nr_vectors; i++) {
		err = request_irq(pci_irq_vector(t->pdev, i), vector_handler, 0,
				  "vsp-dma-test", &t->vec[i]);
		if (err) {
			vectors_free(t);
			return err;
		}
		t->vec[i].virq = pci_irq_vector(t->pdev, i);
	}
	return 0;
}

/* The receive queue's vector for a moment; a copy raises it. */
static int vector_raise(struct test_dev *t, unsigned int nr)
{
	dma_addr_t dma;
	void *va;
	int err;

	va = dma_alloc_coherent(&t->pdev->dev, PAGE_SIZE, &dma, GFP_KERNEL);
	if (!va)
		return -ENOMEM;
	err = test_start(t) ?:
	      test_mbox_vq(t, VSP_MBOX_SET_VQ_MSIX, TEST_RX, nr) ?:
	      test_copy_one(t, dma + PAGE_SIZE / 2, dma, 100);
	test_stop(t);
	dma_free_coherent(&t->pdev->dev, PAGE_SIZE, va, dma);
	return err;
}

/* ---- files ---- */

static const struct test_case *find_case(const char *name)
{
	const struct test_case *c;

	for (c = test_cases; c->name; c++)
		if (sysfs_streq(name, c->name))
			return c;
	for (c = test_translated_cases; c->name; c++)
		if (sysfs_streq(name, c->name))
			return c;
	return NULL;
}

static ssize_t dma_test_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct test_case *c;
	int n = 0;

	for (c = test_cases; c->name; c++)
		n += sysfs_emit_at(buf, n, "%s\n", c->name);
	for (c = test_translated_cases; c->name; c++)
		n += sysfs_emit_at(buf, n, "%s\n", c->name);
	return n;
}

static ssize_t dma_test_store(struct device *dev, struct device_attribute *attr,
			      const char *buf, size_t count)
{
	struct test_dev *t = dev_get_drvdata(dev);
	const struct test_case *c = find_case(buf);
	int err;

	if (!c)
		return -ENOENT;
	guard(mutex)(&t->lock);
	err = test_start(t) ?: c->run(t);
	test_stop(t);
	if (err)
		test_err(t, "%s: %d\n", c->name, err);
	return err ? err : count;
}
static DEVICE_ATTR_RW(dma_test);

static ssize_t dma_vectors_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct test_dev *t = dev_get_drvdata(dev);
	unsigned int i;
	int n = 0;

	for (i = 0; i < t->nr_vectors; i++)
		n += sysfs_emit_at(buf, n, "%u %d %d\n", i, t->vec[i].virq,
				   atomic_read(&t->vec[i].count));
	return n;
}
static DEVICE_ATTR_RO(dma_vectors);

static ssize_t dma_raise_store(struct device *dev, struct device_attribute *attr,
			       const char *buf, size_t count)
{
	struct test_dev *t = dev_get_drvdata(dev);
	unsigned int nr;
	int err = kstrtouint(buf, 0, &nr);

	if (err)
		return err;
	if (nr >= t->nr_vectors)
		return -ERANGE;
	guard(mutex)(&t->lock);
	err = vector_raise(t, nr);
	return err ? err : count;
}
static DEVICE_ATTR_WO(dma_raise);

static struct attribute *test_attrs[] = {
	&dev_attr_dma_test.attr,
	&dev_attr_dma_vectors.attr,
	&dev_attr_dma_raise.attr,
	NULL
};
ATTRIBUTE_GROUPS(test);

/* ---- the driver ---- */

static int test_setup(struct test_dev *t)
{
	int err;

	t->bar = pci_iomap(t->pdev, VSP_BAR, 0);
	if (!t->bar)
		return -ENOMEM;
	err = dma_set_mask_and_coherent(&t->pdev->dev, DMA_BIT_MASK(64));
	if (err)
		goto err_iomap;
	pci_set_master(t->pdev);
	err = vectors_alloc(t);
	if (err)
		goto err_master;
	err = test_alloc(t);
	if (err)
		goto err_vectors;
	return 0;

err_vectors:
	vectors_free(t);
err_master:
	pci_clear_master(t->pdev);
err_iomap:
	pci_iounmap(t->pdev, t->bar);
	return err;
}

static int test_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct test_dev *t;
	int err;

	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	t->pdev = pdev;
	mutex_init(&t->lock);
	pci_set_drvdata(pdev, t);
	t->fn = vsp_hw_fn(pdev);
	if (!t->fn) {
		err = -ENODEV;
		goto err_alloc;
	}
	err = pci_enable_device_mem(pdev);
	if (err)
		goto err_alloc;
	err = test_setup(t);
	if (err)
		goto err_enable;
	return 0;

err_enable:
	pci_disable_device(pdev);
err_alloc:
	kfree(t);
	return err;
}

static void test_remove(struct pci_dev *pdev)
{
	struct test_dev *t = pci_get_drvdata(pdev);

	test_stop(t);
	test_free(t);
	vectors_free(t);
	pci_clear_master(pdev);
	pci_iounmap(pdev, t->bar);
	pci_disable_device(pdev);
	kfree(t);
}

/* Only what driver_override names: an entry that matches nothing by itself. */
static const struct pci_device_id test_ids[] = {
	{ PCI_DEVICE_DRIVER_OVERRIDE(PCI_ANY_ID, PCI_ANY_ID, 1) },
	{ }
};

static struct pci_driver test_driver = {
	.name		= KBUILD_MODNAME,
	.id_table	= test_ids,
	.probe		= test_probe,
	.remove		= test_remove,
	.dev_groups	= test_groups,
};
module_pci_driver(test_driver);

MODULE_DESCRIPTION("Test of DMA and interrupts on the simulated vDPA SmartNIC");
MODULE_AUTHOR("The vdpa_sim_pcie authors");
MODULE_LICENSE("GPL");
