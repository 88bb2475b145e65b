// SPDX-License-Identifier: MIT

package weir

import "context"

// A work is a function that is the input of its operation instead of being in it: of loads and
// flights, which belong to all who wait for them. The one who began a load may leave before it has
// begun, and everything that it held in Go with it; an input lives as long as C refers to it.
type work[V any] struct {
	f     func(ctx context.Context, key string) (V, error)
	retry func(error) bool // ShouldRetry of the policies around
}

// An operation that does what its input says.
func newWork[V any](rt *Runtime) (*Operation[*work[V], V], error) {
	o := &Operation[*work[V], V]{}
	return o, o.serve(rt, workFunction[V]{})
}

type workFunction[V any] struct{}

func (workFunction[V]) attempt(a *attempt) {
	v := noVerdict
	protect(func() (V, error) {
		w, err := adopt[*work[V]](a)
		if err != nil {
			var none V
			return none, Final(err)
		}
		value, err := w.f(a, string(AttemptOf(a).Key))
		v, err = classed(err)
		v.final = err != nil && w.retry != nil && !w.retry(err)
		return value, err
	}, func(value V, err error) { finish(a, value, err, v) })
}
