import { ButtonLink, PageTitle } from '../ui/parts';

export function NotFoundPage() {
  return (
    <>
      <PageTitle lead="The address may be mistyped, or what it showed is private or gone.">
        There is nothing here
      </PageTitle>
      <ButtonLink to="/">To the front page</ButtonLink>
    </>
  );
}
