/* SPDX-License-Identifier: MIT */
#include "symbols/names.h"

#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "symbols/debug_file.h"
#include "symbols/elf_symbols.h"
#include "symbols/index.h"

/* To be raised when what is in the tables, or which symbol wins, changes. */
#define SYMS_VERSION 2
#define RANGES_VERSION 1
/* Tables that are as soon made as read. */
#define WORTH_ENTRIES 200

enum { TABLE_SYMBOLS, TABLE_PLT };

static void parse(struct names *names, struct elf_file *file, struct elf_file *debug,
		  unsigned options)
{
	names->symbols = symtab_new(options);
	if (debug)
		elf_symbols_add(names->symbols, debug);
	if (names->mini)
		elf_symbols_add(names->symbols, names->mini);
	elf_symbols_add(names->symbols, file);
	symtab_finish(names->symbols);
	names->plt = symtab_new(options);
	elf_plt_add(names->plt, file, names->symbols);
	symtab_finish(names->plt);
}

static void begin(struct index_draft *draft, const struct elf_file *file, uint32_t kind,
		  uint64_t print)
{
	*draft = (struct index_draft){ .build_id_size = file->build_id_size, .kind = kind,
				       .fingerprint = print };
	memcpy(draft->build_id, file->build_id, file->build_id_size);
}

static void write_out(const struct index_draft *draft, const struct elf_file *file)
{
	int ret = index_write(draft);

	if (ret < 0)
		log_debug("no index of '%s': %s", file->path ? file->path : "", strerror(-ret));
}

void names_open(struct names *names, struct elf_file *file, struct elf_file *debug,
		unsigned options)
{
	uint64_t print = file->build_id_size ? index_fingerprint(file, debug, SYMS_VERSION) : 0;
	struct index_draft draft;

	*names = (struct names){ 0 };
	names->index = index_open(file->build_id, file->build_id_size, INDEX_SYMS, print);
	if (names->index) {
		names->symbols = symtab_load(names->index, TABLE_SYMBOLS, options);
		names->plt = symtab_load(names->index, TABLE_PLT, options);
		if (names->symbols && names->plt)
			return;
		names_release(names);
	}
	if (!debug && !elf_file_has_symtab(file))
		names->mini = debug_file_mini(file);
	parse(names, file, debug, options);
	if (file->build_id_size < 2 || symtab_count(names->symbols) < WORTH_ENTRIES)
		return;
	begin(&draft, file, INDEX_SYMS, print);
	symtab_save(names->symbols, &draft, TABLE_SYMBOLS);
	symtab_save(names->plt, &draft, TABLE_PLT);
	write_out(&draft, file);
	symtab_saved(names->symbols);
	symtab_saved(names->plt);
}

struct ranges *names_ranges(struct names *names, struct elf_file *file)
{
	uint32_t kind = INDEX_TAG('r', 'n', 'g', 's');
	uint64_t print = file->build_id_size ? index_fingerprint(file, NULL, RANGES_VERSION) : 0;
	struct index_draft draft;
	struct ranges *ranges;

	names->ranges_index = index_open(file->build_id, file->build_id_size, kind, print);
	ranges = names->ranges_index ? ranges_load(names->ranges_index) : NULL;
	if (ranges)
		return ranges;
	ranges = ranges_new(file);
	if (file->build_id_size < 2 || ranges_count(ranges) < WORTH_ENTRIES)
		return ranges;
	begin(&draft, file, kind, print);
	ranges_save(ranges, &draft);
	write_out(&draft, file);
	return ranges;
}

void names_release(struct names *names)
{
	symtab_free(names->symbols);
	symtab_free(names->plt);
	elf_file_free(names->mini);
	index_close(names->index);
	index_close(names->ranges_index);
	*names = (struct names){ 0 };
}
