// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vsp/<function>: the character device of a function.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The contract is uapi/vdpa_sim_pcie.h. A node appears when the function is
 * found on the bus and goes with it; an open file outlives it, as a lost
 * session.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "session.h"
#include "vsp.h"

static dev_t backend_devt;
static unsigned int backend_nr;
static struct cdev backend_cdev;
static struct vsp_fn **backend_fns;	/* by minor number */

static char *backend_devnode(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vsp/%s", dev_name(dev));
}

static const struct class backend_class = {
	.name = "vsp",
	.devnode = backend_devnode,
};

static int backend_claim(struct vsp_fn *fn, struct file *file)
{
	struct vsp_session *s;

	guard(mutex)(&fn->lock);
	if (!fn->plugged)
		return -ENODEV;
	if (fn->session)
		return -EBUSY;
	s = vsp_session_create(fn, file);
	if (!s)
		return -ENOMEM;
	file->private_data = s;
	fn->session = s;
	return 0;
}

static int backend_open(struct inode *inode, struct file *file)
{
	struct vsp_fn *fn = READ_ONCE(backend_fns[iminor(inode) - MINOR(backend_devt)]);
	int ret;

	if (!fn)
		return -ENODEV;
	ret = backend_claim(fn, file);
	if (!ret)
		vsp_forward_update(fn);
	return ret;
}

static int backend_release(struct inode *inode, struct file *file)
{
	vsp_session_close(file->private_data);
	return 0;
}

static ssize_t backend_read(struct file *file, char __user *buf, size_t len,
			    loff_t *pos)
{
	return vsp_events_read(file->private_data, buf, len,
			       file->f_flags & O_NONBLOCK);
}

static __poll_t backend_poll(struct file *file, poll_table *wait)
{
	struct vsp_session *s = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &s->wait, wait);
	if (vsp_events_pending(s))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(s->lost))
		mask |= EPOLLHUP | EPOLLERR;
	return mask;
}

static const struct file_operations backend_fops = {
	.owner = THIS_MODULE,
	.open = backend_open,
	.release = backend_release,
	.read = backend_read,
	.poll = backend_poll,
	.unlocked_ioctl = vsp_backend_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = vsp_backend_mmap,
	/* For large entries a window must lie as its memory does. */
	.get_unmapped_area = thp_get_unmapped_area,
};

/* The driver rang a doorbell: wake a backend that said it sleeps. Any context. */
void vsp_backend_kick(struct vsp_fn *fn, unsigned int q)
{
	struct vsp_vq *vq = &fn->vq[q];
	unsigned long flags;

	spin_lock_irqsave(&fn->kick_lock, flags);
	if (vq->kick && fn->be_page && READ_ONCE(fn->be_page->vq[q].sleeping) == 1) {
		atomic64_inc(&vq->kicks);
		eventfd_signal(vq->kick);
	}
	spin_unlock_irqrestore(&fn->kick_lock, flags);
}

int vsp_backend_add(struct vsp_fn *fn, struct device *parent)
{
	struct device *dev;

	WRITE_ONCE(backend_fns[fn->index], fn);
	dev = device_create(&backend_class, parent, backend_devt + fn->index, fn,
			    "%s", vsp_pci_fn_name(&fn->pci));
	if (IS_ERR(dev)) {
		WRITE_ONCE(backend_fns[fn->index], NULL);
		return PTR_ERR(dev);
	}
	fn->chrdev = dev;
	return 0;
}

void vsp_backend_remove(struct vsp_fn *fn)
{
	if (!fn->chrdev)
		return;
	device_destroy(&backend_class, backend_devt + fn->index);
	WRITE_ONCE(backend_fns[fn->index], NULL);
	fn->chrdev = NULL;
}

/* Once per module; @nr functions at most. */
int vsp_backend_register(unsigned int nr)
{
	int ret;

	backend_nr = nr;
	backend_fns = kcalloc(nr, sizeof(*backend_fns), GFP_KERNEL);
	if (!backend_fns)
		return -ENOMEM;
	ret = alloc_chrdev_region(&backend_devt, 0, nr, "vsp");
	if (ret)
		goto err_fns;
	ret = class_register(&backend_class);
	if (ret)
		goto err_region;
	cdev_init(&backend_cdev, &backend_fops);
	backend_cdev.owner = THIS_MODULE;
	ret = cdev_add(&backend_cdev, backend_devt, nr);
	if (ret)
		goto err_class;
	return 0;

err_class:
	class_unregister(&backend_class);
err_region:
	unregister_chrdev_region(backend_devt, nr);
err_fns:
	kfree(backend_fns);
	return ret;
}

void vsp_backend_unregister(void)
{
	cdev_del(&backend_cdev);
	class_unregister(&backend_class);
	unregister_chrdev_region(backend_devt, backend_nr);
	kfree(backend_fns);
}
