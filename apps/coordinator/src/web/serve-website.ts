import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type PagePreview, withPreview } from './page-preview.js';

/** The wildcard under which the site is served; every route of the API is more specific. */
export const WEBSITE_ROUTE = '/*';

const PAGE = 'index.html';
const API_PATH = /^\/(v1|health|metrics)(\/|$)/;
/** Names with the hash of their content never mean anything else. */
const HASHED_PATH = /^\/assets\//;
const FILE_PATH = /\.[a-z0-9]{2,8}$/;
const YEAR_MS = 365 * 24 * 3600 * 1000;

/** Own scripts, workers and WebAssembly only; nothing from elsewhere, and in no other site's frame. */
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'referrer-policy': 'same-origin',
} as const;

/** Where the built site lies; null where it was not built, as in a checkout that only runs tests. */
export function findWebsite(): string | null {
  const folder = dirname(createRequire(import.meta.url).resolve('@gleaner/web/package.json'));
  const site = join(folder, 'dist', 'site');
  return existsSync(join(site, PAGE)) ? site : null;
}

/**
 * An address for the router, which refuses what it cannot decode before anybody is asked. Somebody who mistyped the address of a
 * page is to be shown the site all the same; the API says what is wrong with its own.
 */
export function decodableUrl({ url = '/' }: Pick<IncomingMessage, 'url'>): string {
  const [path = '/'] = url.split('?', 1);
  if (!path.includes('%') || API_PATH.test(path) || isDecodable(path)) return url;
  return path.replaceAll('%', '%25') + url.slice(path.length);
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Serves the site's files, and its page for every other address that a browser asks a page for.
 *
 * @param previewOf what the page at a path says to those who run no scripts; null: what all pages say
 */
export async function serveWebsite(
  fastify: FastifyInstance,
  site: string,
  previewOf: (path: string) => Promise<PagePreview | null>,
): Promise<void> {
  const files = new Set(readdirSync(site));
  await fastify.register(async (scope) => {
    await scope.register(fastifyStatic, {
      root: site,
      serve: false,
      preCompressed: true,
      cacheControl: false,
    });
    scope.get(WEBSITE_ROUTE, async (request, reply) => {
      const path = pathOf(request);
      if (API_PATH.test(path)) return reply.callNotFound();
      void reply.headers(HEADERS);
      if (HASHED_PATH.test(path)) return sendForever(reply, path);
      // Somebody who opens an address that looks like a file's is shown that there is nothing, as at every other one.
      const isFile = FILE_PATH.test(path) && (files.has(path.slice(1)) || !opensPage(request));
      if (isFile) return reply.header('cache-control', 'no-cache').sendFile(path.slice(1));
      if (!asksForPage(request)) return reply.callNotFound();
      // The page names the hashed files: it must be asked for anew after every deployment.
      void reply.header('cache-control', 'no-cache');
      const preview = await previewOf(path);
      if (preview === null) return reply.sendFile(PAGE);
      const page = withPreview(await readFile(join(site, PAGE), 'utf8'), preview);
      return reply.type('text/html; charset=utf-8').send(page);
    });
  });
}

function sendForever(reply: FastifyReply, path: string): FastifyReply {
  return reply.sendFile(path.slice(1), { cacheControl: true, maxAge: YEAR_MS, immutable: true });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '/';
}

/** As who types an address or follows a link: what a page loads is asked for by its kind, or by any. */
function opensPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/html');
}

function asksForPage(request: FastifyRequest): boolean {
  return /text\/html|\*\/\*/.test(request.headers.accept ?? '*/*');
}
