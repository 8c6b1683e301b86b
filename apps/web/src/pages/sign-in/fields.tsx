import { Field } from '../../ui/field';

export function EmailField({ error, hint }: { readonly error?: string | undefined; readonly hint?: string }) {
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

/** A password that somebody chooses, as against one that they know. */
export function NewPasswordField({
  label = 'Password',
  error,
}: {
  readonly label?: string;
  readonly error?: string | undefined;
}) {
  return (
    <Field
      label={label}
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
