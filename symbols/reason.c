/* SPDX-License-Identifier: MIT */
#include "symbols/symbols.h"

static const struct {
	const char *text, *advice;
} reasons[NAME_REASON_COUNT] = {
	[NAME_OK] = { "named", "" },
	[NAME_NO_MAP] = {
		"no mapping was recorded at the address",
		"the code was unmapped or mapped before the recording knew of it; record from the "
		"program's start, or attach with -p",
	},
	[NAME_NO_FILE] = {
		"the mapped file cannot be opened here",
		"report on the machine that was recorded, or give its files with --symfs DIR",
	},
	[NAME_FILE_CHANGED] = {
		"the file here is not the one that ran: its build-id differs",
		"put the recorded version back, or install its debug package under /usr/lib/debug",
	},
	[NAME_NOT_ELF] = {
		"the mapped file is not an ELF file",
		"its code is made at run time: let the program write a /tmp/perf-PID.map",
	},
	[NAME_STRIPPED] = {
		"the file is stripped of all symbols",
		"install its debug package, or build it without -s",
	},
	[NAME_NO_SYMBOL] = {
		"no symbol of the file covers the address",
		"install the file's debug package for its local functions",
	},
	[NAME_ANON] = {
		"anonymous memory: code made at run time",
		"let the program write a /tmp/perf-PID.map (java: -XX:+PreserveFramePointer with an "
		"agent, node: --perf-basic-prof, python: -X perf)",
	},
	[NAME_KERNEL_HIDDEN] = {
		"the kernel hides its addresses",
		"record and report as root, or run first: sysctl kernel.kptr_restrict=0",
	},
	[NAME_KERNEL_OTHER] = {
		"another kernel was recorded than the one that runs here",
		"report under the recorded kernel, or give its names with --kallsyms FILE or "
		"-k VMLINUX",
	},
	[NAME_KERNEL_ADDR] = {
		"a kernel address outside of all known kernel code",
		"a module or BPF program that has been unloaded since; report while it is loaded",
	},
	[NAME_JIT_NO_MAP] = {
		"code made at run time, by a program that does not tell its names",
		"let it write a /tmp/perf-PID.map or jitdump: node --perf-basic-prof, python3.12 "
		"-X perf, java with perf-map-agent or libperf-jvmti.so; while it is recorded",
	},
	[NAME_JIT_REFUSED] = {
		"the file with the names of code made at run time is not believed",
		"it is a link, everybody may write to it, or it is another user's file than the "
		"program's: report while the program runs, as its user or as root (-v tells which file)",
	},
	[NAME_JIT_UNKNOWN] = {
		"code made at run time that its perf-PID.map or jitdump does not name",
		"the file was cut short, is of an earlier process with that number, or the program "
		"names only a part (node: add --interpreted-frames-native-stack)",
	},
	[NAME_NOT_CODE] = {
		"the memory there is not executable: the address is not that of code",
		"call chains of code without frame pointers lead there: record with --call-graph dwarf",
	},
};

const char *name_reason_text(enum name_reason reason)
{
	return (unsigned)reason < NAME_REASON_COUNT ? reasons[reason].text : "";
}

const char *name_reason_advice(enum name_reason reason)
{
	return (unsigned)reason < NAME_REASON_COUNT ? reasons[reason].advice : "";
}
