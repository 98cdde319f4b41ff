/* SPDX-License-Identifier: MIT */
/* What tap.c and its program in the kernel (tap.bpf.c) both read and write. */
#ifndef ENGINE_TAP_TYPES_H
#define ENGINE_TAP_TYPES_H

#include <linux/types.h>

#define TAP_EVENTS 4             /* programs in tap.bpf.c */
#define TAP_WORDS 20             /* of an event's fields, behind the common ones */
#define TAP_TEXT 16              /* bytes of a name whose length varies: TASK_COMM_LEN */
#define TAP_COMMON 8             /* bytes of the common fields (include/linux/trace_events.h) */

/* A tracepoint, as its format file tells; set before the program is loaded. */
struct tap_event {
	__u32 record_bytes;      /* of a whole SAMPLE record */
	__u32 raw_bytes;         /* of its raw data with what fills it up */
	__u32 words;             /* fields of fixed size, in words of 4 bytes */
	__u32 text_word;         /* which of them says where a __data_loc text is */
	__u32 has_text, has_pad;
	__u32 id;                /* common_type */
};

/* What is counted on one CPU. */
struct tap_cpu {
	__u64 unread;            /* bytes since the reader was last woken */
	__u64 untold;            /* lost since the last LOST record */
	__u64 ids[TAP_EVENTS];   /* the counter's, for samples; 0: not on this CPU */
	__u64 lost[TAP_EVENTS];
};

#endif
