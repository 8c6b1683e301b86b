import { createInterface } from 'node:readline/promises';
import { describeCoordinator } from '@gleaner/worker-sdk';

/** Tells who runs the project and what joining means, before anything is sent that would join it. */
export async function introduce(url: URL): Promise<void> {
  // What is no coordinator says so when the host is to be attached.
  const info = await describeCoordinator(url, AbortSignal.timeout(10_000)).catch(() => null);
  if (!info) return;
  const contact = info.operator.contact === '' ? '' : ` (${info.operator.contact})`;
  process.stderr.write(
    `${info.name} at ${url.origin} is run by ${info.operator.name}${contact}.\n` +
      'It computes programs that its operator approved, in a sandbox that has no access to your files and network.\n' +
      `Its source: ${info.sourceUrl}\n`,
  );
}

const CONSENT_TEXT =
  'Volunteers can fetch input data from each other (peer to peer). Those who take part see your network address, and\n' +
  'that you volunteer here; they never see who you are. Without it everything comes from the coordinator.\n';

/** Whether this host may exchange data with other volunteers: as told, else as answered at a terminal, else not. */
export async function consentToPeers(told: boolean | undefined): Promise<boolean> {
  if (told !== undefined) return told;
  process.stderr.write(CONSENT_TEXT);
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    process.stderr.write('Peer to peer stays off; --p2p switches it on.\n');
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Take part? [y/N] ');
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
