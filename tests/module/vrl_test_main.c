// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrl_test.ko: vringh-lib as the kernel compiles it, against the vectors of
 * tests/vectors. The sources of both are compiled into this module (Kbuild).
 * Reading /sys/kernel/debug/vrl_test/tap runs all of them and says how it went.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "vectors/vectors.h"

/* Room for all lines at once, or seq_file would run the vectors again. */
#define TAP_BYTES	SZ_64K

static struct dentry *vrl_test_dir;

void *vec_alloc(unsigned long size)
{
	return kvzalloc(size, GFP_KERNEL);
}

void vec_free(void *p)
{
	kvfree(p);
}

static void vrl_test_say(struct seq_file *m, unsigned int nr, const char *kind,
			 const char *name, int ret, const struct vec_result *r)
{
	if (ret)
		seq_printf(m, "# %s %u: %s: %lld, wanted %lld\n", r->where, r->step,
			   r->what, r->got, r->want);
	seq_printf(m, "%sok %u - %s%s\n", ret ? "not " : "", nr, kind, name);
}

static int vrl_test_show(struct seq_file *m, void *unused)
{
	static const char *const kind[] = { "split_", "packed_" };
	const struct vec_script *s;
	const struct vec_chain *c;
	struct vec_result r = { };
	unsigned int i, nr = 0;

	for (i = 0; vec_chain_tables[i]; i++)
		for (c = vec_chain_tables[i]; c->name; c++)
			vrl_test_say(m, ++nr, "", c->name, vec_chain_run(c, &r), &r);
	for (i = 0; vec_script_tables[i]; i++)
		for (s = vec_script_tables[i]; s->name; s++)
			vrl_test_say(m, ++nr, kind[i], s->name, vec_script_run(s, &r), &r);
	seq_printf(m, "1..%u\n", nr);
	return 0;
}

static int vrl_test_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, vrl_test_show, NULL, TAP_BYTES);
}

static const struct file_operations vrl_test_fops = {
	.owner		= THIS_MODULE,
	.open		= vrl_test_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int __init vrl_test_init(void)
{
	vrl_test_dir = debugfs_create_dir("vrl_test", NULL);
	debugfs_create_file("tap", 0400, vrl_test_dir, NULL, &vrl_test_fops);
	return 0;
}
module_init(vrl_test_init);

static void __exit vrl_test_exit(void)
{
	debugfs_remove(vrl_test_dir);
}
module_exit(vrl_test_exit);

MODULE_DESCRIPTION("Test of vringh-lib as the kernel compiles it");
MODULE_AUTHOR("The vdpa_sim_pcie authors");
MODULE_LICENSE("GPL");
