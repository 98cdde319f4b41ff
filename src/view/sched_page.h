/* SPDX-License-Identifier: MIT */
/* What the timeline's page is made of: see sched_page_script.c and sched_page.c. */
#ifndef VIEW_SCHED_PAGE_H
#define VIEW_SCHED_PAGE_H

extern const char sched_page_style[];
extern const char sched_page_body[];
extern const char sched_page_script[];

#endif
