import { signOut, type Account, type Host } from '@gleaner/client';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { myHostsQuery, myTeamQuery } from '../api/people-queries';
import { myAccountQuery } from '../api/queries';
import { serverNowMs } from '../api/server-clock';
import { forgetSession, useSession } from '../api/session';
import { Cycles, ExactCycles } from '../ui/cycles';
import { aboutCoreHours, CORE_ASSUMED } from '../ui/format-cycles';
import { hostState } from '../ui/host-state';
import { FormError } from '../ui/field';
import { Button, Commands, Empty, MoreButton, PageTitle, Panel } from '../ui/parts';
import { useTicks } from '../ui/use-ticks';
import { NotLoaded, Waiting } from '../ui/waiting';
import { ClaimAnonymous, ClaimByToken } from './account/claim-anonymous';
import { SignInForms } from './sign-in-page';

/** Credit grows as that of the machines below does, of which it is the sum. */
const CREDIT_MS = 3_000;

export function AccountPage() {
  const accountId = useSession();
  return accountId === null ? <SignInForms mode="sign-in" search={{}} /> : <Signed accountId={accountId} />;
}

function Signed({ accountId }: { readonly accountId: string }) {
  const {
    data: account,
    error,
    refetch,
  } = useQuery({
    ...myAccountQuery(accountId),
    refetchInterval: CREDIT_MS,
  });
  const queryClient = useQueryClient();
  const leave = useMutation({
    mutationFn: () => signOut({ throwOnError: true }),
    onSuccess: () => {
      forgetSession();
      queryClient.removeQueries({ queryKey: ['me'] });
    },
  });
  if (!account) return <Waiting what="your account" error={error} onRetry={refetch} />;
  return (
    <>
      <PageTitle lead={<Given account={account} />}>{account.name}</PageTitle>
      <ClaimAnonymous accountId={accountId} />
      <MyHosts accountId={accountId} />
      <div className="mt-10 grid grid-cols-1 gap-4 md:grid-cols-2">
        <MyTeam accountId={accountId} />
        <Panel>
          <h2 className="text-xl">Account</h2>
          <ul className="mt-3 space-y-2">
            <li>
              <Link to="/account/settings" className="link">
                Name, password, tokens, and deleting the account
              </Link>
            </li>
            <li>
              <Link to="/activate" className="link">
                Approve a machine by its code
              </Link>
            </li>
            {account.operator && (
              <li>
                <Link to="/operator" className="link">
                  Operate this coordinator
                </Link>
              </li>
            )}
          </ul>
          <Button look="quiet" className="mt-5" disabled={leave.isPending} onClick={() => leave.mutate()}>
            Sign out
          </Button>
          {/* The session's cookie is still there: whoever believed otherwise would leave it to the next person. */}
          {leave.error && <FormError error={leave.error} />}
        </Panel>
      </div>
    </>
  );
}

function Given({ account }: { readonly account: Account }) {
  return (
    <>
      <Cycles value={account.credit} /> of validated work, {aboutCoreHours(account.credit)} at {CORE_ASSUMED}
      <ExactCycles value={account.credit} className="mt-1" />
    </>
  );
}

function MyHosts({ accountId }: { readonly accountId: string }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    myHostsQuery(accountId),
  );
  if (!data) return error && <NotLoaded what="your machines" error={error} onRetry={refetch} />;
  const hosts = data.pages.flatMap(({ items }) => items);
  return (
    <section>
      <h2 className="mb-4 text-3xl">My machines</h2>
      {hosts.length === 0 ? (
        <Empty>
          No machine computes for you yet. Start in{' '}
          <Link to="/volunteer" className="link">
            this browser
          </Link>
          , or attach a computer:
        </Empty>
      ) : (
        <ul className="grid grid-cols-1 gap-4 md:grid-cols-2">
          {hosts.map((host) => (
            <li key={host.id}>
              <HostCard host={host} />
            </li>
          ))}
        </ul>
      )}
      {hasNextPage && (
        <MoreButton isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()}>
          Show more machines
        </MoreButton>
      )}
      <details className="group mt-4" open={hosts.length === 0}>
        <summary className="cursor-pointer py-2 font-semibold text-muted hover:text-ink">
          Attach a computer
        </summary>
        <div className="mt-2 max-w-2xl">
          <Commands
            label="Attach a computer"
            lines={[`gleaner agent attach ${location.origin}`, 'gleaner agent run']}
          />
          <p className="mt-2 text-sm text-muted">
            The first command shows a code, which you approve here; the second computes while the computer is
            idle. It tells you, and nobody else, why it rests: that somebody types, or that it runs on
            battery.
          </p>
        </div>
      </details>
      <ClaimByToken accountId={accountId} />
    </section>
  );
}

function HostCard({ host }: { readonly host: Host }) {
  useTicks();
  const { text, dot } = hostState(host, serverNowMs());
  return (
    <article className="relative h-full rounded-2xl border border-line bg-panel p-5 transition hover:border-accent">
      <div className="flex items-baseline justify-between gap-4">
        <h3 className="min-w-0 truncate text-lg font-semibold">
          <Link
            to="/account/machines/$hostId"
            params={{ hostId: host.id }}
            className="no-underline after:absolute after:inset-0 after:rounded-2xl"
          >
            <bdi>{host.name}</bdi>
          </Link>
        </h3>
        <Cycles value={host.credit} />
      </div>
      <p className="mt-1 flex items-baseline gap-2 text-sm">
        <span aria-hidden="true" className={`size-2.5 shrink-0 rounded-full ${dot}`} />
        <span className="min-w-0 [overflow-wrap:anywhere]">{text}</span>
      </p>
      <p className="mt-2 text-sm text-muted">
        {host.kind === 'browser' ? 'Browser' : 'Agent'} · <bdi>{host.platform}</bdi> · {host.cores}{' '}
        {host.cores === 1 ? 'core' : 'cores'}
      </p>
      <dl className="figure mt-4 grid grid-cols-3 gap-3 text-sm">
        <Tally name="agreed with others">{host.validTasks.toLocaleString('en')}</Tally>
        <Tally name="disagreed">{host.invalidTasks.toLocaleString('en')}</Tally>
        <Tally name="lost or broken off">{(host.errorTasks + host.lostTasks).toLocaleString('en')}</Tally>
      </dl>
    </article>
  );
}

function Tally({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex flex-col-reverse justify-end">
      <dt className="text-muted">{name}</dt>
      <dd className="text-lg font-semibold">{children}</dd>
    </div>
  );
}

function MyTeam({ accountId }: { readonly accountId: string }) {
  const { data: team, isSuccess } = useQuery(myTeamQuery(accountId));
  if (!isSuccess) return null;
  return (
    <Panel>
      <h2 className="text-xl">My team</h2>
      {team ? (
        <p className="mt-3 [overflow-wrap:anywhere]">
          <Link to="/teams/$teamId" params={{ teamId: team.id }} className="link">
            <bdi>{team.name}</bdi>
          </Link>
          : {team.members.toLocaleString('en')} {team.members === 1 ? 'member' : 'members'},{' '}
          <Cycles value={team.credit} />
        </p>
      ) : (
        <p className="mt-3 text-muted">
          You are in no team.{' '}
          <Link to="/teams" className="link">
            Join one, or found yours
          </Link>
          : what you earn from then on counts for it as well.
        </p>
      )}
    </Panel>
  );
}
