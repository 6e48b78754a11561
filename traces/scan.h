/* SPDX-License-Identifier: Apache-2.0
 * traces/scan.h - a trace's record read in one pass, without a tree. Inside traces/ only. */
#ifndef BITEMU_TRACES_SCAN_H
#define BITEMU_TRACES_SCAN_H

#include "traces/source.h"

/* text: from a record's brace on, in r->in.text. true: *rec is what the general JSON parser would have made of it; strings are borrowed from the line, which
 * is terminated behind them. false: the line is left as it was, and is for that parser: escapes, other characters than ASCII, exponents,
 * keys or values that no writer of ours prints, damage. */
bool scan_record(trace_reader *r, char *text, trace_record *rec);

#endif
