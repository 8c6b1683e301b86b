import { claimAnonymousWork } from '@gleaner/client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ProblemError } from '../../api/problem-error';
import { Field, Form, FormError, textOf } from '../../ui/field';
import { Button, Panel } from '../../ui/parts';
import { noteClaim, type SavedHost } from '../../volunteer/saved-host';
import { useUnclaimedHosts } from '../../volunteer/use-saved-hosts';

/** The coordinator's answers for work that is another person's by now, and for a token that it does not know any more. */
const CLAIMED_ALREADY = 409;
const IS_UNKNOWN = 400;
const NOBODY_HERE = 'nobody here';

/** What this browser computed before anybody signed in. */
export function ClaimAnonymous({ accountId }: { readonly accountId: string }) {
  const hosts = useUnclaimedHosts();
  const claim = useClaim(accountId);
  if (claim.isSuccess) {
    return (
      <Panel className="mb-6">
        <p role="status" className="font-semibold text-good">
          Claimed: it is your work now.
        </p>
      </Panel>
    );
  }
  if (hosts.length === 0) {
    return claim.error && <FormError error={claim.error} />;
  }
  return (
    <Panel className="mb-6">
      <h2 className="text-xl">This browser computed without a name</h2>
      <p className="mt-1 mb-4 text-muted">
        Claimed, its work is yours: {namesOf(hosts)} and you count as one person from then on. It cannot be
        taken back, nor claimed by anybody else.
      </p>
      <Button disabled={claim.isPending} onClick={() => claim.mutate(hosts)}>
        Claim this work
      </Button>
      <FormError error={claim.error} />
    </Panel>
  );
}

function namesOf(hosts: readonly SavedHost[]): string {
  const ids = new Intl.ListFormat('en').format(hosts.map(({ hostId }) => hostId));
  return `${hosts.length === 1 ? 'machine' : 'machines'} ${ids}`;
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
        <Form
          className="space-y-4"
          onSubmit={(form) => claim.mutate([{ secret: textOf(form, 'secret').trim() }])}
        >
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

/** Why this machine's work cannot be claimed, now or ever; undefined where another try may succeed. */
function refusalOf(hostId: string, error: unknown): Error | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  if (error.status === CLAIMED_ALREADY) return error;
  if (error.status !== IS_UNKNOWN) return undefined;
  return new Error(
    `Nobody can claim what machine ${hostId} computed: the coordinator does not know it any more.`,
  );
}

type Claimed = Pick<SavedHost, 'secret'> & Partial<Pick<SavedHost, 'hostId'>>;

function useClaim(accountId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (hosts: readonly Claimed[]) => {
      let refusal: Error | undefined;
      for (const { hostId, secret } of hosts) {
        try {
          await claimAnonymousWork({ body: { secret }, throwOnError: true });
          if (hostId !== undefined) noteClaim(hostId, accountId);
        } catch (error) {
          const final = hostId === undefined ? undefined : refusalOf(hostId, error);
          if (hostId === undefined || final === undefined) throw error;
          refusal = final;
          // It will never be theirs, and is not in the way of what may be.
          noteClaim(hostId, NOBODY_HERE);
        }
      }
      if (refusal) throw refusal;
    },
    // Credit, machines, and places on boards: all of it may be more now.
    onSettled: () => queryClient.invalidateQueries(),
  });
}
