import type { Host } from '@gleaner/client';
import { FormError } from '../../ui/field';
import { Panel } from '../../ui/parts';
import { useMachineChange } from './use-machine-change';

const RUNS = [
  { run: 'run', name: 'Run', what: 'computes whenever its own rules allow it' },
  { run: 'pause', name: 'Pause', what: 'keeps its tasks, and computes nothing until it may run again' },
  { run: 'finish', name: 'Finish', what: 'completes the tasks that it has, and takes no new ones' },
] as const;

/** Run, pause or finish, from afar. */
export function RunControl({
  host,
  etag,
  accountId,
}: {
  readonly host: Host;
  readonly etag: string;
  readonly accountId: string;
}) {
  const change = useMachineChange(accountId, host.id, etag);
  const chosen = change.isPending ? change.variables.run : host.wishes.run;
  return (
    <Panel>
      <fieldset>
        <legend className="font-display text-xl">From afar</legend>
        <p className="mt-1 mb-3 text-sm text-muted">
          {host.kind === 'browser'
            ? 'The tab hears of it when it next calls, within a minute.'
            : 'The machine hears of it when it next calls, within five minutes. What is said at the machine itself goes first.'}
        </p>
        {RUNS.map(({ run, name, what }) => (
          <label
            key={run}
            className="flex cursor-pointer items-baseline gap-3 rounded-lg border border-transparent p-3 has-checked:border-line has-checked:bg-sunken"
          >
            <input
              type="radio"
              name="run"
              checked={chosen === run}
              onChange={() => change.mutate({ run })}
              className="size-4 shrink-0 accent-grain"
            />
            <span>
              <span className="font-semibold">{name}</span> <span className="text-muted">— {what}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <FormError error={change.error} />
    </Panel>
  );
}
