/** Tells that tests are left out, and how to have them; where `CI` is set that is a failure. */
export function skipLoudly(what: string, advice: string): void {
  if (isContinuousIntegration(process.env['CI'])) throw new Error(`${what}: ${advice}`);
  const line = '='.repeat(80);
  process.stderr.write(`\n${line}\nSKIPPING ${what.toUpperCase()}: ${advice}\n${line}\n\n`);
}

/** Services set `true`, `1` or their name. */
export function isContinuousIntegration(setting: string | undefined): boolean {
  return !['', '0', 'false'].includes(setting?.toLowerCase() ?? '');
}
