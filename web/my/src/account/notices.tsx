import { useEffect, useState } from 'preact/hooks'
import { ask, Refusal } from '../api/ask'
import type { Notices as Told } from '../api/types'
import { useAnswer } from '../kept/use-answer'
import { problemText, text } from '../language/language'
import { Standing } from '../ui/standing'
import { beginPush, canPush, leavePush, takesPush } from './push'

type Topic = Told['topics'][number]

/** How I am told of my requests: by text message, in this browser, of some things not at all. */
export function Notices() {
  const answer = useAnswer<Told>('/notices')
  const [here, setHere] = useState(false)
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState('')
  const told = answer.said
  useEffect(() => {
    void takesPush().then((takes) => setHere(takes && told?.here === true), () => setHere(false))
  }, [told?.here])

  const act = async (what: () => Promise<string>) => {
    setBusy(true)
    setWrong('')
    try {
      setWrong(await what())
    } catch (failed) {
      setWrong(problemText(failed instanceof Refusal ? failed.code : 'away'))
    }
    setBusy(false)
  }
  const choose = (topic: Topic) => act(async () => {
    answer.put(await ask<Told>('PUT', '/notices', { json: topic }))
    return ''
  })
  const begin = (key: string) => act(async () => {
    const browser = await beginPush(key).catch(() => undefined)
    if (!browser) return browser === null ? text.notices.refused : text.notices.unreachable
    answer.put(await ask<Told>('PUT', '/push', { json: browser }))
    setHere(true)
    return ''
  })
  const end = (now: Told) => act(async () => {
    await ask('DELETE', '/push')
    await leavePush().catch(() => undefined)
    answer.put({ ...now, here: false })
    return ''
  })

  return (
    <section aria-labelledby="notices">
      <h2 id="notices">{text.notices.title}</h2>
      <Standing answer={answer} />
      {told ? (
        <>
          {told.push_key ? (
            <>
              <p>{here ? text.notices.on : canPush() ? text.notices.off : text.notices.cannot}</p>
              {canPush() ? (
                <div class="row">
                  <button type="button" class={here ? 'quiet' : ''} disabled={busy} onClick={() => void (here ? end(told) : begin(told.push_key))}>
                    {here ? text.notices.end : text.notices.begin}
                  </button>
                </div>
              ) : null}
            </>
          ) : null}
          <p class="wrong" role="alert">{wrong}</p>
          <table class="notices">
            <thead>
              <tr>
                <th scope="col">{text.notices.of}</th>
                {told.push_key ? <th scope="col">{text.notices.push}</th> : null}
                <th scope="col">{text.notices.text}</th>
              </tr>
            </thead>
            <tbody>
              {told.topics.map((each) => (
                <tr key={each.topic}>
                  <th scope="row">{text.notices.topic[each.topic]}</th>
                  {told.push_key ? <Switch name={`${text.notices.topic[each.topic]}: ${text.notices.push}`} on={each.push} busy={busy} put={(push) => void choose({ ...each, push })} /> : null}
                  <Switch name={`${text.notices.topic[each.topic]}: ${text.notices.text}`} on={each.text} busy={busy} put={(on) => void choose({ ...each, text: on })} />
                </tr>
              ))}
            </tbody>
          </table>
          <p class="soft">{told.push_key ? text.notices.instead : ''} {text.notices.always}</p>
        </>
      ) : null}
    </section>
  )
}

function Switch({ name, on, busy, put }: { name: string; on: boolean; busy: boolean; put: (on: boolean) => void }) {
  return <td><label><input type="checkbox" aria-label={name} checked={on} disabled={busy} onChange={({ currentTarget }) => put(currentTarget.checked)} /></label></td>
}
