/* SPDX-License-Identifier: MIT */
#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include "view/screen.h"

#include <dlfcn.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define TEXT(x) #x
#define NAME(major) "libncursesw.so." TEXT(major)
#define LIBRARY NAME(NCURSES_VERSION_MAJOR)
#define ESCAPE_DELAY_MS 25       /* after an Escape, for the rest of a function key's bytes */

/* Each is the function of that name. */
static struct {
	__typeof__(newterm) *newterm;
	__typeof__(endwin) *endwin;
	__typeof__(delscreen) *delscreen;
	__typeof__(cbreak) *cbreak;
	__typeof__(noecho) *noecho;
	__typeof__(keypad) *keypad;
	__typeof__(wtimeout) *wtimeout;
	__typeof__(wget_wch) *wget_wch;
	__typeof__(wmove) *wmove;
	__typeof__(waddnstr) *waddnstr;
	__typeof__(wattrset) *wattrset;
	__typeof__(werase) *werase;
	__typeof__(wrefresh) *wrefresh;
	__typeof__(getmaxx) *getmaxx;
	__typeof__(getmaxy) *getmaxy;
	__typeof__(has_colors) *has_colors;
	__typeof__(start_color) *start_color;
	__typeof__(use_default_colors) *use_default_colors;
	__typeof__(init_pair) *init_pair;
	__typeof__(COLOR_PAIR) *color_pair;
	__typeof__(curs_set) *curs_set;
	__typeof__(set_escdelay) *set_escdelay;
	WINDOW **window;                 /* stdscr */
} nc;

static SCREEN *screen;
static bool ascii, colors;
static volatile sig_atomic_t ended;

static int load(struct err *err)
{
	const struct { const char *name; void **to; } symbols[] = {
		{ "newterm", (void **)&nc.newterm }, { "endwin", (void **)&nc.endwin },
		{ "delscreen", (void **)&nc.delscreen }, { "cbreak", (void **)&nc.cbreak },
		{ "noecho", (void **)&nc.noecho }, { "keypad", (void **)&nc.keypad },
		{ "wtimeout", (void **)&nc.wtimeout }, { "wget_wch", (void **)&nc.wget_wch },
		{ "wmove", (void **)&nc.wmove }, { "waddnstr", (void **)&nc.waddnstr },
		{ "wattrset", (void **)&nc.wattrset }, { "werase", (void **)&nc.werase },
		{ "wrefresh", (void **)&nc.wrefresh }, { "getmaxx", (void **)&nc.getmaxx },
		{ "getmaxy", (void **)&nc.getmaxy }, { "has_colors", (void **)&nc.has_colors },
		{ "start_color", (void **)&nc.start_color },
		{ "use_default_colors", (void **)&nc.use_default_colors },
		{ "init_pair", (void **)&nc.init_pair },
		{ "COLOR_PAIR", (void **)&nc.color_pair }, { "curs_set", (void **)&nc.curs_set },
		{ "set_escdelay", (void **)&nc.set_escdelay }, { "stdscr", (void **)&nc.window },
	};
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; library && i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		*symbols[i].to = dlsym(library, symbols[i].name);
		if (!*symbols[i].to)
			library = NULL;
	}
	if (library)
		return 0;
	return err_set(err, ENOENT, "there is no screen without " LIBRARY " (Debian: libncursesw%d); "
		       "--stdio is text", NCURSES_VERSION_MAJOR);
}

bool screen_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

static void take_end(int signal)
{
	(void)signal;
	ended = 1;
}

/* Before ncurses sets its own, which would end us without a word. */
static void catch_ends(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = take_end };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static void choose_colors(void)
{
	colors = !getenv("NO_COLOR") && nc.has_colors() && nc.start_color() == OK;
	if (!colors)
		return;
	nc.use_default_colors();
	nc.init_pair(1, COLOR_RED, -1);
	nc.init_pair(2, COLOR_GREEN, -1);
}

int screen_check(struct err *err)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(err, ENOTTY, "there is no screen where input and output are no terminal; "
			       "--stdio is text");
	if (!screen_possible())
		return err_set(err, ENOTTY, "TERM=%s is no terminal that a screen can be drawn on; --stdio is text",
			       term ? term : "");
	return load(err);
}

int screen_choose(bool asked, bool text, bool *chosen, struct err *err)
{
	struct err why = ERR_INIT;

	*chosen = asked;
	if (asked)
		return screen_check(err);
	if (!text && screen_possible())
		*chosen = screen_check(&why) == 0;
	if (why.code)
		log_note("%s", why.msg);
	return 0;
}

int screen_open(struct err *err)
{
	int r = screen_check(err);

	if (r < 0)
		return r;
	setlocale(LC_CTYPE, "");
	ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	catch_ends();
	screen = nc.newterm(NULL, stdout, stdin);
	if (!screen)
		return err_set(err, ENOTTY, "the terminal '%s' (TERM) is not known here; --stdio is text",
			       getenv("TERM"));
	nc.cbreak();
	nc.noecho();
	nc.keypad(*nc.window, TRUE);
	nc.set_escdelay(ESCAPE_DELAY_MS);
	nc.curs_set(0);
	choose_colors();
	return 0;
}

void screen_close(void)
{
	if (!screen)
		return;
	nc.curs_set(1);
	nc.endwin();
	nc.delscreen(screen);
	screen = NULL;
}

void screen_fit(struct canvas *c)
{
	int height = nc.getmaxy(*nc.window), width = nc.getmaxx(*nc.window);

	canvas_resize(c, height > 0 ? (unsigned)height : 1, width > 0 ? (unsigned)width : 1);
}

static int attributes(unsigned style)
{
	int bar = style & STYLE_BAR ? (int)A_REVERSE : 0;

	switch (style & ~(unsigned)STYLE_BAR) {
	case STYLE_HOT: return bar | (colors ? nc.color_pair(1) : (int)A_BOLD);
	case STYLE_WARM: return bar | (colors ? nc.color_pair(2) : 0);
	case STYLE_DIM: return bar | (int)A_DIM;
	case STYLE_BOLD: return bar | (int)A_BOLD;
	case STYLE_TITLE: case STYLE_KEY: return bar | (int)A_REVERSE;
	default: return bar;
	}
}

void screen_show(const struct canvas *c)
{
	WINDOW *w = *nc.window;
	struct str text = STR_INIT;

	nc.werase(w);
	for (unsigned y = 0; y < c->height; y++) {
		for (unsigned x = 0, end; x < c->width; x = end) {
			unsigned style = canvas_cell(c, y, x)->style;

			for (end = x + 1; end < c->width && canvas_cell(c, y, end)->style == style;)
				end++;
			str_clear(&text);
			canvas_text(c, y, x, end, ascii, &text);
			nc.wattrset(w, attributes(style));
			nc.wmove(w, (int)y, (int)x);
			nc.waddnstr(w, text.p, (int)text.len);
		}
	}
	nc.wattrset(w, 0);
	nc.wmove(w, (int)c->height - 1, 0);
	nc.wrefresh(w);
	str_release(&text);
}

static uint32_t function_key(wint_t key)
{
	switch (key) {
	case KEY_UP: return KEY_OF_UP;
	case KEY_DOWN: return KEY_OF_DOWN;
	case KEY_LEFT: return KEY_OF_LEFT;
	case KEY_RIGHT: return KEY_OF_RIGHT;
	case KEY_PPAGE: return KEY_OF_PAGE_UP;
	case KEY_NPAGE: return KEY_OF_PAGE_DOWN;
	case KEY_HOME: return KEY_OF_HOME;
	case KEY_END: return KEY_OF_END;
	case KEY_BACKSPACE: return KEY_OF_BACKSPACE;
	case KEY_BTAB: return KEY_OF_BACK_TAB;
	case KEY_ENTER: return KEY_OF_ENTER;
	case KEY_F(1): return KEY_OF_F1;
	default: return KEY_OF_NONE;
	}
}

uint32_t screen_key(int timeout_ms)
{
	wint_t key;
	int r;

	nc.wtimeout(*nc.window, timeout_ms);
	r = ended ? ERR : nc.wget_wch(*nc.window, &key);
	if (ended)
		return 3;
	if (r == ERR)
		return KEY_OF_NONE;
	return r == KEY_CODE_YES ? function_key(key) : (uint32_t)key;
}
