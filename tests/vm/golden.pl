#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# golden.pl KIND: `lspci -vvv -xxxx` of one function on standard input, without
# what differs from boot to boot and between kernels: where the BARs lie, which
# interrupt and CPU the root port's message goes to, the IOMMU group, modules at
# hand. Bytes become "..", numbers "N".

use strict;
use warnings;

# First and last byte of what varies, by kind of function.
my %varies = (
	port => [[0x24, 0x2f],		# prefetchable window
		 [0x3c, 0x3c],		# interrupt line, the firmware's
		 [0x54, 0x5d]],		# message address and data
	pf   => [[0x10, 0x27],		# BARs
		 [0x3c, 0x3c],
		 [0x244, 0x24b]],	# VF BAR 4
	vf   => [[0x3c, 0x3c]],
);
my $kind = shift // '';
my $ranges = $varies{$kind} or die "usage: golden.pl port|pf|vf\n";
my %hidden = map { $_ => 1 } map { $_->[0] .. $_->[1] } @$ranges;

# The address is not worth a line; its type bits are.
if ($kind eq 'pf') {
	delete $hidden{$_} for 0x10 .. 0x17;
}

sub hex_line {
	my ($at, @bytes) = @_;
	my $base = hex $at;
	for my $i (0 .. $#bytes) {
		$bytes[$i] = '..' if $hidden{$base + $i};
	}
	return "$at: @bytes\n";
}

print "# SPDX-License-Identifier: GPL-2.0-only\n",
	"# lspci -D -vvv -xxxx of the card's $kind, through tests/vm/golden.pl\n";
while (<STDIN>) {
	s/\s+$/\n/;
	next if /^\t(?:IOMMU group|Kernel modules):/;
	s/(Memory at) [0-9a-f]+/$1 N/;
	s/(memory behind bridge:) [0-9a-f]+-[0-9a-f]+ \[size=\w+\]/$1 N-N/i;
	s/(routed to IRQ) \d+/$1 N/;
	s/(Address:) [0-9a-f]+(\s+Data:) [0-9a-f]+/$1 N$2 N/;
	s/(NUMA node:) \d+/$1 N/;
	if (/^([0-9a-f]+):((?: [0-9a-f]{2}){16})$/) {
		my ($at, $bytes) = ($1, $2);
		my $line = hex_line($at, split ' ', $bytes);
		# Most of the 4 KiB is nothing.
		next if $line =~ /^\w+:(?: 00)+$/;
		$_ = $line;
	}
	print;
}
