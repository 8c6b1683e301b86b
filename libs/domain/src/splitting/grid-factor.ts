import type { GridSplit } from '@gleaner/protocol';
import type { SplitFactor, SplitPoint } from './split-types.js';

/**
 * Every combination of the named lists, taken in byte order of their names (a JSON object has no order of its own), the
 * last one varying fastest. Each list's name is a placeholder.
 */
export function gridFactor(split: GridSplit): SplitFactor {
  // Names are ASCII identifiers, for which code-unit order is byte order.
  const lists = Object.entries(split.lists).sort(([a], [b]) => (a < b ? -1 : 1));
  const count = lists.reduce((product, [, values]) => product * values.length, 1);
  return { name: split.name, input: null, count, points };

  async function* points(from: number): AsyncGenerator<SplitPoint> {
    for (let index = from; index < count; index += 1) yield { values: combination(index), window: null };
  }

  function combination(index: number): Record<string, string | number> {
    const values: Record<string, string | number> = {};
    let rest = index;
    for (let at = lists.length - 1; at >= 0; at -= 1) {
      const [name, list] = lists[at] ?? ['', []];
      const value = list[rest % list.length];
      if (value !== undefined) values[name] = value;
      rest = Math.floor(rest / list.length);
    }
    return values;
  }
}
