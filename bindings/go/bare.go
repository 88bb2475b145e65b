// SPDX-License-Identifier: MIT

package weir

// #cgo noescape weirgo_nothing
// #cgo nocallback weirgo_nothing
// #include "glue.h"
import "C"

// What every call into C costs, for the benchmarks (cgo cannot be used in tests).
func bareCrossing() { C.weirgo_nothing(0) }
