/* SPDX-License-Identifier: MIT */
#include "formats/folded.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Lines of it are read by programs, and by people on terminals: names stay in their place. */
static void add_name(struct str *line, const char *name)
{
	struct str flat = STR_INIT;

	for (; *name; name++)
		str_addc(&flat, *name == ';' ? ':' : *name == '\n' || *name == '\r' ? '_' : *name);
	if (flat.len)
		str_add_safe(line, flat.p);
	str_release(&flat);
}

/*
 * The tree is walked in depth along its links, `line` holding the names from the
 * root to the node; a node's own length is where its parent's text ends.
 */
int folded_write(const struct stack_tree *tree, const struct label_table *labels,
		 enum stack_value value, FILE *out, struct err *err)
{
	const struct stack_node *nodes = tree->nodes;
	struct str line = STR_INIT;
	uint32_t at = nodes[STACK_TREE_ROOT].first_child;
	uint32_t depth = 0, cap = 64;
	size_t *starts = mem_realloc_array(NULL, cap, sizeof(*starts));
	int failure;

	while (at != STACK_TREE_NONE) {
		if (depth == cap)
			starts = mem_realloc_array(starts, cap *= 2, sizeof(*starts));
		starts[depth] = line.len;
		if (depth)
			str_addc(&line, ';');
		add_name(&line, label_name(labels, nodes[at].label));
		if (stack_self(&nodes[at], value)) {
			fwrite(line.p, 1, line.len, out);
			fprintf(out, " %" PRIu64 "\n", stack_self(&nodes[at], value));
		}
		if (nodes[at].first_child != STACK_TREE_NONE) {
			at = nodes[at].first_child;
			depth++;
			continue;
		}
		for (;;) {
			line.len = starts[depth];
			if (nodes[at].next_sibling != STACK_TREE_NONE || !depth)
				break;
			at = nodes[at].parent;
			depth--;
		}
		at = nodes[at].next_sibling;
	}
	free(starts);
	str_release(&line);
	errno = 0;
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	failure = errno ? errno : EIO;
	return err_set(err, failure, "cannot write: %s", strerror(failure));
}

static uint32_t read_label(struct label_table *labels, char *name)
{
	static const struct { const char *mark; enum label_kind kind; } marks[] = {
		{ "_[k]", LABEL_KERNEL }, { "_[i]", LABEL_INLINE }, { "_[j]", LABEL_JIT },
	};
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (len > 4 && str_ends(name, marks[i].mark)) {
			name[len - 4] = '\0';
			return label_id(labels, name, marks[i].kind);
		}
	}
	return label_id(labels, name, name[0] == '[' ? LABEL_UNNAMED : LABEL_USER);
}

/* A count as flame graph tools write it: digits; a fraction is dropped. */
static int read_count(const char *text, uint64_t *count)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*count = strtoull(text, &end, 10);
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	return *end || errno ? -EINVAL : 0;
}

/* Lay "a;b;c" into the tree; the text is taken apart. */
static uint32_t lay(struct stack_tree *tree, struct label_table *labels, char *stack, bool reverse)
{
	uint32_t node = STACK_TREE_ROOT;
	char *name;

	if (!reverse) {
		while ((name = strsep(&stack, ";")))
			node = stack_tree_child(tree, node, read_label(labels, name));
		return node;
	}
	while ((name = strrchr(stack, ';'))) {
		node = stack_tree_child(tree, node, read_label(labels, name + 1));
		*name = '\0';
	}
	return stack_tree_child(tree, node, read_label(labels, stack));
}

int folded_read(struct stack_tree *tree, struct label_table *labels, bool reverse, FILE *in,
		struct err *err)
{
	char *line = NULL, *space;
	size_t cap = 0;
	ssize_t len;
	uint64_t nr = 0;
	int r = 0;

	while (!r && (len = getline(&line, &cap, in)) >= 0) {
		uint64_t count = 0;

		nr++;
		while (len > 0 && isspace((unsigned char)line[len - 1]))
			line[--len] = '\0';
		if (!len || line[0] == '#')
			continue;
		space = strrchr(line, ' ');
		if (!space || read_count(space + 1, &count) < 0) {
			r = err_set(err, EBADMSG, "line %" PRIu64 " has no count at its end: is this "
				    "folded text (\"root;caller;callee 12\")?", nr);
			break;
		}
		*space = '\0';
		stack_tree_add(tree, lay(tree, labels, line, reverse), count, count);
	}
	if (!r && ferror(in))
		r = err_set(err, EIO, "cannot read the folded stacks");
	free(line);
	return r;
}
