/* SPDX-License-Identifier: MIT */
#include "symbols/demangle.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "base/mem.h"
#include "base/str.h"

/* Longest real names (heavy templates) are some 20 KB mangled, some 100 KB plain. */
#define MANGLED_MAX ((size_t)32 * 1024)
#define PLAIN_MAX ((size_t)256 * 1024)
/* libiberty's D demangler has no callback to stop it by. */
#define MANGLED_D_MAX 4096

bool demangle_wants(const char *name)
{
	if (name[0] != '_')
		return false;
	switch (name[1]) {
	case 'Z':
	case 'R':
		return name[2] != '\0';
	case 'D':
		return (name[2] >= '0' && name[2] <= '9') || strcmp(name, "_Dmain") == 0;
	case 'G':
		return str_starts(name, "_GLOBAL_");
	default:
		return false;
	}
}

struct collect {
	char *text;
	size_t len, cap;
	jmp_buf too_long;
};

/*
 * libiberty hands out the result piece by piece and cannot be told to stop, while
 * back references let n bytes stand for 2^n: so this jumps out.  Nothing is lost
 * by that, as the callback interface allocates on the stack only
 * (libiberty/cp-demangle.c, d_demangle_callback).
 */
static void collect_piece(const char *piece, size_t len, void *arg)
{
	struct collect *c = arg;

	if (len > c->cap - c->len)
		longjmp(c->too_long, 1);
	if (!len)
		return;          /* and `piece` may be NULL */
	memcpy(c->text + c->len, piece, len);
	c->len += len;
}

static bool collect_plain(const char *mangled, struct collect *c)
{
	if (setjmp(c->too_long))
		return false;
	if (rust_demangle_callback(mangled, DMGL_NO_OPTS, collect_piece, c))
		return true;
	c->len = 0;
	return cplus_demangle_v3_callback(mangled, DMGL_NO_OPTS, collect_piece, c);
}

static char *demangle_bounded(const char *mangled)
{
	struct collect c = { .cap = PLAIN_MAX - 1 };
	char *plain = NULL;

	c.text = mem_alloc(PLAIN_MAX);
	if (collect_plain(mangled, &c) && c.len)
		plain = mem_strndup(c.text, c.len);
	free(c.text);
	return plain;
}

char *demangle(const char *name)
{
	const char *at;
	char *mangled, *plain;
	struct str full = STR_INIT;
	size_t len;

	if (!demangle_wants(name))
		return NULL;
	at = strchrnul(name, '@');
	len = (size_t)(at - name);
	if (len > (name[1] == 'D' ? MANGLED_D_MAX : MANGLED_MAX))
		return NULL;
	mangled = mem_strndup(name, len);
	if (mangled[1] == 'D')
		plain = dlang_demangle(mangled, DMGL_NO_OPTS);
	else
		plain = demangle_bounded(mangled);
	free(mangled);
	if (!plain || !*at)
		return plain;
	str_add(&full, plain);
	str_add(&full, at);
	free(plain);
	return str_take(&full);
}

#define BRIEF_MAX 4096u          /* the work grows with the square */

/* --- less of it ------------------------------------------------------------------------------ */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/* The length of "operator<<" and its like where `at` begins one; 0 where not. */
static size_t operator_size(const char *name, const char *at)
{
	static const char word[] = "operator";
	size_t n = sizeof(word) - 1;

	if (strncmp(at, word, n) != 0 || (at > name && is_word(at[-1])) || is_word(at[n]))
		return 0;
	/* "operator< <int>": the blank stands before template arguments */
	return n + strspn(at + n, "<>=-!&|+*/%^~,");
}

/* Behind the '>' that belongs to the '<' at `at`; NULL if there is none. */
static const char *behind_arguments(const char *name, const char *at)
{
	unsigned depth = 0;

	while (*at) {
		size_t op = operator_size(name, at);

		if (op) {
			at += op;
			continue;
		}
		if (*at == '<')
			depth++;
		else if (*at == '>' && at[-1] != '-' && !--depth)
			return at + 1;
		at++;
	}
	return NULL;
}

void demangle_brief(struct str *out, const char *name)
{
	const char *at = name, *end;

	if (strlen(name) > BRIEF_MAX) {
		str_add(out, name);
		return;
	}
	while (*at) {
		size_t op = operator_size(name, at);

		if (op) {
			str_addn(out, at, op);
			at += op;
			continue;
		}
		/* "<lambda" and Rust's "<T as U>::f" begin a name and are no arguments */
		end = *at == '<' && at > name && (is_word(at[-1]) || at[-1] == ' ') ?
		      behind_arguments(name, at) : NULL;
		if (end) {
			str_add(out, "<...>");
			at = end;
		} else {
			str_addc(out, *at++);
		}
	}
}
