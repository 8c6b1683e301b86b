import { renameMyAccount } from '@gleaner/client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { sessionQuery } from '../api/people-queries';
import { myAccountQuery } from '../api/queries';
import { useSession } from '../api/session';
import { Field, fieldError, Form, FormError, textOf } from '../ui/field';
import { Button, PageTitle, Panel } from '../ui/parts';
import { Waiting } from '../ui/waiting';
import { Credentials } from './account/credentials';
import { DeleteAccount } from './account/delete-account';
import { MyTokens } from './account/my-tokens';
import { SignInForms } from './sign-in-page';

export function AccountSettingsPage() {
  const accountId = useSession();
  const { data: account, error, refetch } = useQuery(myAccountQuery(accountId));
  const { data: session } = useQuery(sessionQuery(accountId));
  if (accountId === null) return <SignInForms mode="sign-in" search={{ next: '/account/settings' }} />;
  if (!account) return <Waiting what="your account" error={error} onRetry={refetch} />;
  return (
    <>
      <p className="mb-4">
        <Link to="/account" className="link">
          My account
        </Link>
      </p>
      <PageTitle lead={session?.email ?? undefined}>Settings</PageTitle>
      <Rename accountId={accountId} name={account.name} />
      {/* null: signed in with a token, which has no password. */}
      {session?.email && <Credentials accountId={accountId} email={session.email} />}
      <MyTokens accountId={accountId} isOperator={account.operator} />
      <DeleteAccount name={account.name} />
    </>
  );
}

function Rename({ accountId, name }: { readonly accountId: string; readonly name: string }) {
  const queryClient = useQueryClient();
  const rename = useMutation({
    mutationFn: (form: FormData) =>
      renameMyAccount({ body: { name: textOf(form, 'name').trim() }, throwOnError: true }),
    onSuccess: () => queryClient.invalidateQueries(myAccountQuery(accountId)),
  });
  return (
    <Panel className="max-w-[27.25rem]">
      <Form onSubmit={rename.mutate}>
        <Field
          label="Name"
          name="name"
          hint="As the leaderboards show it."
          defaultValue={name}
          maxLength={80}
          dir="auto"
          required
          error={fieldError(rename.error, 'name')}
        />
        <FormError error={rename.error} />
        <div className="mt-4 flex items-center gap-4">
          <Button type="submit" look="quiet" disabled={rename.isPending}>
            Save the name
          </Button>
          <span role="status" className="text-sm font-semibold text-good">
            {rename.isSuccess && 'Saved.'}
          </span>
        </div>
      </Form>
    </Panel>
  );
}
