/* SPDX-License-Identifier: Apache-2.0
 * traces/locate.h - where inside a tensor two runs part. Inside traces/ only. */
#ifndef BITEMU_TRACES_LOCATE_H
#define BITEMU_TRACES_LOCATE_H

#include "traces/compare.h"

/* Fills d's values and coordinates from member t<layer> of both dumps, row d->input. */
status compare_locate(const char *dump_a, const char *dump_b, compare_divergence *d, err *e);

#endif
