/**
 * Offsets at which records end, strictly increasing, the last one being the end of the content. A record ends after the
 * last newline of a delimiter, or after the whole delimiter where it has none. Delimiters are found from left to right
 * and do not overlap (Knuth, Morris and Pratt 1977, so that pieces may be cut anywhere).
 *
 * @param content pieces of any size
 * @param delimiter UTF-8 text, not empty
 */
export async function* recordEnds(
  content: AsyncIterable<Uint8Array>,
  delimiter: string,
  signal?: AbortSignal,
): AsyncGenerator<number> {
  const pattern = new TextEncoder().encode(delimiter);
  const fallback = borderLengths(pattern);
  const lastNewline = pattern.lastIndexOf(0x0a);
  // Bytes of a delimiter that already belong to the next record.
  const carriedOver = lastNewline < 0 ? 0 : pattern.length - 1 - lastNewline;
  const first = pattern[0] ?? 0;
  let matched = 0;
  let position = 0;
  let lastEnd = 0;
  for await (const piece of content) {
    signal?.throwIfAborted();
    for (let at = 0; at < piece.length; at += 1) {
      if (matched === 0) {
        at = piece.indexOf(first, at);
        if (at < 0) break;
      }
      const byte = piece[at];
      while (matched > 0 && byte !== pattern[matched]) matched = fallback[matched - 1] ?? 0;
      if (byte === pattern[matched]) matched += 1;
      if (matched < pattern.length) continue;
      matched = 0;
      lastEnd = position + at + 1 - carriedOver;
      yield lastEnd;
    }
    position += piece.length;
  }
  if (position > lastEnd) yield position;
}

/** For each prefix of the pattern the length of its longest proper border. */
function borderLengths(pattern: Uint8Array): Uint8Array {
  const lengths = new Uint8Array(pattern.length);
  let length = 0;
  for (let at = 1; at < pattern.length; at += 1) {
    while (length > 0 && pattern[at] !== pattern[length]) length = lengths[length - 1] ?? 0;
    if (pattern[at] === pattern[length]) length += 1;
    lengths[at] = length;
  }
  return lengths;
}
