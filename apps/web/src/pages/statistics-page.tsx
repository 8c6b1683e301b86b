import type { StatisticsPoint } from '@gleaner/client';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { loadPart } from '../api/load-part';
import { historyQuery, type Grain } from '../api/queries';
import { MEASURES, totalOf, type Measure } from '../statistics/measures';
import { Choices, choiceClass } from '../ui/choices';
import { PageTitle, Panel } from '../ui/parts';
import { useTheme } from '../ui/theme';
import { Waiting } from '../ui/waiting';
import { readStatisticsSearch } from './statistics-search';

const Chart = lazy(async () => ({
  default: (await loadPart(() => import('../statistics/chart'))).Chart,
}));

const SPANS: ReadonlyArray<{ readonly grain: Grain; readonly name: string }> = [
  { grain: 'hour', name: 'Last 48 hours' },
  { grain: 'day', name: 'Last 90 days' },
];

export function StatisticsPage() {
  // The router keeps in the search what its validation has left out.
  const { grain = 'hour' } = readStatisticsSearch(useSearch({ from: '/statistics' }));
  const { data, error, refetch } = useQuery(historyQuery(grain));
  return (
    <>
      <PageTitle lead="Counted from the ledger of credit, in which nothing is ever changed: what volunteers computed, and agreed on.">
        Statistics
      </PageTitle>
      <div className="mb-6 flex flex-wrap items-center gap-x-4 gap-y-2">
        <Choices label="Span">
          {SPANS.map((span) => (
            <Link
              key={span.grain}
              to="/statistics"
              search={span.grain === 'hour' ? {} : { grain: span.grain }}
              activeOptions={{ exact: true, includeSearch: true }}
              aria-current={span.grain === grain ? 'page' : undefined}
              className={choiceClass(span.grain === grain)}
            >
              {span.name}
            </Link>
          ))}
        </Choices>
        {grain === 'day' && <p className="text-sm text-muted">Each day begins at midnight UTC.</p>}
      </div>
      {data ? (
        <div className="grid grid-cols-1 gap-6 lg:grid-cols-2">
          {MEASURES.map((measure, index) => (
            <MeasurePanel
              key={measure.name}
              measure={measure}
              points={data.points}
              grain={grain}
              isWide={index === 0}
            />
          ))}
        </div>
      ) : (
        <Waiting what="the figures" error={error} onRetry={refetch} />
      )}
    </>
  );
}

function MeasurePanel({
  measure,
  points,
  grain,
  isWide,
}: {
  readonly measure: Measure;
  readonly points: readonly StatisticsPoint[];
  readonly grain: Grain;
  readonly isWide: boolean;
}) {
  const theme = useTheme();
  const [pointed, setPointed] = useState<number | null>(null);
  const times = useMemo(() => points.map(({ startsAt }) => Date.parse(startsAt) / 1000), [points]);
  const values = useMemo(() => points.map((point) => Number(measure.of(point))), [points, measure]);
  const format = useCallback((value: number) => measure.format(BigInt(Math.round(value))), [measure]);
  const shown = pointed === null ? undefined : points[pointed];
  return (
    <Panel className={isWide ? 'lg:col-span-2' : ''}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-6">
        <h2 className="text-2xl">{measure.name}</h2>
        <p className="figure text-2xl font-semibold">
          {measure.format(shown ? measure.of(shown) : totalOf(measure, points))}
        </p>
      </div>
      <p className="mt-1 mb-3 flex flex-wrap justify-between gap-x-6 text-sm text-muted">
        <span>{measure.about}</span>
        <span className="figure">
          {shown ? timeOf(shown, grain) : grain === 'hour' ? '48 hours' : '90 days'}
        </span>
      </p>
      <Suspense fallback={<div className="min-h-[170px]" />}>
        <Chart
          times={times}
          values={values}
          format={format}
          onPoint={setPointed}
          theme={theme}
          isOfDays={grain === 'day'}
        />
      </Suspense>
      <details className="mt-2 text-sm text-muted">
        <summary className="cursor-pointer py-1 hover:text-ink">
          Figures of {measure.name.toLowerCase()}
        </summary>
        <div
          className="mt-2 max-h-72 overflow-y-auto"
          tabIndex={0}
          role="region"
          aria-label={`${measure.name}, figures`}
        >
          <table className="figure w-full text-left">
            <thead>
              <tr className="border-b border-line">
                <th scope="col" className="py-1.5 font-medium">
                  {grain === 'hour' ? 'Hour' : 'Day'}
                </th>
                <th scope="col" className="py-1.5 text-right font-medium">
                  {measure.name}
                </th>
              </tr>
            </thead>
            <tbody>
              {points.toReversed().map((point) => (
                <tr key={point.startsAt} className="border-b border-line last:border-0">
                  <th scope="row" className="py-1.5 font-normal">
                    {timeOf(point, grain)}
                  </th>
                  <td className="py-1.5 text-right text-ink">{measure.format(measure.of(point))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </Panel>
  );
}

/** Made once: each of hundreds of rows has one of these. */
const TIMES: Readonly<Record<Grain, Intl.DateTimeFormat>> = {
  hour: new Intl.DateTimeFormat('en', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }),
  day: new Intl.DateTimeFormat('en', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' }),
};

function timeOf({ startsAt }: StatisticsPoint, grain: Grain): string {
  return TIMES[grain].format(new Date(startsAt));
}
