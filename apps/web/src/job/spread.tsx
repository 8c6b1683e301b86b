import type { JobSwarm } from '@gleaner/client';
import { formatBytes } from '@gleaner/protocol/format-bytes';
import { Panel } from '../ui/parts';

type Input = JobSwarm['inputs'][number];

interface Kind {
  readonly name: string;
  readonly color: string;
  readonly holds: (copies: number) => boolean;
}

const KINDS: readonly Kind[] = [
  { name: 'only at the coordinator', color: 'bg-sunken ring-1 ring-inset ring-line', holds: (n) => n === 0 },
  { name: 'one copy', color: 'bg-busy', holds: (n) => n === 1 },
  { name: 'two copies or more', color: 'bg-good', holds: (n) => n > 1 },
];

/** How widely volunteers hold the inputs, chunk by chunk, and what that spared the coordinator. */
export function Spread({ swarm, isOver }: { readonly swarm: JobSwarm; readonly isOver: boolean }) {
  const shared = swarm.inputs.filter(({ chunks }) => chunks > 0);
  const isHeld = shared.some(({ copies }) => copies.some((count) => count > 0));
  const wasNeverShared = isOver && !isHeld && swarm.savedBytes === 0;
  if (shared.length === 0 || wasNeverShared) return null;
  return (
    <Panel className="mt-6">
      <h2 className="text-2xl">Inputs among volunteers</h2>
      <p className="mt-1 mb-4 text-muted">{sentenceOf(swarm, isHeld)}</p>
      {shared.map((input) => (
        <Copies key={input.blobId} input={input} />
      ))}
      <p className="mt-4 flex flex-wrap gap-x-5 gap-y-2 text-sm text-muted">
        {KINDS.map(({ name, color }) => (
          <span key={name} className="inline-flex items-center gap-2">
            <span aria-hidden="true" className={`size-3 rounded-[3px] forced-color-adjust-none ${color}`} />
            {name}
          </span>
        ))}
      </p>
    </Panel>
  );
}

function sentenceOf({ savedBytes }: JobSwarm, isHeld: boolean): string {
  if (savedBytes > 0) {
    return `Volunteers gave each other ${formatBytes(savedBytes)} that the coordinator did not have to send.`;
  }
  return isHeld
    ? 'The coordinator sends each chunk once; volunteers pass it on.'
    : 'Nobody passes them on at the moment: each volunteer has them from the coordinator.';
}

function Copies({
  input: { blobId, chunks, chunksPerRun, copies, averageCopies, minCopies },
}: {
  readonly input: Input;
}) {
  const said = KINDS.map(({ name, holds }) => ({ name, runs: copies.filter(holds).length }))
    .filter(({ runs }) => runs > 0)
    .map(({ name, runs }) => `${runs} ${name}`);
  const each = chunksPerRun === 1 ? 'chunks' : `runs of ${chunksPerRun} chunks`;
  return (
    <figure className="mt-3">
      <div
        role="img"
        aria-label={`${copies.length} ${each}: ${said.join(', ')}`}
        // Its colours are what it tells.
        className="flex h-6 gap-px overflow-hidden rounded forced-color-adjust-none"
      >
        {copies.map((count, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- a chunk is its place in the file
          <span key={index} className={`flex-1 ${KINDS.find(({ holds }) => holds(count))?.color ?? ''}`} />
        ))}
      </div>
      <figcaption className="figure mt-1 flex flex-wrap justify-between gap-x-4 text-xs text-muted">
        <span className="truncate font-mono">{blobId.slice(0, 19)}…</span>
        <span>
          {chunks.toLocaleString('en')} {chunks === 1 ? 'chunk' : 'chunks'}, {averageCopies} copies on
          average, {minCopies} of the rarest
        </span>
      </figcaption>
    </figure>
  );
}
