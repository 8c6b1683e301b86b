import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { loadPart } from './api/load-part';
import { BrokenPage } from './pages/broken-page';
import { FrontPage } from './pages/front-page';
import { NotFoundPage } from './pages/not-found-page';
import { readBoardSearch } from './pages/board-search';
import { readSignInSearch } from './pages/sign-in-search';
import { readStatisticsSearch } from './pages/statistics-search';
import { parseSearch, stringifySearch } from './search-params';
import { Shell } from './ui/shell';

const root = createRootRoute({ component: Shell, notFoundComponent: () => <NotFoundPage /> });

const front = createRoute({ getParentRoute: () => root, path: '/', component: FrontPage });
const volunteer = createRoute({
  getParentRoute: () => root,
  path: '/volunteer',
  component: lazyRouteComponent(() => loadPart(() => import('./pages/volunteer-page')), 'VolunteerPage'),
});
const leaderboards = createRoute({
  getParentRoute: () => root,
  path: '/leaderboards',
  validateSearch: readBoardSearch,
  component: lazyRouteComponent(
    () => loadPart(() => import('./pages/leaderboards-page')),
    'LeaderboardsPage',
  ),
});
const statistics = createRoute({
  getParentRoute: () => root,
  path: '/statistics',
  validateSearch: readStatisticsSearch,
  component: lazyRouteComponent(() => loadPart(() => import('./pages/statistics-page')), 'StatisticsPage'),
});
const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  component: lazyRouteComponent(() => loadPart(() => import('./pages/jobs-page')), 'JobsPage'),
});
const job = createRoute({
  getParentRoute: () => root,
  path: '/jobs/$jobId',
  component: lazyRouteComponent(() => loadPart(() => import('./pages/job-page')), 'JobPage'),
});
const account = createRoute({
  getParentRoute: () => root,
  path: '/account',
  component: lazyRouteComponent(() => loadPart(() => import('./pages/account-page')), 'AccountPage'),
});
const activate = createRoute({
  getParentRoute: () => root,
  path: '/activate',
  component: lazyRouteComponent(() => loadPart(() => import('./pages/activate-page')), 'ActivatePage'),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: readSignInSearch,
  component: lazyRouteComponent(() => loadPart(() => import('./pages/sign-in-page')), 'SignInPage'),
});
const accountSettings = createRoute({
  getParentRoute: () => root,
  path: '/account/settings',
  component: lazyRouteComponent(
    () => loadPart(() => import('./pages/account-settings-page')),
    'AccountSettingsPage',
  ),
});
const machine = createRoute({
  getParentRoute: () => root,
  path: '/account/machines/$hostId',
  component: lazyRouteComponent(() => loadPart(() => import('./pages/machine-page')), 'MachinePage'),
});
const teams = createRoute({
  getParentRoute: () => root,
  path: '/teams',
  component: lazyRouteComponent(() => loadPart(() => import('./pages/teams-page')), 'TeamsPage'),
});
const team = createRoute({
  getParentRoute: () => root,
  path: '/teams/$teamId',
  component: lazyRouteComponent(() => loadPart(() => import('./pages/team-page')), 'TeamPage'),
});
const operator = createRoute({
  getParentRoute: () => root,
  path: '/operator',
  component: lazyRouteComponent(() => loadPart(() => import('./pages/operator-page')), 'OperatorPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    front,
    volunteer,
    leaderboards,
    statistics,
    jobs,
    job,
    account,
    activate,
    signIn,
    accountSettings,
    machine,
    teams,
    team,
    operator,
  ]),
  defaultPreload: 'intent',
  defaultErrorComponent: BrokenPage,
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
