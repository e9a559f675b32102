#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The static checks. Each is a function check_<name> that prints its findings
# and fails if there are any; the output is TAP. Without arguments all run.

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1

readonly MAX_FILE=500 MAX_FUNCTION=80 MAX_LINE=100

usage() {
	cat <<-END
	Usage: scripts/check.sh [--list | CHECK...]

	Static checks of the tree, in TAP. --list prints their names.
	END
}

# ---- which files ------------------------------------------------------------

# Every file of the project: tracked, or new and not ignored.
project_files() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . \( -name .git -o -name build \) -prune -o -type f -printf '%P\n'
	fi | while read -r file; do
		[[ -f $file ]] && printf '%s\n' "$file"
	done | sort
}

# Inputs of the fuzzers are bytes, licence texts are as their authors wrote them.
text_files() {
	printf '%s\n' "${FILES[@]}" | grep -v -e '^LICENSES/' -e '^tests/fuzz/corpus/'
}

c_files() {
	printf '%s\n' "${FILES[@]}" | grep '\.[ch]$'
}

shell_files() {
	text_files | while read -r file; do
		case $file in
		*.sh) printf '%s\n' "$file" && continue ;;
		esac
		head -n 1 "$file" | grep -qE '^#!.*[/ ](ba)?sh( |$)' && printf '%s\n' "$file"
	done
	return 0
}

# ---- the checks ---------------------------------------------------------------

# Licence that a file must carry, by folder.
licence_of() {
	case $1 in
	vdpa_sim_pcie/uapi/* | vdpa_sim_pcie/hw/regs.h)
		echo '(GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause' ;;
	vringh-lib/*) echo 'GPL-2.0-only OR BSD-3-Clause' ;;
	dpdk-app/*) echo 'BSD-3-Clause' ;;
	*) echo 'GPL-2.0-only' ;;
	esac
}

check_spdx() {
	local file line want status=0

	while read -r file; do
		line=$(head -n 3 "$file" | grep -m 1 'SPDX-License-Identifier: ')
		line=${line##*SPDX-License-Identifier: }
		line=${line% \*/} line=${line% -->} line=${line% \*)}
		want=$(licence_of "$file")
		[[ $line == "$want" ]] && continue
		[[ ${file##*/} == Makefile && $line == GPL-2.0-only ]] && continue
		printf '%s: has "%s", wants "%s"\n' "$file" "$line" "$want"
		status=1
	done < <(text_files)
	return "$status"
}

# What .clang-format would do to the whitespace, without its opinion on where
# a line is best broken.
check_format() {
	c_files | xargs awk -v max="$MAX_LINE" '
		function say(what) { printf "%s:%d: %s\n", FILENAME, FNR, what; bad = 1 }
		/[ \t]$/ { say("space at the end of the line") }
		/^\t*        [^*]/ { say("eight spaces where a tab belongs") }
		/^ +\t/ || /[^ ] \t[^ ]/ { say("space before a tab") }
		/\r$/ { say("carriage return") }
		/^[ \t]*(if|for|while|switch)\(/ { say("no space after the keyword") }
		/^\t*(if|for|while|switch|do|else).*[^ ]\{$/ { say("no space before {") }
		/^[a-z].*\) \{$/ && !/[=;]/ { say("brace of a function belongs on its own line") }
		{
			text = $0
			gsub(/\t/, "        ", text)
			# a message is better found whole
			if (length(text) > max &&
			    !(match(text, /"[^"]*"/) && RLENGTH > 20))
				say("longer than " max " columns")
		}
		END { exit bad }'
}

check_text() {
	local status=0

	text_files | xargs grep -nE '[[:blank:]]$' && status=1
	while read -r file; do
		[[ -s $file && -n $(tail -c 1 "$file") ]] || continue
		echo "$file: no newline at the end"
		status=1
	done < <(text_files)
	return "$status"
}

check_codespell() {
	need codespell || return
	text_files | xargs codespell --ignore-words-list=fo,te,inflight,inout,ser,useg
}

check_shellcheck() {
	need shellcheck || return
	# SC2034, SC2164: in a sourced part it cannot see users of a variable, nor set -e.
	shell_files | xargs shellcheck --external-sources --format=gcc \
		--severity=warning --exclude=SC2034,SC2164
}

check_bash_syntax() {
	local file status=0

	while read -r file; do
		bash -n "$file" || status=1
	done < <(shell_files)
	return "$status"
}

# The parameters a kernel-doc comment explains are those of the function below:
# all or, between the files of one folder, none.
check_kernel_doc() {
	c_files | xargs awk '
		function judge(	args, n, i, name, seen) {
			args = proto
			sub(/^[^(]*\(/, "", args)
			sub(/\)[^)]*$/, "", args)
			# a function pointer is one parameter: keep its name only
			while (match(args, /\(\*[a-z_0-9]+\)\([^()]*\)/)) {
				name = substr(args, RSTART + 2)
				sub(/\).*/, "", name)
				args = substr(args, 1, RSTART - 1) name substr(args, RSTART + RLENGTH)
			}
			n = split(args, list, ",")
			for (i = 1; i <= n; i++) {
				name = list[i]
				gsub(/\[[^]]*\]|[ \t]+$/, "", name)
				sub(/.*[^A-Za-z_0-9.]/, "", name)
				if (name == "void" || name == "")
					continue
				seen[name] = 1
				if (nr_documented && !(name in documented))
					say("parameter " name " is not explained")
			}
			for (name in documented)
				if (!(name in seen))
					say("explains " name ", which is no parameter")
		}
		function say(what) { printf "%s:%d: %s: %s\n", FILENAME, start, title, what; bad = 1 }
		FNR == 1 { in_doc = want = 0 }
		/^\/\*\*$/ { in_doc = 1; title = ""; want = 0; start = FNR; split("", documented); nr_documented = 0; next }
		in_doc && title == "" { title = $2; is_fn = title ~ /\(\)$/; next }
		in_doc && /^ \* @[a-z_0-9.]+:/ { name = $2; gsub(/[@:]/, "", name); documented[name] = 1; nr_documented++ }
		in_doc && /^ \*\/$/ { in_doc = 0; want = is_fn; proto = ""; next }
		want {
			proto = proto " " $0
			if (proto ~ /\)[^(,]*[;{]/ || $0 == "{") {
				want = 0
				fn = substr(title, 1, length(title) - 2)
				if (proto !~ ("[ *]" fn "\\("))
					say("the comment does not stand above its function")
				else
					judge()
			}
		}
		END { exit bad }'
}

check_layers() {
	scripts/check-layers.sh
}

check_file_length() {
	text_files | grep -E '\.([ch]|sh|t)$|^scripts/|Makefile$' | xargs wc -l |
		awk -v max="$MAX_FILE" '$2 != "total" && $1 > max {
			print $2 ": " $1 " lines, at most " max; bad = 1 } END { exit bad }'
}

# C functions open with { in the first column, shell functions with name() {.
check_function_length() {
	{ c_files; shell_files; text_files | grep '\.t$' || true; } | sort -u |
		xargs awk -v max="$MAX_FUNCTION" '
		FNR == 1 { start = 0; last = "" }
		/^\{/ { start = FNR; name = last }
		/^[a-z_0-9]+\(\) \{/ { start = FNR; name = $0 }
		/^[a-z].*\(/ { last = $0 }
		/^\}/ && start {
			if (FNR - start - 1 > max) {
				printf "%s:%d: %d lines, at most %d: %s\n",
					FILENAME, start, FNR - start - 1, max, name
				bad = 1
			}
			start = 0
		}
		END { exit bad }'
}

# The registers that the tool knows are those of the BAR's header, under their names.
check_registers() {
	awk '
		FILENAME ~ /regs\.h$/ && /^#define VSP_(REG|STAT)_[A-Z0-9_]+[ \t]/ { known[$2] = 1 }
		FILENAME ~ /regs\.c$/ && match($0, /REG(_X)?\("[a-z0-9_]+", VSP_[A-Z0-9_]+,/) {
			split(substr($0, RSTART, RLENGTH), part, /[",() ]+/)
			name = macro = part[3]
			sub(/^VSP_(REG|STAT)_((VQ|VECTOR)_)?/, "", name)
			if (tolower(name) != part[2] && macro !~ /^VSP_BAR_/) {
				printf "tools/vsp/regs.c: %s is named %s\n", macro, part[2]
				bad = 1
			}
			used[macro] = 1
		}
		END {
			for (macro in known)
				if (!(macro in used)) {
					printf "tools/vsp/regs.c: does not know %s\n", macro
					bad = 1
				}
			exit bad
		}' vdpa_sim_pcie/hw/regs.h tools/vsp/regs.c
}

# Nothing of the machine somebody works on: no absolute place of a checkout, and no
# address but those that a reader of the documents is sent to.
check_machine() {
	local places='(^|[^[:alnum:]_.*-])/(work|home/[a-z]+|mnt|srv|media)/'
	local known='developercertificate\.org|keepachangelog\.com|spdx\.org|docs\.oasis-open\.org'
	local status=0

	text_files | grep -vx 'scripts/check.sh' | xargs grep -nE "$places" && status=1
	text_files | xargs grep -noE '(https?|ftp)://[[:alnum:].-]+' | grep -vE "://($known)$" && status=1
	return "$status"
}

check_todo() {
	! text_files | grep -vx 'scripts/check.sh' | xargs grep -nE '\b(TODO|FIXME|XXX)\b'
}

# Programs that somebody calls; what lab.d copies into its machine is not.
check_executable() {
	local file status=0

	while read -r file; do
		head -n 1 "$file" | grep -q '^#!' || continue
		[[ -x $file ]] && continue
		echo "$file: begins with #! but cannot be executed"
		status=1
	done < <(text_files | grep -v '^scripts/lab.d/')
	return "$status"
}

# Pages of the manual and links between the documents.
check_links() {
	local file target status=0

	while read -r file; do
		while read -r target; do
			[[ -e $(dirname "$file")/$target ]] && continue
			echo "$file: link to $target leads nowhere"
			status=1
		done < <(grep -oE '\]\([^)#]+' "$file" | cut -c3- | grep -v '^https\?:')
	done < <(text_files | grep '\.md$')
	return "$status"
}

# Every `FILE: TEST` of docs/faults.md is in tests/FILE.
check_faults() {
	local file name status=0

	while IFS=: read -r file name; do
		grep -qF -- "${name# }" "tests/$file" 2>/dev/null && continue
		echo "docs/faults.md: no test '${name# }' in tests/$file"
		status=1
	done < <(grep -oE '`(unit|vectors|vm)/[^`:]+: [^`]+`' docs/faults.md | tr -d '`')
	[[ $(grep -cE '^\| [0-9]+ \|' docs/faults.md) -eq 42 ]] && return "$status"
	echo "docs/faults.md: not 42 faults"
	return 1
}

# ---- running ------------------------------------------------------------------

need() {
	command -v "$1" >/dev/null && return
	echo "$1 is missing: run 'scripts/deps lint' as root"
	return 1
}

list_checks() {
	declare -F | awk '$3 ~ /^check_/ { print substr($3, 7) }'
}

main() {
	local name findings n=0 status=0

	case ${1:-} in
	-h | --help) usage && exit 0 ;;
	--list) list_checks && exit 0 ;;
	esac
	[[ $# -gt 0 ]] || mapfile -t all < <(list_checks)
	[[ $# -gt 0 ]] || set -- "${all[@]}"
	mapfile -t FILES < <(project_files)
	echo "1..$#"
	for name in "$@"; do
		n=$((n + 1))
		declare -F "check_$name" >/dev/null || { echo "Bail out! no check $name" && exit 2; }
		if findings=$("check_$name" 2>&1); then
			echo "ok $n - lint: $name"
		else
			echo "not ok $n - lint: $name"
			sed 's/^/# /' <<<"${findings:-(no output)}"
			status=1
		fi
	done
	exit "$status"
}

main "$@"
