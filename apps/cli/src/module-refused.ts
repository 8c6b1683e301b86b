import type { AdmissionError } from '@gleaner/sandbox/admission';
import { CliError, EXIT } from './cli-error.js';

/** A module that admission refused, with every reason and where it is. */
export function moduleRefused(file: string, errors: readonly AdmissionError[]): CliError {
  const reasons = errors.map(({ rule, offset, message }) => {
    const at = offset === null ? '' : ` at byte ${offset}`;
    return `  ${rule}${at}: ${message}`;
  });
  return new CliError([`${file} is refused:`, ...reasons].join('\n'), EXIT.refused);
}
