import { lineBatches } from './line-batches.js';
import type { MergeOrder } from './merge-order.js';
import type { StoredRun } from './run-store.js';

/** One run being read: its next item and the batch that it came from. */
interface RunCursor<T> {
  item: T;
  batch: readonly Uint8Array[];
  at: number;
  readonly batches: AsyncIterator<readonly Uint8Array[]>;
}

/**
 * Merges sorted runs into one sorted stream of items, combining equals. Holds one piece of each run.
 *
 * @param runs each sorted by `order`, its equals combined
 */
export async function* mergeRuns<T>(
  runs: readonly StoredRun[],
  order: MergeOrder<T>,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const heap: Array<RunCursor<T>> = [];
  const opened: Array<AsyncIterator<readonly Uint8Array[]>> = [];
  try {
    for (const run of runs) {
      const batches = lineBatches(run.read(), Number.POSITIVE_INFINITY);
      opened.push(batches);
      const cursor = await openCursor(batches, order);
      if (cursor) heap.push(cursor);
    }
    for (let at = (heap.length >> 1) - 1; at >= 0; at -= 1) siftDown(heap, at, order);
    let held: { item: T } | null = null;
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      const { item } = top;
      if (held && order.combine && order.compare(held.item, item) === 0)
        held.item = order.combine(held.item, item);
      else {
        if (held) yield held.item;
        held = { item };
      }
      if (!step(top, order) && !(await refill(top, order))) {
        const last = heap.pop();
        if (last && last !== top) heap[0] = last;
      }
      signal?.throwIfAborted();
      siftDown(heap, 0, order);
    }
    if (held) yield held.item;
  } finally {
    for (const batches of opened) await batches.return?.();
  }
}

async function openCursor<T>(
  batches: AsyncIterator<readonly Uint8Array[]>,
  order: MergeOrder<T>,
): Promise<RunCursor<T> | null> {
  const next = await batches.next();
  if (next.done) return null;
  const [first] = next.value;
  return first ? { item: order.reparse(first), batch: next.value, at: 0, batches } : null;
}

/** To the next line of the batch in hand; false at its end. */
function step<T>(cursor: RunCursor<T>, order: MergeOrder<T>): boolean {
  cursor.at += 1;
  const line = cursor.batch[cursor.at];
  if (!line) return false;
  cursor.item = order.reparse(line);
  return true;
}

async function refill<T>(cursor: RunCursor<T>, order: MergeOrder<T>): Promise<boolean> {
  const next = await cursor.batches.next();
  if (next.done) return false;
  cursor.batch = next.value;
  cursor.at = -1;
  return step(cursor, order);
}

function siftDown<T>(heap: Array<RunCursor<T>>, from: number, order: MergeOrder<T>): void {
  let at = from;
  for (;;) {
    const here = heap[at];
    const left = 2 * at + 1;
    let least = left;
    const leftChild = heap[left];
    const rightChild = heap[left + 1];
    let child = leftChild;
    if (leftChild && rightChild && order.compare(rightChild.item, leftChild.item) < 0) {
      least = left + 1;
      child = rightChild;
    }
    if (!here || !child || order.compare(here.item, child.item) <= 0) return;
    heap[at] = child;
    heap[least] = here;
    at = least;
  }
}
