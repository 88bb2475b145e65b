// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

import (
	"runtime"
	"weak"
)

// A listener is told of EVENT, ITEM and RECORDED records.
type listener func(record *C.weirgo_record)

// An ear is a listener with its number. The table holds the listener weakly (see handle); whoever
// has the ear, or the handle that it is with, keeps it.
type ear struct {
	slot *slot[weak.Pointer[listener]]
	told *listener
}

func (c *core) listen(f listener) *ear {
	known := weak.Make(&f)
	return &ear{c.listeners.put(&known), &f}
}

func (e *ear) user() C.uint64_t { return C.uint64_t(userListener | e.slot.id()) }

// From here on it lives as long as the handle.
func (e *ear) with(c *core, h *handle) {
	if e != nil {
		h.serves = e.told
		runtime.AddCleanup(h, func(s *slot[weak.Pointer[listener]]) { c.listeners.remove(s) }, e.slot)
	}
}

func (c *core) unlisten(e *ear) {
	if e != nil {
		c.listeners.remove(e.slot)
	}
}

// Nobody listens any more: an item's value or error goes back.
func (c *core) tell(record *C.weirgo_record) {
	if known := c.listeners.get(uint64(record.user)); known != nil {
		if told := known.Value(); told != nil {
			(*told)(record)
			return
		}
	}
	if record.kind != C.WEIR_RECORD_ITEM {
		return
	}
	if record.channel == C.WEIR_CHANNEL_VALUE {
		C.weir_value_unref((*C.weir_value)(pointerOf(record.object)))
	} else if record.channel == C.WEIR_CHANNEL_ERROR {
		C.weir_error_unref((*C.weir_error)(pointerOf(record.object)))
	}
}
