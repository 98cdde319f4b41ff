/* SPDX-License-Identifier: MIT */
/*
 * secure: what a process of sonde gives up before it reads what others have written.
 * doc/security.md says what is promised.
 */
#ifndef CMD_SECURE_H
#define CMD_SECURE_H

#include "base/err.h"

/* What a command may still do once it has begun. */
enum confine {
	CONFINE_NOT,             /* it starts a command of the user's (record, stat) */
	CONFINE_EXEC,            /* it measures and starts nothing (top, sched live, list) */
	CONFINE_READ,            /* it reads recordings and starts nothing */
};

/*
 * First of all: refuse to run setuid or setgid, and where the program file has given us
 * capabilities (getauxval(3), AT_SECURE) keep those that measuring takes, and forget the
 * variables by which the caller could send us elsewhere.
 */
int secure_start(struct err *err);

/*
 * Give up what `confine` says; for good, and for all threads started from now on. What a
 * kernel does not let us give up is told with -v.
 */
void secure_confine(enum confine confine);

/* The same as CONFINE_READ for one that still has to start a browser: capabilities only. */
void secure_drop_capabilities(void);

#endif
