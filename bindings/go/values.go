// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

// An encoded value is one of C, with a reference.
type encoded = *C.weir_value

// A Result is how one of several ended.
type Result[T any] struct {
	Value T
	Err   error
}

// A list of C as a slice, all of whose items have to be values.
func decodeList[T any](raw *C.weir_value, c *core) ([]T, error) {
	return decodeListBy(raw, c, decodeItem[T])
}

// A list of C as results: an item that is an error is one.
func decodeResults[T any](raw *C.weir_value, c *core) ([]Result[T], error) {
	return decodeListBy(raw, c, func(item *C.weirgo_item, c *core) (Result[T], error) {
		value, err := decodeItem[T](item, c)
		return Result[T]{value, err}, nil
	})
}

func decodeListBy[T any](raw *C.weir_value, c *core, decode func(*C.weirgo_item, *core) (T,
	error)) ([]T, error) {
	items := c.listItems(raw)
	list := make([]T, len(items))
	for i := range items {
		var err error
		if list[i], err = decode(&items[i], c); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// A slice as a list of C, whose items are made by encode; the caller owns it.
func encodeList[T any](c *core, items []T, encode func(*core, T) *C.weir_value) *C.weir_value {
	values := make([]*C.weir_value, len(items)+1)
	for i, item := range items {
		values[i] = encode(c, item)
	}
	return makeList(c, values[:len(items)], nil)
}

// Takes the references; errors may be nil.
func makeList(c *core, values []*C.weir_value, errors []*C.weir_error) *C.weir_value {
	count := len(values)
	values = append(values, nil) // never empty, so that there is a first
	var firstError **C.weir_error
	if len(errors) > 0 {
		firstError = &errors[0]
	}
	var made *C.weir_value
	C.weir_value_new_list(c.handle, &values[0], firstError, C.size_t(count), &made)
	C.weir_values_unref(&values[0], C.size_t(count))
	for _, failure := range errors {
		C.weir_error_unref(failure)
	}
	return made
}

// Any value by number, also bytes and strings; the caller owns the reference.
func encodeHost[T any](c *core, value T) *C.weir_value {
	var made *C.weir_value
	id := c.newValue(any(value))
	if C.weir_value_new_host(c.queue, C.uint64_t(id), &made) != C.WEIR_OK {
		c.values.release(id)
	}
	return made
}

// As encodeValue, but nil is no value.
func encodeInput[T any](c *core, value T) *C.weir_value {
	if any(value) == nil {
		return nil
	}
	return encodeValue(c, value)
}

// Never no value: to those who take that for something else.
func encodeItem[I any](c *core, item I) *C.weir_value {
	if value := encodeValue(c, item); value != nil {
		return value
	}
	return encodeHost(c, item)
}
