import type { Outcome } from '@gleaner/protocol';
import { plainArray, textArray } from '../database/index.js';

interface SizedOutput {
  readonly name: string;
  readonly size: number;
}

/** What a report says of its unit's outputs. */
interface ReportedOutputs {
  readonly outcome: Outcome;
  readonly outputs: readonly SizedOutput[];
}

/** What a job's spec says of its units' outputs. */
export interface DeclaredOutputs {
  readonly names: readonly string[];
  /** For all outputs of a unit together: `limits.outputBytes`. */
  readonly maxBytes: number;
}

/**
 * SQL that is true where a report `r` has only outputs that its job `j` declares, all of them where it went well (what a
 * program did not write is an empty output), and no more bytes than it allows. `r.output_names` and `r.output_bytes` come
 * from {@link outputColumns}.
 */
export const ARE_DECLARED = `coalesce(string_to_array(r.output_names, ',') <@ j.output_names
  AND (r.outcome <> 'ok' OR string_to_array(r.output_names, ',') @> j.output_names)
  AND r.output_bytes <= j.output_bytes, true)`;

/** Arrays of `text` and `bigint`. Identifiers hold no comma. */
export function outputColumns(
  reports: ReadonlyArray<{ readonly outputs: readonly SizedOutput[] }>,
): [names: string, bytes: string] {
  return [
    textArray(reports.map(({ outputs }) => outputs.map(({ name }) => name).join(','))),
    plainArray(reports.map(({ outputs }) => outputs.reduce((total, { size }) => total + size, 0))),
  ];
}

/**
 * Which output its job does not allow, or misses, for whoever wrote the program that reported; null where all is as declared.
 *
 * @param pointer of the report in the request
 */
export function undeclaredOutput(
  pointer: string,
  { outcome, outputs }: ReportedOutputs,
  { names, maxBytes }: DeclaredOutputs,
): string | null {
  let bytes = 0;
  for (const [at, { name, size }] of outputs.entries()) {
    if (!names.includes(name)) {
      return `${pointer}/outputs/${at}/name: the job has no output "${name}", it declares ${names.join(', ')}; report only these`;
    }
    bytes += size;
    if (bytes > maxBytes) {
      return `${pointer}/outputs/${at}/size: ${bytes} bytes of outputs up to here, the job's limits.outputBytes allows ${maxBytes}`;
    }
  }
  const missing = names.filter((declared) => !outputs.some(({ name }) => name === declared));
  if (outcome !== 'ok' || missing.length === 0) return null;
  return `${pointer}/outputs: ${missing.map((name) => `"${name}"`).join(', ')} missing: the job declares ${names.join(', ')}; report what was not written as empty`;
}
