// SPDX-License-Identifier: MIT
'use strict';

// Things by small numbers, which weir and the shared buffers carry. A number is taken again after
// it
// was freed. -1 is `undefined`, which needs no place.
class Table {
  constructor(first = 0) {
    this.items = new Array(first).fill(undefined);
    this.free = [];
  }

  put(item) {
    const { free } = this;
    if (free.length > 0) {
      const index = free.pop();
      this.items[index] = item;
      return index;
    }
    return this.items.push(item) - 1;
  }

  get(index) {
    return index < 0 ? undefined : this.items[index];
  }

  remove(index) {
    this.items[index] = undefined;
    this.free.push(index);
  }

  /** Forgets the item; its number stays taken. */
  silence(index) {
    this.items[index] = undefined;
  }

  get size() {
    return this.items.length - this.free.length;
  }
}

module.exports = { Table };
