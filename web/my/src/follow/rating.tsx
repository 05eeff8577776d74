import type { Detail } from '../api/types'
import { digits } from '../language/format'
import { text } from '../language/language'
import { useSaying, type Heard } from './saying'

interface Props extends Heard {
  request: Detail
}

/** How satisfied I am, 1 to 5, with what I have said yes or no to; nobody has to say. */
export function Rating({ request: { tracking, stars, said_id: said }, put, again }: Props) {
  const { say, wrong, busy } = useSaying(tracking, { put, again })
  return (
    <section class="how" aria-labelledby="rating">
      <div>
        <h2 id="rating">{text.requests.satisfied}</h2>
        <p class="soft">{stars ? text.requests.rated(digits(stars)) : text.requests.satisfiedScale}</p>
        <div class="row stars">
          {[1, 2, 3, 4, 5].map((value) => (
            <button key={value} type="button" class="quiet" disabled={busy} aria-pressed={value === stars}
              onClick={() => void say('rate', () => Promise.resolve({ json: { stars: value, said } }))}>{digits(value)}</button>
          ))}
        </div>
        <p class="wrong" role="alert">{wrong}</p>
      </div>
    </section>
  )
}
