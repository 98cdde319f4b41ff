/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "formats/svg.h"

/* --- XML 1.0, as far as is needed to see whether a page is well-formed ----------------- */

static const char *check_entity(const char *p)
{
	static const char *const known[] = { "&lt;", "&gt;", "&amp;", "&quot;", "&#39;" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(p, known[i], strlen(known[i])) == 0)
			return p + strlen(known[i]);
	return NULL;
}

static const char *check_tag(const char *p, char stack[][32], unsigned *depth)
{
	bool closing = p[1] == '/';
	const char *name = p + 1 + closing, *end = name + strcspn(name, " />\n");
	char text[32];

	if (end == name || end - name > 31)
		return NULL;
	snprintf(text, sizeof(text), "%.*s", (int)(end - name), name);
	for (p = end; *p && *p != '>' && *p != '/'; p++) {
		if (*p != '"')
			continue;
		for (p++; *p && *p != '"'; p++)
			if (*p == '<' || (*p == '&' && !check_entity(p)))
				return NULL;
	}
	if (closing)
		return *depth && strcmp(stack[--*depth], text) == 0 && *p == '>' ? p + 1 : NULL;
	if (*p == '/')
		return p[1] == '>' ? p + 2 : NULL;
	strcpy(stack[(*depth)++], text);
	return *p == '>' ? p + 1 : NULL;
}

static bool well_formed(const char *p)
{
	char stack[64][32];
	unsigned depth = 0;

	if (strncmp(p, "<?xml ", 6) != 0)
		return false;
	p = strstr(p, "?>") + 2;
	while (p && *p) {
		if ((unsigned char)*p < 32 && *p != '\n' && *p != '\t')
			return false;
		if (strncmp(p, "<![CDATA[", 9) == 0)
			p = strstr(p, "]]>") ? strstr(p, "]]>") + 3 : NULL;
		else if (*p == '<')
			p = check_tag(p, stack, &depth);
		else if (*p == '&')
			p = check_entity(p);
		else
			p++;
	}
	return p && depth == 0;
}

static char *draw(const char *folded, struct svg_options *options)
{
	struct stack_tree tree;
	struct label_table labels;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	FILE *in = *folded ? fmemopen((void *)(uintptr_t)folded, strlen(folded), "r") : NULL;

	stack_tree_init(&tree);
	label_table_init(&labels);
	if (in && folded_read(&tree, &labels, false, in, &err) < 0)
		fail_msg("%s", err.msg);
	stack_tree_sum(&tree);
	stack_tree_sort(&tree, label_compare, &labels);
	assert_int_equal(svg_write(&tree, &labels, options, out, &err), 0);
	fclose(out);
	if (in)
		fclose(in);
	stack_tree_release(&tree);
	label_table_release(&labels);
	if (!well_formed(text))
		fail_msg("not well-formed:\n%s", text);
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf\""));
	return text;
}

/* The attribute `name` of the rect behind the title that starts with `title`. */
static double attribute(const char *svg, const char *title, const char *name)
{
	struct str s = STR_INIT;
	const char *at;
	double value;

	str_addf(&s, "<title>%s (", title);
	at = strstr(svg, s.p);
	assert_non_null(at);
	str_clear(&s);
	str_addf(&s, " %s=\"", name);
	at = strstr(strstr(at, "<rect"), s.p);
	assert_non_null(at);
	value = atof(at + s.len);
	str_release(&s);
	return value;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text += strlen(what);
	}
	return n;
}

/* --------------------------------------------------------------------------------------- */

static void boxes_are_as_wide_as_their_share(void **state)
{
	struct svg_options o = { .width = 1020 };
	char *svg = draw("main;a 50\nmain;b 30\nmain;b;c 20\n", &o);

	(void)state;
	assert_float_equal((float)attribute(svg, "all", "width"), 1000, 0.02);
	assert_float_equal((float)attribute(svg, "a", "width"), 500, 0.02);
	assert_float_equal((float)attribute(svg, "b", "width"), 500, 0.02);
	assert_float_equal((float)attribute(svg, "c", "width"), 200, 0.02);
	assert_float_equal((float)attribute(svg, "a", "x"), 10, 0.02);
	assert_float_equal((float)attribute(svg, "b", "x"), 510, 0.02);
	assert_float_equal((float)attribute(svg, "c", "x"), 510, 0.02);
	/* callees above their callers */
	assert_true(attribute(svg, "c", "y") < attribute(svg, "b", "y"));
	assert_non_null(strstr(svg, "<title>b (50 samples, 50.00%)</title>"));
	free(svg);
}

static void an_icicle_hangs(void **state)
{
	struct svg_options o = { .inverted = true };
	char *svg = draw("main;a 1\n", &o);

	(void)state;
	assert_true(attribute(svg, "a", "y") > attribute(svg, "main", "y"));
	free(svg);
}

static void nothing_to_draw_is_said(void **state)
{
	struct svg_options o = { 0 };
	char *svg = draw("", &o);

	(void)state;
	assert_non_null(strstr(svg, "No samples."));
	assert_int_equal(count(svg, "<g class=\"f\">"), 0);
	free(svg);
}

static void one_sample_is_all(void **state)
{
	struct svg_options o = { 0 };
	char *svg = draw("f 1\n", &o);

	(void)state;
	assert_non_null(strstr(svg, "<title>f (1 samples, 100.00%)</title>"));
	free(svg);
}

static void narrow_boxes_are_left_out_with_what_stands_on_them(void **state)
{
	struct svg_options o = { .width = 1020, .min_width = 2 };
	char *svg = draw("main;wide 998\nmain;narrow;above 1\nmain;kept 3\n", &o);

	(void)state;
	assert_int_equal(count(svg, "narrow"), 0);
	assert_int_equal(count(svg, "above"), 0);
	assert_int_equal(count(svg, "<title>kept"), 1);
	free(svg);
}

static void hostile_names_stay_text(void **state)
{
	struct svg_options o = { .title = "<script>t()</script>", .subtitle = "a & b \"'" };
	char *svg = draw("<script>alert(1)</script>;]]>;\"' onload='x;&amp;;\x1b[2J\x01;\xff\xfe 9\n", &o);

	(void)state;
	assert_int_equal(count(svg, "<script>"), 1);     /* the page's own */
	assert_null(strchr(svg, '\x1b'));
	assert_null(strchr(svg, '\x01'));
	assert_non_null(strstr(svg, "&lt;script&gt;alert(1)&lt;/script&gt;"));
	assert_non_null(strstr(svg, "<title>&amp;amp (9"));
	free(svg);
}

static void long_names_are_cut_in_the_box_and_whole_in_the_title(void **state)
{
	struct svg_options o = { .width = 120 };
	struct str folded = STR_INIT;
	char *svg;

	(void)state;
	for (int i = 0; i < 1024; i++)
		str_add(&folded, "<\xc3\xa4>x");
	str_add(&folded, " 1\n");
	svg = draw(folded.p, &o);
	/* 100 pixels less 6 at 7.25 each are 12 letters, two of them dots */
	assert_non_null(strstr(svg, ">&lt;\xc3\xa4&gt;x&lt;\xc3\xa4&gt;x&lt;\xc3\xa4..</text>"));
	assert_int_equal(count(svg, "x&lt;"), 1023 + 2);
	free(svg);
	str_release(&folded);
}

static void a_colour_is_the_name_s_own(void **state)
{
	struct svg_options o = { 0 };
	char *one = draw("main;a 1\nmain;f_[k] 1\n", &o), *two = draw("x;y;a 5\n", &o);
	const char *p = strstr(one, "<title>a ("), *q = strstr(two, "<title>a ("), *k;

	(void)state;
	p = strstr(p, "fill=\"");
	q = strstr(q, "fill=\"");
	assert_memory_equal(p, q, strlen("fill=\"#123456"));
	/* warm: more red than blue; the kernel the other way round */
	assert_true(strtoul((char[]){ p[7], p[8], 0 }, NULL, 16) >
		    strtoul((char[]){ p[11], p[12], 0 }, NULL, 16));
	k = strstr(strstr(one, "<title>f ("), "fill=\"");
	assert_true(strtoul((char[]){ k[7], k[8], 0 }, NULL, 16) <
		    strtoul((char[]){ k[11], k[12], 0 }, NULL, 16));
	free(one);
	free(two);
}

static void the_page_needs_no_network(void **state)
{
	struct svg_options o = { 0 };
	char *svg = draw("a 1\n", &o);

	(void)state;
	assert_int_equal(count(svg, "http"), 1);         /* the name space */
	assert_non_null(strstr(svg, "xmlns=\"http://www.w3.org/2000/svg\""));
	free(svg);
}

static void unknown_colours_are_refused(void **state)
{
	struct err err = ERR_INIT;
	enum svg_colors c;

	(void)state;
	assert_int_equal(svg_colors_parse("io", &c, &err), 0);
	assert_int_equal(c, SVG_COLORS_IO);
	assert_int_equal(svg_colors_parse("pink", &c, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'pink'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_are_as_wide_as_their_share),
		cmocka_unit_test(an_icicle_hangs),
		cmocka_unit_test(nothing_to_draw_is_said),
		cmocka_unit_test(one_sample_is_all),
		cmocka_unit_test(narrow_boxes_are_left_out_with_what_stands_on_them),
		cmocka_unit_test(hostile_names_stay_text),
		cmocka_unit_test(long_names_are_cut_in_the_box_and_whole_in_the_title),
		cmocka_unit_test(a_colour_is_the_name_s_own),
		cmocka_unit_test(the_page_needs_no_network),
		cmocka_unit_test(unknown_colours_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
