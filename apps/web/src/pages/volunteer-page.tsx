import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useSyncExternalStore, type ReactNode } from 'react';
import { runningJobsQuery } from '../api/queries';
import { useSession } from '../api/session';
import { Cycles } from '../ui/cycles';
import { Button, PageTitle, Panel, Progress } from '../ui/parts';
import { volunteerSession, type VolunteerState } from '../volunteer/volunteer-session';
import type { Wishes } from '../volunteer/pause-reason';
import { worksFor } from '../volunteer/saved-host';
import { coresHere, SHARE_MAX, SHARE_MIN } from '../volunteer/saved-wishes';
import { useSavedHost } from '../volunteer/use-saved-hosts';
import { Waterfall } from '../volunteer/waterfall';

export function VolunteerPage() {
  const state = useSyncExternalStore(volunteerSession.subscribe, () => volunteerSession.state);
  const isOn = state.phase === 'on' || state.phase === 'stopping';
  return (
    <>
      <PageTitle lead="Nothing is installed, nothing is read from your computer, and nothing starts before you click.">
        Volunteer in this tab
      </PageTitle>
      <div className="grid grid-cols-1 items-start gap-6 lg:grid-cols-[1fr_21rem] lg:grid-rows-[auto_1fr]">
        <div className="min-w-0 lg:row-span-2">
          <Waterfall isOn={isOn} isBlank={state.isBlank} />
          <InHand state={state} />
        </div>
        <div className="order-first lg:order-none">
          <Controls state={state} />
        </div>
        <div className="lg:col-start-2">
          <Given state={state} />
        </div>
      </div>
    </>
  );
}

function Controls({ state }: { readonly state: VolunteerState }) {
  const { wishes, phase } = state;
  const cores = coresHere();
  return (
    <Panel>
      {phase === 'starting' || phase === 'on' || phase === 'stopping' ? (
        <Button
          look="quiet"
          className="w-full"
          disabled={phase === 'stopping'}
          onClick={() => void volunteerSession.stop()}
        >
          {phase === 'stopping' ? 'Giving back the rest …' : 'Stop'}
        </Button>
      ) : (
        <Button className="w-full" onClick={() => void volunteerSession.start()}>
          Start computing
        </Button>
      )}
      <p role="status" className="mt-3 min-h-12 text-sm text-muted [overflow-wrap:anywhere]">
        {sentenceOf(state)}
      </p>
      <Slider
        id="share"
        label="Time of a core"
        value={wishes.share}
        min={SHARE_MIN}
        max={SHARE_MAX}
        step={10}
        text={`${wishes.share} %`}
        onChange={(share) => volunteerSession.wish({ share })}
      />
      <Slider
        id="cores"
        label="Cores"
        value={wishes.cores}
        min={1}
        max={cores}
        step={1}
        text={`${wishes.cores} of ${cores}`}
        onChange={(cores) => volunteerSession.wish({ cores })}
      />
      <div className="mt-5 space-y-2.5 border-t border-line pt-4">
        <Check
          label="Go on while this tab is hidden"
          isChecked={wishes.evenWhenHidden}
          onChange={(evenWhenHidden) => volunteerSession.wish({ evenWhenHidden })}
        />
        <Check
          label="Go on while on battery"
          isChecked={wishes.evenOnBattery}
          onChange={(evenOnBattery) => volunteerSession.wish({ evenOnBattery })}
        />
      </div>
    </Panel>
  );
}

function sentenceOf({ phase, paused, error, status, wishes }: VolunteerState): string {
  switch (phase) {
    case 'off':
      return error ?? `${amountOf(wishes)}, until you stop or close the tab.`;
    case 'busy-elsewhere':
      return 'Another tab of this browser volunteers already. Stop it there first.';
    case 'starting':
      return 'Introducing this tab to the coordinator …';
    case 'stopping':
      return 'Unfinished work goes back to the coordinator, for others.';
    case 'on':
      return paused ?? capitalise(status?.reason ?? 'Asking for work …');
  }
}

function amountOf({ cores, share }: Wishes): string {
  const time = share === SHARE_MAX ? 'all' : share === 50 ? 'half' : `${share} % of`;
  return `${cores === 1 ? 'One core' : `${cores} cores`}, ${time} the time`;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function InHand({ state }: { readonly state: VolunteerState }) {
  const { data } = useQuery(runningJobsQuery);
  const running = state.status?.running ?? [];
  const first = running[0];
  if (!first || state.phase === 'off') {
    return (
      <p className="mt-5 text-muted">
        The app runs in a WebAssembly sandbox: it sees the piece of data it was given, and neither your files
        nor your network. The same piece goes to somebody else too, and counts when both results agree on
        every bit.
      </p>
    );
  }
  const job = data?.items.find(({ id }) => id === first.jobId);
  return (
    <Panel className="mt-5">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h2 className="text-xl [overflow-wrap:anywhere]">
          {job ? (
            <Link
              to="/jobs/$jobId"
              params={{ jobId: job.id }}
              className="underline decoration-grain underline-offset-4"
            >
              <bdi>{first.jobName}</bdi>
            </Link>
          ) : (
            <bdi>{first.jobName}</bdi>
          )}
        </h2>
        <bdi className="text-sm text-muted">{first.app}</bdi>
      </div>
      {job && job.project.description !== '' && (
        <p dir="auto" className="mt-2 text-muted [overflow-wrap:anywhere]">
          {job.project.description}
        </p>
      )}
      <ul className="mt-4 space-y-3">
        {running.map((task) => (
          <li key={task.taskId}>
            <Progress permille={task.permille ?? 0} label={`Progress of task ${task.taskId}`} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Given({ state }: { readonly state: VolunteerState }) {
  const account = useSession();
  const host = useSavedHost();
  const cycles = state.before.cycles + (state.status?.cycles ?? 0n) + state.taskCycles;
  return (
    <Panel>
      <h2 className="text-xl">Given in this tab</h2>
      <p className="mt-3 text-3xl font-semibold sm:text-4xl" aria-label="Cycles computed in this tab">
        <Cycles value={cycles.toString()} />
      </p>
      <dl className="mt-4 space-y-1 text-sm">
        <Line name="Results computed">
          {(state.before.finishedTasks + (state.status?.finishedTasks ?? 0)).toLocaleString('en')}
        </Line>
        <Line name="Received by the coordinator">{state.acceptedResults.toLocaleString('en')}</Line>
      </dl>
      {host && (
        <p className="mt-4 border-t border-line pt-4 text-sm text-muted">
          {host.isAnonymous && host.claimedBy === undefined ? (
            <>
              You compute without a name, as machine {host.hostId}.{' '}
              <Link to="/account" className="link">
                {account === null ? 'Sign in to claim it' : 'Claim it for your account'}
              </Link>
              .
            </>
          ) : (
            <>
              The credit goes to {account !== null && worksFor(host, account) ? 'your account' : 'an account'}
              , machine {host.hostId}.
            </>
          )}
        </p>
      )}
    </Panel>
  );
}

function Line({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-muted">{name}</dt>
      <dd className="figure font-semibold">{children}</dd>
    </div>
  );
}

interface SliderProps {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly text: string;
  readonly onChange: (value: number) => void;
}

function Slider({ id, label, text, onChange, ...range }: SliderProps) {
  return (
    <div className="mt-4">
      <div className="flex justify-between text-sm">
        <label htmlFor={id}>{label}</label>
        <output htmlFor={id} className="figure font-semibold">
          {text}
        </output>
      </div>
      <input
        id={id}
        type="range"
        aria-valuetext={text}
        className="mt-2 h-6 w-full cursor-pointer accent-accent"
        {...range}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
    </div>
  );
}

function Check({
  label,
  isChecked,
  onChange,
}: {
  readonly label: string;
  readonly isChecked: boolean;
  readonly onChange: (isChecked: boolean) => void;
}) {
  return (
    <label className="flex cursor-pointer items-center gap-3 text-sm">
      <input
        type="checkbox"
        checked={isChecked}
        className="size-5 accent-accent"
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}
