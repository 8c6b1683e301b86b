import { changeMyEmail, changeMyPassword, requestMyEmailChange } from '@gleaner/client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { sessionQuery } from '../../api/people-queries';
import { Field, fieldError, Form, FormError, textOf } from '../../ui/field';
import { Button, Panel } from '../../ui/parts';
import { NewPasswordField } from '../sign-in/fields';

/** How one signs in. Nobody changes it who only found a browser that is signed in: the password is asked for again. */
export function Credentials({ accountId, email }: { readonly accountId: string; readonly email: string }) {
  return (
    <div className="mt-6 grid max-w-4xl grid-cols-1 gap-6 md:grid-cols-2">
      <PasswordChange />
      <EmailChange accountId={accountId} email={email} />
    </div>
  );
}

function PasswordChange() {
  // Anew after each change: passwords do not stay in a page.
  const [changes, setChanges] = useState(0);
  const change = useMutation({
    mutationFn: (form: FormData) =>
      changeMyPassword({
        body: { current: textOf(form, 'current'), password: textOf(form, 'password') },
        throwOnError: true,
      }),
    onSuccess: () => setChanges((count) => count + 1),
  });
  return (
    <Panel>
      <h2 className="text-xl">Password</h2>
      <Form key={changes} label="Password" className="mt-4 space-y-4" onSubmit={change.mutate}>
        <Current error={change.error} />
        <NewPasswordField label="New password" error={fieldError(change.error, 'password')} />
        <FormError error={change.error} />
        <Button type="submit" look="quiet" disabled={change.isPending}>
          Change the password
        </Button>
      </Form>
      <Done>{change.isSuccess && 'Changed. Your other browsers are signed out.'}</Done>
    </Panel>
  );
}

function EmailChange({ accountId, email }: { readonly accountId: string; readonly email: string }) {
  const queryClient = useQueryClient();
  const asking = useMutation({
    mutationFn: (form: FormData) =>
      requestMyEmailChange({
        body: { current: textOf(form, 'current'), email: textOf(form, 'email').trim() },
        throwOnError: true,
      }),
  });
  const change = useMutation({
    mutationFn: (form: FormData) =>
      changeMyEmail({ body: { code: textOf(form, 'code').trim() }, throwOnError: true }),
    onSuccess: async () => {
      asking.reset();
      await queryClient.invalidateQueries(sessionQuery(accountId));
    },
  });
  return (
    <Panel>
      <h2 className="text-xl">E-mail address</h2>
      <p className="mt-1 text-muted [overflow-wrap:anywhere]">{email}</p>
      {asking.isSuccess ? (
        <Form key="code" className="mt-4 space-y-4" onSubmit={change.mutate}>
          <p role="status" className="font-semibold">
            A code is on its way to the new address.
          </p>
          <Field
            label="Code"
            name="code"
            autoComplete="one-time-code"
            required
            error={fieldError(change.error, 'code')}
          />
          <FormError error={change.error} />
          <div className="flex flex-wrap gap-3">
            <Button type="submit" look="quiet" disabled={change.isPending}>
              Use the new address
            </Button>
            <Button look="quiet" onClick={() => asking.reset()}>
              Keep the old one
            </Button>
          </div>
        </Form>
      ) : (
        <Form
          key="address"
          label="E-mail address"
          className="mt-4 space-y-4"
          onSubmit={(form) => {
            // What became of the last code says nothing of the next one.
            change.reset();
            asking.mutate(form);
          }}
        >
          <Current error={asking.error} />
          <Field
            label="New e-mail address"
            name="email"
            type="email"
            autoComplete="email"
            maxLength={254}
            required
            error={fieldError(asking.error, 'email')}
          />
          <FormError error={asking.error} />
          <Button type="submit" look="quiet" disabled={asking.isPending}>
            Send a code to it
          </Button>
        </Form>
      )}
      <Done>{change.isSuccess && !asking.isSuccess && 'Changed. Your other browsers are signed out.'}</Done>
    </Panel>
  );
}

function Current({ error }: { readonly error: Error | null }) {
  return (
    <Field
      label="Current password"
      name="current"
      type="password"
      autoComplete="current-password"
      required
      error={fieldError(error, 'current')}
    />
  );
}

function Done({ children }: { readonly children: ReactNode }) {
  return (
    <p role="status" className="mt-3 text-sm font-semibold text-good empty:mt-0">
      {children}
    </p>
  );
}
