import { LIMITS, pointerTo } from '@gleaner/protocol';
import { InvalidRequestError } from './domain-error.js';

/**
 * Far more than any schema takes. A schema looks at all that there is before it says what is too much, and keeps what it has
 * to say of each: a body of 8 MiB would hold everybody up for many seconds.
 */
export const JSON_BOUNDS = {
  depth: 32,
  items: LIMITS.gridValuesPerList,
  fields: 1_000,
  fieldLength: 200,
  /** Of the whole document. */
  values: 250_000,
} as const;

/** Names that assigning to would change what every object inherits. No schema knows them, and zod passes over some. */
const UNSAFE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Refuses what is more than {@link JSON_BOUNDS}, and fields with names that the framework would drop in silence. What is not
 * made of objects and arrays as JSON is, such as a stream, is refused rather than walked: it may go round in a circle.
 */
export function requireBounded(whole: unknown): void {
  const path: string[] = [];
  const open: Frame[] = [];
  let values = 0;
  const enter = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const frame = frameOf(value, path);
    values += frame.length;
    if (values > JSON_BOUNDS.values) throw fault([], TOO_MANY);
    open.push(frame);
  };
  enter(whole);
  for (let frame = open.at(-1); frame; frame = open.at(-1)) {
    path.length = open.length - 1;
    const { keys, value } = frame;
    let entered: unknown;
    while (entered === undefined && frame.next < frame.length) {
      const key = keys === null ? frame.next : (keys[frame.next] ?? '');
      frame.next += 1;
      const member: unknown = Reflect.get(value, key);
      if (typeof member !== 'object' || member === null) continue;
      entered = member;
      path.push(String(key));
    }
    if (entered === undefined) open.pop();
    else enter(entered);
  }
}

/**
 * Refuses JSON of more values or levels than {@link JSON_BOUNDS} before it is parsed: 8 MiB of brackets become a gigabyte of
 * objects, which takes seconds. Text that is not JSON passes; parsing says what is wrong with it.
 */
export function requireBoundedText(text: string): void {
  let [values, depth] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charAt(at)) {
      case '"':
        at = endOfString(text, at);
        break;
      case '[':
      case '{':
        depth += 1;
        values += 1;
        if (depth > JSON_BOUNDS.depth + 1) throw fault([], TOO_DEEP);
        break;
      case ']':
      case '}':
        depth -= 1;
        break;
      case ',':
        values += 1;
        break;
      default:
    }
    if (values > JSON_BOUNDS.values) throw fault([], TOO_MANY);
  }
}

/** Where the quote stands that ends the string which begins at `start`; the text's end where there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text[before] === '\\') before -= 1;
    // Backslashes in pairs stand for themselves.
    if ((end - before) % 2 === 1) return end;
  }
  return text.length;
}

const TOO_DEEP = `must nest at most ${JSON_BOUNDS.depth} levels deep`;
const TOO_MANY = `must hold at most ${JSON_BOUNDS.values} values`;

/** A container that is being looked through. */
interface Frame {
  readonly value: object;
  /** null: an array. */
  readonly keys: readonly string[] | null;
  readonly length: number;
  next: number;
}

function frameOf(value: object, path: readonly string[]): Frame {
  if (path.length > JSON_BOUNDS.depth) throw fault(path.slice(0, JSON_BOUNDS.depth), TOO_DEEP);
  if (Array.isArray(value)) {
    if (value.length > JSON_BOUNDS.items) throw fault(path, `must have at most ${JSON_BOUNDS.items} items`);
    return { value, keys: null, length: value.length, next: 0 };
  }
  if (!isPlain(value)) throw fault(path, 'is not JSON');
  const keys = Object.keys(value);
  if (keys.length > JSON_BOUNDS.fields) throw fault(path, `must have at most ${JSON_BOUNDS.fields} fields`);
  for (const key of keys) {
    if (UNSAFE_KEYS.has(key)) throw fault([...path, key], 'is not a known field');
    if (key.length > JSON_BOUNDS.fieldLength) {
      throw fault(path, `has a field whose name is longer than ${JSON_BOUNDS.fieldLength} characters`);
    }
  }
  return { value, keys, length: keys.length, next: 0 };
}

/** Parsed JSON, or a framework's object of parameters, whose prototype inherits from nothing. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function fault(path: readonly string[], detail: string): InvalidRequestError {
  return new InvalidRequestError([{ pointer: pointerTo(path), detail }]);
}
