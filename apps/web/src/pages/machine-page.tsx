import { detachHost, type Host, type HostTasks } from '@gleaner/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { machineQuery, machineTasksQuery } from '../api/people-queries';
import { isNotThere } from '../api/problem-error';
import { serverNowMs } from '../api/server-clock';
import { useSession } from '../api/session';
import { Cycles, ExactCycles } from '../ui/cycles';
import { hostState } from '../ui/host-state';
import { FormError } from '../ui/field';
import { Button, PageTitle, Panel } from '../ui/parts';
import { TimeAgo } from '../ui/time-ago';
import { useTicks } from '../ui/use-ticks';
import { Waiting } from '../ui/waiting';
import { MachineName } from './machine/machine-name';
import { MachinePreferences } from './machine/machine-preferences';
import { MachineTasks } from './machine/machine-tasks';
import { RunControl } from './machine/run-control';
import { SignInForms } from './sign-in-page';

/** One of my machines: what it does and why, and what I want it to do. */
export function MachinePage() {
  const { hostId } = useParams({ from: '/account/machines/$hostId' });
  const accountId = useSession();
  const { data, error, refetch } = useQuery(machineQuery(accountId, hostId));
  const { data: tasks } = useQuery(machineTasksQuery(accountId, hostId));
  useTicks();
  if (accountId === null) {
    return (
      <SignInForms mode="sign-in" search={{ next: `/account/machines/${encodeURIComponent(hostId)}` }} />
    );
  }
  if (!data || isNotThere(error)) return <Waiting what="the machine" error={error} onRetry={refetch} />;
  const { host, etag } = data;
  const { text, dot } = hostState(host, serverNowMs());
  return (
    <>
      <p className="mb-4">
        <Link to="/account" className="link">
          My machines
        </Link>
      </p>
      <PageTitle
        lead={
          <span className="flex items-baseline gap-3">
            <span aria-hidden="true" className={`size-3 shrink-0 rounded-full ${dot}`} />
            <span className="min-w-0 [overflow-wrap:anywhere]">{text}</span>
          </span>
        }
      >
        {host.name}
      </PageTitle>
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
        <RunControl host={host} etag={etag} accountId={accountId} />
        <Facts host={host} tasks={tasks ?? null} />
        {tasks && <MachineTasks tasks={tasks} host={host} />}
        {host.kind === 'browser' ? (
          <TabPreferences />
        ) : (
          <MachinePreferences host={host} etag={etag} accountId={accountId} />
        )}
        <div className="grid gap-4">
          <MachineName host={host} etag={etag} accountId={accountId} />
          <Detach host={host} />
        </div>
      </div>
    </>
  );
}

function Facts({ host, tasks }: { readonly host: Host; readonly tasks: HostTasks | null }) {
  const speed = tasks?.cyclesPerSecond ?? null;
  const { allowance, lastSeenAt } = host;
  // What is kept of a machine is a few minutes old at times; that it asked is known at once. ISO texts sort by time.
  const askedAt = tasks?.lastAnswer?.at ?? null;
  const lastSeen = askedAt !== null && (lastSeenAt === null || askedAt > lastSeenAt) ? askedAt : lastSeenAt;
  return (
    <Panel>
      <h2 className="text-xl">This machine</h2>
      <dl className="mt-3 space-y-2">
        <Fact name="Credit">
          <Cycles value={host.credit} />
          <ExactCycles value={host.credit} className="font-normal text-muted" />
        </Fact>
        <Fact name="Speed of a core">
          {speed === null ? 'not measured in the last hour' : <Cycles value={speed} unit="cycles/s" />}
        </Fact>
        <Fact name="Last seen">{lastSeen === null ? 'never' : <TimeAgo at={lastSeen} />}</Fact>
        <Fact name={host.kind === 'browser' ? 'Browser' : 'Agent'}>
          <bdi>{host.agentVersion}</bdi> on <bdi>{host.platform}</bdi>
        </Fact>
        <Fact name="Offers">
          {host.cores} {host.cores === 1 ? 'core' : 'cores'}, {host.memoryMiB.toLocaleString('en')} MiB
        </Fact>
        <Fact name="Tasks today">
          {allowance.usedToday.toLocaleString('en')} of {allowance.perDay.toLocaleString('en')}
        </Fact>
        <Fact name="Attached">
          <TimeAgo at={host.createdAt} />
        </Fact>
      </dl>
      <p className="mt-3 text-sm text-muted">
        How many tasks a day it may have grows with results that agree with others’.
      </p>
    </Panel>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex justify-between gap-6">
      <dt className="text-muted">{name}</dt>
      <dd className="figure min-w-0 text-right font-semibold [overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}

/** A tab has sliders of its own, and follows none of the preferences that an agent has. */
function TabPreferences() {
  return (
    <Panel>
      <h2 className="text-xl">When it may compute</h2>
      <p className="mt-2 text-muted">
        How much of the computer a tab uses, and whether it goes on while it is hidden or on battery, is set
        in the browser itself, under{' '}
        <Link to="/volunteer" className="link">
          Volunteer
        </Link>
        .
      </p>
    </Panel>
  );
}

function Detach({ host }: { readonly host: Host }) {
  const [isAsking, setAsking] = useState(false);
  const navigate = useNavigate();
  const detach = useMutation({
    mutationFn: () => detachHost({ path: { id: host.id }, throwOnError: true }),
    onSuccess: () => navigate({ to: '/account' }),
  });
  return (
    <Panel>
      <h2 className="text-xl">Detach</h2>
      <p className="mt-2 text-muted">
        Its token ends and what it computes goes to others. Its credit stays yours.
      </p>
      {/* One below the other: beside "Keep it", the answer would stand under the second click of a double one. */}
      <div className="mt-4 flex flex-col items-start gap-3">
        {isAsking ? (
          <>
            {/* First, and by its key none of the button that asked: a held key or a double click is no answer. */}
            <Button key="keep" look="quiet" onClick={() => setAsking(false)}>
              Keep it
            </Button>
            <Button key="detach" disabled={detach.isPending} onClick={() => detach.mutate()}>
              Yes, detach it
            </Button>
          </>
        ) : (
          <Button key="ask" look="quiet" onClick={() => setAsking(true)}>
            Detach this machine
          </Button>
        )}
      </div>
      <FormError error={detach.error} />
    </Panel>
  );
}
