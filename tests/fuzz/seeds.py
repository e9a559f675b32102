#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
"""Write the hand-made inputs of chain_fuzz: rings that break one rule only.

Random bytes break many rules at once, so a check that has gone missing would
hide behind the next one. Usage: seeds.py FOLDER
"""
import pathlib
import struct
import sys

NEXT, WRITE, INDIRECT = 1, 2, 4
OPT_INDIRECT, OPT_REWRITE = 0x01, 0x04
NUM_SHIFT = 2


def ring(descs, table=(), opt=OPT_INDIRECT | OPT_REWRITE, heads=(0,), big=True):
    """One input: struct head, avail ring, descriptors, table memory."""
    num = 1 << NUM_SHIFT
    room = 0 if big else 2
    head = struct.pack("<8BH", NUM_SHIFT, opt, room, room, 16, 255, len(heads), 0, 0)
    avail = struct.pack("<2H", 0, 0) + b"".join(struct.pack("<H", h) for h in heads)
    avail = avail.ljust(6 + 2 * num, b"\0")
    body = b"".join(struct.pack("<QIHH", *d) for d in descs).ljust(16 * num, b"\0")
    memory = b"".join(struct.pack("<QIHH", *d) for d in table)
    return head + avail + body + memory


DATA = (0x1000, 60, 0, 0)
FIRST = (0x1000, 12, NEXT, 1)
TOP = (1 << 64) - 16

SEEDS = {
    "good-single": ring([DATA, (0x2000, 1526, WRITE, 0)], heads=(0, 1)),
    "good-chain": ring([FIRST, (0x2000, 60, NEXT, 2), (0x3000, 1, WRITE, 0)]),
    "good-indirect": ring([(0, 32, INDIRECT, 0)], [FIRST, DATA]),
    "good-mixed": ring([FIRST, (0, 32, INDIRECT, 0), (0, 16, INDIRECT, 0), DATA],
                       [FIRST, DATA], heads=(0, 3, 2)),
    "bad-chain-loop": ring([FIRST, (0x2000, 60, NEXT, 0)]),
    "bad-chain-order": ring([(0x1000, 60, NEXT | WRITE, 1), DATA]),
    "bad-chain-next": ring([(0x1000, 60, NEXT, 4)]),
    "bad-chain-bytes": ring([(0, 0xffffffff, NEXT, 1), DATA]),
    "bad-chain-wrap": ring([FIRST, (TOP, 17, 0, 0)]),
    "bad-head": ring([DATA], heads=(4,)),
    "bad-indirect-off": ring([(0, 32, INDIRECT, 0)], [FIRST, DATA], opt=0),
    "bad-indirect-next": ring([(0, 32, INDIRECT | NEXT, 1), DATA], [FIRST, DATA]),
    "bad-indirect-len": ring([(0, 40, INDIRECT, 0)], [FIRST, DATA, DATA]),
    "bad-table-nested": ring([(0, 16, INDIRECT, 0)], [(0x1000, 16, INDIRECT, 0)]),
    "bad-table-loop": ring([(0, 32, INDIRECT, 0)], [FIRST, (0x1000, 1, NEXT, 0)]),
    "bad-table-next": ring([(0, 16, INDIRECT, 0)], [FIRST, DATA]),
    "bad-table-zero": ring([(0, 32, INDIRECT, 0)], [FIRST, (0x1000, 0, 0, 0)]),
    "full-segments": ring([DATA] * 4, heads=(0, 1, 2, 3), big=False),
    "full-table": ring([(0, 48, INDIRECT, 0)], [FIRST, (0, 1, NEXT, 2), DATA], big=False),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)


main()
