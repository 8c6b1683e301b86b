import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { FrontPage } from './pages/front-page';
import { NotFoundPage } from './pages/not-found-page';
import { readBoardSearch } from './pages/board-search';
import { Shell } from './ui/shell';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage });

const front = createRoute({ getParentRoute: () => root, path: '/', component: FrontPage });
const volunteer = createRoute({
  getParentRoute: () => root,
  path: '/volunteer',
  component: lazyRouteComponent(() => import('./pages/volunteer-page'), 'VolunteerPage'),
});
const leaderboards = createRoute({
  getParentRoute: () => root,
  path: '/leaderboards',
  validateSearch: readBoardSearch,
  component: lazyRouteComponent(() => import('./pages/leaderboards-page'), 'LeaderboardsPage'),
});
const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  component: lazyRouteComponent(() => import('./pages/jobs-page'), 'JobsPage'),
});
const job = createRoute({
  getParentRoute: () => root,
  path: '/jobs/$jobId',
  component: lazyRouteComponent(() => import('./pages/job-page'), 'JobPage'),
});
const account = createRoute({
  getParentRoute: () => root,
  path: '/account',
  component: lazyRouteComponent(() => import('./pages/account-page'), 'AccountPage'),
});
const activate = createRoute({
  getParentRoute: () => root,
  path: '/activate',
  component: lazyRouteComponent(() => import('./pages/activate-page'), 'ActivatePage'),
});

export const router = createRouter({
  routeTree: root.addChildren([front, volunteer, leaderboards, jobs, job, account, activate]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
