// SPDX-License-Identifier: MIT
//
// A doubly linked list whose links are inside its elements: T derives from ListNode<T>. Insertion
// and removal are O(1) and cannot fail; an element is in one list at most.

#pragma once

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
