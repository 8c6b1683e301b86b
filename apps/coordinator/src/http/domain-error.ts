import type { ProblemCode } from './problem-table.js';

export interface ProblemLocation {
  /** JSON pointer into the body, or the name of a parameter or header. */
  readonly pointer: string;
  readonly detail: string;
  /** Of a module that was refused: the rule that it breaks. */
  readonly rule?: string;
  /** Where in a module; absent where it is about the whole. */
  readonly byteOffset?: number;
}

/**
 * A refusal that the caller can understand and act upon. The problem table turns `code` into status and title, the
 * filter writes the document; `message` becomes its `detail`.
 */
export class DomainError extends Error {
  override readonly name: string = 'DomainError';

  constructor(
    readonly code: ProblemCode,
    message: string,
    readonly options: {
      readonly errors?: readonly ProblemLocation[];
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
  }

  get errors(): readonly ProblemLocation[] {
    return this.options.errors ?? [];
  }

  get headers(): Readonly<Record<string, string>> {
    return this.options.headers ?? {};
  }
}

/** A body or parameter that does not fit its schema, or breaks a rule that only the coordinator can check. */
export class InvalidRequestError extends DomainError {
  override readonly name = 'InvalidRequestError';

  constructor(errors: readonly ProblemLocation[], message = 'The request does not have the required form.') {
    super('invalid-request', message, { errors });
  }
}

/** Something that does not exist, or that the caller may not know of. */
export class NotFoundError extends DomainError {
  override readonly name = 'NotFoundError';

  constructor(what: string) {
    super('not-found', `There is no ${what}, or it is not yours.`);
  }
}
