import { requestPasswordReset, resetPassword } from '@gleaner/client';
import { useMutation } from '@tanstack/react-query';
import { Field, fieldError, textOf } from '../../ui/field';
import { AttemptDone, AttemptForm } from './attempt-form';
import { EmailField, NewPasswordField } from './fields';
import { OtherForm, type FormProps } from './other-form';

/** Has a code sent to the address of somebody who forgot the password. */
export function ForgotForm({ search }: FormProps) {
  const attempt = useMutation({
    mutationFn: (form: FormData) =>
      requestPasswordReset({ body: { email: textOf(form, 'email').trim() }, throwOnError: true }),
  });
  if (attempt.isSuccess) {
    const next = (
      <OtherForm mode="reset" search={search}>
        Enter the code
      </OtherForm>
    );
    return <AttemptDone next={next}>If somebody has this address, a code is on its way to it.</AttemptDone>;
  }
  const others = (
    <OtherForm mode="sign-in" search={search}>
      Back to signing in
    </OtherForm>
  );
  return (
    <AttemptForm attempt={attempt} action="Send a code" others={others}>
      <EmailField error={fieldError(attempt.error, 'email')} />
    </AttemptForm>
  );
}

/** Sets a new password with that code. */
export function ResetForm({ search }: FormProps) {
  const attempt = useMutation({
    mutationFn: (form: FormData) =>
      resetPassword({
        body: { code: textOf(form, 'code').trim(), password: textOf(form, 'password') },
        throwOnError: true,
      }),
  });
  if (attempt.isSuccess) {
    const next = (
      <OtherForm mode="sign-in" search={search}>
        Sign in
      </OtherForm>
    );
    return <AttemptDone next={next}>The new password is set, and every browser was signed out.</AttemptDone>;
  }
  return (
    <AttemptForm attempt={attempt} action="Set the password">
      <Field
        label="Code"
        name="code"
        autoComplete="one-time-code"
        defaultValue={search.code}
        required
        error={fieldError(attempt.error, 'code')}
      />
      <NewPasswordField error={fieldError(attempt.error, 'password')} />
    </AttemptForm>
  );
}
