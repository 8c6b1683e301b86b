import { Link } from '@tanstack/react-router';
import { useSession } from '../api/session';
import { ButtonLink, PageTitle } from '../ui/parts';

/** @param isPerhapsMine whether somebody who has signed in may see something at this address */
export function NotFoundPage({ isPerhapsMine = false }: { readonly isPerhapsMine?: boolean }) {
  const accountId = useSession();
  return (
    <>
      <PageTitle lead="The address may be mistyped, or what it showed is private or gone.">
        There is nothing here
      </PageTitle>
      {isPerhapsMine && accountId === null && (
        <p className="mb-6">
          <Link to="/sign-in" search={{ next: location.pathname }} className="link">
            Sign in
          </Link>{' '}
          if it is yours.
        </p>
      )}
      <ButtonLink to="/">To the front page</ButtonLink>
    </>
  );
}
