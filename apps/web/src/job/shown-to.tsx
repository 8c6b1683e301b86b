import { setJobVisibility, type Job, type PublicJob } from '@gleaner/client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { jobQuery, myAccountQuery } from '../api/queries';
import { FormError } from '../ui/field';
import { Panel } from '../ui/parts';

type Visibility = PublicJob['visibility'];

/** What everybody may see of a job, and the switches for it where one may change it. */
export function ShownTo({
  job,
  shown,
  accountId,
}: {
  readonly job: Job;
  readonly shown: PublicJob;
  readonly accountId: string | null;
}) {
  const isMine = job.accountId === accountId;
  const { data: me } = useQuery({
    ...myAccountQuery(accountId),
    enabled: accountId !== null && !isMine,
  });
  return (
    <Panel>
      <h2 className="mb-1 text-2xl">Who may see it</h2>
      {isMine || me?.operator === true ? (
        <Switches jobId={job.id} visibility={shown.visibility} />
      ) : (
        <p className="text-muted">
          {seenBy(shown.visibility)} That is for its scientist, <bdi>{shown.scientist}</bdi>, to decide.
        </p>
      )}
    </Panel>
  );
}

function seenBy({ public: isPublic, results }: Visibility): string {
  if (!isPublic) return 'The scientists of its project, and nobody else.';
  return results
    ? 'Everybody: this page, and what was found.'
    : 'Everybody may see this page; what was found, only the scientists of its project.';
}

function Switches({ jobId, visibility }: { readonly jobId: string; readonly visibility: Visibility }) {
  const queryClient = useQueryClient();
  const change = useMutation({
    mutationFn: async (body: Visibility) => {
      await setJobVisibility({ path: { id: jobId }, body, throwOnError: true });
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: jobQuery(jobId).queryKey }),
  });
  const shown = change.isPending ? change.variables : visibility;
  return (
    <>
      <p className="mb-4 text-sm text-muted">
        Its scientist has these switches, and operators of this coordinator.
      </p>
      <Switch
        label="Show this page to everybody"
        about="Its progress, its units and who helped. Volunteers who compute it see its name in any case."
        isOn={shown.public}
        onChange={(isPublic) => change.mutate({ ...shown, public: isPublic })}
      />
      <Switch
        label="Show what was found, too"
        about="The merged answer, once the job has completed."
        isOn={shown.results}
        isDisabled={!shown.public}
        onChange={(results) => change.mutate({ ...shown, results })}
      />
      <FormError error={change.error} />
    </>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly about: string;
  readonly isOn: boolean;
  readonly isDisabled?: boolean;
  readonly onChange: (isOn: boolean) => void;
}

function Switch({ label, about, isOn, isDisabled = false, onChange }: SwitchProps) {
  return (
    <label className="flex cursor-pointer items-start justify-between gap-6 border-t border-line py-3.5">
      <span>
        <span className="font-semibold">{label}</span>
        <span className="block text-sm text-muted">{about}</span>
      </span>
      <input
        type="checkbox"
        role="switch"
        aria-label={label}
        checked={isOn}
        disabled={isDisabled}
        onChange={(event) => onChange(event.target.checked)}
        className="mt-1 size-5 shrink-0 accent-accent"
      />
    </label>
  );
}
