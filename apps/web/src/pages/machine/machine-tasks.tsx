import type { Host, HostTasks, TaskState } from '@gleaner/client';
import { Link } from '@tanstack/react-router';
import { Panel } from '../../ui/parts';
import { TimeAgo } from '../../ui/time-ago';

/** Every state of a task, in words. */
const STATES: Readonly<Record<TaskState, { readonly name: string; readonly what: string }>> = {
  'in-progress': { name: 'Computing', what: 'given to this machine, which has not reported yet' },
  reported: {
    name: 'Waiting for others',
    what: 'reported; counts once an independent volunteer gets the same result',
  },
  valid: { name: 'Agreed', what: 'others got the same result, and the credit was granted' },
  invalid: { name: 'Disagreed', what: 'others agreed on something else: the machine may have a fault' },
  error: { name: 'Broken off', what: 'the machine could not compute it; the unit went to somebody else' },
  lost: { name: 'Lost', what: 'the deadline passed without a report' },
  aborted: { name: 'Not needed', what: 'returned, or no longer wanted' },
};

/** How the machine's tasks fare, what it computes now, and why it may have nothing to compute. */
export function MachineTasks({ tasks, host }: { readonly tasks: HostTasks; readonly host: Host }) {
  return (
    <Panel className="lg:col-span-2">
      <h2 className="text-xl">Its tasks</h2>
      <ul className="mt-4 grid grid-cols-1 gap-x-8 gap-y-4 sm:grid-cols-2 lg:grid-cols-3">
        {tasks.counts.map(({ state, count }) => (
          <li key={state} className="flex gap-4">
            <span className="figure min-w-12 text-right text-2xl leading-7 font-semibold">
              {count === null ? '?' : count.toLocaleString('en')}
            </span>
            <span>
              <span className="block font-semibold">{STATES[state].name}</span>
              <span className="block text-sm text-muted">{STATES[state].what}</span>
            </span>
          </li>
        ))}
      </ul>
      {tasks.inProgress.length > 0 && <Running tasks={tasks} />}
      <LastAnswer tasks={tasks} host={host} />
    </Panel>
  );
}

function Running({ tasks }: { readonly tasks: HostTasks }) {
  return (
    <div
      className="mt-6 overflow-x-auto border-t border-line pt-4"
      role="group"
      tabIndex={0}
      aria-label="Tasks in progress"
    >
      <table className="w-full text-left text-sm">
        <caption className="sr-only">Tasks in progress</caption>
        <thead className="text-muted">
          <tr>
            <th scope="col" className="py-1 pr-6 font-medium">
              Task
            </th>
            <th scope="col" className="py-1 pr-6 font-medium">
              Job
            </th>
            <th scope="col" className="py-1 font-medium">
              Given
            </th>
          </tr>
        </thead>
        <tbody className="figure">
          {tasks.inProgress.map(({ taskId, job, assignedAt }) => (
            <tr key={taskId}>
              <td className="py-1 pr-6">{taskId}</td>
              <td className="py-1 pr-6">
                {job.public ? (
                  <Link to="/jobs/$jobId" params={{ jobId: job.id }} className="link">
                    <bdi>{job.name}</bdi>
                  </Link>
                ) : (
                  <bdi>{job.name}</bdi>
                )}
              </td>
              <td className="py-1 whitespace-nowrap">
                <TimeAgo at={assignedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function LastAnswer({ tasks: { lastAnswer }, host }: { readonly tasks: HostTasks; readonly host: Host }) {
  if (lastAnswer === null) {
    return host.lastSeenAt === null ? null : (
      <p className="mt-6 border-t border-line pt-4 text-sm text-muted">
        It has not asked for work in the last hour.
      </p>
    );
  }
  return (
    <div className="mt-6 border-t border-line pt-4 text-sm">
      <p>
        It asked for work <TimeAgo at={lastAnswer.at} />
        {lastAnswer.noWork.length === 0
          ? ' and got all it asked for.'
          : ' and got less than it asked for, because:'}
      </p>
      <ul className="mt-1 list-disc pl-5 text-muted">
        {lastAnswer.noWork.map(({ code, message }) => (
          <li key={code} className="[overflow-wrap:anywhere]">
            {message}
          </li>
        ))}
      </ul>
    </div>
  );
}
