/* SPDX-License-Identifier: MIT */
/*
 * script_priv: what script.c (samples and records) and script_place.c (addresses and call
 * chains in words) share.  Not for others.
 */
#ifndef VIEW_SCRIPT_PRIV_H
#define VIEW_SCRIPT_PRIV_H

#include "arch/arch.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/vec.h"
#include "formats/tracepoint.h"
#include "profile/resolve.h"
#include "profile/user_stack.h"
#include "profile/who.h"
#include "view/script.h"
#include "view/script_insn.h"
#include "view/script_parts.h"

#define CHAIN_MAX (65536 / 8)

/* A command as it stands before a sample. */
struct comm_text {
	uint64_t of;             /* its id + 1 and how it is padded; 0: nothing is kept here */
	size_t len;
	char text[96];
};

#define COMM_SLOTS 64u

/* A frame of a chain as it was put into words for events with these fields. */
struct frame_text {
	const char *text;
	uint32_t len;
	uint64_t fields;
};

struct script {
	const struct recording *recording;
	struct script_options options;
	uint64_t *fields;                /* per event */
	struct tracepoints *tracepoints;
	struct resolver *resolver;
	const struct arch *arch;
	struct user_stack *stacks;
	char **event_texts;              /* "    name: ", all of one width */
	uint64_t first_ns, last_ns;
	uint64_t unwind_stops[UNWIND_STOP_COUNT], stack_dumps;
	struct reads reads;
	struct day_clock day_clock;      /* for `tod` */
	size_t data_src_width;
	uint64_t *samples;               /* written, per event */
	bool has_switch, is_off;         /* --switch-on, --switch-off */
	struct str line;                 /* samples put together and not yet written */
	struct who_cache who;
	struct comm_text comms[COMM_SLOTS];      /* by their ids */
	/*
	 * Most chains, places and names come again and again: each is put into words
	 * once. The texts are dropped when they take too much memory.
	 */
	struct arena texts;
	struct map64 text_of;            /* hash of what it says -> struct text * */
	struct chain_frame chain[CHAIN_MAX];
	struct script_insns *insns;      /* made when first asked for */
	VEC(struct frame_text) frames;   /* by the tag of their place */
	struct arena frame_texts;
};

/* An address by its function and binary, as far as the fields ask for them. */
void script_add_place(struct script *script, const struct place *place, uint64_t fields);

/* What a sample points at. */
void script_add_addr(struct script *script, const struct sample *sample, const struct image *image,
		     uint64_t fields);

/* Branch records. */
void script_add_branches(struct script *script, const struct sample *sample,
			 const struct image *image, uint64_t fields);

/* Where a sample was taken; with `chain`, all of its call chain, a line each. */
void script_add_ip(struct script *script, const struct sample *sample, const struct who *who,
		   uint64_t fields, bool chain);

#endif
