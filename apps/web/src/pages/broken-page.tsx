import { Button, PageTitle } from '../ui/parts';

/** In the place of a page that fails while it is shown: the ways to all others stay where they are. */
export function BrokenPage() {
  return (
    <>
      <PageTitle lead="Gleaner may have another version by now. Loaded anew, this page is of that version; what this tab computes is given back then.">
        This page cannot be shown
      </PageTitle>
      <Button onClick={() => location.reload()}>Load the page anew</Button>
    </>
  );
}
