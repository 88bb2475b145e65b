// SPDX-License-Identifier: MIT

package weir

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"time"
	"unsafe"
)

// TimeoutOptions are those of NewTimeout.
type TimeoutOptions struct {
	// Timeout is required; Zero and Forever are legal.
	Timeout time.Duration
	// Message of the error; default "NAME timed out after N ms".
	Message string
	Name    string
}

// A Timeout settles what takes too long, at once, with a *TimeoutError. The function's context is
// cancelled; its late result is dropped. For a bound on a whole call a context's deadline does.
type Timeout struct{ policyBase }

func (o *TimeoutOptions) c() C.weir_timeout_options {
	var c C.weir_timeout_options
	C.weir_timeout_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	setDuration(&c.timeout_ms, o.Timeout)
	c.message = cText(o.Message)
	c.name = cText(o.Name)
	return c
}

// NewTimeout makes a timeout policy.
func NewTimeout(rt *Runtime, options TimeoutOptions) (*Timeout, error) {
	if err := rt.given("timeout"); err != nil {
		return nil, err
	}
	c := options.c()
	defer free(c.message)
	defer free(c.name)
	var made *C.weir_timeout
	var failure *C.weir_error
	status := C.weir_timeout_new(rt.handle, &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	t := &Timeout{}
	t.own(rt, unsafe.Pointer(made))
	return t, nil
}

// SetOptions changes all options live but Name, which must be empty.
func (t *Timeout) SetOptions(options TimeoutOptions) error {
	return t.with(func(h *handle) error {
		c := options.c()
		defer free(c.message)
		defer free(c.name)
		var failure *C.weir_error
		status := C.weir_timeout_set_options((*C.weir_timeout)(h.pointer), &c, &failure)
		return creationError(status, failure)
	})
}

// TimeoutStats counts what came by, and of these what was cut off.
type TimeoutStats struct{ Started, TimedOut uint64 }

// Stats counts.
func (t *Timeout) Stats() (stats TimeoutStats, err error) {
	err = t.with(func(h *handle) error {
		var s C.weir_timeout_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_timeout_get_stats((*C.weir_timeout)(h.pointer), &s)
		stats = TimeoutStats{uint64(s.started), uint64(s.timed_out)}
		return statusError(status)
	})
	return
}
