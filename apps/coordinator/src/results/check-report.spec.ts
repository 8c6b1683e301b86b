import { createHash } from 'node:crypto';
import { resultDigestText, type ResultReport } from '@gleaner/protocol';
import { expect, it } from 'vitest';
import { checkReport } from './check-report.js';

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

/** A result with two outputs, one of which is too large for the task's row. */
function aReport(outcome: 'ok' | 'infrastructure'): ResultReport {
  const outputs = [10, 5_000].map((size) => {
    const bytes = Buffer.alloc(size, 'x');
    return { name: `of-${size}`, size, sha256: sha256(bytes), base64: bytes.toString('base64') };
  });
  const result = { outcome, exitCode: 0, cycles: '0', outputs };
  return { ...result, taskId: '1.0', runtimeVersion: 'test', digest: sha256(resultDigestText(result)) };
}

it('small outputs go into the task’s row, larger ones become blobs', () => {
  expect(checkReport(aReport('ok'), '1')).toMatchObject({
    ok: true,
    report: { outputs: [{ name: 'of-10', base64: expect.any(String) as string }, { name: 'of-5000' }] },
    blobs: [{ name: 'of-5000' }],
  });
});

it('nothing is kept of what a host did not compute', () => {
  expect(checkReport(aReport('infrastructure'), '1')).toMatchObject({
    ok: true,
    report: { outputs: [], outputsHeld: true },
    blobs: [],
  });
});
