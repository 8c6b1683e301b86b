import { Injectable, StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import type { z } from 'zod';
import { InvalidRequestError, type ProblemLocation } from './domain-error.js';

/** A document with a thousand mistakes is answered with the first of them. */
const MAX_ERRORS = 20;

/** Checks parameters against the zod schema given to `@Body`, `@Query` or `@Param` and says what is wrong where. */
@Injectable()
export class SchemaValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const { schema } = metadata;
    if (!schema || metadata.type === 'custom') return value;
    this.stripProtoKeys(value);
    const result = await this.validate<T>(value, schema);
    if (result.issues === undefined) return result.value;
    const inBody = metadata.type === 'body';
    // `as`: every schema of this API is zod's, whose issues are richer than the standard's.
    throw new InvalidRequestError(
      locateIssues(result.issues as readonly z.core.$ZodIssue[], inBody, metadata.data),
    );
  }
}

/** Issues as places: JSON pointers (RFC 6901) into the body, names for parameters. */
export function locateIssues(
  issues: readonly z.core.$ZodIssue[],
  inBody = true,
  parameter?: string,
): ProblemLocation[] {
  const errors: ProblemLocation[] = [];
  for (const issue of issues) {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        errors.push({
          pointer: toPointer([...path, key], inBody, parameter),
          detail: 'is not a known field',
        });
      }
    } else {
      errors.push({ pointer: toPointer(path, inBody, parameter), detail: issue.message });
    }
    if (errors.length >= MAX_ERRORS) break;
  }
  return errors.slice(0, MAX_ERRORS);
}

function toPointer(path: readonly string[], inBody: boolean, parameter: string | undefined): string {
  if (!inBody) return path.length > 0 ? path.join('.') : (parameter ?? '');
  return path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
