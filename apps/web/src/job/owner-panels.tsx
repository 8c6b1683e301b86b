import type { Job, PublicJob } from '@gleaner/client';
import { ShownTo } from './shown-to';
import { Failures } from './failures';
import { Files } from './files';

/** What only those see whose job it is. */
export function OwnerPanels({
  job,
  shown,
  accountId,
}: {
  readonly job: Job;
  readonly shown: PublicJob;
  readonly accountId: string | null;
}) {
  return (
    <>
      {job.units.failed > 0 && (
        <Failures jobId={job.id} accountId={accountId} failedUnits={job.units.failed} />
      )}
      <div className="mt-6 grid grid-cols-1 gap-6 md:grid-cols-2">
        <Files job={job} />
        <ShownTo job={job} shown={shown} accountId={accountId} />
      </div>
    </>
  );
}
