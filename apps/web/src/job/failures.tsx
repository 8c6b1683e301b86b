import { useInfiniteQuery } from '@tanstack/react-query';
import { failuresQuery } from '../api/queries';
import { MoreButton, Panel } from '../ui/parts';

/** Units that were given up, with what their program said last. */
export function Failures({
  jobId,
  accountId,
  failedUnits,
}: {
  readonly jobId: string;
  readonly accountId: string | null;
  readonly failedUnits: number;
}) {
  const { data, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    failuresQuery(jobId, accountId, failedUnits),
  );
  const units = data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Panel className="mt-6">
      <h2 className="mb-3 text-2xl">What failed</h2>
      <ul className="divide-y divide-line">
        {units.map((unit) => (
          <li key={unit.unitId} className="py-3">
            <details>
              <summary className="cursor-pointer [overflow-wrap:anywhere]">
                <span className="figure font-semibold">Unit {unit.index.toLocaleString('en')}</span>{' '}
                <span className="text-bad">{unit.failure ?? unit.outcome ?? 'failed'}</span>
              </summary>
              <dl className="figure mt-3 grid gap-x-6 gap-y-1 text-sm sm:grid-cols-[auto_1fr]">
                <dt className="text-muted">Outcome</dt>
                <dd>
                  {[unit.outcome ?? 'none: no volunteer reported a result', unit.exitCode, unit.trapKind]
                    .filter((part) => part !== null)
                    .join(' ')}
                </dd>
                <dt className="text-muted">Piece</dt>
                <dd className="font-mono text-xs leading-5 [overflow-wrap:anywhere]">
                  {JSON.stringify(unit.params)}
                </dd>
              </dl>
              <h3 className="mt-3 font-sans text-sm text-muted">Standard error</h3>
              <pre
                tabIndex={0}
                aria-label={`Standard error of unit ${unit.index}`}
                className="mt-1 max-h-72 overflow-auto rounded-xl border border-line bg-sunken p-3 font-mono text-xs leading-5 whitespace-pre-wrap [overflow-wrap:anywhere]"
              >
                {unit.stderr === null || unit.stderr === '' ? 'Nothing was written there.' : unit.stderr}
              </pre>
            </details>
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <MoreButton isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()}>
          Show more
        </MoreButton>
      )}
    </Panel>
  );
}
