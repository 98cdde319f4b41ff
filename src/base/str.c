/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char str_empty[1];

void str_release(struct str *s)
{
	if (s->cap)
		free(s->p);
	s->p = str_empty;
	s->len = s->cap = 0;
}

void str_clear(struct str *s)
{
	s->len = 0;
	if (s->cap)
		s->p[0] = '\0';
}

static void __attribute__((noinline)) grow(struct str *s, size_t need)
{
	size_t cap = s->cap ? s->cap : 32;

	while (cap < need)
		cap *= 2;
	s->p = mem_realloc_array(s->cap ? s->p : NULL, cap, 1);
	if (!s->cap)
		s->p[0] = '\0';
	s->cap = cap;
}

static inline void reserve(struct str *s, size_t more)
{
	size_t need = s->len + more + 1;

	if (need > s->cap)
		grow(s, need);
}

void str_addn(struct str *s, const void *bytes, size_t n)
{
	reserve(s, n);
	if (n)
		memcpy(s->p + s->len, bytes, n);
	s->len += n;
	s->p[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void str_addc(struct str *s, char c)
{
	reserve(s, 1);
	s->p[s->len++] = c;
	s->p[s->len] = '\0';
}

void str_addvf(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return;
	reserve(s, (size_t)n);
	vsnprintf(s->p + s->len, (size_t)n + 1, fmt, ap);
	s->len += (size_t)n;
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_addvf(s, fmt, ap);
	va_end(ap);
}

/* Inlined, so that dividing by the base is a multiplication. */
static inline __attribute__((always_inline)) void
add_number(struct str *s, uint64_t n, unsigned base, unsigned width, char pad)
{
	static const char digits[] = "0123456789abcdef";
	char text[64], *end = text + sizeof(text), *p = end;

	do {
		*--p = digits[n % base];
		n /= base;
	} while (n);
	while (end - p < (ptrdiff_t)width && p > text)
		*--p = pad;
	str_addn(s, p, (size_t)(end - p));
}

void str_add_dec(struct str *s, uint64_t n, unsigned width, char pad)
{
	add_number(s, n, 10, width, pad);
}

void str_add_hex(struct str *s, uint64_t n, unsigned width, char pad)
{
	add_number(s, n, 16, width, pad);
}

char *str_take(struct str *s)
{
	char *p = s->cap ? s->p : mem_strdup("");

	s->p = str_empty;
	s->len = s->cap = 0;
	return p;
}

/*
 * Length of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7), with
 * its code point, or 0 when the bytes are not one.
 */
static int utf8_len(const unsigned char *p, uint32_t *cp)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int n;
	uint32_t c;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2, c = p[0] & 0x1f;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3, c = p[0] & 0x0f;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4, c = p[0] & 0x07;
	else
		return 0;
	for (int i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < lowest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return n;
}

/* Characters that move the cursor or turn the reading direction around. */
static bool is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029 ||
	       (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

void str_add_safe(struct str *s, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		uint32_t cp = 0;
		int n = utf8_len(p, &cp);

		if (n && !is_unsafe(cp)) {
			str_addn(s, p, (size_t)n);
		} else {
			n = n ? n : 1;
			for (int i = 0; i < n; i++)
				str_addf(s, "\\x%02x", p[i]);
		}
		p += n;
	}
}

void str_add_xml(struct str *s, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		uint32_t cp = 0;
		int n = utf8_len(p, &cp);

		if (!n || (n && is_unsafe(cp))) {
			n = n ? n : 1;
			for (int i = 0; i < n; i++)
				str_addf(s, "\\x%02x", p[i]);
		} else if (cp == '&') {
			str_add(s, "&amp;");
		} else if (cp == '<') {
			str_add(s, "&lt;");
		} else if (cp == '>') {
			str_add(s, "&gt;");
		} else if (cp == '"') {
			str_add(s, "&quot;");
		} else if (cp == '\'') {
			str_add(s, "&#39;");
		} else {
			str_addn(s, p, (size_t)n);
		}
		p += n;
	}
}

void str_add_json(struct str *s, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		uint32_t cp = 0;
		int n = utf8_len(p, &cp);

		if (!n) {
			str_add(s, "\xef\xbf\xbd");
			n = 1;
		} else if (cp == '"' || cp == '\\') {
			str_addc(s, '\\');
			str_addc(s, (char)cp);
		} else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == '<' || cp == 0x2028 ||
			   cp == 0x2029) {
			/* C1 for terminals; '<' so that the text may stand inside a <script> element */
			str_addf(s, "\\u%04x", cp);
		} else {
			str_addn(s, p, (size_t)n);
		}
		p += n;
	}
}

/* What stands for a sign: its own byte, or that of its full-width form; 0: none. */
static char formula_sign(const char *text, size_t len, size_t *bytes)
{
	static const char full[][4] = { "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0" };
	static const char signs[] = "=+-@";

	*bytes = 1;
	if (len && strchr(signs, *text))
		return *text;
	*bytes = 3;
	for (unsigned i = 0; i < 4; i++)
		if (len >= 3 && memcmp(text, full[i], 3) == 0)
			return signs[i];
	return 0;
}

/*
 * A call needs parentheses, another program a '|', another file a '!' or '['; what has letters,
 * digits and the marks of names alone calls nothing.
 */
static bool is_formula(const char *text, size_t len)
{
	size_t blanks, bytes;
	char sign;

	for (blanks = 0; blanks < len && text[blanks] == ' '; blanks++)
		;
	sign = formula_sign(text + blanks, len - blanks, &bytes);
	if (!sign || sign == '=')
		return sign;
	for (size_t i = blanks + bytes; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-_.:/ ", text[i]))
			return true;
	return false;
}

void str_add_cell(struct str *s, const char *text)
{
	struct str safe = STR_INIT;

	str_add_safe(&safe, text);
	for (const char *part = safe.p;; part++) {
		size_t len = strcspn(part, ";");

		if (is_formula(part, len))
			str_addc(s, '\'');
		str_addn(s, part, len);
		part += len;
		if (!*part)
			break;
		str_addc(s, ';');
	}
	str_release(&safe);
}

void str_add_csv(struct str *s, const char *text)
{
	size_t start = s->len, doubled = 0;

	str_add_cell(s, text);
	if (!strpbrk(s->p + start, ",\"") && s->p[start] != ' ')
		return;
	for (const char *p = s->p + start; *p; p++)
		doubled += *p == '"';
	for (size_t i = 0; i < doubled + 2; i++)
		str_addc(s, '"');
	/* from the end on, each byte moves to its place */
	for (size_t to = s->len - 1, from = to - doubled - 1; from-- > start;) {
		s->p[--to] = s->p[from];
		if (s->p[from] == '"')
			s->p[--to] = '"';
	}
	s->p[start] = '"';
}

void str_add_utf8(struct str *s, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		uint32_t cp = 0;
		int n = utf8_len(p, &cp);

		if (n)
			str_addn(s, p, (size_t)n);
		else
			str_add(s, "\xef\xbf\xbd");
		p += n ? n : 1;
	}
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[") != NULL;
}

/* Match one [...] class; *end is set behind it. A class without ] is a literal [. */
static bool class_match(const char *p, char c, const char **end)
{
	bool negate = false, hit = false;
	const char *q = p + 1;

	if (*q == '!' || *q == '^') {
		negate = true;
		q++;
	}
	for (bool first = true; *q && (first || *q != ']'); first = false, q++) {
		if (q[1] == '-' && q[2] && q[2] != ']') {
			hit |= c >= q[0] && c <= q[2];
			q += 2;
		} else {
			hit |= c == *q;
		}
	}
	if (!*q) {
		*end = p + 1;
		return c == '[';
	}
	*end = q + 1;
	return hit != negate;
}

bool str_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *star_s = NULL;

	/* One star to fall back on is enough: an earlier one need not give more. */
	for (;;) {
		const char *next;

		if (*pattern == '*') {
			star = ++pattern;
			star_s = s;
			continue;
		}
		if (!*s)
			return !*pattern;
		if (*pattern == '[' ? class_match(pattern, *s, &next)
				    : *pattern && (*pattern == '?' || *pattern == *s)) {
			pattern = *pattern == '[' ? next : pattern + 1;
			s++;
			continue;
		}
		if (!star)
			return false;
		pattern = star;
		s = ++star_s;
	}
}

#define WORD_MAX 255u

unsigned str_distance(const char *a, const char *b)
{
	unsigned row[3][WORD_MAX + 1];
	unsigned *before = row[0], *last = row[1], *now = row[2];
	size_t n = strnlen(a, WORD_MAX), m = strnlen(b, WORD_MAX);

	/* Optimal string alignment: Levenshtein with swaps of neighbours. */
	for (size_t j = 0; j <= m; j++)
		last[j] = before[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned d = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < d)
				d = last[j] + 1;
			if (now[j - 1] + 1 < d)
				d = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < d)
				d = before[j - 2] + 1;
			now[j] = d;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[m];
}

const char *str_nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	size_t len = strlen(word);
	unsigned best_d = len < 3 ? 1 : (unsigned)(len / 3) + 1;

	for (; *names; names++) {
		/* A word cut short is the likeliest slip after a misspelling. */
		unsigned d = len >= 2 && str_starts(*names, word) ? 1 : str_distance(word, *names);

		if (d < best_d || (d == best_d && !best)) {
			best = *names;
			best_d = d;
		}
	}
	return best;
}

int str_u64(const char *s, uint64_t *out)
{
	char *end;
	unsigned long long n;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	n = strtoull(s, &end, 0);
	if (*end)
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*out = n;
	return 0;
}

int str_size(const char *s, uint64_t *bytes, bool *had_suffix)
{
	static const char units[] = "BKMG";
	char *end;
	unsigned long long n;
	unsigned shift = 0;
	bool suffix = false;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	n = strtoull(s, &end, 0);
	if (errno == ERANGE)
		return -ERANGE;
	if (*end) {
		const char *unit = strchr(units, toupper((unsigned char)*end));

		if (!unit || end[1])
			return -EINVAL;
		shift = 10 * (unsigned)(unit - units);
		suffix = true;
	}
	if (n > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes = (uint64_t)n << shift;
	if (had_suffix)
		*had_suffix = suffix;
	return 0;
}

char *str_commas(uint64_t n, char buf[32])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n), j = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[j++] = ',';
		buf[j++] = digits[i];
	}
	buf[j] = '\0';
	return buf;
}
