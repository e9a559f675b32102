/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The session with the kernel: every system call on /dev/vsp/<function>, and
 * nothing else. Functions here return negative errno values; errno itself does
 * not leave this file.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vsp_priv.h"

#define VSP_DEV_DIR	"/dev/vsp"

/* Ring areas start anywhere in a page; the contract counts in 4 KiB pages. */
#define VSP_PAGE_MASK	((uint64_t)4095)

static int session_error(char *err, int ret, const char *format, ...)
	__rte_format_printf(3, 4);

static int session_error(char *err, int ret, const char *format, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, format);
		vsnprintf(err, VSP_PORT_ERRLEN, format, ap);
		va_end(ap);
	}
	return ret;
}

/*
 * The shape of a PCI address. What matters is that nothing else gets into a
 * path: no slash, no dot but the one before the function number.
 */
static bool session_name_is_valid(const char *name)
{
	unsigned int domain, bus, dev, fn;
	int end = 0;

	if (strspn(name, "0123456789abcdef:.") != strlen(name))
		return false;
	return sscanf(name, "%8x:%2x:%2x.%1x%n", &domain, &bus, &dev, &fn,
		      &end) == 4 && name[end] == '\0';
}

/* "; there are: a b c", or what else a user should know about the directory */
static void session_list(char *buf, size_t len)
{
	struct dirent *entry;
	size_t at = 0;
	DIR *dir;

	dir = opendir(VSP_DEV_DIR);
	if (!dir) {
		snprintf(buf, len, "; there is no %s (is vsp_hw loaded?)",
			 VSP_DEV_DIR);
		return;
	}
	buf[0] = '\0';
	while ((entry = readdir(dir)) && at < len) {
		if (entry->d_name[0] == '.')
			continue;
		at += snprintf(buf + at, len - at, "%s %s",
			       at ? "" : "; there are:", entry->d_name);
	}
	closedir(dir);
	if (!buf[0])
		snprintf(buf, len, "; %s is empty", VSP_DEV_DIR);
}

static int session_open_error(const char *name, int ret, char *err)
{
	char list[VSP_PORT_ERRLEN / 2];

	switch (ret) {
	case -ENOENT:
		session_list(list, sizeof(list));
		return session_error(err, ret, "%s: no such function%s", name, list);
	case -EBUSY:
		return session_error(err, ret,
				     "%s: busy, another backend has this function",
				     name);
	case -EACCES:
	case -EPERM:
		return session_error(err, -EACCES, "%s: no permission to open %s/%s",
				     name, VSP_DEV_DIR, name);
	case -ENODEV:
	case -ENXIO:
		return session_error(err, -ENODEV, "%s: the function has gone", name);
	default:
		return session_error(err, ret, "%s: open: %s", name, strerror(-ret));
	}
}

static int session_check_props(const struct vsp_attach *a, const char *name,
			       char *err)
{
	if (a->device_id != 1)
		return session_error(err, -EPROTO,
				     "%s: virtio device type %u is no network card",
				     name, a->device_id);
	if (!a->nr_vqs || a->nr_vqs > VSP_MAX_VQS || !a->max_copy_segs ||
	    a->nr_vectors > VSP_MAX_VECTORS)
		return session_error(err, -EPROTO,
				     "%s: the kernel reports %u queues, %u vectors, %u copies",
				     name, a->nr_vqs, a->nr_vectors,
				     a->max_copy_segs);
	return 0;
}

static int session_attach(struct vsp_session *s, const char *name, char *err)
{
	struct vsp_attach attach = {
		.version = VSP_CONTRACT_VERSION,
		.backend_features = VSP_BE_F_WINDOW,
	};
	int ret;

	if (ioctl(s->fd, VSP_IOC_ATTACH, &attach)) {
		ret = -errno;
		if (ret == -EPROTO)
			return session_error(err, ret,
					     "%s: the kernel speaks version %u of the backend contract, this program %u",
					     name, attach.version,
					     VSP_CONTRACT_VERSION);
		return session_error(err, ret, "%s: attach: %s", name,
				     strerror(-ret));
	}
	s->props = attach;
	return session_check_props(&attach, name, err);
}

static void *session_mmap(int fd, int prot, size_t len, uint64_t offset)
{
	void *p = mmap(NULL, len, prot, MAP_SHARED, fd, (off_t)offset);

	return p == MAP_FAILED ? NULL : p;
}

int vsp_session_open(struct vsp_session *s, const char *name, char *err)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char path[64];
	int ret;

	memset(s, 0, sizeof(*s));
	s->fd = -1;
	if (!session_name_is_valid(name))
		return session_error(err, -EINVAL,
				     "'%.64s' is not the name of a function, as in 10000:01:00.1",
				     name);
	snprintf(path, sizeof(path), VSP_DEV_DIR "/%s", name);

	s->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (s->fd < 0)
		return session_open_error(name, -errno, err);

	ret = session_attach(s, name, err);
	if (ret)
		goto err_close;

	s->ctl = session_mmap(s->fd, PROT_READ, page, VSP_MMAP_CTL);
	if (!s->ctl) {
		ret = session_error(err, -errno, "%s: mmap of the control page: %s",
				    name, strerror(errno));
		goto err_close;
	}
	s->be = session_mmap(s->fd, PROT_READ | PROT_WRITE, page, VSP_MMAP_BE);
	if (!s->be) {
		ret = session_error(err, -errno, "%s: mmap of the backend page: %s",
				    name, strerror(errno));
		goto err_unmap_ctl;
	}
	return 0;

err_unmap_ctl:
	munmap((void *)(uintptr_t)s->ctl, page);
err_close:
	close(s->fd);
	s->fd = -1;
	return ret;
}

void vsp_session_close(struct vsp_session *s)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned int i;

	for (i = 0; i < VSP_SESSION_ASIDS; i++) {
		struct vsp_window *w = &s->windows[i];

		if (!w->base)
			continue;
		munmap((void *)(uintptr_t)w->table, VSP_MMAP_IOTLB_SIZE);
		munmap(w->base, s->props.window_size);
		w->base = NULL;
	}
	munmap(s->be, page);
	munmap((void *)(uintptr_t)s->ctl, page);
	close(s->fd);
	s->fd = -1;
}

static int session_ioctl(struct vsp_session *s, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(s->fd, request, arg);
	} while (ret < 0 && errno == EINTR);

	return ret < 0 ? -errno : ret;
}

int vsp_session_get_state(struct vsp_session *s, struct vsp_state *state)
{
	memset(state, 0, sizeof(*state));
	return session_ioctl(s, VSP_IOC_GET_STATE, state);
}

int vsp_session_get_vq(struct vsp_session *s, uint32_t index,
		       struct vsp_vq_state *state)
{
	memset(state, 0, sizeof(*state));
	state->index = index;
	return session_ioctl(s, VSP_IOC_GET_VQ, state);
}

int vsp_session_map_ring(struct vsp_session *s, uint32_t index,
			 enum vsp_ring_area area, uint64_t iova, size_t len,
			 struct vsp_ring_map *map)
{
	const size_t offset = iova & VSP_PAGE_MASK;
	const int prot = area == VSP_RING_DEVICE ? PROT_READ | PROT_WRITE : PROT_READ;

	map->len = RTE_ALIGN_CEIL(offset + len, VSP_PAGE_MASK + 1);
	map->base = session_mmap(s->fd, prot, map->len, VSP_MMAP_RING(index, area));
	if (!map->base)
		return -errno;

	map->area = RTE_PTR_ADD(map->base, offset);
	return 0;
}

void vsp_session_unmap_ring(struct vsp_ring_map *map)
{
	if (map->base)
		munmap(map->base, map->len);
	memset(map, 0, sizeof(*map));
}

/* Costs address space alone: the kernel fills in what is touched. */
static int session_map_window(struct vsp_session *s, uint32_t asid)
{
	struct vsp_window *w = &s->windows[asid];
	void *base;
	int ret;

	base = mmap(NULL, s->props.window_size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_NORESERVE, s->fd,
		    (off_t)VSP_MMAP_WINDOW(asid));
	if (base == MAP_FAILED)
		return -errno;
	w->table = session_mmap(s->fd, PROT_READ, VSP_MMAP_IOTLB_SIZE,
				VSP_MMAP_IOTLB(asid));
	if (!w->table) {
		ret = -errno;
		munmap(base, s->props.window_size);
		return ret;
	}
	w->base = base;
	return 0;
}

int vsp_session_window(struct vsp_session *s, uint32_t asid, struct vrl_mem *mem)
{
	int ret;

	if (!(s->props.backend_features & VSP_BE_F_WINDOW))
		return -EOPNOTSUPP;
	if (asid >= RTE_MIN(s->props.nr_asids, (uint32_t)VSP_SESSION_ASIDS))
		return -EINVAL;
	if (!s->windows[asid].base) {
		ret = session_map_window(s, asid);
		if (ret)
			return ret;
	}
	return vrl_mem_attach(mem, s->windows[asid].table, VSP_MMAP_IOTLB_SIZE,
			      s->windows[asid].base);
}

int vsp_session_next_event(struct vsp_session *s, struct vsp_event *event)
{
	ssize_t n;

	do {
		n = read(s->fd, event, sizeof(*event));
	} while (n < 0 && errno == EINTR);

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n == (ssize_t)sizeof(*event) ? 1 : -EPROTO;
}

int vsp_session_ack(struct vsp_session *s, uint64_t seq)
{
	struct vsp_ack ack = { .seq = seq };

	return session_ioctl(s, VSP_IOC_ACK, &ack);
}

int vsp_session_copy(struct vsp_session *s, struct vsp_copy_seg *segs,
		     unsigned int nr)
{
	struct vsp_copy copy;
	int faults = 0;
	int ret;

	while (nr) {
		memset(&copy, 0, sizeof(copy));
		copy.segs = (uintptr_t)segs;
		copy.nr_segs = RTE_MIN(nr, s->props.max_copy_segs);
		ret = session_ioctl(s, VSP_IOC_COPY, &copy);
		if (ret < 0)
			return ret;
		faults += ret;
		segs += copy.nr_segs;
		nr -= copy.nr_segs;
	}
	return faults;
}

int vsp_session_raise(struct vsp_session *s, uint64_t vectors)
{
	struct vsp_raise raise = { .vectors = vectors };

	return session_ioctl(s, VSP_IOC_RAISE, &raise);
}

int vsp_session_set_link(struct vsp_session *s, bool up, uint32_t speed_mbps)
{
	struct vsp_link link = { .up = up, .speed_mbps = speed_mbps };

	return session_ioctl(s, VSP_IOC_SET_LINK, &link);
}

int vsp_session_needs_reset(struct vsp_session *s, uint32_t index, uint32_t why)
{
	struct vsp_needs_reset reset = { .index = index, .why = why };

	return session_ioctl(s, VSP_IOC_NEEDS_RESET, &reset);
}
