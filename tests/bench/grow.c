/* SPDX-License-Identifier: MIT */
/*
 * grow: a recording of N samples out of a small one, as if the same had gone on.
 *
 *	grow [-k] IN OUT N
 *
 *	in   |--- a ---|                     first to last time
 *	out  |--- a ---|--- a' --|--- a''-   until N samples are written
 *
 * Each copy is moved on in time by the length of the first. Its samples and the
 * side-band of what happened meanwhile (FORK, EXIT, COMM, MMAP) go along; what the
 * recorder made up about the state before (records without a time) stands once.
 * Processes and threads that were born in the recording get other numbers in each
 * copy, so that a compile of a minute becomes a compile of an hour with sixty times as
 * many processes; those that were there before go on under their numbers as they are
 * and do not end. With -k all numbers stay (tracepoints repeat them in their fields): a number is
 * then given again and again, as on a machine that has been up for long.
 *
 * IN is a seekable recording of this byte order, not compressed, whose events all have
 * their TID and TIME in one place. Sections before the data stay, feature sections
 * behind it move, and the time of the last sample in them is set.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FINISHED_ROUND 68u
#define FEATURE_SAMPLE_TIME 21
#define TIDS_MAX 65536u

struct section { uint64_t off, size; };

/* tools/perf/Documentation/perf.data-file-format.txt of Linux 6.12 */
struct file_header {
	char magic[8];
	uint64_t size, attr_size;
	struct section attrs, data, event_types;
	uint64_t features[4];
};

struct recording {
	const uint8_t *map;
	size_t size;
	struct file_header header;
	uint64_t sample_type;
	bool sample_id_all, keep_ids;
	int sample_tid, sample_time;     /* words from the body's start; -1: not there */
	int trailer_tid, trailer_time;   /* words from the record's end */
	uint64_t first_ns, last_ns, nr_samples;
	bool born[TIDS_MAX];             /* threads that were forked meanwhile */
	uint32_t low, high;              /* their numbers, high exclusive */
};

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("grow: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static uint64_t word_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void add_word(uint8_t *p, uint64_t n)
{
	n += word_at(p);
	memcpy(p, &n, sizeof(n));
}

static struct perf_event_header header_at(const uint8_t *p)
{
	struct perf_event_header h;

	memcpy(&h, p, sizeof(h));
	return h;
}

/* --- the small one ------------------------------------------------------------------- */

/* Where words stand: perf_event.h, PERF_RECORD_SAMPLE and struct sample_id. */
static void lay_out(struct recording *r)
{
	static const uint64_t before[] = { PERF_SAMPLE_IDENTIFIER, PERF_SAMPLE_IP };
	static const uint64_t behind[] = { PERF_SAMPLE_ID, PERF_SAMPLE_STREAM_ID, PERF_SAMPLE_CPU,
					   PERF_SAMPLE_IDENTIFIER };
	uint64_t type = r->sample_type;
	int at = 0;

	if (!(type & PERF_SAMPLE_TID) || !(type & PERF_SAMPLE_TIME))
		die("the samples have no thread or no time");
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		at += !!(type & before[i]);
	r->sample_tid = at;
	r->sample_time = at + 1;
	at = 1;
	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
		at += !!(type & behind[i]);
	r->trailer_time = at;
	r->trailer_tid = at + 1;
}

static void read_attrs(struct recording *r)
{
	const uint64_t places = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
				PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |
				PERF_SAMPLE_CPU;
	const struct section *s = &r->header.attrs;

	if (s->off + s->size > r->size || r->header.attr_size < PERF_ATTR_SIZE_VER0 + 16)
		die("its attributes are damaged");
	for (uint64_t at = 0; at + r->header.attr_size <= s->size; at += r->header.attr_size) {
		struct perf_event_attr attr = { 0 };
		size_t n = r->header.attr_size - 16;

		memcpy(&attr, r->map + s->off + at, n < sizeof(attr) ? n : sizeof(attr));
		if (at && ((attr.sample_type ^ r->sample_type) & places))
			die("its events have their words in different places");
		r->sample_type = attr.sample_type;
		r->sample_id_all = attr.sample_id_all;
	}
}

static void open_recording(struct recording *r, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		die("cannot open '%s': %s", path, strerror(errno));
	r->size = (size_t)st.st_size;
	r->map = mmap(NULL, r->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (r->size < sizeof(r->header) || r->map == MAP_FAILED)
		die("cannot read '%s'", path);
	memcpy(&r->header, r->map, sizeof(r->header));
	if (memcmp(r->header.magic, "PERFILE2", 8) != 0 || r->header.size != sizeof(r->header) ||
	    r->header.data.off + r->header.data.size > r->size)
		die("'%s' is not a seekable perf.data file of this byte order", path);
	read_attrs(r);
	lay_out(r);
}

/* The time of a record, or 0: none, or made up by the recorder. */
static uint64_t time_of(const struct recording *r, const uint8_t *p)
{
	struct perf_event_header h = header_at(p);

	if (h.type == PERF_RECORD_SAMPLE)
		return word_at(p + sizeof(h) + r->sample_time * 8);
	if (h.type >= 64 || !r->sample_id_all || h.size < (unsigned)r->trailer_tid * 8 + sizeof(h))
		return 0;
	return word_at(p + h.size - r->trailer_time * 8);
}

static void note_birth(struct recording *r, uint32_t tid)
{
	if (tid >= TIDS_MAX)
		return;
	r->born[tid] = true;
	if (r->high == 0 || tid < r->low)
		r->low = tid;
	if (tid >= r->high)
		r->high = tid + 1;
}

static const uint8_t *data_end(const struct recording *r)
{
	return r->map + r->header.data.off + r->header.data.size;
}

static void survey(struct recording *r)
{
	const uint8_t *end = data_end(r);

	for (const uint8_t *p = r->map + r->header.data.off; p < end; p += header_at(p).size) {
		struct perf_event_header h = header_at(p);
		uint64_t t;

		if (end - p < (ptrdiff_t)sizeof(h) || h.size < sizeof(h) || h.size > end - p)
			die("record at offset %td is damaged", p - r->map);
		if (h.type == 71 || h.type == 81 || h.type == 83)
			die("it is compressed or has AUX data");
		t = time_of(r, p);
		if (t && (!r->first_ns || t < r->first_ns))
			r->first_ns = t;
		if (t > r->last_ns)
			r->last_ns = t;
		r->nr_samples += h.type == PERF_RECORD_SAMPLE;
		/* u32 pid, ppid, tid, ptid */
		if (h.type == PERF_RECORD_FORK && t)
			note_birth(r, (uint32_t)word_at(p + sizeof(h) + 8));
	}
	if (!r->nr_samples)
		die("it has no samples");
}

/* --- copies --------------------------------------------------------------------------- */

static bool is_born(const struct recording *r, uint32_t tid)
{
	return tid < TIDS_MAX && r->born[tid];
}

static void move_id(const struct recording *r, uint8_t *p, uint64_t copy)
{
	uint32_t tid;

	memcpy(&tid, p, sizeof(tid));
	if (r->keep_ids || !is_born(r, tid))
		return;
	tid += (uint32_t)(copy * (r->high - r->low));
	memcpy(p, &tid, sizeof(tid));
}

/* Does the record happen again in a copy? */
static bool goes_along(const struct recording *r, const uint8_t *p)
{
	switch (header_at(p).type) {
	case PERF_RECORD_EXIT:
		return time_of(r, p) && is_born(r, (uint32_t)word_at(p + 16));
	case PERF_RECORD_COMM:
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		/* u32 pid, tid */
		return time_of(r, p) && is_born(r, (uint32_t)(word_at(p + 8) >> 32));
	case PERF_RECORD_SAMPLE:
	case PERF_RECORD_FORK:
		return time_of(r, p) != 0;
	case FINISHED_ROUND:
		return true;
	default:
		return false;
	}
}

static void move_on(const struct recording *r, uint8_t *p, uint64_t copy)
{
	struct perf_event_header h = header_at(p);
	uint64_t by = copy * (r->last_ns - r->first_ns + 1000);

	if (h.type == FINISHED_ROUND)
		return;
	if (h.type == PERF_RECORD_SAMPLE) {
		uint8_t *body = p + sizeof(h);

		move_id(r, body + r->sample_tid * 8, copy);
		move_id(r, body + r->sample_tid * 8 + 4, copy);
		add_word(body + r->sample_time * 8, by);
		return;
	}
	/* u32 pid, tid of COMM and MMAP; pid, ppid, tid, ptid, u64 time of FORK and EXIT */
	move_id(r, p + 8, copy);
	move_id(r, p + 12, copy);
	if (h.type == PERF_RECORD_FORK || h.type == PERF_RECORD_EXIT) {
		move_id(r, p + 16, copy);
		move_id(r, p + 20, copy);
		add_word(p + 24, by);
	}
	move_id(r, p + h.size - r->trailer_tid * 8, copy);
	move_id(r, p + h.size - r->trailer_tid * 8 + 4, copy);
	add_word(p + h.size - r->trailer_time * 8, by);
}

/* Write copies of the data until `want` samples are there. Returns the bytes written. */
static uint64_t write_data(const struct recording *r, FILE *out, uint64_t want, uint64_t *last_ns)
{
	static uint8_t copy_of[65536];
	const uint8_t *start = r->map + r->header.data.off, *p = start;
	uint64_t written = 0, samples = 0, copy = 0;

	while (samples < want) {
		struct perf_event_header h = header_at(p);
		bool ends = h.type == PERF_RECORD_EXIT && !is_born(r, (uint32_t)word_at(p + 16));

		if (copy ? goes_along(r, p) : !ends) {
			memcpy(copy_of, p, h.size);
			if (copy)
				move_on(r, copy_of, copy);
			if (fwrite(copy_of, 1, h.size, out) != h.size)
				die("cannot write: %s", strerror(errno));
			written += h.size;
		}
		if (h.type == PERF_RECORD_SAMPLE) {
			samples++;
			*last_ns = time_of(r, copy_of);
		}
		p += h.size;
		if (p >= data_end(r)) {
			p = start;
			copy++;
		}
	}
	return written;
}

/* --- what stands behind the data -------------------------------------------------------- */

/* Sections may stand before the data, too. */
static uint64_t new_place(const struct recording *r, uint64_t off, uint64_t moved)
{
	return off < r->header.data.off ? off : off + moved;
}

static void write_features(const struct recording *r, FILE *out, uint64_t moved, uint64_t last_ns)
{
	const uint8_t *table = data_end(r), *rest;
	size_t nr = 0, n = 0;

	for (int w = 0; w < 4; w++)
		nr += (size_t)__builtin_popcountll(r->header.features[w]);
	rest = table + nr * sizeof(struct section);
	if (rest > r->map + r->size)
		die("its feature sections are cut off");
	for (size_t i = 0; i < nr; i++) {
		struct section s;

		memcpy(&s, table + i * sizeof(s), sizeof(s));
		s.off = new_place(r, s.off, moved);
		fwrite(&s, sizeof(s), 1, out);
	}
	fwrite(rest, 1, (size_t)(r->map + r->size - rest), out);
	for (unsigned f = 0; f < 256; f++) {
		struct section s;

		if (!(r->header.features[f / 64] >> f % 64 & 1))
			continue;
		memcpy(&s, table + n++ * sizeof(s), sizeof(s));
		/* u64 first, last */
		if (f == FEATURE_SAMPLE_TIME && s.size >= 16) {
			fseeko(out, (off_t)(new_place(r, s.off, moved) + 8), SEEK_SET);
			fwrite(&last_ns, sizeof(last_ns), 1, out);
		}
	}
}

int main(int argc, char **argv)
{
	static struct recording r;
	struct file_header header;
	uint64_t want, last_ns = 0;
	FILE *out;

	r.keep_ids = argc > 1 && strcmp(argv[1], "-k") == 0;
	argv += r.keep_ids;
	if (argc - r.keep_ids != 4 || !(want = strtoull(argv[3], NULL, 10)))
		die("usage: grow [-k] IN OUT SAMPLES");
	open_recording(&r, argv[1]);
	survey(&r);
	out = fopen(argv[2], "w+e");
	if (!out)
		die("cannot write '%s': %s", argv[2], strerror(errno));
	fwrite(r.map, 1, r.header.data.off, out);
	header = r.header;
	header.data.size = write_data(&r, out, want, &last_ns);
	write_features(&r, out, header.data.size - r.header.data.size, last_ns);
	rewind(out);
	fwrite(&header, sizeof(header), 1, out);
	if (ferror(out) || fclose(out) != 0)
		die("cannot write '%s': %s", argv[2], strerror(errno));
	return 0;
}
