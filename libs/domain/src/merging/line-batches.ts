import { LineRefusedError } from './merge-error.js';

const NEWLINE = 0x0a;

/**
 * Lines without their newline, in batches as the content comes: one batch a piece. What follows the last newline is a
 * line too, unless it is empty. Lines may be views of the pieces.
 *
 * @throws {LineRefusedError} for a line of more than `maxLineBytes`
 */
export async function* lineBatches(
  content: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<readonly Uint8Array[]> {
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  for await (const piece of content) {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
      if (begunBytes + end - start > maxLineBytes) yield* refuseAfter(lines, maxLineBytes);
      const rest = piece.subarray(start, end);
      lines.push(begunBytes === 0 ? rest : joinBytes([...begun, rest]));
      begun = [];
      begunBytes = 0;
      start = end + 1;
    }
    if (start < piece.length) {
      begun.push(piece.slice(start));
      begunBytes += piece.length - start;
      if (begunBytes > maxLineBytes) yield* refuseAfter(lines, maxLineBytes);
    }
    if (lines.length > 0) yield lines;
  }
  if (begunBytes > 0) yield [joinBytes(begun)];
}

/** Joins lines into pieces of about `pieceBytes`, each line followed by a newline. */
export async function* piecesOfLines(
  lines: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  pieceBytes = 64 * 1024,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const line of lines) {
    held.push(line, NEWLINE_BYTES);
    heldBytes += line.length + 1;
    if (heldBytes < pieceBytes) continue;
    yield joinBytes(held);
    held = [];
    heldBytes = 0;
  }
  if (heldBytes > 0) yield joinBytes(held);
}

const NEWLINE_BYTES = Uint8Array.of(NEWLINE);

/** The lines before come first, so that a reader can count to the one that is too long. */
function* refuseAfter(
  lines: readonly Uint8Array[],
  maxLineBytes: number,
): Generator<readonly Uint8Array[], never> {
  if (lines.length > 0) yield lines;
  throw new LineRefusedError(`longer than ${maxLineBytes} bytes`);
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
