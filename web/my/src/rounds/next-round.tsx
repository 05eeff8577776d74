import { useState } from 'preact/hooks'
import { ask } from '../api/ask'
import type { OfficeWish } from '../api/types'
import { useAnswer } from '../kept/use-answer'
import { language, named, text } from '../language/language'
import { Standing } from '../ui/standing'
import { useAct } from './act'

/** Of which offices' next round I am to be told. */
export function NextRound() {
  const answer = useAnswer<OfficeWish[]>('/wishes')
  const { act, wrong, busy } = useAct(answer.again)
  const wished = answer.said?.filter((office) => office.asked_at !== null)
  const others = answer.said?.filter((office) => office.asked_at === null)
  return (
    <section aria-labelledby="next-round">
      <h2 id="next-round">{text.nextRound.title}</h2>
      <p>{text.nextRound.lead}</p>
      <Standing answer={answer} />
      {others?.length ? <Choose offices={others} busy={busy} wish={(id) => void act(() => ask('PUT', `/wishes/${id}`, { json: { language } }))} /> : null}
      <p class="wrong" role="alert">{wrong}</p>
      {wished?.length ? (
        <ul class="cards">
          {wished.map((office) => (
            <li key={office.official_id}>
              <h3><bdi>{named(office, 'office')}</bdi></h3>
              <p>{text.nextRound.told}</p>
              <button type="button" class="quiet" disabled={busy} onClick={() => void act(() => ask('DELETE', `/wishes/${office.official_id}`))}>{text.nextRound.leave}</button>
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  )
}

function Choose({ offices, busy, wish }: { offices: OfficeWish[]; busy: boolean; wish: (id: number) => void }) {
  const [chosen, setChosen] = useState(0)
  const id = (offices.find((office) => office.official_id === chosen) ?? offices[0])?.official_id ?? 0
  return (
    <div class="field">
      <label for="office">{text.nextRound.office}</label>
      <select id="office" value={id} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
        {offices.map((office) => <option key={office.official_id} value={office.official_id}>{named(office, 'office')}</option>)}
      </select>
      <p><button type="button" class="quiet" disabled={busy} onClick={() => wish(id)} data-testid="wish-round">{text.nextRound.wish}</button></p>
    </div>
  )
}
