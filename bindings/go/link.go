// SPDX-License-Identifier: MIT

//go:build !weir_static

package weir

// #cgo pkg-config: weir
// #cgo CFLAGS: -std=gnu11 -O2
import "C"
