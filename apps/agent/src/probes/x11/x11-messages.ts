import type { XCookie } from './xauthority.js';

/*
 * The part of the X11 protocol (X.Org "X Window System Protocol", and "X11 Screen Saver Extension") that asks for the time
 * since the last input. Numbers are little-endian, as the setup request announces.
 */

const LITTLE_ENDIAN = 0x6c;
const PROTOCOL_MAJOR = 11;
const SETUP_HEAD_BYTES = 8;
const REPLY_BYTES = 32;
const OPCODE_QUERY_EXTENSION = 98;
const MINOR_QUERY_INFO = 1;
const SCREEN_SAVER = 'MIT-SCREEN-SAVER';

export function setupRequest(cookie: XCookie | undefined): Buffer {
  const name = Buffer.from(cookie?.name ?? '', 'latin1');
  const data = cookie?.data ?? Buffer.alloc(0);
  const head = Buffer.alloc(12);
  head.writeUInt8(LITTLE_ENDIAN, 0);
  head.writeUInt16LE(PROTOCOL_MAJOR, 2);
  head.writeUInt16LE(name.length, 6);
  head.writeUInt16LE(data.length, 8);
  return Buffer.concat([head, padded(name), padded(data)]);
}

export function queryExtensionRequest(): Buffer {
  const name = Buffer.from(SCREEN_SAVER, 'latin1');
  const head = Buffer.alloc(8);
  head.writeUInt8(OPCODE_QUERY_EXTENSION, 0);
  head.writeUInt16LE(2 + padded(name).length / 4, 2);
  head.writeUInt16LE(name.length, 4);
  return Buffer.concat([head, padded(name)]);
}

export function queryInfoRequest(majorOpcode: number, rootWindow: number): Buffer {
  const request = Buffer.alloc(8);
  request.writeUInt8(majorOpcode, 0);
  request.writeUInt8(MINOR_QUERY_INFO, 1);
  request.writeUInt16LE(2, 2);
  request.writeUInt32LE(rootWindow, 4);
  return request;
}

/** Bytes of the setup answer that begins here; undefined while its head is incomplete. */
export function setupLength(bytes: Buffer): number | undefined {
  return bytes.length < SETUP_HEAD_BYTES ? undefined : SETUP_HEAD_BYTES + bytes.readUInt16LE(6) * 4;
}

/**
 * Root window of the first screen.
 *
 * @throws {Error} when the server refuses the connection
 */
export function parseSetup(bytes: Buffer): { rootWindow: number } {
  if (bytes.readUInt8(0) !== 1) throw new Error('the X server refused the connection');
  const vendorBytes = bytes.readUInt16LE(24);
  const formats = bytes.readUInt8(29);
  const screens = 40 + vendorBytes + (-vendorBytes & 3) + formats * 8;
  return { rootWindow: bytes.readUInt32LE(screens) };
}

/** Bytes of the reply, error or event that begins here; undefined while its head is incomplete. */
export function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length < REPLY_BYTES) return undefined;
  return bytes.readUInt8(0) === 1 ? REPLY_BYTES + bytes.readUInt32LE(4) * 4 : REPLY_BYTES;
}

/** Errors are 0, replies 1, everything else is an event that nobody here asked for. */
export function isReply(message: Buffer): boolean {
  return message.readUInt8(0) === 1;
}

export function isError(message: Buffer): boolean {
  return message.readUInt8(0) === 0;
}

/**
 * Opcode of the extension.
 *
 * @throws {Error} when the server does not have it
 */
export function parseQueryExtension(reply: Buffer): { majorOpcode: number } {
  if (reply.readUInt8(8) !== 1) throw new Error(`the X server has no ${SCREEN_SAVER}`);
  return { majorOpcode: reply.readUInt8(9) };
}

/** Milliseconds since the last input. */
export function parseQueryInfo(reply: Buffer): number {
  return reply.readUInt32LE(16);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
