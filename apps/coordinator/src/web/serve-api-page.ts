import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { renderApiPage } from './api-page/render-api-page.js';
import { SCRIPT } from './api-page/style.js';

const PATH = '/v1/docs';
const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64');

/** Nothing but its own style, and the one script that it names by its hash. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${SCRIPT_HASH}'; img-src data:; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'same-origin',
  'cache-control': 'no-cache',
} as const;

/** Serves the API's page, which is made of the document when somebody first asks for it. */
export function serveApiPage(fastify: FastifyInstance, openApi: () => unknown): void {
  let page: string | undefined;
  fastify.get(PATH, (_request, reply) => {
    page ??= renderApiPage(openApi());
    return reply.headers(HEADERS).send(page);
  });
  fastify.get(`${PATH}/`, (_request, reply) => reply.redirect(PATH));
}
