// Who imports whom in web/: `npm run lint` fails on a circle, and on an arrow that is not drawn here.

/** The bundles: none imports another; each may use shared/, which imports none of them. */
const bundles = ['src', 'my', 'map']

/** What the bundles share, shared/, and which of its other folders each folder uses. */
const shared = {
  api: [],
  icons: [],
  language: [],
  map: ['language'],
  ui: [],
}

/** Folders of the staff's pages, src/, that all of them share, and what of each other they may use. */
const common = {
  language: ['api'],
  api: [],
  ui: ['api', 'language'],
  callbacks: ['api', 'language', 'ui'],
  shortcuts: ['api', 'language', 'ui'],
  head: ['api', 'language', 'shortcuts', 'ui'],
  phone: ['api', 'language', 'ui'],
}

/** The other features that a feature may use, beside what all share. */
const features = {
  account: [],
  assist: ['desk', 'desks', 'line', 'official', 'subjects'],
  audit: ['people'],
  blocked: [],
  categories: ['requests'],
  'citizen-phone': [],
  citizens: ['desk', 'desks', 'recordings', 'requests', 'subjects'],
  control: ['desk', 'desks', 'line'],
  departments: ['requests'],
  desk: ['desks', 'line', 'recordings', 'requests', 'subjects'],
  desks: [],
  holidays: ['timetable'],
  inbox: ['passes', 'requests'],
  kept: ['recordings'],
  keys: [],
  line: [],
  mine: ['control'],
  notices: ['rounds'],
  official: ['desk', 'desks', 'line', 'subjects'],
  officials: [],
  outbox: [],
  passes: [],
  people: ['desks', 'requests'],
  recordings: [],
  reports: [],
  requests: ['passes'],
  rounds: ['control', 'line', 'recordings'],
  'set-up': ['kept', 'recordings'],
  shell: ['citizens', 'control', 'desk', 'inbox', 'requests', 'subjects'],
  'sign-in': ['account'],
  subjects: ['desks'],
  timetable: ['rounds'],
  wallboard: [],
}

/** The same for the citizens' app, my/src/. */
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

/** Words of the domain: none is part of a name in ui/ (eslint.config.js, too). */
export const DOMAIN = [
  'callback', 'caller', 'category', 'categories', 'citizen', 'department', 'desk', 'official', 'operator', 'outcome', 'registration', 'request',
  'round', 'subject', 'ticket',
]

/** The files of api/ that ui/ may import: they know the server, and nothing of what it keeps. */
const PLUMBING = '^src/api/(clock|connection|problem|retry-import)\\.ts$'

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

/** The same within another root, whose files above the folders nobody below imports. */
const arrowWithin = (root) => ([name, mayUse]) => ({
  name: `${root}-${name}-uses`, severity: 'error', from: { path: `^${root}/${name}/` },
  to: { path: `^${root}/`, pathNot: `^${root}/(${[name, ...mayUse].join('|')})/` },
})

const bundleArrow = (name) => ({
  name: `${name}-imports-no-other-bundle`, severity: 'error', comment: 'what two bundles need is in shared/',
  from: { path: `^${name}/` }, to: { path: `^(${bundles.filter((other) => other !== name).join('|')})/` },
})

export default {
  forbidden: [
    ...bundles.map(bundleArrow),
    { name: 'shared-imports-no-bundle', severity: 'error', from: { path: '^shared/' }, to: { path: `^(${bundles.join('|')})/` } },
    {
      name: 'every-folder-of-shared-has-its-arrows', severity: 'error', comment: 'no file of shared/ stands above its folders',
      from: {}, to: { path: '^shared/', pathNot: `^shared/(${Object.keys(shared).join('|')})/` },
    },
    ...Object.entries(shared).map(arrowWithin('shared')),
    {
      name: 'every-folder-of-the-app-has-its-arrows', severity: 'error', from: {},
      to: { path: '^my/src/[^/]+/', pathNot: `^my/src/(${Object.keys(app).join('|')})/` },
    },
    ...Object.entries(app).map(arrowWithin('my/src')),
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'every-folder-has-its-arrows', severity: 'error', comment: 'a new folder gets its line in .dependency-cruiser.js first',
      from: {}, to: { path: '^src/[^/]+/', pathNot: folder([...Object.keys(common), ...Object.keys(features)]) },
    },
    {
      name: 'root-is-above', severity: 'error', comment: 'of the files above the folders, only pages.ts may be imported below',
      from: { path: '^src/[^/]+/' }, to: { path: '^src/[^/]+$', pathNot: '^src/pages\\.ts$' },
    },
    {
      name: 'words-import-nothing', severity: 'error', comment: 'but what the city is called',
      from: { path: `^src/.*${WORDS}` }, to: { pathNot: [WORDS, '^shared/language/city\\.ts$'] },
    },
    {
      name: 'ui-imports-no-domain', severity: 'error', comment: 'a part that knows of calls, people or requests is in their folder',
      from: { path: '^src/ui/' }, to: { path: ['^src/api/', '^src/pages\\.ts$', '^shared/(api|map)/'], pathNot: PLUMBING },
    },
    { name: 'ui-names-no-domain', severity: 'error', from: {}, to: { path: `^src/ui/.*\\b(${DOMAIN.join('|')})s?\\b` } },
    ...Object.entries(common).map(([name, mayUse]) => arrow(name, mayUse)),
    ...Object.entries(features).map(([name, mayUse]) => arrow(name, [...Object.keys(common), ...mayUse])),
  ],
  options: {
    // Types, too: a circle of types is one.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.css$' },
  },
}
