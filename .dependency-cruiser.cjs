// Which folder may import which, as a table that a machine reads. tests/architecture/imports.test.ts holds the house to
// it and plants a breach of every rule, to show that it is caught.

/** Pure, without Node or a browser: what runs in workflows and on screens alike. */
const PURE_PACKAGES = ['re2js', 'libphonenumber-js', 'temporal-polyfill'];
/** Storage, schemas and logs: all that the nouns lean on. */
const DOMAIN_PACKAGES = ['@aws-sdk/[^/]+', '@mikro-orm/[^/]+', 'kysely', 'pg', 'pino', 'zod', ...PURE_PACKAGES];
/** Clients of mailboxes, mail servers, the model, carriers. */
const OUTSIDE_WORLD = ['imapflow', 'nodemailer', 'oauth4webapi', 'openai', '@vonage/server-sdk'];

const SERVER = '^(domain|workflows|activities|workers|api)/';
const anyOf = (packages) => `^node_modules/(${packages.join('|')})/`;

module.exports = {
  forbidden: [
    {
      name: 'rules-are-pure',
      comment: 'domain/rules runs in workflows and in the browser: itself and a short list of pure packages.',
      severity: 'error',
      from: { path: '^domain/rules/' },
      to: { pathNot: ['^domain/rules/', anyOf(PURE_PACKAGES)] },
    },
    {
      name: 'domain-stands-alone',
      comment: 'The nouns know neither the machine nor the people in front of it.',
      severity: 'error',
      // What a transaction asks of Temporal is a row of the domain and names workflows: the one place that does.
      from: { path: '^domain/', pathNot: '^domain/record/run-request\\.ts$' },
      to: { pathNot: ['^domain/', anyOf(DOMAIN_PACKAGES)], dependencyTypesNot: ['core'] },
    },
    {
      name: 'run-requests-know-the-contract',
      comment: 'domain/record/run-request.ts may know the contract of the workflows, and nothing else of them.',
      severity: 'error',
      from: { path: '^domain/record/run-request\\.ts$' },
      to: {
        pathNot: ['^domain/', '^workflows/contract\\.ts$', anyOf(DOMAIN_PACKAGES)],
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'workflows-are-pure',
      comment: 'A workflow is replayed for days: no Node, no ORM, nothing but itself, the rules and the Temporal SDK.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        pathNot: [
          '^workflows/',
          '^domain/rules/',
          '^activities/',
          anyOf(['@temporalio/workflow', '@temporalio/common']),
        ],
      },
    },
    {
      name: 'workflows-know-activities-by-type',
      comment: 'Activities are called through Temporal: `import type` only.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-contract-stands-alone',
      comment: 'workflows/contract.ts is read by domain, API and activities: it brings nothing along.',
      severity: 'error',
      from: { path: '^workflows/contract\\.ts$' },
      to: {},
    },
    {
      name: 'activities-know-the-contract',
      comment: 'An activity knows the ids and inputs of workflows, never their bodies, nor who runs or asks it.',
      severity: 'error',
      from: { path: '^activities/' },
      to: { path: ['^workflows/(?!contract\\.ts$)', '^(workers|api|ui)/'] },
    },
    {
      name: 'workers-run-the-machine',
      comment: 'Workers know activities and domain. They get the workflows by path, as a bundle.',
      severity: 'error',
      from: { path: '^workers/' },
      // The relay starts runs, so it writes the search attributes a run begins with; the file is no workflow.
      to: { path: ['^workflows/(?!(contract|search-attributes)\\.ts$)', '^(api|ui)/'] },
    },
    {
      name: 'api-asks-the-domain',
      comment: 'The API changes rows and never does the work: activities, workers and workflow bodies are not its own.',
      severity: 'error',
      from: { path: '^api/' },
      to: { path: ['^workflows/(?!contract\\.ts$)', '^(activities|workers|ui)/'] },
    },
    {
      name: 'api-works-without-temporal',
      comment: 'The relay speaks to Temporal (docs/decisions/0002): the API answers while it is away.',
      severity: 'error',
      from: { path: '^api/' },
      to: { path: anyOf(['@temporalio/[^/]+']) },
    },
    {
      name: 'api-contract-is-light',
      comment:
        'The contract types the screens and is read by their build: schemas and rules, no Express, no Node, no ORM.',
      severity: 'error',
      from: { path: '^api/contract/' },
      to: { pathNot: ['^api/contract/', '^domain/rules/', '^domain/people/role\\.ts$', anyOf(['zod'])] },
    },
    {
      name: 'api-client-is-types',
      comment: 'The screens ship the client: it must not bring the schemas along.',
      severity: 'error',
      from: { path: '^api/contract/client\\.ts$' },
      to: { dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'ui-stands-alone',
      comment: 'The screens know the contract of the API and the rules, and nothing else of the server.',
      severity: 'error',
      from: { path: '^ui/' },
      to: { path: ['^api/(?!contract/)', '^domain/(?!rules/)', '^(workflows|activities|workers|bin)/'] },
    },
    {
      name: 'ui-knows-the-contract-by-type',
      comment: 'Of the contract only the typed client is code on a screen; everything else is `import type`.',
      severity: 'error',
      from: { path: '^ui/' },
      to: { path: '^api/contract/(?!client\\.ts$)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-activities-touch-the-outside-world',
      comment:
        'Mailboxes, mail servers, the model and carriers are spoken to by activities alone, not even to try one.',
      severity: 'error',
      from: { path: ['^(domain|workflows|workers|api|ui)/'] },
      to: { path: anyOf(OUTSIDE_WORLD) },
    },
    {
      name: 'nothing-leans-on-scripts',
      comment: 'bin, bench and tests lean on the house, never the other way round.',
      severity: 'error',
      from: { path: [SERVER, '^ui/'] },
      to: { path: '^(bin|bench|tests)/' },
    },
    {
      name: 'no-unknown-imports',
      comment: 'What cannot be found cannot be judged by the other rules.',
      severity: 'error',
      from: { path: SERVER },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-circles',
      comment: 'Two files that need each other are one file. Types may go round; a component may contain itself.',
      severity: 'error',
      from: { path: SERVER },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    // Tells `import type` from imports that stay.
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^ui/src/paraglide/' },
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default'], exportsFields: ['exports'] },
  },
};
