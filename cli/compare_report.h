/* SPDX-License-Identifier: Apache-2.0
 * cli/compare_report.h - a comparison of two traces, as text and as JSON. */
#ifndef BITEMU_CLI_COMPARE_REPORT_H
#define BITEMU_CLI_COMPARE_REPORT_H

#include "cli/compare_baseline.h"

void compare_text(const char *const *sides, const compare_result *r, bool same);
json_t *compare_json(const compare_result *r, const compare_list *list, bool same); /* caller frees */

#endif
