import { requestPasswordReset, resetPassword } from '@gleaner/client';
import { useMutation } from '@tanstack/react-query';
import { Field, fieldError, Form, FormError, textOf } from '../../ui/field';
import { Button } from '../../ui/parts';
import { EmailField, NewPasswordField } from './fields';
import { OtherForm, type FormProps } from './other-form';

/** Has a code sent to the address of somebody who forgot the password. */
export function ForgotForm({ search }: FormProps) {
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
          <OtherForm mode="reset" search={search}>
            Enter the code
          </OtherForm>
        </p>
      </>
    );
  }
  return (
    <Form className="space-y-4" onSubmit={attempt.mutate}>
      <EmailField error={fieldError(attempt.error, 'email')} />
      <FormError error={attempt.error} />
      <Button type="submit" className="w-full" disabled={attempt.isPending}>
        Send a code
      </Button>
      <p className="border-t border-line pt-4 text-sm">
        <OtherForm mode="sign-in" search={search}>
          Back to signing in
        </OtherForm>
      </p>
    </Form>
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
    return (
      <>
        <p role="status" className="font-semibold text-good">
          The new password is set, and every browser was signed out.
        </p>
        <p className="mt-4">
          <OtherForm mode="sign-in" search={search}>
            Sign in
          </OtherForm>
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
      <NewPasswordField error={fieldError(attempt.error, 'password')} />
      <FormError error={attempt.error} />
      <Button type="submit" className="w-full" disabled={attempt.isPending}>
        Set the password
      </Button>
    </Form>
  );
}
