// SPDX-License-Identifier: MIT
//
// A doubly linked list whose links are inside its elements: T derives from ListNode<T>. Insertion
// and removal are O(1) and cannot fail; an element is in one list at most.

#pragma once

#include <cstddef>

namespace weir {

template <typename T, typename Tag = void>
class List;

// The links of any element, and the head of any list: what linking does exists once for all types.
class ListLinks {
 public:
  bool linked() const { return next_ != nullptr; }

 private:
  template <typename T, typename Tag>
  friend class List;

  void insert_before(ListLinks *before) {
    next_ = before;
    previous_ = before->previous_;
    before->previous_->next_ = this;
    before->previous_ = this;
  }
  void remove() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

  ListLinks *next_ = nullptr;
  ListLinks *previous_ = nullptr;
};

template <typename T, typename Tag = void>
class ListNode : public ListLinks {};

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
    ListLinks *links = links_of(item)->next_;
    return links == &head_ ? nullptr : element(links);
  }

  void push_back(T *item) { links_of(item)->insert_before(&head_); }
  void push_front(T *item) { links_of(item)->insert_before(head_.next_); }

  T *pop_front() {
    T *item = front();
    if (item != nullptr) remove(item);
    return item;
  }

  void remove(T *item) { links_of(item)->remove(); }

  // Moves all of `other` behind the own elements.
  void take(List &other) {
    while (T *item = other.pop_front()) push_back(item);
  }

 private:
  static T *element(ListLinks *links) { return static_cast<T *>(static_cast<Node *>(links)); }
  static ListLinks *links_of(T *item) { return static_cast<Node *>(item); }

  ListLinks head_;
};

}  // namespace weir
