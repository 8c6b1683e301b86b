import { signIn } from '@gleaner/client';
import { useMutation } from '@tanstack/react-query';
import { rememberSession } from '../../api/session';
import { Field, fieldError, Form, FormError, textOf } from '../../ui/field';
import { Button } from '../../ui/parts';
import { EmailField } from './fields';
import { OtherForm, type FormProps } from './other-form';

export function SignInForm({ search }: FormProps) {
  const attempt = useMutation({
    mutationFn: async (form: FormData) =>
      (
        await signIn({
          body: { email: textOf(form, 'email').trim(), password: textOf(form, 'password') },
          throwOnError: true,
        })
      ).data,
    onSuccess: ({ id }) => rememberSession(id),
  });
  return (
    <Form className="space-y-4" onSubmit={attempt.mutate}>
      <EmailField error={fieldError(attempt.error, 'email')} />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required />
      <FormError error={attempt.error} />
      <Button type="submit" className="w-full" disabled={attempt.isPending}>
        Sign in
      </Button>
      <p className="grid grid-cols-2 gap-x-6 gap-y-3 border-t border-line pt-4 text-sm">
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
    </Form>
  );
}
