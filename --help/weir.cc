/* SPDX-License-Identifier: MIT */
/*
 * weir, the library in one file. Use with weir.h.
 *
 * MIT License
 *
 * Copyright (c) 2026 The weir authors
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy
 * of this software and associated documentation files (the "Software"), to deal
 * in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 * copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in all
 * copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
 * SOFTWARE.
 */

#include "weir.h"

/* src/base/fork.cc */

/* src/base/fork.hh */

//
// Notices that the process is a fork of the one that made this object, without a system call: a page
// that the kernel wipes in the child (MADV_WIPEONFORK, Linux 4.14); without it, by process id.

#include <sys/types.h>

namespace weir {

class ForkSentinel {
 public:
  ForkSentinel();
  ForkSentinel(const ForkSentinel &) = delete;
  ForkSentinel &operator=(const ForkSentinel &) = delete;
  ~ForkSentinel();

  bool forked() const { return page_ != nullptr ? *page_ == 0 : by_process_id(); }

 private:
  bool by_process_id() const;

  volatile char *page_ = nullptr;
  pid_t process_;
};

}  // namespace weir

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

namespace weir {
namespace {

size_t page_size() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

ForkSentinel::ForkSentinel() : process_(getpid()) {
  void *page =
      mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (madvise(page, page_size(), MADV_WIPEONFORK) != 0) {
    munmap(page, page_size());
    return;
  }
  page_ = static_cast<volatile char *>(page);
  *page_ = 1;
}

ForkSentinel::~ForkSentinel() {
  if (page_ != nullptr) munmap(const_cast<char *>(page_), page_size());
}

bool ForkSentinel::by_process_id() const { return getpid() != process_; }

}  // namespace weir

/* src/base/heap.cc */

/* src/base/heap.hh */

//
// Where memory comes from. A Heap stands for one user's allocator, or for malloc. Handles, values
// and errors each point to the heap that frees them, and to nothing else of the runtime, so that
// they may outlive it.
//
// Invariants:
// - The malloc heap is one constant object without a count; retain and release do nothing to it.
// - A user's heap lives in its own memory and is counted; when the count ends, the heap frees
//   itself and then tells the user's `release`, after which the context is never used again.
// - allocate returns NULL where the user's function does; nothing here aborts.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace weir {

class Heap {
 public:
  // The heap that is malloc and free.
  static Heap *standard();

  // A counted heap for a user's allocator, or NULL without memory. `options` was checked.
  static Heap *create(const weir_allocator &allocator);

  void *allocate(size_t size) { return alloc_(context_, size); }
  void free(void *pointer, size_t size) { free_(context_, pointer, size); }

  Heap *retain();
  void release();

  template <typename T, typename... Args>
  T *make(Args &&...args) {
    void *memory = allocate(sizeof(T));
    return memory == nullptr ? nullptr : new (memory) T(std::forward<Args>(args)...);
  }

  template <typename T>
  void destroy(T *object) {
    if (object == nullptr) return;
    object->~T();
    free(object, sizeof(T));
  }

  // A terminated copy of `text`; NULL stays NULL. `ok` becomes false when there is no memory.
  char *copy_text(const char *text, bool &ok);
  void free_text(char *text);

  constexpr Heap(weir_alloc_fn alloc, weir_dealloc_fn free, void *context, weir_release_fn release)
      : alloc_(alloc), free_(free), context_(context), release_(release) {}

 private:
  weir_alloc_fn alloc_;
  weir_dealloc_fn free_;
  void *context_;
  weir_release_fn release_;
  std::atomic<uint64_t> count_{0};  // 0: the malloc heap, not counted
};

}  // namespace weir

#include <cstdlib>
#include <cstring>

namespace weir {
namespace {

void *standard_alloc(void *, size_t size) { return std::malloc(size); }
void standard_free(void *, void *pointer, size_t) { std::free(pointer); }

// Never written: retain and release look at the count first, and it stays 0.
constinit Heap standard_heap(standard_alloc, standard_free, nullptr, nullptr);

}  // namespace

Heap *Heap::standard() { return &standard_heap; }

Heap *Heap::create(const weir_allocator &allocator) {
  void *memory = allocator.alloc(allocator.context, sizeof(Heap));
  if (memory == nullptr) return nullptr;
  Heap *heap =
      new (memory) Heap(allocator.alloc, allocator.free, allocator.context, allocator.release);
  heap->count_.store(1, std::memory_order_relaxed);
  return heap;
}

Heap *Heap::retain() {
  if (this != &standard_heap) count_.fetch_add(1, std::memory_order_relaxed);
  return this;
}

void Heap::release() {
  if (this == &standard_heap) return;
  if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  weir_release_fn release = release_;
  void *context = context_;
  free_(context, this, sizeof(Heap));
  if (release != nullptr) release(context);
}

char *Heap::copy_text(const char *text, bool &ok) {
  if (text == nullptr) return nullptr;
  size_t size = std::strlen(text) + 1;
  char *copy = static_cast<char *>(allocate(size));
  if (copy == nullptr) {
    ok = false;
    return nullptr;
  }
  std::memcpy(copy, text, size);
  return copy;
}

void Heap::free_text(char *text) {
  if (text != nullptr) free(text, std::strlen(text) + 1);
}

}  // namespace weir

/* src/base/mutex.cc */

/* src/base/mutex.hh */

//
// pthread's mutex and condition under short names, with scoped locking. No code that weir does not
// own (callbacks, allocators) runs under a Mutex, except where a comment says so.

#include <pthread.h>

#include <cstdint>
#include <ctime>

namespace weir {

class Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex &) = delete;
  Mutex &operator=(const Mutex &) = delete;
  ~Mutex() { pthread_mutex_destroy(&mutex_); }

  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }
  pthread_mutex_t *native() { return &mutex_; }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

class Lock {
 public:
  explicit Lock(Mutex &mutex) : mutex_(mutex) { mutex_.lock(); }
  Lock(const Lock &) = delete;
  Lock &operator=(const Lock &) = delete;
  ~Lock() { mutex_.unlock(); }

 private:
  Mutex &mutex_;
};

// Waits by the monotonic clock.
class Condition {
 public:
  Condition();
  Condition(const Condition &) = delete;
  Condition &operator=(const Condition &) = delete;
  ~Condition() { pthread_cond_destroy(&condition_); }

  void wake_all() { pthread_cond_broadcast(&condition_); }
  void wait(Mutex &mutex) { pthread_cond_wait(&condition_, mutex.native()); }
  // False when `deadline_ns` of the monotonic clock has passed; INT64_MAX never does.
  bool wait_until(Mutex &mutex, int64_t deadline_ns);

 private:
  pthread_cond_t condition_;
};

}  // namespace weir

#include <cerrno>

/* src/base/time.hh */

//
// Time is monotonic nanoseconds in an int64, with saturating arithmetic: INT64_MAX means never.

#include <cstdint>

namespace weir {

inline constexpr int64_t never_ns = INT64_MAX;
inline constexpr int64_t ns_per_us = 1000;
inline constexpr int64_t ns_per_ms = 1000 * 1000;
inline constexpr int64_t ns_per_second = 1000 * 1000 * 1000;

// a + b, at the ends of the range instead of beyond them.
constexpr int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? INT64_MAX : INT64_MIN;
}

constexpr int64_t saturating_sub(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? INT64_MAX : INT64_MIN;
}

constexpr int64_t saturating_mul(int64_t a, int64_t b) {
  int64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
}

// An option's milliseconds; negative (forever, off) becomes never.
constexpr int64_t ms_to_ns(int64_t ms) { return ms < 0 ? never_ns : saturating_mul(ms, ns_per_ms); }

// Rounded up; never and negative stay as WEIR_FOREVER.
constexpr int64_t ns_to_ms_up(int64_t ns) {
  if (ns < 0 || ns == never_ns) return -1;
  return ns / ns_per_ms + (ns % ns_per_ms != 0 ? 1 : 0);
}

// now + delay, never beyond never; a delay of never gives never.
constexpr int64_t deadline_after(int64_t now_ns, int64_t delay_ns) {
  return delay_ns == never_ns ? never_ns : saturating_add(now_ns, delay_ns);
}

// CLOCK_MONOTONIC; about 44 ns.
int64_t monotonic_now();

// Not earlier than monotonic_now() was at the call, later by at most two ticks of the coarse clock
// (a few ms); about 10 ns. For what has a margin far above that.
int64_t monotonic_coarse_ceiling();

// Not later than monotonic_now() at the call, earlier by at most one tick of the coarse clock.
int64_t monotonic_coarse_floor();

}  // namespace weir

namespace weir {

Condition::Condition() {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&condition_, &attributes);
  pthread_condattr_destroy(&attributes);
}

bool Condition::wait_until(Mutex &mutex, int64_t deadline_ns) {
  if (deadline_ns == never_ns) {
    wait(mutex);
    return true;
  }
  timespec until;
  until.tv_sec = static_cast<time_t>(deadline_ns / ns_per_second);
  until.tv_nsec = static_cast<long>(deadline_ns % ns_per_second);
  return pthread_cond_timedwait(&condition_, mutex.native(), &until) != ETIMEDOUT;
}

}  // namespace weir

/* src/base/random.cc */

/* src/base/random.hh */

//
// Random numbers for jitter and for seeds; not for secrets. SplitMix64 (Steele, Lea and Flood,
// "Fast splittable pseudorandom number generators", 2014): its state is a counter, so threads share
// one generator with a single fetch_add and a seed replays bit for bit on one thread.

#include <atomic>
#include <cstdint>

namespace weir {

constexpr uint64_t mix64(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // Any thread.
  uint64_t next() { return mix64(state_.fetch_add(golden_gamma, std::memory_order_relaxed)); }

  // Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  // A seed from the system; never 0.
  static uint64_t system_seed();

 private:
  static constexpr uint64_t golden_gamma = 0x9e3779b97f4a7c15u;
  std::atomic<uint64_t> state_;
};

}  // namespace weir

#include <sys/random.h>

namespace weir {

uint64_t Random::system_seed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != static_cast<ssize_t>(sizeof(seed))) {
    // Early boot or a sandbox: the clock and an address that is laid out at random must do.
    seed = mix64(static_cast<uint64_t>(monotonic_now()) ^ reinterpret_cast<uintptr_t>(&seed));
  }
  return seed == 0 ? 1 : seed;
}

}  // namespace weir

/* src/base/time.cc */

#include <ctime>

namespace weir {
namespace {

int64_t read_clock(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<int64_t>(time.tv_sec) * ns_per_second + time.tv_nsec;
}

// The coarse clock advances with the kernel's tick: 100 Hz at the slowest, so 10 ms.
constexpr int64_t coarse_tick_ns = 10 * ns_per_ms;

}  // namespace

int64_t monotonic_now() { return read_clock(CLOCK_MONOTONIC); }

int64_t monotonic_coarse_floor() { return read_clock(CLOCK_MONOTONIC_COARSE); }

int64_t monotonic_coarse_ceiling() { return monotonic_coarse_floor() + coarse_tick_ns; }

}  // namespace weir

/* src/base/version.cc */

// The version, compiled in from the header, so that a program can compare what it was built
// against with what it loaded.

#define WEIR_TEXT(x)                     #x
#define WEIR_DOTTED(major, minor, patch) WEIR_TEXT(major) "." WEIR_TEXT(minor) "." WEIR_TEXT(patch)

extern "C" uint32_t weir_version(void) { return WEIR_VERSION_NUMBER; }

extern "C" const char *weir_version_string(void) {
  return WEIR_DOTTED(WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR, WEIR_VERSION_PATCH);
}

/* src/driver/manual.cc */

/* src/driver/manual.hh */

//
// The manual driver: the host gives the time and the turns. The virtual clock of all tests.

#include <atomic>

/* src/engine/callback.hh */

//
// The triple that every callback is: function, data, and what frees the data. The destructor frees,
// exactly once; so a function that takes a triple builds a Callback first, and every early return
// after that keeps the promise.

namespace weir {

template <typename Fn>
class Callback {
 public:
  Callback() = default;
  Callback(Fn function, void *data, weir_free_fn free_data)
      : function_(function), data_(data), free_data_(free_data) {}
  Callback(const Callback &) = delete;
  Callback &operator=(const Callback &) = delete;
  Callback(Callback &&other) noexcept { take(other); }
  Callback &operator=(Callback &&other) noexcept {
    if (this != &other) {
      finish();
      take(other);
    }
    return *this;
  }
  ~Callback() { finish(); }

  explicit operator bool() const { return function_ != nullptr; }

  template <typename... Args>
  auto operator()(Args... args) const {
    return function_(data_, args...);
  }

  // Frees the data now; nothing is left.
  void finish() {
    weir_free_fn free_data = free_data_;
    void *data = data_;
    function_ = nullptr;
    free_data_ = nullptr;
    data_ = nullptr;
    if (free_data != nullptr) free_data(data);
  }

 private:
  void take(Callback &other) {
    function_ = other.function_;
    data_ = other.data_;
    free_data_ = other.free_data_;
    other.function_ = nullptr;
    other.data_ = nullptr;
    other.free_data_ = nullptr;
  }

  Fn function_ = nullptr;
  void *data_ = nullptr;
  weir_free_fn free_data_ = nullptr;
};

}  // namespace weir

/* src/engine/driver.hh */

//
// What the engine needs of a driver: a clock, a call when there is work, a call at a time. A driver
// (src/driver) calls weir_runtime::turn and asks next_deadline; it owns everything uv.

#include <cstdint>

struct weir_runtime;

namespace weir {

struct BlockingWork;

struct DriverType {
  // Any thread.
  int64_t (*now)(const struct Driver &driver);
  int64_t (*coarse_ceiling)(const struct Driver &driver);
  int64_t (*coarse_floor)(const struct Driver &driver);
  // Any thread: have turn() called soon. Cheap when already asked.
  void (*wakeup)(struct Driver &driver);
  // Any thread, before a run is accepted: whatever must be there to carry it (the thread driver's
  // thread). WEIR_OK, WEIR_ENOTSUP, WEIR_EFORKED.
  int32_t (*ensure)(struct Driver &driver);
  // The engine's thread, outside a turn: there is work for turn().
  void (*schedule)(struct Driver &driver);
  // The engine's thread, at the end of closing: give everything back, then runtime.driver_gone().
  void (*stop)(struct Driver &driver);
  // Frees the driver object itself; the shell's end.
  void (*destroy)(struct Driver &driver);
  // The engine's thread: whether anything is in flight, so whether a loop is to be kept alive.
  void (*keep_alive)(struct Driver &driver, bool alive);
  // Hands work to a pool thread; NULL: there is none. The engine's thread.
  int32_t (*submit)(struct Driver &driver, BlockingWork &work);
  // Any thread: closing has begun and its task is posted.
  void (*closing)(struct Driver &driver);
  // Any thread: the last outside reference is gone, closing has begun.
  void (*abandoned)(struct Driver &driver);
  // Any thread but the engine's, after the engine is dead: until the driver's thread is gone too.
  // NULL: there is nobody to wait for.
  void (*join)(struct Driver &driver);
};

struct Driver {
  const DriverType *type;
  weir_runtime *runtime = nullptr;

  int64_t now() const { return type->now(*this); }
  void wakeup() { type->wakeup(*this); }
};

}  // namespace weir

/* src/engine/runtime.hh */

//
// The engine: everything that has a clock. Sans-I/O: a driver gives it turns and the time.
//
// A turn reads the clock once; takes the inbox (cancels, completions, runs); runs the ready queue;
// fires due timers, the ready queue after each; and stops after 1024 steps to let the loop breathe.
//
// Threads. One thread at a time is the ENGINE'S THREAD: the one that last began a turn. It alone
// touches what is not marked "any thread". Before the first turn there is none, and everything goes
// through the inbox. After the end (dead), whoever posts becomes the engine's thread for as long as
// it drains the inbox, under shell_mutex_: so late completions and unrefs need no driver.
//
// Lifetime. `outside_` counts users' references; the last begins closing. `shell_` counts what must
// keep this object's memory: the engine until it is dead, every handle, and from then on every
// block and started attempt that is still out.
//
//   open → closing (no new runs; live runs are stopped a few at a time)
//        → grace   (all settled, on_closed told; waiting for orphans)
//        → dead    (driver stopped)

#include <atomic>

/* src/base/list.hh */

//
// A doubly linked list whose links are inside its elements: T derives from ListNode<T>. Insertion
// and removal are O(1) and cannot fail; an element is in one list at most.

#include <cstddef>

namespace weir {

template <typename T, typename Tag = void>
class List;

template <typename T, typename Tag = void>
class ListNode {
 public:
  bool linked() const { return next_ != nullptr; }

 private:
  friend class List<T, Tag>;
  ListNode *next_ = nullptr;
  ListNode *previous_ = nullptr;
};

template <typename T, typename Tag>
class List {
  using Node = ListNode<T, Tag>;

 public:
  List() { head_.next_ = head_.previous_ = &head_; }
  List(const List &) = delete;
  List &operator=(const List &) = delete;

  bool empty() const { return head_.next_ == &head_; }
  T *front() { return empty() ? nullptr : element(head_.next_); }
  T *back() { return empty() ? nullptr : element(head_.previous_); }

  // The neighbour after `item`, or NULL at the end.
  T *next(T *item) {
    Node *node = static_cast<Node *>(item)->next_;
    return node == &head_ ? nullptr : element(node);
  }

  void push_back(T *item) { insert(&head_, item); }
  void push_front(T *item) { insert(head_.next_, item); }

  T *pop_front() {
    T *item = front();
    if (item != nullptr) remove(item);
    return item;
  }

  void remove(T *item) {
    Node *node = item;
    node->previous_->next_ = node->next_;
    node->next_->previous_ = node->previous_;
    node->next_ = node->previous_ = nullptr;
  }

  // Moves all of `other` behind the own elements.
  void take(List &other) {
    while (T *item = other.pop_front()) push_back(item);
  }

 private:
  static T *element(Node *node) { return static_cast<T *>(node); }
  static void insert(Node *before, T *item) {
    Node *node = item;
    node->next_ = before;
    node->previous_ = before->previous_;
    before->previous_->next_ = node;
    before->previous_ = node;
  }

  Node head_;
};

}  // namespace weir

/* src/engine/attempt.hh */

//
// Attempts and the table of their tokens. A slot is reserved with a run, started, and free again
// when the user has completed it and nothing speaks of it any more. A token is {index, generation}:
// the generation goes up each time a slot is freed, so an old token finds nothing.
//
//   phase       from → to, and who
//   free        → started        engine: the start function is about to run
//   started     → completing     any thread: a completing call (it alone writes the result)
//               → cancelling     engine: told to stop, on_cancel is running
//   cancelling  → orphan         engine: on_cancel returned
//               → cancelled_done the engine's thread: completed from inside on_cancel
//   orphan      → completing     any thread
//   completing  → free           engine: the completion task
//   cancelled_done → free        engine: after on_cancel returned
//
// One compare-and-swap decides each race. A completing call on another thread that meets
// `cancelling` waits for on_cancel to return: on_cancel must not begin after it came back.
// Slots live in chunks that double in size and never move, so a token is looked up without a lock.

#include <atomic>

/* src/engine/completions.hh */

//
// The inside of a completion queue: a list of records under a mutex, and one wake-up per edge from
// empty to non-empty. A Record is embedded in what it speaks of, so posting cannot fail and a
// record can be taken back in place.
//
// Invariants:
// - A record is in one queue at most; `queued` is read and written under the queue's mutex only.
// - What a record is embedded in stays alive until `drained` has been called for it, which the
//   queue does outside its mutex, on the draining thread.
// - Users' references are counted apart from those of what may still post: when the users' are
//   gone nobody can drain, so what is queued is given up, and what is posted later at once.
// - The descriptor is cleared before records are popped; if some stay, it is signalled again.

#include <atomic>

/* src/engine/handle.hh */

//
// What all handles but the runtime and the call have in common: two counts and an end.
//
// OUTSIDE references are an atomic count: users', and other handles' (a pipeline's of its
// policies). INSIDE references are runs': a plain number that only the engine's thread changes,
// because a run must not pay two atomic operations for each handle it passes. An inside reference
// may only be added while an outside one is held.
//
// - When the last outside reference goes and nothing is inside, the handle ends at once, on that
//   thread. The number read is then exact: the engine adds only under an outside reference, and its
//   last `leave` is the last thing it does with the handle.
// - If something is inside (or was, a moment ago), the handle is sent to the engine's thread, which
//   ends it now or at the last `leave`.
// - Each handle keeps the runtime's shell alive.

#include <atomic>
#include <cstdint>

/* src/engine/task.hh */

//
// The engine's unit of work: an intrusive node with the function that does it. What wants to run
// embeds a Task, so queueing allocates nothing and cannot fail. A task is in one queue at most.

#include <atomic>
#include <cstdint>

struct weir_runtime;

namespace weir {

// Order in which the inbox is taken.
enum class Lane : uint8_t { cancel = 0, completion = 1, run = 2 };
inline constexpr int lane_count = 3;

struct Task {
  using RunFn = void (*)(weir_runtime &runtime, Task &task);

  explicit Task(RunFn function, Lane where = Lane::run) : run(function), lane(where) {}

  Task *next = nullptr;
  RunFn run;
  Lane lane;
};

// First in, first out. The engine's thread only.
class TaskQueue {
 public:
  bool empty() const { return head_ == nullptr; }

  void push(Task *task) {
    task->next = nullptr;
    *tail_ = task;
    tail_ = &task->next;
  }

  Task *pop() {
    Task *task = head_;
    if (task == nullptr) return nullptr;
    head_ = task->next;
    if (head_ == nullptr) tail_ = &head_;
    return task;
  }

 private:
  Task *head_ = nullptr;
  Task **tail_ = &head_;
};

// What other threads hand to the engine: a Treiber stack (Treiber, "Systems Programming: Coping
// with Parallelism", 1986) that is only ever taken whole, so it has no ABA problem.
class Inbox {
 public:
  // Any thread. True on the edge from empty: the driver has to be woken.
  bool push(Task *task) {
    Task *head = head_.load(std::memory_order_relaxed);
    do {
      task->next = head;
    } while (!head_.compare_exchange_weak(head, task, std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
    return head == nullptr;
  }

  bool empty() const { return head_.load(std::memory_order_acquire) == nullptr; }

  // Moves everything behind `ready`, by lane, in the order pushed within each. The engine's thread.
  void take(TaskQueue &ready) {
    if (empty()) return;
    Task *reversed = nullptr;
    for (Task *task = head_.exchange(nullptr, std::memory_order_seq_cst); task != nullptr;) {
      Task *next = task->next;
      task->next = reversed;
      reversed = task;
      task = next;
    }
    TaskQueue lanes[lane_count];
    while (reversed != nullptr) {
      Task *next = reversed->next;
      lanes[static_cast<int>(reversed->lane)].push(reversed);
      reversed = next;
    }
    for (TaskQueue &lane : lanes) {
      while (Task *task = lane.pop()) ready.push(task);
    }
  }

 private:
  std::atomic<Task *> head_{nullptr};
};

}  // namespace weir

namespace weir {

class Handle {
 public:
  // Destroys and frees the whole object; releasing the shell is done by Handle.
  using EndFn = void (*)(Handle *handle);

  Handle(weir_runtime *runtime, EndFn end);
  Handle(const Handle &) = delete;
  Handle &operator=(const Handle &) = delete;

  void ref() { outside_.fetch_add(1, std::memory_order_relaxed); }
  void unref();

  // Inside references; the engine's thread only.
  void enter() { inside_.store(inside() + 1, std::memory_order_relaxed); }
  void leave();

  weir_runtime *runtime() const { return runtime_; }
  Heap *heap() const { return heap_; }
  const char *name() const { return name_ == nullptr ? "" : name_; }

  // Copies `name` (nullable); false without memory. Once, at creation.
  bool set_name(const char *name);

 protected:
  ~Handle();

 private:
  uint32_t inside() const { return inside_.load(std::memory_order_relaxed); }
  static void drop(weir_runtime &runtime, Task &task);
  void end();

  // The task that brings a dropped handle to the engine's thread.
  struct DropTask : Task {
    explicit DropTask(Handle *owner) : Task(drop, Lane::completion), handle(owner) {}
    Handle *handle;
  };

  std::atomic<uint32_t> outside_{1};
  std::atomic<uint32_t> inside_{0};
  bool dropped_ = false;  // the engine's thread: no outside reference is left
  weir_runtime *runtime_;
  Heap *heap_;
  EndFn end_;
  char *name_ = nullptr;
  DropTask drop_task_;
};

// Makes a T in its runtime's heap; NULL without memory. end_handle<T> frees it again.
template <typename T, typename... Args>
T *make_handle(Heap *heap, Args &&...args) {
  return heap->make<T>(std::forward<Args>(args)...);
}

// The EndFn of a T that was made by make_handle.
template <typename T>
void end_handle(Handle *handle) {
  T *object = static_cast<T *>(handle);
  object->heap()->destroy(object);
}

template <typename T>
T *ref_handle(T *handle) {
  if (handle != nullptr) handle->ref();
  return handle;
}

template <typename T>
void unref_handle(T *handle) {
  if (handle != nullptr) handle->unref();
}

}  // namespace weir

namespace weir {

struct Record : ListNode<Record> {
  // Called once for each record posted and not revoked; `kept`: the host got it. Otherwise the
  // queue ended before, and what the record carries (a token, references) must be given up. Any
  // thread.
  using DrainedFn = void (*)(Record &record, bool kept);

  enum class Tell { always, only_given_up };

  explicit Record(DrainedFn function, Tell tell_when = Tell::always)
      : drained(function), tell(tell_when) {}

  weir_record content = {};
  DrainedFn drained;  // nullable
  // only_given_up: the host may act on the record, and so free what it is embedded in, before the
  // draining call is back; nobody must touch it then.
  Tell tell;
  bool queued = false;
};

}  // namespace weir

namespace weir {
struct OfRuntime;  // tag: a runtime's list of its queues
}

struct weir_completions : weir::Handle, weir::ListNode<weir_completions, weir::OfRuntime> {
  explicit weir_completions(weir_runtime *runtime);
  ~weir_completions();

  // Users' references; the last gives up what is queued. Any thread.
  void user_ref() { users_.fetch_add(1, std::memory_order_relaxed); }
  void user_unref();

  // Any thread that holds a reference. May call `drained` at once.
  void post(weir::Record &record);

  // Takes an undrained record back; false if it was drained (or never posted). Any thread.
  bool revoke(weir::Record &record);

  size_t drain(weir_record *records, size_t record_size, size_t capacity);
  size_t wait(weir_record *records, size_t record_size, size_t capacity, int64_t timeout_ms);

  // Posts the CLOSED record. The engine's thread, once.
  void runtime_closed();

  weir::Callback<weir_notify_fn> notify;
  int descriptor = -1;

 private:
  size_t pop(weir_record *records, size_t record_size, size_t capacity,
             weir::List<weir::Record> &told);
  bool enqueue(weir::Record &record, bool &edge);
  weir::Record *pop_given_up();
  void signal() const;
  void clear_descriptor() const;

  weir::Mutex mutex_;
  weir::Condition condition_;
  weir::List<weir::Record> records_;
  weir::Record closed_record_;
  uint32_t waiters_ = 0;
  bool ended_ = false;  // no user is left; under the mutex
  std::atomic<uint32_t> users_{1};
};

/* src/engine/outcome.hh */

//
// Outcomes inside: the public struct, with who owns the value and the error it points to made
// plain. An owned outcome holds one reference of each.

namespace weir {

// The plain part of a result.
struct ResultFields {
  uint32_t channel = 0;
  weir_status status = WEIR_OK;
  uint32_t class_ = WEIR_CLASS_NONE;
  uint32_t final = 0;
  uint32_t stop_reason = WEIR_STOP_NONE;
  uint32_t cancel_reason = WEIR_CANCEL_NONE;
  int64_t retry_after_ms = -1;
  weir_value *value = nullptr;
  weir_error *error = nullptr;
  bool refused = false;  // the run's rejection belongs to it
};

// Result of an attempt or a layer on its way outwards, with the references it holds. Moved, never
// copied; the rest of a run's weir_outcome (attempts, elapsed ...) is the run's own.
class Result : public ResultFields {
 public:
  Result() = default;
  Result(const Result &) = delete;
  Result &operator=(const Result &) = delete;
  Result(Result &&other) noexcept : ResultFields(other) { other.forget(); }
  Result &operator=(Result &&other) noexcept {
    let_go();
    static_cast<ResultFields &>(*this) = other;
    other.forget();
    return *this;
  }
  ~Result() { let_go(); }

  // Unrefs what it holds; nothing is left.
  void clear() {
    let_go();
    static_cast<ResultFields &>(*this) = ResultFields();
  }

  // Takes the reference of `value` (nullable).
  void set_value(weir_value *taken) {
    clear();
    channel = WEIR_CHANNEL_VALUE;
    value = taken;
  }
  // Takes the reference of `error` (not NULL).
  void set_error(weir_error *taken);
  // The bare error of `status`; cannot fail.
  void set_status(weir_status status);
  void set_stopped(weir_status status, uint32_t reason);

 private:
  void let_go() {
    if (value != nullptr || error != nullptr) unref_both();
  }
  void forget() {
    value = nullptr;
    error = nullptr;
  }
  void unref_both();
};

// True for statuses that stand for a refusal.
constexpr bool is_refusal(weir_status status) {
  return status == WEIR_EOPEN || status == WEIR_ELIMITED || status == WEIR_EFULL ||
         status == WEIR_ENOTIME;
}

// The immortal error of a status: no heap, no count. Never NULL.
weir_error *bare_error(weir_status status);

}  // namespace weir

struct weir_call;

namespace weir {

// A permit that is held until the work started under it has really ended. The layer that acquired
// it holds one count, every attempt started beneath it and every obligation further in another; the
// last to let go releases, then lets go of the obligation further out. The engine's thread.
struct Obligation {
  using ReleaseFn = void (*)(Handle &policy, weir_permit permit, uint64_t detail);

  ReleaseFn release;
  Handle *policy;  // entered while this lives
  weir_permit permit;
  uint64_t detail;  // the policy's own
  Obligation *outer;
  uint32_t count;
};

enum class AttemptPhase : uint32_t {
  free,
  started,
  cancelling,
  orphan,
  completing,
  cancelled_done,
};

// The task that brings an attempt's completion to the engine.
Task::RunFn attempt_task_function();

struct AttemptTask : Task {
  explicit AttemptTask(struct Attempt *completed)
      : Task(attempt_task_function(), Lane::completion), attempt(completed) {}
  struct Attempt *attempt;
};

struct AttemptRecord : Record {
  AttemptRecord(DrainedFn function, struct Attempt *told)
      : Record(function, Tell::only_given_up), attempt(told) {}
  struct Attempt *attempt;
};

struct Attempt : ListNode<Attempt> {
  explicit Attempt(uint32_t slot_index)
      : state(uint64_t{1} << 32),
        index(slot_index),
        task(this),
        start_record(start_drained, this),
        cancel_record(nullptr, this) {}

  weir_token token() const;

  // Forgets the run; for the next one.
  void clear() {
    run = nullptr;
    detached = false;
    obligation = nullptr;
    queue = nullptr;
    on_cancel = nullptr;
    data = nullptr;
    free_data = nullptr;
  }

  // The queue ended with the START in it: the attempt fails as closed.
  static void start_drained(Record &record, bool kept);

  std::atomic<uint64_t> state;  // generation << 32 | phase
  uint32_t index;
  Attempt *next_free = nullptr;
  AttemptTask task;  // the completion, on its way to the engine

  // The engine's thread, while not free.
  weir_call *run = nullptr;
  uint32_t leaf = 0;       // the layer that started it
  bool detached = false;   // the run went on without it
  int64_t told_at_ns = 0;  // when it became an orphan
  Obligation *obligation = nullptr;
  weir_completions *queue = nullptr;  // of a queued operation; one outside reference
  weir_cancel_fn on_cancel = nullptr;
  void *data = nullptr;
  weir_free_fn free_data = nullptr;

  // Written by the completing call, read by the completion task.
  Result result;

  AttemptRecord start_record;
  AttemptRecord cancel_record;
};

class AttemptTable {
 public:
  explicit AttemptTable(Heap *heap) : heap_(heap) {}
  AttemptTable(const AttemptTable &) = delete;
  AttemptTable &operator=(const AttemptTable &) = delete;
  ~AttemptTable();

  // A free slot, reserved; NULL without memory. `local`: called on the engine's thread.
  Attempt *reserve(bool local);
  // Gives a reserved slot back that was never started, or one that is over.
  void release(Attempt *attempt, bool local);

  // free → started: the token is valid from here on.
  static void start(Attempt &attempt);
  // The attempt that `token` names, if there ever was one at its index; else NULL. Any thread.
  Attempt *find(weir_token token) const;
  // After completion: the token is void from here on.
  static void retire_token(Attempt &attempt);

 private:
  static constexpr int first_chunk_bits = 6;
  static constexpr uint64_t first_chunk = uint64_t{1} << first_chunk_bits;
  static constexpr uint32_t chunk_count = 25;  // 2^31 - 64 slots

  Attempt *slot(uint32_t index) const;
  Attempt *fresh();
  Attempt *pop_shared();
  void refill();
  bool grow();

  Heap *heap_;
  Attempt *local_free_ = nullptr;
  uint32_t local_count_ = 0;
  Mutex mutex_;
  Attempt *shared_free_ = nullptr;
  uint32_t chunks_used_ = 0;
  uint32_t capacity_ = 0;
  std::atomic<uint32_t> handed_out_{0};  // slots below this were made
  std::atomic<Attempt *> chunks_[chunk_count] = {};
};

}  // namespace weir

/* src/engine/pool.hh */

//
// Memory that runs use again and again: free lists by size class over the runtime's heap. The
// engine's thread has lists of its own; other threads share a second set under a mutex. Blocks go
// back to the heap by trim() and at the end.
//
// Every block taken counts as out until it is given back; close() hands that number over, and from
// then on each block given back is freed at once and reported to the caller.

#include <cstdint>

namespace weir {

class BlockPool {
 public:
  explicit BlockPool(Heap *heap) : heap_(heap) {}
  BlockPool(const BlockPool &) = delete;
  BlockPool &operator=(const BlockPool &) = delete;
  ~BlockPool();

  // The size that a block of at least `size` bytes has.
  static uint32_t block_size(uint32_t size) { return (size + granule - 1) / granule * granule; }

  // `size` is a block size. NULL without memory. `local`: called on the engine's thread.
  void *take(uint32_t size, bool local);

  // True if the pool was closed and the block was still counted as out.
  bool give(void *block, uint32_t size, bool local);

  // Frees what is pooled. The engine's thread.
  void trim();

  // How many blocks are out; from now on give() frees at once. The engine's thread, once.
  uint64_t close();

 private:
  struct Free {
    Free *next;
  };
  static constexpr uint32_t granule = 64;
  static constexpr uint32_t classes = 64;  // pooled up to 4 KiB
  static constexpr uint32_t local_limit = 4096;

  struct Lists {
    Free *heads[classes] = {};
    uint32_t lengths[classes] = {};

    void *pop(uint32_t size_class);
    void push(uint32_t size_class, void *block);
  };

  static uint32_t class_of(uint32_t size) { return size / granule - 1; }
  void drain(Lists &lists);
  void spill(uint32_t size_class);

  Heap *heap_;
  uint64_t local_out_ = 0;  // may wrap below 0: the sum of both counts
  Lists local_;
  Mutex mutex_;
  uint64_t shared_out_ = 0;
  bool closed_ = false;
  Lists shared_;
};

}  // namespace weir

/* src/engine/run.hh */

//
// A run: one block that holds the call, its outcome and its layers' states side by side. It walks
// through its layers as their steps say (engine/layer.hh), in a loop.
//
//   phase      from                 to
//   queued     weir_run             running (its task), settled (cancelled before)
//   running    the run's task       settling (the outermost layer answered outer, or it stopped)
//   settling   settle() queued      settled (settle function returned, or record posted)
//   settled
//
// Invariants:
// - All but the fields marked "any thread" belong to the engine's thread.
// - `active_` layers, the first ones of the plan, are active; the run's result is on its way out or
//   belongs to the layer that last got it.
// - The block lives while the call is referenced; the engine holds one reference until `holds_` is
//   0: one for the run until settled, one for each attempt not yet over, one for each queued task.
// - It enters its operation and policy, and leaves them with the engine's last hold.

#include <atomic>

/* src/engine/layer.hh */

//
// How a pattern takes part in a run. Each layer of a plan has a state in the run's block, derived
// from Layer, and one step function: a hand-written machine that gets a signal and answers where
// the run goes next. The run (engine/run.hh) walks inwards and outwards in a loop, so nothing
// recurses.
//
//   signal   comes when                                       legal answers
//   start    the layer outside goes inwards                   inner, outer, wait
//   result   the layer inside answered outer; run.outcome     inner, outer, wait
//            holds what came
//   timer    the layer's own timer is due                     inner, outer, wait
//   wake     something posted the layer's own task            inner, outer, wait
//   stop     a layer outside, or the caller, gives up on      (ignored)
//            what is inside it: let go of everything now;
//            run.stop_reason says why
//
// A layer is ACTIVE from start until it answers outer or is stopped; only active layers get other
// signals. A layer that answers outer has disarmed its timer and released what it holds. `start`
// may come again after that (a retry outside), so it sets every field behind Layer. One step may
// answer `inner` only if nothing inside is active: a layer that cuts its inside short calls
// run.stop_inner first.

#include <cstdint>

/* src/engine/timer_wheel.hh */

//
// All timers of a runtime: a hierarchical timing wheel (Varghese and Lauck, "Hashed and
// hierarchical timing wheels", 1987) over a small heap. Start, move and cancel are O(1) while a
// timer's tick (about a millisecond) is ahead; timers of the tick that has come are ordered to the
// nanosecond in the heap.
//
// Invariants:
// - tick_ is a tick index. A timer whose tick is ≤ tick_ is in the heap, every other in the slot
//   that the highest differing group of 6 bits between its tick and tick_ names. So the heap's top
//   is the earliest of all, and slots before the current one are empty.
// - While a slot is being emptied (draining_), nothing fires: the heap may lack timers of this
//   tick.
// - Firing order: deadline, then the order armed; but timers of one run that share a deadline fire
//   innermost first (`order` is inherited from the outermost of them, `depth` decides within).
//
// The engine's thread only. Allocates nothing.

#include <cstdint>

struct weir_runtime;

namespace weir {

struct Timer {
  using FireFn = void (*)(weir_runtime &runtime, Timer &timer);

  explicit Timer(FireFn function = nullptr) : fire(function) {}

  bool armed() const { return place != Place::nowhere; }

  enum class Place : uint8_t { nowhere, slot, heap };

  FireFn fire;
  int64_t deadline_ns = 0;
  uint64_t order = 0;
  uint64_t sequence = 0;
  uint32_t depth = 0;
  Place place = Place::nowhere;
  uint8_t level = 0;
  uint8_t slot = 0;
  // In a slot: neighbour, and what points here. In the heap: sibling, what points here, children.
  Timer *next = nullptr;
  Timer **pointer_here = nullptr;
  Timer *children = nullptr;
};

class TimerWheel {
 public:
  // Starts at this time; before the first arm.
  void begin(int64_t now_ns) { tick_ = tick_of(now_ns); }

  // `timer` must not be armed; a deadline of never_ns leaves it so. `outer` (nullable) is a timer
  // of the same run, further out, that is armed: with the same deadline it fires after this one.
  void arm(Timer &timer, int64_t deadline_ns, uint32_t depth = 0, const Timer *outer = nullptr);

  // Harmless on a timer that is not armed.
  void disarm(Timer &timer);

  // The next timer due at `now_ns`, disarmed; NULL if there is none or `budget` (one unit a timer
  // that is moved on the way) ran out: then it is 0 and more may be due.
  Timer *pop_due(int64_t now_ns, uint32_t &budget);

  // Not later than the first deadline; never_ns if nothing is armed.
  int64_t next_deadline() const;

  uint64_t size() const { return size_; }

 private:
  static constexpr int tick_shift = 20;
  static constexpr int slot_bits = 6;
  static constexpr int slots = 1 << slot_bits;
  static constexpr int levels = 8;  // 2^(20 + 6·8) ns: more than an int64 holds

  struct Position {
    int level;
    int slot;
    uint64_t start;  // tick
  };

  static uint64_t tick_of(int64_t ns) {
    return ns <= 0 ? 0 : static_cast<uint64_t>(ns) >> tick_shift;
  }
  static bool before(const Timer &a, const Timer &b);
  static Timer *meld(Timer *a, Timer *b);
  static Timer *combine(Timer *first);

  void place(Timer &timer);
  void unlink(Timer &timer);
  void heap_insert(Timer &timer);
  void heap_remove(Timer &timer);
  bool next_slot(Position &position) const;
  void drain(uint32_t &budget);

  uint64_t tick_ = 0;
  uint64_t sequence_ = 0;
  uint64_t size_ = 0;
  bool draining_ = false;
  int draining_level_ = 0;
  int draining_slot_ = 0;
  Timer *heap_ = nullptr;
  uint64_t occupied_[levels] = {};
  Timer *slots_[levels][slots] = {};
};

}  // namespace weir

struct weir_call;
struct weir_runtime;

namespace weir {

class Handle;

enum class Signal : uint8_t { start, result, timer, wake, stop };
enum class Next : uint8_t { wait, inner, outer };

// A layer's timer: signals the layer when it is due. Armed with run.arm, which knows the order in
// which one run's timers fire; disarmed with run.disarm.
struct LayerTimer : Timer {
  struct Layer *layer = nullptr;
};

// A layer's way to be signalled `wake` from the ready queue: run.wake_later posts it, run.forget
// takes the wish back (the task itself stays queued and then does nothing).
struct LayerTask : Task {
  using Task::Task;
  struct Layer *layer = nullptr;
  bool queued = false;
  bool wanted = false;
};

// What every layer's state begins with. Made once, with the run; the rest of the state is raw
// memory until `start` sets it.
struct Layer {
  Layer(weir_call *owning_run, Handle *layer_owner, uint32_t layer_index);

  weir_call *run;
  Handle *owner;  // the policy or operation whose layer this is
  uint32_t index;
  LayerTimer timer;
  LayerTask task;
};

struct LayerType {
  const char *name;  // for the audit: "retry"
  uint32_t state_size;
  Next (*step)(weir_call &run, Layer &layer, Signal signal);
  // Writes what the active layer waits for, for the audit; NULL: it only waits for its inside.
  void (*describe)(const weir_call &run, const Layer &layer, char *buffer, size_t size);
  // A leaf that starts attempts: the run reserves the first one.
  bool needs_attempt = false;
};

struct PlanEntry {
  const LayerType *type;
  Handle *owner;
  uint32_t offset;  // of the state, from the plan's begin in the block
};

struct Plan {
  const PlanEntry *entries = nullptr;
  uint32_t count = 0;
  uint32_t state_size = 0;
};

// Layers around and in one run at most; what weir_pipeline_new allows, for both plans of a run.
inline constexpr uint32_t max_layers = 64;

// Each state is aligned to this.
inline constexpr uint32_t layer_alignment = 16;

constexpr uint32_t layer_size(size_t size) {
  return static_cast<uint32_t>((size + layer_alignment - 1) / layer_alignment * layer_alignment);
}

}  // namespace weir

namespace weir {

struct Attempt;
struct Obligation;
class RunBuilder;
class Audit;

// Parts of a call that find their way back to it.
struct CallTask : Task {
  CallTask(RunFn function, Lane where, weir_call *owner) : Task(function, where), call(owner) {}
  weir_call *call;
};
struct CallTimer : Timer {
  CallTimer(FireFn function, weir_call *owner) : Timer(function), call(owner) {}
  weir_call *call;
};
struct CallRecord : Record {
  CallRecord(DrainedFn function, weir_call *owner) : Record(function), call(owner) {}
  weir_call *call;
};

enum class Phase : uint32_t { queued, running, settling, settled };

// A run's own copy of what weir_run was given; key and name lie behind the layers in the block.
struct RunRequest {
  void *context = nullptr;
  weir_value *input = nullptr;
  const void *key = nullptr;
  size_t key_size = 0;
  const char *name = nullptr;
  uint32_t permits = 1;
  uint32_t priority = 31;
};

}  // namespace weir

struct weir_call : weir::ListNode<weir_call> {
  // ---- for layers ----

  const weir::RunRequest &request() const { return request_; }
  weir_runtime &runtime() const { return runtime_; }

  // What came from the inside (at Signal::result), or goes outwards (set before answering outer).
  weir::Result &result() { return result_; }
  // The result as classify and listeners see it; valid until the next change of the result.
  const weir_outcome &view();

  // Fills in a refusal: the rejection is copied, the error is `error` (borrowed, nullable: bare).
  void refuse(const weir_rejection &rejection, weir_error *error = nullptr);
  // The rejection that the last refusal left; meaningful while result().refused.
  const weir_rejection &rejection() const { return rejection_; }

  // The nearest deadline of the layers outside `index` and of the caller; never_ns if none.
  int64_t deadline() const { return deadline_ns_; }
  // A layer narrows the deadline while it is active and puts back what this returned.
  int64_t narrow_deadline(int64_t deadline_ns);
  void restore_deadline(int64_t deadline_ns) { deadline_ns_ = deadline_ns; }

  // Attempts started so far in this run.
  uint32_t attempts() const { return attempts_; }

  void arm(weir::Layer &layer, int64_t deadline_ns);
  void disarm(weir::Layer &layer);
  void wake_later(weir::Layer &layer);
  static void forget(weir::Layer &layer) { layer.task.wanted = false; }

  // Stops what is active inside of `layer`, innermost first. Layers see `reason` (WEIR_CANCEL_*) in
  // stop_reason().
  void stop_inside(const weir::Layer &layer, uint32_t reason);
  uint32_t stop_reason() const { return stop_reason_; }

  // The layer at `index` of the plan, and what it is.
  weir::Layer &layer(uint32_t index);
  const weir::Layer &layer(uint32_t index) const;
  const weir::LayerType &layer_type(uint32_t index) const { return *entry(index).type; }
  uint32_t layer_count() const { return layer_count_; }

  // Obligations (engine/attempt.hh): what attempts started from here on hold until they really end.
  weir::Obligation *obligation() const { return obligation_; }
  void set_obligation(weir::Obligation *obligation) { obligation_ = obligation; }

  // ---- for the engine ----

  weir_call(weir_runtime &runtime, weir_operation &operation, weir_policy *policy,
            uint32_t block_size);
  weir_call(const weir_call &) = delete;
  weir_call &operator=(const weir_call &) = delete;
  ~weir_call();

  // Its first turn; goes inwards from the outermost layer.
  void begin();
  // Gives layer `index` a signal and walks on from there.
  void signal(uint32_t index, weir::Signal signal);
  // Gives up on everything and settles as stopped.
  void stop(weir_status status, uint32_t reason);

  void hold() { ++holds_; }
  void unhold();

  void note_attempt() { ++attempts_; }
  void note_status(weir_status status);
  // The reserved attempt, or a new one; NULL without memory.
  weir::Attempt *take_attempt();

  // ---- any thread ----

  void ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void unref();
  weir_status cancel();
  weir_status wait(int64_t timeout_ms);
  bool settled() const { return phase_.load(std::memory_order_acquire) == weir::Phase::settled; }
  bool settling() const { return phase_.load(std::memory_order_acquire) >= weir::Phase::settling; }
  // Lent while a reference is held; once settled.
  const weir_outcome &outcome() const { return outcome_; }

 private:
  friend class weir::RunBuilder;
  friend class weir::Audit;

  // Where the layers' states begin, from the begin of the block.
  static const size_t layers_offset;

  const weir::PlanEntry &entry(uint32_t index) const;
  void enlist();
  void drive(uint32_t index, weir::Signal signal);
  void stop_from(uint32_t index, uint32_t reason);
  void view_statuses();
  void settle();
  void post_record();
  const weir::Timer *outer_timer(uint32_t index, int64_t deadline_ns);
  static void run_task(weir_runtime &runtime, weir::Task &task);
  static void cancel_task(weir_runtime &runtime, weir::Task &task);
  static void deadline_fired(weir_runtime &runtime, weir::Timer &timer);
  static void record_drained(weir::Record &record, bool kept);

  // Any thread.
  std::atomic<uint32_t> references_{1};
  std::atomic<weir::Phase> phase_{weir::Phase::queued};
  std::atomic<uint32_t> waiters_{0};
  std::atomic<bool> cancel_posted_{false};
  bool remote_ = false;  // handles are held by outside references, not entered
  weir::CallTask task_;
  weir::CallTask cancel_task_;

  // The engine's thread.
  weir_runtime &runtime_;
  weir_operation *operation_;
  weir_policy *policy_;
  uint32_t block_size_;
  uint32_t layer_count_;
  uint32_t active_ = 0;
  uint32_t holds_ = 2;  // the run, and its task
  uint32_t attempts_ = 0;
  uint32_t noted_ = 0;
  weir_status statuses_[WEIR_OUTCOME_STATUSES];
  uint32_t stop_reason_ = 0;
  int64_t begun_ns_ = 0;
  int64_t deadline_ns_ = INT64_MAX;
  weir::Obligation *obligation_ = nullptr;
  weir::Attempt *reserved_ = nullptr;
  weir::CallTimer deadline_timer_;
  weir::RunRequest request_;
  weir::Callback<weir_settle_fn> settle_;
  weir_completions *queue_ = nullptr;
  weir::CallRecord record_;
  weir::Result result_;
  weir_outcome outcome_;
  weir_rejection rejection_;
};

inline constexpr size_t weir_call::layers_offset = weir::layer_size(sizeof(weir_call));

namespace weir {
// What a block needs before its layers' states.
inline constexpr size_t call_size = layer_size(sizeof(weir_call));
}  // namespace weir

namespace weir {

enum class Life : uint32_t { open, closing, grace, dead };

// What weir_runtime_new read from its options, callbacks taken.
struct RuntimeSetup {
  Heap *heap = nullptr;      // one reference
  Driver *driver = nullptr;  // owned
  uint64_t seed = 0;
  int64_t max_in_flight = WEIR_UNLIMITED;
  int64_t close_grace_ns = 0;
  Callback<weir_log_fn> log;
  int32_t log_level = WEIR_LOG_OFF;
  Callback<weir_event_fn> on_event;
  Callback<weir_closed_fn> on_closed;
  char *name = nullptr;  // owned
};

}  // namespace weir

struct weir_runtime {
 public:
  explicit weir_runtime(weir::RuntimeSetup &&setup);
  weir_runtime(const weir_runtime &) = delete;
  weir_runtime &operator=(const weir_runtime &) = delete;

  // ---- for policies and layers ----

  weir::Heap *heap() const { return heap_; }
  const char *name() const { return name_ == nullptr ? "weir" : name_; }
  weir::Random &random() { return random_; }

  // The time of this turn; reads no clock. The engine's thread.
  int64_t now() const { return now_; }
  // The clock. Any thread.
  int64_t clock() const { return driver_->now(); }
  // At most one tick (10 ms) before clock(), never after it; a fraction of its cost. Any thread.
  int64_t coarse_clock() const { return driver_->type->coarse_floor(*driver_); }
  // The time to arm a timer of `delay_ns` from: never before the truth, so that it cannot fire
  // early; up to 10 ms after it where the delay is over 64 ms. The engine's thread.
  int64_t now_to_arm(int64_t delay_ns);
  // User code ran on the engine's thread: this turn's time may be behind.
  void user_ran() { stale_ = true; }

  // Runs `task` in a turn. Any thread; from others than the engine's it goes through the inbox.
  void post(weir::Task &task);
  bool on_thread() const;

  weir::TimerWheel &wheel() { return wheel_; }
  weir::BlockPool &pool() { return pool_; }

  // NULL without memory. Counts 1; enters `policy`; takes a count of `outer` (nullable).
  weir::Obligation *new_obligation(weir::Obligation::ReleaseFn release, weir::Handle &policy,
                                   weir_permit permit, uint64_t detail, weir::Obligation *outer);
  void drop_obligation(weir::Obligation *obligation);

  // Tells the event listener; `event`'s size and time are filled in. The engine's thread.
  void emit(weir_event event);
  bool has_event_listener() const { return static_cast<bool>(on_event_); }
  void log(int32_t level, const char *subject, const char *message) const;

  // ---- for runs and attempts ----

  weir::AttemptTable &attempts() { return attempts_; }
  // Whether a run may be accepted: WEIR_OK, WEIR_ECLOSED, WEIR_EFULL, WEIR_EFORKED, WEIR_ENOTSUP. Any
  // thread; off the engine's, between enter() and leave().
  weir_status admit(bool local);
  // What admit() let in is not accepted after all.
  void unadmit();
  int64_t max_in_flight() const { return max_in_flight_; }
  // The run is accepted. Any thread, as admit().
  void accept(weir::Task &task, bool local);
  void run_begun(weir_call &run) { live_.push_back(&run); }
  void run_settled(weir_call &run);
  // An attempt begins; is told to stop; is over.
  void attempt_started(weir::Attempt &attempt);
  void attempt_orphaned(weir::Attempt &attempt);
  void attempt_over(weir::Attempt &attempt);
  weir_status complete(weir_token token, weir::Result &&result);
  void cancel_attempt(weir::Attempt &attempt, uint32_t reason);
  weir::Mutex &settle_mutex() { return settle_mutex_; }
  weir::Condition &settle_condition() { return settle_condition_; }
  bool forked() const { return fork_sentinel_.forked(); }
  // Around whatever another thread does with a runtime that may end meanwhile.
  void enter() { entering_.fetch_add(1, std::memory_order_seq_cst); }
  void leave() { entering_.fetch_sub(1, std::memory_order_release); }

  // ---- for drivers ----

  // One turn. True if there is more to do now. The thread that calls is the engine's from then on.
  bool turn(uint64_t *steps = nullptr);
  // When the next turn is needed: now() or earlier if there is work, never_ns if nothing waits.
  int64_t next_deadline() const;
  bool in_turn() const { return in_turn_; }
  bool has_work() const;
  // Another thread is the engine's.
  bool owned_elsewhere() const { return owned_.load(std::memory_order_acquire) && !on_thread(); }
  // Orphans are not waited for.
  void give_no_grace();
  weir::Driver *driver() const { return driver_; }
  // The driver has given everything back: the engine is dead from here on.
  void driver_gone();

  // ---- for the API ----

  void ref() { outside_.fetch_add(1, std::memory_order_relaxed); }
  void unref();
  void close();
  weir_status close_wait(int64_t timeout_ms);
  weir::Life life() const { return life_.load(std::memory_order_acquire); }
  void trim();
  void get_stats(weir_runtime_stats &stats) const;
  weir_status audit(weir_audit_entry *entries, size_t entry_size, size_t capacity, size_t &count);

  void retain_shell() { shell_.fetch_add(1, std::memory_order_relaxed); }
  void release_shell(uint64_t count = 1);

 private:
  friend class weir::Audit;

  static constexpr uint32_t turn_steps = 1024;
  static constexpr uint32_t turn_moves = 16 * turn_steps;

  void become_owner();
  void run_ready(uint32_t &steps);
  void fire_timers(uint32_t &steps);
  void update_keep_alive();
  void wake_driver();
  uint64_t drain_dead();
  void destroy();
  void post_close_task();
  void close_step();
  void all_settled();
  void finish_close();
  void wait_for_cancel(weir::Attempt &attempt, uint64_t state);
  void deliver(weir::Attempt &attempt);
  static void close_task_run(weir_runtime &runtime, weir::Task &task);
  static void trim_task_run(weir_runtime &runtime, weir::Task &task);
  static void grace_over(weir_runtime &runtime, weir::Timer &timer);
  static void attempt_completed(weir_runtime &runtime, weir::Task &task);
  friend weir::Task::RunFn weir::attempt_task_function();

  weir::Heap *heap_;
  weir::Driver *driver_;
  char *name_;
  weir::Random random_;
  weir::Callback<weir_log_fn> log_;
  int32_t log_level_;
  weir::Callback<weir_event_fn> on_event_;
  weir::Callback<weir_closed_fn> on_closed_;
  int64_t max_in_flight_;
  int64_t close_grace_ns_;
  weir::ForkSentinel fork_sentinel_;

  // Any thread.
  std::atomic<uint32_t> outside_{1};
  std::atomic<uint64_t> shell_{2};  // the engine, and all outside references together
  std::atomic<uint32_t> entering_{
      0};  // threads inside post() or weir_run(); the end waits for them
  std::atomic<weir::Life> life_{weir::Life::open};
  std::atomic<pthread_t> owner_{};
  std::atomic<bool> owned_{false};
  std::atomic<int64_t> in_flight_{0};  // kept only if max_in_flight_ bounds it
  std::atomic<uint64_t> accepted_remote_{0};
  std::atomic<uint32_t> cancel_waiters_{0};
  std::atomic<bool> close_posted_{false};
  std::atomic<bool> trim_posted_{false};
  weir::Inbox inbox_;
  weir::Mutex shell_mutex_;  // who drains after the end
  weir::Mutex wake_mutex_;   // the driver is not told anything after its stop
  bool driver_stopping_ = false;
  weir::Mutex settle_mutex_;  // for those who wait: for calls, for on_cancel, for the end
  weir::Condition settle_condition_;

  // The engine's thread; counters are atomic so that others may look.
  int64_t now_ = 0;
  bool stale_ = false;
  bool in_turn_ = false;
  bool kept_alive_ = true;  // until the first turn
  bool finishing_ = false;
  uint64_t deferred_releases_ = 0;
  weir::Attempt *starting_ = nullptr;
  bool started_inline_ = false;
  weir::TaskQueue ready_;
  weir::TimerWheel wheel_;
  weir::AttemptTable attempts_;
  weir::BlockPool pool_;
  weir::List<weir_call> live_;
  weir::List<weir::Attempt> orphans_;
  weir::List<weir_completions, weir::OfRuntime> queues_;
  weir::Mutex queues_mutex_;
  weir::Task close_task_;
  weir::Task trim_task_;
  weir::Timer grace_timer_;
  std::atomic<uint64_t> accepted_{0};
  std::atomic<uint64_t> settled_{0};
  std::atomic<uint64_t> attempts_started_{0};
  uint64_t started_out_ = 0;  // attempts started and not yet over
  std::atomic<uint64_t> orphan_count_{0};
  std::atomic<uint64_t> turns_{0};

 public:
  // Around the user's start function: a completing call inside it, for that attempt, needs no queue.
  void begin_start(weir::Attempt &attempt) { starting_ = &attempt; }
  // True if it came.
  bool end_start() {
    stale_ = true;
    starting_ = nullptr;
    bool completed = started_inline_;
    started_inline_ = false;
    return completed;
  }
  // Completion queues to be told of the end. Any thread.
  void add_queue(weir_completions &queue);
  void remove_queue(weir_completions &queue);
};

namespace weir {

extern const DriverType manual_driver_type;

struct ManualDriver : Driver {
  explicit ManualDriver(Heap *driver_heap);

  // Sets the clock, never backwards, and takes one turn; 0 from inside a callback.
  uint64_t process(int64_t now_ns);

  Heap *heap;
  Callback<weir_wakeup_fn> on_wakeup;
  std::atomic<int64_t> clock{0};
  bool abandoned = false;  // the last outside reference went while in a turn
  bool stopped = false;    // the engine asked to stop; told back after the turn

 private:
  friend void manual_abandoned(Driver &driver);
  void finish();
};

// NULL unless `runtime` is manual.
ManualDriver *manual_driver(const weir_runtime *runtime);

}  // namespace weir

namespace weir {

namespace {

ManualDriver &manual_self(Driver &driver) { return static_cast<ManualDriver &>(driver); }

int64_t manual_now(const Driver &driver) {
  return static_cast<const ManualDriver &>(driver).clock.load(std::memory_order_acquire);
}

void manual_wakeup(Driver &driver) {
  if (manual_self(driver).on_wakeup) manual_self(driver).on_wakeup();
}

int32_t manual_ensure(Driver &driver) { return driver.runtime->forked() ? WEIR_EFORKED : WEIR_OK; }

// The host looks at next_deadline() after what it did on its own thread, but a host that waits for
// its wake-up only must hear of it as well.
void manual_schedule(Driver &driver) { manual_wakeup(driver); }

void manual_stop(Driver &driver) { manual_self(driver).stopped = true; }

void manual_destroy(Driver &driver) {
  Heap *heap = manual_self(driver).heap;
  heap->destroy(&manual_self(driver));
}

void manual_keep_alive(Driver &, bool) {}

void manual_closing(Driver &) {}

}  // namespace

// The last unref settles what is left inside the call; from inside a callback, after that turn.
void manual_abandoned(Driver &driver) {
  ManualDriver &manual = manual_self(driver);
  manual.abandoned = true;
  if (!driver.runtime->in_turn()) manual.finish();
}

const DriverType manual_driver_type = {
    manual_now,      manual_now,       manual_now,     manual_wakeup,     manual_ensure,
    manual_schedule, manual_stop,      manual_destroy, manual_keep_alive, nullptr,
    manual_closing,  manual_abandoned, nullptr};

ManualDriver::ManualDriver(Heap *driver_heap) : Driver{&manual_driver_type}, heap(driver_heap) {}

uint64_t ManualDriver::process(int64_t now_ns) {
  if (runtime->in_turn() || runtime->life() == Life::dead) return 0;
  if (now_ns > clock.load(std::memory_order_relaxed))
    clock.store(now_ns, std::memory_order_release);
  uint64_t steps = 0;
  runtime->turn(&steps);
  if (stopped) {
    stopped = false;
    runtime->driver_gone();
  } else if (abandoned) {
    finish();
  }
  return steps;
}

// Nobody will process any more: turns until all has settled. Time stands still, so the grace for
// orphans is not waited for.
void ManualDriver::finish() {
  weir_runtime *engine = runtime;
  engine->retain_shell();
  engine->give_no_grace();
  while (engine->life() != Life::dead) {
    engine->turn();
    if (!stopped) continue;
    stopped = false;
    engine->driver_gone();
  }
  engine->release_shell();
}

ManualDriver *manual_driver(const weir_runtime *runtime) {
  if (runtime == nullptr || runtime->driver()->type != &manual_driver_type) return nullptr;
  return static_cast<ManualDriver *>(runtime->driver());
}

}  // namespace weir

uint64_t weir_runtime_process(weir_runtime *runtime, int64_t now_ns) {
  weir::ManualDriver *driver = weir::manual_driver(runtime);
  return driver == nullptr ? 0 : driver->process(now_ns);
}

int64_t weir_runtime_next_deadline(weir_runtime *runtime) {
  return weir::manual_driver(runtime) == nullptr ? weir::never_ns : runtime->next_deadline();
}

/* src/driver/open.cc */

//
// weir_runtime_new: reads the options, picks the driver, makes the engine.

/* src/driver/uv.hh */

//
// The uv driver: gives the engine its turns from a uv loop, the caller's or (driver/thread.cc) one of
// weir's own.
//
// Invariants:
// - It never runs, stops or walks the loop; it opens three handles and closes just these.
// - The async handle is how other threads ask for a turn. It keeps the loop alive from creation to
//   the first turn, while anything is in flight, while held, and always on an own loop.
// - The idle handle is active exactly while the engine has work now; the loop then does not block.
// - The timer stands at the engine's next deadline. uv's loop time lags behind, so the due time is
//   computed on uv's own scale (both count CLOCK_MONOTONIC) and rounded up: never early.
// - Blocking work in uv's pool keeps the engine's shell alive, not the engine.

#include <uv.h>

namespace weir {

struct UvDriver : Driver {
  UvDriver(const DriverType *driver_type, Heap *driver_heap, bool own_loop);

  // Opens the handles; a uv error number on failure, and then nothing is open.
  int open(uv_loop_t *on);
  void turn();
  void update_reference();
  void close_handles();

  Heap *heap;
  uv_loop_t *loop = nullptr;
  bool own;
  bool alive = true;  // what keep_alive last said
  bool closing = false;
  uint64_t holds = 0;
  int open_handles = 0;
  int64_t armed_ns = INT64_MAX;
  void (*closed)(UvDriver &driver) = nullptr;  // all handles are closed

 private:
  void arm();
  static void handle_closed(uv_handle_t *handle);

  uv_async_t async_;
  uv_idle_t idle_;
  uv_timer_t timer_;
  friend void uv_wakeup(Driver &driver);
  friend void uv_schedule(Driver &driver);
};

extern const DriverType uv_driver_type;

// What the thread driver shares.
int64_t uv_clock(const Driver &driver);
int64_t uv_coarse_ceiling(const Driver &driver);
int64_t uv_coarse_floor(const Driver &driver);
void uv_wakeup(Driver &driver);
void uv_schedule(Driver &driver);
void uv_stop_driver(Driver &driver);
void uv_keep_alive(Driver &driver, bool alive);
int32_t uv_submit(Driver &driver, BlockingWork &work);

// A driver attached to `loop`; NULL and `uv_status` on failure.
Driver *make_uv_driver(Heap *heap, uv_loop_t *loop, int &uv_status);
// A driver with a thread of its own, not yet started; NULL without memory.
Driver *make_thread_driver(Heap *heap);

}  // namespace weir

/* src/engine/options.hh */

//
// Reading options structs of any version, and saying what is wrong with them. The one place for the
// size rule: a shorter struct gets defaults for the rest, a longer one must end in zeros, a size of
// zero is an error that says so.

#include <cstring>

namespace weir {

// Stores a new error with a printed message in `*error` (nullable) and returns `status`; without
// memory an immortal error of that status takes its place.
__attribute__((format(printf, 4, 5))) weir_status report(weir_error **error, Heap *heap,
                                                         weir_status status, const char *format,
                                                         ...);

// Checks `given` bytes against `known` and copies what both know over the defaults in `target`.
// `what` names the struct in messages ("limiter.options").
weir_status read_sized(void *target, size_t known, const void *source, size_t given,
                       const char *what, Heap *heap, weir_error **error);

// `options` begins as the defaults and gets what `source` (nullable: keep the defaults) has. Works
// for every struct whose first field is its size.
template <typename T>
weir_status read_options(T &options, const T *source, const char *what, Heap *heap,
                         weir_error **error) {
  if (source == nullptr) return WEIR_OK;
  size_t given = source->size;
  weir_status status = read_sized(&options, sizeof(T), source, given, what, heap, error);
  options.size = sizeof(T);
  return status;
}

// Defaults into a caller's struct of `size` bytes, for the exported weir_X_options_init functions.
template <typename T>
void init_options(T *options, size_t size, const T &defaults) {
  if (options == nullptr || size < sizeof(options->size)) return;
  std::memset(static_cast<void *>(options), 0, size);
  std::memcpy(static_cast<void *>(options), &defaults, size < sizeof(T) ? size : sizeof(T));
  options->size = static_cast<decltype(options->size)>(size);
}

// Copies a filled `source` to a caller's struct of `target->size` bytes (stats, rejections).
// WEIR_EINVAL for NULL, WEIR_EABI for a size that cannot be.
template <typename T>
weir_status write_sized(T *target, const T &source) {
  if (target == nullptr) return WEIR_EINVAL;
  auto given = target->size;
  if (given < 2 * sizeof(uint32_t) || given > 16 * sizeof(T)) return WEIR_EABI;
  if (given > sizeof(T)) std::memset(static_cast<void *>(target), 0, given);
  std::memcpy(static_cast<void *>(target), &source, given < sizeof(T) ? given : sizeof(T));
  target->size = given;
  return WEIR_OK;
}

// Checks fields of one options struct; the first failure is kept and reported as
// "limiter.permits must be at least 1 (got 0)". Use: Check check("limiter", heap, error);
// check.range("permits", value, 1, max); ... return check.status().
class Check {
 public:
  Check(const char *subject, Heap *heap, weir_error **error)
      : subject_(subject), heap_(heap), error_(error) {}

  weir_status status() const { return status_; }
  bool ok() const { return status_ == WEIR_OK; }

  // low ≤ value ≤ high.
  Check &range(const char *field, int64_t value, int64_t low, int64_t high);
  // low ≤ value ≤ high, or −1 where that means `word` ("forever", "unlimited", "off").
  Check &range_or(const char *field, int64_t value, int64_t low, int64_t high, const char *word);
  // low ≤ value ≤ high and not NaN.
  Check &real(const char *field, double value, double low, double high);
  // above low (not equal), at most high.
  Check &real_above(const char *field, double value, double low, double high);
  // Any rule, in words: "min_delay_ms must not exceed max_delay_ms (got 5 and 3)".
  __attribute__((format(printf, 3, 4))) Check &rule(bool holds, const char *format, ...);

 private:
  const char *subject_;
  Heap *heap_;
  weir_error **error_;
  weir_status status_ = WEIR_OK;
};

// The most milliseconds an option may say: they fit in nanoseconds only as "never", which is legal.
inline constexpr int64_t max_ms = INT64_MAX;

}  // namespace weir

namespace weir {
namespace {

constexpr weir_runtime_options default_runtime_options = WEIR_RUNTIME_OPTIONS_INIT;

weir_status check_runtime_options(const weir_runtime_options &options, weir_runtime **out,
                                  weir_error **error) {
  Check check("runtime", Heap::standard(), error);
  const weir_allocator *allocator = options.allocator;
  bool uv = options.driver == WEIR_DRIVER_UV;
  check.rule(out != nullptr, "out must not be NULL")
      .range("driver", options.driver, WEIR_DRIVER_THREAD, WEIR_DRIVER_MANUAL)
      .rule(uv == (options.loop != nullptr), "loop must be set with the uv driver, and only then")
      .rule(options.wakeup == nullptr || options.driver == WEIR_DRIVER_MANUAL,
            "wakeup must be NULL but with the manual driver")
      .range("max_in_flight", options.max_in_flight == WEIR_UNLIMITED ? 1 : options.max_in_flight,
             1, INT64_MAX)
      .range_or("close_grace_ms", options.close_grace_ms, 0, max_ms, "forever")
      .range("log_level", options.log_level, WEIR_LOG_OFF, WEIR_LOG_DEBUG)
      .rule(options.reserved == 0, "reserved must be 0 (got %u)", options.reserved)
      .rule(allocator == nullptr || allocator->size >= sizeof(weir_allocator),
            "allocator.size must be sizeof(weir_allocator)")
      .rule(allocator == nullptr || (allocator->alloc != nullptr && allocator->free != nullptr),
            "allocator.alloc and allocator.free must not be NULL");
  return check.status();
}

Driver *make_driver(const weir_runtime_options &options, Heap *heap,
                    Callback<weir_wakeup_fn> &&wakeup, weir_status &status, weir_error **error) {
  status = WEIR_ENOMEM;
  if (options.driver == WEIR_DRIVER_UV) {
    int uv_status = 0;
    Driver *driver = make_uv_driver(heap, options.loop, uv_status);
    if (driver == nullptr && uv_status != UV_ENOMEM) {
      status = report(error, heap, WEIR_ENOTSUP, "runtime: the loop gives no handle (%s)",
                      uv_err_name(uv_status));
    }
    return driver;
  }
  if (options.driver == WEIR_DRIVER_THREAD) return make_thread_driver(heap);
  auto *driver = heap->make<ManualDriver>(heap);
  if (driver != nullptr) driver->on_wakeup = static_cast<Callback<weir_wakeup_fn> &&>(wakeup);
  return driver;
}

// The callbacks, taken from the options: from here on they are freed exactly once.
struct Callbacks {
  explicit Callbacks(const weir_runtime_options &options)
      : wakeup(options.wakeup, options.wakeup_data, options.wakeup_free_data),
        log(options.log, options.log_data, options.log_free_data),
        event(options.on_event, options.event_data, options.event_free_data),
        closed(options.on_closed, options.closed_data, options.closed_free_data) {}

  Callback<weir_wakeup_fn> wakeup;
  Callback<weir_log_fn> log;
  Callback<weir_event_fn> event;
  Callback<weir_closed_fn> closed;
};

template <typename T>
T &&move_out(T &value) {
  return static_cast<T &&>(value);
}

// Gets the driver after everything else that can fail, so that an opened one need not be undone.
weir_status make_runtime(const weir_runtime_options &options, Callbacks &callbacks, Heap *heap,
                         weir_runtime **out, weir_error **error) {
  RuntimeSetup setup;
  bool ok = true;
  setup.name = heap->copy_text(options.name, ok);
  void *memory = ok ? heap->allocate(sizeof(weir_runtime)) : nullptr;
  weir_status status = WEIR_ENOMEM;
  if (memory != nullptr) {
    setup.driver = make_driver(options, heap, move_out(callbacks.wakeup), status, error);
  }
  if (setup.driver == nullptr) {
    if (memory != nullptr) heap->free(memory, sizeof(weir_runtime));
    heap->free_text(setup.name);
    if (status != WEIR_ENOMEM) return status;
    return report(error, Heap::standard(), WEIR_ENOMEM, "runtime: out of memory");
  }
  setup.heap = heap->retain();
  setup.seed = options.seed == 0 ? Random::system_seed() : options.seed;
  setup.max_in_flight = options.max_in_flight;
  setup.close_grace_ns = ms_to_ns(options.close_grace_ms);
  setup.log = move_out(callbacks.log);
  setup.log_level = options.log_level;
  setup.on_event = move_out(callbacks.event);
  setup.on_closed = move_out(callbacks.closed);
  *out = new (memory) weir_runtime(move_out(setup));
  return WEIR_OK;
}

}  // namespace
}  // namespace weir

using weir::Heap;

void weir_runtime_options_init(weir_runtime_options *options, size_t size) {
  weir::init_options(options, size, weir::default_runtime_options);
}

weir_status weir_runtime_new(const weir_runtime_options *given, weir_runtime **out,
                             weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir_runtime_options options = weir::default_runtime_options;
  weir_status status =
      weir::read_options(options, given, "runtime options", Heap::standard(), error);
  if (status != WEIR_OK) return status;
  weir::Callbacks callbacks(options);
  status = weir::check_runtime_options(options, out, error);
  if (status != WEIR_OK) return status;
  Heap *heap = options.allocator == nullptr ? Heap::standard() : Heap::create(*options.allocator);
  if (heap == nullptr) {
    return weir::report(error, Heap::standard(), WEIR_ENOMEM, "runtime: out of memory");
  }
  status = weir::make_runtime(options, callbacks, heap, out, error);
  heap->release();
  return status;
}

/* src/driver/testing.cc */

namespace weir {
namespace {

constexpr uint64_t step_limit = 100 * 1000 * 1000;

// A runtime that ends inside a callback must not be looked at again.
class Kept {
 public:
  explicit Kept(weir_runtime *runtime) : runtime_(runtime) { runtime_->retain_shell(); }
  Kept(const Kept &) = delete;
  Kept &operator=(const Kept &) = delete;
  ~Kept() { runtime_->release_shell(); }

 private:
  weir_runtime *runtime_;
};

uint64_t process_until_idle(ManualDriver &driver) {
  weir_runtime *runtime = driver.runtime;
  int64_t now = driver.now();
  uint64_t steps = 0;
  do {
    steps += driver.process(now);
  } while (runtime->life() != Life::dead && runtime->next_deadline() <= now && steps < step_limit);
  return steps;
}

}  // namespace
}  // namespace weir

weir_status weir_testing_runtime_new(uint64_t seed, weir_runtime **out) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_MANUAL;
  options.seed = seed == 0 ? 1 : seed;
  weir_status status = weir_runtime_new(&options, out, nullptr);
  if (status == WEIR_OK) weir_runtime_process(*out, weir::ns_per_second);
  return status;
}

uint64_t weir_testing_run_until_idle(weir_runtime *runtime) {
  weir::ManualDriver *driver = weir::manual_driver(runtime);
  if (driver == nullptr || runtime->in_turn() || runtime->life() == weir::Life::dead) return 0;
  weir::Kept kept(runtime);
  return weir::process_until_idle(*driver);
}

uint64_t weir_testing_advance(weir_runtime *runtime, int64_t ms) {
  return ms < 0 ? 0 : weir_testing_advance_ns(runtime, weir::ms_to_ns(ms));
}

uint64_t weir_testing_advance_ns(weir_runtime *runtime, int64_t ns) {
  weir::ManualDriver *driver = weir::manual_driver(runtime);
  if (driver == nullptr || ns < 0 || runtime->in_turn()) return 0;
  if (runtime->life() == weir::Life::dead) return 0;
  weir::Kept kept(runtime);
  int64_t target = weir::saturating_add(driver->now(), ns);
  uint64_t steps = weir::process_until_idle(*driver);
  while (runtime->life() != weir::Life::dead && steps < weir::step_limit) {
    int64_t next = runtime->next_deadline();
    if (next >= target) break;
    steps += driver->process(next);
  }
  if (runtime->life() == weir::Life::dead) return steps;
  steps += driver->process(target);
  return steps + (runtime->life() == weir::Life::dead ? 0 : weir::process_until_idle(*driver));
}

uint64_t weir_testing_advance_to_next(weir_runtime *runtime) {
  weir::ManualDriver *driver = weir::manual_driver(runtime);
  if (driver == nullptr || runtime->in_turn() || runtime->life() == weir::Life::dead) return 0;
  weir::Kept kept(runtime);
  uint64_t steps = weir::process_until_idle(*driver);
  // The wheel's answer may be before the first timer, so it can take a few looks.
  while (steps == 0 && runtime->life() != weir::Life::dead) {
    int64_t next = runtime->next_deadline();
    if (next == weir::never_ns) return 0;
    steps += driver->process(next);
  }
  return steps;
}

/* src/driver/thread.cc */

//
// The thread driver: a uv loop on a thread named "weir", started when first needed, signals blocked.
//
//   idle     → running   ensure() or a wake-up: the loop is made, the thread started
//   idle     → unneeded  closing: nothing ever ran, the closing thread takes the last turns itself
//   running  → ended     the engine stopped, all handles are closed: the thread's last act is to
//                        tell the engine, after which it touches nothing of weir
//
// `state` changes under `mutex` only. The thread is joined by close_wait or, if nobody waits,
// detached or joined by whoever frees the driver.

#include <pthread.h>
#include <signal.h>

namespace weir {
namespace {

enum class ThreadState { idle, running, unneeded };

struct ThreadDriver : UvDriver {
  explicit ThreadDriver(Heap *driver_heap);

  int32_t start();

  Mutex mutex;
  std::atomic<ThreadState> state{ThreadState::idle};
  bool stopped = false;  // unneeded: the engine asked to stop
  bool joined = false;
  pthread_t thread{};
  uv_loop_t own_loop;
};

ThreadDriver &thread_self(Driver &driver) { return static_cast<ThreadDriver &>(driver); }

void *thread_main(void *argument) {
  auto *driver = static_cast<ThreadDriver *>(argument);
  pthread_setname_np(pthread_self(), "weir");
  uv_run(&driver->own_loop, UV_RUN_DEFAULT);
  uv_loop_close(&driver->own_loop);
  driver->runtime->driver_gone();
  return nullptr;
}

// Starts the thread with all signals blocked: they are the host's business.
int start_thread(ThreadDriver &driver) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&driver.thread, nullptr, thread_main, &driver);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return failed;
}

// No thread came: the handles are closed by a loop that runs just for that.
void undo_open(ThreadDriver &driver) {
  driver.close_handles();
  uv_run(&driver.own_loop, UV_RUN_DEFAULT);
  uv_loop_close(&driver.own_loop);
  driver.closing = false;
}

int32_t start_idle(ThreadDriver &driver) {
  if (uv_loop_init(&driver.own_loop) != 0) return WEIR_ENOTSUP;
  if (driver.open(&driver.own_loop) != 0) {
    uv_loop_close(&driver.own_loop);
    return WEIR_ENOTSUP;
  }
  if (start_thread(driver) != 0) {
    undo_open(driver);
    return WEIR_ENOTSUP;
  }
  driver.state.store(ThreadState::running, std::memory_order_release);
  return WEIR_OK;
}

int32_t thread_ensure(Driver &driver) {
  if (driver.runtime->forked()) return WEIR_EFORKED;
  if (thread_self(driver).state.load(std::memory_order_acquire) == ThreadState::running)
    return WEIR_OK;
  return thread_self(driver).start();
}

void thread_wakeup(Driver &driver) {
  if (thread_ensure(driver) == WEIR_OK) uv_wakeup(driver);
}

void thread_schedule(Driver &driver) {
  if (thread_self(driver).state.load(std::memory_order_acquire) == ThreadState::running)
    uv_schedule(driver);
}

void thread_stop(Driver &driver) {
  if (thread_self(driver).state.load(std::memory_order_acquire) == ThreadState::running) {
    uv_stop_driver(driver);
  } else {
    thread_self(driver).stopped = true;
  }
}

void thread_keep_alive(Driver &, bool) {}

void thread_closing(Driver &driver) {
  ThreadDriver &thread = thread_self(driver);
  {
    Lock lock(thread.mutex);
    if (thread.state.load(std::memory_order_relaxed) == ThreadState::running) return;
    thread.state.store(ThreadState::unneeded, std::memory_order_release);
  }
  while (!thread.stopped) driver.runtime->turn();
  driver.runtime->driver_gone();
}

void thread_abandoned(Driver &) {}

void thread_join(Driver &driver) {
  ThreadDriver &thread = thread_self(driver);
  Lock lock(thread.mutex);
  if (thread.state.load(std::memory_order_relaxed) != ThreadState::running || thread.joined) return;
  pthread_join(thread.thread, nullptr);
  thread.joined = true;
}

void thread_destroy(Driver &driver) {
  ThreadDriver &thread = thread_self(driver);
  if (thread.state.load(std::memory_order_acquire) == ThreadState::running && !thread.joined) {
    if (pthread_equal(thread.thread, pthread_self()) != 0) {
      pthread_detach(thread.thread);
    } else {
      pthread_join(thread.thread, nullptr);
    }
  }
  Heap *heap = thread.heap;
  heap->destroy(&thread);
}

void handles_closed(UvDriver &) {}  // the loop ends by itself

constexpr DriverType thread_driver_type = {
    uv_clock,        uv_coarse_ceiling, uv_coarse_floor, thread_wakeup,     thread_ensure,
    thread_schedule, thread_stop,       thread_destroy,  thread_keep_alive, uv_submit,
    thread_closing,  thread_abandoned,  thread_join};

ThreadDriver::ThreadDriver(Heap *driver_heap) : UvDriver(&thread_driver_type, driver_heap, true) {
  closed = handles_closed;
}

int32_t ThreadDriver::start() {
  Lock lock(mutex);
  switch (state.load(std::memory_order_relaxed)) {
    case ThreadState::idle:
      return start_idle(*this);
    case ThreadState::running:
      return WEIR_OK;
    case ThreadState::unneeded:
      return WEIR_ECLOSED;
  }
  return WEIR_ECLOSED;
}

}  // namespace

Driver *make_thread_driver(Heap *heap) { return heap->make<ThreadDriver>(heap); }

}  // namespace weir

/* src/driver/uv.cc */

/* src/engine/blocking.hh */

//
// Work that a driver hands to a pool thread.

namespace weir {

struct BlockingWork {
  void (*work)(BlockingWork &work) = nullptr;  // on a pool thread
  void (*done)(BlockingWork &work) = nullptr;  // on the engine's thread afterwards; frees it
};

}  // namespace weir

namespace weir {
namespace {

UvDriver &uv_self(Driver &driver) { return static_cast<UvDriver &>(driver); }

template <typename Handle>
void on_uv_event(Handle *handle) {
  static_cast<UvDriver *>(handle->data)->turn();
}

int32_t uv_ensure(Driver &driver) { return driver.runtime->forked() ? WEIR_EFORKED : WEIR_OK; }

void uv_destroy(Driver &driver) {
  Heap *heap = uv_self(driver).heap;
  heap->destroy(&uv_self(driver));
}

void uv_nothing(Driver &) {}

void uv_all_closed(UvDriver &driver) { driver.runtime->driver_gone(); }

// One piece of blocking work with its request.
struct UvWork {
  uv_work_t request;
  BlockingWork *work;
  Heap *heap;
};

void work_on_pool(uv_work_t *request) {
  BlockingWork *work = static_cast<UvWork *>(request->data)->work;
  work->work(*work);
}

void work_done(uv_work_t *request, int) {
  auto *item = static_cast<UvWork *>(request->data);
  BlockingWork *work = item->work;
  item->heap->destroy(item);
  work->done(*work);
}

}  // namespace

UvDriver::UvDriver(const DriverType *driver_type, Heap *driver_heap, bool own_loop)
    : Driver{driver_type}, heap(driver_heap), own(own_loop) {}

int UvDriver::open(uv_loop_t *on) {
  loop = on;
  int status = uv_async_init(loop, &async_, on_uv_event<uv_async_t>);
  if (status != 0) return status;
  // These two cannot fail.
  uv_idle_init(loop, &idle_);
  uv_timer_init(loop, &timer_);
  async_.data = idle_.data = timer_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t *>(&timer_));
  open_handles = 3;
  // The first turn tells the engine its thread.
  uv_async_send(&async_);
  return 0;
}

void UvDriver::turn() {
  if (closing) return;
  bool more = runtime->turn();
  if (closing) return;
  if (more) {
    uv_idle_start(&idle_, on_uv_event<uv_idle_t>);
  } else {
    uv_idle_stop(&idle_);
  }
  arm();
}

void UvDriver::arm() {
  int64_t deadline_ns = runtime->next_deadline();
  if (deadline_ns == armed_ns && uv_is_active(reinterpret_cast<uv_handle_t *>(&timer_)) != 0)
    return;
  armed_ns = deadline_ns;
  if (deadline_ns == never_ns) {
    uv_timer_stop(&timer_);
    return;
  }
  auto due_ms = static_cast<uint64_t>(ns_to_ms_up(deadline_ns));
  uint64_t loop_ms = uv_now(loop);
  uv_timer_start(&timer_, on_uv_event<uv_timer_t>, due_ms > loop_ms ? due_ms - loop_ms : 0, 0);
}

void UvDriver::update_reference() {
  if (closing) return;
  auto *handle = reinterpret_cast<uv_handle_t *>(&async_);
  if (own || alive || holds > 0) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void UvDriver::close_handles() {
  closing = true;
  uv_handle_t *handles[] = {reinterpret_cast<uv_handle_t *>(&async_),
                            reinterpret_cast<uv_handle_t *>(&idle_),
                            reinterpret_cast<uv_handle_t *>(&timer_)};
  for (uv_handle_t *handle : handles) {
    uv_ref(handle);  // so that the loop goes round for the close callback
    uv_close(handle, handle_closed);
  }
}

void UvDriver::handle_closed(uv_handle_t *handle) {
  auto *driver = static_cast<UvDriver *>(handle->data);
  if (--driver->open_handles == 0) driver->closed(*driver);
}

int64_t uv_clock(const Driver &) { return monotonic_now(); }
int64_t uv_coarse_ceiling(const Driver &) { return monotonic_coarse_ceiling(); }
int64_t uv_coarse_floor(const Driver &) { return monotonic_coarse_floor(); }

void uv_wakeup(Driver &driver) { uv_async_send(&uv_self(driver).async_); }

void uv_schedule(Driver &driver) { uv_idle_start(&uv_self(driver).idle_, on_uv_event<uv_idle_t>); }

void uv_stop_driver(Driver &driver) { uv_self(driver).close_handles(); }

void uv_keep_alive(Driver &driver, bool alive) {
  uv_self(driver).alive = alive;
  uv_self(driver).update_reference();
}

int32_t uv_submit(Driver &driver, BlockingWork &work) {
  UvDriver &uv = uv_self(driver);
  auto *item = uv.heap->make<UvWork>();
  if (item == nullptr) return WEIR_ENOMEM;
  item->request.data = item;
  item->work = &work;
  item->heap = uv.heap;
  if (uv_queue_work(uv.loop, &item->request, work_on_pool, work_done) == 0) return WEIR_OK;
  uv.heap->destroy(item);
  return WEIR_ENOTSUP;
}

const DriverType uv_driver_type = {uv_clock,      uv_coarse_ceiling, uv_coarse_floor, uv_wakeup,
                                   uv_ensure,     uv_schedule,       uv_stop_driver,  uv_destroy,
                                   uv_keep_alive, uv_submit,         uv_nothing,      uv_nothing,
                                   nullptr};

Driver *make_uv_driver(Heap *heap, uv_loop_t *loop, int &uv_status) {
  auto *driver = heap->make<UvDriver>(&uv_driver_type, heap, false);
  uv_status = driver == nullptr ? UV_ENOMEM : driver->open(loop);
  if (uv_status == 0) {
    driver->closed = uv_all_closed;
    return driver;
  }
  heap->destroy(driver);
  return nullptr;
}

}  // namespace weir

namespace {

// The attached driver, or NULL.
weir::UvDriver *attached(weir_runtime *runtime) {
  if (runtime->driver()->type != &weir::uv_driver_type) return nullptr;
  return static_cast<weir::UvDriver *>(runtime->driver());
}

}  // namespace

weir_status weir_runtime_hold(weir_runtime *runtime) {
  if (runtime == nullptr) return WEIR_EINVAL;
  weir::UvDriver *driver = attached(runtime);
  if (driver == nullptr) return WEIR_OK;
  if (runtime->owned_elsewhere()) return WEIR_ETHREAD;
  ++driver->holds;
  driver->update_reference();
  return WEIR_OK;
}

weir_status weir_runtime_release(weir_runtime *runtime) {
  if (runtime == nullptr) return WEIR_EINVAL;
  weir::UvDriver *driver = attached(runtime);
  if (driver == nullptr) return WEIR_OK;
  if (runtime->owned_elsewhere()) return WEIR_ETHREAD;
  if (driver->holds == 0) return WEIR_EINVAL;
  --driver->holds;
  driver->update_reference();
  return WEIR_OK;
}

/* src/engine/attempt.cc */

#include <bit>

/* src/engine/value.hh */

//
// The inside of weir_value. Bytes lie behind the header in the same block. A value with one
// reference is freed without an atomic read-modify-write: nobody else can add one.

#include <atomic>

struct alignas(16) weir_value {
  weir_value(weir::Heap *value_heap, uint32_t value_kind)
      : heap(value_heap->retain()), kind(value_kind) {}

  void ref() { references.fetch_add(1, std::memory_order_relaxed); }
  void unref();

  const void *bytes() const { return this + 1; }

  weir::Heap *heap;
  std::atomic<uint32_t> references{1};
  uint32_t kind;
  union {
    size_t size = 0;  // bytes
    void *pointer;
    uint64_t id;  // host
  };
  union {
    weir_free_fn free_pointer = nullptr;
    struct weir_host_release *release;  // host: the record that will tell the queue
  };
};

namespace weir {

// A bytes value in `heap`; NULL without memory.
weir_value *make_bytes(Heap *heap, const void *data, size_t size);
// A pointer value; NULL without memory, and then `free_pointer` has not run.
weir_value *make_pointer(Heap *heap, void *pointer, weir_free_fn free_pointer);

inline weir_value *ref_value(weir_value *value) {
  if (value != nullptr) value->ref();
  return value;
}

inline void unref_value(weir_value *value) {
  if (value != nullptr) value->unref();
}

// The heap that `runtime` (nullable) lends.
Heap *heap_of(weir_runtime *runtime);

}  // namespace weir

namespace weir {
namespace {

constexpr uint64_t state_of(uint32_t generation, AttemptPhase phase) {
  return static_cast<uint64_t>(generation) << 32 | static_cast<uint32_t>(phase);
}

constexpr uint32_t last_generation = UINT32_MAX;

// How many slots move between the engine's list and the shared one at a time.
constexpr uint32_t batch = 64;

// More free slots than this on the engine's list go half to the shared one.
constexpr uint32_t local_limit = 4096;

}  // namespace

weir_token Attempt::token() const {
  return (state.load(std::memory_order_relaxed) >> 32) << 32 | index;
}

void AttemptTable::start(Attempt &attempt) {
  auto generation = static_cast<uint32_t>(attempt.state.load(std::memory_order_relaxed) >> 32);
  attempt.state.store(state_of(generation, AttemptPhase::started), std::memory_order_release);
}

AttemptTable::~AttemptTable() {
  for (uint32_t i = 0; i < handed_out_.load(std::memory_order_relaxed); ++i) slot(i)->~Attempt();
  for (uint32_t chunk = 0; chunk < chunks_used_; ++chunk) {
    heap_->free(chunks_[chunk].load(std::memory_order_relaxed),
                sizeof(Attempt) * (first_chunk << chunk));
  }
}

Attempt *AttemptTable::slot(uint32_t index) const {
  // Chunk k holds 64·2^k slots, so index + 64 has its highest bit at k + 6.
  uint64_t shifted = uint64_t{index} + first_chunk;
  int chunk = 63 - std::countl_zero(shifted) - first_chunk_bits;
  return chunks_[chunk].load(std::memory_order_acquire) + (shifted - (first_chunk << chunk));
}

Attempt *AttemptTable::find(weir_token token) const {
  auto index = static_cast<uint32_t>(token);
  if (index >= handed_out_.load(std::memory_order_acquire)) return nullptr;
  return slot(index);
}

Attempt *AttemptTable::reserve(bool local) {
  if (!local) {
    Lock lock(mutex_);
    Attempt *attempt = pop_shared();
    return attempt != nullptr ? attempt : fresh();
  }
  if (local_free_ == nullptr) refill();
  Attempt *attempt = local_free_;
  if (attempt == nullptr) return nullptr;
  local_free_ = attempt->next_free;
  --local_count_;
  return attempt;
}

// A batch for the engine's list, or as much of it as there is memory for.
void AttemptTable::refill() {
  Lock lock(mutex_);
  for (uint32_t i = 0; i < batch; ++i) {
    Attempt *attempt = pop_shared();
    if (attempt == nullptr && (i == 0 || handed_out_.load(std::memory_order_relaxed) < capacity_)) {
      attempt = fresh();
    }
    if (attempt == nullptr) return;
    attempt->next_free = local_free_;
    local_free_ = attempt;
    ++local_count_;
  }
}

Attempt *AttemptTable::pop_shared() {
  Attempt *attempt = shared_free_;
  if (attempt != nullptr) shared_free_ = attempt->next_free;
  return attempt;
}

// A slot that was never used. Under the mutex.
Attempt *AttemptTable::fresh() {
  uint32_t index = handed_out_.load(std::memory_order_relaxed);
  if (index == capacity_ && !grow()) return nullptr;
  auto *attempt = new (slot(index)) Attempt(index);
  handed_out_.store(index + 1, std::memory_order_release);
  return attempt;
}

bool AttemptTable::grow() {
  if (chunks_used_ == chunk_count) return false;
  uint64_t slots = first_chunk << chunks_used_;
  void *memory = heap_->allocate(sizeof(Attempt) * slots);
  if (memory == nullptr) return false;
  chunks_[chunks_used_++].store(static_cast<Attempt *>(memory), std::memory_order_release);
  capacity_ += static_cast<uint32_t>(slots);
  return true;
}

void AttemptTable::retire_token(Attempt &attempt) {
  auto generation = static_cast<uint32_t>(attempt.state.load(std::memory_order_relaxed) >> 32);
  attempt.state.store(state_of(generation + 1, AttemptPhase::free), std::memory_order_release);
}

void AttemptTable::release(Attempt *attempt, bool local) {
  // A generation must never come again, so a slot that has used them all stays unused.
  if (attempt->state.load(std::memory_order_relaxed) >> 32 == last_generation) return;
  if (!local) {
    Lock lock(mutex_);
    attempt->next_free = shared_free_;
    shared_free_ = attempt;
    return;
  }
  attempt->next_free = local_free_;
  local_free_ = attempt;
  if (++local_count_ <= local_limit) return;
  Lock lock(mutex_);
  for (uint32_t i = 0; i < local_limit / 2; ++i, --local_count_) {
    Attempt *spilled = local_free_;
    local_free_ = spilled->next_free;
    spilled->next_free = shared_free_;
    shared_free_ = spilled;
  }
}

}  // namespace weir

using weir::Attempt;
using weir::AttemptPhase;

namespace {

AttemptPhase phase_of(uint64_t state) { return static_cast<AttemptPhase>(state & UINT32_MAX); }

bool move_phase(Attempt &attempt, uint64_t &state, AttemptPhase to) {
  uint64_t next = (state >> 32) << 32 | static_cast<uint32_t>(to);
  return attempt.state.compare_exchange_strong(state, next, std::memory_order_seq_cst,
                                               std::memory_order_acquire);
}

}  // namespace

void weir_runtime::attempt_started(Attempt &attempt) {
  weir::AttemptTable::start(attempt);
  attempt.run->hold();
  if (attempt.obligation != nullptr) ++attempt.obligation->count;
  attempts_started_.store(attempts_started_.load(std::memory_order_relaxed) + 1,
                          std::memory_order_relaxed);
  ++started_out_;
}

weir_status weir_runtime::complete(weir_token token, weir::Result &&result) {
  Attempt *attempt = attempts_.find(token);
  if (attempt == nullptr) return WEIR_ESTALE;
  uint64_t state = attempt->state.load(std::memory_order_acquire);
  while (state >> 32 == token >> 32) {
    switch (phase_of(state)) {
      case AttemptPhase::started:
      case AttemptPhase::orphan:
        if (!move_phase(*attempt, state, AttemptPhase::completing)) break;
        attempt->result = static_cast<weir::Result &&>(result);
        deliver(*attempt);
        return WEIR_OK;
      case AttemptPhase::cancelling:
        if (on_thread()) {
          move_phase(*attempt, state, AttemptPhase::cancelled_done);
          return WEIR_OK;
        }
        wait_for_cancel(*attempt, state);
        state = attempt->state.load(std::memory_order_acquire);
        break;
      default:
        return WEIR_ESTALE;
    }
  }
  return WEIR_ESTALE;
}

// Brings a completion to the engine. An attempt that completes inside its own start function is
// looked at as soon as that returns.
void weir_runtime::deliver(Attempt &attempt) {
  if (on_thread() && starting_ == &attempt) {
    started_inline_ = true;
    return;
  }
  post(attempt.task);
}

// Until on_cancel has returned on the engine's thread.
void weir_runtime::wait_for_cancel(Attempt &attempt, uint64_t state) {
  weir::Lock lock(settle_mutex_);
  cancel_waiters_.fetch_add(1, std::memory_order_seq_cst);
  while (attempt.state.load(std::memory_order_seq_cst) == state) {
    settle_condition_.wait(settle_mutex_);
  }
  cancel_waiters_.fetch_sub(1, std::memory_order_relaxed);
}

void weir_runtime::attempt_completed(weir_runtime &runtime, weir::Task &task) {
  Attempt &attempt = *static_cast<weir::AttemptTask &>(task).attempt;
  if (attempt.detached) {
    attempt.result.clear();
    runtime.attempt_over(attempt);
    return;
  }
  attempt.run->signal(attempt.leaf, weir::Signal::wake);
}

weir::Task::RunFn weir::attempt_task_function() { return weir_runtime::attempt_completed; }

void weir_runtime::attempt_orphaned(Attempt &attempt) {
  attempt.detached = true;
  attempt.told_at_ns = now_;
  orphans_.push_back(&attempt);
  orphan_count_.store(orphan_count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (max_in_flight_ != WEIR_UNLIMITED) in_flight_.fetch_add(1, std::memory_order_relaxed);
}

void weir_runtime::cancel_attempt(Attempt &attempt, uint32_t reason) {
  if (attempt.queue != nullptr && attempt.queue->revoke(attempt.start_record)) {
    // The host never heard of it, so nobody else can complete it.
    weir::unref_value(reinterpret_cast<weir_value *>(
        static_cast<uintptr_t>(attempt.start_record.content.detail)));
    attempt_over(attempt);
    return;
  }
  uint64_t state = attempt.state.load(std::memory_order_acquire);
  attempt_orphaned(attempt);
  AttemptPhase told =
      attempt.on_cancel == nullptr ? AttemptPhase::orphan : AttemptPhase::cancelling;
  if (phase_of(state) != AttemptPhase::started || !move_phase(attempt, state, told)) {
    return;  // its completion is on the way
  }
  if (attempt.queue != nullptr) {
    attempt.cancel_record.content.number = static_cast<uint16_t>(reason);
    attempt.queue->post(attempt.cancel_record);
  }
  if (told == AttemptPhase::orphan) return;
  attempt.on_cancel(attempt.data, reason);
  user_ran();
  state = (state >> 32) << 32 | static_cast<uint32_t>(AttemptPhase::cancelling);
  bool done = !move_phase(attempt, state, AttemptPhase::orphan);
  if (cancel_waiters_.load(std::memory_order_seq_cst) != 0) {
    weir::Lock lock(settle_mutex_);
    settle_condition_.wake_all();
  }
  if (done) attempt_over(attempt);
}

// The attempt is completed and nothing of it is on its way: everything it holds goes, the slot is
// free again.
void weir_runtime::attempt_over(Attempt &attempt) {
  if (attempt.linked()) {
    orphans_.remove(&attempt);
    orphan_count_.store(orphan_count_.load(std::memory_order_relaxed) - 1,
                        std::memory_order_relaxed);
    if (max_in_flight_ != WEIR_UNLIMITED) in_flight_.fetch_sub(1, std::memory_order_relaxed);
  }
  weir_free_fn free_data = attempt.free_data;
  void *data = attempt.data;
  weir_completions *queue = attempt.queue;
  weir::Obligation *obligation = attempt.obligation;
  weir_call *run = attempt.run;
  if (queue != nullptr) queue->revoke(attempt.cancel_record);
  attempt.clear();
  weir::AttemptTable::retire_token(attempt);
  attempts_.release(&attempt, true);
  --started_out_;
  if (obligation != nullptr) drop_obligation(obligation);
  if (free_data != nullptr) {
    free_data(data);
    user_ran();
  }
  if (queue != nullptr) queue->unref();
  run->unhold();
  if (life() == weir::Life::dead) {
    release_shell();
  } else if (life() != weir::Life::open) {
    post_close_task();
  }
}

weir::Obligation *weir_runtime::new_obligation(weir::Obligation::ReleaseFn release,
                                               weir::Handle &policy, weir_permit permit,
                                               uint64_t detail, weir::Obligation *outer) {
  void *memory = pool_.take(weir::BlockPool::block_size(sizeof(weir::Obligation)), true);
  if (memory == nullptr) return nullptr;
  policy.enter();
  if (outer != nullptr) ++outer->count;
  return new (memory) weir::Obligation{release, &policy, permit, detail, outer, 1};
}

void weir_runtime::drop_obligation(weir::Obligation *obligation) {
  while (obligation != nullptr && --obligation->count == 0) {
    weir::Obligation *outer = obligation->outer;
    weir::Handle *policy = obligation->policy;
    obligation->release(*policy, obligation->permit, obligation->detail);
    if (pool_.give(obligation, weir::BlockPool::block_size(sizeof(weir::Obligation)), true)) {
      release_shell();
    }
    policy->leave();
    obligation = outer;
  }
}

/* src/engine/audit.cc */

//
// Who is in flight, and what each waits for.

#include <cstring>

/* src/base/text.hh */

//
// Text in a fixed buffer: cut off at its end, always terminated.

#include <cstdarg>
#include <cstddef>
#include <cstdio>

namespace weir {

class TextWriter {
 public:
  TextWriter(char *buffer, size_t capacity) : buffer_(buffer), capacity_(capacity) {
    if (capacity_ > 0) buffer_[0] = '\0';
  }

  __attribute__((format(printf, 2, 3))) void print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t used = length_ < capacity_ ? length_ : capacity_;
    int more = std::vsnprintf(buffer_ == nullptr ? nullptr : buffer_ + used, capacity_ - used,
                              format, arguments);
    va_end(arguments);
    if (more > 0) length_ += static_cast<size_t>(more);
  }

  // Of the whole text, also of what was cut off.
  size_t length() const { return length_; }

 private:
  char *buffer_;
  size_t capacity_;
  size_t length_ = 0;
};

// Copies `text` (NULL counts as empty) into a fixed array, cut off and terminated.
template <size_t Size>
void copy_name(char (&target)[Size], const char *text) {
  size_t i = 0;
  for (; text != nullptr && text[i] != '\0' && i + 1 < Size; ++i) target[i] = text[i];
  target[i] = '\0';
}

}  // namespace weir

namespace weir {

class Audit {
 public:
  Audit(weir_audit_entry *entries, size_t entry_size, size_t capacity)
      : target_(reinterpret_cast<unsigned char *>(entries)),
        entry_size_(entry_size),
        capacity_(capacity) {}

  void add_calls(weir_runtime &runtime) {
    for (weir_call *call = runtime.live_.front(); call != nullptr;
         call = runtime.live_.next(call)) {
      weir_audit_entry entry = begin(WEIR_AUDIT_CALL, *call, call->begun_ns_, runtime.now());
      describe(*call, entry.waits_for, sizeof(entry.waits_for));
      add(entry);
    }
  }

  void add_orphans(weir_runtime &runtime) {
    for (Attempt *attempt = runtime.orphans_.front(); attempt != nullptr;
         attempt = runtime.orphans_.next(attempt)) {
      weir_audit_entry entry =
          begin(WEIR_AUDIT_ORPHAN, *attempt->run, attempt->told_at_ns, runtime.now());
      copy_name(entry.waits_for, "operation: completion after it was told to stop");
      add(entry);
    }
  }

  size_t count() const { return count_; }

 private:
  static weir_audit_entry begin(uint32_t kind, const weir_call &call, int64_t since_ns,
                                int64_t now_ns) {
    weir_audit_entry entry = {};
    entry.kind = kind;
    entry.attempts = call.attempts();
    entry.age_ns = now_ns - since_ns;
    copy_name(entry.name, call.request().name);
    return entry;
  }

  // The innermost active layer that has something to say knows what the run waits for.
  static void describe(const weir_call &call, char *buffer, size_t size) {
    buffer[0] = '\0';
    for (uint32_t i = call.active_; i-- > 0;) {
      const LayerType &type = call.layer_type(i);
      if (type.describe == nullptr) continue;
      type.describe(call, call.layer(i), buffer, size);
      if (buffer[0] != '\0') return;
    }
    TextWriter(buffer, size).print("%s", call.active_ == 0 ? "its first turn" : "");
  }

  void add(const weir_audit_entry &entry) {
    if (count_++ >= capacity_) return;
    size_t known = entry_size_ < sizeof(entry) ? entry_size_ : sizeof(entry);
    std::memcpy(target_, &entry, known);
    if (entry_size_ > known) std::memset(target_ + known, 0, entry_size_ - known);
    target_ += entry_size_;
  }

  unsigned char *target_;
  size_t entry_size_;
  size_t capacity_;
  size_t count_ = 0;
};

}  // namespace weir

weir_status weir_runtime::audit(weir_audit_entry *entries, size_t entry_size, size_t capacity,
                                size_t &count) {
  count = 0;
  if (owned_.load(std::memory_order_acquire) && !on_thread()) return WEIR_ETHREAD;
  weir::Audit audit(entries, entry_size, capacity);
  audit.add_calls(*this);
  audit.add_orphans(*this);
  count = audit.count();
  return WEIR_OK;
}

weir_status weir_runtime_audit(weir_runtime *runtime, weir_audit_entry *entries, size_t entry_size,
                               size_t capacity, size_t *count) {
  if (runtime == nullptr || count == nullptr || (entries == nullptr && capacity > 0)) {
    return WEIR_EINVAL;
  }
  if (entry_size < sizeof(uint64_t)) return WEIR_EABI;
  return runtime->audit(entries, entry_size, capacity, *count);
}

/* src/engine/change_records.cc */

/* src/engine/change_records.hh */

//
// State changes as EVENT records in a completion queue. One record is in the queue at a time, the
// others wait here in a ring of 8 (full: newest kept) until the host has drained that one.
//
// Invariants:
// - The owner (a policy) holds one count, a record in the queue another; the owner may be gone while
//   a host still drains what is left.
// - The queue is held as one who posts holds it, which does not keep undrained records: when the
//   host has let go of the queue the record comes back, and nothing is posted any more.

#include <atomic>
#include <cstdint>

namespace weir {

class ChangeRecords : Record {
 public:
  // Takes a reference of `queue`, and its heap; NULL without memory.
  static ChangeRecords *create(weir_completions *queue, uint64_t user);

  // A change: its sequence number, reason, and states. Any thread, one at a time.
  void put(uint64_t sequence, int32_t reason, uint16_t states);

  // The owner's count, or the record's.
  void release();

 private:
  friend class Heap;
  struct Entry {
    uint64_t sequence;
    int32_t reason;
    uint16_t states;
  };
  static constexpr uint32_t capacity = 8;

  ChangeRecords(weir_completions *queue, uint64_t user)
      : Record(&ChangeRecords::on_drained), queue_(ref_handle(queue)), user_(user) {}

  static void on_drained(Record &record, bool kept);
  bool load_next();

  weir_completions *queue_;
  uint64_t user_;
  std::atomic<uint32_t> count_{1};
  Mutex mutex_;  // guards the rest
  uint64_t last_sequence_ = 0;
  uint32_t first_ = 0;
  uint32_t waiting_ = 0;
  bool in_queue_ = false;
  Entry entries_[capacity];
};

}  // namespace weir

namespace weir {

ChangeRecords *ChangeRecords::create(weir_completions *queue, uint64_t user) {
  return queue->heap()->make<ChangeRecords>(queue, user);
}

void ChangeRecords::release() {
  if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  weir_completions *queue = queue_;
  queue->heap()->destroy(this);
  queue->unref();
}

void ChangeRecords::put(uint64_t sequence, int32_t reason, uint16_t states) {
  {
    Lock lock(mutex_);
    if (waiting_ == capacity) {
      first_ = (first_ + 1) % capacity;
      --waiting_;
    }
    entries_[(first_ + waiting_) % capacity] = {sequence, reason, states};
    ++waiting_;
    if (in_queue_) return;
    load_next();
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  queue_->post(*this);
}

// Under the mutex: fills the record with the oldest that waits, if any.
bool ChangeRecords::load_next() {
  in_queue_ = waiting_ > 0;
  if (!in_queue_) return false;
  const Entry &entry = entries_[first_];
  content.user = user_;
  content.object = entry.sequence;
  content.detail = entry.sequence - last_sequence_ - 1;
  content.status = entry.reason;
  content.number = entry.states;
  content.kind = WEIR_RECORD_EVENT;
  last_sequence_ = entry.sequence;
  first_ = (first_ + 1) % capacity;
  --waiting_;
  return true;
}

// A record that the queue gave up ends the row: nobody is left who could drain another.
void ChangeRecords::on_drained(Record &record, bool kept) {
  ChangeRecords &self = static_cast<ChangeRecords &>(record);
  bool next = false;
  if (kept) {
    Lock lock(self.mutex_);
    next = self.load_next();
  }
  if (next) {
    self.queue_->post(self);
  } else {
    self.release();
  }
}

}  // namespace weir

/* src/engine/close.cc */

//
// How a runtime ends; the table is in runtime.hh. The close task does one piece of it a step, so that
// stopping ten thousand runs does not hold up a loop.

#include <cstdio>

using weir::Life;
using weir::Lock;

void weir_runtime::unref() {
  if (outside_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (forked()) return;  // in the child nothing is to be touched
  close();
  driver_->type->abandoned(*driver_);
  release_shell();
}

void weir_runtime::close() {
  if (forked()) return;
  Life open = Life::open;
  if (!life_.compare_exchange_strong(open, Life::closing, std::memory_order_seq_cst)) return;
  post_close_task();
  driver_->type->closing(*driver_);
}

void weir_runtime::post_close_task() {
  if (!close_posted_.exchange(true, std::memory_order_acq_rel)) post(close_task_);
}

void weir_runtime::close_task_run(weir_runtime &runtime, weir::Task &) {
  runtime.close_posted_.store(false, std::memory_order_release);
  runtime.close_step();
}

void weir_runtime::close_step() {
  if (life() == Life::grace) {
    if (started_out_ == 0) finish_close();
    return;
  }
  if (life() != Life::closing) return;
  if (weir_call *run = live_.front()) {
    run->stop(WEIR_ECLOSED, WEIR_CANCEL_SHUTDOWN);  // posts this task again
    return;
  }
  // A thread may be between the look at life_ and its post; runs may wait in the ready queue.
  bool entering = entering_.load(std::memory_order_seq_cst) != 0;
  uint64_t accepted =
      accepted_.load(std::memory_order_relaxed) + accepted_remote_.load(std::memory_order_acquire);
  if (entering || accepted != settled_.load(std::memory_order_relaxed)) {
    post_close_task();
  } else {
    all_settled();
  }
}

// Everything has settled: tell, then wait for orphans, but not longer than the grace.
void weir_runtime::all_settled() {
  life_.store(Life::grace, std::memory_order_seq_cst);
  {
    Lock lock(queues_mutex_);
    for (weir_completions *queue = queues_.front(); queue != nullptr; queue = queues_.next(queue)) {
      queue->runtime_closed();
    }
  }
  if (on_closed_) on_closed_(started_out_);
  on_closed_.finish();
  user_ran();
  if (started_out_ == 0 || close_grace_ns_ == 0) {
    finish_close();
  } else {
    wheel_.arm(grace_timer_, weir::deadline_after(now_to_arm(0), close_grace_ns_));
  }
}

void weir_runtime::give_no_grace() {
  close_grace_ns_ = 0;
  if (life() == Life::grace) finish_close();
}

void weir_runtime::grace_over(weir_runtime &runtime, weir::Timer &) { runtime.finish_close(); }

void weir_runtime::finish_close() {
  if (finishing_) return;
  finishing_ = true;
  wheel_.disarm(grace_timer_);
  if (started_out_ > 0) {
    char message[96];
    std::snprintf(message, sizeof(message), "closed with %llu attempts never completed",
                  static_cast<unsigned long long>(started_out_));
    log(WEIR_LOG_WARNING, nullptr, message);
  }
  {
    Lock lock(wake_mutex_);
    driver_stopping_ = true;
  }
  driver_->type->stop(*driver_);
}

void weir_runtime::driver_gone() {
  uint64_t out = pool_.close() + started_out_;
  shell_.fetch_add(out, std::memory_order_relaxed);
  on_event_.finish();
  {
    Lock lock(shell_mutex_);
    life_.store(Life::dead, std::memory_order_seq_cst);
    owned_.store(false, std::memory_order_release);
  }
  uint64_t released = 1 + drain_dead();
  {
    Lock lock(settle_mutex_);
    settle_condition_.wake_all();
  }
  release_shell(released);
}

weir_status weir_runtime::close_wait(int64_t timeout_ms) {
  if (driver_->type->join == nullptr) return WEIR_ENOTSUP;
  if (on_thread()) return WEIR_ETHREAD;
  if (forked()) return WEIR_EFORKED;
  close();
  int64_t until = weir::deadline_after(weir::monotonic_now(), weir::ms_to_ns(timeout_ms));
  {
    Lock lock(settle_mutex_);
    bool in_time = true;
    while (in_time && life() != Life::dead) {
      in_time = settle_condition_.wait_until(settle_mutex_, until);
    }
  }
  if (life() != Life::dead) return WEIR_ETIMEDOUT;
  driver_->type->join(*driver_);
  return WEIR_OK;
}

/* src/engine/complete.cc */

//
// The functions that complete attempts: each makes a result, all end in weir_runtime::complete.

/* src/engine/error.hh */

//
// The inside of weir_error. The message lies behind the header in the same block; an aggregate's list
// too. Immortal errors, one for each status, are constants without a heap: they cannot fail to be
// there, so every failure has an error to show.

#include <atomic>

struct weir_error {
  struct Entry {
    weir_error *error;
    uint64_t index;
  };

  // An immortal one.
  constexpr explicit weir_error(weir_status bare_status)
      : heap(nullptr), status(bare_status), domain(WEIR_DOMAIN_WEIR), code(bare_status) {}
  weir_error(weir::Heap *error_heap, weir_status error_status, uint32_t error_domain,
             int64_t error_code)
      : heap(error_heap->retain()), status(error_status), domain(error_domain), code(error_code) {}

  void ref() {
    if (heap != nullptr) references.fetch_add(1, std::memory_order_relaxed);
  }
  void unref();

  weir::Heap *heap;
  std::atomic<uint32_t> references{1};
  weir_status status;
  uint32_t domain;
  int64_t code;
  const char *message = nullptr;
  weir_error *cause = nullptr;
  weir_value *detail = nullptr;
  Entry *entries = nullptr;
  uint64_t entry_count = 0;
  size_t block_size = 0;
};

namespace weir {

// An error with a copy of `message` (nullable); NULL without memory.
weir_error *make_error(Heap *heap, weir_status status, uint32_t domain, int64_t code,
                       const char *message);

// An aggregate that takes the references in `entries`; NULL without memory, and then it took none.
weir_error *make_aggregate(Heap *heap, const weir_error::Entry *entries, uint64_t count);

inline weir_error *ref_error(weir_error *error) {
  if (error != nullptr) error->ref();
  return error;
}

inline void unref_error(weir_error *error) {
  if (error != nullptr) error->unref();
}

}  // namespace weir

namespace weir {
namespace {

constexpr weir_completion default_completion = WEIR_COMPLETION_INIT;

weir_status complete_with_value(weir_runtime *runtime, weir_token token, weir_value *value) {
  Result result;
  result.set_value(value);
  return runtime->complete(token, static_cast<Result &&>(result));
}

// For results there was no memory for: the attempt fails, and the caller is told.
weir_status complete_without_memory(weir_runtime *runtime, weir_token token) {
  Result result;
  result.set_status(WEIR_ENOMEM);
  weir_status status = runtime->complete(token, static_cast<Result &&>(result));
  return status == WEIR_OK ? weir_status{WEIR_ENOMEM} : status;
}

weir_status read_completion(const weir_completion *given, weir_completion &completion) {
  weir_status status = read_options(completion, given, "completion", Heap::standard(), nullptr);
  if (status != WEIR_OK) return status;
  bool legal = completion.class_ <= WEIR_CLASS_ABANDON && completion.final <= 1 &&
               completion.reserved == 0 && completion.retry_after_ms >= WEIR_OFF;
  return legal ? WEIR_OK : WEIR_EINVAL;
}

}  // namespace
}  // namespace weir

using weir::Result;

void weir_completion_init(weir_completion *completion, size_t size) {
  weir::init_options(completion, size, weir::default_completion);
}

weir_status weir_complete(weir_runtime *runtime, weir_token token, weir_value *value) {
  if (runtime == nullptr) {
    weir::unref_value(value);
    return WEIR_EINVAL;
  }
  return weir::complete_with_value(runtime, token, value);
}

weir_status weir_complete_bytes(weir_runtime *runtime, weir_token token, const void *data,
                                size_t size) {
  if (runtime == nullptr || (data == nullptr && size > 0)) return WEIR_EINVAL;
  weir_value *value = weir::make_bytes(runtime->heap(), data, size);
  if (value == nullptr) return weir::complete_without_memory(runtime, token);
  return weir::complete_with_value(runtime, token, value);
}

weir_status weir_complete_pointer(weir_runtime *runtime, weir_token token, void *pointer,
                                  weir_free_fn free_pointer) {
  weir_value *value =
      runtime == nullptr ? nullptr : weir::make_pointer(runtime->heap(), pointer, free_pointer);
  if (value == nullptr && free_pointer != nullptr) free_pointer(pointer);
  if (runtime == nullptr) return WEIR_EINVAL;
  if (value == nullptr) return weir::complete_without_memory(runtime, token);
  return weir::complete_with_value(runtime, token, value);
}

weir_status weir_fail(weir_runtime *runtime, weir_token token, uint32_t domain, int64_t code,
                      const char *message) {
  if (runtime == nullptr) return WEIR_EINVAL;
  weir_error *error = weir::make_error(runtime->heap(), WEIR_EFAILED, domain, code, message);
  if (error == nullptr) return weir::complete_without_memory(runtime, token);
  return weir_fail_with(runtime, token, error);
}

weir_status weir_fail_with(weir_runtime *runtime, weir_token token, weir_error *error) {
  if (error == nullptr) return WEIR_EINVAL;
  return weir_complete_with(runtime, token, nullptr, error, nullptr);
}

weir_status weir_complete_with(weir_runtime *runtime, weir_token token, weir_value *value,
                               weir_error *error, const weir_completion *completion) {
  Result result;
  if (error != nullptr) {
    result.set_error(error);
    weir::unref_value(value);
  } else {
    result.set_value(value);
  }
  if (runtime == nullptr) return WEIR_EINVAL;
  weir_completion judged = weir::default_completion;
  weir_status status = weir::read_completion(completion, judged);
  if (status != WEIR_OK) return status;
  result.class_ = judged.class_;
  result.final = judged.final;
  result.retry_after_ms = judged.retry_after_ms;
  return runtime->complete(token, static_cast<Result &&>(result));
}

/* src/engine/completions.cc */

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>

using weir::Lock;
using weir::Record;

weir_completions::weir_completions(weir_runtime *runtime)
    : Handle(runtime, weir::end_handle<weir_completions>), closed_record_(nullptr) {}

weir_completions::~weir_completions() {
  runtime()->remove_queue(*this);
  if (descriptor >= 0) ::close(descriptor);
}

void weir_completions::user_unref() {
  if (users_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  {
    Lock lock(mutex_);
    ended_ = true;
  }
  while (Record *record = pop_given_up()) {
    if (record->drained != nullptr) record->drained(*record, false);
  }
  unref();
}

// A record without `drained` may be gone as soon as the mutex is released: it is only dropped.
Record *weir_completions::pop_given_up() {
  Lock lock(mutex_);
  while (Record *record = records_.pop_front()) {
    record->queued = false;
    if (record->drained != nullptr) return record;
  }
  return nullptr;
}

void weir_completions::post(Record &record) {
  bool edge = false;
  if (!enqueue(record, edge)) {
    if (record.drained != nullptr) record.drained(record, false);
    return;
  }
  if (edge && notify) notify();
}

// False if nobody will drain it.
bool weir_completions::enqueue(Record &record, bool &edge) {
  Lock lock(mutex_);
  if (ended_) return false;
  edge = records_.empty();
  record.queued = true;
  records_.push_back(&record);
  if (waiters_ > 0) condition_.wake_all();
  if (edge && descriptor >= 0) signal();
  return true;
}

bool weir_completions::revoke(Record &record) {
  Lock lock(mutex_);
  if (!record.queued) return false;
  record.queued = false;
  records_.remove(&record);
  return true;
}

void weir_completions::signal() const {
  uint64_t one = 1;
  // Can only fail when the counter is full, and then the descriptor is readable already.
  [[maybe_unused]] ssize_t written = write(descriptor, &one, sizeof(one));
}

void weir_completions::clear_descriptor() const {
  uint64_t count = 0;
  [[maybe_unused]] ssize_t got = read(descriptor, &count, sizeof(count));
}

size_t weir_completions::drain(weir_record *records, size_t record_size, size_t capacity) {
  weir::List<Record> told;
  size_t count = 0;
  bool left;
  {
    Lock lock(mutex_);
    if (descriptor >= 0) clear_descriptor();
    count = pop(records, record_size, capacity, told);
    left = !records_.empty();
    if (left && descriptor >= 0) signal();
  }
  if (left && count > 0 && notify) notify();
  // The last of these may hold the last reference of this queue.
  while (Record *record = told.pop_front()) record->drained(*record, true);
  return count;
}

// Copies records out; those that want to know go to `told`. Under the mutex.
size_t weir_completions::pop(weir_record *records, size_t record_size, size_t capacity,
                             weir::List<Record> &told) {
  auto *target = reinterpret_cast<unsigned char *>(records);
  size_t known = record_size < sizeof(weir_record) ? record_size : sizeof(weir_record);
  size_t count = 0;
  for (; count < capacity; ++count, target += record_size) {
    Record *record = records_.pop_front();
    if (record == nullptr) break;
    record->queued = false;
    std::memcpy(target, &record->content, known);
    if (record_size > known) std::memset(target + known, 0, record_size - known);
    if (record->drained != nullptr && record->tell == Record::Tell::always) told.push_back(record);
  }
  return count;
}

size_t weir_completions::wait(weir_record *records, size_t record_size, size_t capacity,
                              int64_t timeout_ms) {
  int64_t until = weir::deadline_after(weir::monotonic_now(), weir::ms_to_ns(timeout_ms));
  {
    Lock lock(mutex_);
    ++waiters_;
    bool in_time = true;
    while (in_time && records_.empty()) in_time = condition_.wait_until(mutex_, until);
    --waiters_;
  }
  return drain(records, record_size, capacity);
}

void weir_completions::runtime_closed() {
  closed_record_.content.kind = WEIR_RECORD_CLOSED;
  post(closed_record_);
}

namespace weir {
namespace {

constexpr weir_completions_options default_completions_options = WEIR_COMPLETIONS_OPTIONS_INIT;

bool drain_arguments_legal(const weir_completions *queue, const weir_record *records,
                           size_t record_size, size_t capacity) {
  return queue != nullptr && records != nullptr && record_size >= sizeof(uint64_t) &&
         record_size % sizeof(uint64_t) == 0 && capacity > 0;
}

weir_status open_queue(weir_completions &queue, const weir_completions_options &options) {
  if (!queue.set_name(options.name)) return WEIR_ENOMEM;
  if (options.with_fd == 0) return WEIR_OK;
  queue.descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return queue.descriptor < 0 ? WEIR_ENOTSUP : WEIR_OK;
}

}  // namespace
}  // namespace weir

void weir_completions_options_init(weir_completions_options *options, size_t size) {
  weir::init_options(options, size, weir::default_completions_options);
}

weir_status weir_completions_new(weir_runtime *runtime, const weir_completions_options *options,
                                 weir_completions **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_completions_options read = weir::default_completions_options;
  weir_status status = weir::read_options(read, options, "completions options", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_notify_fn> notify(read.notify, read.notify_data, read.notify_free_data);
  weir::Check check("completions", heap, error);
  check.rule(runtime != nullptr, "runtime must not be NULL")
      .rule(out != nullptr, "out must not be NULL")
      .range("with_fd", read.with_fd, 0, 1);
  if (!check.ok()) return check.status();
  auto *queue = weir::make_handle<weir_completions>(heap, runtime);
  if (queue == nullptr) return weir::report(error, heap, WEIR_ENOMEM, "completions: out of memory");
  runtime->add_queue(*queue);
  queue->notify = static_cast<weir::Callback<weir_notify_fn> &&>(notify);
  status = weir::open_queue(*queue, read);
  if (status != WEIR_OK) {
    queue->user_unref();
    return weir::report(error, heap, status, "completions: %s", weir_status_message(status));
  }
  *out = queue;
  return WEIR_OK;
}

weir_completions *weir_completions_ref(weir_completions *queue) {
  if (queue != nullptr) queue->user_ref();
  return queue;
}

void weir_completions_unref(weir_completions *queue) {
  if (queue != nullptr) queue->user_unref();
}

size_t weir_completions_drain(weir_completions *queue, weir_record *records, size_t record_size,
                              size_t capacity) {
  if (!weir::drain_arguments_legal(queue, records, record_size, capacity)) return 0;
  return queue->drain(records, record_size, capacity);
}

size_t weir_completions_wait(weir_completions *queue, weir_record *records, size_t record_size,
                             size_t capacity, int64_t timeout_ms) {
  bool legal = weir::drain_arguments_legal(queue, records, record_size, capacity);
  if (!legal || timeout_ms < WEIR_FOREVER) return 0;
  if (queue->runtime()->on_thread()) timeout_ms = 0;
  return queue->wait(records, record_size, capacity, timeout_ms);
}

int weir_completions_fd(weir_completions *queue) {
  return queue == nullptr ? -1 : queue->descriptor;
}

/* src/engine/error.cc */

#include <cstring>

namespace weir {
namespace {

// Index i is status -i. Never written: an error without a heap is not counted.
constinit weir_error immortals[] = {
    weir_error(WEIR_OK),         weir_error(WEIR_EINVAL),      weir_error(WEIR_ENOMEM),
    weir_error(WEIR_EABI),       weir_error(WEIR_ECANCELLED),  weir_error(WEIR_ETIMEDOUT),
    weir_error(WEIR_ENOTIME),    weir_error(WEIR_EOPEN),       weir_error(WEIR_ELIMITED),
    weir_error(WEIR_EFULL),      weir_error(WEIR_EFAILED),     weir_error(WEIR_EAGGREGATE),
    weir_error(WEIR_EEXHAUSTED), weir_error(WEIR_ESUPERSEDED), weir_error(WEIR_ESTALE),
    weir_error(WEIR_ECLOSED),    weir_error(WEIR_ENOTFOUND),   weir_error(WEIR_EEXISTS),
    weir_error(WEIR_ENOTSUP),    weir_error(WEIR_ETHREAD),     weir_error(WEIR_EEXPIRED),
    weir_error(WEIR_EFORKED),    weir_error(WEIR_ESTOP),
};
constexpr int immortal_count = static_cast<int>(sizeof(immortals) / sizeof(immortals[0]));

// A block with room for `count` entries and `text` bytes behind the header.
weir_error *make_block(Heap *heap, weir_status status, uint32_t domain, int64_t code,
                       uint64_t count, size_t text) {
  if (count > (SIZE_MAX / 2 - sizeof(weir_error) - text) / sizeof(weir_error::Entry)) {
    return nullptr;
  }
  size_t size = sizeof(weir_error) + count * sizeof(weir_error::Entry) + text;
  void *memory = heap->allocate(size);
  if (memory == nullptr) return nullptr;
  auto *error = new (memory) weir_error(heap, status, domain, code);
  error->block_size = size;
  error->entries = reinterpret_cast<weir_error::Entry *>(error + 1);
  error->entry_count = count;
  return error;
}

// Frees one error and returns its cause, whose reference passes to the caller.
weir_error *free_error(weir_error *error) {
  unref_value(error->detail);
  for (uint64_t i = 0; i < error->entry_count; ++i) unref_error(error->entries[i].error);
  weir_error *cause = error->cause;
  Heap *heap = error->heap;
  heap->free(error, error->block_size);
  heap->release();
  return cause;
}

bool was_last(weir_error *error) {
  return error->references.load(std::memory_order_acquire) == 1 ||
         error->references.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace

weir_error *bare_error(weir_status status) {
  bool known = status <= 0 && status > -immortal_count;
  return &immortals[known ? -status : -WEIR_EFAILED];
}

weir_error *make_error(Heap *heap, weir_status status, uint32_t domain, int64_t code,
                       const char *message) {
  size_t text = message == nullptr ? 0 : std::strlen(message) + 1;
  weir_error *error = make_block(heap, status, domain, code, 0, text);
  if (error == nullptr || message == nullptr) return error;
  char *copy = reinterpret_cast<char *>(error + 1);
  std::memcpy(copy, message, text);
  error->message = copy;
  return error;
}

weir_error *make_aggregate(Heap *heap, const weir_error::Entry *entries, uint64_t count) {
  weir_error *error =
      make_block(heap, WEIR_EAGGREGATE, WEIR_DOMAIN_WEIR, WEIR_EAGGREGATE, count, 0);
  if (error == nullptr) return nullptr;
  if (count > 0) std::memcpy(error->entries, entries, count * sizeof(entries[0]));
  return error;
}

}  // namespace weir

// A chain of causes is freed in a loop, so its length does not matter to the stack.
void weir_error::unref() {
  for (weir_error *error = this; error != nullptr && error->heap != nullptr;) {
    if (!weir::was_last(error)) return;
    error = weir::free_error(error);
  }
}

weir_status weir_error_new(weir_runtime *runtime, uint32_t domain, int64_t code,
                           const char *message, weir_error **out) {
  return weir_error_new_with(runtime, domain, code, message, nullptr, nullptr, out);
}

weir_status weir_error_new_with(weir_runtime *runtime, uint32_t domain, int64_t code,
                                const char *message, weir_error *cause, weir_value *detail,
                                weir_error **out) {
  if (out == nullptr) return WEIR_EINVAL;
  *out = weir::make_error(weir::heap_of(runtime), WEIR_EFAILED, domain, code, message);
  if (*out == nullptr) return WEIR_ENOMEM;
  (*out)->cause = weir::ref_error(cause);
  (*out)->detail = weir::ref_value(detail);
  return WEIR_OK;
}

weir_error *weir_error_ref(weir_error *error) { return weir::ref_error(error); }

void weir_error_unref(weir_error *error) { weir::unref_error(error); }

weir_status weir_error_status(const weir_error *error) {
  return error == nullptr ? weir_status{WEIR_OK} : error->status;
}

uint32_t weir_error_domain(const weir_error *error) {
  return error == nullptr ? uint32_t{WEIR_DOMAIN_WEIR} : error->domain;
}

int64_t weir_error_code(const weir_error *error) { return error == nullptr ? 0 : error->code; }

const char *weir_error_message(const weir_error *error) {
  if (error == nullptr) return "";
  if (error->message != nullptr) return error->message;
  return error->heap == nullptr ? weir_status_message(error->status) : "";
}

weir_error *weir_error_cause(const weir_error *error) {
  return error == nullptr ? nullptr : error->cause;
}

size_t weir_error_count(const weir_error *error) {
  return error == nullptr ? 0 : error->entry_count;
}

weir_error *weir_error_at(const weir_error *error, size_t position, size_t *index) {
  if (error == nullptr || position >= error->entry_count) return nullptr;
  if (index != nullptr) *index = error->entries[position].index;
  return error->entries[position].error;
}

weir_value *weir_error_detail(const weir_error *error) {
  return error == nullptr ? nullptr : error->detail;
}

/* src/engine/handle.cc */

namespace weir {

Handle::Handle(weir_runtime *runtime, EndFn end)
    : runtime_(runtime), heap_(runtime->heap()), end_(end), drop_task_(this) {
  runtime_->retain_shell();
}

Handle::~Handle() { heap_->free_text(name_); }

void Handle::unref() {
  if (outside_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (inside_.load(std::memory_order_acquire) == 0) {
    end();
  } else {
    runtime_->post(drop_task_);
  }
}

void Handle::leave() {
  // `dropped_` is read first: once inside_ is 0 another thread may end the handle, unless it was
  // dropped, and then this is the end.
  bool last = inside() == 1 && dropped_;
  inside_.store(inside() - 1, std::memory_order_release);
  if (last) end();
}

void Handle::drop(weir_runtime &, Task &task) {
  Handle *handle = static_cast<DropTask &>(task).handle;
  handle->dropped_ = true;
  if (handle->inside() == 0) handle->end();
}

bool Handle::set_name(const char *name) {
  bool ok = true;
  name_ = heap_->copy_text(name, ok);
  return ok;
}

void Handle::end() {
  weir_runtime *runtime = runtime_;
  end_(this);
  runtime->release_shell();
}

}  // namespace weir

/* src/engine/operation.cc */

//
// Operations made from start functions, blocking functions and completion queues: three leaves that
// differ in how an attempt begins.

/* src/engine/operation.hh */

//
// The inside of weir_operation: a handle with a plan whose last layer is the leaf, which does the
// work. Kinds of operations differ only in their leaf; wrapping puts a policy's layers before it.

struct weir_operation : weir::Handle {
  // An operation whose plan is the one leaf `type`.
  weir_operation(weir_runtime *runtime, EndFn end, const weir::LayerType *type)
      : Handle(runtime, end), single{type, this, 0} {
    plan = {&single, 1, type == nullptr ? 0 : type->state_size};
  }

  weir::PlanEntry single;
  weir::Plan plan;
};

#include <utility>

namespace weir {
namespace {

// ---- the leaf that all three share ----
//
//   signal   does                                              answers
//   start    reserves and starts an attempt                    wait; outer if it completed inline,
//                                                              or could not be had
//   wake     the attempt's completion arrived                  outer
//   stop     tells the attempt                                 -

struct LeafState : Layer {
  Attempt *attempt;
};

struct UserOperation : weir_operation {
  UserOperation(weir_runtime *runtime, const LayerType *type, Callback<weir_start_fn> &&start_fn)
      : weir_operation(runtime, end_handle<UserOperation>, type),
        start(static_cast<Callback<weir_start_fn> &&>(start_fn)) {}
  Callback<weir_start_fn> start;
};

struct BlockingOperation : weir_operation {
  BlockingOperation(weir_runtime *runtime, const LayerType *type,
                    Callback<weir_blocking_fn> &&blocking_fn)
      : weir_operation(runtime, end_handle<BlockingOperation>, type),
        function(static_cast<Callback<weir_blocking_fn> &&>(blocking_fn)) {}
  Callback<weir_blocking_fn> function;
};

struct QueuedOperation : weir_operation {
  QueuedOperation(weir_completions &target, const LayerType *type, uint64_t user_word)
      : weir_operation(target.runtime(), end_handle<QueuedOperation>, type),
        queue(ref_handle(&target)),
        user(user_word) {}
  ~QueuedOperation() { queue->unref(); }
  weir_completions *queue;
  uint64_t user;
};

int64_t remaining(const weir_call &run) {
  int64_t deadline = run.deadline();
  if (deadline == never_ns) return never_ns;
  int64_t left = deadline - run.runtime().now();
  return left < 0 ? 0 : left;
}

weir_attempt describe(const weir_call &run, const Attempt &attempt) {
  return {
      sizeof(weir_attempt),  run.attempts(), attempt.token(), &run.runtime(), run.request().input,
      run.request().context, remaining(run), nullptr,         nullptr,        nullptr};
}

// Starts the reserved attempt, or answers that there is none: out of memory.
Attempt *begin_attempt(weir_call &run, LeafState &state) {
  Attempt *attempt = run.take_attempt();
  state.attempt = attempt;
  if (attempt == nullptr) {
    run.result().set_status(WEIR_ENOMEM);
    run.result().stop_reason = WEIR_STOP_NO_MEMORY;
    return nullptr;
  }
  attempt->run = &run;
  attempt->leaf = state.index;
  attempt->obligation = run.obligation();
  run.note_attempt();
  run.runtime().attempt_started(*attempt);
  return attempt;
}

// The attempt's result becomes the run's.
Next finish_attempt(weir_call &run, LeafState &state) {
  Attempt *attempt = state.attempt;
  run.result() = static_cast<Result &&>(attempt->result);
  run.note_status(run.result().status);
  run.runtime().attempt_over(*attempt);
  return Next::outer;
}

Next stop_attempt(weir_call &run, LeafState &state) {
  run.note_status(run.stop_reason() == WEIR_CANCEL_TIMEOUT ? WEIR_ETIMEDOUT : WEIR_ECANCELLED);
  run.runtime().cancel_attempt(*state.attempt, run.stop_reason());
  return Next::wait;
}

// ---- user's start function ----

Next start_user(weir_call &run, LeafState &state) {
  Attempt *attempt = begin_attempt(run, state);
  if (attempt == nullptr) return Next::outer;
  weir_runtime &runtime = run.runtime();
  weir_attempt shown = describe(run, *attempt);
  runtime.begin_start(*attempt);
  static_cast<UserOperation *>(state.owner)->start(&shown);
  bool completed = runtime.end_start();
  attempt->on_cancel = shown.on_cancel;
  attempt->data = shown.data;
  attempt->free_data = shown.free_data;
  return completed ? finish_attempt(run, state) : Next::wait;
}

Next user_step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<LeafState &>(layer);
  switch (signal) {
    case Signal::start:
      return start_user(run, state);
    case Signal::wake:
      return finish_attempt(run, state);
    case Signal::stop:
      return stop_attempt(run, state);
    default:
      return Next::wait;
  }
}

void describe_leaf(const weir_call &, const Layer &, char *buffer, size_t size) {
  TextWriter(buffer, size).print("operation: completion");
}

// ---- START record ----

Next start_queued(weir_call &run, LeafState &state) {
  Attempt *attempt = begin_attempt(run, state);
  if (attempt == nullptr) return Next::outer;
  auto *operation = static_cast<QueuedOperation *>(state.owner);
  attempt->queue = ref_handle(operation->queue);
  weir_record &start = attempt->start_record.content;
  start.kind = WEIR_RECORD_START;
  start.user = operation->user;
  start.object = attempt->token();
  start.detail = reinterpret_cast<uintptr_t>(ref_value(run.request().input));
  start.number = static_cast<uint16_t>(run.attempts() > UINT16_MAX ? UINT16_MAX : run.attempts());
  attempt->cancel_record.content = start;
  attempt->cancel_record.content.kind = WEIR_RECORD_CANCEL;
  attempt->cancel_record.content.detail = 0;
  operation->queue->post(attempt->start_record);
  return Next::wait;
}

Next queued_step(weir_call &run, Layer &layer, Signal signal) {
  if (signal == Signal::start) return start_queued(run, static_cast<LeafState &>(layer));
  return user_step(run, layer, signal);
}

// ---- blocking function ----

struct BlockingAttempt : BlockingWork {
  weir_runtime *runtime;
  Callback<weir_blocking_fn> *function;
  weir_attempt shown;
};

// On a thread of the pool.
void do_blocking(BlockingWork &work) {
  auto &attempt = static_cast<BlockingAttempt &>(work);
  weir_value *value = nullptr;
  weir_error *error = nullptr;
  weir_status status = (*attempt.function)(&attempt.shown, &value, &error);
  Result result;
  if (status == WEIR_OK) {
    result.set_value(value);
    unref_error(error);
  } else {
    unref_value(value);
    result.set_error(error != nullptr ? error : bare_error(status));
    result.status = error != nullptr ? error->status : status;
  }
  unref_value(attempt.shown.input);
  attempt.runtime->complete(attempt.shown.token, static_cast<Result &&>(result));
}

// On the engine's thread, after do_blocking or instead of it.
void end_blocking(BlockingWork &work) {
  auto &attempt = static_cast<BlockingAttempt &>(work);
  weir_runtime *runtime = attempt.runtime;
  runtime->heap()->destroy(&attempt);
  runtime->release_shell();
}

Next start_blocking(weir_call &run, LeafState &state) {
  weir_runtime &runtime = run.runtime();
  auto *work = runtime.heap()->make<BlockingAttempt>();
  Attempt *attempt = work == nullptr ? nullptr : begin_attempt(run, state);
  if (attempt == nullptr) {
    runtime.heap()->destroy(work);
    run.result().set_status(WEIR_ENOMEM);
    run.result().stop_reason = WEIR_STOP_NO_MEMORY;
    return Next::outer;
  }
  work->work = do_blocking;
  work->done = end_blocking;
  work->runtime = &runtime;
  work->function = &static_cast<BlockingOperation *>(state.owner)->function;
  work->shown = describe(run, *attempt);
  ref_value(work->shown.input);
  runtime.retain_shell();
  if (runtime.driver()->type->submit(*runtime.driver(), *work) == WEIR_OK) return Next::wait;
  unref_value(work->shown.input);
  weir_token token = work->shown.token;
  end_blocking(*work);
  Result failure;
  failure.set_status(WEIR_ENOMEM);
  runtime.complete(token, static_cast<Result &&>(failure));
  return Next::wait;
}

Next blocking_step(weir_call &run, Layer &layer, Signal signal) {
  if (signal == Signal::start) return start_blocking(run, static_cast<LeafState &>(layer));
  return user_step(run, layer, signal);
}

constexpr LayerType user_type = {"operation", layer_size(sizeof(LeafState)), user_step,
                                 describe_leaf, true};
constexpr LayerType queued_type = {"operation", layer_size(sizeof(LeafState)), queued_step,
                                   describe_leaf, true};
constexpr LayerType blocking_type = {"operation", layer_size(sizeof(LeafState)), blocking_step,
                                     describe_leaf, true};

template <typename T, typename... Args>
weir_status make_operation(Heap *heap, weir_operation **out, weir_error **error, Args &&...args) {
  *out = make_handle<T>(heap, std::forward<Args>(args)...);
  if (*out != nullptr) return WEIR_OK;
  return report(error, heap, WEIR_ENOMEM, "operation: out of memory");
}

}  // namespace

void Attempt::start_drained(Record &record, bool) {
  Attempt *attempt = static_cast<AttemptRecord &>(record).attempt;
  Result closed;
  closed.set_status(WEIR_ECLOSED);
  unref_value(reinterpret_cast<weir_value *>(static_cast<uintptr_t>(record.content.detail)));
  attempt->run->runtime().complete(record.content.object, static_cast<Result &&>(closed));
}

}  // namespace weir

using weir::Check;
using weir::Heap;

weir_status weir_operation_new(weir_runtime *runtime, weir_start_fn start, void *data,
                               weir_free_fn free_data, weir_operation **out, weir_error **error) {
  weir::Callback<weir_start_fn> callback(start, data, free_data);
  if (out != nullptr) *out = nullptr;
  Heap *heap = weir::heap_of(runtime);
  Check check("operation", heap, error);
  check.rule(runtime != nullptr, "runtime must not be NULL")
      .rule(start != nullptr, "start must not be NULL")
      .rule(out != nullptr, "out must not be NULL");
  if (!check.ok()) return check.status();
  return weir::make_operation<weir::UserOperation>(
      heap, out, error, runtime, &weir::user_type,
      static_cast<weir::Callback<weir_start_fn> &&>(callback));
}

weir_status weir_operation_new_blocking(weir_runtime *runtime, weir_blocking_fn function,
                                        void *data, weir_free_fn free_data, weir_operation **out,
                                        weir_error **error) {
  weir::Callback<weir_blocking_fn> callback(function, data, free_data);
  if (out != nullptr) *out = nullptr;
  Heap *heap = weir::heap_of(runtime);
  Check check("operation", heap, error);
  check.rule(runtime != nullptr, "runtime must not be NULL")
      .rule(function != nullptr, "function must not be NULL")
      .rule(out != nullptr, "out must not be NULL");
  if (!check.ok()) return check.status();
  if (runtime->driver()->type->submit == nullptr) {
    return weir::report(error, heap, WEIR_ENOTSUP,
                        "operation: the manual driver has no threads for blocking functions");
  }
  return weir::make_operation<weir::BlockingOperation>(
      heap, out, error, runtime, &weir::blocking_type,
      static_cast<weir::Callback<weir_blocking_fn> &&>(callback));
}

weir_status weir_operation_new_queued(weir_completions *queue, uint64_t user, weir_operation **out,
                                      weir_error **error) {
  if (out != nullptr) *out = nullptr;
  Heap *heap = queue == nullptr ? Heap::standard() : queue->heap();
  Check check("operation", heap, error);
  check.rule(queue != nullptr, "queue must not be NULL")
      .rule(out != nullptr, "out must not be NULL");
  if (!check.ok()) return check.status();
  return weir::make_operation<weir::QueuedOperation>(heap, out, error, *queue, &weir::queued_type,
                                                     user);
}

weir_operation *weir_operation_ref(weir_operation *operation) {
  return weir::ref_handle(operation);
}

void weir_operation_unref(weir_operation *operation) { weir::unref_handle(operation); }

/* src/engine/options.cc */

#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace weir {
namespace {

constexpr size_t message_size = 256;

void store_error(weir_error **error, Heap *heap, weir_status status, const char *message) {
  if (error == nullptr) return;
  *error = make_error(heap, status, WEIR_DOMAIN_WEIR, status, message);
  if (*error == nullptr) *error = bare_error(status);
}

bool all_zero(const unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

// Larger sizes are garbage rather than a later version.
constexpr size_t largest_struct = 4096;

}  // namespace

weir_status report(weir_error **error, Heap *heap, weir_status status, const char *format, ...) {
  char message[message_size];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  store_error(error, heap, status, message);
  return status;
}

weir_status read_sized(void *target, size_t known, const void *source, size_t given,
                       const char *what, Heap *heap, weir_error **error) {
  if (given == 0) {
    return report(error, heap, WEIR_EABI, "%s.size must be sizeof the struct (got 0)", what);
  }
  if (given < sizeof(uint64_t) || given > largest_struct) {
    return report(error, heap, WEIR_EABI, "%s.size must be sizeof the struct (got %zu)", what,
                  given);
  }
  const auto *bytes = static_cast<const unsigned char *>(source);
  if (given > known && !all_zero(bytes + known, given - known)) {
    return report(error, heap, WEIR_EABI,
                  "%s has fields that this version does not know (%zu bytes, known are %zu)", what,
                  given, known);
  }
  std::memcpy(target, source, given < known ? given : known);
  return WEIR_OK;
}

Check &Check::range(const char *field, int64_t value, int64_t low, int64_t high) {
  if (value < low) {
    return rule(false, "%s must be at least %lld (got %lld)", field, static_cast<long long>(low),
                static_cast<long long>(value));
  }
  return rule(value <= high, "%s must be at most %lld (got %lld)", field,
              static_cast<long long>(high), static_cast<long long>(value));
}

Check &Check::range_or(const char *field, int64_t value, int64_t low, int64_t high,
                       const char *word) {
  if (value == -1) return *this;
  if (value < low) {
    return rule(false, "%s must be at least %lld, or -1 for %s (got %lld)", field,
                static_cast<long long>(low), word, static_cast<long long>(value));
  }
  return range(field, value, low, high);
}

Check &Check::real(const char *field, double value, double low, double high) {
  return rule(value >= low && value <= high, "%s must be from %g to %g (got %g)", field, low, high,
              value);
}

Check &Check::real_above(const char *field, double value, double low, double high) {
  return rule(value > low && value <= high, "%s must be above %g and at most %g (got %g)", field,
              low, high, value);
}

Check &Check::rule(bool holds, const char *format, ...) {
  if (holds || status_ != WEIR_OK) return *this;
  char text[message_size];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  status_ = report(error_, heap_, WEIR_EINVAL, "%s.%s", subject_, text);
  return *this;
}

}  // namespace weir

/* src/engine/outcome.cc */

namespace weir {

void Result::unref_both() {
  unref_value(value);
  unref_error(error);
}

void Result::set_error(weir_error *taken) {
  clear();
  channel = WEIR_CHANNEL_ERROR;
  status = taken->status;
  error = taken;
}

void Result::set_status(weir_status bare) {
  set_error(bare_error(bare));
  status = bare;
}

void Result::set_stopped(weir_status stopped, uint32_t reason) {
  clear();
  channel = WEIR_CHANNEL_STOPPED;
  status = stopped;
  cancel_reason = reason;
}

namespace {

const char *stop_reason_text(uint32_t reason) {
  constexpr const char *texts[] = {"",        "attempts", "elapsed",    "budget",   "no time left",
                                   "refused", "final",    "classified", "no memory"};
  return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "unknown";
}

const char *cancel_reason_text(uint32_t reason) {
  constexpr const char *texts[] = {"",          "by the caller", "by its deadline", "by a timeout",
                                   "lost race", "superseded",    "by shutdown"};
  return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "unknown";
}

void print_domain(TextWriter &line, const weir_error *error) {
  constexpr const char *names[] = {"weir", "errno", "uv", "http", "grpc", "curl"};
  uint32_t domain = weir_error_domain(error);
  if (domain < sizeof(names) / sizeof(names[0])) {
    line.print("%s %lld", names[domain], static_cast<long long>(weir_error_code(error)));
  } else {
    line.print("domain %u code %lld", domain, static_cast<long long>(weir_error_code(error)));
  }
}

void print_failure(TextWriter &line, const weir_outcome &outcome) {
  const weir_error *error = outcome.error;
  if (outcome.status != WEIR_EFAILED) {
    line.print("failed: %s", weir_status_message(outcome.status));
  } else {
    line.print("failed: ");
    print_domain(line, error);
  }
  const char *message = weir_error_message(error);
  bool bare = error == nullptr || error->heap == nullptr;
  if (message[0] != '\0' && !bare) line.print(" '%s'", message);
}

void print_counts(TextWriter &line, const weir_outcome &outcome) {
  line.print(" after %u attempt%s in %.3f ms", outcome.attempts, outcome.attempts == 1 ? "" : "s",
             static_cast<double>(outcome.elapsed_ns) / static_cast<double>(ns_per_ms));
  if (outcome.stop_reason != WEIR_STOP_NONE) {
    line.print(" (stopped: %s)", stop_reason_text(outcome.stop_reason));
  }
  if (outcome.retry_after_ms >= 0) {
    line.print(" (retry after %lld ms)", static_cast<long long>(outcome.retry_after_ms));
  }
}

}  // namespace
}  // namespace weir

size_t weir_outcome_describe(const weir_outcome *outcome, char *buffer, size_t size) {
  weir::TextWriter line(buffer, buffer == nullptr ? 0 : size);
  if (outcome == nullptr) {
    line.print("no outcome");
    return line.length();
  }
  switch (outcome->channel) {
    case WEIR_CHANNEL_VALUE:
      line.print("succeeded");
      break;
    case WEIR_CHANNEL_ERROR:
      weir::print_failure(line, *outcome);
      break;
    case WEIR_CHANNEL_STOPPED:
      line.print("stopped %s: %s", weir::cancel_reason_text(outcome->cancel_reason),
                 weir_status_message(outcome->status));
      break;
    default:
      line.print("not settled");
      return line.length();
  }
  weir::print_counts(line, *outcome);
  return line.length();
}

void weir_outcome_release(weir_outcome *outcome) {
  if (outcome == nullptr) return;
  weir_call *held = outcome->held;
  outcome->held = nullptr;
  outcome->value = nullptr;
  outcome->error = nullptr;
  outcome->rejection = nullptr;
  if (held != nullptr) held->unref();
}

/* src/engine/policy.cc */

/* src/engine/policy.hh */

//
// The inside of weir_policy: a handle with a plan. A plan is the row of layers that a run passes
// through, outermost first, with the place of each layer's state in the run's block. A plain policy
// is a plan of one layer; a pipeline and a wrapped operation put several plans in a row.

namespace weir {

// Judges outcomes as a policy's options say: callback, or list of error ranges, or what the
// completer attached, or the table in weir/status.h. Immutable once set up; any thread.
class Classifier {
 public:
  Classifier() = default;
  Classifier(const Classifier &) = delete;
  Classifier &operator=(const Classifier &) = delete;
  Classifier(Classifier &&other) noexcept;
  Classifier &operator=(Classifier &&other) noexcept;
  ~Classifier();

  // Takes the callback triple; copies the ranges. False without memory (the triple is then freed
  // with this object).
  bool set(Heap *heap, Callback<weir_classify_fn> callback, const weir_error_range *ranges,
           uint64_t range_count);

  // Never WEIR_CLASS_NONE.
  uint32_t judge(const weir_outcome &outcome) const;

 private:
  bool counts(const weir_error *error) const;

  Callback<weir_classify_fn> callback_;
  Heap *heap_ = nullptr;
  weir_error_range *ranges_ = nullptr;
  uint64_t range_count_ = 0;
};

// The class by the table alone.
uint32_t default_class(const weir_outcome &outcome);

}  // namespace weir

struct weir_policy : weir::Handle {
  // A policy of one layer.
  weir_policy(weir_runtime *runtime, EndFn end, uint32_t policy_kind, const weir::LayerType *type)
      : Handle(runtime, end), kind(policy_kind), single{type, this, 0} {
    plan = {&single, 1, type == nullptr ? 0 : type->state_size};
  }

  uint32_t kind;
  weir::PlanEntry single;
  weir::Plan plan;
};

#include <cstring>

namespace weir {

Classifier::Classifier(Classifier &&other) noexcept
    : callback_(static_cast<Callback<weir_classify_fn> &&>(other.callback_)),
      heap_(other.heap_),
      ranges_(other.ranges_),
      range_count_(other.range_count_) {
  other.ranges_ = nullptr;
  other.range_count_ = 0;
}

Classifier &Classifier::operator=(Classifier &&other) noexcept {
  if (this == &other) return *this;
  this->~Classifier();
  return *new (this) Classifier(static_cast<Classifier &&>(other));
}

Classifier::~Classifier() {
  if (ranges_ != nullptr) heap_->free(ranges_, range_count_ * sizeof(weir_error_range));
}

bool Classifier::set(Heap *heap, Callback<weir_classify_fn> callback,
                     const weir_error_range *ranges, uint64_t range_count) {
  heap_ = heap;
  callback_ = static_cast<Callback<weir_classify_fn> &&>(callback);
  if (ranges == nullptr || range_count == 0) return true;
  if (range_count > SIZE_MAX / sizeof(weir_error_range)) return false;
  size_t size = range_count * sizeof(weir_error_range);
  ranges_ = static_cast<weir_error_range *>(heap->allocate(size));
  if (ranges_ == nullptr) return false;
  std::memcpy(ranges_, ranges, size);
  range_count_ = range_count;
  return true;
}

bool Classifier::counts(const weir_error *error) const {
  for (uint64_t i = 0; i < range_count_; ++i) {
    const weir_error_range &range = ranges_[i];
    int64_t code = weir_error_code(error);
    if (range.domain == weir_error_domain(error) && code >= range.code_min &&
        code <= range.code_max) {
      return true;
    }
  }
  return false;
}

uint32_t Classifier::judge(const weir_outcome &outcome) const {
  if (callback_) {
    uint32_t judged = callback_(&outcome);
    if (judged > WEIR_CLASS_NONE && judged <= WEIR_CLASS_ABANDON) return judged;
  }
  if (ranges_ != nullptr && outcome.status == WEIR_EFAILED) {
    return counts(outcome.error) ? WEIR_CLASS_FAILURE : WEIR_CLASS_IGNORE;
  }
  if (outcome.class_ != WEIR_CLASS_NONE) return outcome.class_;
  return default_class(outcome);
}

uint32_t default_class(const weir_outcome &outcome) {
  if (outcome.channel == WEIR_CHANNEL_VALUE) return WEIR_CLASS_SUCCESS;
  if (outcome.channel == WEIR_CHANNEL_STOPPED) return WEIR_CLASS_ABANDON;
  return is_refusal(outcome.status) ? WEIR_CLASS_REFUSAL : WEIR_CLASS_FAILURE;
}

namespace {

// A policy around an operation: its plan is the policy's and then the operation's.
struct WrappedOperation : weir_operation {
  WrappedOperation(weir_policy &outer, weir_operation &inner)
      : weir_operation(inner.runtime(), end_handle<WrappedOperation>, nullptr),
        policy(ref_handle(&outer)),
        operation(ref_handle(&inner)) {}
  ~WrappedOperation() {
    if (entries != nullptr) heap()->free(entries, plan.count * sizeof(PlanEntry));
    policy->unref();
    operation->unref();
  }

  bool join();

  weir_policy *policy;
  weir_operation *operation;
  PlanEntry *entries = nullptr;
};

bool WrappedOperation::join() {
  const Plan &outer = policy->plan;
  const Plan &inner = operation->plan;
  uint32_t count = outer.count + inner.count;
  entries = static_cast<PlanEntry *>(heap()->allocate(count * sizeof(PlanEntry)));
  if (entries == nullptr) return false;
  for (uint32_t i = 0; i < outer.count; ++i) entries[i] = outer.entries[i];
  for (uint32_t i = 0; i < inner.count; ++i) {
    entries[outer.count + i] = inner.entries[i];
    entries[outer.count + i].offset += outer.state_size;
  }
  plan = {entries, count, outer.state_size + inner.state_size};
  return true;
}

}  // namespace
}  // namespace weir

weir_policy *weir_policy_ref(weir_policy *policy) { return weir::ref_handle(policy); }

void weir_policy_unref(weir_policy *policy) { weir::unref_handle(policy); }

uint32_t weir_policy_kind(const weir_policy *policy) {
  return policy == nullptr ? uint32_t{WEIR_POLICY_NONE} : policy->kind;
}

const char *weir_policy_name(const weir_policy *policy) {
  return policy == nullptr ? "" : policy->name();
}

weir_status weir_policy_wrap(weir_policy *policy, weir_operation *operation, weir_operation **out,
                             weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = policy == nullptr ? weir::Heap::standard() : policy->heap();
  weir::Check check("wrap", heap, error);
  check.rule(policy != nullptr, "policy must not be NULL")
      .rule(operation != nullptr, "operation must not be NULL")
      .rule(out != nullptr, "out must not be NULL");
  if (!check.ok()) return check.status();
  uint32_t layers = policy->plan.count + operation->plan.count;
  check.rule(policy->runtime() == operation->runtime(), "policy must be of the operation's runtime")
      .rule(layers <= weir::max_layers / 2, "policy makes too many layers (%u, at most %u)", layers,
            weir::max_layers / 2);
  if (!check.ok()) return check.status();
  auto *wrapped = weir::make_handle<weir::WrappedOperation>(heap, *policy, *operation);
  if (wrapped == nullptr || !wrapped->join()) {
    weir::unref_handle(wrapped);
    return weir::report(error, heap, WEIR_ENOMEM, "wrap: out of memory");
  }
  *out = wrapped;
  return WEIR_OK;
}

/* src/engine/pool.cc */

namespace weir {

BlockPool::~BlockPool() {
  drain(local_);
  drain(shared_);
}

void *BlockPool::Lists::pop(uint32_t size_class) {
  Free *block = heads[size_class];
  if (block == nullptr) return nullptr;
  heads[size_class] = block->next;
  --lengths[size_class];
  return block;
}

void BlockPool::Lists::push(uint32_t size_class, void *block) {
  heads[size_class] = new (block) Free{heads[size_class]};
  ++lengths[size_class];
}

void *BlockPool::take(uint32_t size, bool local) {
  uint32_t size_class = class_of(size);
  void *block = nullptr;
  if (local) {
    if (size_class < classes) block = local_.pop(size_class);
    if (block == nullptr) block = heap_->allocate(size);
    if (block != nullptr) ++local_out_;
    return block;
  }
  Lock lock(mutex_);
  if (size_class < classes) block = shared_.pop(size_class);
  if (block == nullptr) block = heap_->allocate(size);
  if (block != nullptr) ++shared_out_;
  return block;
}

bool BlockPool::give(void *block, uint32_t size, bool local) {
  uint32_t size_class = class_of(size);
  if (local && !closed_) {
    --local_out_;
    if (size_class >= classes || local_.lengths[size_class] >= 2 * local_limit) {
      heap_->free(block, size);
      return false;
    }
    local_.push(size_class, block);
    if (local_.lengths[size_class] > local_limit) spill(size_class);
    return false;
  }
  Lock lock(mutex_);
  if (!closed_) --shared_out_;
  if (!closed_ && size_class < classes && shared_.lengths[size_class] < local_limit) {
    shared_.push(size_class, block);
  } else {
    // Under the mutex: close() must not pass, and the heap go, before this is done.
    heap_->free(block, size);
  }
  return closed_;
}

// Half of what the engine has too much of goes where other threads find it.
void BlockPool::spill(uint32_t size_class) {
  Lock lock(mutex_);
  for (uint32_t i = 0; i < local_limit / 2; ++i) {
    if (shared_.lengths[size_class] >= local_limit) return;
    shared_.push(size_class, local_.pop(size_class));
  }
}

void BlockPool::drain(Lists &lists) {
  for (uint32_t size_class = 0; size_class < classes; ++size_class) {
    while (void *block = lists.pop(size_class)) heap_->free(block, (size_class + 1) * granule);
  }
}

void BlockPool::trim() {
  drain(local_);
  Lock lock(mutex_);
  drain(shared_);
}

uint64_t BlockPool::close() {
  Lock lock(mutex_);
  closed_ = true;
  return local_out_ + shared_out_;
}

}  // namespace weir

/* src/engine/run.cc */

#include <cstring>

namespace weir {
namespace {

void layer_timer_fired(weir_runtime &, Timer &timer) {
  Layer &layer = *static_cast<LayerTimer &>(timer).layer;
  layer.run->signal(layer.index, Signal::timer);
}

void layer_task_run(weir_runtime &, Task &task) {
  Layer &layer = *static_cast<LayerTask &>(task).layer;
  weir_call &run = *layer.run;
  layer.task.queued = false;
  if (layer.task.wanted) {
    layer.task.wanted = false;
    run.signal(layer.index, Signal::wake);
  }
  run.unhold();
}

}  // namespace

Layer::Layer(weir_call *owning_run, Handle *layer_owner, uint32_t layer_index)
    : run(owning_run), owner(layer_owner), index(layer_index), task(layer_task_run) {
  timer.fire = layer_timer_fired;
  timer.layer = this;
  task.layer = this;
}

}  // namespace weir

using weir::Layer;
using weir::Next;
using weir::Phase;
using weir::Signal;

// ---- layers ----

const weir::PlanEntry &weir_call::entry(uint32_t index) const {
  uint32_t outer = policy_ == nullptr ? 0 : policy_->plan.count;
  return index < outer ? policy_->plan.entries[index] : operation_->plan.entries[index - outer];
}

Layer &weir_call::layer(uint32_t index) {
  char *states = reinterpret_cast<char *>(this) + layers_offset;
  uint32_t outer = policy_ == nullptr ? 0 : policy_->plan.count;
  if (index >= outer && policy_ != nullptr) states += policy_->plan.state_size;
  return *reinterpret_cast<Layer *>(states + entry(index).offset);
}

const Layer &weir_call::layer(uint32_t index) const {
  return const_cast<weir_call *>(this)->layer(index);
}

void weir_call::arm(Layer &layer, int64_t deadline_ns) {
  runtime_.wheel().disarm(layer.timer);
  runtime_.wheel().arm(layer.timer, deadline_ns, layer.index + 1,
                       outer_timer(layer.index, deadline_ns));
}

void weir_call::disarm(Layer &layer) { runtime_.wheel().disarm(layer.timer); }

// The nearest timer outside that is due at the same moment, so that the inner one fires first.
const weir::Timer *weir_call::outer_timer(uint32_t index, int64_t deadline_ns) {
  while (index-- > 0) {
    const weir::Timer &timer = layer(index).timer;
    if (timer.armed() && timer.deadline_ns == deadline_ns) return &timer;
  }
  return &deadline_timer_;
}

void weir_call::wake_later(Layer &layer) {
  layer.task.wanted = true;
  if (layer.task.queued) return;
  layer.task.queued = true;
  hold();
  runtime_.post(layer.task);
}

int64_t weir_call::narrow_deadline(int64_t deadline_ns) {
  int64_t before = deadline_ns_;
  if (deadline_ns < before) deadline_ns_ = deadline_ns;
  return before;
}

void weir_call::refuse(const weir_rejection &rejection, weir_error *error) {
  weir_error *shown =
      weir::ref_error(error == nullptr ? weir::bare_error(rejection.status) : error);
  result_.set_error(shown);
  result_.status = rejection.status;
  result_.retry_after_ms = rejection.retry_after_ms;
  result_.refused = true;
  rejection_ = rejection;
}

void weir_call::note_status(weir_status status) {
  statuses_[noted_++ % WEIR_OUTCOME_STATUSES] = status;
}

weir::Attempt *weir_call::take_attempt() {
  weir::Attempt *attempt = reserved_;
  reserved_ = nullptr;
  return attempt != nullptr ? attempt : runtime_.attempts().reserve(true);
}

// ---- walking ----

void weir_call::begin() {
  if (phase_.load(std::memory_order_relaxed) != Phase::queued) return;
  enlist();
  if (runtime_.life() != weir::Life::open) {
    stop(WEIR_ECLOSED, WEIR_CANCEL_SHUTDOWN);
    return;
  }
  phase_.store(Phase::running, std::memory_order_relaxed);
  runtime_.wheel().arm(deadline_timer_, deadline_ns_);
  active_ = 1;
  drive(0, Signal::start);
}

// The run is the engine's now.
void weir_call::enlist() {
  begun_ns_ = runtime_.now();
  runtime_.run_begun(*this);
  if (!remote_) return;
  operation_->enter();
  operation_->unref();
  if (policy_ == nullptr) return;
  policy_->enter();
  policy_->unref();
}

void weir_call::signal(uint32_t index, Signal signal) {
  if (index < active_) drive(index, signal);
}

void weir_call::drive(uint32_t index, Signal signal) {
  while (true) {
    switch (entry(index).type->step(*this, layer(index), signal)) {
      case Next::wait:
        return;
      case Next::inner:
        ++index;
        active_ = index + 1;
        signal = Signal::start;
        break;
      case Next::outer:
        active_ = index;
        if (index == 0) {
          settle();
          return;
        }
        --index;
        signal = Signal::result;
        break;
    }
  }
}

void weir_call::stop_inside(const Layer &layer, uint32_t reason) {
  stop_from(layer.index + 1, reason);
}

void weir_call::stop_from(uint32_t index, uint32_t reason) {
  stop_reason_ = reason;
  while (active_ > index) {
    --active_;
    entry(active_).type->step(*this, layer(active_), Signal::stop);
  }
}

void weir_call::stop(weir_status status, uint32_t reason) {
  if (phase_.load(std::memory_order_relaxed) >= Phase::settling) return;
  hold();
  stop_from(0, reason);
  result_.set_stopped(status, reason);
  settle();
  unhold();
}

void weir_call::deadline_fired(weir_runtime &, weir::Timer &timer) {
  static_cast<weir::CallTimer &>(timer).call->stop(WEIR_ETIMEDOUT, WEIR_CANCEL_DEADLINE);
}

void weir_call::run_task(weir_runtime &, weir::Task &task) {
  weir_call *call = static_cast<weir::CallTask &>(task).call;
  call->begin();
  call->unhold();
}

void weir_call::cancel_task(weir_runtime &, weir::Task &task) {
  weir_call *call = static_cast<weir::CallTask &>(task).call;
  Phase phase = call->phase_.load(std::memory_order_relaxed);
  if (phase == Phase::queued) call->enlist();
  if (phase < Phase::settling) call->stop(WEIR_ECANCELLED, WEIR_CANCEL_CALLER);
  call->unref();
}

// ---- settling ----

const weir_outcome &weir_call::view() {
  outcome_.size = sizeof(weir_outcome);
  outcome_.channel = result_.channel;
  outcome_.status = result_.status;
  outcome_.class_ = result_.class_;
  outcome_.attempts = attempts_;
  outcome_.stop_reason = result_.stop_reason;
  outcome_.cancel_reason = result_.cancel_reason;
  outcome_.final = result_.final;
  outcome_.elapsed_ns = runtime_.now() - begun_ns_;
  outcome_.retry_after_ms = result_.retry_after_ms;
  outcome_.value = result_.value;
  outcome_.error = result_.error;
  outcome_.rejection = result_.refused ? &rejection_ : nullptr;
  outcome_.held = nullptr;
  view_statuses();
  return outcome_;
}

// Oldest first, out of a ring.
void weir_call::view_statuses() {
  weir_status *shown = outcome_.statuses;
  if (noted_ <= WEIR_OUTCOME_STATUSES) {
    for (uint32_t i = 0; i < noted_; ++i) shown[i] = statuses_[i];
    for (uint32_t i = noted_; i < WEIR_OUTCOME_STATUSES; ++i) shown[i] = WEIR_OK;
    return;
  }
  for (uint32_t i = 0; i < WEIR_OUTCOME_STATUSES; ++i) {
    shown[i] = statuses_[(noted_ + i) % WEIR_OUTCOME_STATUSES];
  }
}

void weir_call::settle() {
  if (deadline_timer_.armed()) runtime_.wheel().disarm(deadline_timer_);
  view();
  phase_.store(Phase::settling, std::memory_order_release);
  if (queue_ != nullptr) {
    post_record();
  } else if (settle_) {
    settle_(this, &outcome_);
    runtime_.user_ran();
  }
  settle_.finish();
  phase_.store(Phase::settled, std::memory_order_seq_cst);
  if (waiters_.load(std::memory_order_seq_cst) != 0) {
    weir::Lock lock(runtime_.settle_mutex());
    runtime_.settle_condition().wake_all();
  }
  runtime_.run_settled(*this);
  unhold();
}

void weir_call::post_record() {
  weir_record &record = record_.content;
  record.kind = WEIR_RECORD_SETTLED;
  record.channel = static_cast<uint8_t>(result_.channel);
  record.status = result_.status;
  record.number = static_cast<uint16_t>(attempts_ > UINT16_MAX ? UINT16_MAX : attempts_);
  record.detail = static_cast<uint64_t>(outcome_.elapsed_ns);
  record.object = result_.channel == WEIR_CHANNEL_VALUE
                      ? reinterpret_cast<uintptr_t>(weir::ref_value(result_.value))
                      : reinterpret_cast<uintptr_t>(weir::ref_error(result_.error));
  ref();
  queue_->post(record_);
}

void weir_call::record_drained(weir::Record &record, bool kept) {
  weir_call *call = static_cast<weir::CallRecord &>(record).call;
  if (!kept && call->result_.channel == WEIR_CHANNEL_VALUE) weir::unref_value(call->result_.value);
  if (!kept && call->result_.channel != WEIR_CHANNEL_VALUE) weir::unref_error(call->result_.error);
  call->unref();
}

// ---- ends ----

void weir_call::unhold() {
  if (--holds_ != 0) return;
  if (reserved_ != nullptr) runtime_.attempts().release(reserved_, true);
  reserved_ = nullptr;
  operation_->leave();
  if (policy_ != nullptr) policy_->leave();
  unref();
}

void weir_call::unref() {
  if (references_.load(std::memory_order_acquire) != 1 &&
      references_.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  weir_runtime &runtime = runtime_;
  uint32_t size = block_size_;
  this->~weir_call();
  if (runtime.pool().give(this, size, runtime.on_thread())) runtime.release_shell();
}

weir_call::~weir_call() {
  weir::unref_value(request_.input);
  if (queue_ != nullptr) queue_->unref();
}

/* src/engine/run_api.cc */

//
// weir_run and what is done with calls, from any thread.

#include <cstring>

weir_call::weir_call(weir_runtime &runtime, weir_operation &operation, weir_policy *policy,
                     uint32_t block_size)
    : task_(run_task, weir::Lane::run, this),
      cancel_task_(cancel_task, weir::Lane::cancel, this),
      runtime_(runtime),
      operation_(&operation),
      policy_(policy),
      block_size_(block_size),
      layer_count_(operation.plan.count + (policy == nullptr ? 0 : policy->plan.count)),
      deadline_timer_(deadline_fired, this),
      record_(record_drained, this) {
  for (uint32_t i = 0; i < layer_count_; ++i) new (&layer(i)) weir::Layer(this, entry(i).owner, i);
}

namespace weir {
namespace {

constexpr weir_run_options default_run_options = WEIR_RUN_OPTIONS_INIT;

// A name longer than this is cut off: it is for people.
constexpr size_t longest_name = 255;

constexpr uint64_t longest_key = uint64_t{1} << 30;

}  // namespace

// Makes a run out of what weir_run was given, one step after the other, so that each failure gives
// back exactly what was taken.
class RunBuilder {
 public:
  RunBuilder(weir_operation &operation, weir_error **error)
      : operation_(operation), runtime_(*operation.runtime()), error_(error) {}

  weir_status read(const weir_run_options *given, bool has_settle);
  weir_status build(Callback<weir_settle_fn> &&settle, weir_call **call);

 private:
  weir_status allocate(bool local);
  void fill(Callback<weir_settle_fn> &&settle, bool local);
  void refused(weir_status status);
  weir_status no_memory() {
    return report(error_, runtime_.heap(), WEIR_ENOMEM, "run: out of memory");
  }

  weir_operation &operation_;
  weir_runtime &runtime_;
  weir_error **error_;
  weir_run_options options_ = default_run_options;
  size_t name_size_ = 0;  // with its terminator
  weir_call *call_ = nullptr;
};

weir_status RunBuilder::read(const weir_run_options *given, bool has_settle) {
  Heap *heap = runtime_.heap();
  if (given == nullptr) return WEIR_OK;
  weir_status status = read_options(options_, given, "run options", heap, error_);
  if (status != WEIR_OK) return status;
  Check check("run", heap, error_);
  check.range("permits", options_.permits, 1, INT32_MAX)
      .range_or("deadline_ms", options_.deadline_ms, 0, max_ms, "forever")
      .range("priority", options_.priority, 0, 63)
      .rule(options_.reserved == 0, "reserved must be 0 (got %u)", options_.reserved)
      .rule(options_.key != nullptr || options_.key_size == 0,
            "key must not be NULL with a key_size (got %llu)",
            static_cast<unsigned long long>(options_.key_size))
      .rule(options_.key_size <= longest_key, "key_size must be at most 2^30 (got %llu)",
            static_cast<unsigned long long>(options_.key_size))
      .rule(options_.queue == nullptr || !has_settle,
            "queue and a settle function exclude each other")
      .rule(options_.policy == nullptr || options_.policy->runtime() == &runtime_,
            "policy must be of the operation's runtime")
      .rule(options_.queue == nullptr || options_.queue->runtime() == &runtime_,
            "queue must be of the operation's runtime");
  uint32_t layers = operation_.plan.count;
  if (options_.policy != nullptr) layers += options_.policy->plan.count;
  check.rule(layers <= max_layers,
             "policy has too many layers (%u with the operation's, at most %u)", layers,
             max_layers);
  if (options_.name != nullptr) name_size_ = strnlen(options_.name, longest_name) + 1;
  return check.status();
}

weir_status RunBuilder::allocate(bool local) {
  size_t size = call_size + operation_.plan.state_size;
  if (options_.policy != nullptr) size += options_.policy->plan.state_size;
  size += options_.key_size + name_size_;
  uint32_t block = BlockPool::block_size(static_cast<uint32_t>(size));
  void *memory = runtime_.pool().take(block, local);
  if (memory == nullptr) return no_memory();
  Attempt *attempt = nullptr;
  const Plan &plan = operation_.plan;
  if (plan.entries[plan.count - 1].type->needs_attempt) {
    attempt = runtime_.attempts().reserve(local);
    if (attempt == nullptr) {
      runtime_.pool().give(memory, block, local);
      return no_memory();
    }
  }
  call_ = new (memory) weir_call(runtime_, operation_, options_.policy, block);
  call_->reserved_ = attempt;
  return WEIR_OK;
}

// Cannot fail any more.
void RunBuilder::fill(Callback<weir_settle_fn> &&settle, bool local) {
  weir_call &call = *call_;
  call.settle_ = static_cast<Callback<weir_settle_fn> &&>(settle);
  call.queue_ = ref_handle(options_.queue);
  call.record_.content.user = options_.user;
  call.request_.context = options_.context;
  call.request_.input = ref_value(options_.input);
  call.request_.permits = options_.permits;
  call.request_.priority = options_.priority;
  if (options_.deadline_ms != WEIR_FOREVER) {
    call.deadline_ns_ = deadline_after(runtime_.clock(), ms_to_ns(options_.deadline_ms));
  }
  char *tail = reinterpret_cast<char *>(&call) + call.block_size_;
  if (options_.key != nullptr) {
    tail -= options_.key_size;
    if (options_.key_size > 0) std::memcpy(tail, options_.key, options_.key_size);
    call.request_.key = tail;
    call.request_.key_size = options_.key_size;
  }
  if (name_size_ > 0) {
    tail -= name_size_;
    std::memcpy(tail, options_.name, name_size_ - 1);
    tail[name_size_ - 1] = '\0';
    call.request_.name = tail;
  }
  call.remote_ = !local;
  if (local) {
    operation_.enter();
    if (options_.policy != nullptr) options_.policy->enter();
  } else {
    operation_.ref();
    if (options_.policy != nullptr) options_.policy->ref();
  }
}

// The runtime does not take it.
void RunBuilder::refused(weir_status status) {
  if (status == WEIR_EFULL) {
    report(error_, runtime_.heap(), status,
           "run: max_in_flight (%lld) calls and orphans are in flight",
           static_cast<long long>(runtime_.max_in_flight()));
  } else {
    report(error_, runtime_.heap(), status, "run: %s", weir_status_message(status));
  }
}

weir_status RunBuilder::build(Callback<weir_settle_fn> &&settle, weir_call **call) {
  bool local = runtime_.on_thread();
  if (!local) runtime_.enter();
  weir_status status = runtime_.admit(local);
  if (status != WEIR_OK) {
    refused(status);
  } else {
    status = allocate(local);
    if (status != WEIR_OK) runtime_.unadmit();
  }
  if (status == WEIR_OK) {
    fill(static_cast<Callback<weir_settle_fn> &&>(settle), local);
    if (call != nullptr) {
      call_->references_.store(2, std::memory_order_relaxed);
      *call = call_;
    }
    runtime_.accept(call_->task_, local);
  }
  if (!local) runtime_.leave();
  return status;
}

}  // namespace weir

void weir_run_options_init(weir_run_options *options, size_t size) {
  weir::init_options(options, size, weir::default_run_options);
}

weir_status weir_run(weir_operation *operation, const weir_run_options *options,
                     weir_settle_fn settle, void *data, weir_free_fn free_data, weir_call **call,
                     weir_error **error) {
  weir::Callback<weir_settle_fn> callback(settle, data, free_data);
  if (call != nullptr) *call = nullptr;
  if (operation == nullptr) {
    return weir::report(error, weir::Heap::standard(), WEIR_EINVAL,
                        "run.operation must not be NULL");
  }
  weir::RunBuilder builder(*operation, error);
  weir_status status = builder.read(options, settle != nullptr);
  if (status != WEIR_OK) return status;
  return builder.build(static_cast<weir::Callback<weir_settle_fn> &&>(callback), call);
}

weir_status weir_run_wait(weir_operation *operation, const weir_run_options *options,
                          int64_t timeout_ms, weir_outcome *outcome, weir_error **error) {
  weir::Heap *heap = operation == nullptr ? weir::Heap::standard() : operation->heap();
  weir::Check check("run_wait", heap, error);
  check.rule(operation != nullptr, "operation must not be NULL")
      .rule(outcome != nullptr, "outcome must not be NULL")
      .range_or("timeout_ms", timeout_ms, 0, weir::max_ms, "forever")
      .rule(options == nullptr || options->size < sizeof(weir_run_options) ||
                options->queue == nullptr,
            "options.queue must be NULL: the caller waits");
  if (!check.ok()) return check.status();
  if (outcome->size < offsetof(weir_outcome, held) + sizeof(outcome->held)) {
    return weir::report(error, heap, WEIR_EABI,
                        "run_wait.outcome.size must be sizeof the struct (got %u)", outcome->size);
  }
  if (operation->runtime()->on_thread()) {
    return weir::report(error, heap, WEIR_ETHREAD,
                        "run_wait: the runtime's own thread must not wait");
  }
  weir_call *call = nullptr;
  weir_status status = weir_run(operation, options, nullptr, nullptr, nullptr, &call, error);
  if (status != WEIR_OK) return status;
  status = call->wait(timeout_ms);
  if (status == WEIR_OK) {
    uint32_t size = outcome->size;
    *outcome = call->outcome();
    outcome->size = size;
    outcome->held = call;
    return WEIR_OK;
  }
  call->cancel();
  call->unref();
  return weir::report(error, heap, status, "run_wait: %s", weir_status_message(status));
}

weir_call *weir_call_ref(weir_call *call) {
  if (call != nullptr) call->ref();
  return call;
}

void weir_call_unref(weir_call *call) {
  if (call != nullptr) call->unref();
}

weir_status weir_call_cancel(weir_call *call) {
  return call == nullptr ? weir_status{WEIR_EINVAL} : call->cancel();
}

weir_status weir_call_wait(weir_call *call, int64_t timeout_ms) {
  if (call == nullptr || timeout_ms < WEIR_FOREVER) return WEIR_EINVAL;
  return call->wait(timeout_ms);
}

const weir_outcome *weir_call_outcome(weir_call *call) {
  return call == nullptr || !call->settling() ? nullptr : &call->outcome();
}

weir_status weir_call::cancel() {
  if (settling()) return WEIR_ESTALE;
  if (cancel_posted_.exchange(true, std::memory_order_acq_rel)) return WEIR_OK;
  ref();
  runtime_.post(cancel_task_);
  return WEIR_OK;
}

weir_status weir_call::wait(int64_t timeout_ms) {
  if (settled()) return WEIR_OK;
  if (runtime_.on_thread()) return WEIR_ETHREAD;
  if (runtime_.forked()) return WEIR_EFORKED;
  int64_t until = weir::deadline_after(weir::monotonic_now(), weir::ms_to_ns(timeout_ms));
  weir::Lock lock(runtime_.settle_mutex());
  waiters_.fetch_add(1, std::memory_order_seq_cst);
  bool in_time = true;
  while (in_time && phase_.load(std::memory_order_seq_cst) != weir::Phase::settled) {
    in_time = runtime_.settle_condition().wait_until(runtime_.settle_mutex(), until);
  }
  waiters_.fetch_sub(1, std::memory_order_relaxed);
  return settled() ? WEIR_OK : WEIR_ETIMEDOUT;
}

/* src/engine/runtime.cc */

#include <sched.h>

#include <cstring>

using weir::Life;
using weir::Lock;

weir_runtime::weir_runtime(weir::RuntimeSetup &&setup)
    : heap_(setup.heap),
      driver_(setup.driver),
      name_(setup.name),
      random_(setup.seed),
      log_(static_cast<weir::Callback<weir_log_fn> &&>(setup.log)),
      log_level_(setup.log_level),
      on_event_(static_cast<weir::Callback<weir_event_fn> &&>(setup.on_event)),
      on_closed_(static_cast<weir::Callback<weir_closed_fn> &&>(setup.on_closed)),
      max_in_flight_(setup.max_in_flight),
      close_grace_ns_(setup.close_grace_ns),
      attempts_(setup.heap),
      pool_(setup.heap),
      close_task_(close_task_run),
      trim_task_(trim_task_run),
      grace_timer_(grace_over) {
  driver_->runtime = this;
  now_ = driver_->now();
  wheel_.begin(now_);
}

// ---- posting ----

bool weir_runtime::on_thread() const {
  return owned_.load(std::memory_order_acquire) &&
         pthread_equal(owner_.load(std::memory_order_relaxed), pthread_self()) != 0;
}

void weir_runtime::post(weir::Task &task) {
  if (on_thread()) {
    ready_.push(&task);
    if (!in_turn_) driver_->type->schedule(*driver_);
    return;
  }
  enter();
  uint64_t released = 0;
  bool edge = inbox_.push(&task);
  if (life_.load(std::memory_order_seq_cst) == Life::dead) {
    released = drain_dead();
  } else if (edge) {
    wake_driver();
  }
  leave();
  // Without `released` this may be gone by now.
  if (released > 0) release_shell(released);
}

void weir_runtime::wake_driver() {
  Lock lock(wake_mutex_);
  if (!driver_stopping_) driver_->wakeup();
}

// After the end there are no turns: whoever posted does what was posted, one thread at a time. What
// that releases of the shell is returned: to be released once this thread is out of here.
uint64_t weir_runtime::drain_dead() {
  Lock lock(shell_mutex_);
  become_owner();
  in_turn_ = true;
  while (!inbox_.empty() || !ready_.empty()) {
    inbox_.take(ready_);
    while (weir::Task *task = ready_.pop()) task->run(*this, *task);
  }
  in_turn_ = false;
  owned_.store(false, std::memory_order_release);
  uint64_t released = deferred_releases_;
  deferred_releases_ = 0;
  return released;
}

// ---- turns ----

void weir_runtime::become_owner() {
  owner_.store(pthread_self(), std::memory_order_relaxed);
  owned_.store(true, std::memory_order_release);
}

bool weir_runtime::turn(uint64_t *steps) {
  if (!on_thread()) become_owner();
  in_turn_ = true;
  int64_t now = driver_->now();
  if (now > now_) now_ = now;
  stale_ = false;
  inbox_.take(ready_);
  uint32_t left = turn_steps;
  run_ready(left);
  fire_timers(left);
  in_turn_ = false;
  turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  update_keep_alive();
  if (steps != nullptr) *steps += turn_steps - left;
  return has_work();
}

void weir_runtime::run_ready(uint32_t &steps) {
  while (steps > 0) {
    weir::Task *task = ready_.pop();
    if (task == nullptr) return;
    --steps;
    task->run(*this, *task);
  }
}

void weir_runtime::fire_timers(uint32_t &steps) {
  uint32_t moves = turn_moves;
  while (steps > 0) {
    weir::Timer *timer = wheel_.pop_due(now_, moves);
    if (timer == nullptr) return;
    --steps;
    timer->fire(*this, *timer);
    run_ready(steps);
  }
}

bool weir_runtime::has_work() const {
  return !ready_.empty() || !inbox_.empty() || wheel_.next_deadline() <= now_;
}

int64_t weir_runtime::next_deadline() const {
  return !ready_.empty() || !inbox_.empty() ? now_ : wheel_.next_deadline();
}

void weir_runtime::update_keep_alive() {
  bool alive = !live_.empty() || started_out_ > 0 || !ready_.empty() ||
               (life() != Life::open && life() != Life::dead);
  if (alive == kept_alive_) return;
  kept_alive_ = alive;
  driver_->type->keep_alive(*driver_, alive);
}

int64_t weir_runtime::now_to_arm(int64_t delay_ns) {
  constexpr int64_t coarse_from = 64 * weir::ns_per_ms;
  if (!stale_) return now_;
  if (delay_ns > coarse_from) return driver_->type->coarse_ceiling(*driver_);
  int64_t now = driver_->now();
  if (now > now_) now_ = now;
  stale_ = false;
  return now_;
}

// ---- runs ----

weir_status weir_runtime::admit(bool local) {
  if (life_.load(std::memory_order_seq_cst) != Life::open) return WEIR_ECLOSED;
  if (!local) {
    weir_status status = driver_->type->ensure(*driver_);
    if (status != WEIR_OK) return status;
  }
  if (max_in_flight_ == WEIR_UNLIMITED) return WEIR_OK;
  if (in_flight_.fetch_add(1, std::memory_order_relaxed) < max_in_flight_) return WEIR_OK;
  unadmit();
  return WEIR_EFULL;
}

void weir_runtime::unadmit() {
  if (max_in_flight_ != WEIR_UNLIMITED) in_flight_.fetch_sub(1, std::memory_order_relaxed);
}

void weir_runtime::accept(weir::Task &task, bool local) {
  if (local) {
    accepted_.store(accepted_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  } else {
    accepted_remote_.fetch_add(1, std::memory_order_relaxed);
  }
  post(task);
}

void weir_runtime::run_settled(weir_call &run) {
  live_.remove(&run);
  settled_.store(settled_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  unadmit();
  if (life() != Life::open) post_close_task();
}

// ---- telling ----

void weir_runtime::emit(weir_event event) {
  if (!on_event_) return;
  event.size = sizeof(event);
  event.at_ns = now_;
  on_event_(&event);
  user_ran();
}

void weir_runtime::log(int32_t level, const char *subject, const char *message) const {
  if (!log_ || level > log_level_ || level <= WEIR_LOG_OFF) return;
  log_(level, subject == nullptr ? name() : subject, message == nullptr ? "" : message);
}

void weir_runtime::add_queue(weir_completions &queue) {
  Lock lock(queues_mutex_);
  queues_.push_back(&queue);
}

void weir_runtime::remove_queue(weir_completions &queue) {
  Lock lock(queues_mutex_);
  using Node = weir::ListNode<weir_completions, weir::OfRuntime>;
  if (static_cast<Node &>(queue).linked()) queues_.remove(&queue);
}

// ---- memory ----

void weir_runtime::trim() {
  if (trim_posted_.exchange(true, std::memory_order_acq_rel)) return;
  retain_shell();
  post(trim_task_);
}

void weir_runtime::trim_task_run(weir_runtime &runtime, weir::Task &) {
  runtime.trim_posted_.store(false, std::memory_order_release);
  runtime.pool_.trim();
  runtime.release_shell();
}

void weir_runtime::release_shell(uint64_t count) {
  if (life() == Life::dead && on_thread()) {
    deferred_releases_ += count;
    return;
  }
  if (shell_.fetch_sub(count, std::memory_order_acq_rel) == count) destroy();
}

// Nothing refers to the runtime any more, but a thread may still be on its way out of post().
void weir_runtime::destroy() {
  while (entering_.load(std::memory_order_acquire) != 0) sched_yield();
  weir::Driver *driver = driver_;
  weir::Heap *heap = heap_;
  char *name = name_;
  this->~weir_runtime();
  heap->free(this, sizeof(weir_runtime));
  heap->free_text(name);
  driver->type->destroy(*driver);
  heap->release();
}

/* src/engine/runtime_api.cc */

//
// The runtime's functions that do not depend on its driver; weir_runtime_new and what only one driver
// does are in src/driver.

weir_runtime *weir_runtime_ref(weir_runtime *runtime) {
  if (runtime != nullptr) runtime->ref();
  return runtime;
}

void weir_runtime_unref(weir_runtime *runtime) {
  if (runtime != nullptr) runtime->unref();
}

weir_status weir_runtime_close(weir_runtime *runtime) {
  if (runtime == nullptr) return WEIR_EINVAL;
  runtime->close();
  return WEIR_OK;
}

weir_status weir_runtime_close_wait(weir_runtime *runtime, int64_t timeout_ms) {
  if (runtime == nullptr || timeout_ms < WEIR_FOREVER) return WEIR_EINVAL;
  return runtime->close_wait(timeout_ms);
}

weir_status weir_runtime_state(const weir_runtime *runtime) {
  if (runtime == nullptr) return WEIR_EINVAL;
  return runtime->life() == weir::Life::open ? WEIR_OK : WEIR_ECLOSED;
}

int64_t weir_runtime_now(const weir_runtime *runtime) {
  return runtime == nullptr ? 0 : runtime->clock();
}

weir_status weir_runtime_trim(weir_runtime *runtime) {
  if (runtime == nullptr) return WEIR_EINVAL;
  runtime->trim();
  return WEIR_OK;
}

void weir_runtime::get_stats(weir_runtime_stats &stats) const {
  auto value = [](const std::atomic<uint64_t> &counter) {
    return counter.load(std::memory_order_relaxed);
  };
  stats.runs_settled = value(settled_);
  stats.runs_accepted = value(accepted_) + value(accepted_remote_);
  stats.attempts_started = value(attempts_started_);
  stats.live_calls =
      stats.runs_accepted > stats.runs_settled ? stats.runs_accepted - stats.runs_settled : 0;
  stats.orphans = value(orphan_count_);
  stats.timers = wheel_.size();
  stats.turns = value(turns_);
}

weir_status weir_runtime_get_stats(const weir_runtime *runtime, weir_runtime_stats *stats) {
  if (runtime == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_runtime_stats filled = {};
  filled.size = sizeof(filled);
  runtime->get_stats(filled);
  return weir::write_sized(stats, filled);
}

void weir_log(weir_runtime *runtime, int32_t level, const char *subject, const char *message) {
  if (runtime != nullptr) runtime->log(level, subject, message);
}

/* src/engine/status.cc */

namespace {

struct StatusText {
  weir_status status;
  const char *name;
  const char *message;
};

constexpr StatusText texts[] = {
    {WEIR_OK, "WEIR_OK", "success"},
    {WEIR_EINVAL, "WEIR_EINVAL", "an argument is not legal"},
    {WEIR_ENOMEM, "WEIR_ENOMEM", "out of memory"},
    {WEIR_EABI, "WEIR_EABI", "a struct's size is of another version"},
    {WEIR_ECANCELLED, "WEIR_ECANCELLED", "cancelled"},
    {WEIR_ETIMEDOUT, "WEIR_ETIMEDOUT", "timed out"},
    {WEIR_ENOTIME, "WEIR_ENOTIME", "not enough time is left"},
    {WEIR_EOPEN, "WEIR_EOPEN", "circuit breaker is open"},
    {WEIR_ELIMITED, "WEIR_ELIMITED", "limited"},
    {WEIR_EFULL, "WEIR_EFULL", "full"},
    {WEIR_EFAILED, "WEIR_EFAILED", "the operation failed"},
    {WEIR_EAGGREGATE, "WEIR_EAGGREGATE", "several operations failed"},
    {WEIR_EEXHAUSTED, "WEIR_EEXHAUSTED", "attempts exhausted"},
    {WEIR_ESUPERSEDED, "WEIR_ESUPERSEDED", "superseded by a later call"},
    {WEIR_ESTALE, "WEIR_ESTALE", "stale token or permit"},
    {WEIR_ECLOSED, "WEIR_ECLOSED", "closed"},
    {WEIR_ENOTFOUND, "WEIR_ENOTFOUND", "not found"},
    {WEIR_EEXISTS, "WEIR_EEXISTS", "exists already"},
    {WEIR_ENOTSUP, "WEIR_ENOTSUP", "not supported"},
    {WEIR_ETHREAD, "WEIR_ETHREAD", "called on the wrong thread"},
    {WEIR_EEXPIRED, "WEIR_EEXPIRED", "the permit's lease has run out"},
    {WEIR_EFORKED, "WEIR_EFORKED", "the runtime belongs to the parent process"},
    {WEIR_ESTOP, "WEIR_ESTOP", "no more attempts"},
};

constexpr bool in_order() {
  for (int i = 0; i < static_cast<int>(sizeof(texts) / sizeof(texts[0])); ++i) {
    if (texts[i].status != -i) return false;
  }
  return true;
}
static_assert(in_order(), "texts[i] must describe status -i");

const StatusText *find(weir_status status) {
  constexpr weir_status last = -static_cast<weir_status>(sizeof(texts) / sizeof(texts[0])) + 1;
  return status > 0 || status < last ? nullptr : &texts[-status];
}

}  // namespace

const char *weir_status_name(weir_status status) {
  const StatusText *text = find(status);
  return text == nullptr ? "WEIR_UNKNOWN" : text->name;
}

const char *weir_status_message(weir_status status) {
  const StatusText *text = find(status);
  return text == nullptr ? "unknown status" : text->message;
}

/* src/engine/timer_wheel.cc */

#include <bit>

namespace weir {

void TimerWheel::arm(Timer &timer, int64_t deadline_ns, uint32_t depth, const Timer *outer) {
  if (deadline_ns == never_ns) return;
  timer.deadline_ns = deadline_ns;
  timer.sequence = ++sequence_;
  timer.depth = depth;
  bool tied = outer != nullptr && outer->armed() && outer->deadline_ns == deadline_ns;
  timer.order = tied ? outer->order : timer.sequence;
  ++size_;
  place(timer);
}

void TimerWheel::disarm(Timer &timer) {
  if (!timer.armed()) return;
  if (timer.place == Timer::Place::heap) {
    heap_remove(timer);
  } else {
    unlink(timer);
  }
  timer.place = Timer::Place::nowhere;
  --size_;
}

Timer *TimerWheel::pop_due(int64_t now_ns, uint32_t &budget) {
  uint64_t now_tick = tick_of(now_ns);
  while (true) {
    if (draining_) drain(budget);
    if (draining_) return nullptr;
    if (heap_ != nullptr && heap_->deadline_ns <= now_ns) {
      Timer *timer = heap_;
      disarm(*timer);
      return timer;
    }
    Position position;
    if (!next_slot(position) || position.start > now_tick) {
      // Everything skipped is empty, so no timer's place changes.
      if (now_tick > tick_) tick_ = now_tick;
      return nullptr;
    }
    tick_ = position.start;
    draining_ = true;
    draining_level_ = position.level;
    draining_slot_ = position.slot;
  }
}

int64_t TimerWheel::next_deadline() const {
  if (draining_) return static_cast<int64_t>(tick_ << tick_shift);
  if (heap_ != nullptr) return heap_->deadline_ns;
  Position position;
  if (!next_slot(position)) return never_ns;
  return static_cast<int64_t>(position.start << tick_shift);
}

// Empties the slot that tick_ has just reached into the heap and lower levels.
void TimerWheel::drain(uint32_t &budget) {
  while (Timer *timer = slots_[draining_level_][draining_slot_]) {
    if (budget == 0) return;
    --budget;
    unlink(*timer);
    place(*timer);
  }
  draining_ = false;
}

void TimerWheel::place(Timer &timer) {
  uint64_t tick = tick_of(timer.deadline_ns);
  if (tick <= tick_) {
    heap_insert(timer);
    return;
  }
  int level = (63 - std::countl_zero(tick ^ tick_)) / slot_bits;
  int slot = static_cast<int>(tick >> (level * slot_bits)) & (slots - 1);
  Timer **head = &slots_[level][slot];
  timer.place = Timer::Place::slot;
  timer.level = static_cast<uint8_t>(level);
  timer.slot = static_cast<uint8_t>(slot);
  timer.next = *head;
  timer.pointer_here = head;
  if (timer.next != nullptr) timer.next->pointer_here = &timer.next;
  *head = &timer;
  occupied_[level] |= uint64_t{1} << slot;
}

void TimerWheel::unlink(Timer &timer) {
  *timer.pointer_here = timer.next;
  if (timer.next != nullptr) timer.next->pointer_here = timer.pointer_here;
  if (slots_[timer.level][timer.slot] == nullptr) {
    occupied_[timer.level] &= ~(uint64_t{1} << timer.slot);
  }
}

// The first slot that holds anything. A lower level's slots all come before a higher level's.
bool TimerWheel::next_slot(Position &position) const {
  for (int level = 0; level < levels; ++level) {
    int current = static_cast<int>(tick_ >> (level * slot_bits)) & (slots - 1);
    uint64_t ahead = occupied_[level] & (~uint64_t{1} << current);
    if (ahead == 0) continue;
    int slot = std::countr_zero(ahead);
    uint64_t block = tick_ >> ((level + 1) * slot_bits) << slot_bits;
    position = {level, slot, (block | static_cast<uint64_t>(slot)) << (level * slot_bits)};
    return true;
  }
  return false;
}

bool TimerWheel::before(const Timer &a, const Timer &b) {
  if (a.deadline_ns != b.deadline_ns) return a.deadline_ns < b.deadline_ns;
  if (a.order != b.order) return a.order < b.order;
  if (a.depth != b.depth) return a.depth > b.depth;
  return a.sequence < b.sequence;
}

// A pairing heap (Fredman, Sedgewick, Sleator and Tarjan, 1986) of the timers themselves.

Timer *TimerWheel::meld(Timer *a, Timer *b) {
  if (a == nullptr) return b;
  if (b == nullptr) return a;
  if (before(*b, *a)) {
    Timer *swap = a;
    a = b;
    b = swap;
  }
  b->next = a->children;
  if (b->next != nullptr) b->next->pointer_here = &b->next;
  b->pointer_here = &a->children;
  a->children = b;
  return a;
}

// Melds siblings pairwise from the front, then the pairs from the back.
Timer *TimerWheel::combine(Timer *first) {
  Timer *pairs = nullptr;
  while (first != nullptr) {
    Timer *a = first;
    Timer *b = a->next;
    first = b == nullptr ? nullptr : b->next;
    a->next = nullptr;
    if (b != nullptr) b->next = nullptr;
    Timer *pair = meld(a, b);
    pair->next = pairs;
    pairs = pair;
  }
  Timer *root = nullptr;
  while (pairs != nullptr) {
    Timer *next = pairs->next;
    pairs->next = nullptr;
    root = meld(root, pairs);
    pairs = next;
  }
  return root;
}

void TimerWheel::heap_insert(Timer &timer) {
  timer.place = Timer::Place::heap;
  timer.next = nullptr;
  timer.children = nullptr;
  heap_ = meld(heap_, &timer);
  heap_->pointer_here = &heap_;
}

void TimerWheel::heap_remove(Timer &timer) {
  Timer *orphans = combine(timer.children);
  if (&timer == heap_) {
    heap_ = orphans;
  } else {
    *timer.pointer_here = timer.next;
    if (timer.next != nullptr) timer.next->pointer_here = timer.pointer_here;
    heap_ = meld(heap_, orphans);
  }
  if (heap_ != nullptr) {
    heap_->pointer_here = &heap_;
    heap_->next = nullptr;
  }
}

}  // namespace weir

/* src/engine/value.cc */

#include <cstring>

using weir::Heap;

// The RELEASED record of a host value: made with the value, so that telling cannot fail. Until it is
// posted the value holds a reference of the queue.
struct weir_host_release : weir::Record {
  explicit weir_host_release(weir_completions *target)
      : Record(drained_by), queue(target), heap(target->heap()) {}

  static void drained_by(weir::Record &record, bool) {
    auto &self = static_cast<weir_host_release &>(record);
    self.heap->destroy(&self);
  }

  weir_completions *queue;
  weir::Heap *heap;
};

namespace {

size_t block_size(const weir_value &value) {
  return sizeof(weir_value) + (value.kind == WEIR_VALUE_BYTES ? value.size : 0);
}

void free_value(weir_value *value) {
  if (value->kind == WEIR_VALUE_POINTER && value->free_pointer != nullptr) {
    value->free_pointer(value->pointer);
  }
  if (value->kind == WEIR_VALUE_HOST) {
    weir_completions *queue = value->release->queue;
    queue->post(*value->release);
    queue->unref();
  }
  Heap *heap = value->heap;
  size_t size = block_size(*value);
  value->~weir_value();
  heap->free(value, size);
  heap->release();
}

}  // namespace

void weir_value::unref() {
  if (references.load(std::memory_order_acquire) != 1 &&
      references.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  free_value(this);
}

namespace weir {

Heap *heap_of(weir_runtime *runtime) {
  return runtime == nullptr ? Heap::standard() : runtime->heap();
}

weir_value *make_bytes(Heap *heap, const void *data, size_t size) {
  if (size > SIZE_MAX - sizeof(weir_value)) return nullptr;
  void *memory = heap->allocate(sizeof(weir_value) + size);
  if (memory == nullptr) return nullptr;
  auto *value = new (memory) weir_value(heap, WEIR_VALUE_BYTES);
  value->size = size;
  if (size > 0) std::memcpy(static_cast<void *>(value + 1), data, size);
  return value;
}

weir_value *make_pointer(Heap *heap, void *pointer, weir_free_fn free_pointer) {
  auto *value = heap->make<weir_value>(heap, uint32_t{WEIR_VALUE_POINTER});
  if (value == nullptr) return nullptr;
  value->pointer = pointer;
  value->free_pointer = free_pointer;
  return value;
}

}  // namespace weir

weir_status weir_value_new_bytes(weir_runtime *runtime, const void *data, size_t size,
                                 weir_value **out) {
  if (out == nullptr || (data == nullptr && size > 0)) return WEIR_EINVAL;
  *out = weir::make_bytes(weir::heap_of(runtime), data, size);
  return *out == nullptr ? WEIR_ENOMEM : WEIR_OK;
}

weir_status weir_value_new_pointer(weir_runtime *runtime, void *pointer, weir_free_fn free_pointer,
                                   weir_value **out) {
  weir_value *value =
      out == nullptr ? nullptr : weir::make_pointer(weir::heap_of(runtime), pointer, free_pointer);
  if (value == nullptr && free_pointer != nullptr) free_pointer(pointer);
  if (out == nullptr) return WEIR_EINVAL;
  *out = value;
  return value == nullptr ? WEIR_ENOMEM : WEIR_OK;
}

weir_status weir_value_new_host(weir_completions *queue, uint64_t id, weir_value **out) {
  if (out != nullptr) *out = nullptr;
  if (queue == nullptr || out == nullptr) return WEIR_EINVAL;
  Heap *heap = queue->heap();
  auto *value = heap->make<weir_value>(heap, uint32_t{WEIR_VALUE_HOST});
  if (value == nullptr) return WEIR_ENOMEM;
  value->id = id;
  value->release = heap->make<weir_host_release>(queue);
  if (value->release == nullptr) {
    heap->destroy(value);
    heap->release();
    return WEIR_ENOMEM;
  }
  value->release->content.kind = WEIR_RECORD_RELEASED;
  value->release->content.object = id;
  queue->ref();
  *out = value;
  return WEIR_OK;
}

weir_value *weir_value_ref(weir_value *value) { return weir::ref_value(value); }

void weir_value_unref(weir_value *value) { weir::unref_value(value); }

void weir_values_unref(weir_value *const *values, size_t count) {
  if (values == nullptr) return;
  for (size_t i = 0; i < count; ++i) weir::unref_value(values[i]);
}

uint32_t weir_value_kind(const weir_value *value) {
  return value == nullptr ? uint32_t{WEIR_VALUE_NONE} : value->kind;
}

const void *weir_value_data(const weir_value *value) {
  return value == nullptr || value->kind != WEIR_VALUE_BYTES ? nullptr : value->bytes();
}

size_t weir_value_size(const weir_value *value) {
  return value == nullptr || value->kind != WEIR_VALUE_BYTES ? 0 : value->size;
}

void *weir_value_pointer(const weir_value *value) {
  return value == nullptr || value->kind != WEIR_VALUE_POINTER ? nullptr : value->pointer;
}

uint64_t weir_value_host_id(const weir_value *value) {
  return value == nullptr || value->kind != WEIR_VALUE_HOST ? 0 : value->id;
}

/* src/flow/sleep.cc */

//
//   signal   then
//   start    timer armed, wait
//   timer    outer, with the status, value or error of the operation
//   stop     timer disarmed

/* src/flow/sleep.hh */

//
// The inside of weir_sleep: an operation whose leaf is a timer. It starts no attempt that a user
// could complete, but counts as one in the outcome.

namespace weir {

struct Sleep : weir_operation {
  Sleep(weir_runtime *runtime, int64_t delay_ns, weir_status result_status,
        weir_value *result_value, weir_error *result_error);
  ~Sleep();

  int64_t sleep_ns;    // never_ns: until it is stopped
  weir_status status;  // what it settles with
  weir_value *value;   // one reference; nullable
  weir_error *error;   // one reference; NULL: the bare one of `status`
};

}  // namespace weir

namespace weir {
namespace {

Next start(weir_call &run, Layer &layer, const Sleep &sleep) {
  run.note_attempt();
  run.arm(layer, deadline_after(run.runtime().now_to_arm(sleep.sleep_ns), sleep.sleep_ns));
  return Next::wait;
}

Next wake_up(weir_call &run, const Sleep &sleep) {
  run.note_status(sleep.status);
  if (sleep.status == WEIR_OK) {
    run.result().set_value(ref_value(sleep.value));
  } else if (sleep.error != nullptr) {
    run.result().set_error(ref_error(sleep.error));
    run.result().status = sleep.status;
  } else {
    run.result().set_status(sleep.status);
  }
  return Next::outer;
}

Next step(weir_call &run, Layer &layer, Signal signal) {
  const Sleep &sleep = *static_cast<const Sleep *>(layer.owner);
  switch (signal) {
    case Signal::start:
      return start(run, layer, sleep);
    case Signal::timer:
      return wake_up(run, sleep);
    case Signal::stop:
      run.note_status(run.stop_reason() == WEIR_CANCEL_TIMEOUT ? WEIR_ETIMEDOUT : WEIR_ECANCELLED);
      run.disarm(layer);
      break;
    case Signal::result:
    case Signal::wake:
      break;
  }
  return Next::wait;
}

void describe(const weir_call &, const Layer &, char *buffer, size_t size) {
  TextWriter(buffer, size).print("sleep: its time");
}

constinit const LayerType sleep_layer = {"sleep", layer_size(sizeof(Layer)), step, describe};

// The most negative weir_status there is.
constexpr weir_status last_status = WEIR_ESTOP;

}  // namespace

Sleep::Sleep(weir_runtime *runtime, int64_t delay_ns, weir_status result_status,
             weir_value *result_value, weir_error *result_error)
    : weir_operation(runtime, end_handle<Sleep>, &sleep_layer),
      sleep_ns(delay_ns),
      status(result_status),
      value(ref_value(result_value)),
      error(ref_error(result_error)) {}

Sleep::~Sleep() {
  unref_value(value);
  unref_error(error);
}

}  // namespace weir

weir_status weir_sleep_new(weir_runtime *runtime, int64_t sleep_ms, weir_status status,
                           weir_value *value, weir_error *error_result, weir_operation **out,
                           weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_status checked =
      weir::Check("sleep", heap, error)
          .rule(runtime != nullptr, "runtime must not be NULL")
          .rule(out != nullptr, "out must not be NULL")
          .range_or("sleep_ms", sleep_ms, 0, weir::max_ms, "forever")
          .range("status", status, weir::last_status, WEIR_OK)
          .rule(value == nullptr || status == WEIR_OK, "value must be NULL beside a failure")
          .rule(error_result == nullptr || status != WEIR_OK,
                "error_result must be NULL beside WEIR_OK")
          .status();
  if (checked != WEIR_OK) return checked;
  auto *sleep = weir::make_handle<weir::Sleep>(heap, runtime, weir::ms_to_ns(sleep_ms), status,
                                               value, error_result);
  if (sleep == nullptr) return weir::report(error, heap, WEIR_ENOMEM, "sleep: out of memory");
  *out = sleep;
  return WEIR_OK;
}

/* src/policy/backoff.cc */

/* src/policy/backoff.hh */

//
// How long to wait before trying again: a pure function of the options, the number of the delay,
// what the delay before left behind, and one uniform draw. Nothing here knows a clock or a
// generator.
//
// Sources: Brooker, "Exponential Backoff And Jitter" (2015), for full, equal and decorrelated
// jitter; Polly's DecorrelatedJitterBackoffV2 (2019) for decorrelated-v2.
//
// Invariants:
// - Arithmetic is in doubles of nanoseconds, so fractions carry from one delay to the next; only
// the
//   delay handed out is rounded, upwards.
// - 0 ≤ delay ≤ max at any number, base, multiplier and draw; never NaN, never an overflow.
// - The cap comes after the jitter. Where b·mⁿ is far above it, delays lie at the cap and no longer
//   spread; decorrelated goes on spreading over [base, max].

#include <cstdint>

namespace weir {

struct Backoff {
  uint32_t kind = WEIR_BACKOFF_EXPONENTIAL;
  uint32_t jitter = WEIR_JITTER_PROPORTIONAL;
  int64_t base_ns = 0;
  int64_t min_ns = 0;
  int64_t max_ns = 0;
  double multiplier = 2;
  double jitter_factor = 0.3;

  // What stands for "the delay before" at the first one.
  double first_previous() const;

  // True if delays depend on the draw.
  bool draws() const;

  struct Step {
    int64_t delay_ns;
    double previous;  // to be given to the next call
  };

  // Delay number `n`, from 0, with `u` uniform in [0, 1).
  Step step(uint64_t n, double previous, double u) const;

  // What an operation asked for, instead of the computed delay.
  int64_t asked(int64_t asked_ms) const;
};

}  // namespace weir

#include <cmath>

namespace weir {
namespace {

// Above any delay and far below what a double holds, so that products with a base and a jitter stay
// finite, and 0 · growth stays 0.
constexpr double growth_limit = 1e280;

// 2ᵗ is far above any delay from here on; beyond 2¹⁰²⁴ it would be infinite.
constexpr double v2_limit = 900;

double growth(const Backoff &backoff, double n) {
  switch (backoff.kind) {
    case WEIR_BACKOFF_LINEAR:
      return n + 1;
    case WEIR_BACKOFF_EXPONENTIAL:
      return std::fmin(std::pow(backoff.multiplier, n), growth_limit);
    default:
      return 1;
  }
}

double jittered(const Backoff &backoff, double delay, double u) {
  switch (backoff.jitter) {
    case WEIR_JITTER_FULL:
      return u * delay;
    case WEIR_JITTER_EQUAL:
      return delay / 2 + u * delay / 2;
    case WEIR_JITTER_PROPORTIONAL:
      return delay * (1 + backoff.jitter_factor * u);
    case WEIR_JITTER_SYMMETRIC:
      return delay * (1 + backoff.jitter_factor * (2 * u - 1));
    default:
      return delay;
  }
}

double v2_curve(double t) { return std::exp2(t) * std::tanh(std::sqrt(4 * t)); }

double clamp(const Backoff &backoff, double delay) {
  double raised = std::fmax(delay, static_cast<double>(backoff.min_ns));
  return std::fmin(raised, static_cast<double>(backoff.max_ns));
}

// `delay` is clamped; the cap itself may have been rounded up on its way to a double.
int64_t to_ns(const Backoff &backoff, double delay) {
  if (delay >= static_cast<double>(backoff.max_ns)) return backoff.max_ns;
  int64_t rounded = static_cast<int64_t>(std::ceil(delay));
  return rounded < backoff.max_ns ? rounded : backoff.max_ns;
}

Backoff::Step decorrelated(const Backoff &backoff, double previous, double u) {
  double base = static_cast<double>(backoff.base_ns);
  double high = std::fmin(3 * previous, static_cast<double>(backoff.max_ns));
  double delay = clamp(backoff, base + u * (high - base));
  return {to_ns(backoff, delay), delay};
}

Backoff::Step decorrelated_v2(const Backoff &backoff, double n, double previous, double u) {
  double t = std::fmin(n + u, v2_limit);
  double reached = v2_curve(t);
  double base = static_cast<double>(backoff.base_ns);
  double delay = t < v2_limit ? (reached - previous) * base / 1.4 : growth_limit * base;
  return {to_ns(backoff, clamp(backoff, delay)), reached};
}

}  // namespace

double Backoff::first_previous() const {
  return kind == WEIR_BACKOFF_DECORRELATED ? static_cast<double>(base_ns) : 0;
}

bool Backoff::draws() const {
  return jitter != WEIR_JITTER_NONE || kind == WEIR_BACKOFF_DECORRELATED ||
         kind == WEIR_BACKOFF_DECORRELATED_V2;
}

Backoff::Step Backoff::step(uint64_t n, double previous, double u) const {
  double number = static_cast<double>(n);
  if (kind == WEIR_BACKOFF_DECORRELATED) return decorrelated(*this, previous, u);
  if (kind == WEIR_BACKOFF_DECORRELATED_V2) return decorrelated_v2(*this, number, previous, u);
  double delay = static_cast<double>(base_ns) * growth(*this, number);
  return {to_ns(*this, clamp(*this, jittered(*this, delay, u))), 0};
}

int64_t Backoff::asked(int64_t asked_ms) const {
  int64_t delay_ns = ms_to_ns(asked_ms);
  return delay_ns < max_ns ? delay_ns : max_ns;
}

}  // namespace weir

/* src/policy/budget.cc */

/* src/policy/budget.hh */

//
// The retry budget: how many retries the last window may still have, after Finagle's RetryBudget,
// but with a bound that holds at every withdrawal: the retries of the window that ends with it are
// never more than max(ratio × first attempts of that window, min_per_second × window in seconds).
//
// Time is cut into slices of a tenth of the window. A ring of 16 words holds one slice each, for
// first attempts and for retries; the word says which slice it counts, so nothing has to be swept.
//
// Invariants:
// - A word is {slice number, 36 bits | count, 28 bits}, changed by compare-and-swap only. A count
//   that is full stays full: too few retries, never too many.
// - First attempts count for ten slices, so for at most one window; a retry counts as long as the
//   latest one of its slice is in the window, so for at least one window. Both errors are on the
//   side of fewer retries.
// - A withdrawal adds itself first and looks at the sum after, and goes by its own place in the
//   slice's order of adding: of threads that race for the last retry exactly one gets it.
// - A caller whose clock is behind counts at its own time, or, where the ring has moved on, later.
//   Never earlier.

#include <atomic>
#include <cstdint>

namespace weir {

// Counts per slice.
class SliceRing {
 public:
  // Adds one in the slice of number `slice` and returns the count that made; 0 if it is full. Where
  // the ring has moved on, `slice` becomes the later one that was counted in.
  uint64_t add(uint64_t &slice);
  // Takes one off; false if that slice has none, or is no longer held.
  bool remove(uint64_t slice);
  uint64_t count(uint64_t slice) const;
  // The sum over the `length` slices before `slice`, and those that faster clocks began, without
  // `slice` itself.
  uint64_t sum_others(uint64_t slice, int64_t length) const;

  static constexpr int places = 16;
  static size_t place(uint64_t slice) { return slice % places; }

 private:
  std::atomic<uint64_t> words_[places] = {};
};

// The budget itself; any thread, no lock, no clock.
class Budget {
 public:
  Budget(double ratio, double min_per_second, int64_t window_ns);

  void deposit(int64_t now_ns);
  // Takes back a first attempt counted at `deposited_ns` that did not start.
  void undeposit(int64_t deposited_ns);

  bool withdraw(int64_t now_ns);
  // Gives back the retry withdrawn at `withdrawn_ns`.
  void refund(int64_t withdrawn_ns);
  // Gives back some retry: the oldest in the window, so that what stays counted is never too old.
  void refund_oldest(int64_t now_ns);

  uint64_t deposits(int64_t now_ns) const;
  uint64_t withdrawn(int64_t now_ns) const;
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  // How many withdrawals the window may hold in all.
  uint64_t allowed(int64_t now_ns) const;

 private:
  static constexpr int slices = 10;

  uint64_t slice_of(int64_t now_ns) const;
  uint64_t older_withdrawn(uint64_t slice, int64_t now_ns) const;
  bool still_counts(uint64_t slice, int64_t now_ns) const;
  void note_latest(uint64_t slice, int64_t now_ns);

  double ratio_;
  double floor_;  // min_per_second × window
  int64_t window_ns_;
  int64_t slice_ns_;
  SliceRing deposits_;
  SliceRing withdrawals_;
  // When each place of withdrawals_ last got one.
  std::atomic<int64_t> latest_[SliceRing::places] = {};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace weir

struct weir_budget : weir::Handle {
  weir_budget(weir_runtime *runtime, const weir_budget_options &options);

  // Coarse where a slice is far above the coarse clock's tick.
  int64_t clock() const;

  weir::Budget core;

 private:
  bool coarse_;
};

#include <cmath>

namespace weir {
namespace {

constexpr int count_bits = 28;
constexpr uint64_t count_mask = (uint64_t{1} << count_bits) - 1;
constexpr int number_bits = 64 - count_bits;

// A slice that is ahead of the caller's by more than this comes from a clock gone wrong (or from
// before this one's numbers wrapped) and counts as never.
constexpr int64_t ahead_limit = int64_t{1} << 20;

uint64_t count_of(uint64_t word) { return word & count_mask; }

uint64_t word_of(uint64_t slice, uint64_t count) { return slice << count_bits | count; }

// How many slices `slice` is after the one of `word`, by 36 bits that wrap.
int64_t distance(uint64_t slice, uint64_t word) {
  uint64_t difference = (slice - (word >> count_bits)) << (64 - number_bits);
  return static_cast<int64_t>(difference) >> (64 - number_bits);
}

}  // namespace

uint64_t SliceRing::add(uint64_t &slice) {
  std::atomic<uint64_t> &word = words_[place(slice)];
  uint64_t seen = word.load(std::memory_order_relaxed);
  for (;;) {
    int64_t behind = distance(slice, seen);
    bool is_later = behind < 0 && behind >= -ahead_limit;
    uint64_t wanted = behind == 0 || is_later ? seen + 1 : word_of(slice, 1);
    if (count_of(wanted) == 0) return 0;
    if (word.compare_exchange_weak(seen, wanted, std::memory_order_seq_cst)) {
      if (is_later) slice += static_cast<uint64_t>(-behind);
      return count_of(wanted);
    }
  }
}

bool SliceRing::remove(uint64_t slice) {
  std::atomic<uint64_t> &word = words_[place(slice)];
  uint64_t seen = word.load(std::memory_order_relaxed);
  do {
    if (distance(slice, seen) != 0 || count_of(seen) == 0) return false;
  } while (!word.compare_exchange_weak(seen, seen - 1, std::memory_order_seq_cst));
  return true;
}

uint64_t SliceRing::count(uint64_t slice) const {
  uint64_t word = words_[place(slice)].load(std::memory_order_seq_cst);
  return distance(slice, word) == 0 ? count_of(word) : 0;
}

uint64_t SliceRing::sum_others(uint64_t slice, int64_t length) const {
  uint64_t sum = 0;
  for (const std::atomic<uint64_t> &place : words_) {
    uint64_t word = place.load(std::memory_order_seq_cst);
    int64_t behind = distance(slice, word);
    if (behind != 0 && behind <= length && behind >= -ahead_limit) sum += count_of(word);
  }
  return sum;
}

Budget::Budget(double ratio, double min_per_second, int64_t window_ns)
    : ratio_(ratio),
      floor_(min_per_second * (static_cast<double>(window_ns) / ns_per_second)),
      window_ns_(window_ns),
      slice_ns_(window_ns / slices) {}

uint64_t Budget::slice_of(int64_t now_ns) const {
  return now_ns <= 0 ? 0 : static_cast<uint64_t>(now_ns / slice_ns_);
}

void Budget::deposit(int64_t now_ns) {
  uint64_t slice = slice_of(now_ns);
  deposits_.add(slice);
}

void Budget::undeposit(int64_t deposited_ns) { deposits_.remove(slice_of(deposited_ns)); }

void Budget::note_latest(uint64_t slice, int64_t now_ns) {
  std::atomic<int64_t> &latest = latest_[SliceRing::place(slice)];
  int64_t seen = latest.load(std::memory_order_relaxed);
  while (seen < now_ns && !latest.compare_exchange_weak(seen, now_ns, std::memory_order_seq_cst)) {
  }
}

// Whether the eleventh slice back, of which only a part is in the window, has a retry in that part.
bool Budget::still_counts(uint64_t slice, int64_t now_ns) const {
  int64_t latest = latest_[SliceRing::place(slice)].load(std::memory_order_seq_cst);
  return latest > saturating_sub(now_ns, window_ns_);
}

// What counts besides `slice` itself.
uint64_t Budget::older_withdrawn(uint64_t slice, int64_t now_ns) const {
  uint64_t sum = withdrawals_.sum_others(slice, slices - 1);
  if (slice >= slices && still_counts(slice - slices, now_ns)) {
    sum += withdrawals_.count(slice - slices);
  }
  return sum;
}

uint64_t Budget::allowed(int64_t now_ns) const {
  double share = ratio_ * static_cast<double>(deposits(now_ns));
  // 0.29 × 100 is 28.999999999999996 in doubles: the last digits must not cost a retry.
  return static_cast<uint64_t>(std::floor(std::fmax(share, floor_) * (1 + 1e-12)));
}

bool Budget::withdraw(int64_t now_ns) {
  uint64_t slice = slice_of(now_ns);
  uint64_t limit = allowed(now_ns);
  while (older_withdrawn(slice, now_ns) + withdrawals_.count(slice) < limit) {
    note_latest(slice, now_ns);
    uint64_t place = withdrawals_.add(slice);
    if (place == 0) break;
    if (older_withdrawn(slice, now_ns) + place <= limit) return true;
    withdrawals_.remove(slice);
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void Budget::refund(int64_t withdrawn_ns) { withdrawals_.remove(slice_of(withdrawn_ns)); }

void Budget::refund_oldest(int64_t now_ns) {
  // One slice ahead too: a coarse clock may be behind the one that withdrew.
  uint64_t slice = slice_of(now_ns) + 1;
  uint64_t oldest = slice > slices + 1 ? slice - slices - 1 : 0;
  if (!still_counts(oldest, now_ns)) ++oldest;
  while (oldest <= slice && !withdrawals_.remove(oldest)) ++oldest;
}

uint64_t Budget::deposits(int64_t now_ns) const {
  uint64_t slice = slice_of(now_ns);
  return deposits_.sum_others(slice, slices - 1) + deposits_.count(slice);
}

uint64_t Budget::withdrawn(int64_t now_ns) const {
  uint64_t slice = slice_of(now_ns);
  return older_withdrawn(slice, now_ns) + withdrawals_.count(slice);
}

}  // namespace weir

/* src/policy/budget_api.cc */

//
// The budget's public functions.

namespace weir {
namespace {

constexpr weir_budget_options default_options = WEIR_BUDGET_OPTIONS_INIT;

constexpr int64_t day_ms = 24 * 60 * 60 * 1000;

// Windows from here on have slices of at least 640 ms, for which a clock that is 10 ms behind does.
constexpr int64_t coarse_window_ms = 6400;

weir_status check_options(const weir_budget_options &options, weir_runtime *runtime,
                          weir_budget **out, Heap *heap, weir_error **error) {
  return Check("budget", heap, error)
      .rule(runtime != nullptr, "runtime must not be NULL")
      .rule(out != nullptr, "out must not be NULL")
      .rule(options.reserved == 0, "reserved must be 0 (got %u)", options.reserved)
      .real("ratio", options.ratio, 0, 1000)
      .real("min_per_second", options.min_per_second, 0, 1e6)
      .range("window_ms", options.window_ms, 10, day_ms)
      .status();
}

}  // namespace
}  // namespace weir

weir_budget::weir_budget(weir_runtime *runtime, const weir_budget_options &options)
    : Handle(runtime, weir::end_handle<weir_budget>),
      core(options.ratio, options.min_per_second, weir::ms_to_ns(options.window_ms)),
      coarse_(options.window_ms >= weir::coarse_window_ms) {}

int64_t weir_budget::clock() const {
  return coarse_ ? runtime()->coarse_clock() : runtime()->clock();
}

void weir_budget_options_init(weir_budget_options *options, size_t size) {
  weir::init_options(options, size, weir::default_options);
}

weir_status weir_budget_new(weir_runtime *runtime, const weir_budget_options *given,
                            weir_budget **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_budget_options options = weir::default_options;
  weir_status status = weir::read_options(options, given, "budget options", heap, error);
  if (status != WEIR_OK) return status;
  status = weir::check_options(options, runtime, out, heap, error);
  if (status != WEIR_OK) return status;
  auto *budget = weir::make_handle<weir_budget>(heap, runtime, options);
  if (budget != nullptr && budget->set_name(options.name)) {
    *out = budget;
    return WEIR_OK;
  }
  weir::unref_handle(budget);
  return weir::report(error, heap, WEIR_ENOMEM, "budget: out of memory");
}

weir_budget *weir_budget_ref(weir_budget *budget) { return weir::ref_handle(budget); }

void weir_budget_unref(weir_budget *budget) { weir::unref_handle(budget); }

weir_status weir_budget_deposit(weir_budget *budget) {
  return budget == nullptr ? WEIR_EINVAL : weir_budget_deposit_at(budget, budget->clock());
}

weir_status weir_budget_deposit_at(weir_budget *budget, int64_t now_ns) {
  if (budget == nullptr) return WEIR_EINVAL;
  budget->core.deposit(now_ns);
  return WEIR_OK;
}

weir_status weir_budget_withdraw(weir_budget *budget) {
  return budget == nullptr ? WEIR_EINVAL : weir_budget_withdraw_at(budget, budget->clock());
}

weir_status weir_budget_withdraw_at(weir_budget *budget, int64_t now_ns) {
  if (budget == nullptr) return WEIR_EINVAL;
  return budget->core.withdraw(now_ns) ? WEIR_OK : WEIR_ELIMITED;
}

weir_status weir_budget_refund(weir_budget *budget) {
  return budget == nullptr ? WEIR_EINVAL : weir_budget_refund_at(budget, budget->clock());
}

weir_status weir_budget_refund_at(weir_budget *budget, int64_t now_ns) {
  if (budget == nullptr) return WEIR_EINVAL;
  budget->core.refund_oldest(now_ns);
  return WEIR_OK;
}

weir_status weir_budget_get_stats(weir_budget *budget, weir_budget_stats *stats) {
  if (budget == nullptr || stats == nullptr) return WEIR_EINVAL;
  const weir::Budget &core = budget->core;
  int64_t now_ns = budget->runtime()->clock();
  uint64_t withdrawn = core.withdrawn(now_ns);
  uint64_t allowed = core.allowed(now_ns);
  weir_budget_stats filled = {};
  filled.size = sizeof(filled);
  filled.deposits = core.deposits(now_ns);
  filled.withdrawn = withdrawn;
  filled.refused = core.refused();
  filled.available = allowed > withdrawn ? static_cast<int64_t>(allowed - withdrawn) : 0;
  return weir::write_sized(stats, filled);
}

/* src/policy/pipeline.cc */

/* src/policy/pipeline.hh */

//
// The inside of weir_pipeline: the layers of its policies in one row. A pipeline in a pipeline is
// laid out flat, so depth costs a run nothing. The policies given are kept by references of the
// pipeline's.

struct weir_pipeline : weir_policy {
  explicit weir_pipeline(weir_runtime *runtime);
  ~weir_pipeline();

  // The part of making one that can fail; false without memory. The policies were checked.
  bool complete(weir_policy *const *policies, uint32_t count, const char *name);

 private:
  weir_policy *members_[WEIR_PIPELINE_MAX] = {};  // one reference each
  uint32_t member_count_ = 0;
  weir::PlanEntry *entries_ = nullptr;  // plan.count of them
};

namespace weir {
namespace {

using Policies = weir_policy *const *;

uint64_t layer_count(Policies policies, size_t count) {
  uint64_t layers = 0;
  for (size_t i = 0; i < count; ++i) layers += policies[i]->plan.count;
  return layers;
}

// Layer `position` of the row, counted over all policies.
const PlanEntry &entry_at(Policies policies, uint32_t position) {
  while (position >= (*policies)->plan.count) position -= (*policies++)->plan.count;
  return (*policies)->plan.entries[position];
}

// A breaker or limiter that is passed twice would count each call twice; a limiter could also wait
// for the permit that its own caller holds.
bool has_state(const PlanEntry &entry) {
  uint32_t kind = static_cast<const weir_policy *>(entry.owner)->kind;
  return kind == WEIR_POLICY_BREAKER || kind == WEIR_POLICY_LIMITER;
}

// The later position of a policy that must not be there twice; 0 if there is none.
uint32_t repeated(Policies policies, uint32_t layers) {
  for (uint32_t later = 1; later < layers; ++later) {
    const PlanEntry &entry = entry_at(policies, later);
    if (!has_state(entry)) continue;
    for (uint32_t earlier = 0; earlier < later; ++earlier) {
      if (entry_at(policies, earlier).owner == entry.owner) return later;
    }
  }
  return 0;
}

weir_status check_members(weir_runtime *runtime, Policies policies, size_t count, Heap *heap,
                          weir_error **error) {
  Check check("pipeline", heap, error);
  for (size_t i = 0; i < count && check.ok(); ++i) {
    check.rule(policies[i] != nullptr, "policies[%zu] must not be NULL", i);
    if (!check.ok()) break;
    check.rule(policies[i]->runtime() == runtime, "policies[%zu] must be of the pipeline's runtime",
               i);
  }
  if (!check.ok()) return check.status();
  uint64_t layers = layer_count(policies, count);
  check.rule(layers <= WEIR_PIPELINE_MAX, "policies must be at most %d in all (got %llu)",
             WEIR_PIPELINE_MAX, static_cast<unsigned long long>(layers));
  if (!check.ok()) return check.status();
  uint32_t again = repeated(policies, static_cast<uint32_t>(layers));
  if (again == 0) return WEIR_OK;
  const PlanEntry &entry = entry_at(policies, again);
  check.rule(false, "policies must not have the same %s '%s' twice", entry.type->name,
             entry.owner->name());
  return check.status();
}

weir_status check_arguments(weir_runtime *runtime, Policies policies, size_t count,
                            weir_pipeline **out, Heap *heap, weir_error **error) {
  Check check("pipeline", heap, error);
  check.rule(runtime != nullptr, "runtime must not be NULL")
      .rule(out != nullptr, "out must not be NULL")
      .rule(policies != nullptr, "policies must not be NULL")
      .rule(count >= 1 && count <= WEIR_PIPELINE_MAX, "count must be from 1 to %d (got %zu)",
            WEIR_PIPELINE_MAX, count);
  if (!check.ok()) return check.status();
  return check_members(runtime, policies, count, heap, error);
}

}  // namespace
}  // namespace weir

weir_pipeline::weir_pipeline(weir_runtime *runtime)
    : weir_policy(runtime, weir::end_handle<weir_pipeline>, WEIR_POLICY_PIPELINE, nullptr) {
  plan = {};
}

weir_pipeline::~weir_pipeline() {
  for (uint32_t i = 0; i < member_count_; ++i) members_[i]->unref();
  if (entries_ != nullptr) heap()->free(entries_, sizeof(weir::PlanEntry) * plan.count);
}

bool weir_pipeline::complete(weir_policy *const *policies, uint32_t count, const char *name) {
  if (!set_name(name)) return false;
  auto layers = static_cast<uint32_t>(weir::layer_count(policies, count));
  void *memory = heap()->allocate(sizeof(weir::PlanEntry) * layers);
  if (memory == nullptr) return false;
  entries_ = static_cast<weir::PlanEntry *>(memory);
  uint32_t state_size = 0;
  for (uint32_t i = 0; i < layers; ++i) {
    const weir::PlanEntry &entry = weir::entry_at(policies, i);
    entries_[i] = {entry.type, entry.owner, state_size};
    state_size += entry.type->state_size;
  }
  plan = {entries_, layers, state_size};
  while (member_count_ < count) {
    policies[member_count_]->ref();
    members_[member_count_] = policies[member_count_];
    ++member_count_;
  }
  return true;
}

weir_status weir_pipeline_new(weir_runtime *runtime, weir_policy *const *policies, size_t count,
                              const char *name, weir_pipeline **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_status status = weir::check_arguments(runtime, policies, count, out, heap, error);
  if (status != WEIR_OK) return status;
  auto *pipeline = weir::make_handle<weir_pipeline>(heap, runtime);
  if (pipeline != nullptr && pipeline->complete(policies, static_cast<uint32_t>(count), name)) {
    *out = pipeline;
    return WEIR_OK;
  }
  weir::unref_handle(pipeline);
  return weir::report(error, heap, WEIR_ENOMEM, "pipeline: out of memory");
}

weir_pipeline *weir_pipeline_ref(weir_pipeline *pipeline) { return weir::ref_handle(pipeline); }

void weir_pipeline_unref(weir_pipeline *pipeline) { weir::unref_handle(pipeline); }

weir_policy *weir_pipeline_policy(weir_pipeline *pipeline) { return pipeline; }

/* src/policy/retry.cc */

/* src/policy/retry.hh */

//
// The inside of weir_retry. The rules (may it be tried again, and after which delay) are one plain
// class that is given the time, shared by both doors: the decide door (retry_api.cc) keeps its
// progress in the caller's 32 bytes, the run door (retry_layer.cc) in a layer's state.

#include <atomic>

namespace weir {

// How far one logical call has come.
struct RetryProgress {
  uint64_t tries;  // begun, the first included
  double previous;
  int64_t started_ns;
};

// Try again after `delay_ns`, or stop because of `reason`.
struct RetryDecision {
  bool again;
  uint32_t reason;
  int64_t delay_ns;
};

// Immutable once set up; any thread.
struct RetryRules {
  RetryProgress begin(int64_t now_ns) const { return {1, backoff.first_previous(), now_ns}; }

  // A try ended and was judged worth another. `asked_ms`: the delay the peer asked for, negative if
  // none; `deadline_ns`: never_ns if there is none. WEIR_STOP_NONE with `again`; a retry is then
  // withdrawn from the budget and counted in `progress`.
  RetryDecision next(RetryProgress &progress, int64_t asked_ms, int64_t now_ns, int64_t deadline_ns,
                     Random &random) const;

  // Whether it is too late to begin a try at `now_ns`.
  bool is_over(const RetryProgress &progress, int64_t now_ns) const;

  Backoff backoff;
  int64_t max_attempts = 3;  // or WEIR_UNLIMITED
  int64_t max_elapsed_ns = INT64_MAX;
  int64_t attempt_timeout_ns = INT64_MAX;
  bool retry_refusals = false;
  weir_budget *budget = nullptr;  // one reference of the policy's; nullable

 private:
  int64_t delay(RetryProgress &progress, int64_t asked_ms, Random &random) const;
};

enum class RetryCount : uint32_t {
  calls,
  retries,
  succeeded_first,
  succeeded_later,
  gave_up,
  refused_by_budget,
};
inline constexpr size_t retry_counts = 6;

// The callbacks in one piece, so that a creation that fails frees them all.
struct RetryCallbacks {
  explicit RetryCallbacks(const weir_retry_options &options);

  Callback<weir_classify_fn> classify;
  Callback<weir_should_retry_fn> should_retry;
  Callback<weir_on_retry_fn> on_retry;
};

// The run door's machine.
extern const LayerType retry_layer;

}  // namespace weir

struct weir_retry : weir_policy {
  weir_retry(weir_runtime *runtime, const weir_retry_options &options,
             weir::RetryCallbacks &&callbacks);
  ~weir_retry();

  // The part of making one that can fail; false without memory.
  bool complete(const weir_retry_options &options, weir::Callback<weir_classify_fn> &&classify);

  // By the engine's thread, which alone writes these: no read-modify-write.
  void count(weir::RetryCount kind) {
    std::atomic<uint64_t> &number = run_counts[static_cast<size_t>(kind)];
    number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  // By any thread.
  void count_decided(weir::RetryCount kind) {
    decide_counts[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  }
  uint64_t counted(weir::RetryCount kind) const {
    auto index = static_cast<size_t>(kind);
    return run_counts[index].load(std::memory_order_relaxed) +
           decide_counts[index].load(std::memory_order_relaxed);
  }

  weir::RetryRules rules;
  weir::Classifier classifier;
  bool judges_values = false;  // a classify function may call a value a failure
  weir::Callback<weir_should_retry_fn> should_retry;
  weir::Callback<weir_on_retry_fn> on_retry;
  // What an attempt fails with that its own timeout cut off; one reference, maybe an immortal one.
  weir_error *attempt_timed_out = nullptr;

  std::atomic<uint64_t> run_counts[weir::retry_counts] = {};
  std::atomic<uint64_t> decide_counts[weir::retry_counts] = {};
};

namespace weir {
namespace {

RetryDecision stop(uint32_t reason) { return {false, reason, 0}; }

}  // namespace

// The sequence goes on where the peer asked for a delay of its own, so that the next computed one
// is what it would have been.
int64_t RetryRules::delay(RetryProgress &progress, int64_t asked_ms, Random &random) const {
  double u = backoff.draws() ? random.uniform() : 0;
  Backoff::Step step = backoff.step(progress.tries - 1, progress.previous, u);
  progress.previous = step.previous;
  return asked_ms >= 0 ? backoff.asked(asked_ms) : step.delay_ns;
}

RetryDecision RetryRules::next(RetryProgress &progress, int64_t asked_ms, int64_t now_ns,
                               int64_t deadline_ns, Random &random) const {
  if (max_attempts != WEIR_UNLIMITED && progress.tries >= static_cast<uint64_t>(max_attempts)) {
    return stop(WEIR_STOP_ATTEMPTS);
  }
  int64_t delay_ns = delay(progress, asked_ms, random);
  int64_t at_ns = saturating_add(now_ns, delay_ns);
  if (is_over(progress, at_ns)) return stop(WEIR_STOP_ELAPSED);
  if (deadline_ns != never_ns && at_ns >= deadline_ns) return stop(WEIR_STOP_NO_TIME);
  if (budget != nullptr && !budget->core.withdraw(now_ns)) return stop(WEIR_STOP_BUDGET);
  ++progress.tries;
  return {true, WEIR_STOP_NONE, delay_ns};
}

bool RetryRules::is_over(const RetryProgress &progress, int64_t now_ns) const {
  return now_ns > deadline_after(progress.started_ns, max_elapsed_ns);
}

RetryCallbacks::RetryCallbacks(const weir_retry_options &options)
    : classify(options.classify, options.classify_data, options.classify_free_data),
      should_retry(options.should_retry, options.should_retry_data, options.should_retry_free_data),
      on_retry(options.on_retry, options.on_retry_data, options.on_retry_free_data) {}

}  // namespace weir

weir_retry::weir_retry(weir_runtime *runtime, const weir_retry_options &options,
                       weir::RetryCallbacks &&callbacks)
    : weir_policy(runtime, weir::end_handle<weir_retry>, WEIR_POLICY_RETRY, &weir::retry_layer),
      judges_values(options.classify != nullptr),
      should_retry(std::move(callbacks.should_retry)),
      on_retry(std::move(callbacks.on_retry)) {
  rules.backoff.kind = options.backoff;
  rules.backoff.jitter = options.jitter;
  rules.backoff.base_ns = weir::ms_to_ns(options.base_delay_ms);
  rules.backoff.min_ns = weir::ms_to_ns(options.min_delay_ms);
  rules.backoff.max_ns = weir::ms_to_ns(options.max_delay_ms);
  rules.backoff.multiplier = options.multiplier;
  rules.backoff.jitter_factor = options.jitter_factor;
  rules.max_attempts = options.max_attempts;
  rules.max_elapsed_ns = weir::ms_to_ns(options.max_elapsed_ms);
  rules.attempt_timeout_ns = weir::ms_to_ns(options.attempt_timeout_ms);
  rules.retry_refusals = options.retry_refusals != 0;
  rules.budget = weir::ref_handle(options.budget);
}

weir_retry::~weir_retry() {
  weir::unref_error(attempt_timed_out);
  weir::unref_handle(rules.budget);
}

bool weir_retry::complete(const weir_retry_options &options,
                          weir::Callback<weir_classify_fn> &&classify) {
  if (!classifier.set(heap(), std::move(classify), options.failures, options.failures_count)) {
    return false;
  }
  if (!set_name(options.name)) return false;
  const char *space = name()[0] == '\0' ? "" : " ";
  weir::report(&attempt_timed_out, heap(), WEIR_ETIMEDOUT, "%s%sattempt timed out after %lld ms",
               name(), space, static_cast<long long>(options.attempt_timeout_ms));
  return true;
}

/* src/policy/retry_api.cc */

//
// The retry's public functions, and its decide door.
//
// A weir_retry_state holds {start time, what the last delay left behind, tries begun, marks}. The
// marks say that it was begun, and, once it was stopped, why: asking again says the same.

#include <bit>

namespace weir {
namespace {

constexpr weir_retry_options default_options = WEIR_RETRY_OPTIONS_INIT;

constexpr uint64_t most_failure_ranges = 65536;

bool ranges_are_ordered(const weir_retry_options &options) {
  if (options.failures == nullptr || options.failures_count > most_failure_ranges) return true;
  for (uint64_t i = 0; i < options.failures_count; ++i) {
    if (options.failures[i].code_min > options.failures[i].code_max) return false;
  }
  return true;
}

void check_delays(Check &check, const weir_retry_options &options) {
  check.range("backoff", options.backoff, 0, WEIR_BACKOFF_DECORRELATED_V2)
      .range("base_delay_ms", options.base_delay_ms, 0, max_ms)
      .range("max_delay_ms", options.max_delay_ms, 0, max_ms)
      .range("min_delay_ms", options.min_delay_ms, 0, max_ms)
      .rule(options.min_delay_ms <= options.max_delay_ms,
            "min_delay_ms must not exceed max_delay_ms (got %lld and %lld)",
            static_cast<long long>(options.min_delay_ms),
            static_cast<long long>(options.max_delay_ms))
      .real("multiplier", options.multiplier, 1, 1000)
      .real("jitter_factor", options.jitter_factor, 0, 1)
      .range("jitter", options.jitter, 0, WEIR_JITTER_SYMMETRIC);
}

weir_status check_options(const weir_retry_options &options, weir_runtime *runtime,
                          weir_retry **out, Heap *heap, weir_error **error) {
  Check check("retry", heap, error);
  check.rule(runtime != nullptr, "runtime must not be NULL")
      .rule(out != nullptr, "out must not be NULL")
      .range_or("max_attempts", options.max_attempts, 1, INT64_MAX, "unlimited");
  check_delays(check, options);
  check.range("retry_refusals", options.retry_refusals, 0, 1)
      .range_or("max_elapsed_ms", options.max_elapsed_ms, 0, max_ms, "forever")
      .range_or("attempt_timeout_ms", options.attempt_timeout_ms, 0, max_ms, "forever")
      .rule(options.budget == nullptr || runtime == nullptr || options.budget->runtime() == runtime,
            "budget must be of the same runtime")
      .rule(options.failures != nullptr || options.failures_count == 0,
            "failures must not be NULL with a failures_count (got %llu)",
            static_cast<unsigned long long>(options.failures_count))
      .rule(options.failures_count <= most_failure_ranges,
            "failures_count must be at most %llu (got %llu)",
            static_cast<unsigned long long>(most_failure_ranges),
            static_cast<unsigned long long>(options.failures_count))
      .rule(ranges_are_ordered(options), "failures must have code_min up to code_max");
  return check.status();
}

// ---- the caller's 32 bytes ----

constexpr uint64_t begun_mark = uint64_t{0x72657472} << 32;
constexpr uint64_t done_mark = uint64_t{1} << 8;

enum Word { started_word, previous_word, tries_word, marks_word };

void save(weir_retry_state &state, const RetryProgress &progress, uint64_t marks) {
  state.opaque[started_word] = static_cast<uint64_t>(progress.started_ns);
  state.opaque[previous_word] = std::bit_cast<uint64_t>(progress.previous);
  state.opaque[tries_word] = progress.tries;
  state.opaque[marks_word] = marks;
}

RetryProgress load(const weir_retry_state &state) {
  return {state.opaque[tries_word], std::bit_cast<double>(state.opaque[previous_word]),
          static_cast<int64_t>(state.opaque[started_word])};
}

bool was_begun(const weir_retry_state &state) {
  return (state.opaque[marks_word] & ~(done_mark | 0xff)) == begun_mark;
}

bool is_done(const weir_retry_state &state) { return (state.opaque[marks_word] & done_mark) != 0; }

uint32_t done_reason(const weir_retry_state &state) { return state.opaque[marks_word] & 0xff; }

// Where no option asks for the time, none is read.
int64_t decide_clock(const weir_retry &retry) {
  if (retry.rules.max_elapsed_ns != never_ns) return retry.runtime()->clock();
  return retry.rules.budget != nullptr ? retry.rules.budget->clock() : 0;
}

void count_end(weir_retry &retry, const RetryProgress &progress, uint32_t class_, uint32_t reason) {
  if (class_ == WEIR_CLASS_SUCCESS) {
    retry.count_decided(progress.tries == 1 ? RetryCount::succeeded_first
                                            : RetryCount::succeeded_later);
  }
  bool failed = class_ == WEIR_CLASS_FAILURE;
  bool failed_before = class_ == WEIR_CLASS_REFUSAL && progress.tries > 1;
  if (failed || failed_before) retry.count_decided(RetryCount::gave_up);
  if (reason == WEIR_STOP_BUDGET) retry.count_decided(RetryCount::refused_by_budget);
}

RetryDecision decide(weir_retry &retry, RetryProgress &progress, uint32_t class_, int64_t asked_ms,
                     int64_t now_ns) {
  Random &random = retry.runtime()->random();
  switch (class_) {
    case WEIR_CLASS_SUCCESS:
      return {false, WEIR_STOP_NONE, 0};
    case WEIR_CLASS_FAILURE:
      return retry.rules.next(progress, asked_ms, now_ns, never_ns, random);
    case WEIR_CLASS_REFUSAL:
      if (!retry.rules.retry_refusals || asked_ms < 0) return {false, WEIR_STOP_REFUSED, 0};
      return retry.rules.next(progress, asked_ms, now_ns, never_ns, random);
    default:
      return {false, WEIR_STOP_CLASSIFIED, 0};
  }
}

}  // namespace
}  // namespace weir

void weir_retry_options_init(weir_retry_options *options, size_t size) {
  weir::init_options(options, size, weir::default_options);
}

weir_status weir_retry_new(weir_runtime *runtime, const weir_retry_options *given, weir_retry **out,
                           weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_retry_options options = weir::default_options;
  weir_status status = weir::read_options(options, given, "retry options", heap, error);
  if (status != WEIR_OK) return status;
  weir::RetryCallbacks callbacks(options);
  status = weir::check_options(options, runtime, out, heap, error);
  if (status != WEIR_OK) return status;
  auto *retry = weir::make_handle<weir_retry>(heap, runtime, options, std::move(callbacks));
  if (retry != nullptr && retry->complete(options, std::move(callbacks.classify))) {
    *out = retry;
    return WEIR_OK;
  }
  weir::unref_handle(retry);
  return weir::report(error, heap, WEIR_ENOMEM, "retry: out of memory");
}

weir_retry *weir_retry_ref(weir_retry *retry) { return weir::ref_handle(retry); }

void weir_retry_unref(weir_retry *retry) { weir::unref_handle(retry); }

weir_policy *weir_retry_policy(weir_retry *retry) { return retry; }

weir_status weir_retry_begin(weir_retry *retry, weir_retry_state *state) {
  if (retry == nullptr) return WEIR_EINVAL;
  return weir_retry_begin_at(retry, state, weir::decide_clock(*retry));
}

weir_status weir_retry_begin_at(weir_retry *retry, weir_retry_state *state, int64_t now_ns) {
  if (retry == nullptr || state == nullptr) return WEIR_EINVAL;
  weir::save(*state, retry->rules.begin(now_ns), weir::begun_mark);
  if (retry->rules.budget != nullptr) retry->rules.budget->core.deposit(now_ns);
  retry->count_decided(weir::RetryCount::calls);
  return WEIR_OK;
}

weir_status weir_retry_next(weir_retry *retry, weir_retry_state *state, uint32_t class_,
                            int64_t asked_delay_ms, int64_t *delay_ns, uint32_t *stop_reason) {
  if (retry == nullptr) return WEIR_EINVAL;
  int64_t now_ns = class_ == WEIR_CLASS_SUCCESS ? 0 : weir::decide_clock(*retry);
  return weir_retry_next_at(retry, state, class_, asked_delay_ms, delay_ns, stop_reason, now_ns);
}

weir_status weir_retry_next_at(weir_retry *retry, weir_retry_state *state, uint32_t class_,
                               int64_t asked_delay_ms, int64_t *delay_ns, uint32_t *stop_reason,
                               int64_t now_ns) {
  if (retry == nullptr || state == nullptr || delay_ns == nullptr) return WEIR_EINVAL;
  if (class_ == WEIR_CLASS_NONE || class_ > WEIR_CLASS_ABANDON) return WEIR_EINVAL;
  if (!weir::was_begun(*state)) return WEIR_EINVAL;
  *delay_ns = 0;
  uint32_t ignored = 0;
  if (stop_reason == nullptr) stop_reason = &ignored;
  *stop_reason = weir::done_reason(*state);
  if (weir::is_done(*state)) return WEIR_ESTOP;
  weir::RetryProgress progress = weir::load(*state);
  weir::RetryDecision decision = weir::decide(*retry, progress, class_, asked_delay_ms, now_ns);
  uint64_t done = decision.again ? 0 : weir::done_mark | decision.reason;
  weir::save(*state, progress, weir::begun_mark | done);
  *delay_ns = decision.delay_ns;
  *stop_reason = decision.reason;
  if (!decision.again) {
    weir::count_end(*retry, progress, class_, decision.reason);
    return WEIR_ESTOP;
  }
  retry->count_decided(weir::RetryCount::retries);
  return WEIR_OK;
}

weir_status weir_retry_get_stats(weir_retry *retry, weir_retry_stats *stats) {
  if (retry == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_retry_stats filled = {};
  filled.size = sizeof(filled);
  filled.calls = retry->counted(weir::RetryCount::calls);
  filled.retries = retry->counted(weir::RetryCount::retries);
  filled.succeeded_first = retry->counted(weir::RetryCount::succeeded_first);
  filled.succeeded_later = retry->counted(weir::RetryCount::succeeded_later);
  filled.gave_up = retry->counted(weir::RetryCount::gave_up);
  filled.refused_by_budget = retry->counted(weir::RetryCount::refused_by_budget);
  return weir::write_sized(stats, filled);
}

/* src/policy/retry_layer.cc */

//
// The retry's run door: the machine that tries again.
//
//   phase     signal   when                                    then
//   (any)     start                                            → running, inner
//   running   result   success, ignored, abandoned             outer, unchanged
//             result   failure, may be tried again             → sleeping, wait
//             result   failure, may not                        outer, with the reason
//             result   refusal, where these are retried        as a failure
//             result   refusal, otherwise                      outer, with the last failure
//             timer    the attempt's timeout                   stop inside, then as a failure
//   sleeping  timer    the delay is over                       → running, inner
//             wake     the same, for a delay of 0              → running, inner
//             both     but it is too late to begin             outer, with the last failure
//   (any)     stop                                             let go of all
//
// Invariants:
// - The layer's one timer belongs to the attempt while running and to the delay while sleeping.
// - `kept` is the last result that was not good enough: always there while sleeping, and while a
//   later try runs, because a refusal or a lack of memory there must not hide the last real error.
// - A try is booked in the budget before it begins, the first as a deposit, later ones as
//   withdrawals; the booking is undone when the try ends without any attempt having started.
// - A judged failure never leaves as a success: a value that was judged one leaves as exhausted.

namespace weir {
namespace {

enum class RetryPhase : uint8_t { running, sleeping };
enum class Kept : uint8_t { none, refusal, failure };

struct RetryState : Layer {
  weir_retry &policy() { return *static_cast<weir_retry *>(owner); }
  Result &kept() { return *reinterpret_cast<Result *>(kept_storage); }

  RetryProgress progress;
  int64_t outer_deadline_ns;
  int64_t booked_ns;
  uint32_t attempts_before;  // the run's, when this try was booked
  RetryPhase phase;
  Kept kept_kind;  // none: there is no object in kept_storage
  bool booked;
  alignas(Result) unsigned char kept_storage[sizeof(Result)];
};

// ---- what is kept ----

void drop_kept(RetryState &state) {
  if (state.kept_kind != Kept::none) state.kept().~Result();
  state.kept_kind = Kept::none;
}

void keep(RetryState &state, Kept kind, Result &result) {
  drop_kept(state);
  new (state.kept_storage) Result(std::move(result));
  state.kept_kind = kind;
  result.clear();
}

// A refusal after a real failure: the failure stays, with what the refusal says beside it.
void keep_refusal(RetryState &state, Result &refusal) {
  if (state.kept_kind != Kept::failure) {
    keep(state, Kept::refusal, refusal);
    return;
  }
  state.kept().retry_after_ms = refusal.retry_after_ms;
  state.kept().refused = refusal.refused;
  refusal.clear();
}

// ---- the budget ----

// Nested retries count a first attempt once: the outermost that knows this budget does it.
bool is_outermost(weir_call &run, const RetryState &state, const weir_budget *budget) {
  for (uint32_t i = 0; i < state.index; ++i) {
    if (&run.layer_type(i) != &retry_layer) continue;
    if (static_cast<weir_retry *>(run.layer(i).owner)->rules.budget == budget) return false;
  }
  return true;
}

void book(weir_call &run, RetryState &state) {
  state.booked = true;
  state.booked_ns = run.runtime().now();
  state.attempts_before = run.attempts();
}

void deposit(weir_call &run, RetryState &state) {
  weir_budget *budget = state.policy().rules.budget;
  if (run.attempts() != 0 || !is_outermost(run, state, budget)) return;
  book(run, state);
  budget->core.deposit(state.booked_ns);
}

// This try is over, or will not be.
void close_booking(weir_call &run, RetryState &state) {
  if (!state.booked) return;
  state.booked = false;
  if (run.attempts() != state.attempts_before) return;
  Budget &budget = state.policy().rules.budget->core;
  if (state.progress.tries == 1) {
    budget.undeposit(state.booked_ns);
  } else {
    budget.refund(state.booked_ns);
  }
}

// ---- running ----

Next begin_try(weir_call &run, RetryState &state) {
  state.phase = RetryPhase::running;
  int64_t timeout_ns = state.policy().rules.attempt_timeout_ns;
  if (timeout_ns == never_ns) return Next::inner;
  int64_t deadline_ns = deadline_after(run.runtime().now_to_arm(timeout_ns), timeout_ns);
  run.arm(state, deadline_ns);
  state.outer_deadline_ns = run.narrow_deadline(deadline_ns);
  return Next::inner;
}

Next start(weir_call &run, RetryState &state) {
  weir_retry &policy = state.policy();
  state.progress = policy.rules.begin(run.runtime().now());
  state.kept_kind = Kept::none;
  state.booked = false;
  policy.count(RetryCount::calls);
  if (policy.rules.budget != nullptr) deposit(run, state);
  return begin_try(run, state);
}

// The attempt's timer and deadline are over.
void end_try(weir_call &run, RetryState &state) {
  if (state.policy().rules.attempt_timeout_ns != never_ns) {
    run.disarm(state);
    run.restore_deadline(state.outer_deadline_ns);
  }
  close_booking(run, state);
}

// ---- leaving ----

Next leave(RetryState &state) {
  drop_kept(state);
  return Next::outer;
}

Next succeed(RetryState &state) {
  bool is_first = state.progress.tries == 1;
  state.policy().count(is_first ? RetryCount::succeeded_first : RetryCount::succeeded_later);
  return leave(state);
}

Next give_up(weir_call &run, RetryState &state, uint32_t reason) {
  Result &result = run.result();
  if (result.channel == WEIR_CHANNEL_VALUE) {
    result.channel = WEIR_CHANNEL_ERROR;
    result.status = WEIR_EEXHAUSTED;
    result.error = bare_error(WEIR_EEXHAUSTED);
  }
  result.stop_reason = reason;
  state.policy().count(RetryCount::gave_up);
  return leave(state);
}

// What came last is not to be shown, if there is something better.
Next give_up_with_kept(weir_call &run, RetryState &state, uint32_t reason) {
  if (state.kept_kind != Kept::none) run.result() = std::move(state.kept());
  if (state.kept_kind == Kept::failure) return give_up(run, state, reason);
  run.result().stop_reason = reason;
  return leave(state);
}

Next leave_refused(weir_call &run, RetryState &state, uint32_t reason) {
  keep_refusal(state, run.result());
  return give_up_with_kept(run, state, reason);
}

// ---- trying again ----

void tell(weir_call &run, RetryState &state, int64_t delay_ns) {
  weir_retry &policy = state.policy();
  weir_runtime &runtime = run.runtime();
  uint64_t ended = state.progress.tries - 1;
  if (policy.on_retry) {
    auto attempt = static_cast<uint32_t>(ended < UINT32_MAX ? ended : UINT32_MAX);
    policy.on_retry(attempt, delay_ns, &run.view());
    runtime.user_ran();
  }
  if (!runtime.has_event_listener()) return;
  weir_event event = {};
  event.kind = WEIR_EVENT_RETRY;
  event.name = policy.name();
  event.policy = &policy;
  event.status = run.result().status;
  event.count = ended;
  event.delay_ns = delay_ns;
  runtime.emit(event);
}

Next sleep(weir_call &run, RetryState &state, int64_t delay_ns) {
  state.phase = RetryPhase::sleeping;
  if (delay_ns == 0) {
    run.wake_later(state);
  } else {
    run.arm(state, deadline_after(run.runtime().now_to_arm(delay_ns), delay_ns));
  }
  return Next::wait;
}

Next try_again(weir_call &run, RetryState &state, Kept kind) {
  weir_retry &policy = state.policy();
  weir_runtime &runtime = run.runtime();
  RetryDecision decision = policy.rules.next(state.progress, run.result().retry_after_ms,
                                             runtime.now(), run.deadline(), runtime.random());
  if (!decision.again) {
    if (decision.reason == WEIR_STOP_BUDGET) policy.count(RetryCount::refused_by_budget);
    return kind == Kept::failure ? give_up(run, state, decision.reason)
                                 : leave_refused(run, state, decision.reason);
  }
  if (policy.rules.budget != nullptr) book(run, state);
  tell(run, state, decision.delay_ns);
  if (kind == Kept::failure) {
    keep(state, Kept::failure, run.result());
  } else {
    keep_refusal(state, run.result());
  }
  return sleep(run, state, decision.delay_ns);
}

Next failed(weir_call &run, RetryState &state) {
  weir_retry &policy = state.policy();
  if (run.result().final != 0) return give_up(run, state, WEIR_STOP_FINAL);
  if (policy.should_retry) {
    uint64_t tries = state.progress.tries;
    auto attempt = static_cast<uint32_t>(tries < UINT32_MAX ? tries : UINT32_MAX);
    int32_t answer = policy.should_retry(&run.view(), attempt);
    run.runtime().user_ran();
    if (answer == 0) return give_up(run, state, WEIR_STOP_CLASSIFIED);
  }
  return try_again(run, state, Kept::failure);
}

Next refused(weir_call &run, RetryState &state) {
  if (!state.policy().rules.retry_refusals || run.result().retry_after_ms < 0) {
    return leave_refused(run, state, WEIR_STOP_REFUSED);
  }
  return try_again(run, state, Kept::refusal);
}

Next judge(weir_call &run, RetryState &state) {
  weir_retry &policy = state.policy();
  uint32_t class_ = policy.classifier.judge(run.view());
  if (policy.judges_values) run.runtime().user_ran();
  switch (class_) {
    case WEIR_CLASS_SUCCESS:
      return succeed(state);
    case WEIR_CLASS_FAILURE:
      return failed(run, state);
    case WEIR_CLASS_REFUSAL:
      return refused(run, state);
    default:
      run.result().stop_reason = WEIR_STOP_CLASSIFIED;
      return leave(state);
  }
}

// A later attempt could not be had: a run's flag, set by the leaf, or by a retry further in that
// has already put the last real error in its place.
Next lacked_memory(weir_call &run, RetryState &state) {
  if (run.result().status == WEIR_ENOMEM && state.kept_kind == Kept::failure) {
    return give_up_with_kept(run, state, WEIR_STOP_NO_MEMORY);
  }
  return give_up(run, state, WEIR_STOP_NO_MEMORY);
}

// ---- signals ----

Next on_result(weir_call &run, RetryState &state) {
  end_try(run, state);
  const Result &result = run.result();
  bool is_plain_value = result.channel == WEIR_CHANNEL_VALUE && result.class_ == WEIR_CLASS_NONE;
  if (is_plain_value && !state.policy().judges_values) return succeed(state);
  if (result.stop_reason == WEIR_STOP_NO_MEMORY) return lacked_memory(run, state);
  return judge(run, state);
}

Next on_attempt_timeout(weir_call &run, RetryState &state) {
  run.stop_inside(state, WEIR_CANCEL_TIMEOUT);
  end_try(run, state);
  run.result().set_error(ref_error(state.policy().attempt_timed_out));
  return judge(run, state);
}

Next on_delay_over(weir_call &run, RetryState &state) {
  weir_retry &policy = state.policy();
  if (policy.rules.is_over(state.progress, run.runtime().now())) {
    close_booking(run, state);
    return give_up_with_kept(run, state, WEIR_STOP_ELAPSED);
  }
  policy.count(RetryCount::retries);
  return begin_try(run, state);
}

void on_stop(weir_call &run, RetryState &state) {
  if (state.phase == RetryPhase::running) {
    end_try(run, state);
  } else {
    run.disarm(state);
    run.forget(state);
    close_booking(run, state);
  }
  drop_kept(state);
}

Next step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<RetryState &>(layer);
  switch (signal) {
    case Signal::start:
      return start(run, state);
    case Signal::result:
      return on_result(run, state);
    case Signal::timer:
    case Signal::wake:
      return state.phase == RetryPhase::running ? on_attempt_timeout(run, state)
                                                : on_delay_over(run, state);
    case Signal::stop:
      on_stop(run, state);
      break;
  }
  return Next::wait;
}

void describe(const weir_call &, const Layer &layer, char *buffer, size_t size) {
  const auto &state = static_cast<const RetryState &>(layer);
  TextWriter(buffer, size)
      .print("retry '%s': the delay before try %llu", layer.owner->name(),
             static_cast<unsigned long long>(state.progress.tries));
}

}  // namespace

constinit const LayerType retry_layer = {"retry", layer_size(sizeof(RetryState)), step, describe};

}  // namespace weir

/* src/policy/timeout.cc */

//
//   signal   when                                            then
//   start    forever                                         inner
//            otherwise: timer armed, run's deadline narrowed inner
//   result   the inside was faster                           outer, unchanged
//   timer    it was not: inside stopped                      outer, WEIR_ETIMEDOUT
//   stop     the caller, or something outside, gave up       let go of timer and deadline
//
// Invariants: while this layer is active the run's deadline is not later than its timer; when it is
// not, the deadline is what it was before. A nearer deadline further out fires by its own timer.

/* src/policy/timeout.hh */

//
// The inside of weir_timeout. The error it settles with is made at creation, so that timing out
// cannot fail; with a timeout per run a message with that run's number is tried first.

#include <atomic>

namespace weir {

extern const LayerType timeout_layer;

}  // namespace weir

struct weir_timeout : weir_policy {
  weir_timeout(weir_runtime *runtime, int64_t milliseconds,
               weir::Callback<weir_timeout_fn> &&callback);
  ~weir_timeout();

  // The part of making one that can fail; false without memory.
  bool complete(const weir_timeout_options &options);

  // A new reference: the error of a run that had `run_ms`.
  weir_error *timed_out_error(int64_t run_ms) const;

  int64_t timeout_ms;  // without timeout_for; WEIR_FOREVER: none
  weir::Callback<weir_timeout_fn> timeout_for;

  // Written by the engine's thread alone.
  std::atomic<uint64_t> started{0};
  std::atomic<uint64_t> timed_out{0};

 private:
  weir_error *error_ = nullptr;  // one reference, maybe an immortal one
  bool own_message_ = false;
};

namespace weir {
namespace {

struct TimeoutState : Layer {
  weir_timeout &policy() const { return *static_cast<weir_timeout *>(owner); }

  int64_t outer_deadline_ns;
  int64_t timeout_ms;  // this run's
};

void count(std::atomic<uint64_t> &number) {
  number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

int64_t timeout_of(weir_call &run, const weir_timeout &policy) {
  if (!policy.timeout_for) return policy.timeout_ms;
  const RunRequest &request = run.request();
  int64_t timeout_ms = policy.timeout_for(request.context, request.key, request.key_size);
  run.runtime().user_ran();
  return timeout_ms < 0 && timeout_ms != WEIR_FOREVER ? 0 : timeout_ms;
}

Next start(weir_call &run, TimeoutState &state) {
  weir_timeout &policy = state.policy();
  count(policy.started);
  state.timeout_ms = timeout_of(run, policy);
  int64_t timeout_ns = ms_to_ns(state.timeout_ms);
  int64_t deadline_ns = never_ns;
  if (timeout_ns != never_ns) {
    deadline_ns = deadline_after(run.runtime().now_to_arm(timeout_ns), timeout_ns);
    run.arm(state, deadline_ns);
  }
  state.outer_deadline_ns = run.narrow_deadline(deadline_ns);
  return Next::inner;
}

void let_go(weir_call &run, TimeoutState &state) {
  run.disarm(state);
  run.restore_deadline(state.outer_deadline_ns);
}

Next time_out(weir_call &run, TimeoutState &state) {
  weir_timeout &policy = state.policy();
  count(policy.timed_out);
  run.stop_inside(state, WEIR_CANCEL_TIMEOUT);
  let_go(run, state);
  run.result().set_error(policy.timed_out_error(state.timeout_ms));
  return Next::outer;
}

Next step(weir_call &run, Layer &layer, Signal signal) {
  auto &state = static_cast<TimeoutState &>(layer);
  switch (signal) {
    case Signal::start:
      return start(run, state);
    case Signal::timer:
      return time_out(run, state);
    case Signal::result:
      let_go(run, state);
      return Next::outer;
    case Signal::stop:
      let_go(run, state);
      break;
    case Signal::wake:
      break;
  }
  return Next::wait;
}

constexpr weir_timeout_options default_options = WEIR_TIMEOUT_OPTIONS_INIT;

// What the macro leaves in timeout_ms, so that forgetting it is found.
constexpr int64_t untouched_ms = -2;

weir_status check_options(const weir_timeout_options &options, weir_runtime *runtime,
                          weir_timeout **out, Heap *heap, weir_error **error) {
  bool per_run = options.timeout_for != nullptr;
  auto milliseconds = static_cast<long long>(options.timeout_ms);
  return Check("timeout", heap, error)
      .rule(runtime != nullptr, "runtime must not be NULL")
      .rule(out != nullptr, "out must not be NULL")
      .rule(options.reserved == 0, "reserved must be 0 (got %u)", options.reserved)
      .rule(per_run || options.timeout_ms >= WEIR_FOREVER,
            "timeout_ms is required: at least 0, or -1 for forever (got %lld)", milliseconds)
      .rule(!per_run || options.timeout_ms == WEIR_OFF || options.timeout_ms == untouched_ms,
            "timeout_ms must be -1 (off) beside timeout_for (got %lld)", milliseconds)
      .status();
}

}  // namespace

constinit const LayerType timeout_layer = {"timeout", layer_size(sizeof(TimeoutState)), step,
                                           nullptr};

}  // namespace weir

weir_timeout::weir_timeout(weir_runtime *runtime, int64_t milliseconds,
                           weir::Callback<weir_timeout_fn> &&callback)
    : weir_policy(runtime, weir::end_handle<weir_timeout>, WEIR_POLICY_TIMEOUT,
                  &weir::timeout_layer),
      timeout_ms(milliseconds),
      timeout_for(std::move(callback)) {}

weir_timeout::~weir_timeout() { weir::unref_error(error_); }

bool weir_timeout::complete(const weir_timeout_options &options) {
  if (!set_name(options.name)) return false;
  const char *space = name()[0] == '\0' ? "" : " ";
  own_message_ = options.message != nullptr;
  if (own_message_) {
    error_ =
        weir::make_error(heap(), WEIR_ETIMEDOUT, WEIR_DOMAIN_WEIR, WEIR_ETIMEDOUT, options.message);
  } else if (timeout_for) {
    weir::report(&error_, heap(), WEIR_ETIMEDOUT, "%s%stimed out", name(), space);
  } else {
    weir::report(&error_, heap(), WEIR_ETIMEDOUT, "%s%stimed out after %lld ms", name(), space,
                 static_cast<long long>(timeout_ms));
  }
  return error_ != nullptr;
}

weir_error *weir_timeout::timed_out_error(int64_t run_ms) const {
  if (!timeout_for || own_message_) return weir::ref_error(error_);
  weir_error *error = nullptr;
  const char *space = name()[0] == '\0' ? "" : " ";
  weir::report(&error, heap(), WEIR_ETIMEDOUT, "%s%stimed out after %lld ms", name(), space,
               static_cast<long long>(run_ms));
  bool has_message = error != weir::bare_error(WEIR_ETIMEDOUT);
  return has_message ? error : weir::ref_error(error_);
}

void weir_timeout_options_init(weir_timeout_options *options, size_t size) {
  weir::init_options(options, size, weir::default_options);
}

weir_status weir_timeout_new(weir_runtime *runtime, const weir_timeout_options *given,
                             weir_timeout **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_timeout_options options = weir::default_options;
  weir_status status = weir::read_options(options, given, "timeout options", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_timeout_fn> callback(options.timeout_for, options.timeout_data,
                                           options.timeout_free_data);
  status = weir::check_options(options, runtime, out, heap, error);
  if (status != WEIR_OK) return status;
  auto *timeout =
      weir::make_handle<weir_timeout>(heap, runtime, options.timeout_ms, std::move(callback));
  if (timeout != nullptr && timeout->complete(options)) {
    *out = timeout;
    return WEIR_OK;
  }
  weir::unref_handle(timeout);
  return weir::report(error, heap, WEIR_ENOMEM, "timeout: out of memory");
}

weir_timeout *weir_timeout_ref(weir_timeout *timeout) { return weir::ref_handle(timeout); }

void weir_timeout_unref(weir_timeout *timeout) { weir::unref_handle(timeout); }

weir_policy *weir_timeout_policy(weir_timeout *timeout) { return timeout; }

weir_status weir_timeout_get_stats(weir_timeout *timeout, weir_timeout_stats *stats) {
  if (timeout == nullptr || stats == nullptr) return WEIR_EINVAL;
  weir_timeout_stats filled = {};
  filled.size = sizeof(filled);
  filled.started = timeout->started.load(std::memory_order_relaxed);
  filled.timed_out = timeout->timed_out.load(std::memory_order_relaxed);
  return weir::write_sized(stats, filled);
}

/* src/policy/breaker.cc */

//
// Making a breaker, and telling of its changes.

/* src/policy/breaker.hh */

//
// The breaker as a handle: a core that decides, and what connects it to a runtime. Everything that
// few breakers have (a classifier, listeners) is memory of its own, so that an idle breaker with its
// places for trials stays within 512 bytes.

/* src/engine/changes.hh */

//
// From a policy's transitions to its listeners. A transition happens under the policy's mutex on any
// thread; its listeners run later, on the engine's thread, with no lock held. In between a change
// waits here, in a ring of 8: when it is full the newest is kept, the oldest is given up and counted.
//
// Use: under the mutex `wake = ring.push(change)`; after unlocking, if it said so, `ring.post()`.
//
// Invariants:
// - The owner's mutex guards everything but `entered_`, which belongs to the task.
// - `posted_` from the push that found it false until the task finds the ring empty: so the task is
//   queued once at most, and changes are delivered one after the other, in order.
// - A queued task keeps the owner alive: by an inside reference when it was posted on the engine's
//   thread (where a run may hold the owner by nothing else), by an outside one otherwise.
// - One change a task: a listener that changes the state again cannot hold up the turn.

#include <cstdint>

namespace weir {

// `Change` has a `sequence`, which push() fills in: 1, 2, 3 ...; what was given up leaves a gap.
template <typename Change>
class ChangeRing : Task {
 public:
  // Tells everybody who listens. The engine's thread, no lock held.
  using DeliverFn = void (*)(Handle &owner, const Change &change);

  ChangeRing(Handle &owner, Mutex &mutex, DeliverFn deliver)
      : Task(&ChangeRing::run_task), owner_(owner), mutex_(mutex), deliver_(deliver) {}
  ChangeRing(const ChangeRing &) = delete;
  ChangeRing &operator=(const ChangeRing &) = delete;

  // Under the mutex. True: post() has to follow.
  bool push(Change change) {
    change.sequence = ++sequence_;
    if (count_ == capacity) {
      first_ = (first_ + 1) % capacity;
      --count_;
      ++missed_;
    }
    slots_[(first_ + count_) % capacity] = change;
    ++count_;
    bool wake = !posted_;
    posted_ = true;
    return wake;
  }

  // Without the mutex; the caller holds a reference of the owner.
  void post() {
    weir_runtime &runtime = *owner_.runtime();
    entered_ = runtime.on_thread();
    if (entered_) {
      owner_.enter();
    } else {
      owner_.ref();
    }
    runtime.post(*this);
  }

  // Under the mutex: changes that were given up.
  uint64_t missed() const { return missed_; }

 private:
  static constexpr uint32_t capacity = 8;

  static void run_task(weir_runtime &runtime, Task &task) {
    ChangeRing &ring = static_cast<ChangeRing &>(task);
    Change change = ring.pop();
    ring.deliver_(ring.owner_, change);
    bool entered = ring.entered_;
    Handle &owner = ring.owner_;
    if (ring.more()) {
      runtime.post(task);
    } else if (entered) {
      owner.leave();
    } else {
      owner.unref();
    }
  }

  Change pop() {
    Lock lock(mutex_);
    Change change = slots_[first_];
    first_ = (first_ + 1) % capacity;
    --count_;
    return change;
  }

  // Whether there is another; if not, the next push posts again.
  bool more() {
    Lock lock(mutex_);
    posted_ = count_ > 0;
    return posted_;
  }

  Handle &owner_;
  Mutex &mutex_;
  DeliverFn deliver_;
  uint64_t sequence_ = 0;
  uint64_t missed_ = 0;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  bool posted_ = false;
  bool entered_ = false;
  Change slots_[capacity];
};

}  // namespace weir

/* src/policy/breaker_core.hh */

//
// The breaker's decisions, without a runtime: everything takes the time.
//
// All that a call in the closed state needs is one 64-bit word {life, windowed, state, failures}.
// A LIFE is the time between two changes of state. A permit of a judged state is its life; it uses
// no slot and a report of another life finds it stale. A trial's permit is {serial, place}; the
// place, one of half_open_max_calls, holds the permit and its lease.
//
//   from        to          when (what the word's next life means)
//   closed      open        failures in a row, or the window's rates; publishes refuse_until first
//   open        half-open   refuse_until has passed, found by whoever looks
//   half-open   closed      half_open_success_threshold trials succeeded (or ramping, same judging)
//               open        half_open_failures trials failed or hung; the next open time is longer
//   any         forced-open isolations > 0, or force
//               forced-closed, metrics-only    force
//               closed      reset, force, the last release
//   ramping     closed      ramp_up_ms have passed; the life goes on
//   metrics     tripped     what would have opened it was told once; the life goes on
//
// Invariants:
// - Life and state change under the mutex only. The failure count (consecutive mode), and tripped →
//   metrics, change by compare-and-swap without it, which fails on a change of life.
// - refuse_until_ns_ is published before the word that says open: no reader sees open with an older
//   deadline. Open: when it ends. Half-open: when the first lease runs out, if no place is free; the
//   past otherwise. Forced open: never. Before it, a refusal needs no mutex.
// - What time alone changes (open time over, leases run out) happens at its own time, also when it
//   is only found later: bring_up_to_date() replays it in order, at most once around.
// - A place that got a verdict stays used until the half-open period ends, so a period judges at
//   most half_open_max_calls, and that many verdicts always end it (a rule of the options).
// - The words that every call reads share no cache line with what calls write.

#include <sched.h>

#include <atomic>

/* src/policy/breaker_moment.hh */

//
// The time of one decision, read only if the decision needs it, and no dearer than it needs: most
// calls of a breaker end without a clock, most others with the coarse one.
//
// - exact() is the truth, or what the caller gave.
// - coarse() is never after the truth, so what waits for a time is never let through early; it is
//   behind by a tick (10 ms), or on the engine's thread by the age of the turn.

#include <cstdint>

struct weir_runtime;

namespace weir {

// How far apart two times must be for the coarse clock to tell which is first.
inline constexpr int64_t coarse_margin_ns = 64 * ns_per_ms;

class Moment {
 public:
  // A given time: no clock is ever read.
  static Moment at(int64_t now_ns) { return {nullptr, now_ns, Known::exact}; }
  // Whatever the runtime's clocks say when asked. Any thread.
  static Moment live(const weir_runtime &runtime) { return {&runtime, 0, Known::nothing}; }
  // The turn's time where coarse time is enough. The engine's thread.
  static Moment turn(const weir_runtime &runtime, int64_t turn_ns) {
    return {&runtime, turn_ns, Known::coarse};
  }

  int64_t exact() {
    if (known_ != Known::exact) read_exact();
    return now_ns_;
  }
  int64_t coarse() {
    if (known_ == Known::nothing) read_coarse();
    return now_ns_;
  }

  // For what happens every `grain_ns`: coarse if that is coarse enough.
  int64_t within(int64_t grain_ns) { return grain_ns > coarse_margin_ns ? coarse() : exact(); }

  // Whether `deadline_ns` is still ahead; exact, yet rarely reads the exact clock.
  bool before(int64_t deadline_ns) {
    int64_t now_ns = coarse();
    if (now_ns >= deadline_ns) return false;
    if (saturating_sub(deadline_ns, now_ns) > coarse_margin_ns) return true;
    return exact() < deadline_ns;
  }

 private:
  enum class Known : uint8_t { nothing, coarse, exact };

  Moment(const weir_runtime *runtime, int64_t now_ns, Known known)
      : runtime_(runtime), now_ns_(now_ns), known_(known) {}
  void read_exact();
  void read_coarse();

  const weir_runtime *runtime_;
  int64_t now_ns_;
  Known known_;
};

}  // namespace weir

/* src/policy/breaker_options.hh */

//
// A breaker's options: defaults, and the rules that every set of them keeps, so that no breaker can
// be made that cannot open or cannot close.

namespace weir {

// The numbers that only transitions and windows need; the others are atomics in the core.
struct BreakerRules {
  double failure_rate;
  double slow_call_rate;
  double reset_multiplier;
  int64_t reset_timeout_ns;
  int64_t max_reset_timeout_ns;
  int64_t trial_timeout_ns;
  uint32_t min_calls;
  uint8_t half_open_max_calls;
  uint8_t half_open_success_threshold;
  uint8_t half_open_failures;
};

weir_breaker_options default_breaker_options();

// WEIR_OK, or WEIR_EINVAL with a message that names field, rule and value.
weir_status check_breaker_options(const weir_breaker_options &options, Heap *heap,
                                  weir_error **error);

// Of options that were checked.
BreakerRules breaker_rules(const weir_breaker_options &options);

}  // namespace weir

/* src/policy/breaker_window.hh */

//
// What a breaker's rates are taken of: the last N calls, or the calls of the last milliseconds.
//
// Invariants:
// - `totals()` is the sum of what the window holds; it is kept up to date, never summed up anew.
// - Work per call is bounded: a count window replaces one outcome; a time window drops at most its
//   number of slices, however long nobody called.
// - Time never runs backwards in a window: an earlier time counts into the newest slice.
//
// The policy's mutex guards it. `recorded` are calls ever added, which clear() leaves alone.

#include <cstdint>

namespace weir {

struct CallCounts {
  uint64_t calls = 0;
  uint64_t failures = 0;
  uint64_t slow_calls = 0;

  void add(bool failed, bool slow) {
    calls += 1;
    failures += failed ? 1 : 0;
    slow_calls += slow ? 1 : 0;
  }
  void add(const CallCounts &other) {
    calls += other.calls;
    failures += other.failures;
    slow_calls += other.slow_calls;
  }
  void subtract(const CallCounts &other) {
    calls -= other.calls;
    failures -= other.failures;
    slow_calls -= other.slow_calls;
  }
};

class CallWindow {
 public:
  static constexpr uint32_t slices = 10;

  // The last `calls` calls; NULL without memory.
  static CallWindow *of_calls(Heap *heap, uint32_t calls);
  // The last `slices` times slice_ns; NULL without memory.
  static CallWindow *of_time(Heap *heap, int64_t slice_ns);
  void free(Heap *heap);

  // Whether the two judge the same calls.
  bool same_shape(const CallWindow &other) const {
    return capacity_ == other.capacity_ && slice_ns_ == other.slice_ns_;
  }
  bool timed() const { return slice_ns_ != 0; }
  int64_t slice_ns() const { return slice_ns_; }

  // One call that ended. `now_ns` matters to a time window only.
  void add(bool failed, bool slow, int64_t now_ns) {
    recorded_.add(failed, slow);
    if (timed()) {
      add_to_slice(failed, slow, now_ns);
    } else {
      replace_oldest(failed, slow);
    }
  }

  // Forgets what is older than the window at `now_ns`; nothing to do for a count window.
  void advance(int64_t now_ns);
  void clear();

  const CallCounts &totals() const { return totals_; }
  const CallCounts &recorded() const { return recorded_; }

 private:
  CallWindow(uint32_t capacity, int64_t slice_ns) : capacity_(capacity), slice_ns_(slice_ns) {}

  static size_t block_size(uint32_t capacity, int64_t slice_ns);
  static CallWindow *create(Heap *heap, uint32_t capacity, int64_t slice_ns);
  void add_to_slice(bool failed, bool slow, int64_t now_ns);
  void replace_oldest(bool failed, bool slow);
  void drop_slices(int64_t now_ns);

  // Behind this object in its block: slices, or two bits a call (1 failed, 2 slow).
  CallCounts *slice_array() { return reinterpret_cast<CallCounts *>(this + 1); }
  uint64_t *outcome_bits() { return reinterpret_cast<uint64_t *>(this + 1); }

  CallCounts totals_;
  CallCounts recorded_;
  uint32_t capacity_;                 // count window: how many calls; otherwise 0
  uint32_t position_ = 0;             // of the oldest call, or the newest slice
  int64_t slice_ns_;                  // time window: how long a slice is; otherwise 0
  int64_t slice_end_ns_ = INT64_MIN;  // time window: when the newest slice ends
};

}  // namespace weir

namespace weir {

template <typename Change>
class ChangeRing;

// The states by the numbers of weir/breaker.h, and two that look like one of them from outside.
enum class BreakerState : uint8_t {
  closed = WEIR_BREAKER_CLOSED,
  open = WEIR_BREAKER_OPEN,
  half_open = WEIR_BREAKER_HALF_OPEN,
  forced_open = WEIR_BREAKER_FORCED_OPEN,
  forced_closed = WEIR_BREAKER_FORCED_CLOSED,
  metrics_only = WEIR_BREAKER_METRICS_ONLY,
  tripped = 6,  // metrics-only that has told
  ramping = 7,  // closed, admitting a share
};

constexpr uint32_t public_state(BreakerState state) {
  if (state == BreakerState::tripped) return WEIR_BREAKER_METRICS_ONLY;
  if (state == BreakerState::ramping) return WEIR_BREAKER_CLOSED;
  return static_cast<uint32_t>(state);
}

// The word, taken apart.
class BreakerWord {
 public:
  static constexpr uint32_t state_shift = 20;
  static constexpr uint32_t windowed_shift = 23;
  static constexpr uint32_t life_shift = 24;
  static constexpr uint64_t max_failures = (uint64_t{1} << state_shift) - 1;

  explicit constexpr BreakerWord(uint64_t bits) : bits_(bits) {}

  constexpr uint64_t bits() const { return bits_; }
  constexpr uint64_t failures() const { return bits_ & max_failures; }
  constexpr BreakerState state() const {
    return static_cast<BreakerState>(bits_ >> state_shift & 7);
  }
  constexpr bool windowed() const { return (bits_ >> windowed_shift & 1) != 0; }
  // Nothing but a life: closed, consecutive mode, no failure.
  constexpr bool bare() const { return (bits_ & ((uint64_t{1} << life_shift) - 1)) == 0; }
  constexpr uint64_t life() const { return bits_ >> life_shift; }
  // Bit 0 tells it from a trial's; life 0 is never used, so it is not 0.
  constexpr weir_permit permit() const { return life() << 1; }

  // The same life with another count or state.
  constexpr BreakerWord with_failures(uint64_t failures) const {
    return BreakerWord((bits_ & ~max_failures) | failures);
  }
  constexpr BreakerWord with_state(BreakerState state) const {
    return BreakerWord((bits_ & ~(uint64_t{7} << state_shift)) | static_cast<uint64_t>(state)
                                                                     << state_shift);
  }
  constexpr BreakerWord with_windowed(bool windowed) const {
    return BreakerWord((bits_ & ~(uint64_t{1} << windowed_shift)) | uint64_t{windowed}
                                                                        << windowed_shift);
  }
  // The next life. After 2^40 of them the first comes again, never 0.
  constexpr BreakerWord next(BreakerState state) const {
    uint64_t life = (bits_ >> life_shift) + 1;
    if (life >> (64 - life_shift) != 0) life = 1;
    return BreakerWord(life << life_shift | (bits_ & uint64_t{1} << windowed_shift))
        .with_state(state);
  }

 private:
  uint64_t bits_;
};

// A place for a trial. Which are taken, out and expired is kept in masks beside the places.
struct TrialPlace {
  weir_permit permit;
  int64_t lease_ns;
};

// Why an acquire was refused, and when to come again (-1: nobody knows).
struct BreakerRefusal {
  uint32_t reason = WEIR_REJECTION_NONE;
  int64_t retry_after_ns = -1;
};

// What a snapshot holds.
struct BreakerImage {
  BreakerState state = BreakerState::closed;  // closed, open or half-open
  BreakerState forced = BreakerState::closed;
  uint32_t isolations = 0;
  uint32_t failures = 0;  // in a row
  int64_t open_remaining_ns = 0;
  double stretch = 1.0;
  CallCounts opened_by;
};

class BreakerCore {
 public:
  using Ring = ChangeRing<weir_breaker_change>;

  BreakerCore() = default;
  BreakerCore(const BreakerCore &) = delete;
  BreakerCore &operator=(const BreakerCore &) = delete;

  // Once, before use: takes the options' numbers and memory. False without memory.
  bool begin(Heap *heap, const weir_breaker_options &options);
  // Frees it. `begin` need not have succeeded.
  void end(Heap *heap);
  // Where changes go; nullable, once, before use.
  void announce_to(Ring *ring) { ring_ = ring; }
  Mutex &mutex() { return mutex_; }

  // ---- deciding (breaker_core.cc) ----

  weir_status acquire(weir_permit &permit, BreakerRefusal &refusal, Moment &moment) {
    BreakerWord word(word_.load(std::memory_order_acquire));
    if (word.state() != BreakerState::closed) return acquire_otherwise(permit, refusal, moment);
    permit = word.permit();
    return WEIR_OK;
  }

  // `class_` and `elapsed_ns` were checked.
  weir_status report(weir_permit permit, uint32_t class_, int64_t elapsed_ns, Moment &moment) {
    // Closed, not windowed, no failure counted: then the word is the life and nothing else.
    uint64_t word = word_.load(std::memory_order_acquire);
    if (word >> (BreakerWord::life_shift - 1) == permit && BreakerWord(word).bare() &&
        class_ == WEIR_CLASS_SUCCESS &&
        elapsed_ns <= slow_call_ns_.load(std::memory_order_relaxed)) {
      stripe().succeeded.fetch_add(1, std::memory_order_relaxed);
      return WEIR_OK;
    }
    return report_otherwise(permit, class_, elapsed_ns, moment);
  }

  // Current, not just the last one set.
  uint32_t state(Moment &moment);
  // The counts that a refusal shows.
  CallCounts refusal_counts(const BreakerRefusal &refusal) const;
  void get_stats(weir_breaker_stats &stats, Moment &moment);

  // ---- by hand (breaker_hand.cc) ----

  weir_status isolate(Moment &moment);
  weir_status release(Moment &moment);
  void force(BreakerState state, Moment &moment);
  void reset(Moment &moment);
  bool set_options(Heap *heap, const weir_breaker_options &options, Moment &moment);
  BreakerImage image(Moment &moment);
  void restore(const BreakerImage &image, Moment &moment);

 private:
  // Holds the mutex; wakes the listeners of what was announced after it has let go.
  class Section {
   public:
    explicit Section(BreakerCore &core) : core_(core) { core_.mutex_.lock(); }
    Section(const Section &) = delete;
    Section &operator=(const Section &) = delete;
    ~Section() {
      bool wake = core_.wake_;
      core_.wake_ = false;
      core_.mutex_.unlock();
      if (wake) core_.wake_listeners();
    }

   private:
    BreakerCore &core_;
  };
  // What two busy threads count without meeting: one for even processors, one for odd ones.
  struct Stripe {
    std::atomic<uint64_t> succeeded{0};
    std::atomic<uint64_t> rejected{0};
  };

  BreakerWord word() const { return BreakerWord(word_.load(std::memory_order_acquire)); }
  bool replace(BreakerWord from, BreakerWord to) {
    uint64_t expected = from.bits();
    return word_.compare_exchange_strong(expected, to.bits(), std::memory_order_acq_rel);
  }
  Stripe &stripe() { return (sched_getcpu() & 1) != 0 ? odd_ : even_; }

  // breaker_core.cc
  weir_status acquire_otherwise(weir_permit &permit, BreakerRefusal &refusal, Moment &moment);
  weir_status acquire_ramping(BreakerWord word, weir_permit &permit, BreakerRefusal &refusal,
                              Moment &moment);
  weir_status refuse(uint32_t reason, int64_t until_ns, BreakerRefusal &refusal, Moment &moment);
  weir_status report_otherwise(weir_permit permit, uint32_t class_, int64_t elapsed_ns,
                               Moment &moment);
  bool count_in_a_row(BreakerWord word, bool failed, Moment &moment);
  bool count_in_window(BreakerWord word, bool failed, bool slow, Moment &moment);
  void judge_window(BreakerWord word, Moment &moment);
  void count_recorded(bool failed, bool slow);
  weir_status count_stale(weir_status status);

  // Under the mutex; breaker_states.cc
  void publish_opening(int64_t until_ns, const CallCounts &counts);
  bool trip(BreakerWord word, CallCounts counts, uint32_t reason, int64_t now_ns);
  void begin_half_open();
  void reopen(int64_t now_ns);
  void close(int64_t now_ns);
  void enter(BreakerState state);
  void forget_trials();
  void bring_up_to_date(int64_t now_ns);
  uint32_t first_to_expire() const;
  uint32_t free_place() const;
  void publish_free_places();
  weir_status begin_trial(weir_permit &permit, BreakerRefusal &refusal, Moment &moment);
  weir_status report_trial(weir_permit permit, uint32_t class_, bool slow, Moment &moment);
  void judge_trial(bool failed, int64_t at_ns);
  void announce(uint32_t from, uint32_t reason, const CallCounts &counts, int64_t at_ns);
  CallCounts opened_by() const;
  CallCounts trial_counts() const;
  CallCounts current_counts() const;
  int64_t open_time_ns() const;
  uint64_t missed_changes() const;
  void wake_listeners();  // without the mutex

  // Under the mutex; breaker_hand.cc
  BreakerState manual_state() const {
    return isolations_ > 0 ? BreakerState::forced_open : forced_;
  }
  void start_anew(int64_t now_ns);
  void take_numbers(const weir_breaker_options &options);
  void take_window(CallWindow *&window);
  void take_places(TrialPlace *&places, uint32_t &count);
  void restore_automatic(const BreakerImage &image, int64_t now_ns);

  // ---- counters, and what is read rarely: also the distance between the busy lines ----
  Stripe even_;
  std::atomic<uint64_t> failed_{0};
  std::atomic<uint64_t> slow_{0};
  std::atomic<uint64_t> ignored_{0};
  std::atomic<uint64_t> stale_{0};
  Mutex mutex_;
  BreakerRules rules_;

  // ---- read by every call, written by transitions and failures ----
  std::atomic<uint64_t> word_{BreakerWord(0).next(BreakerState::closed).bits()};
  std::atomic<int64_t> refuse_until_ns_{INT64_MIN};
  std::atomic<int64_t> slow_call_ns_{never_ns};
  std::atomic<int64_t> ramp_up_ns_{0};
  std::atomic<int64_t> ramp_from_ns_{0};
  std::atomic<uint32_t> failure_threshold_{0};
  std::atomic<uint32_t> slice_ms_{0};  // of a time window, rounded down; 0: another mode

  // ---- under the mutex, unless atomic ----
  std::atomic<uint64_t> opened_calls_{0};
  std::atomic<uint64_t> opened_failures_{0};
  std::atomic<uint64_t> opened_slow_calls_{0};
  std::atomic<uint64_t> ramp_credit_{0};
  double stretch_ = 1.0;  // of the open time, by reopenings
  uint64_t times_opened_ = 0;
  uint64_t last_serial_ = 0;
  CallWindow *window_ = nullptr;
  TrialPlace *places_ = nullptr;
  Ring *ring_ = nullptr;
  uint32_t taken_ = 0;    // places out or judged
  uint32_t out_ = 0;      // of these: not yet judged
  uint32_t expired_ = 0;  // lease ran out; kept until the place is taken again
  uint32_t isolations_ = 0;
  uint8_t place_count_ = 0;
  uint8_t trial_successes_ = 0;
  uint8_t trial_failures_ = 0;
  bool wake_ = false;  // the ring has to be posted after unlocking
  BreakerState forced_ = BreakerState::closed;
  Stripe odd_;
};

}  // namespace weir

namespace weir {

extern const LayerType breaker_layer;

// Who hears of changes: the option's function or queue, and the runtime's event listener.
class BreakerListeners {
 public:
  explicit BreakerListeners(weir_breaker &breaker);
  ~BreakerListeners();

  // `queue` nullable. False without memory.
  bool begin(Callback<weir_breaker_change_fn> &&callback, weir_completions *queue, uint64_t user);

  BreakerCore::Ring ring;

 private:
  static void deliver(Handle &owner, const weir_breaker_change &change);
  uint64_t gap_before(uint64_t sequence);

  Callback<weir_breaker_change_fn> callback_;
  ChangeRecords *records_ = nullptr;
  uint64_t last_sequence_ = 0;
};

// The rejection that a refusal stands for.
weir_rejection breaker_rejection(const weir_breaker &breaker, const BreakerRefusal &refusal);

}  // namespace weir

struct weir_breaker : weir_policy {
  explicit weir_breaker(weir_runtime *owner);
  ~weir_breaker();

  weir::BreakerCore core;
  weir::Classifier *classifier = nullptr;       // NULL: the table in weir/status.h
  weir::BreakerListeners *listeners = nullptr;  // NULL: nobody listens
  weir_error *refusal_error = nullptr;          // made by the first run; the engine's thread
};

static_assert(sizeof(weir_breaker) <= 464, "an idle breaker is at most 512 bytes");

weir_breaker::weir_breaker(weir_runtime *owner)
    : weir_policy(owner, weir::end_handle<weir_breaker>, WEIR_POLICY_BREAKER,
                  &weir::breaker_layer) {}

weir_breaker::~weir_breaker() {
  core.end(heap());
  heap()->destroy(classifier);
  heap()->destroy(listeners);
  weir::unref_error(refusal_error);
}

namespace weir {

// ---- listeners ----

BreakerListeners::BreakerListeners(weir_breaker &breaker)
    : ring(breaker, breaker.core.mutex(), &BreakerListeners::deliver) {}

BreakerListeners::~BreakerListeners() {
  if (records_ != nullptr) records_->release();
}

bool BreakerListeners::begin(Callback<weir_breaker_change_fn> &&callback, weir_completions *queue,
                             uint64_t user) {
  callback_ = std::move(callback);
  if (queue == nullptr) return true;
  records_ = ChangeRecords::create(queue, user);
  return records_ != nullptr;
}

// How many changes were given up between the last one told and this one.
uint64_t BreakerListeners::gap_before(uint64_t sequence) {
  uint64_t gap = sequence - last_sequence_ - 1;
  last_sequence_ = sequence;
  return gap;
}

void BreakerListeners::deliver(Handle &owner, const weir_breaker_change &change) {
  weir_breaker &breaker = static_cast<weir_breaker &>(owner);
  BreakerListeners &self = *breaker.listeners;
  weir_runtime &runtime = *breaker.runtime();
  if (self.records_ != nullptr) {
    self.records_->put(change.sequence, static_cast<int32_t>(change.reason),
                       static_cast<uint16_t>(change.from << 8 | change.to));
  }
  if (self.callback_) {
    self.callback_(&breaker, &change);
    runtime.user_ran();
  }
  weir_event event = {};
  event.kind = WEIR_EVENT_STATE_CHANGE;
  event.name = breaker.name();
  event.policy = &breaker;
  event.from = change.from;
  event.to = change.to;
  event.reason = change.reason;
  event.count = self.gap_before(change.sequence);
  runtime.emit(event);
}

// ---- refusals ----

weir_rejection breaker_rejection(const weir_breaker &breaker, const BreakerRefusal &refusal) {
  CallCounts counts = breaker.core.refusal_counts(refusal);
  weir_rejection rejection = {};
  rejection.size = sizeof(rejection);
  rejection.status = WEIR_EOPEN;
  rejection.policy = WEIR_POLICY_BREAKER;
  rejection.reason = refusal.reason;
  rejection.retry_after_ns = refusal.retry_after_ns;
  rejection.retry_after_ms = ns_to_ms_up(refusal.retry_after_ns);
  rejection.calls = counts.calls;
  rejection.failures = counts.failures;
  rejection.slow_calls = counts.slow_calls;
  copy_name(rejection.name, breaker.name());
  return rejection;
}

// ---- making one ----

namespace {

bool add_breaker_classifier(weir_breaker &breaker, const weir_breaker_options &options,
                            Callback<weir_classify_fn> &&callback) {
  if (!callback && options.failures_count == 0) return true;
  breaker.classifier = breaker.heap()->make<Classifier>();
  return breaker.classifier != nullptr &&
         breaker.classifier->set(breaker.heap(), std::move(callback), options.failures,
                                 options.failures_count);
}

bool add_breaker_listeners(weir_breaker &breaker, const weir_breaker_options &options,
                           Callback<weir_breaker_change_fn> &&callback) {
  if (!callback && options.queue == nullptr && !breaker.runtime()->has_event_listener()) {
    return true;
  }
  breaker.listeners = breaker.heap()->make<BreakerListeners>(breaker);
  if (breaker.listeners == nullptr) return false;
  breaker.core.announce_to(&breaker.listeners->ring);
  return breaker.listeners->begin(std::move(callback), options.queue, options.user);
}

}  // namespace
}  // namespace weir

weir_status weir_breaker_new(weir_runtime *runtime, const weir_breaker_options *options,
                             weir_breaker **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = runtime == nullptr ? weir::Heap::standard() : runtime->heap();
  weir_breaker_options given = weir::default_breaker_options();
  weir_status status = weir::read_options(given, options, "breaker.options", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_classify_fn> classify(given.classify, given.classify_data,
                                            given.classify_free_data);
  weir::Callback<weir_breaker_change_fn> on_change(given.on_state_change, given.change_data,
                                                   given.change_free_data);
  weir::Check check("breaker", heap, error);
  check.rule(runtime != nullptr, "runtime must not be NULL")
      .rule(out != nullptr, "out must not be NULL");
  if (!check.ok()) return check.status();
  status = weir::check_breaker_options(given, heap, error);
  if (status != WEIR_OK) return status;
  auto *breaker = weir::make_handle<weir_breaker>(heap, runtime);
  if (breaker == nullptr || !breaker->set_name(given.name) || !breaker->core.begin(heap, given) ||
      !weir::add_breaker_classifier(*breaker, given, std::move(classify)) ||
      !weir::add_breaker_listeners(*breaker, given, std::move(on_change))) {
    weir::unref_handle(breaker);
    return weir::report(error, heap, WEIR_ENOMEM, "breaker: out of memory");
  }
  *out = breaker;
  return WEIR_OK;
}

/* src/policy/breaker_api.cc */

//
// The breaker's exported functions, but weir_breaker_new (breaker.cc) and the snapshots
// (breaker_snapshot.cc): checking arguments, and saying which time counts.

using weir::Moment;

namespace {

Moment breaker_time(const weir_breaker &breaker) { return Moment::live(*breaker.runtime()); }

weir_status breaker_acquire(weir_breaker &breaker, weir_permit &permit, weir_rejection *rejection,
                            Moment &moment) {
  weir::BreakerRefusal refusal;
  weir_status status = breaker.core.acquire(permit, refusal, moment);
  if (status == WEIR_OK) return WEIR_OK;
  permit = 0;
  if (rejection == nullptr) return status;
  weir_status written = weir::write_sized(rejection, breaker_rejection(breaker, refusal));
  return written == WEIR_OK ? status : written;
}

weir_status breaker_acquire_n(weir_breaker *breaker, size_t count, weir_permit *permits,
                              size_t *granted, weir_rejection *rejection, Moment &moment) {
  if (granted != nullptr) *granted = 0;
  if (permits == nullptr || granted == nullptr || count == 0) return WEIR_EINVAL;
  for (; *granted < count; ++*granted) {
    weir_rejection *wanted = *granted == 0 ? rejection : nullptr;
    weir_status status = breaker_acquire(*breaker, permits[*granted], wanted, moment);
    if (status != WEIR_OK) return *granted == 0 ? status : weir_status{WEIR_OK};
  }
  return WEIR_OK;
}

bool breaker_reportable(weir_permit permit, uint32_t class_, int64_t elapsed_ns) {
  return permit != 0 && class_ >= WEIR_CLASS_SUCCESS && class_ <= WEIR_CLASS_ABANDON &&
         elapsed_ns >= 0;
}

weir_status breaker_report(weir_breaker *breaker, weir_permit permit, uint32_t class_,
                           int64_t elapsed_ns, Moment &moment) {
  if (!breaker_reportable(permit, class_, elapsed_ns)) return WEIR_EINVAL;
  return breaker->core.report(permit, class_, elapsed_ns, moment);
}

weir_status breaker_report_many(weir_breaker *breaker, weir_breaker_report_entry *entries,
                                size_t count, Moment &moment) {
  if (entries == nullptr && count > 0) return WEIR_EINVAL;
  for (size_t i = 0; i < count; ++i) {
    weir_breaker_report_entry &entry = entries[i];
    entry.result = breaker_report(breaker, entry.permit, entry.class_, entry.elapsed_ns, moment);
  }
  return WEIR_OK;
}

// What cannot change with weir_breaker_set_options().
weir_status check_breaker_unchanged(const weir_breaker_options &options, weir::Heap *heap,
                                    weir_error **error) {
  weir::Check check("breaker", heap, error);
  check
      .rule(options.classify == nullptr && options.classify_free_data == nullptr,
            "classify cannot change (must be NULL)")
      .rule(options.failures == nullptr && options.failures_count == 0,
            "failures cannot change (must be NULL)")
      .rule(options.on_state_change == nullptr && options.change_free_data == nullptr,
            "on_state_change cannot change (must be NULL)")
      .rule(options.queue == nullptr, "queue cannot change (must be NULL)")
      .rule(options.name == nullptr, "name cannot change (must be NULL)");
  return check.status();
}

}  // namespace

void weir_breaker_options_init(weir_breaker_options *options, size_t size) {
  weir::init_options(options, size, weir::default_breaker_options());
}

weir_breaker *weir_breaker_ref(weir_breaker *breaker) { return weir::ref_handle(breaker); }

void weir_breaker_unref(weir_breaker *breaker) { weir::unref_handle(breaker); }

weir_policy *weir_breaker_policy(weir_breaker *breaker) { return breaker; }

// ---- deciding ----

weir_status weir_breaker_acquire(weir_breaker *breaker, weir_permit *permit,
                                 weir_rejection *rejection) {
  if (breaker == nullptr || permit == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  return breaker_acquire(*breaker, *permit, rejection, moment);
}

weir_status weir_breaker_acquire_at(weir_breaker *breaker, weir_permit *permit,
                                    weir_rejection *rejection, int64_t now_ns) {
  if (breaker == nullptr || permit == nullptr) return WEIR_EINVAL;
  Moment moment = Moment::at(now_ns);
  return breaker_acquire(*breaker, *permit, rejection, moment);
}

weir_status weir_breaker_report(weir_breaker *breaker, weir_permit permit, uint32_t class_,
                                int64_t elapsed_ns) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  return breaker_report(breaker, permit, class_, elapsed_ns, moment);
}

weir_status weir_breaker_report_at(weir_breaker *breaker, weir_permit permit, uint32_t class_,
                                   int64_t elapsed_ns, int64_t now_ns) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = Moment::at(now_ns);
  return breaker_report(breaker, permit, class_, elapsed_ns, moment);
}

weir_status weir_breaker_acquire_n(weir_breaker *breaker, size_t count, weir_permit *permits,
                                   size_t *granted, weir_rejection *rejection) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  return breaker_acquire_n(breaker, count, permits, granted, rejection, moment);
}

weir_status weir_breaker_acquire_n_at(weir_breaker *breaker, size_t count, weir_permit *permits,
                                      size_t *granted, weir_rejection *rejection, int64_t now_ns) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = Moment::at(now_ns);
  return breaker_acquire_n(breaker, count, permits, granted, rejection, moment);
}

weir_status weir_breaker_report_many(weir_breaker *breaker, weir_breaker_report_entry *entries,
                                     size_t count) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  return breaker_report_many(breaker, entries, count, moment);
}

weir_status weir_breaker_report_many_at(weir_breaker *breaker, weir_breaker_report_entry *entries,
                                        size_t count, int64_t now_ns) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = Moment::at(now_ns);
  return breaker_report_many(breaker, entries, count, moment);
}

uint32_t weir_breaker_state(weir_breaker *breaker) {
  if (breaker == nullptr) return WEIR_BREAKER_CLOSED;
  Moment moment = breaker_time(*breaker);
  return breaker->core.state(moment);
}

uint32_t weir_breaker_state_at(weir_breaker *breaker, int64_t now_ns) {
  if (breaker == nullptr) return WEIR_BREAKER_CLOSED;
  Moment moment = Moment::at(now_ns);
  return breaker->core.state(moment);
}

weir_status weir_breaker_get_stats(weir_breaker *breaker, weir_breaker_stats *stats) {
  if (breaker == nullptr) return WEIR_EINVAL;
  weir_breaker_stats filled = {};
  Moment moment = breaker_time(*breaker);
  breaker->core.get_stats(filled, moment);
  return weir::write_sized(stats, filled);
}

// ---- by hand ----

weir_status weir_breaker_isolate(weir_breaker *breaker) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  return breaker->core.isolate(moment);
}

weir_status weir_breaker_release(weir_breaker *breaker) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  return breaker->core.release(moment);
}

weir_status weir_breaker_force(weir_breaker *breaker, uint32_t state) {
  bool known = state == WEIR_BREAKER_CLOSED || state == WEIR_BREAKER_FORCED_OPEN ||
               state == WEIR_BREAKER_FORCED_CLOSED || state == WEIR_BREAKER_METRICS_ONLY;
  if (breaker == nullptr || !known) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  breaker->core.force(static_cast<weir::BreakerState>(state), moment);
  return WEIR_OK;
}

weir_status weir_breaker_reset(weir_breaker *breaker) {
  if (breaker == nullptr) return WEIR_EINVAL;
  Moment moment = breaker_time(*breaker);
  breaker->core.reset(moment);
  return WEIR_OK;
}

weir_status weir_breaker_set_options(weir_breaker *breaker, const weir_breaker_options *options,
                                     weir_error **error) {
  weir::Heap *heap = breaker == nullptr ? weir::Heap::standard() : breaker->heap();
  weir_breaker_options given = weir::default_breaker_options();
  weir_status status = weir::read_options(given, options, "breaker.options", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_classify_fn> classify(given.classify, given.classify_data,
                                            given.classify_free_data);
  weir::Callback<weir_breaker_change_fn> on_change(given.on_state_change, given.change_data,
                                                   given.change_free_data);
  if (breaker == nullptr) {
    return weir::report(error, heap, WEIR_EINVAL, "breaker must not be NULL");
  }
  status = check_breaker_unchanged(given, heap, error);
  if (status == WEIR_OK) status = weir::check_breaker_options(given, heap, error);
  if (status != WEIR_OK) return status;
  Moment moment = breaker_time(*breaker);
  if (breaker->core.set_options(heap, given, moment)) return WEIR_OK;
  return weir::report(error, heap, WEIR_ENOMEM, "breaker: out of memory");
}

/* src/policy/breaker_core.cc */

//
// What calls do: acquire and report. Transitions are in breaker_states.cc.

namespace weir {
namespace {

constexpr bool hands_out_its_life(BreakerState state) {
  return state != BreakerState::open && state != BreakerState::half_open &&
         state != BreakerState::forced_open;
}

// Ramp-up begins with a tenth. Shares are 32-bit fractions.
constexpr double first_ramp_share = 0.1;

uint64_t ramp_share(int64_t elapsed_ns, int64_t ramp_up_ns) {
  double done = static_cast<double>(elapsed_ns < 0 ? 0 : elapsed_ns);
  double share = first_ramp_share + (1 - first_ramp_share) * done / static_cast<double>(ramp_up_ns);
  return static_cast<uint64_t>(share * 0x1p32);
}

// The quotient of two integers is the closest double, as is the literal in the options: so 55 of 100
// are exactly 0.55, which a product would miss.
bool reaches_rate(uint64_t part, uint64_t whole, double rate) {
  return part > 0 && static_cast<double>(part) / static_cast<double>(whole) >= rate;
}

}  // namespace

// ---- acquire ----

weir_status BreakerCore::acquire_otherwise(weir_permit &permit, BreakerRefusal &refusal,
                                           Moment &moment) {
  for (;;) {
    BreakerWord word = this->word();
    if (word.state() == BreakerState::ramping) {
      return acquire_ramping(word, permit, refusal, moment);
    }
    if (hands_out_its_life(word.state())) {
      permit = word.permit();
      return WEIR_OK;
    }
    if (word.state() == BreakerState::forced_open) {
      return refuse(WEIR_REJECTION_FORCED_OPEN, never_ns, refusal, moment);
    }
    int64_t until_ns = refuse_until_ns_.load(std::memory_order_acquire);
    if (moment.before(until_ns)) {
      bool open = word.state() == BreakerState::open;
      return refuse(open ? WEIR_REJECTION_OPEN : WEIR_REJECTION_HALF_OPEN, until_ns, refusal,
                    moment);
    }
    weir_status status = begin_trial(permit, refusal, moment);
    if (status != WEIR_ESTALE) return status;
  }
}

// Admits the share of calls that the time since closing allows: each call adds its share to a sum,
// and passes if the sum's whole part moves. So any n calls in a row get n × share, give or take one.
weir_status BreakerCore::acquire_ramping(BreakerWord word, weir_permit &permit,
                                         BreakerRefusal &refusal, Moment &moment) {
  int64_t ramp_up_ns = ramp_up_ns_.load(std::memory_order_relaxed);
  int64_t from_ns = ramp_from_ns_.load(std::memory_order_acquire);
  int64_t elapsed_ns = saturating_sub(moment.within(ramp_up_ns / 10), from_ns);
  permit = word.permit();
  if (elapsed_ns >= ramp_up_ns) {
    Section section(*this);
    BreakerWord now = this->word();
    while (now.life() == word.life() && now.state() == BreakerState::ramping &&
           !replace(now, now.with_state(BreakerState::closed))) {
      now = this->word();
    }
    return WEIR_OK;
  }
  uint64_t share = ramp_share(elapsed_ns, ramp_up_ns);
  uint64_t before = ramp_credit_.fetch_add(share, std::memory_order_relaxed);
  if ((before + share) >> 32 != before >> 32) return WEIR_OK;
  return refuse(WEIR_REJECTION_RAMP_UP, saturating_add(from_ns, ramp_up_ns), refusal, moment);
}

weir_status BreakerCore::refuse(uint32_t reason, int64_t until_ns, BreakerRefusal &refusal,
                                Moment &moment) {
  stripe().rejected.fetch_add(1, std::memory_order_relaxed);
  refusal.reason = reason;
  refusal.retry_after_ns = until_ns == never_ns ? -1 : saturating_sub(until_ns, moment.coarse());
  return WEIR_EOPEN;
}

// ---- report ----

void BreakerCore::count_recorded(bool failed, bool slow) {
  if (failed) {
    failed_.fetch_add(1, std::memory_order_relaxed);
  } else {
    stripe().succeeded.fetch_add(1, std::memory_order_relaxed);
  }
  if (slow) slow_.fetch_add(1, std::memory_order_relaxed);
}

weir_status BreakerCore::count_stale(weir_status status) {
  stale_.fetch_add(1, std::memory_order_relaxed);
  return status;
}

weir_status BreakerCore::report_otherwise(weir_permit permit, uint32_t class_, int64_t elapsed_ns,
                                          Moment &moment) {
  bool slow = elapsed_ns > slow_call_ns_.load(std::memory_order_relaxed);
  if ((permit & 1) != 0) return report_trial(permit, class_, slow, moment);
  bool failed = class_ == WEIR_CLASS_FAILURE;
  for (;;) {
    BreakerWord word = this->word();
    if (word.permit() != permit || !hands_out_its_life(word.state())) {
      return count_stale(WEIR_ESTALE);
    }
    if (class_ != WEIR_CLASS_SUCCESS && !failed) {
      ignored_.fetch_add(1, std::memory_order_relaxed);
      return WEIR_OK;
    }
    if (word.windowed() && word.state() != BreakerState::forced_closed) {
      if (count_in_window(word, failed, slow, moment)) return WEIR_OK;
    } else if (word.state() == BreakerState::forced_closed ||
               count_in_a_row(word, failed, moment)) {
      count_recorded(failed, slow);
      return WEIR_OK;
    }
  }
}

// False if the word is no longer `word`: look again.
bool BreakerCore::count_in_a_row(BreakerWord word, bool failed, Moment &moment) {
  BreakerWord next = word.with_failures(0);
  bool tripped = word.state() == BreakerState::tripped;
  if (!failed) {
    if (tripped) next = next.with_state(BreakerState::metrics_only);
    return next.bits() == word.bits() || replace(word, next);
  }
  uint64_t failures = word.failures() + 1;
  if (failures < failure_threshold_.load(std::memory_order_relaxed) || tripped) {
    return replace(
        word, word.with_failures(failures < BreakerWord::max_failures ? failures
                                                                      : BreakerWord::max_failures));
  }
  int64_t now_ns = moment.exact();
  Section section(*this);
  return trip(word, CallCounts{failures, failures, 0}, WEIR_BREAKER_BY_FAILURES, now_ns);
}

// False if the life or the mode has changed: look again.
bool BreakerCore::count_in_window(BreakerWord word, bool failed, bool slow, Moment &moment) {
  uint32_t slice_ms = slice_ms_.load(std::memory_order_relaxed);
  if (slice_ms != 0) moment.within(slice_ms * ns_per_ms);  // before it takes the mutex
  Section section(*this);
  BreakerWord now = this->word();
  if (now.life() != word.life() || !now.windowed()) return false;
  window_->add(failed, slow, window_->timed() ? moment.within(window_->slice_ns()) : 0);
  judge_window(now, moment);
  return true;
}

void BreakerCore::judge_window(BreakerWord word, Moment &moment) {
  const CallCounts &counts = window_->totals();
  uint32_t reason = 0;
  if (counts.calls >= rules_.min_calls) {
    if (reaches_rate(counts.failures, counts.calls, rules_.failure_rate)) {
      reason = WEIR_BREAKER_BY_FAILURES;
    } else if (reaches_rate(counts.slow_calls, counts.calls, rules_.slow_call_rate)) {
      reason = WEIR_BREAKER_BY_SLOW_CALLS;
    }
  }
  if (reason == 0) {
    if (word.state() == BreakerState::tripped) {
      replace(word, word.with_state(BreakerState::metrics_only));
    }
  } else if (word.state() != BreakerState::tripped) {
    trip(word, counts, reason, moment.exact());
  }
}

// ---- reading ----

uint32_t BreakerCore::state(Moment &moment) {
  BreakerWord word = this->word();
  bool timed = word.state() == BreakerState::open || word.state() == BreakerState::half_open;
  if (timed && !moment.before(refuse_until_ns_.load(std::memory_order_acquire))) {
    int64_t now_ns = moment.exact();
    Section section(*this);
    bring_up_to_date(now_ns);
    word = this->word();
  }
  return public_state(word.state());
}

// Without the mutex: the counts change only when it opens, and then the word does too.
CallCounts BreakerCore::refusal_counts(const BreakerRefusal &refusal) const {
  if (refusal.reason == WEIR_REJECTION_FORCED_OPEN) return {};
  for (;;) {
    uint64_t before = word_.load(std::memory_order_acquire);
    CallCounts counts = opened_by();
    if (word_.load(std::memory_order_acquire) == before) return counts;
  }
}

void BreakerCore::get_stats(weir_breaker_stats &stats, Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  bring_up_to_date(now_ns);
  if (window_ != nullptr) window_->advance(now_ns);
  BreakerWord word = this->word();
  CallCounts counts = current_counts();
  CallCounts recorded = window_ == nullptr ? CallCounts{} : window_->recorded();
  stats.state = public_state(word.state());
  stats.calls = counts.calls;
  stats.failures = counts.failures;
  stats.slow_calls = counts.slow_calls;
  double calls = counts.calls == 0 ? 1 : static_cast<double>(counts.calls);
  stats.failure_rate = static_cast<double>(counts.failures) / calls;
  stats.slow_call_rate = static_cast<double>(counts.slow_calls) / calls;
  stats.succeeded = even_.succeeded.load(std::memory_order_relaxed) +
                    odd_.succeeded.load(std::memory_order_relaxed) + recorded.calls -
                    recorded.failures;
  stats.failed = failed_.load(std::memory_order_relaxed) + recorded.failures;
  stats.slow = slow_.load(std::memory_order_relaxed) + recorded.slow_calls;
  stats.ignored = ignored_.load(std::memory_order_relaxed);
  stats.stale = stale_.load(std::memory_order_relaxed);
  stats.rejected = even_.rejected.load(std::memory_order_relaxed) +
                   odd_.rejected.load(std::memory_order_relaxed);
  stats.times_opened = times_opened_;
  if (word.state() == BreakerState::open) {
    int64_t until_ns = refuse_until_ns_.load(std::memory_order_relaxed);
    stats.open_remaining_ns = until_ns == never_ns ? never_ns : saturating_sub(until_ns, now_ns);
  }
  stats.missed_events = missed_changes();
}

}  // namespace weir

/* src/policy/breaker_hand.cc */

//
// What people and programs do to a breaker by hand: isolate, force, reset, other options, and taking
// a state along to another process.

namespace weir {
namespace {

bool judges_window(const weir_breaker_options &options) {
  return options.mode != WEIR_BREAKER_CONSECUTIVE;
}

CallWindow *make_call_window(Heap *heap, const weir_breaker_options &options) {
  if (options.mode == WEIR_BREAKER_COUNT_WINDOW) {
    return CallWindow::of_calls(heap, options.window_size);
  }
  return CallWindow::of_time(heap, ms_to_ns(options.window_ms) / CallWindow::slices);
}

size_t trial_places_size(uint32_t count) { return count * sizeof(TrialPlace); }

TrialPlace *make_trial_places(Heap *heap, uint32_t count) {
  auto *places = static_cast<TrialPlace *>(heap->allocate(trial_places_size(count)));
  for (uint32_t i = 0; places != nullptr && i < count; ++i) places[i] = {};
  return places;
}

// What a set of options needs, had before anything changes.
struct BreakerParts {
  CallWindow *window = nullptr;
  TrialPlace *places = nullptr;
  uint32_t place_count = 0;

  bool make(Heap *heap, const weir_breaker_options &options) {
    place_count = options.half_open_max_calls;
    places = make_trial_places(heap, place_count);
    if (judges_window(options)) window = make_call_window(heap, options);
    return places != nullptr && (window != nullptr || !judges_window(options));
  }
  void free(Heap *heap) const {
    if (window != nullptr) window->free(heap);
    if (places != nullptr) heap->free(places, trial_places_size(place_count));
  }
};

}  // namespace

// ---- options ----

bool BreakerCore::begin(Heap *heap, const weir_breaker_options &options) {
  BreakerParts parts;
  if (!parts.make(heap, options)) {
    parts.free(heap);
    return false;
  }
  window_ = parts.window;
  places_ = parts.places;
  place_count_ = static_cast<uint8_t>(parts.place_count);
  take_numbers(options);
  word_.store(word().with_windowed(window_ != nullptr).bits(), std::memory_order_release);
  return true;
}

void BreakerCore::end(Heap *heap) { BreakerParts{window_, places_, place_count_}.free(heap); }

void BreakerCore::take_numbers(const weir_breaker_options &options) {
  rules_ = breaker_rules(options);
  slow_call_ns_.store(ms_to_ns(options.slow_call_ms), std::memory_order_relaxed);
  int64_t slice_ns = window_ == nullptr ? 0 : window_->slice_ns();
  slice_ms_.store(static_cast<uint32_t>(slice_ns / ns_per_ms), std::memory_order_relaxed);
  ramp_up_ns_.store(options.ramp_up_ms == WEIR_OFF ? 0 : ms_to_ns(options.ramp_up_ms),
                    std::memory_order_relaxed);
  failure_threshold_.store(options.failure_threshold, std::memory_order_relaxed);
}

bool BreakerCore::set_options(Heap *heap, const weir_breaker_options &options, Moment &moment) {
  BreakerParts parts;  // and afterwards what is no longer needed
  if (!parts.make(heap, options)) {
    parts.free(heap);
    return false;
  }
  int64_t now_ns = moment.exact();
  {
    Section section(*this);
    bring_up_to_date(now_ns);
    take_window(parts.window);
    if (options.half_open_max_calls != rules_.half_open_max_calls ||
        options.half_open_success_threshold != rules_.half_open_success_threshold ||
        options.half_open_failures != rules_.half_open_failures) {
      take_places(parts.places, parts.place_count);
    }
    take_numbers(options);
  }
  parts.free(heap);
  return true;
}

// Takes `window` if it judges other calls than the one there is; leaves there what is to be freed.
void BreakerCore::take_window(CallWindow *&window) {
  if (window != nullptr && window_ != nullptr && window->same_shape(*window_)) return;
  if (window == nullptr && window_ == nullptr) return;
  if (window_ != nullptr) {
    const CallCounts &recorded = window_->recorded();
    even_.succeeded.fetch_add(recorded.calls - recorded.failures, std::memory_order_relaxed);
    failed_.fetch_add(recorded.failures, std::memory_order_relaxed);
    slow_.fetch_add(recorded.slow_calls, std::memory_order_relaxed);
  }
  CallWindow *old = window_;
  window_ = window;
  window = old;
  BreakerWord word = this->word();
  while (!replace(word, word.with_windowed(window_ != nullptr).with_failures(0))) {
    word = this->word();
  }
}

// Other rules for trials: a half-open period begins again, and trials that are out are void.
void BreakerCore::take_places(TrialPlace *&places, uint32_t &count) {
  TrialPlace *old = places_;
  uint32_t old_count = place_count_;
  places_ = places;
  place_count_ = static_cast<uint8_t>(count);
  places = old;
  count = old_count;
  expired_ = 0;
  if (word().state() != BreakerState::half_open) return;
  forget_trials();
  refuse_until_ns_.store(INT64_MIN, std::memory_order_release);
}

// ---- manual states ----

weir_status BreakerCore::isolate(Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  if (isolations_ == UINT32_MAX) return WEIR_EFULL;
  ++isolations_;
  start_anew(now_ns);
  return WEIR_OK;
}

weir_status BreakerCore::release(Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  if (isolations_ == 0) return WEIR_EINVAL;
  --isolations_;
  start_anew(now_ns);
  return WEIR_OK;
}

void BreakerCore::force(BreakerState state, Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  forced_ = state;
  start_anew(now_ns);
}

void BreakerCore::reset(Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  start_anew(now_ns);
}

// Into the state that is asked for by hand, or closed: with no calls, no trials, no reopenings.
void BreakerCore::start_anew(int64_t now_ns) {
  bring_up_to_date(now_ns);
  uint32_t from = public_state(word().state());
  CallCounts counts = current_counts();
  stretch_ = 1.0;
  if (window_ != nullptr) window_->clear();
  enter(manual_state());
  if (from != public_state(word().state())) {
    announce(from, WEIR_BREAKER_BY_HAND, counts, now_ns);
  }
}

// ---- snapshots ----

BreakerImage BreakerCore::image(Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  bring_up_to_date(now_ns);
  BreakerWord word = this->word();
  BreakerImage image;
  if (word.state() == BreakerState::open || word.state() == BreakerState::half_open) {
    image.state = word.state();
    image.opened_by = opened_by();
  }
  if (word.state() == BreakerState::open) {
    int64_t until_ns = refuse_until_ns_.load(std::memory_order_relaxed);
    image.open_remaining_ns = until_ns == never_ns ? never_ns : saturating_sub(until_ns, now_ns);
  }
  image.forced = forced_;
  image.isolations = isolations_;
  image.failures = static_cast<uint32_t>(word.failures());
  image.stretch = stretch_;
  return image;
}

void BreakerCore::restore(const BreakerImage &image, Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  bring_up_to_date(now_ns);
  uint32_t from = public_state(word().state());
  isolations_ = image.isolations;
  forced_ = image.forced;
  stretch_ = image.stretch;
  if (window_ != nullptr) window_->clear();
  if (manual_state() != BreakerState::closed) {
    enter(manual_state());
  } else {
    restore_automatic(image, now_ns);
  }
  CallCounts counts = current_counts();
  if (from != public_state(word().state())) {
    announce(from, WEIR_BREAKER_BY_HAND, counts, now_ns);
  }
}

// One that was open is half-open if its time is over.
void BreakerCore::restore_automatic(const BreakerImage &image, int64_t now_ns) {
  if (image.state != BreakerState::closed) {
    bool open = image.state == BreakerState::open && image.open_remaining_ns > 0;
    int64_t until_ns = open ? deadline_after(now_ns, image.open_remaining_ns) : INT64_MIN;
    publish_opening(until_ns, image.opened_by);
    enter(open ? BreakerState::open : BreakerState::half_open);
    return;
  }
  uint64_t most = failure_threshold_.load(std::memory_order_relaxed) - 1;
  uint64_t failures = image.failures < most ? image.failures : most;
  enter(BreakerState::closed);
  if (window_ == nullptr) {
    BreakerWord word = this->word();
    replace(word, word.with_failures(failures));
  }
}

}  // namespace weir

/* src/policy/breaker_layer.cc */

//
// The breaker around a run: asks before, reports after.
//
//   signal   does                                                        answers
//   start    acquires; refused: the rejection becomes the result         inner; outer if refused
//   result   judges what came and reports it                             outer
//   stop     reports a failure if a timeout around it gave up, because   -
//            then it was too slow; otherwise gives the place back: the
//            caller's own deadline or cancel says nothing about it
//
// The permit is a verdict, not a place held while work goes on: it is reported when this layer
// judges, and what an orphan brings later is nobody's.

namespace weir {
namespace {

struct BreakerLayer : Layer {
  weir_permit permit;
  int64_t begun_ns;
};

weir_breaker &breaker_of(const Layer &layer) { return *static_cast<weir_breaker *>(layer.owner); }

Moment breaker_turn(const weir_runtime &runtime) { return Moment::turn(runtime, runtime.now()); }

// Made once and before it is needed, so that refusing allocates nothing. Without memory the bare
// error of the status takes its place.
void make_refusal_error(weir_breaker &breaker) {
  char message[96];
  TextWriter text(message, sizeof(message));
  if (breaker.name()[0] == '\0') {
    text.print("circuit breaker is open");
  } else {
    text.print("circuit breaker '%s' is open", breaker.name());
  }
  breaker.refusal_error =
      make_error(breaker.heap(), WEIR_EOPEN, WEIR_DOMAIN_WEIR, WEIR_EOPEN, message);
}

Next refuse_run(weir_call &run, weir_breaker &breaker, const BreakerRefusal &refusal) {
  weir_runtime &runtime = run.runtime();
  weir_rejection rejection = breaker_rejection(breaker, refusal);
  run.refuse(rejection, breaker.refusal_error);
  if (runtime.has_event_listener()) {
    weir_event event = {};
    event.kind = WEIR_EVENT_REFUSAL;
    event.name = breaker.name();
    event.policy = &breaker;
    event.status = WEIR_EOPEN;
    event.reason = refusal.reason;
    event.delay_ns = refusal.retry_after_ns;
    runtime.emit(event);
  }
  return Next::outer;
}

Next start_breaker(weir_call &run, BreakerLayer &layer) {
  weir_breaker &breaker = breaker_of(layer);
  if (breaker.refusal_error == nullptr) make_refusal_error(breaker);
  layer.begun_ns = run.runtime().now();
  Moment moment = breaker_turn(run.runtime());
  BreakerRefusal refusal;
  weir_status status = breaker.core.acquire(layer.permit, refusal, moment);
  return status == WEIR_OK ? Next::inner : refuse_run(run, breaker, refusal);
}

void report_run(weir_call &run, BreakerLayer &layer, uint32_t class_) {
  Moment moment = breaker_turn(run.runtime());
  int64_t elapsed_ns = saturating_sub(run.runtime().now(), layer.begun_ns);
  breaker_of(layer).core.report(layer.permit, class_, elapsed_ns, moment);
}

Next judge_run(weir_call &run, BreakerLayer &layer) {
  const Classifier *classifier = breaker_of(layer).classifier;
  uint32_t class_ =
      classifier == nullptr ? Classifier().judge(run.view()) : classifier->judge(run.view());
  if (classifier != nullptr) run.runtime().user_ran();
  report_run(run, layer, class_);
  return Next::outer;
}

Next step_breaker(weir_call &run, Layer &base, Signal signal) {
  BreakerLayer &layer = static_cast<BreakerLayer &>(base);
  switch (signal) {
    case Signal::start:
      return start_breaker(run, layer);
    case Signal::result:
      return judge_run(run, layer);
    case Signal::stop:
      report_run(
          run, layer,
          run.stop_reason() == WEIR_CANCEL_TIMEOUT ? WEIR_CLASS_FAILURE : WEIR_CLASS_ABANDON);
      return Next::wait;
    case Signal::timer:
    case Signal::wake:
      break;
  }
  return Next::wait;
}

}  // namespace

const LayerType breaker_layer = {"breaker", layer_size(sizeof(BreakerLayer)), step_breaker,
                                 nullptr};

}  // namespace weir

/* src/policy/breaker_moment.cc */

namespace weir {

void Moment::read_exact() {
  now_ns_ = runtime_->clock();
  known_ = Known::exact;
}

void Moment::read_coarse() {
  now_ns_ = runtime_->coarse_clock();
  known_ = Known::coarse;
}

}  // namespace weir

/* src/policy/breaker_options.cc */

namespace weir {
namespace {

constexpr int64_t max_breaker_failures = 1000 * 1000;
constexpr int64_t max_breaker_window = int64_t{1} << 20;
constexpr int64_t max_breaker_window_ms = 24 * 60 * 60 * 1000;
constexpr int64_t max_breaker_trials = 32;

void check_breaker_judging(const weir_breaker_options &options, Check &check) {
  check.range("mode", options.mode, WEIR_BREAKER_CONSECUTIVE, WEIR_BREAKER_TIME_WINDOW)
      .range("failure_threshold", options.failure_threshold, 1, max_breaker_failures)
      .range("window_size", options.window_size, 1, max_breaker_window)
      .range("window_ms", options.window_ms, 10, max_breaker_window_ms)
      .real_above("failure_rate", options.failure_rate, 0, 1)
      .range("min_calls", options.min_calls, 1, UINT32_MAX)
      .rule(options.mode != WEIR_BREAKER_COUNT_WINDOW || options.min_calls <= options.window_size,
            "min_calls must not exceed window_size (got %u and %u)", options.min_calls,
            options.window_size)
      .range_or("slow_call_ms", options.slow_call_ms, 0, max_ms, "off")
      .real_above("slow_call_rate", options.slow_call_rate, 0, 1);
}

void check_breaker_recovering(const weir_breaker_options &options, Check &check) {
  uint64_t most_verdicts =
      uint64_t{options.half_open_success_threshold} + options.half_open_failures - 1;
  check.range("half_open_max_calls", options.half_open_max_calls, 1, max_breaker_trials)
      .range("half_open_success_threshold", options.half_open_success_threshold, 1, UINT32_MAX)
      .range("half_open_failures", options.half_open_failures, 1, UINT32_MAX)
      .rule(most_verdicts <= options.half_open_max_calls,
            "half_open_success_threshold + half_open_failures - 1 must not exceed "
            "half_open_max_calls (got %u + %u - 1 and %u)",
            options.half_open_success_threshold, options.half_open_failures,
            options.half_open_max_calls)
      .range("reset_timeout_ms", options.reset_timeout_ms, 0, max_ms)
      .real("reset_multiplier", options.reset_multiplier, 1, 1000)
      .range("max_reset_timeout_ms", options.max_reset_timeout_ms, 0, max_ms)
      .rule(options.max_reset_timeout_ms >= options.reset_timeout_ms,
            "max_reset_timeout_ms must be at least reset_timeout_ms (got %lld and %lld)",
            static_cast<long long>(options.max_reset_timeout_ms),
            static_cast<long long>(options.reset_timeout_ms))
      .range_or("trial_timeout_ms", options.trial_timeout_ms, 1, max_ms, "forever")
      .range_or("ramp_up_ms", options.ramp_up_ms, 0, max_ms, "off");
}

}  // namespace

weir_breaker_options default_breaker_options() {
  return weir_breaker_options WEIR_BREAKER_OPTIONS_INIT;
}

weir_status check_breaker_options(const weir_breaker_options &options, Heap *heap,
                                  weir_error **error) {
  Check check("breaker", heap, error);
  check_breaker_judging(options, check);
  check_breaker_recovering(options, check);
  check
      .rule(options.failures != nullptr || options.failures_count == 0,
            "failures must not be NULL with failures_count %llu",
            static_cast<unsigned long long>(options.failures_count))
      .rule(options.queue == nullptr || options.on_state_change == nullptr,
            "on_state_change must be NULL where a queue takes the changes");
  return check.status();
}

BreakerRules breaker_rules(const weir_breaker_options &options) {
  return {options.failure_rate,
          options.slow_call_rate,
          options.reset_multiplier,
          ms_to_ns(options.reset_timeout_ms),
          ms_to_ns(options.max_reset_timeout_ms),
          ms_to_ns(options.trial_timeout_ms),
          options.min_calls,
          static_cast<uint8_t>(options.half_open_max_calls),
          static_cast<uint8_t>(options.half_open_success_threshold),
          static_cast<uint8_t>(options.half_open_failures)};
}

}  // namespace weir

/* src/policy/breaker_snapshot.cc */

//
// A breaker's state as bytes, little-endian whatever the machine:
//
//   offset  size  what
//   0       4     "weir" in ASCII
//   4       1     version, 1
//   5       1     state: closed, open, half-open
//   6       1     forced state; closed: none
//   7       1     0
//   8       4     isolations
//   12      4     failures in a row
//   16      8     open time that is left, ns; INT64_MAX for ever
//   24      8     what reopenings multiply the open time with, an IEEE 754 double's bits
//   32      24    the counts that opened it: calls, failures, slow calls
//   56      4     FNV-1a of bytes 0 to 55 (Fowler, Noll, Vo)
//
// Reading trusts nothing: whatever the bytes are, the breaker gets a state that it could have had.

#include <bit>
#include <cstring>

namespace weir {
namespace {

constexpr char snapshot_magic[4] = {'w', 'e', 'i', 'r'};
constexpr uint8_t snapshot_version = 1;
constexpr size_t snapshot_size = 60;
constexpr size_t checksum_offset = 56;
constexpr double max_image_stretch = 1e19;
static_assert(snapshot_size <= WEIR_BREAKER_SNAPSHOT_SIZE);

using SnapshotBytes = unsigned char[snapshot_size];

void put_little(SnapshotBytes &bytes, size_t offset, size_t size, uint64_t number) {
  for (size_t i = 0; i < size; ++i) bytes[offset + i] = static_cast<uint8_t>(number >> (8 * i));
}

uint64_t get_little(const SnapshotBytes &bytes, size_t offset, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; ++i) number |= uint64_t{bytes[offset + i]} << (8 * i);
  return number;
}

uint32_t snapshot_checksum(const SnapshotBytes &bytes) {
  uint32_t hash = 0x811c9dc5;
  for (size_t i = 0; i < checksum_offset; ++i) hash = (hash ^ bytes[i]) * 0x01000193;
  return hash;
}

void encode_snapshot(SnapshotBytes &bytes, const BreakerImage &image) {
  std::memset(bytes, 0, sizeof(bytes));
  std::memcpy(bytes, snapshot_magic, sizeof(snapshot_magic));
  bytes[4] = snapshot_version;
  bytes[5] = static_cast<uint8_t>(image.state);
  bytes[6] = static_cast<uint8_t>(image.forced);
  put_little(bytes, 8, 4, image.isolations);
  put_little(bytes, 12, 4, image.failures);
  put_little(bytes, 16, 8, static_cast<uint64_t>(image.open_remaining_ns));
  put_little(bytes, 24, 8, std::bit_cast<uint64_t>(image.stretch));
  put_little(bytes, 32, 8, image.opened_by.calls);
  put_little(bytes, 40, 8, image.opened_by.failures);
  put_little(bytes, 48, 8, image.opened_by.slow_calls);
  put_little(bytes, checksum_offset, 4, snapshot_checksum(bytes));
}

BreakerImage decode_snapshot(const SnapshotBytes &bytes) {
  BreakerImage image;
  image.state = static_cast<BreakerState>(bytes[5]);
  image.forced = static_cast<BreakerState>(bytes[6]);
  image.isolations = static_cast<uint32_t>(get_little(bytes, 8, 4));
  image.failures = static_cast<uint32_t>(get_little(bytes, 12, 4));
  image.open_remaining_ns = static_cast<int64_t>(get_little(bytes, 16, 8));
  image.stretch = std::bit_cast<double>(get_little(bytes, 24, 8));
  image.opened_by = {get_little(bytes, 32, 8), get_little(bytes, 40, 8), get_little(bytes, 48, 8)};
  return image;
}

bool plausible_image(const BreakerImage &image) {
  bool automatic = image.state == BreakerState::closed || image.state == BreakerState::open ||
                   image.state == BreakerState::half_open;
  bool manual = image.forced == BreakerState::closed || image.forced == BreakerState::forced_open ||
                image.forced == BreakerState::forced_closed ||
                image.forced == BreakerState::metrics_only;
  return automatic && manual && image.open_remaining_ns >= 0 && image.stretch >= 1 &&
         image.stretch <= max_image_stretch;
}

// WEIR_EINVAL: no snapshot. WEIR_EABI: a later version's.
weir_status read_snapshot(BreakerImage &image, const void *source, size_t size) {
  if (size < sizeof(snapshot_magic) + 1 ||
      std::memcmp(source, snapshot_magic, sizeof(snapshot_magic)) != 0) {
    return WEIR_EINVAL;
  }
  if (static_cast<const unsigned char *>(source)[4] > snapshot_version) return WEIR_EABI;
  if (size != snapshot_size) return WEIR_EINVAL;
  SnapshotBytes bytes;
  std::memcpy(bytes, source, snapshot_size);
  if (bytes[4] != snapshot_version || bytes[7] != 0) return WEIR_EINVAL;
  if (get_little(bytes, checksum_offset, 4) != snapshot_checksum(bytes)) return WEIR_EINVAL;
  image = decode_snapshot(bytes);
  return plausible_image(image) ? WEIR_OK : WEIR_EINVAL;
}

}  // namespace
}  // namespace weir

weir_status weir_breaker_snapshot(weir_breaker *breaker, void *buffer, size_t *size) {
  if (breaker == nullptr || size == nullptr) return WEIR_EINVAL;
  size_t given = *size;
  *size = weir::snapshot_size;
  if (buffer == nullptr || given < weir::snapshot_size) return WEIR_EINVAL;
  weir::Moment moment = weir::Moment::live(*breaker->runtime());
  weir::SnapshotBytes bytes;
  weir::encode_snapshot(bytes, breaker->core.image(moment));
  std::memcpy(buffer, bytes, sizeof(bytes));
  return WEIR_OK;
}

weir_status weir_breaker_restore(weir_breaker *breaker, const void *bytes, size_t size,
                                 int64_t elapsed_ms) {
  if (breaker == nullptr || bytes == nullptr || elapsed_ms < 0) return WEIR_EINVAL;
  weir::BreakerImage image;
  weir_status status = weir::read_snapshot(image, bytes, size);
  if (status != WEIR_OK) return status;
  if (image.open_remaining_ns != weir::never_ns) {
    image.open_remaining_ns =
        weir::saturating_sub(image.open_remaining_ns, weir::ms_to_ns(elapsed_ms));
  }
  weir::Moment moment = weir::Moment::live(*breaker->runtime());
  breaker->core.restore(image, moment);
  return WEIR_OK;
}

/* src/policy/breaker_states.cc */

//
// The breaker's transitions and trials, under its mutex. The table of states is in breaker_core.hh.

namespace weir {
namespace {

// Beyond this the open time is at its maximum for every legal option but a reset timeout of 0.
constexpr double max_stretch = 1e19;

constexpr uint32_t place_bits = 5;
constexpr uint32_t no_place = 32;

uint32_t place_of(weir_permit permit) { return permit >> 1 & ((1u << place_bits) - 1); }

}  // namespace

// ---- opening ----

int64_t BreakerCore::open_time_ns() const {
  if (stretch_ <= 1.0) return rules_.reset_timeout_ns;
  double stretched = static_cast<double>(rules_.reset_timeout_ns) * stretch_;
  if (stretched >= static_cast<double>(rules_.max_reset_timeout_ns)) {
    return rules_.max_reset_timeout_ns;
  }
  return static_cast<int64_t>(stretched);
}

// What a reader of the word "open" relies on goes first.
void BreakerCore::publish_opening(int64_t until_ns, const CallCounts &counts) {
  opened_calls_.store(counts.calls, std::memory_order_release);
  opened_failures_.store(counts.failures, std::memory_order_release);
  opened_slow_calls_.store(counts.slow_calls, std::memory_order_release);
  refuse_until_ns_.store(until_ns, std::memory_order_release);
}

// Opens, or in metrics-only mode says that it would have. False if `word` is no longer the word.
bool BreakerCore::trip(BreakerWord word, CallCounts counts, uint32_t reason, int64_t now_ns) {
  if (word.state() == BreakerState::metrics_only) {
    BreakerWord tripped = word.with_state(BreakerState::tripped);
    if (!word.windowed()) tripped = tripped.with_failures(counts.failures);
    if (!replace(word, tripped)) return false;
    announce(WEIR_BREAKER_METRICS_ONLY, reason, counts, now_ns);
    return true;
  }
  publish_opening(deadline_after(now_ns, open_time_ns()), counts);
  if (!replace(word, word.next(BreakerState::open))) return false;
  ++times_opened_;
  if (window_ != nullptr) window_->clear();
  announce(WEIR_BREAKER_CLOSED, reason, counts, now_ns);
  return true;
}

void BreakerCore::reopen(int64_t now_ns) {
  CallCounts counts = trial_counts();
  stretch_ *= rules_.reset_multiplier;
  if (stretch_ > max_stretch) stretch_ = max_stretch;
  publish_opening(deadline_after(now_ns, open_time_ns()), counts);
  enter(BreakerState::open);
  ++times_opened_;
  announce(WEIR_BREAKER_HALF_OPEN, WEIR_BREAKER_BY_TRIALS, counts, now_ns);
}

CallCounts BreakerCore::opened_by() const {
  return {opened_calls_.load(std::memory_order_acquire),
          opened_failures_.load(std::memory_order_acquire),
          opened_slow_calls_.load(std::memory_order_acquire)};
}

// ---- half-open and closing ----

void BreakerCore::begin_half_open() {
  refuse_until_ns_.store(INT64_MIN, std::memory_order_release);
  enter(BreakerState::half_open);
}

void BreakerCore::close(int64_t now_ns) {
  CallCounts counts = trial_counts();
  bool ramps = ramp_up_ns_.load(std::memory_order_relaxed) > 0;
  stretch_ = 1.0;
  if (window_ != nullptr) window_->clear();
  ramp_from_ns_.store(now_ns, std::memory_order_release);
  ramp_credit_.store(UINT32_MAX, std::memory_order_relaxed);  // the first call passes
  enter(ramps ? BreakerState::ramping : BreakerState::closed);
  announce(WEIR_BREAKER_HALF_OPEN, WEIR_BREAKER_BY_TRIALS, counts, now_ns);
}

// A new life, in which no trial has begun.
void BreakerCore::enter(BreakerState state) {
  forget_trials();
  word_.store(word().next(state).bits(), std::memory_order_release);
}

void BreakerCore::forget_trials() {
  taken_ = 0;
  out_ = 0;
  trial_successes_ = 0;
  trial_failures_ = 0;
}

// Replays what time alone has changed, each at its own time.
void BreakerCore::bring_up_to_date(int64_t now_ns) {
  for (;;) {
    BreakerState state = word().state();
    if (state == BreakerState::open) {
      int64_t until_ns = refuse_until_ns_.load(std::memory_order_relaxed);
      if (until_ns == never_ns || until_ns > now_ns) return;
      CallCounts counts = opened_by();
      begin_half_open();
      announce(WEIR_BREAKER_OPEN, WEIR_BREAKER_BY_TIME, counts, until_ns);
    } else if (state == BreakerState::half_open && out_ != 0) {
      uint32_t place = first_to_expire();
      int64_t lease_ns = places_[place].lease_ns;
      if (lease_ns == never_ns || lease_ns > now_ns) return;
      out_ &= ~(1u << place);
      expired_ |= 1u << place;
      judge_trial(true, lease_ns);
    } else {
      return;
    }
  }
}

// ---- trials ----

// Of the trials that are out, the place of the one whose lease ends first.
uint32_t BreakerCore::first_to_expire() const {
  uint32_t first = no_place;
  for (uint32_t left = out_; left != 0; left &= left - 1) {
    uint32_t place = static_cast<uint32_t>(__builtin_ctz(left));
    if (first == no_place || places_[place].lease_ns < places_[first].lease_ns) first = place;
  }
  return first;
}

uint32_t BreakerCore::free_place() const {
  uint64_t all = (uint64_t{1} << rules_.half_open_max_calls) - 1;
  uint64_t free = all & ~uint64_t{taken_};
  return free == 0 ? no_place : static_cast<uint32_t>(__builtin_ctzll(free));
}

// While no place is free, nobody need ask before the first lease ends.
void BreakerCore::publish_free_places() {
  bool full = free_place() == no_place && out_ != 0;
  refuse_until_ns_.store(full ? places_[first_to_expire()].lease_ns : INT64_MIN,
                         std::memory_order_release);
}

// WEIR_ESTALE if it is neither open nor half-open any more: look again.
weir_status BreakerCore::begin_trial(weir_permit &permit, BreakerRefusal &refusal, Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  bring_up_to_date(now_ns);
  BreakerState state = word().state();
  int64_t until_ns = refuse_until_ns_.load(std::memory_order_relaxed);
  if (state == BreakerState::open) return refuse(WEIR_REJECTION_OPEN, until_ns, refusal, moment);
  if (state != BreakerState::half_open) return WEIR_ESTALE;
  uint32_t place = free_place();
  if (place == no_place) return refuse(WEIR_REJECTION_HALF_OPEN, until_ns, refusal, moment);
  permit = ++last_serial_ << (place_bits + 1) | place << 1 | 1;
  places_[place] = {permit, deadline_after(now_ns, rules_.trial_timeout_ns)};
  taken_ |= 1u << place;
  out_ |= 1u << place;
  expired_ &= ~(1u << place);
  publish_free_places();
  return WEIR_OK;
}

weir_status BreakerCore::report_trial(weir_permit permit, uint32_t class_, bool slow,
                                      Moment &moment) {
  Section section(*this);
  if (word().state() == BreakerState::half_open) bring_up_to_date(moment.exact());
  uint32_t place = place_of(permit);
  if (place >= place_count_ || places_[place].permit != permit) return count_stale(WEIR_ESTALE);
  uint32_t bit = 1u << place;
  if ((expired_ & bit) != 0) return count_stale(WEIR_EEXPIRED);
  if ((out_ & bit) == 0) return count_stale(WEIR_ESTALE);
  out_ &= ~bit;
  if (class_ == WEIR_CLASS_SUCCESS || class_ == WEIR_CLASS_FAILURE) {
    count_recorded(class_ == WEIR_CLASS_FAILURE, slow);
    judge_trial(class_ == WEIR_CLASS_FAILURE, moment.exact());
  } else {
    taken_ &= ~bit;
    ignored_.fetch_add(1, std::memory_order_relaxed);
    publish_free_places();
  }
  return WEIR_OK;
}

// A trial succeeded, failed or hung.
void BreakerCore::judge_trial(bool failed, int64_t at_ns) {
  if (failed) {
    ++trial_failures_;
  } else {
    ++trial_successes_;
  }
  if (trial_failures_ >= rules_.half_open_failures) {
    reopen(at_ns);
  } else if (trial_successes_ >= rules_.half_open_success_threshold) {
    close(at_ns);
  } else {
    publish_free_places();
  }
}

CallCounts BreakerCore::trial_counts() const {
  return {static_cast<uint64_t>(trial_successes_) + trial_failures_, trial_failures_, 0};
}

// ---- telling ----

CallCounts BreakerCore::current_counts() const {
  BreakerWord word = this->word();
  if (word.state() == BreakerState::open) return opened_by();
  if (word.state() == BreakerState::half_open) return trial_counts();
  if (word.windowed()) return window_->totals();
  return {word.failures(), word.failures(), 0};
}

// The breaker is now in another state than `from`, or in metrics-only mode would be.
void BreakerCore::announce(uint32_t from, uint32_t reason, const CallCounts &counts,
                           int64_t at_ns) {
  if (ring_ == nullptr) return;
  weir_breaker_change change = {};
  change.size = sizeof(change);
  change.from = from;
  change.to = public_state(word().state());
  change.reason = reason;
  change.calls = counts.calls;
  change.failures = counts.failures;
  change.slow_calls = counts.slow_calls;
  change.at_ns = at_ns;
  if (ring_->push(change)) wake_ = true;
}

void BreakerCore::wake_listeners() { ring_->post(); }

uint64_t BreakerCore::missed_changes() const { return ring_ == nullptr ? 0 : ring_->missed(); }

}  // namespace weir

/* src/policy/breaker_window.cc */

#include <cstring>

namespace weir {
namespace {

constexpr uint32_t calls_per_word = 32;
constexpr uint64_t failed_bit = 1;
constexpr uint64_t slow_bit = 2;

// The end of the slice that holds `now_ns`; slices begin at multiples of their length.
int64_t end_of_slice(int64_t now_ns, int64_t slice_ns) {
  int64_t into = now_ns % slice_ns;
  if (into < 0) into += slice_ns;
  return saturating_add(now_ns, slice_ns - into);
}

}  // namespace

size_t CallWindow::block_size(uint32_t capacity, int64_t slice_ns) {
  size_t body = slice_ns != 0 ? slices * sizeof(CallCounts)
                              : (capacity + calls_per_word - 1) / calls_per_word * sizeof(uint64_t);
  return sizeof(CallWindow) + body;
}

CallWindow *CallWindow::create(Heap *heap, uint32_t capacity, int64_t slice_ns) {
  size_t size = block_size(capacity, slice_ns);
  void *memory = heap->allocate(size);
  if (memory == nullptr) return nullptr;
  std::memset(memory, 0, size);
  return new (memory) CallWindow(capacity, slice_ns);
}

CallWindow *CallWindow::of_calls(Heap *heap, uint32_t calls) { return create(heap, calls, 0); }

CallWindow *CallWindow::of_time(Heap *heap, int64_t slice_ns) { return create(heap, 0, slice_ns); }

void CallWindow::free(Heap *heap) { heap->free(this, block_size(capacity_, slice_ns_)); }

void CallWindow::clear() {
  totals_ = {};
  if (timed()) std::memset(static_cast<void *>(slice_array()), 0, slices * sizeof(CallCounts));
  // Of a count window the bits may stay: totals_.calls says how many of them mean something.
}

void CallWindow::advance(int64_t now_ns) {
  if (timed() && now_ns >= slice_end_ns_) drop_slices(now_ns);
}

void CallWindow::add_to_slice(bool failed, bool slow, int64_t now_ns) {
  advance(now_ns);
  totals_.add(failed, slow);
  slice_array()[position_].add(failed, slow);
}

void CallWindow::drop_slices(int64_t now_ns) {
  int64_t end_ns = end_of_slice(now_ns, slice_ns_);
  int64_t passed = saturating_sub(end_ns, slice_end_ns_) / slice_ns_;
  slice_end_ns_ = end_ns;
  if (passed >= slices) {
    clear();
    return;
  }
  for (; passed > 0; --passed) {
    position_ = (position_ + 1) % slices;
    totals_.subtract(slice_array()[position_]);
    slice_array()[position_] = {};
  }
}

void CallWindow::replace_oldest(bool failed, bool slow) {
  uint64_t &word = outcome_bits()[position_ / calls_per_word];
  uint32_t shift = position_ % calls_per_word * 2;
  if (totals_.calls == capacity_) {
    uint64_t old = word >> shift;
    totals_.subtract({1, old & failed_bit, (old & slow_bit) / slow_bit});
  }
  totals_.add(failed, slow);
  word &= ~((failed_bit | slow_bit) << shift);
  word |= ((failed ? failed_bit : 0) | (slow ? slow_bit : 0)) << shift;
  position_ = position_ + 1 == capacity_ ? 0 : position_ + 1;
}

}  // namespace weir
