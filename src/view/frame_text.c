/* SPDX-License-Identifier: MIT */
#include "view/frame_text.h"

#include <inttypes.h>
#include <string.h>

const char *frame_module(const struct profile_frame *frame)
{
	return frame->module ? frame->module->short_name : "[unknown]";
}

enum label_kind frame_kind(const struct profile_frame *frame)
{
	if (frame->is_inline)
		return LABEL_INLINE;
	if (frame->kernel)
		return LABEL_KERNEL;
	if (!frame->name)
		return LABEL_UNNAMED;
	return frame->module && frame->module->kind == MODULE_ANON ? LABEL_JIT : LABEL_USER;
}

/* "x.(*T).m": what is in these parentheses belongs to the name. */
static bool looks_like_go(const char *name)
{
	const char *open = strstr(name, ".(");

	return open && strstr(open + 2, ").");
}

static const char *arguments(const char *name)
{
	const char *open = name;

	if (looks_like_go(name))
		return NULL;
	while ((open = strchr(open, '(')) && str_starts(open, "(anonymous namespace)"))
		open++;
	return open;
}

static void add_tidy(struct str *s, const char *name)
{
	const char *end = arguments(name);

	for (; *name && name != end; name++) {
		if (*name == ';')
			str_addc(s, ':');
		else if (*name != '"' && *name != '\'')
			str_addc(s, *name);
	}
}

static void add_unnamed(struct str *s, const struct profile_frame *frame, bool addrs)
{
	const char *name = frame->module ? frame->module->path : "unknown", *slash;

	slash = strrchr(name, '/');
	if (slash && slash[1])
		name = slash + 1;
	if (addrs)
		str_addf(s, "[%s <%" PRIx64 ">]", name, frame->run_addr);
	else
		str_addf(s, "[%s]", name);
}

void frame_add_folded(struct str *s, const struct profile_frame *frame, bool tidy, bool addrs)
{
	size_t before = s->len;

	if (!frame->name)
		add_unnamed(s, frame, addrs);
	else if (tidy)
		add_tidy(s, frame->name);
	else
		str_add(s, frame->name);
	if (s->len == before)
		str_add(s, "[unnamed]");
}
