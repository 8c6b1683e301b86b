export interface ServerEvent {
  /** What to name as `Last-Event-ID` after a break; empty where the server gave none. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Characters of one event; the largest that we ask for is a job with its specification. */
const EVENT_CHARS_MAX = 4 * 1024 * 1024;

/**
 * Reads `text/event-stream` (https://html.spec.whatwg.org/multipage/server-sent-events.html) as far as this API uses it.
 *
 * @param onSign called with each piece that arrives, comments included: the server is alive
 * @throws {RangeError} where an event does not end in time
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  onSign: () => void = () => undefined,
): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of body) {
    onSign();
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop() ?? '';
    if (text.length > EVENT_CHARS_MAX) {
      throw new RangeError(
        `an event has more than ${EVENT_CHARS_MAX} characters: is this a Gleaner coordinator?`,
      );
    }
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event) yield event;
    }
  }
}

/** Null for a block of nothing but comments. */
function parseEvent(block: string): ServerEvent | null {
  const fields = new Map<string, string>();
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, '');
    const before = fields.get(name);
    fields.set(name, name === 'data' && before !== undefined ? `${before}\n${value}` : value);
  }
  if (fields.size === 0) return null;
  return {
    id: fields.get('id') ?? '',
    event: fields.get('event') ?? 'message',
    data: fields.get('data') ?? '',
  };
}
