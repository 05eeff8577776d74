// Who imports whom under src/: `npm run lint` fails on a circle, and on an arrow that is not drawn here.

/** Folders that all share, and what of each other they may use. */
const shared = {
  language: ['api'],
  api: [],
  ui: ['api', 'language'],
  phone: ['api', 'language', 'ui'],
}

/** The other features that a feature may use, beside what all share. */
const features = {
  account: [],
  assist: ['desk', 'line', 'official'],
  audit: ['people'],
  blocked: [],
  categories: ['requests'],
  'citizen-phone': [],
  citizens: ['desk', 'recordings', 'requests'],
  control: ['desk', 'desks', 'line'],
  departments: ['requests'],
  desk: ['line', 'recordings', 'requests'],
  desks: [],
  holidays: ['timetable'],
  inbox: ['passes', 'requests'],
  kept: ['recordings'],
  keys: [],
  line: [],
  mine: ['control'],
  notices: ['rounds'],
  official: ['desk', 'line'],
  officials: [],
  outbox: [],
  passes: [],
  people: ['desks', 'requests'],
  recordings: [],
  reports: [],
  requests: ['passes'],
  rounds: ['control', 'line', 'recordings'],
  'set-up': ['recordings'],
  shell: ['citizens', 'control', 'desk', 'inbox', 'requests'],
  'sign-in': ['account'],
  subjects: [],
  timetable: ['rounds'],
  wallboard: [],
}

/** The same for the citizens' app, my/src/, which is nothing of the staff's pages but the API's types and one module. */
const app = {
  api: [],
  language: [],
  ui: ['api', 'language'],
  kept: ['api'],
  ledger: ['api', 'language'],
  account: ['api', 'kept', 'language', 'ui'],
  follow: ['api', 'kept', 'language', 'ledger', 'outbox', 'report', 'ui'],
  outbox: ['api', 'kept', 'language', 'ui'],
  report: ['api', 'kept', 'language', 'outbox', 'ui'],
  rounds: ['api', 'kept', 'language', 'ledger', 'ui'],
  'sign-in': ['api', 'kept', 'language', 'ui'],
}

const folder = (names) => `^src/(${names.join('|')})/`

/** The words of every feature are put together in language/; they import nothing. */
const WORDS = '/words\\.(fa|en)\\.ts$'

const arrow = (name, mayUse) => ({
  name: `${name}-uses`,
  comment: `${name}/ uses of the other folders only: ${mayUse.join(', ') || 'none'} (.dependency-cruiser.js)`,
  severity: 'error',
  from: { path: folder([name]) },
  to: { path: '^src/[^/]+/', pathNot: [folder([name, ...mayUse]), ...(name === 'language' ? [WORDS] : [])] },
})

const appArrow = ([name, mayUse]) => ({
  name: `my-${name}-uses`, severity: 'error', from: { path: `^my/src/${name}/` },
  to: { path: '^my/src/', pathNot: `^my/src/(${[name, ...mayUse].join('|')})/` },
})

export default {
  forbidden: [
    {
      name: 'the-app-is-by-itself', severity: 'error', comment: 'of the staff\'s pages it has the API\'s types, and how the focus is kept',
      from: { path: '^my/' }, to: { path: '^src/', pathNot: '^src/(api/schema\\.gen|ui/keep-focus)\\.ts$' },
    },
    { name: 'no-page-uses-the-app', severity: 'error', from: { path: '^src/' }, to: { path: '^my/' } },
    {
      name: 'every-folder-of-the-app-has-its-arrows', severity: 'error', from: {},
      to: { path: '^my/src/[^/]+/', pathNot: `^my/src/(${Object.keys(app).join('|')})/` },
    },
    ...Object.entries(app).map(appArrow),
    {
      name: 'the-map-is-fetched-late', severity: 'error', comment: 'pages know of it what map/src/types.ts says; it knows nothing of them',
      from: { path: '^(src|my)/' }, to: { path: '^map/', pathNot: '^map/src/types\\.ts$' },
    },
    { name: 'the-map-is-by-itself', severity: 'error', from: { path: '^map/' }, to: { path: '^(src|my)/' } },
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'every-folder-has-its-arrows', severity: 'error', comment: 'a new folder gets its line in .dependency-cruiser.js first',
      from: {}, to: { path: '^src/[^/]+/', pathNot: folder([...Object.keys(shared), ...Object.keys(features)]) },
    },
    {
      name: 'root-is-above', severity: 'error', comment: 'of the files above the folders, only pages.ts may be imported below',
      from: { path: '^src/[^/]+/' }, to: { path: '^src/[^/]+$', pathNot: '^src/pages\\.ts$' },
    },
    {
      name: 'words-import-nothing', severity: 'error', comment: 'but what the city is called',
      from: { path: `^src/.*${WORDS}` }, to: { pathNot: [WORDS, '^src/language/city\\.ts$'] },
    },
    ...Object.entries(shared).map(([name, mayUse]) => arrow(name, mayUse)),
    ...Object.entries(features).map(([name, mayUse]) => arrow(name, [...Object.keys(shared), ...mayUse])),
  ],
  options: {
    // Types, too: a circle of types is one.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.css$' },
  },
}
