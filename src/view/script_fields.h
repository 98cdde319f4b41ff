/* SPDX-License-Identifier: MIT */
/*
 * script_fields: which fields each kind of event prints.
 */
#ifndef VIEW_SCRIPT_FIELDS_H
#define VIEW_SCRIPT_FIELDS_H

#include "view/script.h"

/*
 * Work out the fields of every event (out[i] for data->events.v[i]) from the
 * text of -F (NULL: the defaults of its type).  A default field that the event
 * does not sample is left out; one that was asked for is -EINVAL.
 */
int script_fields(const struct perf_data *data, const char *text, uint64_t *out, struct err *err);

#endif
