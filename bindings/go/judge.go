// SPDX-License-Identifier: MIT

package weir

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"errors"
	"syscall"
	"time"
	"unsafe"
)

// Judging happens in Go, before an attempt is completed: the library is told the class, whether a
// failure is final, and when the peer wants to be asked again, and never has to ask back.

type verdict struct {
	class      Class
	final      bool
	retryAfter time.Duration // negative: none
}

var noVerdict = verdict{retryAfter: -1}

// A class that was returned beside a value is none of its errors.
func classed(err error) (verdict, error) {
	v := noVerdict
	if class, ok := err.(Class); ok {
		v.class = class
		return v, nil
	}
	return v, err
}

func (v verdict) after() C.int64_t {
	if v.retryAfter < 0 {
		return C.WEIR_OFF
	}
	return milliseconds(v.retryAfter)
}

// A judgedError is an error with a verdict of its own. Only the error inside is kept.
type judgedError struct {
	error
	class      Class
	final      bool
	retryAfter time.Duration
}

func (e *judgedError) Unwrap() error { return e.error }

// Final marks an error that no policy shall retry. Nil stays nil.
func Final(err error) error { return judged(err, judgedError{final: true, retryAfter: -1}) }

// RetryAfter marks an error whose peer asked to be tried again in so long (such as a 429's
// Retry-After): the retry waits that long instead of its own delay. Nil stays nil.
func RetryAfter(err error, delay time.Duration) error {
	return judged(err, judgedError{retryAfter: delay})
}

// Judged gives an error a class of its own: Judged(err, ClassIgnore) counts for no breaker and is
// not retried. Nil stays nil.
func Judged(err error, class Class) error {
	return judged(err, judgedError{class: class, retryAfter: -1})
}

func judged(err error, mark judgedError) error {
	if err == nil {
		return nil
	}
	mark.error = err
	return &mark
}

// Adds what the marks on an error say. Marks that are its outermost wrapping are taken off, so that
// what comes back is the value that was marked.
func (v verdict) unwrap(err error) (error, verdict) {
	var mark *judgedError
	for rest := err; errors.As(rest, &mark); rest = mark.error {
		v.final = v.final || mark.final
		if mark.class != ClassNone {
			v.class = mark.class
		}
		if mark.retryAfter >= 0 {
			v.retryAfter = mark.retryAfter
		}
	}
	for {
		mark, ok := err.(*judgedError)
		if !ok {
			break
		}
		err = mark.error
	}
	if err == ErrGoexit {
		v.final = true
	}
	var asks interface{ RetryAfter() time.Duration }
	if v.retryAfter < 0 && errors.As(err, &asks) {
		v.retryAfter = asks.RetryAfter()
	}
	return err, v
}

// Domains of error codes; see WithCode. Numbers from DomainUser on are the user's.
const (
	DomainWeir  uint32 = C.WEIR_DOMAIN_WEIR
	DomainErrno uint32 = C.WEIR_DOMAIN_ERRNO
	DomainHTTP  uint32 = C.WEIR_DOMAIN_HTTP
	DomainGRPC  uint32 = C.WEIR_DOMAIN_GRPC
	DomainUser  uint32 = C.WEIR_DOMAIN_USER
)

// An ErrorRange is a range of a domain's codes, both ends included. Options that take some judge
// exactly these errors as failures and ignore other errors of functions.
type ErrorRange struct {
	Domain           uint32
	CodeMin, CodeMax int64
}

// A Coder is an error that has a number, for ErrorRange and for the other languages of a process.
// A syscall.Errno has one without it; other errors are DomainUser, 0.
type Coder interface {
	WeirCode() (domain uint32, code int64)
}

type codedError struct {
	error
	domain uint32
	code   int64
}

func (e *codedError) Unwrap() error             { return e.error }
func (e *codedError) WeirCode() (uint32, int64) { return e.domain, e.code }

// WithCode gives an error a number: WithCode(err, DomainHTTP, 503). Nil stays nil.
func WithCode(err error, domain uint32, code int64) error {
	if err == nil {
		return nil
	}
	return &codedError{err, domain, code}
}

func errorNumbers(err error) (uint32, int64) {
	var coder Coder
	if errors.As(err, &coder) {
		return coder.WeirCode()
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return DomainErrno, int64(errno)
	}
	return DomainUser, 0
}

// Ranges as C has them; the array lives as long as the slice.
func cRanges(ranges []ErrorRange) (*C.weir_error_range, C.uint64_t) {
	if len(ranges) == 0 {
		return nil, 0
	}
	array := (*C.weir_error_range)(C.calloc(C.size_t(len(ranges)), C.sizeof_weir_error_range))
	list := unsafe.Slice(array, len(ranges))
	for i, r := range ranges {
		list[i] = C.weir_error_range{
			domain: C.uint32_t(r.Domain), code_min: C.int64_t(r.CodeMin), code_max: C.int64_t(r.CodeMax),
		}
	}
	return &list[0], C.uint64_t(len(ranges))
}
