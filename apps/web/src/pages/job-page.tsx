import type { PublicJobView } from '@gleaner/client';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ownJobQuery } from '../api/queries';
import { ProblemError } from '../api/query-client';
import { useSession } from '../api/session';
import { useLiveJob } from '../api/use-live-job';
import { Candidates } from '../job/candidates';
import { OwnerPanels } from '../job/owner-panels';
import { Cycles } from '../ui/cycles';
import { estimateRemaining, formatDuration } from '../ui/estimate-remaining';
import { JobState } from '../ui/job-state';
import { Empty, PageTitle, Panel, Progress } from '../ui/parts';
import { UnitSquares } from '../ui/unit-squares';
import { NotFoundPage } from './not-found-page';

export function JobPage() {
  const { jobId } = useParams({ from: '/jobs/$jobId' });
  const { data, error } = useLiveJob(jobId);
  if (error instanceof ProblemError && error.status < 500) return <NotFoundPage />;
  if (!data) return <p className="text-muted">Loading the job …</p>;
  return <Job view={data} />;
}

function Job({ view: { job, picture, helpers } }: { readonly view: PublicJobView }) {
  const { data: own } = useQuery(ownJobQuery(job.id, useSession(), job.finishedAt !== null));
  const answer = job.output ? 'public' : own?.output ? 'own' : null;
  return (
    <>
      <PageTitle
        lead={
          <>
            {job.project.name} · for {job.scientist} · app {job.app}
            {!job.visibility.public && ' · private'}
          </>
        }
      >
        {job.name}
      </PageTitle>
      <Panel>
        <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-2">
          <JobState state={job.state} />
          <span className="figure text-2xl font-semibold">{percentOf(job.progressPermille)}</span>
        </div>
        <div className="mt-3">
          <Progress permille={job.progressPermille} label={`Progress of ${job.name}`} />
        </div>
        {job.stateReason !== null && (
          <p className="mt-3 text-bad [overflow-wrap:anywhere]">{job.stateReason}</p>
        )}
        <dl className="mt-6 grid grid-cols-2 gap-x-6 gap-y-5 md:grid-cols-5">
          <Fact name="Units valid">
            {job.units.valid.toLocaleString('en')} of {job.units.total.toLocaleString('en')}
          </Fact>
          <Fact name="Tasks computed">{job.tasks.toLocaleString('en')}</Fact>
          <Fact name="Validated">
            <Cycles value={job.validatedCycles} />
          </Fact>
          <RateFact job={job} picture={picture} />
          <TimeFact job={job} picture={picture} />
        </dl>
      </Panel>
      <Panel className="mt-6">
        <h2 className="mb-4 text-2xl">Every piece of it</h2>
        {picture.squares === '' ? (
          <Empty>The job is being cut into units.</Empty>
        ) : (
          <UnitSquares squares={picture.squares} unitsPerSquare={picture.unitsPerSquare} />
        )}
        {job.units.blocked > 0 && (
          <p className="mt-4 text-muted">
            {job.units.blocked.toLocaleString('en')} units wait for somebody who has not computed them yet:
            two results of one person prove nothing.
          </p>
        )}
      </Panel>
      {answer && <Candidates jobId={job.id} source={answer} />}
      {own && <OwnerPanels job={own} shown={job} />}
      <div className="mt-6 grid grid-cols-1 gap-6 md:grid-cols-2">
        <Panel>
          <h2 className="mb-3 text-2xl">Who helped</h2>
          {helpers.length === 0 ? (
            <p className="text-muted">The first validated results will name them.</p>
          ) : (
            <ul className="divide-y divide-line">
              {helpers.map((helper) => (
                <li key={helper.id} className="flex justify-between gap-4 py-2.5">
                  <bdi className="truncate font-semibold">{helper.name}</bdi>
                  <span className="figure whitespace-nowrap text-muted">
                    {helper.validTasks.toLocaleString('en')} {helper.validTasks === 1 ? 'task' : 'tasks'},{' '}
                    <Cycles value={helper.cycles} />
                  </span>
                </li>
              ))}
            </ul>
          )}
        </Panel>
        <Panel>
          <h2 className="mb-3 text-2xl">What it is for</h2>
          <p className="[overflow-wrap:anywhere] whitespace-pre-line">
            {job.project.description || 'The project has not told yet.'}
          </p>
          <p className="mt-4 text-sm text-muted">
            Submitted <time dateTime={job.createdAt}>{timeOf(job.createdAt)}</time>
            {job.finishedAt !== null && (
              <>
                , ended <time dateTime={job.finishedAt}>{timeOf(job.finishedAt)}</time>
              </>
            )}
          </p>
        </Panel>
      </div>
    </>
  );
}

function percentOf(permille: number): string {
  return permille % 10 === 0 ? `${permille / 10} %` : `${(permille / 10).toFixed(1)} %`;
}

type Shown = Pick<PublicJobView, 'job' | 'picture'>;

/** Early in a job the window is longer than the job is old. */
function windowOf({ job, picture }: Shown): number {
  const ageSeconds = (Date.now() - Date.parse(job.createdAt)) / 1000;
  return Math.max(1, Math.min(picture.windowSeconds, ageSeconds));
}

function RateFact({ job, picture }: Shown) {
  if (job.finishedAt !== null) return null;
  const perMinute = (60 * picture.settledLately) / windowOf({ job, picture });
  return (
    <Fact name="Units a minute">
      {perMinute >= 10 ? Math.round(perMinute).toLocaleString('en') : perMinute.toFixed(1)}
    </Fact>
  );
}

function TimeFact({ job, picture }: Shown) {
  if (job.finishedAt !== null) {
    const tookSeconds = (Date.parse(job.finishedAt) - Date.parse(job.createdAt)) / 1000;
    return <Fact name="Took">{formatDuration(tookSeconds)}</Fact>;
  }
  const open = job.units.open + job.units.awaitingOutput;
  const remaining = estimateRemaining(open, picture.settledLately, windowOf({ job, picture }));
  if (!remaining) return <Fact name="Remaining">not known yet</Fact>;
  const upTo = remaining.atMost === null ? 'or much longer' : `to ${formatDuration(remaining.atMost)}`;
  return (
    <Fact name={`Remaining; ${formatDuration(remaining.atLeast)} ${upTo}`}>
      about {formatDuration(remaining.likely)}
    </Fact>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex flex-col-reverse justify-end">
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="figure text-xl font-semibold">{children}</dd>
    </div>
  );
}

function timeOf(instant: string): string {
  return new Date(instant).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' });
}
