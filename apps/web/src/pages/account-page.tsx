import { claimAnonymousWork, detachHost, type Host } from '@gleaner/client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ProblemError } from '../api/query-client';
import { myAccountQuery, myHostsQuery } from '../api/queries';
import { signIn, signOut, useSessionToken } from '../api/session';
import { Cycles } from '../ui/cycles';
import { hostState } from '../ui/host-state';
import { Button, Empty, PageTitle, Panel } from '../ui/parts';
import { readSavedHost } from '../volunteer/saved-host';

export function AccountPage() {
  const token = useSessionToken();
  const { data: account, error } = useQuery(myAccountQuery(token));
  if (token === null || (error instanceof ProblemError && error.status === 401)) {
    return <SignIn isRefused={token !== null} />;
  }
  if (!account) return <p className="text-muted">Loading your account …</p>;
  return (
    <>
      <PageTitle
        lead={
          <>
            <Cycles value={account.credit} /> of validated work
            {account.operator && ' · operator'}
          </>
        }
      >
        {account.name}
      </PageTitle>
      <ClaimAnonymous accountId={account.id} token={token} />
      <MyHosts token={token} />
      <Button look="quiet" className="mt-8" onClick={signOut}>
        Sign out
      </Button>
    </>
  );
}

function SignIn({ isRefused }: { readonly isRefused: boolean }) {
  const [token, setToken] = useState('');
  return (
    <>
      <PageTitle lead="With a token you see your machines, claim what you computed without a name, and get credit under yours.">
        My account
      </PageTitle>
      <Panel className="max-w-xl">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            signIn(token.trim());
          }}
        >
          <label htmlFor="token" className="font-semibold">
            API token
          </label>
          <p id="token-help" className="mt-1 text-sm text-muted">
            It starts with gln_. An operator makes it for you, or <code>gleaner account token</code> prints
            one. It stays in this browser.
          </p>
          <input
            id="token"
            type="password"
            required
            pattern="\s*gln_[A-Za-z0-9_\-]{32,80}\s*"
            autoComplete="current-password"
            aria-describedby={isRefused ? 'token-help token-error' : 'token-help'}
            value={token}
            onChange={(event) => setToken(event.target.value)}
            className="mt-3 min-h-11 w-full rounded-lg border border-muted bg-ground px-3 font-mono"
          />
          {isRefused && (
            <p id="token-error" role="alert" className="mt-2 text-sm text-bad">
              The coordinator does not know this token, or it was revoked.
            </p>
          )}
          <div className="mt-4 flex flex-wrap gap-3">
            <Button type="submit">Sign in</Button>
            {isRefused && (
              <Button look="quiet" onClick={signOut}>
                Forget the token
              </Button>
            )}
          </div>
        </form>
        <p className="mt-6 border-t border-line pt-4 text-muted">
          No account is needed to{' '}
          <Link to="/volunteer" className="text-accent underline underline-offset-4">
            volunteer in a tab
          </Link>
          .
        </p>
      </Panel>
    </>
  );
}

function ClaimAnonymous({ accountId, token }: { readonly accountId: string; readonly token: string }) {
  const [host] = useState(readSavedHost);
  const queryClient = useQueryClient();
  const claim = useMutation({
    mutationFn: (secret: string) => claimAnonymousWork({ body: { secret }, throwOnError: true }),
    onSuccess: () => queryClient.invalidateQueries(myAccountQuery(token)),
  });
  if (!host?.isAnonymous || host.accountId === accountId) return null;
  return (
    <Panel className="mb-6">
      <h2 className="text-xl">This browser computed without a name</h2>
      <p className="mt-1 mb-4 text-muted">
        Claimed, its work is yours: machine {host.hostId} and you count as one person from then on.
      </p>
      {claim.isSuccess ? (
        <p role="status" className="font-semibold text-good">
          Claimed: it is your work now.
        </p>
      ) : (
        <Button disabled={claim.isPending} onClick={() => claim.mutate(host.secret)}>
          Claim this work
        </Button>
      )}
      {claim.isError && (
        <p role="alert" className="mt-3 text-bad">
          {claim.error.message}
        </p>
      )}
    </Panel>
  );
}

function MyHosts({ token }: { readonly token: string }) {
  const { data } = useQuery(myHostsQuery(token));
  if (!data) return null;
  return (
    <section>
      <h2 className="mb-4 text-3xl">My machines</h2>
      {data.items.length === 0 && (
        <Empty>No machine computes for you yet. Attach one with the agent, or start in a tab.</Empty>
      )}
      <ul className="grid grid-cols-1 gap-4 md:grid-cols-2">
        {data.items.map((host) => (
          <li key={host.id}>
            <HostCard host={host} token={token} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function HostCard({ host, token }: { readonly host: Host; readonly token: string }) {
  const [isAsking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const detach = useMutation({
    mutationFn: () => detachHost({ path: { id: host.id }, throwOnError: true }),
    onSuccess: () => queryClient.invalidateQueries(myHostsQuery(token)),
  });
  const { text, dot } = hostState(host, Date.now());
  return (
    <article className="h-full rounded-2xl border border-line bg-panel p-5">
      <div className="flex items-baseline justify-between gap-4">
        <h3 className="truncate text-lg font-semibold">
          <bdi>{host.name}</bdi>
        </h3>
        <Cycles value={host.credit} />
      </div>
      <p className="mt-1 flex items-baseline gap-2 text-sm">
        <span aria-hidden="true" className={`size-2.5 shrink-0 rounded-full ${dot}`} />
        {text}
      </p>
      <p className="mt-2 text-sm text-muted">
        {host.kind === 'browser' ? 'Browser' : 'Agent'} · {host.platform} · {host.cores}{' '}
        {host.cores === 1 ? 'core' : 'cores'} · {host.memoryMiB.toLocaleString('en')} MiB a task
      </p>
      <dl className="figure mt-4 grid grid-cols-3 gap-3 text-sm">
        <Tally name="agreed with others" value={host.validTasks} />
        <Tally name="disagreed" value={host.invalidTasks} />
        <Tally name="lost or broken off" value={host.errorTasks} />
      </dl>
      <p className="figure mt-3 text-sm text-muted">
        {host.allowance.usedToday.toLocaleString('en')} of {host.allowance.perDay.toLocaleString('en')} tasks
        of today’s allowance; it grows with results that agree.
      </p>
      <div className="mt-4 flex flex-wrap gap-3">
        {isAsking ? (
          <>
            <Button disabled={detach.isPending} onClick={() => detach.mutate()}>
              Yes, detach {host.name}
            </Button>
            <Button look="quiet" onClick={() => setAsking(false)}>
              Keep it
            </Button>
          </>
        ) : (
          <Button look="quiet" onClick={() => setAsking(true)}>
            Detach
          </Button>
        )}
      </div>
    </article>
  );
}

function Tally({ name, value }: { readonly name: string; readonly value: number }) {
  return (
    <div className="flex flex-col-reverse">
      <dt className="text-muted">{name}</dt>
      <dd className="text-lg font-semibold">{value.toLocaleString('en')}</dd>
    </div>
  );
}
