import type { Split } from '@gleaner/protocol';

/**
 * The same splits, cut so that about `units` units come out: the first split that can be cut anew is, by range, bytes or
 * records; the others stay.
 *
 * @param sizeBytes size of an input in bytes
 * @returns null where no split can be cut anew (grids)
 */
export function cutIntoUnits(
  splits: readonly Split[],
  units: number,
  sizeBytes: (input: string) => number,
): Split[] | null {
  const at = splits.findIndex((split) => split.kind !== 'grid');
  const split = splits[at];
  if (!split || split.kind === 'grid') return null;
  return splits.with(at, cutAnew(split, units, sizeBytes));
}

function cutAnew(
  split: Exclude<Split, { kind: 'grid' }>,
  units: number,
  sizeBytes: (input: string) => number,
): Split {
  switch (split.kind) {
    case 'range': {
      const { kind, name, from, to } = split;
      return { kind, name, from, to, units: Math.min(units, Math.max(1, to - from)) };
    }
    case 'records': {
      const { kind, name, input, delimiter } = split;
      return { kind, name, input, delimiter, units };
    }
    case 'bytes': {
      const ownBytes = Math.max(1, Math.ceil((sizeBytes(split.input) - split.overlapBytes) / units));
      return { ...split, windowBytes: ownBytes + split.overlapBytes };
    }
  }
}
