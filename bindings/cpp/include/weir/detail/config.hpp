// SPDX-License-Identifier: MIT
//
// What the compiler offers. The headers work with and without exceptions and RTTI; all files of a
// program have to be compiled alike in that, as these functions are inline.
//
// All names stand in an inline namespace, so that a program that links the archive of the library
// has no symbol twice.

#pragma once

#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define WEIR_CPP_EXCEPTIONS 1
#else
#define WEIR_CPP_EXCEPTIONS 0
#endif

// What is a type's identity by its address must have one address in all of the program.
#define WEIR_CPP_IDENTITY __attribute__((visibility("default")))

// What is long, and on no path that counts: compiled once in a file, not where it is called.
#define WEIR_CPP_COLD __attribute__((noinline, cold))
