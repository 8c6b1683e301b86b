/** Compacted once this many slots at its front are empty and they are the greater part. */
const COMPACT_AT = 1024;

/** A double-ended queue on one array: first in, first out, and putting back at the front, without moving elements. */
export class Deque<T> implements Iterable<T> {
  private items: Array<T | undefined> = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  get first(): T | undefined {
    return this.items[this.head];
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head += 1;
    if (this.length === 0) {
      this.items = [];
      this.head = 0;
    } else if (this.head >= COMPACT_AT && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  unshift(item: T): void {
    if (this.head === 0) {
      this.items.unshift(item);
      return;
    }
    this.head -= 1;
    this.items[this.head] = item;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.head; at < this.items.length; at += 1) yield this.items[at] as T; // `as`: only slots before head are empty
  }
}
