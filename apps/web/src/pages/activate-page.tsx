import { approveDevice } from '@gleaner/client';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useSession } from '../api/session';
import { Button, PageTitle, Panel } from '../ui/parts';

/** Where the link leads that an agent shows: a person lets the machine join their account. */
export function ActivatePage() {
  const account = useSession();
  return (
    <>
      <PageTitle lead="An agent on a machine of yours shows a code. Approve it, and what the machine computes is yours.">
        Approve a machine
      </PageTitle>
      <Panel className="max-w-xl">{account === null ? <SignInFirst /> : <ApprovalForm />}</Panel>
    </>
  );
}

function SignInFirst() {
  return (
    <p>
      <Link
        to="/sign-in"
        search={{ next: location.pathname + location.search }}
        className="text-accent underline underline-offset-4"
      >
        Sign in
      </Link>{' '}
      or{' '}
      <Link
        to="/sign-in"
        search={{ mode: 'sign-up', next: location.pathname + location.search }}
        className="text-accent underline underline-offset-4"
      >
        create an account
      </Link>{' '}
      first; it leads back here. The machine waits for a quarter of an hour.
    </p>
  );
}

function ApprovalForm() {
  const [userCode, setUserCode] = useState(() => new URLSearchParams(location.search).get('code') ?? '');
  const decision = useMutation({
    mutationFn: (approve: boolean) => approveDevice({ body: { userCode, approve }, throwOnError: true }),
  });
  if (decision.isSuccess) {
    const { approved, host } = decision.data.data;
    return (
      <p role="status" className="font-semibold">
        <bdi>{host.name}</bdi> {approved ? 'is one of your machines now.' : 'was turned down.'}{' '}
        <Link to="/account" className="text-accent underline underline-offset-4">
          My machines
        </Link>
      </p>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        decision.mutate(true);
      }}
    >
      <label htmlFor="code" className="font-semibold">
        Code
      </label>
      <p id="code-help" className="mt-1 text-sm text-muted">
        Approve it only if you see the same code at a machine of yours at this moment.
      </p>
      <input
        id="code"
        required
        autoComplete="off"
        autoCapitalize="characters"
        pattern="\s*[A-Za-z]{4}[\s\-]?[A-Za-z]{4}\s*"
        aria-describedby={decision.isError ? 'code-help code-error' : 'code-help'}
        value={userCode}
        onChange={(event) => setUserCode(event.target.value)}
        className="mt-3 min-h-11 w-full rounded-lg border border-muted bg-ground px-3 font-mono uppercase"
      />
      {decision.isError && (
        <p id="code-error" role="alert" className="mt-2 text-sm text-bad">
          {decision.error.message}
        </p>
      )}
      <div className="mt-4 flex flex-wrap gap-3">
        <Button type="submit" disabled={decision.isPending}>
          Approve
        </Button>
        <Button
          look="quiet"
          type="button"
          disabled={decision.isPending}
          onClick={() => decision.mutate(false)}
        >
          Turn it down
        </Button>
      </div>
    </form>
  );
}
