import { chirpUnitHzPerS, LONGEST_FFT } from './chirp-grid.js';
import { type Spike } from './spike.js';
import { type InjectedTone } from './tone.js';

/** Bins, of the shorter of two transforms, within which two spikes lie on one line in time and frequency. */
const MAX_BINS = 2;
/**
 * Chirp indices within which two spikes of the longest transform belong together. A wrong drift smears a tone by its
 * error times the square of the length, so that shorter transforms see a tone this much further away.
 */
const MAX_CHIRPS = 4;
/**
 * A strong tone still crosses the threshold, smeared and by the help of noise, this far from its drift. Such a copy is at
 * the tone's very frequency at its time, so it is no signal of its own; but it does not make the tone found.
 */
const MAX_SMEARED_CHIRPS = 32;
const USUAL_SAMPLE_RATE_HZ = 9765.625;

/** Spikes of one tone, which crosses the threshold at neighbouring chirps, lengths and times. */
export interface Signal {
  readonly best: Spike;
  readonly spikes: readonly Spike[];
  /** The injected tone that it matches, if any. */
  readonly tone: InjectedTone | null;
}

export interface SignalMatch {
  /** Injected tones that a signal matches. */
  readonly found: number;
  readonly injected: number;
  /** Signals that match no injected tone. */
  readonly false: number;
  /** One for each tone that was seen and one for each cluster that is no tone, strongest first. */
  readonly signals: readonly Signal[];
}

/**
 * Groups spikes into signals and compares them with the tones known to be in the tape. Spikes belong together within ±2
 * bins of each other on their line of drift and ±4 chirp indices (four times as many for each halving of the transform),
 * also by way of others between them; a tone is found where a signal has a spike that close to it.
 *
 * @param spikes in any order; up to some thousands (pairs are compared within a window of chirp indices)
 */
export function matchSignals(spikes: readonly Spike[], injected: readonly InjectedTone[]): SignalMatch {
  const spikesOfTone = new Map<InjectedTone, Spike[]>();
  const signals: Signal[] = [];
  for (const cluster of clusterSpikes(spikes)) {
    const tone = injected.find((candidate) =>
      cluster.some((spike) => isOnTone(spike, candidate, MAX_SMEARED_CHIRPS)),
    );
    if (tone === undefined) signals.push({ best: strongest(cluster), spikes: cluster, tone: null });
    else spikesOfTone.set(tone, [...(spikesOfTone.get(tone) ?? []), ...cluster]);
  }
  const falseCount = signals.length;
  for (const [tone, ofTone] of spikesOfTone) signals.push({ best: strongest(ofTone), spikes: ofTone, tone });
  return {
    found: injected.filter((tone) => spikes.some((spike) => isOnTone(spike, tone, MAX_CHIRPS))).length,
    injected: injected.length,
    false: falseCount,
    signals: signals.sort((a, b) => b.best.power - a.best.power),
  };
}

function strongest(spikes: readonly Spike[]): Spike {
  return spikes.reduce((a, b) => (b.power > a.power ? b : a));
}

/** Connected groups of spikes; spikes are sorted by chirp, so that only a window of neighbours is compared. */
function clusterSpikes(spikes: readonly Spike[]): Spike[][] {
  const sorted = [...spikes].sort((a, b) => a.chirpIndex - b.chirpIndex);
  const clusterOf = sorted.map((_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (clusterOf[root] !== root) root = clusterOf[root] ?? root;
    return root;
  };
  const widest = Math.max(MAX_CHIRPS, ...sorted.map((spike) => chirpReach(spike, MAX_CHIRPS)));
  sorted.forEach((spike, index) => {
    for (let other = index - 1; other >= 0; other--) {
      const earlier = sorted[other];
      if (earlier === undefined || spike.chirpIndex - earlier.chirpIndex > widest) break;
      if (isSameSignal(spike, earlier)) clusterOf[rootOf(index)] = rootOf(other);
    }
  });
  const clusters = new Map<number, Spike[]>();
  sorted.forEach((spike, index) => {
    const root = rootOf(index);
    clusters.set(root, [...(clusters.get(root) ?? []), spike]);
  });
  return [...clusters.values()];
}

function isSameSignal(a: Spike, b: Spike): boolean {
  if (Math.abs(a.chirpIndex - b.chirpIndex) > Math.max(chirpReach(a, MAX_CHIRPS), chirpReach(b, MAX_CHIRPS)))
    return false;
  // Their lines are compared halfway between them, where an error of the drift moves both least.
  const seconds = (a.seconds + b.seconds) / 2;
  const distanceHz = frequencyAt(a, seconds) - frequencyAt(b, seconds);
  return Math.abs(distanceHz) <= MAX_BINS * Math.max(binHz(a), binHz(b));
}

function isOnTone(spike: Spike, tone: InjectedTone, maxChirps: number): boolean {
  const distanceHz = spike.detectionFrequencyHz - frequencyAt(tone, spike.seconds);
  return (
    Math.abs(distanceHz) <= MAX_BINS * binHz(spike) &&
    Math.abs(spike.chirpIndex - tone.chirpIndex) <= chirpReach(spike, maxChirps)
  );
}

function frequencyAt(
  line: { readonly frequencyHz: number; readonly chirpHzPerS: number },
  seconds: number,
): number {
  return line.frequencyHz + line.chirpHzPerS * seconds;
}

/** Width of a spike's bin in Hz. */
function binHz(spike: Spike): number {
  return sampleRateHz(spike) / spike.fftLen;
}

function chirpReach(spike: Spike, longestReach: number): number {
  return longestReach * (LONGEST_FFT / spike.fftLen) ** 2;
}

/** The sample rate from the spike's own chirp, since chirp = index · 0.333 / (131072 / rate)²; the usual one at chirp 0. */
function sampleRateHz(spike: Spike): number {
  if (spike.chirpIndex === 0) return USUAL_SAMPLE_RATE_HZ;
  return Math.sqrt(spike.chirpHzPerS / spike.chirpIndex / chirpUnitHzPerS(1));
}
