import type { ByteRange } from './blob-store.js';

export type RangeRequest =
  | { readonly kind: 'all' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  | { readonly kind: 'unsatisfiable' };

/** What of `sizeBytes` bytes a `Range` header asks for (RFC 9110 §14). Several ranges, and other units, get everything. */
export function parseRange(header: string | undefined, sizeBytes: number): RangeRequest {
  const match = header === undefined ? null : /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  if (!match) return { kind: 'all' };
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return { kind: 'all' };
  if (first === '') {
    const suffix = Math.min(Number(last), sizeBytes);
    return suffix === 0
      ? { kind: 'unsatisfiable' }
      : { kind: 'part', range: { start: sizeBytes - suffix, end: sizeBytes - 1 } };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return { kind: 'all' };
  if (start >= sizeBytes) return { kind: 'unsatisfiable' };
  return {
    kind: 'part',
    range: { start, end: last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) },
  };
}
