import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { amountLabels, axisLabel } from './axis-label';

const HEIGHT_PIXELS = 170;
const DAYS_ZONE = 'Etc/UTC';
const AXIS_FONT = '12px ui-sans-serif, system-ui, sans-serif';
/** Share of its place that a bar takes, and the most pixels. */
const BAR_SIZE: uPlot.Series.BarsPathBuilderOpts = { size: [0.72, 28], radius: 0.15 };

interface ChartProps {
  /** Beginnings of the bars, in Unix seconds. */
  readonly times: readonly number[];
  readonly values: readonly number[];
  /** A value as its axis says it. */
  readonly format: (value: number) => string;
  /** Told the index of the bar under the pointer; null for none. */
  readonly onPoint: (index: number | null) => void;
  /** Drawn anew when this changes: its colours are the page's. */
  readonly theme: string;
  /** Bars that begin at midnight UTC are days of UTC, wherever the reader is. */
  readonly isOfDays: boolean;
}

/** Bars on a canvas; what they say is told in words and in a table by whoever shows it. */
export function Chart({ times, values, format, onPoint, theme, isOfDays }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  useEffect(() => {
    const target = place.current;
    if (!target) return undefined;
    const made = new uPlot(
      {
        ...optionsOf(target.clientWidth, getComputedStyle(document.documentElement), {
          format,
          onPoint,
          timeZone: isOfDays ? DAYS_ZONE : undefined,
        }),
        ...(isOfDays && { tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), DAYS_ZONE) }),
      },
      [[], []],
      target,
    );
    plot.current = made;
    const resizing = new ResizeObserver(() => {
      made.setSize({ width: target.clientWidth, height: HEIGHT_PIXELS });
    });
    resizing.observe(target);
    return () => {
      resizing.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [format, onPoint, theme, isOfDays]);
  useEffect(() => {
    plot.current?.setData([[...times], [...values]]);
  }, [times, values, theme, isOfDays]);
  return <div ref={place} aria-hidden="true" style={{ minHeight: HEIGHT_PIXELS }} />;
}

function optionsOf(
  width: number,
  style: CSSStyleDeclaration,
  {
    format,
    onPoint,
    timeZone,
  }: Pick<ChartProps, 'format' | 'onPoint'> & { readonly timeZone: string | undefined },
): uPlot.Options {
  const color = (name: string): string => style.getPropertyValue(name);
  const axis: uPlot.Axis = {
    stroke: color('--muted'),
    font: AXIS_FONT,
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT_PIXELS,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    padding: [10, 12, 0, 0],
    scales: {
      // Half a bar more at each end, or the first and the last would be cut.
      x: { range: (plot, min, max) => [min - halfBarOf(plot), max + halfBarOf(plot)] },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 64,
        size: 32,
        values: (_plot, splits) => splits.map((seconds) => axisLabel(seconds, timeZone)),
      },
      { ...axis, size: 62, space: 44, values: (_plot, splits) => amountLabels(splits, format) },
    ],
    series: [
      {},
      {
        ...(uPlot.paths.bars && { paths: uPlot.paths.bars(BAR_SIZE) }),
        fill: color('--grain'),
        stroke: color('--grain'),
        width: 0,
        points: { show: false },
      },
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}

function halfBarOf({ data: [times] }: uPlot): number {
  const [first = 0, second = first] = times;
  return (second - first) / 2;
}
