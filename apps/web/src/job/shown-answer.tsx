import type { PublicJob } from '@gleaner/client';
import { formatBytes } from '@gleaner/protocol/format-bytes';
import { Panel } from '../ui/parts';
import { Download } from './download';

/** The merged answer, for those who are shown it: whatever it is, and all of it, where a page draws and lists the beginning. */
export function ShownAnswer({
  jobId,
  output: { sizeBytes },
}: {
  readonly jobId: string;
  readonly output: NonNullable<PublicJob['output']>;
}) {
  return (
    <Panel className="mt-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <div>
          <h2 className="text-2xl">The answer</h2>
          <p className="mt-1 text-muted">
            What all units found, put together: {formatBytes(sizeBytes)}, shown to everybody by the scientist.
          </p>
        </div>
        <Download path={`/v1/public/jobs/${jobId}/output`} name={`answer-of-job-${jobId}`} />
      </div>
    </Panel>
  );
}
