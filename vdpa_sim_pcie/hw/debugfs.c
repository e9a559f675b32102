// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/vsp: the card from the outside, for tools/vsp and tests.
 *
 *   slot                  0 or 1: is the card in; write to pull it or put it back
 *   <function>/state      "key: value" lines
 *   <function>/registers  BAR 4: aligned reads and writes of 1, 2, 4, 8 bytes
 *   <function>/translate  write an IOVA, read the walk from the same open file
 *   <function>/pte        the same with an address of the backend and its entry
 *   <function>/link       "up|down [Mbit/s]"
 *   <function>/msix       vector irq cpu sent coalesced masked pending dropped
 *   <function>/window     ranges, faults by size, strays of each address space
 *   <function>/aer        write "correctable|nonfatal|fatal [bits]"
 *
 * A directory is there while its function is on the bus; a file of it that is
 * open longer says ENODEV. So the files are "unsafe" ones, which guard
 * themselves, as debugfs's own guard would say EIO.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "debugfs.h"

#define DEBUG_TEXT_MAX	64

/* A file of text: what it shows, and what to do with what is written to it. */
struct vsp_debug_file {
	const char *name;
	umode_t mode;
	int (*show)(struct seq_file *s, struct vsp_debug_open *open);
	int (*store)(struct vsp_debug_open *open, char *text);
};

/* What an inode of ours points to; lives as long as the function's directory. */
struct debug_node {
	struct vsp_pci_fn *fn;
	const struct vsp_debug_file *file;
};

static struct dentry *debug_root;
static struct dentry *debug_slot_dentry;

/* Between these two the function is on the bus and vsp_debugfs_remove() waits. */
static int debug_enter(struct file *file)
{
	return debugfs_file_get(file->f_path.dentry) ? -ENODEV : 0;
}

static void debug_leave(struct file *file)
{
	debugfs_file_put(file->f_path.dentry);
}

/* ---- files of text ---- */

static int text_show(struct seq_file *s, void *unused)
{
	struct vsp_debug_open *open = s->private;

	return open->file->show ? open->file->show(s, open) : -EINVAL;
}

/* debugfs holds the dentry open around this. */
static int text_open(struct inode *inode, struct file *file)
{
	const struct debug_node *node = inode->i_private;
	struct vsp_debug_open *open;
	int ret;

	open = kzalloc(sizeof(*open), GFP_KERNEL);
	if (!open)
		return -ENOMEM;
	open->fn = node->fn;
	open->file = node->file;
	ret = single_open(file, text_show, open);
	if (ret)
		kfree(open);
	return ret;
}

static int text_release(struct inode *inode, struct file *file)
{
	struct seq_file *s = file->private_data;
	struct vsp_debug_open *open = s->private;

	single_release(inode, file);
	kfree(open);
	return 0;
}

static ssize_t text_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	ssize_t ret = debug_enter(iocb->ki_filp);

	if (ret)
		return ret;
	ret = seq_read_iter(iocb, to);
	debug_leave(iocb->ki_filp);
	return ret;
}

/* The next read starts anew, so that one can write and read in turns. */
static ssize_t text_write(struct file *file, const char __user *buf, size_t len,
			  loff_t *pos)
{
	struct vsp_debug_open *open = ((struct seq_file *)file->private_data)->private;
	char text[DEBUG_TEXT_MAX];
	ssize_t ret;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, len))
		return -EFAULT;
	text[len] = '\0';
	ret = debug_enter(file);
	if (ret)
		return ret;
	ret = open->file->store ? open->file->store(open, strim(text)) : -EINVAL;
	debug_leave(file);
	*pos = 0;
	return ret ? ret : len;
}

static const struct file_operations text_fops = {
	.owner = THIS_MODULE,
	.open = text_open,
	.release = text_release,
	.read_iter = text_read_iter,
	.write = text_write,
};

/* ---- what is written ---- */

static int store_link(struct vsp_debug_open *open, char *text)
{
	struct vsp_fn *fn = vsp_fn(open->fn);
	char *word = strsep(&text, " ");
	u32 speed = 0;
	bool up;

	if (!strcmp(word, "up"))
		up = true;
	else if (!strcmp(word, "down"))
		up = false;
	else
		return -EINVAL;
	if (text && (kstrtou32(strim(text), 0, &speed) || !speed))
		return -EINVAL;
	guard(mutex)(&fn->lock);
	vsp_dev_set_link(fn, up, speed);
	vsp_regs_publish(fn);
	return 0;
}

static int store_aer(struct vsp_debug_open *open, char *text)
{
	static const char *const classes[] = {
		[VSP_AER_CORRECTABLE]	= "correctable",
		[VSP_AER_NONFATAL]	= "nonfatal",
		[VSP_AER_FATAL]		= "fatal",
	};
	int class = match_string(classes, ARRAY_SIZE(classes), strsep(&text, " "));
	u32 bits = 0;

	if (class < 0 || (text && kstrtou32(strim(text), 0, &bits)))
		return -EINVAL;
	return vsp_aer_inject(open->fn, class, bits);
}

static int store_slot(struct vsp_debug_open *open, char *text)
{
	bool plug;

	if (kstrtobool(text, &plug))
		return -EINVAL;
	return plug ? vsp_slot_plug(open->fn->card) : vsp_slot_unplug(open->fn->card);
}

static int store_translate(struct vsp_debug_open *open, char *text)
{
	return kstrtou64(text, 0, &open->iova);
}

/* ---- registers ---- */

static int regs_open(struct inode *inode, struct file *file)
{
	const struct debug_node *node = inode->i_private;

	file->private_data = node->fn;
	return 0;
}

/* Is this one access that a bus would carry out, to a function that is there? */
static int regs_check(const struct vsp_pci_fn *fn, size_t len, loff_t pos)
{
	if (len != 1 && len != 2 && len != 4 && len != 8)
		return -EINVAL;
	if (pos < 0 || pos >= VSP_BAR_SIZE || pos & (len - 1))
		return -EINVAL;
	return READ_ONCE(fn->present) ? 0 : -ENXIO;
}

static u64 regs_get(void __iomem *reg, size_t len)
{
	switch (len) {
	case 1:
		return readb(reg);
	case 2:
		return readw(reg);
	case 4:
		return readl(reg);
	default:
		return readq(reg);
	}
}

static void regs_put(void __iomem *reg, size_t len, u64 val)
{
	switch (len) {
	case 1:
		return writeb(val, reg);
	case 2:
		return writew(val, reg);
	case 4:
		return writel(val, reg);
	default:
		return writeq(val, reg);
	}
}

/* The statistics are published now and then; who asks by hand wants today's. */
static void regs_refresh(struct vsp_pci_fn *fn, loff_t pos)
{
	if (pos >= VSP_BAR_STATS && pos < VSP_BAR_CONFIG)
		vsp_stats_publish(vsp_fn(fn));
}

static ssize_t regs_read_locked(struct vsp_pci_fn *fn, char __user *buf, size_t len,
				loff_t pos)
{
	int ret = regs_check(fn, len, pos);
	__le64 val;

	/* As the end of a file, so that a dump ends. */
	if (pos >= VSP_BAR_SIZE)
		return 0;
	if (ret)
		return ret;
	regs_refresh(fn, pos);
	val = cpu_to_le64(regs_get(fn->bar4 + pos, len));
	return copy_to_user(buf, &val, len) ? -EFAULT : len;
}

static ssize_t regs_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	ssize_t ret = debug_enter(file);

	if (ret)
		return ret;
	ret = regs_read_locked(file->private_data, buf, len, *pos);
	debug_leave(file);
	if (ret > 0)
		*pos += ret;
	return ret;
}

static ssize_t regs_write_locked(struct vsp_pci_fn *fn, const char __user *buf,
				 size_t len, loff_t pos)
{
	int ret = regs_check(fn, len, pos);
	__le64 val = 0;

	if (ret)
		return ret;
	if (copy_from_user(&val, buf, len))
		return -EFAULT;
	regs_put(fn->bar4 + pos, len, le64_to_cpu(val));
	return len;
}

static ssize_t regs_write(struct file *file, const char __user *buf, size_t len,
			  loff_t *pos)
{
	ssize_t ret = debug_enter(file);

	if (ret)
		return ret;
	ret = regs_write_locked(file->private_data, buf, len, *pos);
	debug_leave(file);
	if (ret > 0)
		*pos += ret;
	return ret;
}

static loff_t regs_llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, VSP_BAR_SIZE);
}

static const struct file_operations regs_fops = {
	.owner = THIS_MODULE,
	.open = regs_open,
	.read = regs_read,
	.write = regs_write,
	.llseek = regs_llseek,
};

/* ---- directories ---- */

static const struct vsp_debug_file debug_files[] = {
	{ "state",	0400, vsp_debug_show_state },
	{ "msix",	0400, vsp_debug_show_msix },
	{ "aer",	0200, NULL, store_aer },
	/* those of the root port end here */
	{ "link",	0600, vsp_debug_show_link, store_link },
	{ "translate",	0600, vsp_debug_show_translate, store_translate },
	{ "pte",	0600, vsp_debug_show_pte, store_translate },
	{ "window",	0400, vsp_debug_show_window },
	{ "registers",	0600 },
};

#define DEBUG_NR_PORT_FILES	3

static const struct vsp_debug_file debug_slot = {
	"slot", 0600, vsp_debug_show_slot, store_slot
};

/*
 * Errors of debugfs are not errors of the card: a file that cannot be made is
 * not there, and debugfs has said why. The slot goes with its port.
 */
void vsp_debugfs_add(struct vsp_pci_fn *fn)
{
	bool is_port = fn->kind == VSP_PCI_ROOT_PORT;
	unsigned int i, nr = is_port ? DEBUG_NR_PORT_FILES : ARRAY_SIZE(debug_files);
	struct debug_node *nodes = kcalloc(nr + is_port, sizeof(*nodes), GFP_KERNEL);

	if (!nodes)
		return;
	fn->debug_nodes = nodes;
	fn->debug_dir = debugfs_create_dir(vsp_pci_fn_name(fn), debug_root);
	for (i = 0; i < nr; i++) {
		nodes[i].fn = fn;
		nodes[i].file = &debug_files[i];
		debugfs_create_file_unsafe(debug_files[i].name, debug_files[i].mode,
					   fn->debug_dir, &nodes[i],
					   debug_files[i].show || debug_files[i].store ?
					   &text_fops : &regs_fops);
	}
	if (!is_port)
		return;
	nodes[nr].fn = fn;
	nodes[nr].file = &debug_slot;
	debug_slot_dentry = debugfs_create_file_unsafe(debug_slot.name, debug_slot.mode,
						       debug_root, &nodes[nr], &text_fops);
}

void vsp_debugfs_remove(struct vsp_pci_fn *fn)
{
	if (fn->kind == VSP_PCI_ROOT_PORT)
		debugfs_remove(debug_slot_dentry);
	debugfs_remove(fn->debug_dir);
	kfree(fn->debug_nodes);
	fn->debug_dir = NULL;
	fn->debug_nodes = NULL;
}

/* Before the first function, after the last. */
void vsp_debugfs_init(void)
{
	debug_root = debugfs_create_dir("vsp", NULL);
}

void vsp_debugfs_exit(void)
{
	debugfs_remove(debug_root);
	debug_root = NULL;
}
