import { checkReport } from '@gleaner/coordinator';
import type { ResultReport } from '@gleaner/protocol';
import type { TestHost } from './test-host.js';

/** A host's report as it is stored, and those of its outputs that become blobs. */
export function checked(
  report: ResultReport,
  { attached }: TestHost,
): Extract<ReturnType<typeof checkReport>, { ok: true }> {
  const check = checkReport(report, attached.accountId);
  if (!check.ok) throw new Error(check.reason);
  return check;
}
