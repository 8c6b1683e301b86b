import type { PublicJob } from '@gleaner/client';

type State = PublicJob['state'];

const LOOKS: Readonly<Record<State, { readonly text: string; readonly dot: string }>> = {
  splitting: { text: 'Being split', dot: 'bg-busy breathing' },
  running: { text: 'Computing', dot: 'bg-grain breathing' },
  paused: { text: 'Paused', dot: 'bg-muted' },
  assimilating: { text: 'Being put together', dot: 'bg-busy breathing' },
  completed: { text: 'Completed', dot: 'bg-good' },
  failed: { text: 'Failed', dot: 'bg-bad' },
  cancelled: { text: 'Cancelled', dot: 'bg-muted' },
};

export function JobState({ state }: { readonly state: State }) {
  const { text, dot } = LOOKS[state];
  return (
    <span className="inline-flex items-center gap-2 text-sm font-medium whitespace-nowrap">
      <span aria-hidden="true" className={`size-2.5 rounded-full ${dot}`} />
      {text}
    </span>
  );
}
