/* SPDX-License-Identifier: MIT */
#include "formats/tracepoint_check.h"

#include <ctype.h>
#include <event-parse.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define DEPTH_MAX 48             /* of expressions in one another; kernels have about ten */
#define OFFSET_MAX 65536u        /* a sample's raw bytes: less than a record */
#define FIELDS_MAX 512u
#define NAME_MAX_BYTES 128u

/*
 * A pass over the text. Each step moves `at` behind what it has read, or fails and
 * leaves it anywhere: the first failure is the end.
 */
struct scan {
	const char *at;
	unsigned depth;
	bool refused;            /* well-formed, but nothing for libtraceevent */
	struct {
		const char *at;
		size_t len;
	} fields[FIELDS_MAX];    /* their names */
	unsigned nr_fields;
};

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_blanks(struct scan *s)
{
	while (*s->at == ' ' || *s->at == '\t')
		s->at++;
}

static bool take(struct scan *s, const char *word)
{
	skip_blanks(s);
	if (!str_starts(s->at, word))
		return false;
	s->at += strlen(word);
	return true;
}

/* Does `word` stand next? Nothing but blanks is read. */
static bool sees(struct scan *s, const char *word)
{
	skip_blanks(s);
	return str_starts(s->at, word);
}

static bool take_name(struct scan *s, const char **name, size_t *len)
{
	const char *from;

	skip_blanks(s);
	from = s->at;
	if (!is_alpha(*from))
		return false;
	while (is_alpha(*s->at) || is_digit(*s->at))
		s->at++;
	if (name) {
		*name = from;
		*len = (size_t)(s->at - from);
	}
	return (size_t)(s->at - from) < NAME_MAX_BYTES;
}

static bool take_number(struct scan *s, uint64_t most)
{
	const char *from;
	char *end;

	skip_blanks(s);
	from = s->at;
	if (!is_digit(*from))
		return false;
	if (strtoull(from, &end, 0) > most)
		return false;
	while (*end == 'u' || *end == 'U' || *end == 'l' || *end == 'L')
		end++;
	s->at = end;
	return !is_alpha(*end) && !is_digit(*end);
}

/* A string or a character constant. Some of the kernel's have line breaks in them. */
static bool take_quoted(struct scan *s, char quote)
{
	skip_blanks(s);
	if (*s->at++ != quote)
		return false;
	for (; *s->at != quote; s->at++) {
		if (*s->at == '\\')
			s->at++;
		if ((unsigned char)*s->at < ' ' && *s->at != '\t' && *s->at != '\n')
			return false;
	}
	s->at++;
	return true;
}

/* One string or several that the compiler makes one. */
static bool take_text(struct scan *s)
{
	do {
		if (!take_quoted(s, '"'))
			return false;
	} while (sees(s, "\""));
	return true;
}

/* --- fields ------------------------------------------------------------------ */

/* Behind the name, or before it in `__data_loc char[] name`: what stands in [ ]. */
static bool take_dimension(struct scan *s)
{
	unsigned open = 0;

	if (!take(s, "["))
		return false;
	while (!sees(s, "]") || open) {
		if (sees(s, ")") && !open--)
			return false;
		if (take(s, "("))
			open++;
		else if (!take(s, ")") && !take_number(s, UINT32_MAX) && !take_name(s, NULL, NULL) &&
			 !take(s, "*") && !take(s, "+") && !take(s, "-") && !take(s, "/") && !take(s, "<<"))
			return false;
	}
	return take(s, "]");
}

/* "unsigned char prev_comm[16]", "__data_loc char[] name", "const char * s" */
static bool take_declaration(struct scan *s)
{
	unsigned names = 0, dimensions = 0;
	bool named = false;      /* the last word can be the field's name */
	const char *name = NULL;
	size_t len = 0;

	while (!sees(s, ";")) {
		if (take_name(s, &name, &len)) {
			names++;
			named = true;
		} else if (sees(s, "[")) {
			if (!named || !names || ++dimensions > 4 || !take_dimension(s))
				return false;
		} else if (take(s, "*")) {
			if (!names || dimensions)
				return false;
			named = false;
		} else {
			return false;
		}
	}
	if (names < 2 || !named || s->nr_fields == FIELDS_MAX)
		return false;
	s->fields[s->nr_fields].at = name;
	s->fields[s->nr_fields++].len = len;
	return take(s, ";");
}

/* The name of a field that was described: for others libtraceevent has a null pointer. */
static bool take_field_name(struct scan *s)
{
	const char *name;
	size_t len;

	if (!take_name(s, &name, &len))
		return false;
	for (unsigned i = 0; i < s->nr_fields; i++)
		if (s->fields[i].len == len && memcmp(s->fields[i].at, name, len) == 0)
			return true;
	return false;
}

static bool take_field(struct scan *s)
{
	if (!take(s, "field:") && !take(s, "field special:"))
		return false;
	if (!take_declaration(s))
		return false;
	if (!take(s, "offset:") || !take_number(s, OFFSET_MAX) || !take(s, ";"))
		return false;
	if (!take(s, "size:") || !take_number(s, OFFSET_MAX) || !take(s, ";"))
		return false;
	/* before 2.6.32 it was not stated */
	if (take(s, "signed:") && !(take_number(s, 1) && take(s, ";")))
		return false;
	return take(s, "\n");
}

/* --- expressions ------------------------------------------------------------- */

static bool take_expression(struct scan *s);

/* "(unsigned long)", "(struct page *)": words and stars alone, with an operand behind them. */
static bool take_cast(struct scan *s)
{
	struct scan probe = { .at = s->at };
	unsigned names = 0, stars = 0;

	if (!take(&probe, "("))
		return false;
	while (take_name(&probe, NULL, NULL))
		names++;
	while (take(&probe, "*"))
		stars++;
	if (!names || !take(&probe, ")"))
		return false;
	skip_blanks(&probe);
	if (names == 1 && !stars && !is_alpha(*probe.at) && !is_digit(*probe.at) && *probe.at != '(')
		return false;
	s->at = probe.at;
	return true;
}

/* What stands between ( and ), with commas between: the ( has been read. */
static bool take_arguments(struct scan *s, const char *close)
{
	if (take(s, close))
		return true;
	do {
		if (!take_expression(s))
			return false;
	} while (take(s, ","));
	return take(s, close);
}

static bool is_name(const char *name, size_t len, const char *const *names)
{
	for (; *names; names++)
		if (strlen(*names) == len && memcmp(*names, name, len) == 0)
			return true;
	return false;
}

/* {value, "name"}, ...: at least one; { -1, NULL } can be the last, as 0 or ((void *)0). */
static bool take_pairs(struct scan *s)
{
	do {
		if (!take(s, "{"))
			return false;
		if (take(s, "}"))
			continue;
		if (!take_expression(s) || !take(s, ",") || !take_expression(s) || !take(s, "}"))
			return false;
	} while (take(s, ","));
	return take(s, ")");
}

/* The helpers of include/trace/stages/stage3_trace_output.h that libtraceevent knows. */
static bool take_call(struct scan *s, const char *name, size_t len)
{
	static const char *const of_field[] = {
		"__get_str", "__get_rel_str", "__get_dynamic_array", "__get_rel_dynamic_array",
		"__get_dynamic_array_len", "__get_rel_dynamic_array_len", "__get_bitmask",
		"__get_rel_bitmask", "__get_cpumask", "__get_rel_cpumask", "__get_sockaddr",
		"__get_rel_sockaddr", NULL,
	};
	static const char *const flags[] = { "__print_flags", "__print_flags_u64", NULL };
	static const char *const symbols[] = { "__print_symbolic", "__print_symbolic_u64", NULL };
	static const char *const hex[] = { "__print_hex", "__print_hex_str", NULL };
	static const char *const array[] = { "__print_array", NULL };

	if (is_name(name, len, of_field))
		return take_field_name(s) && take(s, ")");
	if (is_name(name, len, flags))
		return take_expression(s) && take(s, ",") && take_quoted(s, '"') && take(s, ",") &&
		       take_pairs(s);
	if (is_name(name, len, symbols))
		return take_expression(s) && take(s, ",") && take_pairs(s);
	if (is_name(name, len, hex))
		return take_expression(s) && take(s, ",") && take_expression(s) && take(s, ")");
	if (is_name(name, len, array))
		return take_expression(s) && take(s, ",") && take_expression(s) && take(s, ",") &&
		       take_expression(s) && take(s, ")");
	if (len == 6 && memcmp(name, "sizeof", 6) == 0) {
		while (take_name(s, NULL, NULL) || take(s, "*"))
			;
		return take(s, ")");
	}
	/* another one: libtraceevent gives the event up, or a plugin knows it */
	return take_arguments(s, ")");
}

static bool take_primary(struct scan *s)
{
	const char *name;
	size_t len;

	if (sees(s, "\""))
		return take_text(s);
	if (sees(s, "'"))
		return take_quoted(s, '\'');
	if (take_number(s, UINT64_MAX))
		return true;
	if (take(s, "("))
		return take_expression(s) && take(s, ")");
	if (!take_name(s, &name, &len))
		return false;
	if (len == 3 && memcmp(name, "REC", 3) == 0)
		return take(s, "->") && take_field_name(s);
	return take(s, "(") ? take_call(s, name, len) : true;
}

static bool take_unary(struct scan *s)
{
	static const char *const unary[] = { "!", "~", "-", "+", "*", "&", NULL };

	for (;;) {
		const char *const *op = unary;

		while (*op && !sees(s, *op))
			op++;
		if (*op)
			take(s, *op);
		else if (!take_cast(s))
			break;
	}
	if (!take_primary(s))
		return false;
	for (;;) {
		if (take(s, "[")) {
			if (!take_expression(s) || !take(s, "]"))
				return false;
		} else if (take(s, "->") || take(s, ".")) {
			if (!take_name(s, NULL, NULL))
				return false;
		} else {
			return true;
		}
	}
}

/*
 * A constant that is not 0, maybe in parentheses: libtraceevent works constant parts
 * out while it reads and takes unknown names for 0, so nothing else may be divided by.
 * It reads a / 2 * b as a / (2 * b), so no such operator may follow either.
 */
static bool sees_divisor(const struct scan *s)
{
	struct scan probe = { .at = s->at };
	unsigned open = 0;

	for (;;) {
		if (take_cast(&probe))
			continue;
		if (!take(&probe, "("))
			break;
		open++;
	}
	if (take(&probe, "sizeof(")) {
		while (take_name(&probe, NULL, NULL) || take(&probe, "*"))
			;
		if (!take(&probe, ")"))
			return false;
	} else {
		skip_blanks(&probe);
		if (!strtoull(probe.at, NULL, 0) || !take_number(&probe, INT32_MAX))
			return false;
	}
	while (open && take(&probe, ")"))
		open--;
	return !open && !sees(&probe, "*") && !sees(&probe, "/") && !sees(&probe, "%") &&
	       !sees(&probe, "[") && !sees(&probe, "->") && !sees(&probe, ".");
}

static bool take_operator(struct scan *s)
{
	/* the longer ones before those they begin with */
	static const char *const ops[] = { "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+", "-", "*",
					   "/", "%", "<", ">", "&", "|", "^", NULL };

	for (const char *const *op = ops; *op; op++)
		if (take(s, *op)) {
			s->refused |= (**op == '/' || **op == '%') && !sees_divisor(s);
			return true;
		}
	return false;
}

static bool take_expression(struct scan *s)
{
	bool ok;

	if (++s->depth > DEPTH_MAX)
		return false;
	do {
		ok = take_unary(s);
	} while (ok && take_operator(s));
	ok = ok && !s->refused;
	if (ok && take(s, "?"))
		ok = take_expression(s) && take(s, ":") && take_expression(s);
	s->depth--;
	return ok;
}

/*
 * No width or precision of more than three digits, and none out of the sample but that of a
 * %.*s, which only shortens: libc would pad for minutes.  Kernels up to 6.18 have no other,
 * except for a %*pbl that libtraceevent does not know either.
 */
static bool is_narrow(const char *format)
{
	while ((format = strchr(format, '%'))) {
		size_t len = strspn(++format, "-+ #'.*0123456789hlzjtqL");

		for (size_t i = 0, digits = 0; i < len; i++) {
			digits = isdigit((unsigned char)format[i]) ? digits + 1 : 0;
			if (digits > 3)
				return false;
			if (format[i] == '*' && (!i || format[i - 1] != '.' || format[i + 1] != 's'))
				return false;
		}
		format += len;
		format += *format == '%';
	}
	return true;
}

static bool take_format(struct scan *s)
{
	struct str text = STR_INIT;
	const char *from;
	bool ok;

	do {
		skip_blanks(s);
		from = s->at;
		ok = take_quoted(s, '"');
		if (ok)
			str_addn(&text, from + 1, (size_t)(s->at - from) - 2);
	} while (ok && sees(s, "\""));
	ok = ok && is_narrow(text.p);
	str_release(&text);
	return ok;
}

static bool take_print_fmt(struct scan *s)
{
	if (!take(s, "print fmt:") || !take_format(s))
		return false;
	while (take(s, ","))
		if (!take_expression(s))
			return false;
	skip_blanks(s);
	return *s->at == '\n' || *s->at == '\0';
}

bool tracepoint_check(const char *text)
{
	struct scan s = { .at = text };

	if (!take(&s, "name:") || !take_name(&s, NULL, NULL) || !take(&s, "\n"))
		return false;
	if (!take(&s, "ID:") || !take_number(&s, UINT16_MAX) || !take(&s, "\n"))
		return false;
	if (!take(&s, "format:") || !take(&s, "\n"))
		return false;
	while (!sees(&s, "print fmt:")) {
		if (take(&s, "\n"))
			continue;
		if (!take_field(&s))
			return false;
	}
	if (!s.nr_fields || !take_print_fmt(&s))
		return false;
	while (take(&s, "\n"))
		;
	return *s.at == '\0';
}

/* --- arguments against a sample ------------------------------------------------- */

struct sizes {
	struct tep_event *event;
	const void *raw;
	unsigned depth;
};

static bool number(const struct sizes *s, struct tep_print_arg *arg, unsigned long long *out)
{
	struct tep_format_field *field;
	char *end;

	switch (arg->type) {
	case TEP_PRINT_ATOM:
		*out = strtoull(arg->atom.atom, &end, 0);
		return end != arg->atom.atom;
	case TEP_PRINT_TYPE:
		return number(s, arg->typecast.item, out);
	case TEP_PRINT_FIELD:
		field = tep_find_any_field(s->event, arg->field.name);
		return field && tep_read_number_field(field, s->raw, out) == 0;
	default:
		return false;
	}
}

/* A length: a number that is small enough, or one that the format bounds by itself. */
static bool is_length(const struct sizes *s, struct tep_print_arg *arg)
{
	unsigned long long n;

	if (arg->type == TEP_PRINT_DYNAMIC_ARRAY_LEN)
		return true;
	if (arg->type == TEP_PRINT_OP && strcmp(arg->op.op, "/") == 0)
		return is_length(s, arg->op.left) && number(s, arg->op.right, &n) && n;
	return number(s, arg, &n) && n <= TRACEPOINT_LENGTH_MAX;
}

static bool is_array(const struct tep_print_arg *arg)
{
	return arg->type == TEP_PRINT_FIELD || arg->type == TEP_PRINT_DYNAMIC_ARRAY;
}

/* REC->args[3]: within the field. */
static bool is_index(const struct sizes *s, struct tep_print_arg *left, struct tep_print_arg *right)
{
	struct tep_format_field *field;
	unsigned long long n;

	while (left->type == TEP_PRINT_TYPE)
		left = left->typecast.item;
	if (!number(s, right, &n) || n > TRACEPOINT_LENGTH_MAX)
		return false;
	if (left->type == TEP_PRINT_DYNAMIC_ARRAY)
		return n * 8 <= TRACEPOINT_LENGTH_MAX;
	if (left->type != TEP_PRINT_FIELD)
		return false;
	field = tep_find_any_field(s->event, left->field.name);
	return field && field->size > 0 && (n + 1) * field->elementsize <= (unsigned)field->size;
}

static bool is_safe(struct sizes *s, struct tep_print_arg *arg);

static bool is_safe_op(struct sizes *s, struct tep_print_arg *arg)
{
	unsigned long long n;

	if (!arg->op.right || !is_safe(s, arg->op.right))
		return false;
	if (arg->op.left && !is_safe(s, arg->op.left))
		return false;
	switch (arg->op.op[0]) {
	case '[':
		return arg->op.left && is_index(s, arg->op.left, arg->op.right);
	case '/':
	case '%':
		/* a divisor of all ones would be -1: the one quotient that does not fit */
		return number(s, arg->op.right, &n) && (int)n > 0 && (long long)n > 0;
	default:
		return true;
	}
}

static bool is_safe(struct sizes *s, struct tep_print_arg *arg)
{
	bool ok;

	if (!arg || ++s->depth > DEPTH_MAX)
		return false;
	switch (arg->type) {
	case TEP_PRINT_NULL:
	case TEP_PRINT_ATOM:
	case TEP_PRINT_STRING:
	case TEP_PRINT_BITMASK:
	case TEP_PRINT_CPUMASK:
	case TEP_PRINT_DYNAMIC_ARRAY_LEN:
	case TEP_PRINT_DYNAMIC_ARRAY:
		ok = true;
		break;
	case TEP_PRINT_FIELD:
		/* once printed, it is known */
		ok = arg->field.field || tep_find_any_field(s->event, arg->field.name);
		break;
	case TEP_PRINT_FLAGS:
		ok = is_safe(s, arg->flags.field);
		break;
	case TEP_PRINT_SYMBOL:
		ok = is_safe(s, arg->symbol.field);
		break;
	case TEP_PRINT_HEX:
	case TEP_PRINT_HEX_STR:
		ok = is_array(arg->hex.field) && is_safe(s, arg->hex.field) &&
		     is_length(s, arg->hex.size);
		break;
	case TEP_PRINT_INT_ARRAY:
		ok = is_array(arg->int_array.field) && is_safe(s, arg->int_array.field) &&
		     is_length(s, arg->int_array.count) && is_length(s, arg->int_array.el_size);
		break;
	case TEP_PRINT_TYPE:
		ok = is_safe(s, arg->typecast.item);
		break;
	case TEP_PRINT_OP:
		ok = is_safe_op(s, arg);
		break;
	default:
		/* functions of plugins, and arguments of trace_printk: none are known here */
		ok = false;
		break;
	}
	s->depth--;
	return ok;
}

bool tracepoint_check_sample(struct tep_event *event, const void *raw, unsigned size)
{
	struct tep_format_field *lists[] = { event->format.common_fields, event->format.fields };
	struct sizes s = { event, raw, 0 };

	if (event->flags & TEP_EVENT_FL_ISBPRINT)
		return false;
	for (int i = 0; i < 2; i++)
		for (struct tep_format_field *f = lists[i]; f; f = f->next)
			if (f->offset < 0 || f->size < 0 ||
			    (unsigned)f->offset + (unsigned)f->size > size)
				return false;
	for (struct tep_print_arg *arg = event->print_fmt.args; arg; arg = arg->next)
		if (!is_safe(&s, arg))
			return false;
	return true;
}
