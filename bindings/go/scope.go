// SPDX-License-Identifier: MIT

package weir

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"context"
	"log/slog"
	"runtime"
	"strconv"
	"time"
	"unsafe"
)

// A ScopeExit is what the end of a scope does with calls that have not settled.
type ScopeExit uint32

const (
	ScopeJoin   ScopeExit = C.WEIR_SCOPE_JOIN   // waits for them
	ScopeCancel ScopeExit = C.WEIR_SCOPE_CANCEL // cancels them at once
	ScopeGrace  ScopeExit = C.WEIR_SCOPE_GRACE  // waits Grace, then cancels them
)

// ScopeOptions are those of NewScope.
type ScopeOptions struct {
	Exit ScopeExit
	// Deadline of every run in it, from now. Default Forever; Zero.
	Deadline time.Duration
	// Grace is how long the end waits for what does not stop. Default 5 s; Zero, Forever.
	Grace time.Duration
	// Parent is the scope around it, if any. Default: that of the context.
	Parent *Scope
	// Name for logs, after those of the scopes around: "import/user 7".
	Name string
}

// A Scope groups calls: one deadline and one cancel for all, values that they see, resources that
// are closed when it ends, and an end at which all of them are over. Runs join the scope of their
// context (see Scope.Context, InScope) or of WithScope.
type Scope struct{ owner }

type scopeKey struct{}

// NewScope makes a scope. End it, or all that is in it goes on until the garbage collector ends it.
func NewScope(ctx context.Context, rt *Runtime, options ScopeOptions) (*Scope, error) {
	if err := rt.given("scope"); err != nil {
		return nil, err
	}
	var c C.weir_scope_options
	C.weir_scope_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.exit = C.uint32_t(options.Exit)
	setDuration(&c.deadline_ms, options.Deadline)
	setDuration(&c.grace_ms, options.Grace)
	rt.scoped.Store(true)
	parent := options.Parent
	if parent == nil {
		parent = ScopeOf(ctx)
	}
	if parent != nil {
		defer runtime.KeepAlive(parent)
		c.parent = parent.c()
	}
	c.name = cText(options.Name)
	defer free(c.name)
	var made *C.weir_scope
	var failure *C.weir_error
	status := C.weir_scope_new(rt.handle, &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	s := &Scope{}
	s.set(rt, unsafe.Pointer(made), unrefScope)
	return s, nil
}

func unrefScope(p unsafe.Pointer) { C.weir_scope_unref((*C.weir_scope)(p)) }

func (s *Scope) c() *C.weir_scope {
	if h := s.held(); h != nil {
		return (*C.weir_scope)(h.pointer)
	}
	return nil
}

// Context is ctx with the scope: runs with it, and with what derives from it, join the scope.
func (s *Scope) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, scopeKey{}, s)
}

// ScopeOf is the scope of a context; nil if it has none.
func ScopeOf(ctx context.Context) *Scope {
	s, _ := ctx.Value(scopeKey{}).(*Scope)
	return s
}

// WithScope lets the run join this scope instead of its context's.
func WithScope(scope *Scope) RunOption { return func(o *runOptions) { o.scope = scope } }

func (c *core) scopeOf(ctx context.Context, o *runOptions) *Scope {
	if o.scope != nil || !c.scoped.Load() {
		return o.scope
	}
	scope := ScopeOf(ctx)
	if scope != nil && scope.rt.core != c {
		return nil
	}
	return scope
}

// InScope runs a body in a scope of its own and ends that: whatever was begun in it is over when
// this returns. The error is the body's, or else that of the first resource that did not close.
func InScope(ctx context.Context, rt *Runtime, options ScopeOptions,
	body func(ctx context.Context, scope *Scope) error) error {
	scope, err := NewScope(ctx, rt, options)
	if err != nil {
		return err
	}
	ended := false
	defer func() {
		if !ended { // the body panicked
			scope.Cancel()
			scope.End(context.WithoutCancel(ctx))
		}
	}()
	failed := body(scope.Context(ctx), scope)
	if failed != nil {
		scope.Cancel()
	}
	ended = true
	err = scope.End(context.WithoutCancel(ctx))
	if failed != nil {
		return failed
	}
	return err
}

// End ends the scope and waits for that: calls by the exit policy, then resources, the last opened
// first. ctx bounds the waiting, not the end. The error is that of the first resource that did not
// close.
func (s *Scope) End(ctx context.Context) error {
	join, err := s.Join()
	if err != nil {
		return err
	}
	_, err = join.Run(outsideContext{ctx}, nil)
	return err
}

// Join makes an operation whose run ends the scope, and settles when that has happened. It must not
// run inside the scope itself.
func (s *Scope) Join() (*Operation[any, struct{}], error) {
	h := s.held()
	if h == nil {
		return nil, statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	o := &Operation[any, struct{}]{}
	err := o.make(s.rt, s, func(out **C.weir_operation, e **C.weir_error) C.weir_status {
		return C.weir_scope_join((*C.weir_scope)(h.pointer), out, e)
	})
	return o, err
}

// A context without its scope: a scope's end must not run inside it.
type outsideContext struct{ context.Context }

func (o outsideContext) Value(key any) any {
	if _, scope := key.(scopeKey); scope {
		return (*Scope)(nil)
	}
	return o.Context.Value(key)
}

// Cancel cancels every call in it, and in the scopes inside, and refuses new ones. Resources stay
// open until its end.
func (s *Scope) Cancel() error {
	return s.with(func(h *handle) error {
		return statusError(C.weir_scope_cancel((*C.weir_scope)(h.pointer)))
	})
}

// Log writes a line with the scope's path as the subject.
func (s *Scope) Log(level slog.Level, message string) {
	h := s.held()
	if h == nil {
		return
	}
	text := C.CString(message)
	defer free(text)
	C.weir_scope_log((*C.weir_scope)(h.pointer), logLevel(level), text)
	runtime.KeepAlive(h)
}

// Set sets a value that all who run in the scope see, by a key of 1 to 255 bytes. Integers are
// numbers and strings bytes to the other languages of the process; all else is a Go value.
func (s *Scope) Set(key string, value any) error {
	return s.with(func(h *handle) error {
		scope := (*C.weir_scope)(h.pointer)
		name := C.CString(key)
		defer free(name)
		switch v := value.(type) {
		case int:
			return statusError(C.weir_scope_set_int64(scope, name, C.int64_t(v)))
		case int64:
			return statusError(C.weir_scope_set_int64(scope, name, C.int64_t(v)))
		case string:
			data, size := keyText(v)
			return statusError(C.weir_scope_set_bytes(scope, name, data, size))
		}
		made := encodeValue(s.rt.core, value)
		defer C.weir_value_unref(made)
		return statusError(C.weir_scope_set_value(scope, name, made))
	})
}

// ScopeValue gets a value of the scope or of those around it, the innermost first. ErrNotFound if
// there is none of that key or another type.
func ScopeValue[T any](s *Scope, key string) (value T, err error) {
	err = s.with(func(h *handle) error {
		scope := (*C.weir_scope)(h.pointer)
		name := C.CString(key)
		defer free(name)
		switch target := any(&value).(type) {
		case *int:
			var number C.int64_t
			status := C.weir_scope_get_int64(scope, name, &number)
			*target = int(number)
			return statusError(status)
		case *int64:
			return statusError(C.weir_scope_get_int64(scope, name, (*C.int64_t)(unsafe.Pointer(target))))
		}
		var found *C.weir_value
		if status := C.weir_scope_get_value(scope, name, &found); status != C.WEIR_OK {
			return statusError(status)
		}
		defer C.weir_value_unref(found)
		value, err = decodeValue[T](found, s.rt.core)
		if err != nil {
			return statusError(C.WEIR_ENOTFOUND)
		}
		return nil
	})
	return
}

// OpenResource opens something in the scope of ctx, and closes it when that scope ends, the last
// opened first. ErrInvalid outside of a scope.
func OpenResource[T any](ctx context.Context, rt *Runtime, open func(ctx context.Context) (T,
	error),
	shut func(ctx context.Context, opened T) error) (T, error) {
	resource, err := Resource(rt, "", open, shut)
	if err != nil {
		var none T
		return none, err
	}
	return resource.Run(ctx, nil)
}

// Resource makes an operation of that. Key, if not empty, is under which the scope has the value.
func Resource[T any](rt *Runtime, key string, open func(ctx context.Context) (T, error),
	shut func(ctx context.Context, opened T) error) (*Operation[any, T], error) {
	shuts, err := NewOperation(rt, func(ctx context.Context, opened T) (struct{}, error) {
		return struct{}{}, shut(ctx, opened)
	})
	if err != nil {
		return nil, err
	}
	opens, err := Func(rt, open)
	if err != nil {
		return nil, err
	}
	return ResourceOf(opens, shuts, key)
}

// ResourceOf makes a resource of two operations; the input of shut is what open brought.
func ResourceOf[I, T, X any](open *Operation[I, T], shuts *Operation[T, X],
	key string) (*Operation[I, T], error) {
	if err := given("resource", "open", open); err != nil {
		return nil, err
	}
	if err := given("resource", "shuts", shuts); err != nil {
		return nil, err
	}
	opens, err := NewOperation(open.rt, func(ctx context.Context, input I) (T, error) {
		keepForScope(ctx, shuts)
		if open.f != nil && open.judge == nil {
			return open.f(ctx, input)
		}
		return open.Run(ctx, input)
	})
	if err != nil {
		return nil, err
	}
	name := cText(key)
	defer free(name)
	o := &Operation[I, T]{}
	err = o.make(open.rt, []any{opens, shuts}, func(out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_scope_resource(opens.c(), shuts.c(), name, out, e)
	})
	return o, err
}

// What closes a resource has to live until the scope has ended, whoever holds it in Go: the scope
// holds it, as a value of a key that nobody else has.
func keepForScope(ctx context.Context, shuts any) {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	a.core.scoped.Store(true)
	scope := a.scope()
	if scope == nil {
		return
	}
	made := encodeHost(a.core, shuts)
	defer C.weir_value_unref(made)
	name := C.CString("weir.go/close/" + strconv.FormatUint(a.token, 16))
	defer free(name)
	C.weir_scope_set_value(scope.c(), name, made)
	runtime.KeepAlive(scope)
}

// A ScopeState is how far a scope is.
type ScopeState uint32

const (
	ScopeOpen    ScopeState = C.WEIR_SCOPE_OPEN
	ScopeEnding  ScopeState = C.WEIR_SCOPE_ENDING  // waits for calls and functions
	ScopeClosing ScopeState = C.WEIR_SCOPE_CLOSING // closes resources
	ScopeEnded   ScopeState = C.WEIR_SCOPE_ENDED
)

// ScopeStats is a recent view of a scope. Leaked are calls whose functions went on when the grace
// was over.
type ScopeStats struct {
	State         ScopeState
	Cancelled     bool
	Resources     int
	Calls, Leaked uint64
}

// Stats counts.
func (s *Scope) Stats() (stats ScopeStats, err error) {
	err = s.with(func(h *handle) error {
		var c C.weir_scope_stats
		c.size = C.uint32_t(unsafe.Sizeof(c))
		status := C.weir_scope_get_stats((*C.weir_scope)(h.pointer), &c)
		stats = ScopeStats{
			State: ScopeState(c.state), Cancelled: c.cancelled != 0, Resources: int(c.resources),
			Calls: uint64(c.calls), Leaked: uint64(c.leaked),
		}
		return statusError(status)
	})
	return
}
