// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

import (
	"runtime"
	"strconv"
	"unsafe"
)

// A Policy is how something is run: a *Retry, *Breaker, *Limiter, *Timeout, *Hedge, *Fallback or
// *Chaos, a *Pipeline of several, or a *Runtime, which adds nothing.
type Policy interface {
	policy() *policyBase // nil of a nil pointer
}

// What a policy is that must be one, which neither nil is nor what was not made by its constructor.
func givenPolicy(subject, name string, policy Policy) (*policyBase, error) {
	if policy != nil {
		if p := policy.policy(); p != nil && p.rt != nil {
			return p, nil
		}
	}
	return nil, missing(subject, name)
}

// What all policies are.
type policyBase struct {
	owner
	retryable func(error) bool // ShouldRetry of this and of what is inside
	keeps     any              // Go objects that C reaches through it
}

func (p *policyBase) policy() *policyBase { return p }

// Nil of none and of a closed one.
func (p *policyBase) c() *C.weir_policy {
	if p == nil {
		return nil
	}
	if h := p.held(); h != nil {
		return (*C.weir_policy)(h.pointer)
	}
	return nil
}

func unrefPolicy(p unsafe.Pointer) { C.weir_policy_unref((*C.weir_policy)(p)) }

func (p *policyBase) own(rt *Runtime, pointer unsafe.Pointer) {
	p.set(rt, pointer, unrefPolicy)
}

// A runtime is the policy that adds nothing: its handle has no pointer.
func (rt *Runtime) policy() *policyBase {
	if rt == nil {
		return nil
	}
	return &rt.none
}

// Each answers for its nil pointer, too: a promoted method would be a nil dereference in whatever the
// policy is given to.

func (p *Retry) policy() *policyBase {
	if p == nil {
		return nil
	}
	return &p.policyBase
}

func (p *Breaker) policy() *policyBase {
	if p == nil {
		return nil
	}
	return &p.policyBase
}

func (p *Limiter) policy() *policyBase {
	if p == nil {
		return nil
	}
	return &p.policyBase
}

func (p *Timeout) policy() *policyBase {
	if p == nil {
		return nil
	}
	return &p.policyBase
}

func (p *Hedge) policy() *policyBase {
	if p == nil {
		return nil
	}
	return &p.policyBase
}

func (p *Fallback) policy() *policyBase {
	if p == nil {
		return nil
	}
	return &p.policyBase
}

func (p *Chaos) policy() *policyBase {
	if p == nil {
		return nil
	}
	return &p.policyBase
}

func (p *Pipeline) policy() *policyBase {
	if p == nil {
		return nil
	}
	return &p.policyBase
}

var noHandle = &handle{}

// A PolicyKind is a policy's type.
type PolicyKind uint32

const (
	KindNone     PolicyKind = C.WEIR_POLICY_NONE
	KindRetry    PolicyKind = C.WEIR_POLICY_RETRY
	KindBreaker  PolicyKind = C.WEIR_POLICY_BREAKER
	KindLimiter  PolicyKind = C.WEIR_POLICY_LIMITER
	KindTimeout  PolicyKind = C.WEIR_POLICY_TIMEOUT
	KindPipeline PolicyKind = C.WEIR_POLICY_PIPELINE
	KindBudget   PolicyKind = C.WEIR_POLICY_BUDGET
	KindHedge    PolicyKind = C.WEIR_POLICY_HEDGE
	KindFallback PolicyKind = C.WEIR_POLICY_FALLBACK
	KindChaos    PolicyKind = C.WEIR_POLICY_CHAOS
)

// Kind is the policy's type.
func (p *policyBase) Kind() PolicyKind {
	defer runtime.KeepAlive(p.held())
	return PolicyKind(C.weir_policy_kind(p.c()))
}

// Name is the name from its options; "" if it has none.
func (p *policyBase) Name() string {
	h := p.held()
	if h == nil {
		return ""
	}
	defer runtime.KeepAlive(h)
	return C.GoString(C.weir_policy_name((*C.weir_policy)(h.pointer)))
}

// SetLabel adds a label to the policy's samples in the metrics.
func (p *policyBase) SetLabel(key, value string) error {
	h := p.held()
	if h == nil {
		return statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	return setLabel(key, value, func(k, v *C.char, e **C.weir_error) C.weir_status {
		return C.weir_policy_set_label((*C.weir_policy)(h.pointer), k, v, e)
	})
}

// Register makes the policy known to all modules of the process that share the runtime, whatever
// their language, under its name; see Runtime.Find. ErrExists if the name is taken.
func (p *policyBase) Register() error {
	h := p.held()
	if h == nil {
		return statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	var failure *C.weir_error
	status := C.weir_policy_register((*C.weir_policy)(h.pointer), &failure)
	if status == C.WEIR_OK && p.keeps != nil {
		p.rt.pinned.Store(h.pointer, p.keeps)
	}
	return creationError(status, failure)
}

// Unregister takes it out again; who found it keeps it.
func (p *policyBase) Unregister() error {
	h := p.held()
	if h == nil {
		return statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	status := C.weir_policy_unregister((*C.weir_policy)(h.pointer))
	if status == C.WEIR_OK {
		p.rt.pinned.Delete(h.pointer)
	}
	return statusError(status)
}

// A policy that was found, with the reference.
func (rt *Runtime) asPolicy(found *C.weir_policy) Policy {
	pointer := unsafe.Pointer(found)
	base := func(p *policyBase) *policyBase {
		p.own(rt, pointer)
		return p
	}
	switch C.weir_policy_kind(found) {
	case C.WEIR_POLICY_BREAKER:
		p := &Breaker{}
		base(&p.policyBase)
		return p
	case C.WEIR_POLICY_LIMITER:
		p := &Limiter{}
		base(&p.policyBase)
		return p
	case C.WEIR_POLICY_RETRY:
		p := &Retry{}
		base(&p.policyBase)
		return p
	case C.WEIR_POLICY_TIMEOUT:
		p := &Timeout{}
		base(&p.policyBase)
		return p
	case C.WEIR_POLICY_PIPELINE:
		p := &Pipeline{}
		base(&p.policyBase)
		return p
	case C.WEIR_POLICY_CHAOS:
		p := &Chaos{}
		base(&p.policyBase)
		return p
	}
	return base(&policyBase{})
}

// A Pipeline is several policies as one.
type Pipeline struct{ policyBase }

// NewPipeline makes a pipeline: the first policy is outermost. Up to 32; the same breaker or
// limiter must not be in it twice.
func NewPipeline(name string, policies ...Policy) (*Pipeline, error) {
	if len(policies) == 0 {
		return nil, invalid("a pipeline needs at least 1 policy (got 0)")
	}
	list := make([]*C.weir_policy, 0, len(policies)+1)
	keep := make([]*handle, len(policies))
	p := &Pipeline{}
	var asked []func(error) bool
	for i, policy := range policies {
		b, err := givenPolicy("pipeline", "policies["+strconv.Itoa(i)+"]", policy)
		if err != nil {
			return nil, err
		}
		keep[i] = b.held()
		switch keep[i] {
		case nil:
			return nil, statusError(C.WEIR_ECLOSED)
		case noHandle: // a runtime, which adds nothing
			continue
		}
		list = append(list, (*C.weir_policy)(keep[i].pointer))
		if b.retryable != nil {
			asked = append(asked, b.retryable)
		}
	}
	p.retryable = allOf(asked)
	rt := policies[0].policy().rt
	text := cText(name)
	defer free(text)
	var made *C.weir_pipeline
	var failure *C.weir_error
	status := C.weir_pipeline_new(rt.handle, &list[:1][0], C.size_t(len(list)), text, &made, &failure)
	runtime.KeepAlive(keep)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	p.keeps = append([]Policy(nil), policies...)
	p.own(rt, unsafe.Pointer(made))
	return p, nil
}

func allOf(asked []func(error) bool) func(error) bool {
	switch len(asked) {
	case 0:
		return nil
	case 1:
		return asked[0]
	}
	return func(err error) bool {
		for _, f := range asked {
			if !f(err) {
				return false
			}
		}
		return true
	}
}

func missing(subject, name string) error {
	return invalid(subject + ": " + name + " must not be nil")
}

func invalid(message string) error {
	return &Error{Details{Status: ErrInvalid, Message: "weir: " + message, RetryAfter: -1}}
}
