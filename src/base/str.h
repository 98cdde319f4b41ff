/* SPDX-License-Identifier: MIT */
/*
 * str: strings that grow, and the small questions asked of strings.
 *
 * A `struct str` starts as STR_INIT; `p` is always a C string (the empty string
 * before the first append) and `len` its length.  str_release frees it and makes
 * it empty again; str_take hands the heap string to the caller.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	char *p;
	size_t len, cap;
};

extern char str_empty[1];
#define STR_INIT { str_empty, 0, 0 }

void str_release(struct str *s);
void str_clear(struct str *s);                       /* keeps the room */
void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const void *bytes, size_t n);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_addvf(struct str *s, const char *fmt, va_list ap);
/* Numbers without printf's cost: at least `width` columns, padded on the left with `pad`. */
void str_add_dec(struct str *s, uint64_t n, unsigned width, char pad);
void str_add_hex(struct str *s, uint64_t n, unsigned width, char pad);
char *str_take(struct str *s);                       /* caller frees; s is empty after */

/*
 * Append text that came from a file or another process so that a terminal
 * cannot be driven by it: control characters (C0, DEL, C1 and broken UTF-8)
 * become \xNN, all else stays.
 */
void str_add_safe(struct str *s, const char *text);

/* Append text escaped for XML/HTML element text and quoted attributes. */
void str_add_xml(struct str *s, const char *text);

/* Append text as the inside of a JSON string. Broken UTF-8 becomes U+FFFD. */
void str_add_json(struct str *s, const char *text);

/*
 * Append text as a cell that programs for tables show and do not run, safe for a terminal: what
 * would be a formula gets an apostrophe in front, and so does each part after a ';', which
 * separates fields in half of the world. A formula begins, after blanks, with =, or with + - @
 * and has more in it than names and numbers have: "-bash" and "-11" stay what they are.
 */
void str_add_cell(struct str *s, const char *text);

/* Append text as a field of CSV (RFC 4180): a cell, in quotes where it needs them. */
void str_add_csv(struct str *s, const char *text);

/* Append text as UTF-8: what is none becomes U+FFFD. */
void str_add_utf8(struct str *s, const char *text);

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Shell-like match: * ? [a-z] [!a-z]; the whole string has to match. */
bool str_glob(const char *pattern, const char *s);
bool str_is_glob(const char *pattern);

/*
 * The candidate nearest to `word` (Damerau-Levenshtein), or NULL when none is
 * near enough to be what was meant. `names` ends with NULL.
 */
const char *str_nearest(const char *word, const char *const *names);

/* Edit distance with transpositions, capped at 255-character words. */
unsigned str_distance(const char *a, const char *b);

/*
 * Parse the whole of `s` as an unsigned number (0x and 0 prefixes as in C).
 * Returns 0, or -EINVAL, or -ERANGE; *out is untouched on failure.
 */
int str_u64(const char *s, uint64_t *out);

/*
 * Parse a size with an optional suffix B, K, M or G (either case, powers of
 * 1024). *had_suffix (may be NULL) tells whether one stood there. Errors as str_u64.
 */
int str_size(const char *s, uint64_t *bytes, bool *had_suffix);

/* 1234567 -> "1,234,567" in buf; returns buf. */
char *str_commas(uint64_t n, char buf[32]);

#endif
