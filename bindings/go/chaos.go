// SPDX-License-Identifier: MIT

package weir

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"time"
	"unsafe"
)

// A ChaosKind is what chaos injects.
type ChaosKind uint32

const (
	ChaosLatency ChaosKind = C.WEIR_CHAOS_LATENCY
	ChaosFailure ChaosKind = C.WEIR_CHAOS_FAILURE
	ChaosOutcome ChaosKind = C.WEIR_CHAOS_OUTCOME
	ChaosHang    ChaosKind = C.WEIR_CHAOS_HANG
)

// A ChaosPhase: from From until Until since the chaos was made or enabled, the rate of What is
// Rate.
type ChaosPhase struct {
	From, Until time.Duration // Until may be Forever
	What        ChaosKind
	Rate        float64
}

// ChaosOptions are those of NewChaos; all rates are 0 by default.
type ChaosOptions struct {
	// Disabled: off until Enable.
	Disabled bool
	// Seed of the draws; 0: from the runtime's own.
	Seed uint64
	// Rates are shares of the runs; the first three are at most 1 together.
	FailureRate, OutcomeRate, HangRate, LatencyRate float64
	// Latency is uniform between the two; default 0 and 1 s.
	LatencyMin, LatencyMax time.Duration
	// Failure is what failures fail with; default: one that says who injected it.
	Failure error
	// Value is what outcomes succeed with; it must be of the type of what is run.
	Value  any
	Phases []ChaosPhase
	Name   string
}

// A Chaos makes what it is around misbehave on purpose.
type Chaos struct{ policyBase }

func (o *ChaosOptions) c(rt *Runtime) C.weir_chaos_options {
	var c C.weir_chaos_options
	C.weir_chaos_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.enabled = flag(!o.Disabled)
	c.seed = C.uint64_t(o.Seed)
	setRate(&c.failure_rate, o.FailureRate)
	setRate(&c.outcome_rate, o.OutcomeRate)
	setRate(&c.hang_rate, o.HangRate)
	setRate(&c.latency_rate, o.LatencyRate)
	setDuration(&c.latency_min_ms, o.LatencyMin)
	setDuration(&c.latency_max_ms, o.LatencyMax)
	if o.Failure != nil {
		c.failure = rt.core.cError(o.Failure)
	}
	c.value = encodeValue(rt.core, o.Value)
	if n := len(o.Phases); n > 0 {
		list := unsafe.Slice((*C.weir_chaos_phase)(C.calloc(C.size_t(n), C.sizeof_weir_chaos_phase)), n)
		for i, p := range o.Phases {
			list[i] = C.weir_chaos_phase{
				from_ms: milliseconds(p.From), until_ms: milliseconds(p.Until),
				what: C.uint32_t(p.What), rate: C.double(p.Rate),
			}
		}
		c.phases, c.phases_count = &list[0], C.uint64_t(n)
	}
	c.name = cText(o.Name)
	return c
}

func (o *ChaosOptions) free(c *C.weir_chaos_options) {
	C.weir_error_unref(c.failure)
	C.weir_value_unref(c.value)
	C.free(unsafe.Pointer(c.phases))
	free(c.name)
}

// A Go error as a C error; the caller owns it.
func (c *core) cError(err error) *C.weir_error {
	domain, code := errorNumbers(err)
	message := C.CString(err.Error())
	defer free(message)
	var detail *C.weir_value
	id := c.newValue(err)
	if C.weir_value_new_host(c.queue, C.uint64_t(id), &detail) != C.WEIR_OK {
		c.values.release(id)
	}
	defer C.weir_value_unref(detail)
	var made *C.weir_error
	C.weir_error_new_with(c.handle, C.uint32_t(domain), C.int64_t(code), message, nil, detail, &made)
	return made
}

// NewChaos makes a chaos.
func NewChaos(rt *Runtime, options ChaosOptions) (*Chaos, error) {
	if err := rt.given("chaos"); err != nil {
		return nil, err
	}
	c := options.c(rt)
	defer options.free(&c)
	var made *C.weir_chaos
	var failure *C.weir_error
	status := C.weir_chaos_new(rt.handle, &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	x := &Chaos{}
	x.own(rt, unsafe.Pointer(made))
	return x, nil
}

// Enable switches it on, which begins the phases anew, or off.
func (x *Chaos) Enable(on bool) error {
	return x.with(func(h *handle) error {
		return statusError(C.weir_chaos_enable((*C.weir_chaos)(h.pointer), flag(on)))
	})
}

// SetOptions changes all options live but Name, which must be empty, and Disabled, which is left to
// Enable.
func (x *Chaos) SetOptions(options ChaosOptions) error {
	return x.with(func(h *handle) error {
		c := options.c(x.rt)
		defer options.free(&c)
		var failure *C.weir_error
		status := C.weir_chaos_set_options((*C.weir_chaos)(h.pointer), &c, &failure)
		return creationError(status, failure)
	})
}

// ChaosStats counts what entered while it was on, and what became of it.
type ChaosStats struct {
	Enabled                                bool
	Drawn, Delayed, Failed, Outcomes, Hung uint64
}

// Stats counts.
func (x *Chaos) Stats() (stats ChaosStats, err error) {
	err = x.with(func(h *handle) error {
		var s C.weir_chaos_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_chaos_get_stats((*C.weir_chaos)(h.pointer), &s)
		stats = ChaosStats{
			s.enabled != 0, uint64(s.drawn), uint64(s.delayed), uint64(s.failed), uint64(s.outcomes),
			uint64(s.hung),
		}
		return statusError(status)
	})
	return
}
