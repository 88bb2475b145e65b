/* SPDX-License-Identifier: MIT */
/* What an example may do and a library may not: end the program when the machine says no. */
#ifndef OUTAGE_SUPPORT_H
#define OUTAGE_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

/* Prints what could not be done and exits unless the condition holds. */
void require(bool condition, const char *what);

/* Zeroed memory, or the end of the program. */
void *allocate(size_t size);

/* Whole buffers over a blocking descriptor. */
void read_all(int descriptor, void *buffer, size_t size);
void write_all(int descriptor, const void *buffer, size_t size);

#endif
