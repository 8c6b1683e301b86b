/** Codes of OpenSSL for a chain that ends at nobody who is trusted. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  // Of an authority that calls itself as one does who is trusted, such as the same one with a new key.
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Why a request got no answer, in words that tell what to do where there is something. */
export function networkReason(error: unknown, now = new Date()): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  // fetch says only "fetch failed"; the system's reason is its cause.
  const cause: unknown = error.cause;
  if (!(cause instanceof Error)) return error.message;
  // What fetch has no words for is above all the answer 407.
  if (!('code' in cause))
    return cause.message || 'without a reason: does a proxy in between ask for a password?';
  const code = String(cause.code);
  return certificateReason(code, now) ?? code;
}

/** Whether a request got no answer because the server's certificate comes from an authority that nobody here trusts. */
export function isUntrustedCertificate(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && UNTRUSTED.has(String(cause.code));
}

function certificateReason(code: string, now: Date): string | null {
  const clock = `by this machine's clock, which says ${now.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  if (code === 'CERT_NOT_YET_VALID') return `its certificate is not valid yet ${clock}: check date and time`;
  if (code === 'CERT_HAS_EXPIRED') return `its certificate is no longer valid ${clock}: check date and time`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another name: check the URL';
  if (!UNTRUSTED.has(code)) return null;
  return (
    'its certificate comes from an authority that this machine does not trust: if you do, add it to the ' +
    "system's store, or name its file in NODE_EXTRA_CA_CERTS, and start again"
  );
}
