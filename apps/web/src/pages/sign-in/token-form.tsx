import { signInWithToken } from '@gleaner/client';
import { useMutation } from '@tanstack/react-query';
import { rememberSession } from '../../api/session';
import { Field, Form, FormError, textOf } from '../../ui/field';
import { Button } from '../../ui/parts';
import { OtherForm, type FormProps } from './other-form';

export function TokenForm({ search }: FormProps) {
  const attempt = useMutation({
    mutationFn: async (form: FormData) =>
      (
        await signInWithToken({
          headers: { authorization: `Bearer ${textOf(form, 'token').trim()}` },
          throwOnError: true,
        })
      ).data,
    onSuccess: ({ id }) => rememberSession(id),
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
        <OtherForm mode="sign-in" search={search}>
          Sign in with a password
        </OtherForm>
      </p>
    </Form>
  );
}
