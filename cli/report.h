/* SPDX-License-Identifier: Apache-2.0
 * cli/report.h - the result of a run on stdout. */
#ifndef BITEMU_CLI_REPORT_H
#define BITEMU_CLI_REPORT_H

#include "cli/args.h"
#include "sim/evaluate.h"

/* Figures of cost (macs, bitops, cycles, energy) are means per input; events (wraps, clamps) sums, accumulators extremes over all
 * inputs. What is unknown is "-" in text, null in JSON, empty in CSV. */
void report_run(const sim_setup *s, const sim_result *r, cli_format format);

#endif
