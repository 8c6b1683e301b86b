import { signUp } from '@gleaner/client';
import { useMutation } from '@tanstack/react-query';
import { rememberSession } from '../../api/session';
import { Field, fieldError, Form, FormError, textOf } from '../../ui/field';
import { Button } from '../../ui/parts';
import { EmailField, NewPasswordField } from './fields';
import { OtherForm, type FormProps } from './other-form';

export function SignUpForm({ search }: FormProps) {
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
    onSuccess: ({ id }) => rememberSession(id),
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
      <EmailField
        error={fieldError(attempt.error, 'email')}
        hint="Nobody sees it. It is for a lost password."
      />
      <NewPasswordField error={fieldError(attempt.error, 'password')} />
      <FormError error={attempt.error} />
      <Button type="submit" className="w-full" disabled={attempt.isPending}>
        Create the account
      </Button>
      <p className="border-t border-line pt-4 text-sm">
        <OtherForm mode="sign-in" search={search}>
          I have an account
        </OtherForm>
      </p>
    </Form>
  );
}
