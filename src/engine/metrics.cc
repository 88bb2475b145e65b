// SPDX-License-Identifier: MIT
//
// The metrics' text. Each list of handles is sorted by name and labels, so that handles that are
// one series lie side by side; then family by family, series by series, the numbers of each series
// are read and added up. Nothing is allocated, and all is under the book's mutex.

#include "engine/metrics.hh"

#include <weir/metrics.h>

#include <cstddef>
#include <cstring>

#include "base/text.hh"
#include "base/time.hh"
#include "base/utf8.hh"
#include "engine/operation.hh"
#include "engine/policy.hh"
#include "engine/runtime.hh"

namespace weir {
namespace {

using HandleList = MeterBook::HandleList;

struct SourceEntry {
  char kind[16];
  const MetricSource *source;  // NULL: only the histograms
};

// In the order of Metered.
constexpr SourceEntry sources[metered_kinds] = {
    {"operation", nullptr},          {"breaker", &breaker_metrics}, {"limiter", &limiter_metrics},
    {"retry", &retry_metrics},       {"timeout", &timeout_metrics}, {"hedge", &hedge_metrics},
    {"fallback", &fallback_metrics}, {"chaos", &chaos_metrics},     {"budget", &budget_metrics},
    {"cache", &cache_metrics},       {"flight", &flight_metrics},   {"pacer", &pacer_metrics},
    {"pool", &pool_metrics},
};

constexpr MetricRow runtime_rows[] = {
    {offsetof(weir_runtime_stats, runs_accepted), MetricField::u64, 0},
    {offsetof(weir_runtime_stats, runs_settled), MetricField::u64, 0},
    {offsetof(weir_runtime_stats, attempts_started), MetricField::u64, 0},
    {offsetof(weir_runtime_stats, live_calls), MetricField::u64, 0},
    {offsetof(weir_runtime_stats, orphans), MetricField::u64, 0},
    {offsetof(weir_runtime_stats, timers), MetricField::u64, 0},
    {offsetof(weir_runtime_stats, turns), MetricField::u64, 0},
};

constexpr MetricSource runtime_metrics = {
    "=runs_accepted c Runs accepted.\n\n"
    "=runs_settled c Runs settled.\n\n"
    "=attempts_started c Attempts started.\n\n"
    "=live_runs g Runs that have not settled.\n\n"
    "=orphans g Attempts told to stop that go on.\n\n"
    "=timers g Timers armed.\n\n"
    "=turns c Turns of the engine.\n\n",
    runtime_rows, nullptr, sizeof(weir_runtime_stats)};

// ---- series ----

const Label *labels_of(const Handle &handle) {
  const Meters *meters = handle.meters();
  return meters == nullptr ? nullptr : meters->labels;
}

int compare_series(const Handle &a, const Handle &b) {
  int order = std::strcmp(a.name(), b.name());
  const Label *left = labels_of(a);
  const Label *right = labels_of(b);
  for (; order == 0 && left != nullptr && right != nullptr;
       left = left->next, right = right->next) {
    order = std::strcmp(left->text(), right->text());
  }
  if (order != 0 || left == right) return order;
  return left == nullptr ? -1 : 1;
}

// Both are sorted, and `into` will be.
void merge_series(HandleList &into, HandleList &other) {
  HandleList merged;
  while (!into.empty() && !other.empty()) {
    bool first = compare_series(*into.front(), *other.front()) <= 0;
    merged.push_back((first ? into : other).pop_front());
  }
  merged.take(into);
  merged.take(other);
  into.take(merged);
}

// Bottom-up: bin n holds 2^n sorted handles, or none.
void sort_series(HandleList &list) {
  HandleList bins[32];
  size_t used = 0;
  while (Handle *handle = list.pop_front()) {
    HandleList carried;
    carried.push_back(handle);
    size_t bin = 0;
    for (; bin < used && !bins[bin].empty(); ++bin) merge_series(carried, bins[bin]);
    if (bin == used) ++used;
    bins[bin].take(carried);
  }
  for (size_t bin = 0; bin < used; ++bin) merge_series(list, bins[bin]);
}

// ---- the numbers of one series ----

struct Sums {
  int64_t numbers[most_family_rows] = {};
  bool known[most_family_rows] = {};
};

int64_t number_at(const unsigned char *stats, const MetricRow &row) {
  if (row.field == MetricField::u32 || row.field == MetricField::u32_is) {
    uint32_t number = 0;
    std::memcpy(&number, stats + row.offset, sizeof(number));
    return row.field == MetricField::u32 ? number : number == row.match ? 1 : 0;
  }
  int64_t number = 0;
  std::memcpy(&number, stats + row.offset, sizeof(number));
  return number;
}

void add_numbers(Sums &sums, const unsigned char *stats, const MetricRow *rows, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    int64_t number = number_at(stats, rows[i]);
    if (rows[i].field == MetricField::i64 && (number < 0 || number == INT64_MAX)) continue;
    sums.numbers[i] = saturating_add(sums.numbers[i], number);
    sums.known[i] = true;
  }
}

// ---- text ----

struct Family {
  const char *name;
  size_t name_size;
  bool counter;
  bool seconds;
  const char *help;
  size_t help_size;
  const char *rows;  // their lines
  size_t count;      // of rows
};

const char *end_of_line(const char *text) { return std::strchr(text, '\n'); }

// Reads the family that begins at `text`, and goes behind it.
Family next_family(const char *&text) {
  Family family = {};
  family.name = text + 1;
  family.name_size = static_cast<size_t>(std::strchr(text, ' ') - family.name);
  family.counter = family.name[family.name_size + 1] == 'c';
  family.seconds =
      family.name_size > 8 && std::memcmp(family.name + family.name_size - 8, "_seconds", 8) == 0;
  family.help = family.name + family.name_size + 3;
  family.help_size = static_cast<size_t>(end_of_line(family.help) - family.help);
  text = family.rows = end_of_line(family.help) + 1;
  while (*text != '=' && *text != '\0') {
    text = end_of_line(text) + 1;
    ++family.count;
  }
  return family;
}

class MetricsText {
 public:
  MetricsText(weir_runtime &runtime, TextWriter &text, bool open)
      : runtime_(runtime), text_(text), open_(open) {}

  void print_all() {
    print_source(runtime_metrics, nullptr);
    for (size_t i = 0; i < metered_kinds; ++i) {
      HandleList &list = runtime_.meters().list(static_cast<Metered>(i));
      sort_series(list);
      if (sources[i].source != nullptr && !list.empty()) print_source(*sources[i].source, &list);
    }
    if ((runtime_.observed() & weir_runtime::by_metrics) != 0) {
      print_histograms("latency", "How long runs were inside.", Measure::latency);
      print_histograms("waiting", "How long runs waited there before going on.", Measure::waiting);
    }
    if (open_) text_.print("# EOF\n");
  }

 private:
  void print_head(const Family &family) {
    const char *suffix = family.counter && !open_ ? "_total" : "";
    auto size = static_cast<int>(family.name_size);
    text_.print("# TYPE weir_%.*s%s %s\n", size, family.name, suffix,
                family.counter ? "counter" : "gauge");
    if (family.seconds && open_) text_.print("# UNIT weir_%.*s seconds\n", size, family.name);
    text_.print("# HELP weir_%.*s%s %.*s\n", size, family.name, suffix,
                static_cast<int>(family.help_size), family.help);
  }

  // All but the closing brace. `handle` NULL: the runtime's own.
  void print_labels(const Handle *handle, const char *kind) {
    text_.print("{runtime=\"");
    print_escaped(text_, runtime_.name());
    text_.print("\"");
    if (kind != nullptr) text_.print(",kind=\"%s\"", kind);
    const Label *own = handle == nullptr ? nullptr : labels_of(*handle);
    if (handle != nullptr && handle->name()[0] != '\0') {
      text_.print(",name=\"");
      print_escaped(text_, handle->name());
      text_.print("\"");
    }
    for (const Label *label = own; label != nullptr; label = label->next) {
      text_.print(",%s", label->text());
    }
    for (const Label *label = runtime_.meters().labels(); label != nullptr; label = label->next) {
      if (!has_key(own, *label)) text_.print(",%s", label->text());
    }
  }

  static bool has_key(const Label *labels, const Label &wanted) {
    for (; labels != nullptr; labels = labels->next) {
      if (labels->key_size == wanted.key_size &&
          std::memcmp(labels->text(), wanted.text(), wanted.key_size) == 0) {
        return true;
      }
    }
    return false;
  }

  void print_number(int64_t number, bool seconds) {
    if (seconds) {
      text_.print(" %lld.%09lld\n", static_cast<long long>(number / ns_per_second),
                  static_cast<long long>(number % ns_per_second));
    } else {
      text_.print(" %lld\n", static_cast<long long>(number));
    }
  }

  void print_series(const Family &family, const Sums &sums, const Handle *handle) {
    const char *line = family.rows;
    for (size_t i = 0; i < family.count; ++i, line = end_of_line(line) + 1) {
      if (!sums.known[i]) continue;
      auto label_size = static_cast<int>(end_of_line(line) - line);
      text_.print("weir_%.*s%s", static_cast<int>(family.name_size), family.name,
                  family.counter ? "_total" : "");
      print_labels(handle, nullptr);
      text_.print("%s%.*s}", label_size > 0 ? "," : "", label_size, line);
      print_number(sums.numbers[i], family.seconds);
    }
  }

  void read(const MetricSource &source, Handle *handle, unsigned char *stats) {
    std::memcpy(stats, &source.stats_size, sizeof(source.stats_size));
    if (handle == nullptr) {
      runtime_.get_stats(*reinterpret_cast<weir_runtime_stats *>(stats));
    } else {
      source.read(*handle, stats);
    }
  }

  // `list` NULL: the runtime's own.
  void print_source(const MetricSource &source, HandleList *list) {
    const MetricRow *rows = source.rows;
    for (const char *text = source.text; *text != '\0';) {
      Family family = next_family(text);
      print_head(family);
      Handle *handle = list == nullptr ? nullptr : list->front();
      do {
        Handle *first = handle;
        Sums sums;
        do {
          alignas(8) unsigned char stats[largest_stats] = {};
          read(source, handle, stats);
          add_numbers(sums, stats, rows, family.count);
          if (handle != nullptr) handle = list->next(handle);
        } while (handle != nullptr && compare_series(*first, *handle) == 0);
        print_series(family, sums, first);
      } while (handle != nullptr);
      rows += family.count;
    }
  }

  // ---- histograms ----

  struct Buckets {
    uint64_t counts[Histogram::bounds + 1] = {};
    int64_t sum_ns = 0;
    bool known = false;
  };

  static void add_buckets(Buckets &buckets, const Handle &handle, Measure measure) {
    const Meters *meters = handle.meters();
    if (meters == nullptr || meters->histograms == nullptr) return;
    const Histogram &histogram = meters->histograms[static_cast<size_t>(measure)];
    for (int i = 0; i <= Histogram::bounds; ++i) buckets.counts[i] += histogram.count(i);
    buckets.sum_ns = saturating_add(buckets.sum_ns, histogram.sum_ns());
    buckets.known = true;
  }

  void print_histograms(const char *name, const char *help, Measure measure) {
    text_.print("# TYPE weir_%s_seconds histogram\n", name);
    if (open_) text_.print("# UNIT weir_%s_seconds seconds\n", name);
    text_.print("# HELP weir_%s_seconds %s\n", name, help);
    for (size_t i = 0; i < metered_kinds; ++i) {
      HandleList &list = runtime_.meters().list(static_cast<Metered>(i));
      for (Handle *handle = list.front(); handle != nullptr;) {
        Handle *first = handle;
        Buckets buckets;
        do {
          add_buckets(buckets, *handle, measure);
          handle = list.next(handle);
        } while (handle != nullptr && compare_series(*first, *handle) == 0);
        if (buckets.known) print_buckets(name, sources[i].kind, *first, buckets);
      }
    }
  }

  void print_buckets(const char *name, const char *kind, const Handle &handle,
                     const Buckets &buckets) {
    uint64_t count = 0;
    for (int i = 0; i <= Histogram::bounds; ++i) {
      count += buckets.counts[i];
      text_.print("weir_%s_seconds_bucket", name);
      print_labels(&handle, kind);
      if (i == Histogram::bounds) {
        text_.print(",le=\"+Inf\"} %llu\n", static_cast<unsigned long long>(count));
        continue;
      }
      // As OpenMetrics wants numbers: 0.0025, 1.0.
      int64_t upper_ns = Histogram::upper_ns[i];
      text_.print(",le=\"%g%s\"} %llu\n", static_cast<double>(upper_ns) / ns_per_second,
                  upper_ns % ns_per_second == 0 ? ".0" : "",
                  static_cast<unsigned long long>(count));
    }
    text_.print("weir_%s_seconds_count", name);
    print_labels(&handle, kind);
    text_.print("} %llu\nweir_%s_seconds_sum", static_cast<unsigned long long>(count), name);
    print_labels(&handle, kind);
    text_.print("}");
    print_number(buckets.sum_ns, true);
  }

  weir_runtime &runtime_;
  TextWriter &text_;
  bool open_;  // OpenMetrics, not what came before
};

weir_status write_metrics(weir_runtime *runtime, bool open, char *buffer, size_t size,
                          size_t *needed) {
  if (needed != nullptr) *needed = 0;
  if (runtime == nullptr || (buffer == nullptr && size > 0)) return WEIR_EINVAL;
  TextWriter text(buffer, size);
  if (runtime->forked()) return WEIR_EFORKED;
  {
    Lock lock(runtime->meters().mutex());
    MetricsText(*runtime, text, open).print_all();
  }
  if (needed != nullptr) *needed = text.length() + 1;
  return buffer != nullptr && text.length() >= size ? WEIR_EFULL : WEIR_OK;
}

}  // namespace
}  // namespace weir

weir_status weir_runtime_metrics(weir_runtime *runtime, char *buffer, size_t size, size_t *needed) {
  return weir::write_metrics(runtime, true, buffer, size, needed);
}

weir_status weir_runtime_metrics_text(weir_runtime *runtime, char *buffer, size_t size,
                                      size_t *needed) {
  return weir::write_metrics(runtime, false, buffer, size, needed);
}

weir_status weir_runtime_set_label(weir_runtime *runtime, const char *key, const char *value,
                                   weir_error **error) {
  if (runtime == nullptr) return weir::set_label(nullptr, key, value, error);
  if (runtime->forked()) return WEIR_EFORKED;
  return runtime->meters().set_label(nullptr, key, value, error);
}

weir_status weir_policy_set_label(weir_policy *policy, const char *key, const char *value,
                                  weir_error **error) {
  return weir::set_label(policy, key, value, error);
}

weir_status weir_operation_set_label(weir_operation *operation, const char *key, const char *value,
                                     weir_error **error) {
  return weir::set_label(operation, key, value, error);
}
