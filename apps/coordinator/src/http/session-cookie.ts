import type { FastifyReply, FastifyRequest } from 'fastify';

const COOKIE = 'gleaner_session';
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** How long a browser stays signed in. */
export const SESSION_SECONDS = 30 * 24 * 3600;

/** The token that this browser was given when somebody signed in. */
export function sessionSecretOf(request: FastifyRequest): string | null {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === COOKIE && value !== undefined && value !== '') return value;
  }
  return null;
}

/** Scripts never see it, and other sites' requests do not carry it. On plain http, as in a local network, it works as well. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, secret: string): void {
  void reply.header('set-cookie', cookie(request, secret, SESSION_SECONDS));
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('set-cookie', cookie(request, '', 0));
}

/**
 * Whether a request that a session would authorise was made by a page of ours. Browsers send `Origin` with everything that
 * may change something, also on plain http, where they leave out `Sec-Fetch-Site`.
 */
export function isSameOrigin(request: FastifyRequest, publicUrl: string | null): boolean {
  if (SAFE_METHODS.has(request.method)) return true;
  const { origin } = request.headers;
  if (origin === undefined || !URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return host === request.host || (publicUrl !== null && host === new URL(publicUrl).host);
}

function cookie(request: FastifyRequest, value: string, maxAgeSeconds: number): string {
  const secure = request.protocol === 'https' ? '; Secure' : '';
  return `${COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`;
}
