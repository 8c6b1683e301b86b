import { useEffect, useRef } from 'react';
import { heatColors } from '../volunteer/heat-colors';
import type { Candidate } from './parse-candidates';

const HEIGHT = 400;
/** Labels need about this much: the last one names the unit as well. */
const PIXELS_PER_LABEL = 180;
const MARGIN = { left: 56, right: 16, top: 14, bottom: 40 };
const NIGHT = '#060910';
const GRID = '#1b2436';
const LABEL = '#aab4c6';
const TIME_LINES = 5;
const SAMPLE_RATE_HZ = 9765.625;
/** A short block is a point in time: drawn at least this long, so that its drift can be seen. */
const SHORTEST_SECONDS = 1.2;
const WEAKEST_INTENSITY = 110;

/** Where the plot's corners are. */
interface Frame {
  readonly width: number;
  readonly fromHz: number;
  readonly toHz: number;
  readonly toSeconds: number;
}

/** Time upwards, frequency to the right, each signal a stroke along its drift; the brighter, the stronger. */
export function CandidatePlot({ candidates }: { readonly candidates: readonly Candidate[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d', { alpha: false });
    if (!element || !context) return undefined;
    const resizing = new ResizeObserver(() => {
      const width = element.clientWidth;
      element.width = width * devicePixelRatio;
      element.height = HEIGHT * devicePixelRatio;
      context.scale(devicePixelRatio, devicePixelRatio);
      draw(context, candidates, width);
    });
    resizing.observe(element);
    return () => resizing.disconnect();
  }, [candidates]);
  return (
    <figure className="overflow-hidden rounded-xl border border-line bg-[#060910]">
      <canvas
        ref={canvas}
        style={{ height: HEIGHT }}
        role="img"
        aria-label={`Waterfall of ${candidates.length} signals: time upwards, frequency to the right; the table below tells the strongest`}
        className="block w-full"
      />
    </figure>
  );
}

function draw(context: CanvasRenderingContext2D, candidates: readonly Candidate[], width: number): void {
  const frame = frameOf(candidates, width);
  context.fillStyle = NIGHT;
  context.fillRect(0, 0, width, HEIGHT);
  drawGrid(context, frame);
  const [strongest = 0, weakest = 0] = [candidates[0]?.power, candidates.at(-1)?.power];
  const colors = heatColors();
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top, innerWidth(frame), innerHeight());
  context.clip();
  context.lineCap = 'round';
  // The strongest last, on top of the others.
  for (const candidate of candidates.toReversed()) {
    const share = strongest > weakest ? (candidate.power - weakest) / (strongest - weakest) : 1;
    drawStroke(context, frame, candidate, cssColor(colors, share), 2 + 3 * share);
  }
  context.restore();
}

function drawStroke(
  context: CanvasRenderingContext2D,
  frame: Frame,
  { seconds, detectionHz, chirpHzPerS, fftLen }: Candidate,
  color: string,
  widthPixels: number,
): void {
  const halfSeconds = Math.max(SHORTEST_SECONDS, fftLen / SAMPLE_RATE_HZ) / 2;
  const at = (offset: number): [number, number] => [
    xOf(frame, detectionHz + chirpHzPerS * offset),
    yOf(frame, seconds + offset),
  ];
  context.strokeStyle = color;
  for (const [alpha, width] of [
    [0.18, widthPixels * 4],
    [1, widthPixels],
  ] as const) {
    context.globalAlpha = alpha;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(...at(-halfSeconds));
    context.lineTo(...at(halfSeconds));
    context.stroke();
  }
  context.globalAlpha = 1;
}

function drawGrid(context: CanvasRenderingContext2D, frame: Frame): void {
  context.font = '13px ui-sans-serif, system-ui, sans-serif';
  context.strokeStyle = GRID;
  context.fillStyle = LABEL;
  const columns = Math.max(1, Math.floor(innerWidth(frame) / PIXELS_PER_LABEL));
  for (let line = 0; line <= columns; line += 1) {
    const hz = frame.fromHz + ((frame.toHz - frame.fromHz) * line) / columns;
    drawLine(context, [xOf(frame, hz), MARGIN.top], [xOf(frame, hz), HEIGHT - MARGIN.bottom]);
    context.textAlign = line === 0 ? 'left' : line === columns ? 'right' : 'center';
    context.fillText(
      `${(hz / 1e6).toFixed(5)}${line === columns ? ' MHz' : ''}`,
      xOf(frame, hz),
      HEIGHT - 14,
    );
  }
  context.textAlign = 'right';
  for (let line = 0; line <= TIME_LINES; line += 1) {
    const seconds = (frame.toSeconds * line) / TIME_LINES;
    const y = yOf(frame, seconds);
    drawLine(context, [MARGIN.left, y], [frame.width - MARGIN.right, y]);
    context.fillText(`${Math.round(seconds)} s`, MARGIN.left - 8, y + 4);
  }
}

function drawLine(
  context: CanvasRenderingContext2D,
  from: readonly [number, number],
  to: readonly [number, number],
): void {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function frameOf(candidates: readonly Candidate[], width: number): Frame {
  const reach = candidates.flatMap(({ detectionHz, chirpHzPerS, fftLen }) => {
    const half = (Math.abs(chirpHzPerS) * fftLen) / SAMPLE_RATE_HZ / 2;
    return [detectionHz - half, detectionHz + half];
  });
  const [from, to] = reach.reduce<readonly [number, number]>(
    ([low, high], hz) => [Math.min(low, hz), Math.max(high, hz)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  const margin = Math.max(50, (to - from) * 0.06);
  const ends = candidates.map(({ seconds, fftLen }) => seconds + fftLen / SAMPLE_RATE_HZ / 2);
  const last = ends.reduce((latest, end) => Math.max(latest, end), 1);
  return { width, fromHz: from - margin, toHz: to + margin, toSeconds: last };
}

function innerWidth({ width }: Frame): number {
  return width - MARGIN.left - MARGIN.right;
}

function innerHeight(): number {
  return HEIGHT - MARGIN.top - MARGIN.bottom;
}

function xOf(frame: Frame, hz: number): number {
  return MARGIN.left + ((hz - frame.fromHz) / (frame.toHz - frame.fromHz)) * innerWidth(frame);
}

function yOf({ toSeconds }: Frame, seconds: number): number {
  return HEIGHT - MARGIN.bottom - (seconds / toSeconds) * innerHeight();
}

/** @param share from the weakest, 0, to the strongest, 1 */
function cssColor(colors: Uint32Array, share: number): string {
  const word = colors[Math.round(WEAKEST_INTENSITY + share * (255 - WEAKEST_INTENSITY))] ?? 0;
  return `rgb(${word & 255} ${(word >> 8) & 255} ${(word >> 16) & 255})`;
}
