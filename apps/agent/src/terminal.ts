import { harmless } from '@gleaner/protocol';

/** Writes what was asked for on stdout, for people; coordinators may have had a say in it. */
export function show(text: string): void {
  process.stdout.write(`${harmless(text)}\n`);
}

/** Writes everything else on stderr, for people; coordinators may have had a say in it. */
export function tell(text: string): void {
  process.stderr.write(`${harmless(text)}\n`);
}
