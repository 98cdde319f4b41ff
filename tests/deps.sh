#!/bin/bash
# What building, the demo, the tests and their guests need, and where Debian has it.
#
#	tests/deps.sh demo|check|bench|lint|fuzz
#
# Nothing is done when nothing is missing. As root on a system with apt-get the
# missing packages are installed; otherwise the line to run is printed and the
# exit status is 1.
set -u

# for    package           how to see that it is there
list='
demo     gcc               command -v ${CC:-gcc}
demo     libc6-dev         test -e /usr/include/stdio.h
demo     pkg-config        command -v pkg-config
demo     libelf-dev        pkg-config --exists libelf
demo     libdw-dev         pkg-config --exists libdw
demo     libcapstone-dev   pkg-config --exists capstone
demo     libncurses-dev    pkg-config --exists ncursesw
demo     libzstd-dev       pkg-config --exists libzstd
demo     zlib1g-dev        pkg-config --exists zlib
demo     libtraceevent-dev pkg-config --exists libtraceevent
demo     libxxhash-dev     pkg-config --exists libxxhash
demo     liblzma-dev       pkg-config --exists liblzma
demo     libiberty-dev     test -e /usr/include/libiberty/demangle.h
demo     libpfm4-dev       test -e /usr/include/perfmon/pfmlib_perf_event.h
check    clang             command -v clang
check    libbpf-dev        pkg-config --exists libbpf
demo     perl-base         command -v perl
check    libcmocka-dev     pkg-config --exists cmocka
check    bats              command -v bats
check    linux-perf        command -v perf
check    binutils          command -v nm
check    procps            command -v ps
check    tmux              command -v tmux
check    groff-base        command -v groff
check    libxml2-utils     command -v xmllint
check    xz-utils          command -v xz
check    g++               command -v g++
check    mount             command -v mount
check    libcap2-bin       command -v setcap
check    util-linux        command -v setpriv
check    clang             command -v clang++
check    llvm              command -v llvm-dwp && command -v llvm-addr2line
check    dwz               command -v dwz
check    elfutils          command -v eu-addr2line
check    gcc-aarch64-linux-gnu command -v aarch64-linux-gnu-gcc
check    protobuf-compiler command -v protoc
check    python3           python3 -c "import http.server"
check    libdebuginfod1    ldconfig -p | grep -q libdebuginfod.so.1
check    valgrind          command -v callgrind_annotate
vm       qemu-system-arm   command -v qemu-system-aarch64
vm       cpio              command -v cpio
bench    libunwind-dev     pkg-config --exists libunwind-generic
bench    redis-server      command -v redis-server
bench    redis-tools       command -v redis-benchmark
bench    xxhash            command -v xxhsum
lint     cppcheck          command -v cppcheck
lint     clang-tidy        command -v clang-tidy
fuzz     libclang-rt-14-dev ls "$(clang -print-runtime-dir)"/libclang_rt.fuzzer*.a
'

want=${1:-check}
missing=()
while read -r tier package probe; do
	[[ -z $tier ]] && continue
	case $want:$tier in
	*:demo | check:check | bench:check | bench:bench | lint:check | lint:lint | fuzz:check | fuzz:fuzz | vm:check | vm:vm) ;;
	*) continue ;;
	esac
	eval "$probe" >/dev/null 2>&1 || missing+=("$package")
done <<<"$list"

((${#missing[@]} == 0)) && exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
	echo "missing here, by their Debian names: ${missing[*]}" >&2
	exit 1
fi
if [[ $(id -u) != 0 ]]; then
	echo "some packages are missing; run this, then make $want again:" >&2
	echo "  sudo apt-get update && sudo $install" >&2
	exit 1
fi

echo "installing what is missing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A mirror may fail for a moment, and another apt may be at work.
patient="-o Acquire::Retries=5 -o DPkg::Lock::Timeout=600"
for again in 10 30 0; do
	# shellcheck disable=SC2086 # words
	apt-get $patient update </dev/null >"$log" 2>&1
	# shellcheck disable=SC2086
	$install $patient </dev/null >>"$log" 2>&1 && exit 0
	((again == 0)) || { echo "once more in $again s: $(tail -n 1 "$log")"; sleep $again; }
done
tail -n 20 "$log" >&2
echo "could not install them; the line was: apt-get update && $install" >&2
exit 1
