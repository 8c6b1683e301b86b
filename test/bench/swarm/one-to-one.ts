import { BenchCoordinator } from './bench-coordinator.js';
import { BenchPeer, round } from './bench-peer.js';
import { measureRawStream } from './raw-stream.js';

const MAX_SECONDS = 300;

export interface OneToOneInit {
  readonly sizeBytes: number;
  readonly originBytesPerSecond: number;
  /** Each two raw streams and two exchanges in turn, by processes of their own: what else the machine does meets all. */
  readonly rounds: number;
  readonly verbose: boolean;
  /** Where the two processes of each exchange leave CPU profiles. */
  readonly profileDirectory: string | undefined;
}

/**
 * A blob from one host to another over their own link, against a raw libp2p stream of as many bytes: between plain processes, and
 * between ones with the settings of V8 that a node's process has. All clocks start on an open link; the swarm's stops when the last
 * chunk is verified and in the leecher's file, the stream's when the last byte has come, which it throws away: so the exchange is
 * measured with a file that the system has in its cache already, and apart from it with a new one.
 */
export async function measureOneToOne(init: OneToOneInit) {
  const rounds = [];
  while (rounds.length < init.rounds) {
    const raw = await measureRawStream(init.sizeBytes, false);
    const tuned = await measureRawStream(init.sizeBytes, true);
    const swarm = await exchange(init, true);
    const newFile = await exchange(init, false);
    rounds.push({ raw, tuned, swarm, newFile, ratio: raw.seconds / swarm.seconds });
  }
  const gigabytes = init.sizeBytes / 1e9;
  const seconds = median(rounds.map(({ swarm }) => swarm.seconds));
  const newFileSeconds = median(rounds.map(({ newFile }) => newFile.seconds));
  const rawSeconds = median(rounds.map(({ raw }) => raw.seconds));
  const tunedSeconds = median(rounds.map(({ tuned }) => tuned.seconds));
  return {
    scenario: 'one-to-one',
    sizeBytes: init.sizeBytes,
    seconds: round(seconds),
    swarmMBPerSecond: round(init.sizeBytes / 1e6 / seconds),
    rawMBPerSecond: round(init.sizeBytes / 1e6 / rawSeconds),
    ratio: round(rawSeconds / seconds),
    ratios: rounds.map(({ ratio }) => round(ratio)),
    /** With a new file, for which the system has to find memory. */
    newFile: {
      seconds: round(newFileSeconds),
      /** From the request to join, announcing and dialling included. */
      secondsWithJoin: round(median(rounds.map(({ newFile }) => newFile.secondsWithJoin))),
      swarmMBPerSecond: round(init.sizeBytes / 1e6 / newFileSeconds),
      ratio: round(rawSeconds / newFileSeconds),
      leecherCpuSecondsPerGB: round(
        median(rounds.map(({ newFile }) => newFile.leecherCpuSeconds)) / gigabytes,
      ),
    },
    tunedRawMBPerSecond: round(init.sizeBytes / 1e6 / tunedSeconds),
    ratioToTunedRaw: round(tunedSeconds / seconds),
    cpuSecondsPerGB: {
      seed: round(median(rounds.map(({ swarm }) => swarm.seedCpuSeconds)) / gigabytes),
      leecher: round(median(rounds.map(({ swarm }) => swarm.leecherCpuSeconds)) / gigabytes),
      rawSender: round(median(rounds.map(({ raw }) => raw.senderCpuSeconds)) / gigabytes),
      rawReceiver: round(median(rounds.map(({ raw }) => raw.receiverCpuSeconds)) / gigabytes),
      tunedRawSender: round(median(rounds.map(({ tuned }) => tuned.senderCpuSeconds)) / gigabytes),
      tunedRawReceiver: round(median(rounds.map(({ tuned }) => tuned.receiverCpuSeconds)) / gigabytes),
    },
  };
}

async function exchange(
  { sizeBytes, originBytesPerSecond, verbose, profileDirectory }: OneToOneInit,
  isCached: boolean,
) {
  const coordinator = await BenchCoordinator.start({ sizeBytes, originBytesPerSecond, volunteers: 2 });
  const seed = await BenchPeer.start(await coordinator.enrol(), { isSeed: true, verbose, profileDirectory });
  // It asks the origin for nothing: what is measured is the link between the two.
  const leecher = await BenchPeer.start(await coordinator.enrol(), {
    config: { originChunks: 0 },
    verbose,
    profileDirectory,
  });
  try {
    const signal = AbortSignal.timeout(MAX_SECONDS * 1000);
    await seed.join();
    const joinedAt = performance.now();
    await leecher.join({ isCached });
    await leecher.untilLinked(signal);
    const joinSeconds = (performance.now() - joinedAt) / 1000;
    const before = [await seed.report(), await leecher.report()];
    await leecher.fetchAll(signal);
    const after = [await seed.report(), await leecher.report()];
    const [seedCpuSeconds = 0, leecherCpuSeconds = 0] = after.map(
      ({ cpuSeconds }, index) => cpuSeconds - (before[index]?.cpuSeconds ?? 0),
    );
    const seconds = leecher.seconds ?? Number.POSITIVE_INFINITY;
    return { seconds, secondsWithJoin: joinSeconds + seconds, seedCpuSeconds, leecherCpuSeconds };
  } finally {
    await Promise.all([seed.close(), leecher.close()]);
    await coordinator.stop();
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}
