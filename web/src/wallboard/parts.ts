import type { words as fa } from './words.fa'

type Words = (typeof fa)['wallboard']

/** What a part of the health is called: also one of several, `node two` or `trunk backup`, and a proxy that `value` names. */
export function partName(part: string, words: Words, value = ''): string {
  if (part === 'trunk' && value.includes('SIP proxy')) return words.part['trunk-or-proxy']
  if (part in words.part) return words.part[part as keyof Words['part']]
  const [kind = '', ...name] = part.split(' ')
  const known = kind in words.part ? words.part[kind as keyof Words['part']] : kind
  return [known, ...name].join(' ')
}

/** The first word of what is said of a part, on which its colour and its word hang. A node that lives is up. */
export function stateKind(value: string): string {
  const kind = value.split(' ')[0] ?? ''
  return kind === 'live' ? 'up' : kind
}

/** How the part is, in one word. */
export function stateName(value: string, words: Words): string {
  const kind = stateKind(value)
  return kind in words.state ? words.state[kind as keyof Words['state']] : words.state.other
}
