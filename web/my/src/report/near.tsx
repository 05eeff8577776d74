import { useEffect, useState } from 'preact/hooks'
import { ask, Refusal } from '../api/ask'
import type { Near as Found } from '../api/types'
import type { Report } from '../kept/report'
import { digits } from '../language/format'
import { language, problemText, text } from '../language/language'
import { stateOfOthers } from '../language/states'
import { go } from '../ui/router'
import { useNumber } from '../ui/use-network'

/** What is open of the category around the point; nothing is said where nobody can be asked. */
export function Near({ report: { key, category, point } }: { report: Report }) {
  const number = useNumber()
  const [found, setFound] = useState<Found[]>([])
  const [wrong, setWrong] = useState('')
  const where = number && category !== null && point ? `category=${category}&lat=${point.latitude}&lon=${point.longitude}` : ''
  useEffect(() => {
    let here = true
    const show = (said: Found[]) => {
      if (here) setFound(said)
    }
    if (where) ask<Found[]>('GET', `/requests/near?${where}`).then(show, () => show([]))
    else show([])
    return () => {
      here = false
    }
  }, [where])
  const follow = async (tracking: string) => {
    try {
      await ask('POST', `/requests/${tracking}/follow`, { json: { language } })
      const { drop } = await import('../kept/store')
      await drop(key)
      go('requests', { instead: true })
    } catch (failed) {
      setWrong(problemText(failed instanceof Refusal ? failed.code : 'away'))
    }
  }
  if (!found.length) return null
  return (
    <section class="news" aria-live="polite">
      <p>{text.report.near}</p>
      <ul class="cards">
        {found.map(({ tracking, state, metres, mine, followed }) => (
          <li key={tracking} data-testid="near">
            <b>{text.requests.one(digits(tracking))}</b>
            <p>{text.report.nearOne(stateOfOthers(state), digits(metres))}</p>
            {mine || followed ? <p class="soft">{mine ? text.report.nearMine : text.report.nearFollowed}</p> : (
              <div class="row"><button type="button" class="quiet" onClick={() => void follow(tracking)}>{text.report.nearFollow}</button></div>
            )}
          </li>
        ))}
      </ul>
      <p class="wrong" role="alert">{wrong}</p>
    </section>
  )
}
