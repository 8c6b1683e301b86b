import { claimAnonymousWork } from '@gleaner/client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { myAccountQuery } from '../../api/queries';
import { Field, Form, FormError, textOf } from '../../ui/field';
import { Button, Panel } from '../../ui/parts';
import { readSavedHost } from '../../volunteer/saved-host';

/** What this browser computed before anybody signed in. */
export function ClaimAnonymous({ accountId }: { readonly accountId: string }) {
  const [host] = useState(readSavedHost);
  const claim = useClaim(accountId);
  const isHere = host?.isAnonymous === true && host.accountId !== accountId;
  if (claim.isSuccess) {
    return (
      <Panel className="mb-6">
        <p role="status" className="font-semibold text-good">
          Claimed: it is your work now.
        </p>
      </Panel>
    );
  }
  if (!isHere) return null;
  return (
    <Panel className="mb-6">
      <h2 className="text-xl">This browser computed without a name</h2>
      <p className="mt-1 mb-4 text-muted">
        Claimed, its work is yours: machine {host.hostId} and you count as one person from then on.
      </p>
      <Button disabled={claim.isPending} onClick={() => claim.mutate(host.secret)}>
        Claim this work
      </Button>
      <FormError error={claim.error} />
    </Panel>
  );
}

/** What another machine computed without a name, by its token. */
export function ClaimByToken({ accountId }: { readonly accountId: string }) {
  const claim = useClaim(accountId);
  return (
    <details className="mt-2">
      <summary className="cursor-pointer py-2 font-semibold text-muted hover:text-ink">
        Claim what a machine computed without a name
      </summary>
      <Panel className="mt-2 max-w-xl">
        <Form className="space-y-4" onSubmit={(form) => claim.mutate(textOf(form, 'secret').trim())}>
          <Field
            label="Token of the machine"
            name="secret"
            type="password"
            autoComplete="off"
            hint="It starts with gln_ and lies in the data directory of the agent that was attached with --anonymous."
            required
          />
          <FormError error={claim.error} />
          <div className="flex items-center gap-4">
            <Button type="submit" disabled={claim.isPending}>
              Claim its work
            </Button>
            <span role="status" className="text-sm font-semibold text-good">
              {claim.isSuccess && 'Claimed: it is your work now.'}
            </span>
          </div>
        </Form>
      </Panel>
    </details>
  );
}

function useClaim(accountId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (secret: string) => claimAnonymousWork({ body: { secret }, throwOnError: true }),
    onSuccess: () => queryClient.invalidateQueries(myAccountQuery(accountId)),
  });
}
