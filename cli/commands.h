/* SPDX-License-Identifier: Apache-2.0
 * cli/commands.h - one function a subcommand: argv after its name in, exit status out. */
#ifndef BITEMU_CLI_COMMANDS_H
#define BITEMU_CLI_COMMANDS_H

int cmd_boards(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_cost(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_iss(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_profiles(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_vectors(int argc, char **argv);

#endif
