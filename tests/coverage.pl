#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# coverage.pl DIRECTORY LEAST: which lines of vringh-lib have run, from all that
# gcov finds below DIRECTORY. The same source may be part of many programs, some
# of which have it compiled into themselves: a line counts if any of them ran it.
# A table per file, the lines that never ran, and failure below LEAST percent.

use strict;
use warnings;
use File::Find;
use JSON::PP;

my ($dir, $least) = @ARGV;
die "usage: coverage.pl DIRECTORY LEAST\n" unless defined $least;

my (@data, %ran);
find({ no_chdir => 1, wanted => sub { push @data, $_ if /\.gcda$/ } }, $dir);
die "coverage: nothing has run below $dir\n" unless @data;

for my $data (sort @data) {
	open(my $gcov, '-|', 'gcov', '--json-format', '--stdout', $data)
		or die "coverage: gcov: $!\n";
	my @reports = <$gcov>;
	close($gcov) or die "coverage: gcov failed on $data\n";
	for my $report (grep { /\S/ } @reports) {
		for my $file (@{decode_json($report)->{files}}) {
			next unless $file->{file} =~ m{vringh-lib/(?:src|include/vrl)/([^/]+)$};
			$ran{$1}{$_->{line_number}} += $_->{count} for @{$file->{lines}};
		}
	}
}

# 3-5 7 9-9 as words.
sub ranges {
	my @words;

	for my $line (@_) {
		if (@words && $words[-1][1] == $line - 1) {
			$words[-1][1] = $line;
		} else {
			push @words, [$line, $line];
		}
	}
	return join ' ', map { $_->[0] == $_->[1] ? $_->[0] : "$_->[0]-$_->[1]" } @words;
}

my ($all, $good) = (0, 0);
printf "%-22s %6s %6s %7s  %s\n", 'vringh-lib', 'lines', 'run', '%', 'never run';
for my $name (sort keys %ran) {
	my @lines = sort { $a <=> $b } keys %{$ran{$name}};
	my @never = grep { !$ran{$name}{$_} } @lines;
	my $run = @lines - @never;

	$all += @lines;
	$good += $run;
	printf "%-22s %6d %6d %7.1f  %s\n", $name, scalar @lines, $run,
		100 * $run / @lines, ranges(@never);
}
my $percent = 100 * $good / $all;
printf "%-22s %6d %6d %7.1f\n", 'all', $all, $good, $percent;
if ($percent < $least) {
	printf STDERR "coverage: %.1f %%, wanted at least %s %%\n", $percent, $least;
	exit 1;
}
