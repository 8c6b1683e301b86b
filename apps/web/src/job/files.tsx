import type { Job } from '@gleaner/client';
import { useQueries } from '@tanstack/react-query';
import { isNotThere } from '../api/problem-error';
import { blobQuery } from '../api/queries';
import { Panel } from '../ui/parts';
import { formatBytes } from '@gleaner/protocol/format-bytes';
import { Download } from './download';

/** Inputs and the merged answer. */
export function Files({ job }: { readonly job: Job }) {
  const inputs = Object.entries(job.spec.inputs ?? {});
  const blobs = useQueries({ queries: inputs.map(([, blobId]) => blobQuery(blobId)) });
  return (
    <Panel>
      <h2 className="mb-3 text-2xl">Files</h2>
      <ul className="divide-y divide-line">
        {inputs.map(([name, blobId], index) => (
          <File
            key={name}
            kind="input"
            name={name}
            blobId={blobId}
            sizeBytes={blobs[index]?.data?.sizeBytes ?? null}
            // A blob belongs to those who have uploaded it: a colleague sees that it is there.
            path={isNotThere(blobs[index]?.error ?? null) ? null : `/v1/blobs/${blobId}/content`}
          />
        ))}
        {job.output ? (
          <File
            kind="output"
            name="answer"
            blobId={job.output.blobId}
            sizeBytes={job.output.sizeBytes}
            path={`/v1/jobs/${job.id}/output`}
          />
        ) : (
          <li className="py-3 text-muted">{withoutAnswer(job)}</li>
        )}
      </ul>
    </Panel>
  );
}

function withoutAnswer({ state }: Job): string {
  if (state === 'cancelled') return 'There is no answer: the job was cancelled.';
  if (state === 'failed') return 'There is no answer: the job failed.';
  return 'The answer comes when every unit is done.';
}

interface FileProps {
  readonly kind: 'input' | 'output';
  readonly name: string;
  readonly blobId: string;
  readonly sizeBytes: number | null;
  /** null where it is not this person's to have. */
  readonly path: string | null;
}

function File({ kind, name, blobId, sizeBytes, path }: FileProps) {
  return (
    <li className="flex items-center justify-between gap-4 py-3">
      <div className="min-w-0">
        <p className="truncate">
          <span className="font-semibold">{name}</span>{' '}
          <span className="text-sm text-muted">
            {kind}
            {sizeBytes !== null && `, ${formatBytes(sizeBytes)}`}
          </span>
        </p>
        <p className="truncate font-mono text-xs text-muted" title={blobId}>
          {blobId}
        </p>
      </div>
      {path === null ? (
        <p className="text-sm text-muted">of whoever uploaded it</p>
      ) : (
        <Download path={path} name={name} />
      )}
    </li>
  );
}
