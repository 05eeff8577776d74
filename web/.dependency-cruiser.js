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
  keys: [],
  line: [],
  mine: ['control'],
  notices: ['rounds'],
  official: ['desk', 'line'],
  officials: [],
  people: ['desks'],
  recordings: [],
  reports: [],
  requests: [],
  rounds: ['control', 'line', 'recordings'],
  shell: ['citizens', 'control', 'desk', 'requests'],
  'sign-in': ['account'],
  subjects: [],
  timetable: ['rounds'],
  wallboard: [],
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

export default {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'every-folder-has-its-arrows', severity: 'error', comment: 'a new folder gets its line in .dependency-cruiser.js first',
      from: {}, to: { path: '^src/[^/]+/', pathNot: folder([...Object.keys(shared), ...Object.keys(features)]) },
    },
    {
      name: 'root-is-above', severity: 'error', comment: 'of the files above the folders, only pages.ts may be imported below',
      from: { path: '^src/[^/]+/' }, to: { path: '^src/[^/]+$', pathNot: '^src/pages\\.ts$' },
    },
    { name: 'words-import-nothing', severity: 'error', from: { path: WORDS }, to: { pathNot: WORDS } },
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
