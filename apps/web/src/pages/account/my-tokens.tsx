import { createToken, revokeToken, type CreatedToken, type Scope, type Token } from '@gleaner/client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { myTokensQuery } from '../../api/people-queries';
import { serverNowMs } from '../../api/server-clock';
import { Field, fieldError, Form, FormError, INPUT, textOf } from '../../ui/field';
import { Button, Panel } from '../../ui/parts';
import { TimeAgo } from '../../ui/time-ago';

const DAY_MS = 24 * 3600 * 1000;
const SCOPES: ReadonlyArray<{ readonly scope: Scope; readonly name: string; readonly what: string }> = [
  { scope: 'work', name: 'Work', what: 'attach machines and compute' },
  { scope: 'submit', name: 'Submit', what: 'publish apps, upload, and submit jobs' },
  { scope: 'operate', name: 'Operate', what: 'approve, hold, and pause everything' },
];
const LIFETIMES = [
  ['30', '30 days'],
  ['365', 'a year'],
  ['', 'until it is revoked'],
] as const;

/** Tokens of programs, and the browsers that are signed in. Those of machines end when the machine is detached. */
export function MyTokens({
  accountId,
  isOperator,
}: {
  readonly accountId: string;
  readonly isOperator: boolean;
}) {
  const { data = [] } = useQuery(myTokensQuery(accountId));
  const shown = data.filter((token) => token.hostId === null && isAlive(token));
  return (
    <section className="mt-10">
      <h2 className="text-3xl">Tokens and browsers</h2>
      <p className="mt-2 mb-4 max-w-3xl text-muted">
        Programs such as the command line sign in with tokens. Whoever has one may do what it says, until you
        revoke it.
      </p>
      <ul className="divide-y divide-line rounded-2xl border border-line bg-panel">
        {shown.map((token) => (
          <TokenLine key={token.id} token={token} accountId={accountId} />
        ))}
      </ul>
      <NewToken accountId={accountId} isOperator={isOperator} />
    </section>
  );
}

function isAlive({ revokedAt, expiresAt }: Token): boolean {
  return revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > serverNowMs());
}

function TokenLine({ token, accountId }: { readonly token: Token; readonly accountId: string }) {
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeToken({ path: { id: token.id }, throwOnError: true }),
    onSuccess: () => queryClient.invalidateQueries(myTokensQuery(accountId)),
  });
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 p-4">
      <div className="min-w-0">
        <p className="truncate font-semibold">
          <bdi>{token.label}</bdi>
          {token.session && <span className="ml-1 text-sm font-normal text-muted"> signed in</span>}
        </p>
        <p className="text-sm text-muted">
          may {token.scopes.join(', ')} · made <TimeAgo at={token.createdAt} /> ·{' '}
          {token.lastUsedAt === null ? (
            'never used'
          ) : (
            <>
              used <TimeAgo at={token.lastUsedAt} />
            </>
          )}
        </p>
      </div>
      <Button
        look="quiet"
        disabled={revoke.isPending}
        aria-label={`${token.session ? 'Sign out' : 'Revoke'} ${token.label}`}
        onClick={() => revoke.mutate()}
      >
        {token.session ? 'Sign out' : 'Revoke'}
      </Button>
      {revoke.error && (
        <div className="basis-full">
          <FormError error={revoke.error} />
        </div>
      )}
    </li>
  );
}

function NewToken({ accountId, isOperator }: { readonly accountId: string; readonly isOperator: boolean }) {
  const queryClient = useQueryClient();
  const creation = useMutation({
    mutationFn: async (form: FormData) => {
      const days = textOf(form, 'days');
      return (
        await createToken({
          body: {
            label: textOf(form, 'label').trim(),
            scopes: SCOPES.map(({ scope }) => scope).filter((scope) => form.has(scope)),
            ...(days !== '' && { expiresAt: new Date(serverNowMs() + Number(days) * DAY_MS).toISOString() }),
          },
          throwOnError: true,
        })
      ).data;
    },
    onSuccess: () => queryClient.invalidateQueries(myTokensQuery(accountId)),
  });
  if (creation.data) return <Shown created={creation.data} onDone={() => creation.reset()} />;
  return (
    <details className="mt-4">
      <summary className="cursor-pointer py-2 font-semibold text-muted hover:text-ink">Make a token</summary>
      <Panel className="mt-2 max-w-xl">
        <Form className="space-y-4" onSubmit={creation.mutate}>
          <Field
            label="What it is for"
            name="label"
            placeholder="Laptop’s command line"
            maxLength={80}
            dir="auto"
            required
            error={fieldError(creation.error, 'label')}
          />
          <fieldset>
            <legend className="font-semibold">What it may do</legend>
            {SCOPES.filter(({ scope }) => scope !== 'operate' || isOperator).map(({ scope, name, what }) => (
              <label key={scope} className="mt-2 flex items-baseline gap-3">
                <input
                  type="checkbox"
                  name={scope}
                  defaultChecked={scope === 'work'}
                  className="size-4 accent-grain"
                />
                <span>
                  {name} <span className="text-muted">— {what}</span>
                </span>
              </label>
            ))}
          </fieldset>
          <label className="block font-semibold">
            Valid
            <select name="days" defaultValue="365" className={`${INPUT} font-normal`}>
              {LIFETIMES.map(([days, name]) => (
                <option key={days} value={days}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <FormError error={creation.error} />
          <Button type="submit" disabled={creation.isPending}>
            Make the token
          </Button>
        </Form>
      </Panel>
    </details>
  );
}

function Shown({ created, onDone }: { readonly created: CreatedToken; readonly onDone: () => void }) {
  return (
    <Panel className="mt-4">
      <p role="status" className="font-semibold">
        Here is the token <bdi>{created.token.label}</bdi>. It is shown only now:
      </p>
      <output
        aria-label="New token"
        className="mt-3 block rounded-lg bg-sunken p-3 font-mono text-sm select-all [overflow-wrap:anywhere]"
      >
        {created.secret}
      </output>
      <Button look="quiet" className="mt-4" onClick={onDone}>
        I have it
      </Button>
    </Panel>
  );
}
