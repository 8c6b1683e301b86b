import { expect, it } from 'vitest';
import { RouteIndex } from './route-index.js';

it('knows the methods of every route that an address meets, once each', () => {
  const routes = new RouteIndex();
  routes.add('/v1/jobs/:id', ['GET', 'HEAD']);
  routes.add('/v1/jobs/:id', ['DELETE']);
  routes.add('/v1/jobs/me', ['GET']);
  routes.add('/assets/*', ['GET']);
  expect(routes.methodsOf('/v1/jobs/7')).toEqual(['DELETE', 'GET', 'HEAD']);
  expect(routes.methodsOf('/v1/jobs/me')).toEqual(['DELETE', 'GET', 'HEAD']);
  expect(routes.methodsOf('/assets/a/b.js')).toEqual(['GET']);
  expect(routes.methodsOf('/v1/jobs/7/')).toEqual([]);
  expect(routes.methodsOf('/v1/jobs/7/more')).toEqual([]);
  expect(routes.methodsOf('/v1xjobs/7')).toEqual([]);
});
