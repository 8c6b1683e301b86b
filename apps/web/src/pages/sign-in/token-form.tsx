import { signInWithToken } from '@gleaner/client';
import { Field, textOf } from '../../ui/field';
import { AttemptForm, useSigningIn } from './attempt-form';
import { OtherForm, type FormProps } from './other-form';

export function TokenForm({ search }: FormProps) {
  const attempt = useSigningIn((form) =>
    signInWithToken({
      headers: { authorization: `Bearer ${textOf(form, 'token').trim()}` },
      throwOnError: true,
    }),
  );
  const others = (
    <OtherForm mode="sign-in" search={search}>
      Sign in with a password
    </OtherForm>
  );
  return (
    <AttemptForm attempt={attempt} action="Sign in" others={others}>
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
    </AttemptForm>
  );
}
