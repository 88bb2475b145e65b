// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
)

// The library logs on any thread, and must not wait for Go: lines go through a ring of 256 in C,
// which a goroutine empties; what it had no room for is counted and said.

var logLevels = map[C.int32_t]slog.Level{
	C.WEIR_LOG_ERROR: slog.LevelError, C.WEIR_LOG_WARNING: slog.LevelWarn,
	C.WEIR_LOG_INFO: slog.LevelInfo, C.WEIR_LOG_DEBUG: slog.LevelDebug,
}

func logLevel(level slog.Level) C.int32_t {
	switch {
	case level >= slog.LevelError:
		return C.WEIR_LOG_ERROR
	case level >= slog.LevelWarn:
		return C.WEIR_LOG_WARNING
	case level >= slog.LevelInfo:
		return C.WEIR_LOG_INFO
	}
	return C.WEIR_LOG_DEBUG
}

func (c *core) openLog(logger *slog.Logger, options *C.weir_runtime_options) {
	c.log = C.weirgo_log_new()
	if c.log == nil {
		return
	}
	C.weirgo_log_install(c.log, options)
	options.log_level = C.WEIR_LOG_ERROR
	for _, level := range []slog.Level{slog.LevelWarn, slog.LevelInfo, slog.LevelDebug} {
		if logger.Enabled(context.Background(), level) {
			options.log_level = logLevel(level)
		}
	}
	c.logged = new(sync.WaitGroup)
	c.logged.Add(1)
	go emptyLog(c.log, logger, c.logged)
}

// The last lines are told, and the goroutine ends.
func (c *core) closeLog() {
	if c.log != nil {
		C.weirgo_log_close(c.log)
		c.logged.Wait()
	}
}

func emptyLog(log *C.weirgo_log, logger *slog.Logger, over interface{ Done() }) {
	defer over.Done()
	defer C.weirgo_log_unref(log)
	lines := make([]C.weirgo_line, 16)
	for {
		var lost C.uint64_t
		count := C.weirgo_log_wait(log, &lines[0], C.uint32_t(len(lines)), &lost)
		if lost > 0 {
			logger.Warn("weir: log lines were lost", "count", uint64(lost))
		}
		for _, line := range lines[:count] {
			logger.Log(context.Background(), logLevels[line.level], C.GoString(&line.message[0]),
				"subject", C.GoString(&line.subject[0]))
		}
		if count == 0 {
			return
		}
	}
}

// Log hands a line to the runtime's logger, the same way as the library's own.
func (rt *Runtime) Log(level slog.Level, subject, message string) {
	defer runtime.KeepAlive(rt)
	s, m := cText(subject), C.CString(message)
	defer free(s)
	defer free(m)
	C.weir_log(rt.handle, logLevel(level), s, m)
}
