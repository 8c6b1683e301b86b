/**
 * Aborts a request when nothing arrives for `stallMs`, when it takes longer than `mostMs`, or when the caller's signal does. Dispose
 * when done.
 */
export class StallGuard implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #end: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal;

  /** @param outer none that was made of `AbortSignal.timeout` and others: Node 24 never forgets one that another is made of */
  constructor(stallMs: number, outer: AbortSignal, mostMs?: number) {
    this.signal = AbortSignal.any([outer, this.#controller.signal]);
    this.#timer = setTimeout(() => {
      this.#controller.abort(new Error(`nothing arrived for ${stallMs} ms`));
    }, stallMs);
    if (mostMs === undefined) return;
    this.#end = setTimeout(() => {
      this.#controller.abort(new Error(`not all had arrived after ${mostMs} ms`));
    }, mostMs);
  }

  /** Bytes arrived: the clock starts anew. */
  touch(): void {
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#end);
  }
}

/**
 * Reads a body of at most `maxBytes`.
 *
 * @throws {RangeError} when the body is longer
 */
export async function readBounded(
  response: Response,
  maxBytes: number,
  guard: StallGuard,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of bodyOf(response)) {
    guard.touch();
    length += bytes.length;
    if (length > maxBytes) throw new RangeError(`the answer is longer than ${maxBytes} bytes`);
    parts.push(bytes);
  }
  return Buffer.concat(parts, length);
}

/** The body's bytes as they arrive; nothing where there is no body. */
export function bodyOf(response: Response): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  // `as`: a fetched body is always bytes; its type leaves the element open.
  return (response.body as ReadableStream<Uint8Array> | null) ?? [];
}
