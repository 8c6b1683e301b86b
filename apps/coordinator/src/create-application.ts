import { randomUUID } from 'node:crypto';
import { DiscoveryService, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { AppModule, type AppParts } from './app.module.js';
import { UPLOAD_PATHS, Uploads } from './blobs/index.js';
import type { Config } from './config/index.js';
import {
  AccessGuard,
  answerMalformedRequests,
  answerWhileClosing,
  boundBodies,
  boundConnections,
  createOpenApiDocument,
  MALFORMED_REQUEST_HANDLERS,
  MAX_PARAM_LENGTH,
  registerContentParsers,
  RouteIndex,
  tellRoutesWhatTheyConsume,
} from './http/index.js';
import { PagePreviews } from './stats/index.js';
import { Metrics, NestLogger, type Logger } from './telemetry/index.js';
import {
  decodableUrl,
  findWebsite,
  serveApiPage,
  serveWebsite,
  WEBSITE_ROUTE,
  writeOnce,
} from './web/index.js';

export const API_VERSION = '0.1.0';

const HEADER_TIMEOUT_MS = 30_000;
/** The API's description, as two kinds of text. */
const DOCUMENTS: ReadonlySet<string> = new Set(['/v1/openapi.json', '/v1/openapi.yaml']);

/** Builds the application of a role, initialised but not yet listening. */
export async function createApplication(parts: AppParts): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    trustProxy: trustedProxies(parts.config.trustProxy),
    genReqId: () => randomUUID(),
    connectionTimeout: 0,
    keepAliveTimeout: 75_000,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    http: { headersTimeout: HEADER_TIMEOUT_MS, requireHostHeader: false },
    ...MALFORMED_REQUEST_HANDLERS,
    rewriteUrl: decodableUrl,
    skipMiddie: true,
    logger: false,
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRole(parts), adapter, {
    logger: new NestLogger(parts.logger),
    bodyParser: false,
    abortOnError: false,
  });
  const fastify = adapter.getInstance();
  const routes = app.get(RouteIndex);
  fastify.addHook('onRoute', (route) => {
    // The site answers any address: it would make every unknown one look like a wrong method.
    if (route.url !== WEBSITE_ROUTE) routes.add(route.url, [route.method].flat());
    if (DOCUMENTS.has(route.url)) writeOnce(route);
  });
  tellRoutesWhatTheyConsume(app.get(DiscoveryService, { strict: false }));
  forbidSniffing(fastify);
  registerContentParsers(fastify);
  answerWhileClosing(fastify);
  answerMalformedRequests(fastify, fastify.server);
  boundConnections(fastify.server);
  boundBodies(fastify, app.get(AccessGuard));
  measureRequests(app);
  serveOpenApi(app, fastify);
  await app.init();
  // Scopes of their own answer errors as it was set when they were made: by now that is with problem documents.
  if (parts.config.role !== 'worker') {
    await app.get(Uploads).register(fastify);
    const previews = app.get(PagePreviews);
    await serveWebsiteIfBuilt(fastify, parts.logger, (path) => previews.of(path));
  }
  await fastify.ready();
  return app;
}

/** A number trusts that many proxies in front of us. */
function trustedProxies(
  setting: Config['trustProxy'],
): boolean | string | ((address: string, hop: number) => boolean) {
  return typeof setting === 'number' ? (_address, hop) => hop < setting : setting;
}

async function serveWebsiteIfBuilt(
  fastify: FastifyInstance,
  logger: Logger,
  previewOf: Parameters<typeof serveWebsite>[2],
): Promise<void> {
  const site = findWebsite();
  if (site === null) logger.warn({ event: 'website-not-built', advice: 'npm run build' });
  else await serveWebsite(fastify, site, previewOf);
}

/** What somebody uploaded, or was called, must not run as a page or a script of this origin whatever it looks like. */
function forbidSniffing(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (_request, reply, done) => {
    void reply.header('x-content-type-options', 'nosniff');
    done();
  });
}

function measureRequests(app: NestFastifyApplication): void {
  const { requestSeconds } = app.get(Metrics);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'none';
      requestSeconds.observe(
        { method: request.method, route, status: String(reply.statusCode) },
        reply.elapsedTime / 1000,
      );
      done();
    });
}

function serveOpenApi(app: NestFastifyApplication, fastify: FastifyInstance): void {
  let made: ReturnType<typeof createOpenApiDocument> | undefined;
  const openApi = (): ReturnType<typeof createOpenApiDocument> =>
    (made ??= createOpenApiDocument(app, API_VERSION, UPLOAD_PATHS));
  SwaggerModule.setup('v1/docs', app, openApi, {
    ui: false,
    jsonDocumentUrl: 'v1/openapi.json',
    yamlDocumentUrl: 'v1/openapi.yaml',
  });
  serveApiPage(fastify, openApi);
}
