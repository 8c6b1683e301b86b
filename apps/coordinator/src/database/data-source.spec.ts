import { expect, it } from 'vitest';
import { openDataSource } from './data-source.js';

it('is not opened with a connection that would wait for itself', async () => {
  const settings = { url: 'postgres://nobody@127.0.0.1:1/none', connections: 1 };
  await expect(openDataSource(settings)).rejects.toThrow(RangeError);
});
