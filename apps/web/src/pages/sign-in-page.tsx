import {
  requestPasswordReset,
  resetPassword,
  signIn,
  signInWithToken,
  signUp,
  type Account,
} from '@gleaner/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import { sessionQuery } from '../api/people-queries';
import { rememberSession, useSession } from '../api/session';
import { Field, fieldError, Form, FormError, textOf } from '../ui/field';
import { Button, PageTitle, Panel } from '../ui/parts';
import { readSignInSearch, type SignInMode, type SignInSearch } from './sign-in-search';

const ARRIVING: readonly SignInMode[] = ['sign-in', 'sign-up', 'token'];
const LINK = 'text-accent underline underline-offset-4';

/** Everything before somebody is known: in, up, and back in without the password. */
export function SignInPage() {
  // The router keeps in the search what its validation has left out.
  const { mode = 'sign-in', ...rest } = readSignInSearch(useSearch({ from: '/sign-in' }));
  const accountId = useSession();
  const router = useRouter();
  const isArrived = accountId !== null && ARRIVING.includes(mode);
  const { next = '/account' } = rest;
  // Also when another tab has signed in meanwhile.
  useEffect(() => {
    if (isArrived) router.history.replace(next);
  }, [isArrived, next, router]);
  return <SignInForms mode={mode} search={rest} />;
}

/** @param search what else the address says, kept from form to form */
export function SignInForms({
  mode,
  search,
}: {
  readonly mode: SignInMode;
  readonly search: Omit<SignInSearch, 'mode'>;
}) {
  // The cookie may know of a session that this page does not.
  const { data, isFetchedAfterMount } = useQuery(sessionQuery);
  const known = isFetchedAfterMount ? data?.account?.id : undefined;
  useEffect(() => {
    if (known !== undefined) rememberSession(known);
  }, [known]);
  const { title, lead } = TITLES[mode];
  const Form = FORMS[mode];
  return (
    <div className="mx-auto max-w-lg">
      <PageTitle lead={lead}>{title}</PageTitle>
      <Panel>
        <Form search={search} />
      </Panel>
      <p className="mt-6 text-muted">
        No account is needed to{' '}
        <Link to="/volunteer" className={LINK}>
          volunteer in a tab
        </Link>
        : what you compute can be claimed later.
      </p>
    </div>
  );
}

const TITLES: Readonly<Record<SignInMode, { readonly title: string; readonly lead: string }>> = {
  'sign-in': {
    title: 'Sign in',
    lead: 'See your machines and what they gave, and get the credit under your name.',
  },
  'sign-up': { title: 'Create an account', lead: 'For credit under a name of yours, machines, and teams.' },
  forgot: { title: 'Reset the password', lead: 'A code is sent to your e-mail address.' },
  reset: { title: 'Set a new password', lead: 'With the code that was sent to you.' },
  token: { title: 'Sign in with a token', lead: 'As the operator of this coordinator, or from a program.' },
};

interface FormProps {
  readonly search: Omit<SignInSearch, 'mode'>;
}

const FORMS: Readonly<Record<SignInMode, (props: FormProps) => ReactNode>> = {
  'sign-in': SignInForm,
  'sign-up': SignUpForm,
  forgot: ForgotForm,
  reset: ResetForm,
  token: TokenForm,
};

function remember({ id }: Account): void {
  rememberSession(id);
}

function SignInForm({ search }: FormProps) {
  const attempt = useMutation({
    mutationFn: async (form: FormData) =>
      (
        await signIn({
          body: { email: textOf(form, 'email').trim(), password: textOf(form, 'password') },
          throwOnError: true,
        })
      ).data,
    onSuccess: remember,
  });
  return (
    <Form className="space-y-4" onSubmit={attempt.mutate}>
      <Email error={fieldError(attempt.error, 'email')} />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required />
      <FormError error={attempt.error} />
      <Button type="submit" className="w-full" disabled={attempt.isPending}>
        Sign in
      </Button>
      <p className="grid grid-cols-2 gap-x-6 gap-y-3 border-t border-line pt-4 text-sm">
        <Other mode="sign-up" search={search}>
          Create an account
        </Other>
        <Other mode="forgot" search={search}>
          Forgot the password?
        </Other>
        <Other mode="reset" search={search}>
          I have a code
        </Other>
        <Other mode="token" search={search}>
          Use an API token
        </Other>
      </p>
    </Form>
  );
}

function SignUpForm({ search }: FormProps) {
  const attempt = useMutation({
    mutationFn: async (form: FormData) =>
      (
        await signUp({
          body: {
            name: textOf(form, 'name').trim(),
            email: textOf(form, 'email').trim(),
            password: textOf(form, 'password'),
          },
          throwOnError: true,
        })
      ).data,
    onSuccess: remember,
  });
  return (
    <Form className="space-y-4" onSubmit={attempt.mutate}>
      <Field
        label="Name"
        name="name"
        hint="Everybody sees it on the leaderboards. It need not be your real one."
        autoComplete="nickname"
        maxLength={80}
        dir="auto"
        required
        error={fieldError(attempt.error, 'name')}
      />
      <Email error={fieldError(attempt.error, 'email')} hint="Nobody sees it. It is for a lost password." />
      <NewPassword error={fieldError(attempt.error, 'password')} />
      <FormError error={attempt.error} />
      <Button type="submit" className="w-full" disabled={attempt.isPending}>
        Create the account
      </Button>
      <p className="border-t border-line pt-4 text-sm">
        <Other mode="sign-in" search={search}>
          I have an account
        </Other>
      </p>
    </Form>
  );
}

function ForgotForm({ search }: FormProps) {
  const attempt = useMutation({
    mutationFn: (form: FormData) =>
      requestPasswordReset({ body: { email: textOf(form, 'email').trim() }, throwOnError: true }),
  });
  if (attempt.isSuccess) {
    return (
      <>
        <p role="status" className="font-semibold">
          If somebody has this address, a code is on its way to it.
        </p>
        <p className="mt-4">
          <Other mode="reset" search={search}>
            Enter the code
          </Other>
        </p>
      </>
    );
  }
  return (
    <Form className="space-y-4" onSubmit={attempt.mutate}>
      <Email error={fieldError(attempt.error, 'email')} />
      <FormError error={attempt.error} />
      <Button type="submit" className="w-full" disabled={attempt.isPending}>
        Send a code
      </Button>
      <p className="border-t border-line pt-4 text-sm">
        <Other mode="sign-in" search={search}>
          Back to signing in
        </Other>
      </p>
    </Form>
  );
}

function ResetForm({ search }: FormProps) {
  const attempt = useMutation({
    mutationFn: (form: FormData) =>
      resetPassword({
        body: { code: textOf(form, 'code').trim(), password: textOf(form, 'password') },
        throwOnError: true,
      }),
  });
  if (attempt.isSuccess) {
    return (
      <>
        <p role="status" className="font-semibold text-good">
          The new password is set, and every browser was signed out.
        </p>
        <p className="mt-4">
          <Other mode="sign-in" search={search}>
            Sign in
          </Other>
        </p>
      </>
    );
  }
  return (
    <Form className="space-y-4" onSubmit={attempt.mutate}>
      <Field
        label="Code"
        name="code"
        autoComplete="one-time-code"
        defaultValue={search.code}
        required
        error={fieldError(attempt.error, 'code')}
      />
      <NewPassword error={fieldError(attempt.error, 'password')} />
      <FormError error={attempt.error} />
      <Button type="submit" className="w-full" disabled={attempt.isPending}>
        Set the password
      </Button>
    </Form>
  );
}

function TokenForm({ search }: FormProps) {
  const attempt = useMutation({
    mutationFn: async (form: FormData) =>
      (
        await signInWithToken({
          headers: { authorization: `Bearer ${textOf(form, 'token').trim()}` },
          throwOnError: true,
        })
      ).data,
    onSuccess: remember,
  });
  return (
    <Form className="space-y-4" onSubmit={attempt.mutate}>
      <Field
        label="API token"
        name="token"
        type="password"
        hint={
          <>
            It starts with gln_. The first operator’s was printed when the coordinator began; your own are on
            your account’s page. It is exchanged for a session, and not kept.
          </>
        }
        pattern="\s*gln_[A-Za-z0-9_\-]{32,80}\s*"
        autoComplete="off"
        required
      />
      <FormError error={attempt.error} />
      <Button type="submit" className="w-full" disabled={attempt.isPending}>
        Sign in
      </Button>
      <p className="border-t border-line pt-4 text-sm">
        <Other mode="sign-in" search={search}>
          Sign in with a password
        </Other>
      </p>
    </Form>
  );
}

function Email({ error, hint }: { readonly error?: string | undefined; readonly hint?: string }) {
  return (
    <Field
      label="E-mail address"
      name="email"
      type="email"
      autoComplete="email"
      maxLength={254}
      required
      error={error}
      {...(hint !== undefined && { hint })}
    />
  );
}

function NewPassword({ error }: { readonly error?: string | undefined }) {
  return (
    <Field
      label="Password"
      name="password"
      type="password"
      hint="At least 8 characters; longer is better."
      autoComplete="new-password"
      minLength={8}
      maxLength={128}
      required
      error={error}
    />
  );
}

function Other({
  mode,
  search,
  children,
}: {
  readonly mode: SignInMode;
  readonly search: Omit<SignInSearch, 'mode'>;
  readonly children: ReactNode;
}) {
  return (
    <Link to="/sign-in" search={{ ...search, ...(mode !== 'sign-in' && { mode }) }} className={LINK}>
      {children}
    </Link>
  );
}
