// SPDX-License-Identifier: Apache-2.0
extern "C" {
#include HEADER
#include HEADER
}
int main() { return 0; }
