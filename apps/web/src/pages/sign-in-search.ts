const SIGN_IN_MODES = ['sign-in', 'sign-up', 'forgot', 'reset', 'token'] as const;
export type SignInMode = (typeof SIGN_IN_MODES)[number];

export interface SignInSearch {
  readonly mode?: SignInMode;
  /** From the mail that resets a password. */
  readonly code?: string;
  /** Where to go afterwards: a path of this site. */
  readonly next?: string;
}

const CODE_LENGTH = 100;
const PATH_LENGTH = 300;

/** What the address says of the sign-in page; what it cannot mean, such as another site to go to, is left out. */
export function readSignInSearch(search: Record<string, unknown>): SignInSearch {
  const mode = SIGN_IN_MODES.find((known) => known === search['mode']);
  const { code, next } = search;
  return {
    ...(mode !== undefined && mode !== 'sign-in' && { mode }),
    ...(typeof code === 'string' && code.length <= CODE_LENGTH && { code }),
    ...(typeof next === 'string' && isOwnPath(next) && { next }),
  };
}

/** Browsers take `//host` and `/\host` for other sites. */
function isOwnPath(path: string): boolean {
  return path.length <= PATH_LENGTH && /^\/(?![/\\])/.test(path);
}
