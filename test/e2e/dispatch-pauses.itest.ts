import { DispatchPauses } from '@gleaner/coordinator';
import type { EntityTarget, FindOptionsWhere, ObjectLiteral } from 'typeorm';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestApplication, operatorOf, type TestApplication } from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication();
});
afterAll(() => gleaner.close());

const PAUSE = '/v1/operator/dispatch-pause';

/** The next look at the switch: it sees how that is, and its answer takes until it is let through. */
function aSlowLook(): { readonly seen: Promise<void>; readonly answer: () => void } {
  const { manager } = gleaner.dataSource;
  const seen = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const look = manager.findOneBy.bind(manager);
  const spy = vi.spyOn(manager, 'findOneBy');
  spy.mockImplementation(
    async (entity: EntityTarget<ObjectLiteral>, where: FindOptionsWhere<ObjectLiteral>) => {
      const row = await look(entity, where);
      if (typeof entity !== 'function' || entity.name !== 'DispatchPauseEntity') return row;
      spy.mockRestore();
      seen.resolve();
      await answered.promise;
      return row;
    },
  );
  return { seen: seen.promise, answer: answered.resolve };
}

it('a switch that was turned stays as it is, when an answer from before comes late', async () => {
  const pauses = gleaner.app.get(DispatchPauses);
  const { seen, answer } = aSlowLook();
  const before = pauses.current();
  await seen;
  await operatorOf(gleaner).put(PAUSE).send({ reason: 'a new disk' }).expect(200);
  answer();
  await before;
  expect(await pauses.current()).toMatchObject({ reason: 'a new disk' });
});
