import { moment } from '../language/format'
import { problemText, text } from '../language/language'
import { Link } from './link'

interface Props {
  answer: { said: unknown; asOf: string; problem: string; again: () => void }
}

/** Why what is shown is old, or why nothing is. */
export function Standing({ answer: { said, asOf, problem, again } }: Props) {
  if (asOf) return <p class="news" role="status">{text.asOf(moment(asOf))}</p>
  if (problem === 'not-signed-in') return <p class="news">{problemText(problem)} <Link to="sign-in">{text.signIn.title}</Link></p>
  if (problem) return <p class="news cancelled" role="alert">{problemText(problem)} <button type="button" class="quiet" onClick={again}>{text.again}</button></p>
  return said === undefined ? <p role="status">{text.wait}</p> : null
}
