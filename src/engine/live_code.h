/* SPDX-License-Identifier: MIT */
/*
 * live_code: what code is mapped where, while it runs, and how to unwind it.
 *
 *	MMAP, FORK, COMM, EXIT records --> per process: [start, end) -> file
 *	files -- a thread of their own --> unwind tables
 *
 * Records of one round come from several rings, so they are taken first, put in order of
 * time, and only then are the round's samples looked up.  An exec begins a new image:
 * samples from before it are looked up in the old one.
 *
 * Tables are made by a thread beside, as files are mapped, so that reading a large one
 * does not keep the rings from being emptied: what is not ready is said to be so. They come
 * from the index, where they are from an earlier time, and are put there.
 *
 * Threads: all calls by one.
 */
#ifndef ENGINE_LIVE_CODE_H
#define ENGINE_LIVE_CODE_H

#include "formats/record.h"
#include "symbols/unwind.h"

struct live_code;
struct live_image;

/*
 * `room` tells whether a round may wait for a table a little longer: what is recorded
 * meanwhile lies in the rings. -EAGAIN if the thread cannot be started.
 */
int live_code_new(struct live_code **out, bool (*room)(void *arg), void *arg, struct err *err);
void live_code_free(struct live_code *code);

/* A mapping is seen before its round: its file's table will be wanted. */
void live_code_expect(struct live_code *code, const struct record *record);

/* Take one side-band record. Others are ignored; the record's bytes are not kept. */
void live_code_take(struct live_code *code, const struct record *record);

/* Make what was taken known, before the samples of the round. */
void live_code_settle(struct live_code *code);
/* Forget what has ended, after the samples of the round. */
void live_code_sweep(struct live_code *code);

/* The image that ran as `pid`, or NULL. Valid until the next settle. */
const struct live_image *live_code_image(const struct live_code *code, uint32_t pid,
					 uint64_t time_ns);
/* A number that is the image's own and changes with its mappings. */
uint64_t live_image_space(const struct live_image *image);

/*
 * What stands at an address. False: the file's table is not made yet (it is waited for a
 * little).
 */
bool live_code_at(struct live_code *code, const struct live_image *image, uint64_t addr,
		  struct unwind_code *out);
/* Bytes that the file maps read-only there. */
bool live_code_read(struct live_code *code, const struct live_image *image, uint64_t addr, void *out,
		    size_t size);

#endif
