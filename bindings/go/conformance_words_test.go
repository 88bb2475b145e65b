// SPDX-License-Identifier: MIT

package weir

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The table's words and values in Go, and back.

var classes = map[string]Class{
	"success": ClassSuccess, "failure": ClassFailure, "refusal": ClassRefusal, "ignore": ClassIgnore,
	"abandon": ClassAbandon,
}

var statuses = map[string]Status{
	"ok": 0, "invalid": ErrInvalid, "no_memory": ErrNoMemory, "cancelled": ErrCancelled,
	"timed_out": ErrTimedOut,
	"no_time":   ErrNoTime, "open": ErrOpen, "limited": ErrLimited, "full": ErrFull,
	"failed":    ErrFailed,
	"aggregate": ErrAggregate, "exhausted": ErrExhausted, "superseded": ErrSuperseded,
	"stale":  ErrStale,
	"closed": ErrClosed, "not_found": ErrNotFound, "exists": ErrExists,
	"not_supported": ErrNotSupported,
	"expired":       ErrExpired, "stop": ErrStop,
}

var stopReasons = []string{"none", "attempts", "elapsed", "budget", "no_time", "refused", "final",
	"classified", "no_memory"}

var cancelReasons = []string{"none", "caller", "deadline", "timeout", "lost", "superseded",
	"shutdown"}

var rejectionReasons = []string{
	"none", "open", "half_open", "forced_open", "ramp_up", "rate", "concurrency", "queue_full",
	"queue_timeout",
	"paused", "weight", "keys", "no_time", "waiters", "budget",
}

var policyKinds = []string{
	"none", "retry", "breaker", "limiter", "timeout", "pipeline", "budget", "hedge", "fallback",
	"chaos",
}

var breakerStateWords = []string{"closed", "open", "half_open", "forced_open", "forced_closed",
	"metrics_only"}

var domains = map[string]uint32{
	"user": DomainUser, "weir": DomainWeir, "errno": DomainErrno, "uv": 2, "http": DomainHTTP,
	"grpc": DomainGRPC,
	"curl": 5,
}

func choice(words string, word string) uint32 {
	for i, w := range strings.Fields(words) {
		if w == word {
			return uint32(i)
		}
	}
	panic("unknown word " + word)
}

func statusWord(status Status) string {
	for word, s := range statuses {
		if s == status {
			return word
		}
	}
	return status.String()
}

func statusOf(err error) Status {
	if err == nil {
		return 0
	}
	var status Status
	if errors.As(err, &status) {
		return status
	}
	if d := AsDetails(err); d != nil {
		return d.Status
	}
	return ErrFailed
}

// ---- fields of JSON objects ----

func sub(o object, name string) object {
	s, _ := o[name].(object)
	return s
}

func text(o object, name, otherwise string) string {
	if s, ok := o[name].(string); ok {
		return s
	}
	return otherwise
}

func integer(o object, name string, otherwise int64) int64 {
	if n, ok := o[name].(float64); ok {
		return int64(n)
	}
	return otherwise
}

// For options: absent is 0, which is the default, and 0 is Zero.
func number(o object, name string) int64 {
	switch v := o[name].(type) {
	case float64:
		if v == 0 {
			return Zero
		}
		return int64(v)
	case string:
		return -1
	}
	return 0
}

func count(o object, name string) int { return int(number(o, name)) }

func duration(o object, name string) time.Duration {
	switch v := o[name].(type) {
	case float64:
		if v == 0 {
			return Zero
		}
		return time.Duration(v) * time.Millisecond
	case string:
		return Forever
	}
	return 0
}

func rate(o object, name string) float64 {
	v, ok := o[name].(float64)
	if ok && v == 0 {
		return ZeroRate
	}
	return v
}

func names(o object, name string) []string {
	list, _ := o[name].([]any)
	var all []string
	for _, item := range list {
		all = append(all, item.(string))
	}
	return all
}

func ranges(o object) []ErrorRange {
	list, _ := o["failures"].([]any)
	var all []ErrorRange
	for _, item := range list {
		r := item.(object)
		all = append(all, ErrorRange{domains[text(r, "domain", "user")], integer(r, "code_min", 0),
			integer(r, "code_max", 0)})
	}
	return all
}

// ---- errors and values ----

type codeError struct {
	domain  uint32
	code    int64
	message string
}

func (e *codeError) Error() string             { return e.message }
func (e *codeError) WeirCode() (uint32, int64) { return e.domain, e.code }

func tableError(o object) *codeError {
	return &codeError{domains[text(o, "domain", "user")], integer(o, "code", 0),
		text(o, "message", "")}
}

func domainWord(domain uint32) string {
	for word, d := range domains {
		if d == domain {
			return word
		}
	}
	return fmt.Sprint(domain)
}

func codeObject(domain uint32, code int64, message string) object {
	return object{"domain": domainWord(domain), "code": float64(code), "message": message}
}

// An error as a cause: also what a function returned, bare.
func causeObject(err error, index int) object {
	o := object{"index": float64(index), "status": statusWord(statusOf(err)), "message": err.Error()}
	if d := AsDetails(err); d != nil {
		o["error"] = codeObject(d.Domain, d.Code, d.Message)
		return o
	}
	domain, code := errorNumbers(err)
	o["error"] = codeObject(domain, code, err.Error())
	return o
}

func errorFields(o object, err error, d *Details) {
	causes := []any{}
	message := d.Message
	domain, code := d.Domain, d.Code
	switch own := d.Err.(type) {
	case *codeError:
		if strings.HasPrefix(message, "step ") {
			o["cause"] = causeObject(own, 0)
		} else {
			message = own.message
		}
	case *fallbackError:
		message = own.own.Error()
		o["cause"] = causeObject(own.inside, 0)
	case nil:
	default:
		o["cause"] = causeObject(own, 0)
	}
	o["message"] = message
	o["error"] = codeObject(domain, code, message)
	if all, ok := err.(*AggregateError); ok {
		for i, part := range all.Errors {
			causes = append(causes, causeObject(part, all.Indexes[i]))
		}
	}
	o["causes"] = causes
}

func orOff(d time.Duration) any {
	if d < 0 {
		return "off"
	}
	return float64((d + time.Millisecond - 1) / time.Millisecond)
}

func outcomeObject(run string, at int64, value any, err error, d *Details) object {
	o := object{
		"run": run, "at_ms": float64(at), "status": statusWord(d.Status), "value": plain(value),
		"attempts": float64(d.Attempts), "stop_reason": stopReasons[d.Stop],
		"cancel_reason":  cancelReasons[d.Cancel],
		"retry_after_ms": orOff(d.RetryAfter), "final": d.Final, "channel": "value",
	}
	list := []any{}
	for _, status := range d.Statuses {
		list = append(list, statusWord(status))
	}
	o["statuses"] = list
	if r := d.Rejection; r != nil {
		o["rejection"] = object{"policy": policyKinds[r.Policy], "name": r.Name,
			"reason": rejectionReasons[r.Reason]}
	}
	if err == nil {
		return o
	}
	o["channel"] = "error"
	if d.Cancel != CancelNone {
		o["channel"] = "stopped"
	}
	if e, ok := err.(*ExhaustedError); ok {
		o["value"] = plain(e.Value)
	}
	errorFields(o, err, d)
	return o
}

// A value as JSON has it.
func plain(value any) any {
	switch v := value.(type) {
	case []byte:
		return string(v)
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case []string:
		list := []any{}
		for _, item := range v {
			list = append(list, item)
		}
		return list
	case []any:
		list := []any{}
		for _, item := range v {
			list = append(list, plain(item))
		}
		return list
	case []Result[any]:
		list := []any{}
		for _, item := range v {
			if item.Err != nil {
				list = append(list, causeObject(item.Err, 0))
			} else {
				list = append(list, plain(item.Value))
			}
		}
		return list
	case error:
		return causeObject(v, 0)
	}
	return value
}
