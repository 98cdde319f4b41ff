/* SPDX-License-Identifier: MIT */
#include "formats/stack_text.h"

#include <string.h>

#define NONE UINT32_MAX
#define LOOKED_AT (256 * 1024)   /* bytes from which the form is told */

/* --- pieces ----------------------------------------------------------------------------------- */

static struct text_piece piece(const char *from, const char *to)
{
	return (struct text_piece){ from, (size_t)(to - from) };
}

static bool is(struct text_piece t, const char *text)
{
	return t.p && t.len == strlen(text) && memcmp(t.p, text, t.len) == 0;
}

static bool begins(struct text_piece t, const char *text)
{
	return t.len >= strlen(text) && memcmp(t.p, text, strlen(text)) == 0;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

/* All digits, and not too many. */
static bool number(struct text_piece t, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t.len; i++) {
		if (!is_digit(t.p[i]) || n > (UINT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(t.p[i] - '0');
	}
	*out = n;
	return t.len > 0;
}

static bool number32(struct text_piece t, uint32_t *out)
{
	uint64_t n;

	/* -1: a task that has already given its number back */
	if (is(t, "-1")) {
		*out = NONE;
		return true;
	}
	if (!number(t, &n) || n > INT32_MAX)
		return false;
	*out = (uint32_t)n;
	return true;
}

/* The next line without its end; false when there is none. */
static bool next_line(struct stack_text *t, struct text_piece *line)
{
	const char *nl;

	if (t->at >= t->end)
		return false;
	nl = memchr(t->at, '\n', (size_t)(t->end - t->at));
	*line = piece(t->at, nl ? nl : t->end);
	t->at = nl ? nl + 1 : t->end;
	t->line++;
	while (line->len && (is_blank(line->p[line->len - 1]) || line->p[line->len - 1] == '\r'))
		line->len--;
	return true;
}

/* The word at *at, and *at behind it and the blanks that follow. */
static struct text_piece word(const char **at, const char *end)
{
	const char *from = *at, *p = from;

	while (p < end && !is_blank(*p))
		p++;
	*at = p;
	while (*at < end && is_blank(**at))
		++*at;
	return piece(from, p);
}

/* --- folded ------------------------------------------------------------------------------------- */

static struct stack_text_frame folded_frame(struct text_piece name)
{
	static const struct { const char *mark; enum label_kind kind; } marks[] = {
		{ "_[k]", LABEL_KERNEL }, { "_[i]", LABEL_INLINE }, { "_[j]", LABEL_JIT },
	};
	struct stack_text_frame frame = { .name = name, .kind = LABEL_USER };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (name.len > 4 && memcmp(name.p + name.len - 4, marks[i].mark, 4) == 0) {
			frame.name.len -= 4;
			frame.kind = marks[i].kind;
			return frame;
		}
	}
	/* "[unknown]", and "[libc.so.6]" for a function of it that has no name */
	if (name.len > 2 && name.p[0] == '[' && name.p[name.len - 1] == ']') {
		frame.kind = LABEL_UNNAMED;
		frame.name.p = NULL;
		if (!is(name, "[unknown]"))
			frame.module = (struct text_piece){ name.p + 1, name.len - 2 };
	}
	return frame;
}

/* "comm-77/78" */
static void split_thread(struct stack_text_sample *out)
{
	const char *dash = memrchr(out->comm.p, '-', out->comm.len), *end = out->comm.p + out->comm.len, *slash;
	uint32_t pid, tid;

	if (!dash || dash == out->comm.p)
		return;
	slash = memchr(dash, '/', (size_t)(end - dash));
	if (!slash || !number32(piece(dash + 1, slash), &pid) || !number32(piece(slash + 1, end), &tid))
		return;
	out->pid = pid;
	out->tid = tid;
	out->comm.len = (size_t)(dash - out->comm.p);
}

/* "stack 12" or "stack 12.5": the count's whole part. */
static bool split_count(struct text_piece line, struct text_piece *stack, uint64_t *count)
{
	const char *space = memrchr(line.p, ' ', line.len), *end = line.p + line.len, *dot;
	uint64_t fraction;

	if (!space || space == line.p)
		return false;
	dot = memchr(space, '.', (size_t)(end - space));
	if (dot && dot + 1 < end && !number(piece(dot + 1, end), &fraction))
		return false;
	*stack = piece(line.p, space);
	return number(piece(space + 1, dot ? dot : end), count);
}

static bool folded_sample(struct stack_text *t, struct text_piece line, struct stack_text_sample *out)
{
	struct text_piece stack;
	const char *end;
	bool single;

	if (!split_count(line, &stack, &out->samples))
		return false;
	out->period = out->samples;
	end = stack.p + stack.len;
	single = !memchr(stack.p, ';', stack.len);
	if (single)
		*vec_push(&t->frames) = folded_frame(stack);
	for (const char *semicolon; (semicolon = memrchr(stack.p, ';', (size_t)(end - stack.p))); end = semicolon)
		*vec_push(&t->frames) = folded_frame(piece(semicolon + 1, end));
	out->comm = piece(stack.p, end);
	split_thread(out);
	return true;
}

/* --- script ------------------------------------------------------------------------------------- */

/* "12.345678:" -> nanoseconds */
static bool time_of(struct text_piece t, uint64_t *ns)
{
	const char *dot = memchr(t.p, '.', t.len);
	uint64_t seconds, part, scale = 1000000000;

	if (!dot || t.len < 4 || t.p[t.len - 1] != ':')
		return false;
	t.len--;
	if (!number(piece(t.p, dot), &seconds) || !number(piece(dot + 1, t.p + t.len), &part) ||
	    seconds > UINT64_MAX / 1000000000 - 1)
		return false;
	for (const char *p = dot + 1; p < t.p + t.len; p++)
		scale /= 10;
	if (!scale)
		return false;
	*ns = seconds * 1000000000 + part * scale;
	return true;
}

/* "77" or "77/78"; one number is a thread's (perf script's tid). */
static bool ids_of(struct text_piece t, struct stack_text_sample *out)
{
	const char *slash = memchr(t.p, '/', t.len);

	if (slash)
		return number32(piece(t.p, slash), &out->pid) &&
		       number32(piece(slash + 1, t.p + t.len), &out->tid);
	if (!number32(t, &out->tid))
		return false;
	out->pid = out->tid;
	return true;
}

static bool cpu_of(struct text_piece t, uint32_t *cpu)
{
	return t.len > 2 && t.p[0] == '[' && t.p[t.len - 1] == ']' &&
	       number32((struct text_piece){ t.p + 1, t.len - 2 }, cpu);
}

/* What stands behind the thread's numbers: [cpu] time: period event: rest. */
static bool head_rest(const char *at, const char *end, bool timed, struct stack_text_sample *out,
		      const char **rest)
{
	const char *next = at, *from;
	struct text_piece w = word(&next, end);

	if (cpu_of(w, &out->cpu)) {
		at = next;
		w = word(&next, end);
	}
	if (time_of(w, &out->time_ns)) {
		out->has_time = true;
		at = next;
		w = word(&next, end);
	}
	if (out->has_time != timed)
		return false;
	if (number(w, &out->period) && next < end) {
		out->has_period = true;
		at = next;
		w = word(&next, end);
	}
	/* the event's name ends with a colon; behind a time it may have blanks */
	for (from = at; timed && w.len && w.p[w.len - 1] != ':'; w = word(&next, end))
		;
	if (w.len && w.p[w.len - 1] == ':') {
		out->event = piece(from, w.p + w.len - 1);
		at = next;
	}
	*rest = at;
	return timed || out->event.p;
}

/* The line that begins a sample: the thread's name may have blanks and numbers in it. */
static bool head(struct text_piece line, bool timed, struct stack_text_sample *out, const char **rest)
{
	const struct stack_text_sample blank = *out;
	const char *at = line.p, *end = line.p + line.len, *from;

	while (at < end && is_blank(*at))
		at++;
	from = at;
	word(&at, end);
	while (at < end) {
		const char *next = at;
		struct text_piece w = word(&next, end);

		*out = blank;
		if (ids_of(w, out) && head_rest(next, end, timed, out, rest)) {
			const char *stop = at;

			while (stop > from && is_blank(stop[-1]))
				stop--;
			out->comm = piece(from, stop);
			return !begins(piece(*rest, end), "PERF_RECORD_");
		}
		at = next;
	}
	*out = blank;
	return false;
}

/* Where the "(binary)" at the end begins; binaries may have parentheses in their names. */
static const char *binary_of(const char *from, const char *end)
{
	unsigned depth = 0;

	if (end == from || end[-1] != ')')
		return NULL;
	for (const char *p = end; p-- > from;) {
		depth += *p == ')';
		if (*p == '(' && !--depth)
			return p > from && is_blank(p[-1]) ? p : NULL;
	}
	return NULL;
}

static enum label_kind kind_of(struct text_piece module, bool high)
{
	static const char *const users[] = { "[vdso]", "[vsyscall]", "[heap]", "[stack]", "[unknown]", "[anon" };

	if (!module.p)
		return high ? LABEL_KERNEL : LABEL_USER;
	if (begins(module, "/tmp/perf-") || begins(module, "//anon") || begins(module, "[JIT]") ||
	    memmem(module.p, module.len, "jitted-", 7))
		return LABEL_JIT;
	if (module.len && module.p[0] == '[') {
		for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
			if (begins(module, users[i]))
				return high ? LABEL_KERNEL : LABEL_USER;
		return LABEL_KERNEL;
	}
	return high ? LABEL_KERNEL : LABEL_USER;
}

static const char *without_offset(const char *from, const char *end)
{
	const char *p = end;

	while (p > from && is_hex(p[-1]))
		p--;
	return p < end && p - from > 3 && memcmp(p - 3, "+0x", 3) == 0 ? p - 3 : end;
}

/* "  401136 burn_a+0x6 (/bin/burn)" */
static bool script_frame(struct text_piece line, struct stack_text_frame *out)
{
	const char *at = line.p, *end = line.p + line.len, *open, *stop;
	struct text_piece addr;
	bool high;

	*out = (struct stack_text_frame){ .kind = LABEL_USER };
	while (at < end && is_blank(*at))
		at++;
	addr = word(&at, end);
	for (size_t i = 0; i < addr.len; i++)
		if (!is_hex(addr.p[i]))
			return false;
	if (!addr.len || addr.len > 16)
		return false;
	high = addr.len == 16 && addr.p[0] >= '8';
	open = binary_of(at - 1, end);
	stop = open ? open : end;
	while (stop > at && is_blank(stop[-1]))
		stop--;
	if (open && open + 1 < end)
		out->module = piece(open + 1, end - 1);
	out->kind = kind_of(out->module, high);
	if (is(out->module, "inlined")) {
		out->kind = LABEL_INLINE;
		out->module.p = NULL;
	} else if (is(out->module, "[unknown]")) {
		out->module.p = NULL;
	}
	out->name = piece(at, without_offset(at, stop));
	if (!out->name.len || is(out->name, "[unknown]"))
		out->name.p = NULL;
	if (!out->name.p && out->kind == LABEL_USER)
		out->kind = LABEL_UNNAMED;
	return true;
}

static bool is_head(struct text_piece line, struct stack_text_sample *out, const char **rest)
{
	return head(line, true, out, rest) || head(line, false, out, rest);
}

/* Functions are indented by a tab; so are names of threads, by blanks, to the right. */
static bool next_below(struct stack_text *t, struct text_piece *line)
{
	struct stack_text_sample other = { 0 };
	struct stack_text before = *t;
	const char *rest;

	if (t->at == t->end || !is_blank(*t->at))
		return false;
	next_line(t, line);
	if (line->len && line->p[0] == ' ' && is_head(*line, &other, &rest)) {
		*t = before;
		return false;
	}
	return line->len > 0;
}

static bool script_sample(struct stack_text *t, struct text_piece line, struct stack_text_sample *out)
{
	struct stack_text_frame frame;
	const char *rest;

	if (!is_head(line, out, &rest))
		return false;
	out->samples = 1;
	if (!out->has_period)
		out->period = 1;
	/* without chains the function stands behind the event; so does what a tracepoint tells */
	if (rest < line.p + line.len && binary_of(rest, line.p + line.len) &&
	    script_frame(piece(rest, line.p + line.len), &frame))
		*vec_push(&t->frames) = frame;
	while (next_below(t, &line)) {
		/* else a source line under its function, or registers */
		if (script_frame(line, &frame))
			*vec_push(&t->frames) = frame;
	}
	if (!t->frames.nr)
		*vec_push(&t->frames) = (struct stack_text_frame){ .kind = LABEL_UNNAMED };
	return true;
}

/* --- both ----------------------------------------------------------------------------------------- */

void stack_text_init(struct stack_text *t, enum stack_text_form form, const void *bytes, size_t size)
{
	*t = (struct stack_text){ .at = bytes, .end = (const char *)bytes + size, .form = form };
}

void stack_text_release(struct stack_text *t)
{
	vec_release(&t->frames);
}

int stack_text_next(struct stack_text *t, struct stack_text_sample *out)
{
	struct text_piece line;

	while (next_line(t, &line)) {
		if (!line.len || line.p[0] == '#')
			continue;
		*out = (struct stack_text_sample){ .pid = NONE, .tid = NONE, .cpu = NONE };
		t->frames.nr = 0;
		if (t->form == STACK_TEXT_FOLDED ? folded_sample(t, line, out) : script_sample(t, line, out)) {
			out->frames = t->frames.v;
			out->nr_frames = (uint32_t)t->frames.nr;
			return 1;
		}
		t->nr_odd++;
	}
	return 0;
}

/* Text has no zero bytes, and each form's first line reads as that form. */
enum stack_text_form stack_text_recognise(const void *bytes, size_t size)
{
	static const enum stack_text_form forms[] = { STACK_TEXT_SCRIPT, STACK_TEXT_FOLDED };
	size_t head_size = size < 4096 ? size : 4096;

	if (memchr(bytes, '\0', head_size))
		return STACK_TEXT_NONE;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct stack_text_sample sample;
		struct stack_text text;
		bool found;

		stack_text_init(&text, forms[i], bytes, size < LOOKED_AT ? size : LOOKED_AT);
		found = stack_text_next(&text, &sample);
		/* folded lines from the first on; script text may have words before its first sample */
		found &= forms[i] == STACK_TEXT_SCRIPT || !text.nr_odd;
		stack_text_release(&text);
		if (found)
			return forms[i];
	}
	return STACK_TEXT_NONE;
}
