import { approveDevice, type HostFacts, type WaitingDevice } from '@gleaner/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { waitingDeviceQuery } from '../api/people-queries';
import { isNotThere } from '../api/problem-error';
import { useSession } from '../api/session';
import { Form, FormError, INPUT, textOf } from '../ui/field';
import { Button, PageTitle, Panel } from '../ui/parts';
import { TimeAgo } from '../ui/time-ago';

/** Where the link leads that an agent shows: a person lets the machine join their account. */
export function ActivatePage() {
  const account = useSession();
  return (
    <>
      <PageTitle lead="An agent on a machine of yours shows a code. Approve it, and what the machine computes is yours.">
        Approve a machine
      </PageTitle>
      <Panel className="max-w-xl">
        {account === null ? <SignInFirst /> : <Approval accountId={account} />}
      </Panel>
    </>
  );
}

function SignInFirst() {
  return (
    <p>
      <Link to="/sign-in" search={{ next: location.pathname + location.search }} className="link">
        Sign in
      </Link>{' '}
      or{' '}
      <Link
        to="/sign-in"
        search={{ mode: 'sign-up', next: location.pathname + location.search }}
        className="link"
      >
        create an account
      </Link>{' '}
      first; it leads back here. The machine waits for a quarter of an hour.
    </p>
  );
}

/** First which machine it is, then whether it may join: a link with a code may come from anybody. */
function Approval({ accountId }: { readonly accountId: string }) {
  const [userCode, setUserCode] = useState(() => new URLSearchParams(location.search).get('code') ?? '');
  const { data: waiting, error, isFetching } = useQuery(waitingDeviceQuery(accountId, userCode));
  const decision = useMutation({
    mutationFn: (approve: boolean) => approveDevice({ body: { userCode, approve }, throwOnError: true }),
  });
  if (decision.isSuccess) {
    const { approved, host } = decision.data.data;
    return (
      <p role="status" className="font-semibold">
        <bdi>{host.name}</bdi> {approved ? 'is one of your machines now.' : 'was turned down.'}{' '}
        <Link to="/account" className="link">
          My machines
        </Link>
      </p>
    );
  }
  if (!waiting || isNotThere(error)) {
    return <CodeForm userCode={userCode} error={error} isLooking={isFetching} onCode={setUserCode} />;
  }
  return (
    <>
      <h2 className="text-2xl [overflow-wrap:anywhere]">
        <bdi>{waiting.host.name}</bdi>
      </h2>
      <p className="mt-1 text-muted [overflow-wrap:anywhere]">{factsOf(waiting.host)}</p>
      <p className="mt-1 text-muted">
        asked <TimeAgo at={waiting.askedAt} /> with the code <Code userCode={userCode} />
      </p>
      <WhereFrom waiting={waiting} />
      <p className="mt-4">
        Approve it only if you began this yourself and see the same code there. It gets a token that can only
        compute, for your account.
      </p>
      <FormError error={decision.error} />
      <div className="mt-5 flex flex-wrap gap-3">
        <Button disabled={decision.isPending} onClick={() => decision.mutate(true)}>
          Approve
        </Button>
        <Button look="quiet" disabled={decision.isPending} onClick={() => decision.mutate(false)}>
          Turn it down
        </Button>
        <Button look="quiet" disabled={decision.isPending} onClick={() => setUserCode('')}>
          Another code
        </Button>
      </div>
    </>
  );
}

/** A link that somebody else made to have their machine approved comes from elsewhere, as a rule. */
function WhereFrom({ waiting: { network, isYourNetwork } }: { readonly waiting: WaitingDevice }) {
  if (network === null || isYourNetwork === null) {
    return <p className="mt-1 text-muted">from a network that is not known here</p>;
  }
  if (isYourNetwork) return <p className="mt-1 text-muted">from the network that you are in</p>;
  return (
    <p className="mt-1 font-semibold">
      from <span className="font-mono">{network}</span>, not the network that you are in
    </p>
  );
}

function CodeForm({
  userCode,
  error,
  isLooking,
  onCode,
}: {
  readonly userCode: string;
  readonly error: Error | null;
  readonly isLooking: boolean;
  readonly onCode: (userCode: string) => void;
}) {
  return (
    <Form onSubmit={(form) => onCode(textOf(form, 'code').trim())}>
      <label htmlFor="code" className="font-semibold">
        Code
      </label>
      <p id="code-help" className="mt-1 text-sm text-muted">
        Eight letters that the agent shows, such as WDJB-MJHT.
      </p>
      <input
        id="code"
        name="code"
        required
        autoComplete="off"
        autoCapitalize="characters"
        pattern="\s*[A-Za-z]{4}[\s\-]?[A-Za-z]{4}\s*"
        aria-describedby="code-help"
        defaultValue={userCode}
        className={`${INPUT} font-mono uppercase`}
      />
      <FormError error={error} />
      <Button type="submit" className="mt-4" disabled={isLooking}>
        {isLooking ? 'Looking for it …' : 'Find the machine'}
      </Button>
    </Form>
  );
}

function Code({ userCode }: { readonly userCode: string }) {
  return <span className="font-mono whitespace-nowrap text-ink uppercase">{userCode}</span>;
}

function factsOf({ kind, platform, cores, memoryMiB }: HostFacts): string {
  const size = `${cores} ${cores === 1 ? 'core' : 'cores'}, ${memoryMiB.toLocaleString('en')} MiB`;
  return `${kind === 'browser' ? 'A browser' : 'An agent'} on ${platform}, ${size}`;
}
