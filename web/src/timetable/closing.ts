import type { Round } from '../api/types'

const NOT_BEGUN: Round['phase'][] = ['planned', 'announced', 'open', 'closed']

/** What a holiday does to the rounds of its day: only the rules' ones that have not begun are cancelled. */
export function closing(rounds: Round[]) {
  const ahead = rounds.filter(({ phase }) => phase === 'live' || NOT_BEGUN.includes(phase))
  const going = ahead.filter(({ phase, rule_id }) => phase !== 'live' && rule_id !== null)
  return {
    cancelled: going.length,
    places: going.reduce((sum, { counts }) => sum + counts.waiting, 0),
    staying: ahead.length - going.length,
  }
}
