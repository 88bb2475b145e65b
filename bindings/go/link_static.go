// SPDX-License-Identifier: MIT

//go:build weir_static

package weir

// With the tag weir_static the library itself goes into the program: libweir.a, which needs libuv
// and libc and no C++ runtime, so plain gcc links it. It and its headers are looked for in lib/ of
// this package, where build_static.sh puts them, and where CGO_CFLAGS and CGO_LDFLAGS say.

// #cgo CFLAGS: -std=gnu11 -O2 -DWEIR_STATIC -I${SRCDIR}/lib/include
// #cgo LDFLAGS: -L${SRCDIR}/lib -l:libweir.a -luv -lm -lpthread
import "C"
