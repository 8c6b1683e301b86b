import { matchSignals, parseSpikes, type Signal } from '@gleaner/example-seti-classic';
import type { Job, LeaderboardRow } from '@gleaner/protocol';
import { leaderboardLines } from '../commands/accounts.js';
import { formatSeconds, tableLines } from '../terminal/output.js';
import type { DemoTape } from './demo-tape.js';

export interface DemoSummary {
  readonly job: Job;
  /** Injected tones that were found; of a recording, its spikes. */
  readonly found: number;
  /** Tones in the generated tape; null for a recording. */
  readonly injected: number | null;
  /** Signals that are no injected tone; null for a recording. */
  readonly false: number | null;
  readonly units: number;
  readonly tasks: number;
  /** Units that a quorum of different accounts agreed on. */
  readonly validated: number;
  readonly leaderboard: readonly LeaderboardRow[];
  readonly seconds: number;
  /** Of a generated tape its signals, of a recording its spikes, as the app wrote them. */
  readonly signals: readonly unknown[];
}

/** Compares the job's answer with what is known of the tape. */
export function summarise(
  tape: DemoTape,
  job: Job,
  answer: string,
  leaderboard: readonly LeaderboardRow[],
  seconds: number,
): DemoSummary {
  const spikes = parseSpikes(answer);
  const match = tape.injected && matchSignals(spikes, tape.injected);
  return {
    job,
    found: match ? match.found : spikes.length,
    injected: match ? match.injected : null,
    false: match ? match.false : null,
    units: job.units.total,
    tasks: job.tasks,
    validated: job.units.valid,
    leaderboard,
    seconds: Math.round(seconds * 10) / 10,
    signals: match ? match.signals.map(signalOf) : jsonLines(answer),
  };
}

/** The summary as people read it. */
export function summaryLines(tape: DemoTape, summary: DemoSummary, answer: string): string[] {
  const spikes = parseSpikes(answer);
  const strongest = [...spikes].sort((a, b) => b.power - a.power).slice(0, 10);
  const headline = tape.injected
    ? `${summary.found} of ${summary.injected} injected tones found, ${summary.false} false signals`
    : `${summary.found} spikes found`;
  const rows = tape.injected
    ? matchSignals(spikes, tape.injected).signals.map(({ best, spikes: cluster, tone }) => [
        tone ? 'injected' : 'false',
        best.power.toFixed(2),
        best.frequencyHz.toFixed(2),
        best.chirpHzPerS.toFixed(4),
        `${cluster.length}`,
      ])
    : strongest.map((spike) => [
        'spike',
        spike.power.toFixed(2),
        spike.detectionFrequencyHz.toFixed(2),
        spike.chirpHzPerS.toFixed(4),
        '1',
      ]);
  return [
    '',
    `${headline} in ${formatSeconds(summary.seconds)}; ${summary.validated} of ${summary.units} units agreed on by two accounts`,
    ...(rows.length > 0 ? tableLines(['signal', 'power', 'frequency Hz', 'drift Hz/s', 'spikes'], rows) : []),
    '',
    'Leaderboard (validated cycles)',
    ...leaderboardLines(summary.leaderboard),
  ];
}

function signalOf({ best, spikes, tone }: Signal): unknown {
  return {
    injected: tone !== null,
    power: best.power,
    frequencyHz: best.frequencyHz,
    chirpHzPerS: best.chirpHzPerS,
    spikes: spikes.length,
  };
}

function jsonLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}
