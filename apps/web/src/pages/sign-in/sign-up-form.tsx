import { signUp } from '@gleaner/client';
import { Field, fieldError, textOf } from '../../ui/field';
import { AttemptForm, useSigningIn } from './attempt-form';
import { EmailField, NewPasswordField } from './fields';
import { OtherForm, type FormProps } from './other-form';

export function SignUpForm({ search }: FormProps) {
  const attempt = useSigningIn((form) =>
    signUp({
      body: {
        name: textOf(form, 'name').trim(),
        email: textOf(form, 'email').trim(),
        password: textOf(form, 'password'),
      },
      throwOnError: true,
    }),
  );
  const others = (
    <OtherForm mode="sign-in" search={search}>
      I have an account
    </OtherForm>
  );
  return (
    <AttemptForm attempt={attempt} action="Create the account" others={others}>
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
      <EmailField
        error={fieldError(attempt.error, 'email')}
        hint="Nobody sees it. It is for a lost password."
      />
      <NewPasswordField error={fieldError(attempt.error, 'password')} />
    </AttemptForm>
  );
}
