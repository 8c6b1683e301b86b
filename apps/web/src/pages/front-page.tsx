import type { PublicJob } from '@gleaner/client';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { boardQuery, runningJobsQuery, statsQuery } from '../api/queries';
import { useLiveJob } from '../api/use-live-job';
import { BoardTable } from '../ui/board-table';
import { Cycles } from '../ui/cycles';
import { CORE_ASSUMED, formatCoreHours } from '../ui/format-cycles';
import { JobCard } from '../ui/job-card';
import { ButtonLink, Commands, Empty, Panel } from '../ui/parts';
import { UnitSquares } from '../ui/unit-squares';

const NAMED_HELPERS = 5;

export function FrontPage() {
  return (
    <>
      <div className="grid grid-cols-1 items-center gap-8 lg:grid-cols-[1.25fr_1fr] lg:gap-14">
        <div>
          <h1 className="text-4xl leading-[1.08] sm:text-6xl">
            The time your computer leaves lying, gathered for science.
          </h1>
          <p className="mt-5 max-w-xl text-lg text-muted">
            Scientists bring a search that would take years. Volunteers compute it piece by piece, safely, in
            a sandbox that sees nothing of their machine. A result counts when independent people agree on
            every bit.
          </p>
          <div className="mt-7 flex flex-wrap gap-3">
            <ButtonLink to="/volunteer">Volunteer in this tab</ButtonLink>
            <a
              href="#join"
              className="inline-flex min-h-11 items-center rounded-lg border border-line bg-panel px-5 py-2.5 font-semibold no-underline hover:border-accent"
            >
              Join with a machine
            </a>
          </div>
        </div>
        <RightNow />
      </div>
      <ComputingNow />
      <div className="mt-16 grid grid-cols-1 gap-6 lg:grid-cols-2" id="join">
        <Join />
        <Submit />
      </div>
      <MostGiven />
    </>
  );
}

function RightNow() {
  const { data } = useQuery(statsQuery);
  return (
    <Panel className="shadow-[0_1px_0_var(--line)]">
      <h2 className="flex items-center gap-2.5 text-xl">
        <span
          aria-hidden="true"
          className={`size-2.5 rounded-full ${data?.now.tasks ? 'bg-grain breathing' : 'bg-line'}`}
        />
        Right now
      </h2>
      <p className="mt-4 text-4xl font-semibold tracking-tight sm:text-5xl">
        {data ? <Cycles value={data.now.cyclesPerSecond} unit="cycles/s" /> : <Blank />}
      </p>
      <p className="mt-1 text-sm text-muted">of validated work, over the last five minutes</p>
      <dl className="mt-6 grid grid-cols-2 gap-x-6 gap-y-5 border-t border-line pt-5">
        <Fact name="Machines computing">{data?.now.hosts.toLocaleString('en')}</Fact>
        <Fact name="Tasks in progress">{data?.now.tasks.toLocaleString('en')}</Fact>
        <Fact name="Given so far">{data && <Cycles value={data.totals.cycles} />}</Fact>
        <Fact name={`Core-hours, about, at ${CORE_ASSUMED}`}>
          {data && formatCoreHours(data.totals.cycles)}
        </Fact>
        <Fact name="Results validated">{data?.totals.tasks.toLocaleString('en')}</Fact>
        <Fact name="Volunteers">{data?.totals.accounts.toLocaleString('en')}</Fact>
      </dl>
      <p className="mt-5 border-t border-line pt-4 text-sm">
        <Link to="/statistics" className="link">
          Every hour and day of it
        </Link>
      </p>
    </Panel>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex flex-col-reverse justify-end">
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="figure text-xl font-semibold sm:text-2xl">{children ?? <Blank />}</dd>
    </div>
  );
}

function Blank() {
  return (
    <span aria-hidden="true" className="text-line">
      —
    </span>
  );
}

function ComputingNow() {
  const { data } = useQuery(runningJobsQuery);
  const [first, ...others] = data?.items ?? [];
  return (
    <section className="mt-16">
      <div className="mb-5 flex items-baseline justify-between gap-4">
        <h2 className="text-3xl">Being computed</h2>
        <Link to="/jobs" className="link">
          All jobs
        </Link>
      </div>
      {data?.items.length === 0 && (
        <Empty>No public job runs at the moment. What volunteers finished is under “All jobs”.</Empty>
      )}
      {first && <FeaturedJob key={first.id} job={first} />}
      {others.length > 0 && (
        <div className={`mt-4 grid grid-cols-1 gap-4 ${others.length > 1 ? 'md:grid-cols-2' : ''}`}>
          {others.map((job) => (
            <JobCard key={job.id} job={job} />
          ))}
        </div>
      )}
    </section>
  );
}

/** The newest job with its pieces as they are now, and who computes them. */
function FeaturedJob({ job }: { readonly job: PublicJob }) {
  const { data } = useLiveJob(job.id);
  const shown = data?.job ?? job;
  return (
    <JobCard job={shown}>
      {data && data.picture.squares !== '' && (
        <div className="mt-5 border-t border-line pt-5">
          <UnitSquares squares={data.picture.squares} unitsPerSquare={data.picture.unitsPerSquare} />
        </div>
      )}
      {data && data.helpers.length > 0 && (
        <p className="mt-4 text-sm text-muted [overflow-wrap:anywhere]">
          Computed by{' '}
          {data.helpers.slice(0, NAMED_HELPERS).map(({ id, name }, index) => (
            <span key={id}>
              {index > 0 && ', '}
              <bdi className="font-semibold text-ink">{name}</bdi>
            </span>
          ))}
          {data.helpers.length > NAMED_HELPERS && ' and others'}
        </p>
      )}
    </JobCard>
  );
}

function Join() {
  return (
    <Panel>
      <h2 className="text-2xl">Join in two steps</h2>
      <p className="mt-2 mb-4 text-muted">
        The agent works while you do not, and stops the moment you need the machine. No account is needed; you
        can claim the work later.
      </p>
      <Commands
        label="Commands that attach this machine"
        lines={[`gleaner agent attach ${location.origin} --anonymous`, 'gleaner agent run']}
      />
      <p className="mt-3 text-sm text-muted">
        In a folder with Gleaner’s source, write <Typed>npm run -s gleaner --</Typed> for{' '}
        <Typed>gleaner</Typed>; or install the agent from the one file that <Typed>npm run pack:agent</Typed>{' '}
        makes there.
      </p>
      <p className="mt-4 text-muted">
        Or in one:{' '}
        <Link to="/volunteer" className="link">
          compute in this very tab
        </Link>
        .
      </p>
    </Panel>
  );
}

function Submit() {
  return (
    <Panel>
      <h2 className="text-2xl">Submit with three commands</h2>
      <p className="mt-2 mb-4 text-muted">
        Any program that compiles to WebAssembly and reads and writes files. The platform splits, distributes,
        checks and merges.
      </p>
      <Commands
        label="Commands that submit a job"
        lines={[
          'gleaner app publish search.wasm --project mine --name search --version 1',
          'gleaner blob put tape.dat',
          'gleaner job submit job.json --watch',
        ]}
      />
      <p className="mt-3 text-sm text-muted">
        In a folder with Gleaner’s source, write <Typed>npm run -s gleaner --</Typed> for{' '}
        <Typed>gleaner</Typed>. Give it this site’s address and your token: <Typed>--url</Typed> and{' '}
        <Typed>--token</Typed>, or <Typed>GLEANER_URL</Typed> and <Typed>GLEANER_TOKEN</Typed>.
      </p>
    </Panel>
  );
}

function Typed({ children }: { readonly children: string }) {
  return <code className="font-mono whitespace-nowrap text-ink">{children}</code>;
}

function MostGiven() {
  const { data } = useQuery(boardQuery({ board: 'accounts', period: 'all', limit: 5 }));
  const rows = data?.items ?? [];
  if (rows.length === 0) return null;
  return (
    <section className="mt-16">
      <div className="mb-5 flex items-baseline justify-between gap-4">
        <h2 className="text-3xl">Who gave most</h2>
        <Link to="/leaderboards" className="link">
          All leaderboards
        </Link>
      </div>
      <Panel className="py-3! sm:py-4!">
        <BoardTable rows={rows} caption="The five accounts with most validated cycles" />
      </Panel>
    </section>
  );
}
