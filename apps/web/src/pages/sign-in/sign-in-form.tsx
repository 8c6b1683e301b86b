import { signIn } from '@gleaner/client';
import { Field, fieldError, textOf } from '../../ui/field';
import { AttemptForm, useSigningIn } from './attempt-form';
import { EmailField } from './fields';
import { OtherForm, type FormProps } from './other-form';

export function SignInForm({ search }: FormProps) {
  const attempt = useSigningIn((form) =>
    signIn({
      body: { email: textOf(form, 'email').trim(), password: textOf(form, 'password') },
      throwOnError: true,
    }),
  );
  const others = (
    <p className="grid grid-cols-2 gap-x-6 gap-y-3">
      <OtherForm mode="sign-up" search={search}>
        Create an account
      </OtherForm>
      <OtherForm mode="forgot" search={search}>
        Forgot the password?
      </OtherForm>
      <OtherForm mode="reset" search={search}>
        I have a code
      </OtherForm>
      <OtherForm mode="token" search={search}>
        Use an API token
      </OtherForm>
    </p>
  );
  return (
    <AttemptForm attempt={attempt} action="Sign in" others={others}>
      <EmailField error={fieldError(attempt.error, 'email')} />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required />
    </AttemptForm>
  );
}
