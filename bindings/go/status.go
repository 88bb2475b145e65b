// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

// A Status is one of weir's numbers, and an error: errors.Is(err, weir.ErrOpen) matches every error
// of this package that carries it, however deep it is wrapped.
type Status int32

// The statuses that are errors. Each is matched by errors.Is.
const (
	// ErrInvalid: an argument or option is not legal; the error's message names it.
	ErrInvalid Status = C.WEIR_EINVAL
	// ErrNoMemory: the C allocator had no memory.
	ErrNoMemory Status = C.WEIR_ENOMEM
	// ErrABI: the package was built against another version of the library.
	ErrABI Status = C.WEIR_EABI
	// ErrCancelled: the caller cancelled, or its context was.
	ErrCancelled Status = C.WEIR_ECANCELLED
	// ErrTimedOut: a timeout or a deadline passed.
	ErrTimedOut Status = C.WEIR_ETIMEDOUT
	// ErrNoTime: what was asked cannot fit into the time that is left. A refusal.
	ErrNoTime Status = C.WEIR_ENOTIME
	// ErrOpen: a circuit breaker is open. A refusal.
	ErrOpen Status = C.WEIR_EOPEN
	// ErrLimited: a limiter refuses. A refusal.
	ErrLimited Status = C.WEIR_ELIMITED
	// ErrFull: a queue, or the runtime, is full. A refusal.
	ErrFull Status = C.WEIR_EFULL
	// ErrFailed: the user's function failed; Unwrap has its error.
	ErrFailed Status = C.WEIR_EFAILED
	// ErrAggregate: several failed; Unwrap has them.
	ErrAggregate Status = C.WEIR_EAGGREGATE
	// ErrExhausted: a retry or a poll gave up on a value that was judged a failure.
	ErrExhausted Status = C.WEIR_EEXHAUSTED
	// ErrSuperseded: a later call took this one's place.
	ErrSuperseded Status = C.WEIR_ESUPERSEDED
	// ErrStale: a permit of an earlier life, or one that was given back before.
	ErrStale Status = C.WEIR_ESTALE
	// ErrClosed: the runtime, or the handle, is closed.
	ErrClosed Status = C.WEIR_ECLOSED
	// ErrNotFound: there is nothing of that name or key.
	ErrNotFound Status = C.WEIR_ENOTFOUND
	// ErrExists: there is already something of that name or key.
	ErrExists Status = C.WEIR_EEXISTS
	// ErrNotSupported: this combination cannot do that; the message says why.
	ErrNotSupported Status = C.WEIR_ENOTSUP
	// ErrThread: the function belongs to another thread.
	ErrThread Status = C.WEIR_ETHREAD
	// ErrExpired: the permit's lease ran out before the report.
	ErrExpired Status = C.WEIR_EEXPIRED
	// ErrForked: the process forked since the runtime was made.
	ErrForked Status = C.WEIR_EFORKED
	// ErrStop: no more attempts (the retry's decide door).
	ErrStop Status = C.WEIR_ESTOP
)

// Error says it in one sentence.
func (s Status) Error() string {
	return "weir: " + C.GoString(C.weir_status_message(C.weir_status(s)))
}

// String is the status's name in C, such as "WEIR_EOPEN".
func (s Status) String() string { return C.GoString(C.weir_status_name(C.weir_status(s))) }

// A Class is how an outcome is judged by the policies around it.
type Class uint32

const (
	// ClassNone: not judged; the default holds.
	ClassNone Class = C.WEIR_CLASS_NONE
	// ClassSuccess counts as a success.
	ClassSuccess Class = C.WEIR_CLASS_SUCCESS
	// ClassFailure counts as a failure: retries try again, breakers count it.
	ClassFailure Class = C.WEIR_CLASS_FAILURE
	// ClassRefusal is what an inner policy refused; counted by nobody.
	ClassRefusal Class = C.WEIR_CLASS_REFUSAL
	// ClassIgnore counts for nobody and is returned as it is.
	ClassIgnore Class = C.WEIR_CLASS_IGNORE
	// ClassAbandon: given up by the caller; counts for nobody.
	ClassAbandon Class = C.WEIR_CLASS_ABANDON
)

var classTexts = [...]string{"none", "success", "failure", "refusal", "ignore", "abandon"}

// String is the class's name.
func (c Class) String() string {
	if int(c) < len(classTexts) {
		return classTexts[c]
	}
	return "unknown"
}

// Error makes a class something that a function can return beside a value: then the value stands,
// and is judged so. `return state, weir.ClassFailure` is a value that a retry tries again on.
func (c Class) Error() string { return "weir: a value judged as " + c.String() }

// A StopReason says why a retry or a poll gave up.
type StopReason uint32

const (
	StopNone       StopReason = C.WEIR_STOP_NONE       // it did not give up
	StopAttempts   StopReason = C.WEIR_STOP_ATTEMPTS   // MaxAttempts reached
	StopElapsed    StopReason = C.WEIR_STOP_ELAPSED    // MaxElapsed reached, or the delay would
	StopBudget     StopReason = C.WEIR_STOP_BUDGET     // the budget had nothing left
	StopNoTime     StopReason = C.WEIR_STOP_NO_TIME    // the delay does not fit before the deadline
	StopRefused    StopReason = C.WEIR_STOP_REFUSED    // an inner policy refused the attempt
	StopFinal      StopReason = C.WEIR_STOP_FINAL      // the failure was final (see Final)
	StopClassified StopReason = C.WEIR_STOP_CLASSIFIED // the class said stop
	StopNoMemory   StopReason = C.WEIR_STOP_NO_MEMORY  // the next attempt could not be reserved
)

// A CancelReason says why a run, or an attempt, was told to stop.
type CancelReason uint32

const (
	CancelNone     CancelReason = C.WEIR_CANCEL_NONE     // it was not
	CancelCaller   CancelReason = C.WEIR_CANCEL_CALLER   // its context or Cancel
	CancelDeadline CancelReason = C.WEIR_CANCEL_DEADLINE // its deadline, or its scope's
	// a timeout policy, attempt or item timeout
	CancelTimeout    CancelReason = C.WEIR_CANCEL_TIMEOUT
	CancelLost       CancelReason = C.WEIR_CANCEL_LOST       // another won, or a sibling stopped all
	CancelSuperseded CancelReason = C.WEIR_CANCEL_SUPERSEDED // a later call took its place
	CancelShutdown   CancelReason = C.WEIR_CANCEL_SHUTDOWN   // the runtime closes
)

var cancelTexts = [...]string{
	"not cancelled", "cancelled by its caller", "deadline passed", "timed out",
	"another one won", "superseded", "the runtime closes",
}

// Error makes a CancelReason the cause of an attempt's context: context.Cause(ctx).
func (r CancelReason) Error() string {
	if int(r) < len(cancelTexts) {
		return "weir: " + cancelTexts[r]
	}
	return "weir: told to stop"
}

// Version is the library's version, such as "0.1.0".
func Version() string { return C.GoString(C.weir_version_string()) }

// VersionNumber is the library's version as major × 10000 + minor × 100 + patch.
func VersionNumber() uint32 { return uint32(C.weir_version()) }
