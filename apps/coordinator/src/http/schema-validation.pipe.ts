import { Injectable, StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { pointerTo, schemaFaults } from '@gleaner/protocol';
import type { z } from 'zod';
import { requireBounded } from './bounded-json.js';
import { InvalidRequestError } from './domain-error.js';

/** A document with a thousand mistakes is answered with the first of them. */
const MAX_ERRORS = 20;

/** Checks parameters against the zod schema given to `@Body`, `@Query` or `@Param` and says what is wrong where. */
@Injectable()
export class SchemaValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const { schema } = metadata;
    if (!schema || metadata.type === 'custom') return value;
    requireBounded(value);
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

function emptyBody(): InvalidRequestError {
  return new InvalidRequestError(
    [{ pointer: '', detail: 'is missing' }],
    'The body is empty: send JSON with Content-Type: application/json.',
  );
}
