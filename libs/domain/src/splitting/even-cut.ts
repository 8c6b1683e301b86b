/**
 * Where piece `index` of `pieces` nearly equal pieces of `total` begins; piece `pieces` begins at `total`. The first
 * `total mod pieces` pieces are one longer. Exact for all safe integers, unlike `index * total / pieces`.
 */
export function evenCut(total: number, pieces: number, index: number): number {
  const base = Math.floor(total / pieces);
  const longer = total % pieces;
  return index * base + Math.min(index, longer);
}
