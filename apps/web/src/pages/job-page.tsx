import type { Job as OwnJob, PublicJobView } from '@gleaner/client';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ownJobQuery } from '../api/queries';
import { isNotThere } from '../api/problem-error';
import { serverNowMs } from '../api/server-clock';
import { useSession } from '../api/session';
import { useLiveJob } from '../api/use-live-job';
import { Candidates } from '../job/candidates';
import { OwnerPanels } from '../job/owner-panels';
import { paceOf } from '../job/pace';
import { ShownAnswer } from '../job/shown-answer';
import { Spread } from '../job/spread';
import { Cycles } from '../ui/cycles';
import { formatDuration, type Remaining } from '../ui/estimate-remaining';
import { JobState } from '../ui/job-state';
import { Empty, PageTitle, Panel, Progress } from '../ui/parts';
import { UnitSquares } from '../ui/unit-squares';
import { Waiting } from '../ui/waiting';

export function JobPage() {
  const { jobId } = useParams({ from: '/jobs/$jobId' });
  const { data, error, refetch } = useLiveJob(jobId);
  if (!data || isNotThere(error)) {
    return <Waiting what="the job" error={error} onRetry={refetch} isPerhapsMine />;
  }
  return <Job view={data} />;
}

function Job({ view: { job, picture, helpers, swarm } }: { readonly view: PublicJobView }) {
  const accountId = useSession();
  const isOver = job.finishedAt !== null;
  const { data: own } = useQuery(ownJobQuery(job.id, accountId, isOver));
  return (
    <>
      <PageTitle
        lead={
          <>
            <bdi>{job.project.name}</bdi> · for <bdi>{job.scientist}</bdi> · app <bdi>{job.app}</bdi>
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
          <p dir="auto" className="mt-3 text-bad [overflow-wrap:anywhere]">
            {job.stateReason}
          </p>
        )}
        <dl className="mt-6 grid grid-cols-2 gap-x-6 gap-y-5 md:flex md:gap-x-14">
          <Fact name="Units valid">
            {job.units.valid.toLocaleString('en')} of {job.units.total.toLocaleString('en')}
          </Fact>
          <Fact name="Tasks computed">{job.tasks.toLocaleString('en')}</Fact>
          <Fact name="Validated">
            <Cycles value={job.validatedCycles} />
          </Fact>
          <PaceFacts job={job} picture={picture} />
        </dl>
      </Panel>
      <Panel className="mt-6">
        <h2 className="mb-4 text-2xl">Every piece of it</h2>
        {picture.squares === '' ? (
          <Empty>
            {isOver ? 'The job ended before it was cut into units.' : 'The job is being cut into units.'}
          </Empty>
        ) : (
          <UnitSquares squares={picture.squares} unitsPerSquare={picture.unitsPerSquare} />
        )}
        {/* Of a job that rests they wait for its scientist. */}
        {job.units.blocked > 0 && job.state === 'running' && (
          <p className="mt-4 text-muted">
            {job.units.blocked === 1
              ? 'One unit waits for somebody who has not computed it yet'
              : `${job.units.blocked.toLocaleString('en')} units wait for somebody who has not computed them yet`}
            : two results of one person prove nothing.
          </p>
        )}
      </Panel>
      <Spread swarm={swarm} isOver={isOver} />
      <WhatWasFound job={job} own={own ?? null} accountId={accountId} />
      {job.output && !own && <ShownAnswer jobId={job.id} output={job.output} />}
      {own && <OwnerPanels job={own} shown={job} accountId={accountId} />}
      <div className="mt-6 grid grid-cols-1 gap-6 md:grid-cols-2">
        <Panel>
          <h2 className="mb-3 text-2xl">Who helped</h2>
          {helpers.length === 0 ? (
            <p className="text-muted">
              {isOver
                ? 'The job ended before any result of it was validated.'
                : 'The first validated results will name them.'}
            </p>
          ) : (
            <ul className="divide-y divide-line">
              {helpers.map((helper) => (
                // Of a name that is too long for the figures beside it, they stand below: on a phone most are.
                <li key={helper.id} className="flex flex-wrap justify-between gap-x-4 py-2.5">
                  <bdi className="min-w-0 font-semibold [overflow-wrap:anywhere]">{helper.name}</bdi>
                  <span className="figure ml-auto whitespace-nowrap text-muted">
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
          <p dir="auto" className="[overflow-wrap:anywhere] whitespace-pre-line">
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

/** The answer, where it is shown to everybody or to this scientist. */
function WhatWasFound({
  job,
  own,
  accountId,
}: {
  readonly job: PublicJobView['job'];
  readonly own: OwnJob | null;
  readonly accountId: string | null;
}) {
  if (job.output) return <Candidates jobId={job.id} answer={{ accountId: null, ...job.output }} />;
  if (!own?.output) return null;
  return <Candidates jobId={job.id} answer={{ accountId, sizeBytes: own.output.sizeBytes }} />;
}

function percentOf(permille: number): string {
  return permille % 10 === 0 ? `${permille / 10} %` : `${(permille / 10).toFixed(1)} %`;
}

/** How fast it goes and how long it takes: of a job that rests nothing can be told. */
function PaceFacts({ job, picture }: Pick<PublicJobView, 'job' | 'picture'>) {
  if (job.finishedAt !== null) {
    const tookSeconds = (Date.parse(job.finishedAt) - Date.parse(job.createdAt)) / 1000;
    return <Fact name="Took">{formatDuration(tookSeconds)}</Fact>;
  }
  if (job.state !== 'running') return null;
  const { unitsPerMinute, remaining } = paceOf({ job, picture }, serverNowMs());
  return (
    <>
      <Fact name="Units a minute">
        {unitsPerMinute >= 10 ? Math.round(unitsPerMinute).toLocaleString('en') : unitsPerMinute.toFixed(1)}
      </Fact>
      {remaining ? (
        <Fact name={`Remaining; ${formatDuration(remaining.atLeast)} ${upperEnd(remaining)}`} isWide>
          about {formatDuration(remaining.likely)}
        </Fact>
      ) : (
        <Fact name="Remaining">not known yet</Fact>
      )}
    </>
  );
}

function upperEnd({ atMost }: Remaining): string {
  return atMost === null ? 'or much longer' : `to ${formatDuration(atMost)}`;
}

function Fact({
  name,
  isWide = false,
  children,
}: {
  readonly name: string;
  /** On a phone, where others stand in pairs. */
  readonly isWide?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <div className={`flex flex-col-reverse justify-end ${isWide ? 'col-span-2' : ''}`}>
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="figure text-xl font-semibold md:whitespace-nowrap">{children}</dd>
    </div>
  );
}

function timeOf(instant: string): string {
  return new Date(instant).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' });
}
