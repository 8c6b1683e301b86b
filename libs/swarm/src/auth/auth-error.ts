export type AuthFault =
  | 'bad-hello'
  | 'bad-signature'
  | 'expired'
  | 'too-long-lived'
  | 'revoked'
  | 'wrong-peer'
  | 'bad-proof'
  | 'timeout'
  /** The other side ended the link once it could know that this host is enrolled: it may have banned it. */
  | 'refused';

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
