/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What copying a secret leaves in the processor. */

#pragma once

/* Zeroes the vector registers, which after memcpy() and its like hold the last bytes that were
 * copied, for as long as nothing else is. They are memory in the end: a thread that is created
 * inherits them, and the dynamic linker puts them all on the stack where a function of a library is
 * called for the first time. To be called when a secret has been copied, and the copies that are
 * not needed any more are cleansed. On x86-64 and aarch64; elsewhere it does nothing. */
void signet_registers_cleanse(void);
