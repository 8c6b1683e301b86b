import { useInfiniteQuery } from '@tanstack/react-query';
import { jobsQuery } from '../api/queries';
import { JobCard } from '../ui/job-card';
import { Empty, MoreButton, PageTitle } from '../ui/parts';
import { NotLoaded } from '../ui/waiting';

export function JobsPage() {
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } =
    useInfiniteQuery(jobsQuery);
  const jobs = data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <>
      <PageTitle lead="What scientists asked for, newest first. Their inputs and results are theirs to show.">
        Jobs
      </PageTitle>
      {!data && error && <NotLoaded what="the jobs" error={error} onRetry={refetch} />}
      {data && jobs.length === 0 && <Empty>No public job has been submitted yet.</Empty>}
      <h2 className="sr-only">All public jobs</h2>
      <div className="grid grid-cols-1 gap-4 md:grid-cols-2">
        {jobs.map((job) => (
          <JobCard key={job.id} job={job} />
        ))}
      </div>
      {hasNextPage && (
        <div className="text-center">
          <MoreButton isLoading={isFetchingNextPage} onMore={() => void fetchNextPage()}>
            Show more
          </MoreButton>
        </div>
      )}
    </>
  );
}
