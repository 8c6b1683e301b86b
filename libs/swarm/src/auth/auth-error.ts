export type AuthFault =
  | 'bad-hello'
  | 'bad-signature'
  | 'expired'
  | 'too-long-lived'
  | 'revoked'
  | 'wrong-peer'
  | 'bad-proof'
  | 'timeout';

/** A link did not authenticate and has to be closed. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  constructor(
    readonly fault: AuthFault,
    message: string,
    options?: { readonly cause: unknown },
  ) {
    super(message, options);
  }
}
