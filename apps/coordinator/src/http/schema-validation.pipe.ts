import { Injectable, StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { pointerTo, schemaFaults } from '@gleaner/protocol';
import type { z } from 'zod';
import { InvalidRequestError } from './domain-error.js';

/** A document with a thousand mistakes is answered with the first of them. */
const MAX_ERRORS = 20;

/** Checks parameters against the zod schema given to `@Body`, `@Query` or `@Param` and says what is wrong where. */
@Injectable()
export class SchemaValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const { schema } = metadata;
    if (!schema || metadata.type === 'custom') return value;
    refuseUnsafeValues(value);
    const result = await this.validate<T>(value, schema);
    if (result.issues === undefined) return result.value;
    if (metadata.type === 'body' && value === undefined) throw emptyBody();
    // `as`: every schema of this API is zod's, whose issues are richer than the standard's.
    const issues = result.issues.slice(0, MAX_ERRORS) as z.core.$ZodIssue[];
    const faults = schemaFaults(schema as z.core.$ZodType, value, issues).slice(0, MAX_ERRORS);
    // A path parameter is checked by itself: its own name is where it is.
    const place = metadata.type === 'param' && metadata.data !== undefined ? pointerTo([metadata.data]) : '';
    throw new InvalidRequestError(
      faults.map(({ pointer, detail }) => ({ pointer: `${place}${pointer}`, detail })),
    );
  }
}

/** Names that assigning to would change what every object inherits. No schema knows them, and zod passes over some. */
const UNSAFE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The framework would drop fields of such names in silence. What is not made of objects and arrays as JSON is, such as a
 * stream, is refused rather than walked: it may go round in a circle. Not recursive: a body of 8 MiB nests deeper than the stack.
 */
function refuseUnsafeValues(value: unknown): void {
  const left: Array<{ readonly value: unknown; readonly parent: Place | null }> = [{ value, parent: null }];
  for (let next = left.pop(); next; next = left.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (!isPlain(next.value)) throw fault(next.parent, 'is not JSON');
    for (const [key, member] of Object.entries(next.value)) {
      const place = { key, parent: next.parent };
      if (!Array.isArray(next.value) && UNSAFE_KEYS.has(key)) throw fault(place, 'is not a known field');
      if (typeof member === 'object') left.push({ value: member, parent: place });
    }
  }
}

/** Parsed JSON, or a framework's object of parameters, whose prototype inherits from nothing. */
function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function fault(place: Place | null, detail: string): InvalidRequestError {
  return new InvalidRequestError([{ pointer: pointerTo(pathOf(place)), detail }]);
}

function emptyBody(): InvalidRequestError {
  return new InvalidRequestError(
    [{ pointer: '', detail: 'is missing' }],
    'The body is empty: send JSON with Content-Type: application/json.',
  );
}

interface Place {
  readonly key: string;
  readonly parent: Place | null;
}

function pathOf(place: Place | null): string[] {
  const path: string[] = [];
  for (let at: Place | null = place; at; at = at.parent) path.push(at.key);
  return path.reverse();
}
