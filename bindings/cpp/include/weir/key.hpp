// SPDX-License-Identifier: MIT
//
// How C++ keys become the bytes that caches and keyed policies know. Strings are their bytes;
// numbers, enumerations and other types without padding are their own. For a type of yours,
// specialize weir::key_traits:
//
//   template <> struct weir::key_traits<user_id> {
//     static std::string bytes(const user_id &key) { return key.to_string(); }
//     static user_id read(std::string_view bytes) { return user_id::parse(bytes); }
//   };

#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir {
inline namespace cpp {

// bytes() gives a view of the key, or a string; read() is the way back.
template <class K>
struct key_traits {
  static_assert(std::has_unique_object_representations_v<K>,
                "specialize weir::key_traits for this type of key");
  static std::string_view bytes(const K &key) {
    return {reinterpret_cast<const char *>(&key), sizeof key};
  }
  static K read(std::string_view bytes) {
    K key{};
    if (bytes.size() == sizeof key) std::memcpy(&key, bytes.data(), sizeof key);
    return key;
  }
};

template <>
struct key_traits<std::string> {
  static std::string_view bytes(const std::string &key) { return key; }
  static std::string read(std::string_view bytes) { return std::string(bytes); }
};

template <>
struct key_traits<std::string_view> {
  static std::string_view bytes(std::string_view key) { return key; }
};

// The bytes of a key for run_options::key; valid as long as the key.
template <class K>
auto key_bytes(const K &key) {
  return key_traits<K>::bytes(key);
}

}  // namespace cpp
}  // namespace weir
