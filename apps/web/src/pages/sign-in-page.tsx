import { useQuery } from '@tanstack/react-query';
import { Link, useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import { sessionQuery } from '../api/people-queries';
import { rememberSession, useSession } from '../api/session';
import { PageTitle, Panel } from '../ui/parts';
import { readSignInSearch, type SignInMode } from './sign-in-search';
import type { FormProps } from './sign-in/other-form';
import { ForgotForm, ResetForm } from './sign-in/password-reset-forms';
import { SignInForm } from './sign-in/sign-in-form';
import { SignUpForm } from './sign-in/sign-up-form';
import { TokenForm } from './sign-in/token-form';

const ARRIVING: readonly SignInMode[] = ['sign-in', 'sign-up', 'token'];

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

export function SignInForms({ mode, search }: FormProps & { readonly mode: SignInMode }) {
  // The cookie may know of a session that this page does not.
  const { data, isFetchedAfterMount } = useQuery(sessionQuery(null));
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
        <Link to="/volunteer" className="link">
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

const FORMS: Readonly<Record<SignInMode, (props: FormProps) => ReactNode>> = {
  'sign-in': SignInForm,
  'sign-up': SignUpForm,
  forgot: ForgotForm,
  reset: ResetForm,
  token: TokenForm,
};
