import type { Readable } from 'node:stream';
import { DomainError } from '../http/index.js';

/** @throws {DomainError} `too-large` as soon as more than `maxBytes` came */
export async function readBounded(stream: Readable, maxBytes: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    if (!(part instanceof Buffer)) throw new TypeError('a request body must be read as bytes');
    bytes += part.length;
    if (bytes > maxBytes) throw new DomainError('too-large', `A module may have at most ${maxBytes} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
