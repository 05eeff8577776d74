import { text } from './language'
import type { Words } from './words.fa'

type State = keyof Words['requests']['state']

/** How a report of somebody else's stands: it is they who are asked, and not whoever reads this. */
export const stateOfOthers = (state: State): string => {
  const others: Partial<Record<State, string>> = text.requests.othersState
  return others[state] ?? text.requests.state[state]
}

/** How mine stands: joined to another's, as that one does. */
export const stateOfMine = ({ state, joined }: { state: State; joined: boolean }): string => (joined ? stateOfOthers(state) : text.requests.state[state])
