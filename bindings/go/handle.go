// SPDX-License-Identifier: MIT

package weir

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"math"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// In option structs the zero value of every field is the library's default. These say what a zero
// cannot.
const (
	// Forever is no bound in time.
	Forever time.Duration = -1
	// Unlimited is no bound in number.
	Unlimited = -1
	// Off switches a feature off whose default is on, or says so of one that is off.
	Off = -1
	// Zero is a number or a duration of zero, where the field's default is another.
	Zero = math.MinInt64
	// ZeroRate is a share or a rate of zero, where the field's default is another.
	ZeroRate = math.SmallestNonzeroFloat64
)

// A handle owns one reference of a C object. Whoever is in a call holds the handle, so Close in
// another goroutine frees nothing under it: the reference goes when the collector finds the handle
// unreachable, which is after the last such call.
//
// What C names by number, a function or a listener, belongs to the handle, and the tables hold it
// weakly: held by them, one that knows its handle would keep it for ever.
type handle struct {
	pointer unsafe.Pointer
	serves  any
}

// The pointer as a number, for the hot paths.
func (h *handle) number() C.uintptr_t { return C.uintptr_t(uintptr(h.pointer)) }

func newHandle(pointer unsafe.Pointer, unref func(unsafe.Pointer)) *handle {
	h := &handle{pointer: pointer}
	runtime.AddCleanup(h, unref, pointer)
	return h
}

// An owner is what the public handle types embed.
type owner struct {
	rt  *Runtime
	box atomic.Pointer[handle]
}

func (o *owner) set(rt *Runtime, pointer unsafe.Pointer, unref func(unsafe.Pointer)) {
	o.rt = rt
	o.box.Store(newHandle(pointer, unref))
}

// Close lets go of the handle: later calls of its methods return ErrClosed. What is in flight goes
// on, and the library's memory is given back once nothing uses it. Handles that are merely dropped
// are closed by the garbage collector, so Close is never required.
func (o *owner) Close() error {
	if o.box.Swap(nil) == nil {
		return ErrClosed
	}
	return nil
}

// Runtime is the runtime this belongs to.
func (o *owner) Runtime() *Runtime { return o.rt }

// Nil if it was closed. The caller keeps it alive until its C call has returned.
func (o *owner) held() *handle { return o.box.Load() }

// A name or message as a C string, nil if empty. free it.
func cText(text string) *C.char {
	if text == "" {
		return nil
	}
	return C.CString(text)
}

func free(text *C.char) { C.free(unsafe.Pointer(text)) }

// The bytes of a key for C; a length of 0 gives a pointer, too: the empty key is a key.
func keyPointer(key []byte) (unsafe.Pointer, C.size_t) {
	if len(key) == 0 {
		return unsafe.Pointer(&emptyKey), 0
	}
	return unsafe.Pointer(unsafe.SliceData(key)), C.size_t(len(key))
}

var emptyKey byte

func keyText(key string) (unsafe.Pointer, C.size_t) {
	if key == "" {
		return unsafe.Pointer(&emptyKey), 0
	}
	return unsafe.Pointer(unsafe.StringData(key)), C.size_t(len(key))
}

// Milliseconds, rounded up; what is illegal stays so.
func milliseconds(d time.Duration) C.int64_t {
	switch {
	case d == Forever:
		return C.WEIR_FOREVER
	case d == Zero:
		return 0
	case d < 0: // illegal, and not to be taken for Forever
		return C.int64_t(min(-2, d.Milliseconds()))
	case d > math.MaxInt64-time.Millisecond:
		return C.int64_t(d / time.Millisecond)
	}
	return C.int64_t((d + time.Millisecond - 1) / time.Millisecond)
}

// Options: a zero keeps the default that C wrote.

func setDuration(field *C.int64_t, value time.Duration) {
	if value != 0 {
		*field = milliseconds(value)
	}
}

func setNumber(field *C.int64_t, value int64) {
	switch value {
	case 0:
	case Zero:
		*field = 0
	default:
		*field = C.int64_t(value)
	}
}

func setCount(field *C.uint32_t, value int) {
	if value != 0 {
		*field = count32(value)
	}
}

// What no uint32 can be becomes the largest, which every option refuses.
func count32(value int) C.uint32_t {
	if value == Zero {
		return 0
	}
	if value < 0 || value > math.MaxUint32 {
		return math.MaxUint32
	}
	return C.uint32_t(value)
}

func setRate(field *C.double, value float64) {
	switch value {
	case 0:
	case ZeroRate:
		*field = 0
	default:
		*field = C.double(value)
	}
}

func setChoice(field *C.uint32_t, value uint32) {
	if value != 0 {
		*field = C.uint32_t(value - 1)
	}
}

func flag(on bool) C.uint32_t {
	if on {
		return 1
	}
	return 0
}

// A duration in nanoseconds from C: what is out of all reach becomes Forever.
func fromNanoseconds(ns C.int64_t) time.Duration {
	if ns == math.MaxInt64 {
		return Forever
	}
	return time.Duration(ns)
}
