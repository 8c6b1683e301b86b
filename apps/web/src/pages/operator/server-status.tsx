import type { QueueStatus, ServerStatus } from '@gleaner/client';
import type { ReactNode } from 'react';
import { formatDuration } from '../../ui/estimate-remaining';
import { Panel } from '../../ui/parts';

/** Work that waits longer than this is not keeping up. */
const OLD_SECONDS = 60;
const MEBIBYTE = 2 ** 20;

/** Queues with their ages, and the database. The same is at /v1/status. */
export function ServerStatusPanel({ status }: { readonly status: ServerStatus }) {
  return (
    <section className="mb-10">
      <h2 className="mb-4 text-3xl">Server</h2>
      <dl className="figure mb-4 grid grid-cols-2 gap-4 lg:grid-cols-4">
        <Figure name="database answers in">{status.database.latencyMs.toLocaleString('en')} ms</Figure>
        <Figure name="database holds">
          {Math.round(status.database.sizeBytes / MEBIBYTE).toLocaleString('en')} MiB
        </Figure>
        <Figure name="machines in the last hour">{status.hosts.seenLastHour.toLocaleString('en')}</Figure>
        <Figure name="tasks in progress">{status.tasksInProgress.toLocaleString('en')}</Figure>
      </dl>
      <Panel className="py-3!">
        {status.queues === null ? (
          <p role="status" className="py-2 text-bad">
            The queues do not answer. Work goes on as soon as they do; nothing is lost.
          </p>
        ) : (
          <Queues queues={status.queues} />
        )}
      </Panel>
      <p className="mt-3 text-sm text-muted">
        <a href="/v1/status" className="link">
          The same as JSON
        </a>
      </p>
    </section>
  );
}

function Queues({ queues }: { readonly queues: readonly QueueStatus[] }) {
  return (
    <div className="overflow-x-auto" role="group" tabIndex={0} aria-label="Queues">
      <table className="w-full text-left text-sm">
        <caption className="sr-only">Queues</caption>
        <thead className="border-b border-line text-muted">
          <tr>
            <th scope="col" className="py-2 pr-4 font-medium">
              Queue
            </th>
            {['Waiting', 'Oldest', 'Active', 'Delayed', 'Failed'].map((name) => (
              <th key={name} scope="col" className="py-2 pl-4 text-right font-medium">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="figure">
          {queues.map(({ name, waiting, oldestWaitingSeconds: oldest, active, delayed, failed }) => (
            <tr key={name} className="border-b border-line last:border-0">
              <th scope="row" className="py-2 pr-4 font-semibold">
                {name}
              </th>
              <Cell>{waiting.toLocaleString('en')}</Cell>
              <Cell isBad={oldest !== null && oldest > OLD_SECONDS}>
                {oldest === null ? '–' : formatDuration(oldest)}
              </Cell>
              <Cell>{active.toLocaleString('en')}</Cell>
              <Cell>{delayed.toLocaleString('en')}</Cell>
              <Cell isBad={failed > 0}>{failed.toLocaleString('en')}</Cell>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ isBad = false, children }: { readonly isBad?: boolean; readonly children: ReactNode }) {
  return (
    <td className={`py-2 pl-4 text-right whitespace-nowrap ${isBad ? 'font-semibold text-bad' : ''}`}>
      {children}
    </td>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex flex-col-reverse justify-end rounded-2xl border border-line bg-panel p-4">
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="text-2xl font-semibold">{children}</dd>
    </div>
  );
}
