import type { onSendHookHandler, RouteOptions } from 'fastify';

/**
 * Sends again what a route has once written. For documents that never change and take long to write: nobody else is answered
 * meanwhile, and anybody may ask for them as often as they like.
 */
export function writeOnce(route: RouteOptions): void {
  let written: { readonly type: string; readonly text: string } | undefined;
  const keep: onSendHookHandler = (_request, reply, payload, done) => {
    const type = reply.getHeader('content-type');
    if (reply.statusCode === 200 && typeof payload === 'string' && typeof type === 'string')
      written = { type, text: payload };
    done(null, payload);
  };
  route.onRequest = (_request, reply, done) => {
    if (written === undefined) done();
    else void reply.header('content-type', written.type).send(written.text);
  };
  // Those of a HEAD route leave out the text, which they have to see.
  route.onSend = [keep, ...[route.onSend ?? []].flat()];
}
