type Rgb = readonly [red: number, green: number, blue: number];

/** From noise to signal: night, deep blue, teal, grain, white. */
const STOPS: ReadonlyArray<readonly [at: number, color: Rgb]> = [
  [0, [6, 9, 16]],
  [0.22, [14, 34, 71]],
  [0.45, [20, 98, 112]],
  [0.68, [214, 150, 46]],
  [0.86, [251, 217, 133]],
  [1, [255, 255, 255]],
];

/** Colours of the 256 intensities of a waterfall, as little-endian RGBA words. */
export function heatColors(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, intensity) => {
    const at = intensity / 255;
    const next = STOPS.findIndex(([stop]) => stop >= at);
    const [toAt, to] = STOPS[next] ?? [1, [255, 255, 255] as const];
    const [fromAt, from] = STOPS[Math.max(0, next - 1)] ?? [0, to];
    const share = toAt === fromAt ? 1 : (at - fromAt) / (toAt - fromAt);
    const mix = (channel: 0 | 1 | 2): number =>
      Math.round(from[channel] + (to[channel] - from[channel]) * share);
    return ((255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0)) >>> 0;
  });
}
