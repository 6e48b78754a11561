# SPDX-License-Identifier: Apache-2.0
"""Training schemes, one file each."""
