/** The first that fits: most browsers also call themselves by an older one's name. */
const BROWSERS: [RegExp, string][] = [
  [/Edg/, 'Edge'], [/OPR\//, 'Opera'], [/SamsungBrowser/, 'Samsung Internet'], [/Firefox|FxiOS/, 'Firefox'],
  [/Chrome|CriOS|Chromium/, 'Chrome'], [/Safari/, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/Android/, 'Android'], [/iPad/, 'iPad'], [/iPhone/, 'iPhone'], [/Windows/, 'Windows'], [/Mac OS/, 'macOS'], [/Linux/, 'Linux'],
]

const first = (names: [RegExp, string][], agent: string) => names.find(([sign]) => sign.test(agent))?.[1] ?? ''

/** A browser and its system, by how it calls itself; empty where it is unknown. */
export const readAgent = (agent: string) => ({ browser: first(BROWSERS, agent), system: first(SYSTEMS, agent) })
