import type { IncomingHttpHeaders } from 'node:http';
import { LIMITS } from '@gleaner/protocol';
import { Metadata } from '@tus/server';
import { DomainError } from '../http/index.js';

export const TUS_VERSION = '1.0.0';
export const PATCH_TYPE = 'application/offset+octet-stream';
/** Of a value that is none, as much as is shown to whoever sent it. */
const SHOWN_LENGTH = 100;
const BYTES = /^(0|[1-9]\d*)$/;

/**
 * Looks at what tus would refuse with half a sentence, and says which header is wrong and what it must be.
 *
 * @throws {DomainError} with the header's name as pointer
 */
export function requireTusHeaders(method: string, headers: IncomingHttpHeaders): void {
  if (method === 'OPTIONS') return;
  if (headers['tus-resumable'] !== TUS_VERSION) {
    const detail = `must be ${TUS_VERSION}${insteadOf(headers['tus-resumable'])}`;
    throw new DomainError('protocol-version', `The header tus-resumable ${detail}.`, {
      errors: [{ pointer: '/tus-resumable', detail }],
      headers: { 'tus-version': TUS_VERSION },
    });
  }
  if (method === 'POST') requireDescription(headers);
  if (method === 'PATCH') requirePart(headers);
}

/** A refusal of one header. */
function wrongHeader(
  name: string,
  detail: string,
  code: 'malformed-request' | 'too-large' | 'wrong-state' | 'unsupported-media-type' = 'malformed-request',
): DomainError {
  return new DomainError(code, `The header ${name} ${detail}.`, {
    errors: [{ pointer: `/${name}`, detail }],
  });
}

/** A part that does not begin where the last one ended. */
export function wrongOffset(): DomainError {
  return wrongHeader('upload-offset', 'must be what has come so far: ask with HEAD', 'wrong-state');
}

function requireDescription(headers: IncomingHttpHeaders): void {
  if (headers['upload-defer-length'] !== undefined) {
    throw wrongHeader('upload-defer-length', 'is not supported: say the length with Upload-Length');
  }
  if (headers['upload-concat'] !== undefined) {
    throw wrongHeader('upload-concat', 'is not supported: send the content as one upload');
  }
  const bytes = requireBytes('upload-length', headers['upload-length']);
  if (bytes > BigInt(LIMITS.blobBytes)) {
    throw wrongHeader('upload-length', `must be at most ${LIMITS.blobBytes} bytes`, 'too-large');
  }
  const metadata = headers['upload-metadata'];
  if (metadata !== undefined && !isMetadata([metadata].flat().join(','))) {
    throw wrongHeader(
      'upload-metadata',
      'must be pairs of a name and its value in base64, such as "filename aGk=", with commas between them',
    );
  }
}

function requirePart(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (type !== PATCH_TYPE) {
    throw wrongHeader('content-type', `must be ${PATCH_TYPE}${insteadOf(type)}`, 'unsupported-media-type');
  }
  if (headers['upload-length'] !== undefined) {
    throw wrongHeader('upload-length', 'was said when the upload was created: leave it out');
  }
  // tus reads it as a double, which holds no larger ones.
  if (requireBytes('upload-offset', headers['upload-offset']) > BigInt(LIMITS.blobBytes)) throw wrongOffset();
}

function requireBytes(name: string, value: string | readonly string[] | undefined): bigint {
  if (typeof value === 'string' && BYTES.test(value)) return BigInt(value);
  throw wrongHeader(name, `must be a whole number of bytes${insteadOf(value)}`);
}

function insteadOf(value: string | readonly string[] | undefined): string {
  return value === undefined
    ? ': it is missing'
    : `, not ${JSON.stringify([value].flat().join(', ').slice(0, SHOWN_LENGTH))}`;
}

function isMetadata(text: string): boolean {
  try {
    Metadata.parse(text);
    return true;
  } catch {
    return false;
  }
}
