import { createInterface } from 'node:readline/promises';
import { describeCoordinator } from '@gleaner/worker-sdk';

/** Tells who runs the project and what joining means, before anything is sent that would join it. */
export async function introduce(url: URL): Promise<void> {
  // What is no coordinator says so when the host is to be attached.
  const info = await describeCoordinator(url, AbortSignal.timeout(10_000)).catch(() => null);
  if (!info) return;
  const source = info.sourceUrl === '' ? 'not told by its operator' : info.sourceUrl;
  const contact = info.operator.contact === '' ? '' : ` (${info.operator.contact})`;
  process.stderr.write(
    `${info.name} at ${url.origin} is run by ${info.operator.name}${contact}.\n` +
      'It computes programs that its operator approved, in a sandbox that has no access to your files and network.\n' +
      `Its source: ${source}\n`,
  );
}

const CONSENT_TEXT =
  'A later version lets volunteers fetch input data from each other (peer to peer). Those who take part will see your\n' +
  'network address, and that you volunteer here; never who you are. Until then everything comes from the coordinator.\n';

/** Whether this host may exchange data with other volunteers: as told, else as answered at a terminal, else not. */
export async function consentToPeers(told: boolean | undefined): Promise<boolean> {
  if (told !== undefined) return told;
  process.stderr.write(CONSENT_TEXT);
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    process.stderr.write('It stays off for this machine; --p2p agrees to it.\n');
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Take part when it comes? [y/N] ');
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
