/* SPDX-License-Identifier: MIT */
/*
 * Names that travel inside a recording: sections put together by hand, byte by byte, the
 * look-ups in them, and damage at every byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "formats/pack.h"
#include "formats/perf_rewrite.h"
#include "profile/pack.h"
#include "profile/recording.h"
#include "tests/unit/records.h"

static const uint8_t app_id[20] = { 0xab, 0xcd, 1, 2, 3 };

/* --- a section, written down a second time --------------------------------------------- */

static size_t begin_record(struct str *s, uint32_t type)
{
	put32(s, type);
	put32(s, 0);
	put64(s, 0);
	return s->len;
}

static void end_record(struct str *s, size_t from)
{
	uint64_t size = s->len - from;

	memcpy(s->p + from - 8, &size, 8);
	while ((s->len - from) % 8)
		str_addc(s, '\0');
}

static void put_header(struct str *s, uint32_t version, uint32_t size)
{
	str_addn(s, "SONDEPAK", 8);
	put32(s, version);
	put32(s, size);
	put64(s, 11);
	put64(s, 22);
}

static void put_module(struct str *s, uint32_t kind, const char *path, const uint8_t *id)
{
	static const uint8_t zeros[24];
	size_t at = begin_record(s, 1);

	put32(s, kind);
	put32(s, 1);
	str_addc(s, id ? 20 : 0);
	str_addn(s, id ? id : zeros, 20);
	str_addn(s, zeros, 3);
	str_addn(s, path, strlen(path) + 1);
	end_record(s, at);
}

static void put_symbol(struct str *s, uint64_t start, uint64_t end, uint32_t name, uint32_t flags)
{
	put64(s, start);
	put64(s, end);
	put32(s, name);
	put32(s, flags);
}

/*
 *	0x400100 outer ......................... 0x400200     0x400300 both .... 0x400400
 *	             0x400150 inner 0x400160                  0x400300 short 0x400310
 */
static void put_app(struct str *s)
{
	static const char names[] = "\0outer\0inner\0both\0short\0_Z3onev\0app+0x1500";
	size_t at;

	put_module(s, 0, "/gone/app", app_id);
	at = begin_record(s, 2);
	put64(s, 0x400000);
	put64(s, 0x2000);
	put64(s, 0x1000);
	put64(s, 0x1000);
	end_record(s, at);
	at = begin_record(s, 3);
	str_addn(s, names, sizeof(names));
	end_record(s, at);
	at = begin_record(s, 4);
	put_symbol(s, 0x400100, 0x400200, 1, 0);
	put_symbol(s, 0x400150, 0x400160, 7, 0);
	put_symbol(s, 0x400300, 0x400400, 13, 0);
	put_symbol(s, 0x400300, 0x400310, 18, 0);
	put_symbol(s, 0x400400, 0x400410, 24, 0);
	put_symbol(s, 0x400500, 0x400510, 32, 1);
	end_record(s, at);
}

static void put_section(struct str *s)
{
	size_t at;

	put_header(s, 1, 32);
	put_app(s);
	/* of a newer version: lines, say */
	at = begin_record(s, 9);
	str_add(s, "lines");
	end_record(s, at);
	put_module(s, 1, "[kernel.kallsyms]", NULL);
}

static void check_name(struct module *module, uint64_t addr, const char *name)
{
	struct symbol s;

	module_symbol(module, addr, &s);
	if (!name) {
		assert_null(s.name);
		assert_true(s.reason != NAME_OK);
		return;
	}
	assert_non_null(s.name);
	assert_string_equal(s.name, name);
	assert_true(s.start <= addr && addr < s.end);
}

static struct pack *parse(const struct str *s)
{
	/* on the heap and no byte longer, for the sanitizer to see what is read too much */
	uint8_t *bytes = malloc(s->len ? s->len : 1);
	struct pack *pack;

	memcpy(bytes, s->p, s->len);
	pack = pack_parse(bytes, s->len);
	free(bytes);
	return pack;
}

/* --- tests --------------------------------------------------------------------------------- */

static void a_section_is_taken_apart(void **state)
{
	struct str s = STR_INIT;
	uint64_t off, size;
	struct pack *p;

	(void)state;
	put_section(&s);
	assert_true(pack_header((const uint8_t *)s.p, s.len, &off, &size));
	assert_int_equal(off, 11);
	assert_int_equal(size, 22);
	p = parse(&s);
	assert_false(p->damaged);
	assert_int_equal(p->nr_modules, 2);
	assert_int_equal(p->nr_unknown, 1);
	assert_string_equal(p->modules[0].path, "/gone/app");
	assert_memory_equal(p->modules[0].build_id, app_id, 20);
	assert_int_equal(p->modules[0].nr_symbols, 6);
	assert_int_equal(p->modules[0].segments[0].vaddr, 0x400000);
	assert_string_equal(p->modules[0].strings + p->modules[0].symbols[1].name, "inner");
	assert_int_equal(p->modules[1].kind, MODULE_KERNEL);
	assert_int_equal(p->modules[1].build_id_size, 0);
	pack_free(p);
	str_release(&s);
}

static void what_is_written_is_the_same(void **state)
{
	struct str s = STR_INIT, again = STR_INIT, want = STR_INIT;
	struct pack *p;

	(void)state;
	put_header(&want, 1, 32);
	put_app(&want);
	put_module(&want, 1, "[kernel.kallsyms]", NULL);
	put_section(&s);
	p = parse(&s);
	pack_begin(&again, 11, 22);
	for (uint32_t i = 0; i < p->nr_modules; i++)
		pack_add(&again, &p->modules[i]);
	assert_int_equal(again.len, want.len);
	assert_memory_equal(again.p, want.p, want.len);
	pack_free(p);
	str_release(&s);
	str_release(&again);
	str_release(&want);
}

static void names_are_found_without_the_file(void **state)
{
	struct symbol_options plain = { .no_demangle = true };
	struct str s = STR_INIT;
	struct pack *p;

	(void)state;
	put_section(&s);
	p = parse(&s);
	for (int demangle = 0; demangle < 2; demangle++) {
		struct module_set *set = module_set_new(demangle ? NULL : &plain);
		struct module *m = module_intern(set, MODULE_FILE, "/gone/app", app_id, 20);
		struct symbol range;

		module_set_packed(m, &p->modules[0]);
		assert_int_equal(module_elf_addr(m, 0x1100), 0x400100);
		assert_int_equal(module_elf_addr(m, 0x1fff), 0x400fff);
		assert_int_equal(module_elf_addr(m, 0x2000), 0x2000);
		check_name(m, 0x4000ff, NULL);
		check_name(m, 0x400100, "outer");
		check_name(m, 0x400150, "inner");
		check_name(m, 0x40015f, "inner");
		check_name(m, 0x400160, "outer");
		check_name(m, 0x400200, NULL);
		check_name(m, 0x400300, "short");
		check_name(m, 0x400310, "both");
		check_name(m, 0x400400, demangle ? "one" : "_Z3onev");
		module_symbol(m, 0x400500, &range);
		assert_string_equal(range.name, "app+0x1500");
		assert_true(range.is_range);
		module_symbol(m, 0x400300, &range);
		assert_false(range.is_range);
		module_set_free(set);
	}
	pack_free(p);
	str_release(&s);
}

static void damage_is_no_more_than_damage(void **state)
{
	struct str s = STR_INIT;

	(void)state;
	put_section(&s);
	for (size_t n = 0; n < s.len; n++) {
		struct str cut = { s.p, n, 0 };
		struct pack *p = parse(&cut);

		/* a cut between two records is not seen */
		assert_true(p->damaged || n >= 32);
		assert_true(p->nr_modules <= 2);
		pack_free(p);
	}
	for (size_t i = 0; i < s.len; i++) {
		for (unsigned bit = 0; bit < 256; bit += 51) {
			char was = s.p[i];
			struct pack *p;

			s.p[i] ^= (char)(bit ? bit : 1);
			p = parse(&s);
			for (uint32_t m = 0; m < p->nr_modules; m++) {
				struct module_set *set = module_set_new(NULL);
				struct module *module = module_intern(set, MODULE_FILE, "/gone/x",
								      NULL, 0);
				struct symbol symbol;

				module_set_packed(module, &p->modules[m]);
				for (uint64_t at = 0x4000ff; at < 0x400500; at += 0x2f)
					module_symbol(module, module_elf_addr(module, at), &symbol);
				module_set_free(set);
			}
			pack_free(p);
			s.p[i] = was;
		}
	}
	str_release(&s);
}

/* Offsets of names are checked against the strings that were there; others may not follow. */
static void strings_cannot_be_changed_below_the_symbols(void **state)
{
	struct str s = STR_INIT;
	struct pack *p;
	size_t at;

	(void)state;
	put_header(&s, 1, 32);
	put_app(&s);
	at = begin_record(&s, 3);
	str_addn(&s, "x", 2);
	end_record(&s, at);
	p = parse(&s);
	assert_true(p->damaged);
	assert_true(p->modules[0].strings_size > 2);
	pack_free(p);
	str_release(&s);
}

static void newer_versions_are_left_alone(void **state)
{
	struct str s = STR_INIT;
	struct pack *p;

	(void)state;
	put_header(&s, 2, 32);
	put_app(&s);
	p = parse(&s);
	assert_true(p->damaged);
	assert_int_equal(p->nr_modules, 0);
	pack_free(p);
	/* a longer header of the same version is passed over */
	str_clear(&s);
	put_header(&s, 1, 40);
	put64(&s, 0);
	put_app(&s);
	p = parse(&s);
	assert_false(p->damaged);
	assert_int_equal(p->nr_modules, 1);
	pack_free(p);
	str_release(&s);
}

/* --- whole recordings --------------------------------------------------------------------------- */

/* A program that is not here: a sample in inner, called from outer. */
static void put_recording(struct str *s, bool finished)
{
	uint64_t chain[] = { (uint64_t)PERF_CONTEXT_USER, 0x7000155, 0x7000170 };
	struct str data = STR_INIT;

	put_comm(&data, PERF_RECORD_MISC_COMM_EXEC, 5, 5, "app", 1, 7);
	put_mmap(&data, PERF_RECORD_MISC_USER, 5, 0x7000000, 0x1000, 0x1000, "/gone/app", 2, 7);
	put_sample(&data, PERF_RECORD_MISC_USER, 0x7000155, 5, 5, 3, 7, 0, 1, 3, chain);
	put_round(&data);
	put_file(s, 1, &data, finished ? data.len : 0);
	if (!finished)
		s->len -= 16 + 4 + 64;   /* what put_file has behind the data */
	str_release(&data);
}

static struct perf_data *open_bytes(const struct str *s, char *path)
{
	struct perf_data *data;
	struct err err = ERR_INIT;

	write_temp(path, s->p, s->len);
	if (perf_data_open(&data, path, &err) < 0)
		fail_msg("%s", err.msg);
	return data;
}

static struct profile *load(const struct str *s, unsigned by)
{
	struct profile_query query = { .by = by };
	struct err err = ERR_INIT;
	struct profile *p;
	char path[32];

	if (profile_load(&p, open_bytes(s, path), &query, &err) < 0)
		fail_msg("%s", err.msg);
	unlink(path);
	return p;
}

/* What perf_rewrite makes of it, with a section without its build-id. */
static void rewrite(const struct str *in, struct str *out)
{
	struct str section = STR_INIT;
	struct err err = ERR_INIT;
	uint64_t off, size;
	char path[32], to[32];
	char bytes[8192];
	struct perf_data *data = open_bytes(in, path);
	ssize_t n;
	int fd;

	assert_int_equal(perf_rewrite_check(data, &off, &size, &err), 0);
	pack_begin(&section, off, size);
	put_module(&section, 0, "/gone/app", NULL);
	{
		struct str app = STR_INIT;

		put_app(&app);
		/* behind its own MODULE record: 16 + 32 + 10, filled up to 64 */
		str_addn(&section, app.p + 64, app.len - 64);
		str_release(&app);
	}
	strcpy(to, "/tmp/sonde-test-XXXXXX");
	fd = mkstemp(to);
	assert_int_equal(perf_rewrite(data, section.p, section.len, fd, &err), 0);
	n = pread(fd, bytes, sizeof(bytes), 0);
	assert_true(n > 0 && (size_t)n < sizeof(bytes));
	str_addn(out, bytes, (size_t)n);
	close(fd);
	unlink(to);
	unlink(path);
	perf_data_close(data);
	str_release(&section);
}

static void a_packed_recording_has_its_names(void **state)
{
	(void)state;
	for (int finished = 0; finished < 2; finished++) {
		struct str in = STR_INIT, out = STR_INIT, twice = STR_INIT;
		struct profile *p;

		put_recording(&in, finished);
		p = load(&in, PROFILE_BY_STACK);
		assert_int_equal(p->account.samples, 1);
		assert_null(p->frames[p->entries[0].leaf].name);
		profile_free(p);
		rewrite(&in, &out);
		/* all of it stands where it stood */
		assert_memory_equal(out.p, in.p, 56);
		assert_memory_equal(out.p + 72, in.p + 72, in.len - 72);
		p = load(&out, PROFILE_BY_STACK);
		assert_int_equal(p->account.samples, 1);
		assert_int_equal(p->account.nr_damages, 0);
		assert_int_equal(p->account.unfinished, !finished);
		assert_string_equal(p->frames[p->entries[0].leaf].name, "inner");
		assert_string_equal(p->frames[p->stacks[p->entries[0].stack].frames[1]].name, "outer");
		assert_string_equal(p->data->features[FEATURE_HOSTNAME].present ? p->data->hostname : "box",
				    "box");
		profile_free(p);
		/* a second section takes the place of the first */
		rewrite(&out, &twice);
		assert_int_equal(twice.len, out.len);
		assert_memory_equal(twice.p, out.p, out.len);
		str_release(&in);
		str_release(&out);
		str_release(&twice);
	}
}

static void check_one_event(const struct str *s)
{
	char path[32];
	struct perf_data *data = open_bytes(s, path);

	assert_int_equal(data->events.nr, 1);
	assert_string_equal(data->damages[0].what, "the file ends within the events");
	perf_data_close(data);
	unlink(path);
}

/* A file that ends three bytes before its second event does has one, with names behind it, too. */
static void what_is_cut_off_stays_cut_off(void **state)
{
	struct str in = STR_INIT, out = STR_INIT, attr = STR_INIT;
	uint64_t each, off, place[2];

	(void)state;
	put_recording(&in, true);
	while (in.len % 8)
		str_addc(&in, '\0');
	memcpy(&each, in.p + 16, 8);
	memcpy(&off, in.p + 24, 8);
	str_addn(&attr, in.p + off, each);
	place[0] = in.len;
	place[1] = 2 * each;
	memcpy(in.p + 24, place, sizeof(place));
	str_addn(&in, attr.p, attr.len);
	str_addn(&in, attr.p, attr.len - 3);
	check_one_event(&in);
	rewrite(&in, &out);
	check_one_event(&out);
	str_release(&in);
	str_release(&out);
	str_release(&attr);
}

/* What is gathered is what is asked for: the two symbols that the sample hits, and no more. */
static void gathering_takes_what_was_hit(void **state)
{
	struct str in = STR_INIT, out = STR_INIT, section = STR_INIT;
	struct pack_stats stats;
	struct profile *p;
	struct pack *pack;

	(void)state;
	put_recording(&in, true);
	rewrite(&in, &out);
	p = load(&out, PROFILE_BY_STACK | PROFILE_BY_ADDR);
	pack_begin(&section, 0, 0);
	pack_gather(&section, p, &stats);
	assert_int_equal(stats.nr_modules, 1);
	assert_int_equal(stats.nr_symbols, 2);
	assert_int_equal(stats.unnamed, 0);
	pack = parse(&section);
	assert_false(pack->damaged);
	assert_int_equal(pack->modules[0].nr_segments, 1);
	assert_int_equal(pack->modules[0].symbols[0].start, 0x400100);
	assert_int_equal(pack->modules[0].symbols[1].end, 0x400160);
	pack_free(pack);
	profile_free(p);
	str_release(&in);
	str_release(&out);
	str_release(&section);
}

/* A header that points at event types of old recorders is not taken for a section. */
static void other_event_types_stay(void **state)
{
	struct str in = STR_INIT, out = STR_INIT;
	uint64_t place[2], off, size, old_size = 72;
	struct err err = ERR_INIT;
	struct perf_data *data;
	char path[32];

	(void)state;
	put_recording(&in, true);
	place[0] = in.len;
	place[1] = old_size;
	memcpy(in.p + 56, place, sizeof(place));
	for (unsigned i = 0; i < old_size; i++)
		str_addc(&in, (char)(i < 8 ? 0 : 'e'));
	rewrite(&in, &out);
	data = open_bytes(&out, path);
	assert_true(data->pack.present);
	assert_int_equal(perf_rewrite_check(data, &off, &size, &err), 0);
	assert_int_equal(off, place[0]);
	assert_int_equal(size, old_size);
	unlink(path);
	perf_data_close(data);
	str_release(&in);
	str_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_section_is_taken_apart),
		cmocka_unit_test(what_is_written_is_the_same),
		cmocka_unit_test(names_are_found_without_the_file),
		cmocka_unit_test(damage_is_no_more_than_damage),
		cmocka_unit_test(strings_cannot_be_changed_below_the_symbols),
		cmocka_unit_test(newer_versions_are_left_alone),
		cmocka_unit_test(a_packed_recording_has_its_names),
		cmocka_unit_test(what_is_cut_off_stays_cut_off),
		cmocka_unit_test(gathering_takes_what_was_hit),
		cmocka_unit_test(other_event_types_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
