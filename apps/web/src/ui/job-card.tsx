import type { PublicJob } from '@gleaner/client';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Cycles } from './cycles';
import { JobState } from './job-state';
import { Progress } from './parts';

/** A job in a list: what it is, for whom, how far. */
export function JobCard({ job, children }: { readonly job: PublicJob; readonly children?: ReactNode }) {
  return (
    <article className="relative rounded-2xl border border-line bg-panel p-5 transition focus-within:border-accent hover:border-accent">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <h3 className="min-w-0 text-lg font-semibold [overflow-wrap:anywhere]">
          <Link
            to="/jobs/$jobId"
            params={{ jobId: job.id }}
            className="no-underline after:absolute after:inset-0"
          >
            <bdi>{job.name}</bdi>
          </Link>
        </h3>
        <JobState state={job.state} />
      </div>
      <p className="mt-1 text-sm text-muted [overflow-wrap:anywhere]">
        <bdi>{job.project.name}</bdi> · for <bdi>{job.scientist}</bdi>
      </p>
      <div className="mt-4">
        <Progress permille={job.progressPermille} label={`Progress of ${job.name}`} />
      </div>
      <p className="figure mt-2.5 flex flex-wrap justify-between gap-x-4 text-sm text-muted">
        <span>
          {job.units.valid.toLocaleString('en')} of {job.units.total.toLocaleString('en')} units valid
        </span>
        <Cycles value={job.validatedCycles} />
      </p>
      {children}
    </article>
  );
}
