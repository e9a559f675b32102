// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a card says of itself in words: vital product data, and the serial number
 * as the number that the Device Serial Number capability has room for.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <string.h>
#endif

#include "config_space.h"

#define VPD_TAG_NAME		0x82
#define VPD_TAG_READ_ONLY	0x90
#define VPD_TAG_END		0x78

static u8 *vpd_tag(u8 *p, u8 tag, unsigned int len)
{
	*p++ = tag;
	*p++ = len & 0xff;
	*p++ = len >> 8;
	return p;
}

static u8 *vpd_field(u8 *p, const char *key, const char *val, unsigned int len)
{
	*p++ = key[0];
	*p++ = key[1];
	*p++ = len;
	memcpy(p, val, len);
	return p + len;
}

int vsp_cfg_build_vpd(u8 *buf, unsigned int size, const char *name,
		      const char *part, const char *serial)
{
	size_t name_len = strlen(name), pn = strlen(part), sn = strlen(serial);
	size_t used, pad, total;
	u8 *p = buf, *q, sum = 0;

	if (name_len > 0x7fff || pn > 255 || sn > 255)
		return -ENOSPC;
	/* Two large tags, three field headers, checksum, end tag. */
	used = 3 + name_len + 3 + 3 + pn + 3 + sn + 3 + 1 + 1;
	pad = -used & 3;
	total = used + pad;
	if (total > size)
		return -ENOSPC;

	memset(buf, 0, total);
	p = vpd_tag(p, VPD_TAG_NAME, name_len);
	memcpy(p, name, name_len);
	p = vpd_tag(p + name_len, VPD_TAG_READ_ONLY, 3 + pn + 3 + sn + 3 + 1 + pad);
	p = vpd_field(p, "PN", part, pn);
	p = vpd_field(p, "SN", serial, sn);
	/* All bytes from the first one to this checksum add up to 0. */
	*p++ = 'R';
	*p++ = 'V';
	*p++ = 1 + pad;
	for (q = buf; q < p; q++)
		sum += *q;
	*p = -sum;
	buf[total - 1] = VPD_TAG_END;
	return total;
}

/*
 * Bits 63 to 40 are the company: locally administered, then 'V', 'S'. The rest is
 * FNV-1a of the text, folded, so that another serial gives another number.
 */
u64 vsp_cfg_serial_number(const char *serial)
{
	u64 hash = 0xcbf29ce484222325ULL;

	for (; *serial; serial++)
		hash = (hash ^ (u8)*serial) * 0x100000001b3ULL;
	return 0x025653ULL << 40 | ((hash ^ hash >> 40) & 0xffffffffffULL);
}
