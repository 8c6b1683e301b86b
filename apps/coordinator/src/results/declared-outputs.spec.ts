import { expect, it } from 'vitest';
import { outputColumns, undeclaredOutput } from './declared-outputs.js';

const job = { names: ['stdout', 'peaks'], maxBytes: 10 };

it('outputs that the job declares, of no more bytes than it allows, are not objected to', () => {
  expect(undeclaredOutput('/reports/0', { outcome: 'exit', outputs: [] }, job)).toBeNull();
  expect(
    undeclaredOutput(
      '/reports/0',
      {
        outcome: 'ok',
        outputs: [
          { name: 'peaks', size: 4 },
          { name: 'stdout', size: 6 },
        ],
      },
      job,
    ),
  ).toBeNull();
});

it('an output that the job does not declare is pointed at', () => {
  const outputs = [
    { name: 'stdout', size: 1 },
    { name: 'extra', size: 1 },
  ];
  expect(undeclaredOutput('/reports/3', { outcome: 'ok', outputs }, job)).toBe(
    '/reports/3/outputs/1/name: the job has no output "extra", it declares stdout, peaks; report only these',
  );
});

it('the output that is one byte too many is pointed at', () => {
  const outputs = [
    { name: 'stdout', size: 6 },
    { name: 'peaks', size: 5 },
  ];
  expect(undeclaredOutput('/reports/0', { outcome: 'ok', outputs }, job)).toBe(
    "/reports/0/outputs/1/size: 11 bytes of outputs up to here, the job's limits.outputBytes allows 10",
  );
});

it('a result that went well and lacks an output is told which', () => {
  const outputs = [{ name: 'stdout', size: 0 }];
  expect(undeclaredOutput('/reports/2', { outcome: 'ok', outputs }, job)).toBe(
    '/reports/2/outputs: "peaks" missing: the job declares stdout, peaks; report what was not written as empty',
  );
  expect(undeclaredOutput('/reports/2', { outcome: 'trap', outputs }, job)).toBeNull();
});

it('a batch names its outputs and their bytes in one array each', () => {
  expect(
    outputColumns([
      { outputs: [] },
      {
        outputs: [
          { name: 'a', size: 1 },
          { name: 'b', size: 2 },
        ],
      },
    ]),
  ).toEqual(['{"","a,b"}', '{0,3}']);
});
