import { useState } from 'preact/hooks'
import { ask, Refusal } from '../api/ask'
import { setNumber } from '../api/session'
import type { SignedInAt } from '../api/types'
import { forgetAnswers, unsent, useAnswer } from '../kept/use-answer'
import { moment } from '../language/format'
import { language, problemText, text } from '../language/language'
import { Head } from '../ui/head'
import { Link } from '../ui/link'
import { Standing } from '../ui/standing'
import { useNumber } from '../ui/use-network'
import { Notices } from './notices'
import { leavePush } from './push'

/** Who is signed in and where, and the ways out. */
export function AccountPage() {
  const number = useNumber()
  return (
    <>
      <Head name={text.account.title} />
      {number ? <SignedIn number={number} /> : <p>{text.signIn.out} <Link to="sign-in">{text.signIn.title}</Link></p>}
    </>
  )
}

function SignedIn({ number }: { number: string }) {
  const answer = useAnswer<SignedInAt[]>('/sessions')
  const [wrong, setWrong] = useState('')
  const out = async (path: string) => {
    if ((await unsent()) && !confirm(text.account.outSure)) return
    try {
      await ask('DELETE', path)
    } catch (failed) {
      if (!(failed instanceof Refusal) || failed.status !== 401) {
        setWrong(problemText(failed instanceof Refusal ? failed.code : 'away'))
        return
      }
    }
    void leavePush().catch(() => undefined) // the city has forgotten it with the session
    await forgetAnswers()
    setNumber('')
  }
  return (
    <>
      <p class="lead">{text.account.signedIn} <bdi dir="ltr" lang="en">{number}</bdi></p>
      <div class="row">
        <button type="button" onClick={() => void out('/sessions/current')}>{text.account.out}</button>
        <button type="button" class="quiet" onClick={() => void out('/sessions')}>{text.account.outEverywhere}</button>
      </div>
      <p class="wrong" role="alert">{wrong}</p>
      <Notices />
      <section aria-labelledby="sessions">
        <h2 id="sessions">{text.account.sessions}</h2>
        <Standing answer={answer} />
        <ul class="facts">
          {answer.said?.map(({ since, browser, current }) => (
            <li key={since}><bdi>{browser}</bdi> {text.account.since(moment(since))}{current ? ` (${text.account.here})` : ''}</li>
          ))}
        </ul>
      </section>
      <p><a href={`/public/my${language === 'en' ? '?lang=en' : ''}`}>{text.home.data}</a></p>
    </>
  )
}
