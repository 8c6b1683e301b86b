// Who may import whom (ARCHITECTURE.md, "Parts and layers"). Every rule is a line of that table.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^${from}/src`, pathNot: '\\.(spec|itest)\\.ts$' },
  to: {
    path: '^(apps|libs|worker-sdk|migrations|examples|test)/',
    pathNot: [`^${from}/`, ...allowed.map((path) => `^${path}/`)],
  },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'protocol-needs-only-zod',
      severity: 'error',
      from: { path: '^libs/protocol/src', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: ['^libs/protocol/', 'node_modules/zod'] },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: '^libs/domain/src', pathNot: '\\.(spec|fixture)\\.ts$' },
      to: { pathNot: ['^libs/domain/', '^libs/protocol/'] },
    },
    {
      name: 'sandbox-has-no-third-party-code',
      severity: 'error',
      from: { path: '^libs/sandbox/src', pathNot: ['\\.(spec|itest)\\.ts$', '^libs/sandbox/src/testing/'] },
      to: { pathNot: ['^libs/sandbox/'], dependencyTypesNot: ['core'] },
    },
    only('swarm', 'libs/swarm', ['libs/protocol']),
    only('client', 'libs/client', []),
    only('worker-sdk', 'worker-sdk', ['libs/protocol', 'libs/swarm', 'libs/sandbox', 'libs/domain']),
    only('coordinator', 'apps/coordinator', [
      'libs/domain',
      'libs/protocol',
      'libs/sandbox',
      'libs/swarm',
      'migrations',
    ]),
    only('web', 'apps/web', ['worker-sdk', 'libs/client', 'libs/protocol']),
    only('agent', 'apps/agent', ['worker-sdk', 'libs/domain', 'libs/protocol']),
    only('cli', 'apps/cli', [
      'libs/protocol',
      'libs/domain',
      'libs/sandbox',
      'worker-sdk',
      // The demo's tape generator and job files are part of the flagship example.
      'examples/seti-classic',
    ]),
    {
      name: 'coordinator-takes-only-admission-of-the-sandbox',
      severity: 'error',
      from: { path: '^apps/coordinator/src', pathNot: '\\.(spec|itest)\\.ts$' },
      to: { path: '^libs/sandbox/src/(runner|wasi|browser)/' },
    },
    {
      name: 'coordinator-takes-only-the-signatures-of-the-swarm',
      severity: 'error',
      from: { path: '^apps/coordinator/src', pathNot: '\\.(spec|itest)\\.ts$' },
      to: { path: '^libs/swarm/src/', pathNot: '^libs/swarm/src/auth/' },
    },
    {
      name: 'migrations-import-no-entity',
      severity: 'error',
      from: { path: '^migrations/src' },
      to: { path: '^(apps|libs|worker-sdk)/' },
    },
    {
      name: 'features-meet-through-their-index',
      severity: 'error',
      // Relations between tables cross features: an entity may name another entity, and one list names all.
      from: {
        path: '^apps/coordinator/src/([^/]+)/',
        pathNot: '(\\.entity|^apps/coordinator/src/database/entities)\\.ts$',
      },
      to: {
        path: '^apps/coordinator/src/[^/]+/.+',
        pathNot: ['^apps/coordinator/src/$1/', '^apps/coordinator/src/[^/]+/index\\.ts$'],
      },
    },
    {
      name: 'controllers-and-processors-go-through-services',
      severity: 'error',
      from: { path: '\\.(controller|processor)\\.ts$' },
      to: { path: '(\\.entity\\.ts|node_modules/(pg|typeorm)/)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|build)/' },
    tsPreCompilationDeps: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['gleaner-source', 'import', 'node', 'default', 'types'],
      mainFields: ['module', 'main'],
    },
    tsConfig: { fileName: 'tsconfig.base.json' },
  },
};
