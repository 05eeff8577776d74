import { Button, Progress } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useMe } from '../api/session'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { useStore } from '../ui/store'
import { PhoneCheck, verdictOfCheck, type CheckResult } from './check-run'
import type { RoomPhone } from './room-phone'
import style from './phone-check.module.css'

/** A citizen is on the phone, or about to be: nothing sounds then but the conversation. */
const isFree = (callback: Callback | null | undefined) => !callback || ['claimed', 'ended', 'closed'].includes(callback.state)

/** Before a round: ten seconds, a word, and what to do; of the browser’s phone alone. */
export default function PhoneCheckPanel({ phone, inBrowser }: { phone: RoomPhone; inBrowser: boolean }) {
  const { text } = useLanguage()
  const words = text.phoneCheck
  const { data: me } = useMe()
  const [check] = useState(() => new PhoneCheck(phone))
  const { step, progress, result } = useStore(check.status)
  const free = isFree(me?.callback)
  const runs = step === 'connecting' || step === 'speak' || step === 'listen' || step === 'network'
  useEffect(() => () => check.stop(), [check])
  useEffect(() => {
    if (!free && runs) check.stop('interrupted')
  }, [check, free, runs])

  if (!inBrowser) return <p className={style.help} data-testid="check-not-here">{words.otherPhone}</p>
  return (
    <section className={style.check} aria-label={words.title} data-testid="phone-check" data-step={step}>
      <div className={style.top}>
        <Button variant="default" onClick={() => void check.run()} disabled={runs || !free} data-testid="check-phone">{result ? words.again : words.begin}</Button>
        {runs && <Button variant="subtle" onClick={() => check.stop()} data-testid="check-skip">{words.skip}</Button>}
        {step === 'idle' && <span className={style.help}>{free ? words.help : words.inTalk}</span>}
      </div>
      <div role="status">
        {runs && <p className={style.say}>{words.step[step]}</p>}
        {step === 'elsewhere' && <p className={style.help}>{words.elsewhere}</p>}
        {step === 'interrupted' && <p className={style.help}>{words.interrupted}</p>}
        {result && <Result result={result} />}
      </div>
      {runs && <Progress value={progress * 100} aria-label={words.progress} transitionDuration={50} />}
    </section>
  )
}

function Result({ result }: { result: CheckResult }) {
  const { text } = useLanguage()
  const words = text.phoneCheck
  const verdict = verdictOfCheck(result)
  const parts = [
    { name: 'microphone', title: words.microphone, told: words.ofMicrophone[result.microphone], good: result.microphone === 'good' },
    { name: 'echo', title: words.echo, told: words.ofEcho[result.echo], good: result.echo === 'good' },
    { name: 'network', title: words.network, told: words.ofNetwork[result.network], good: result.network === 'good' },
  ]
  return (
    <>
      <p className={style.verdict} data-testid="check-verdict" data-verdict={verdict}>{text.quality.verdict[verdict]}</p>
      <dl className={style.parts}>
        {parts.map(({ name, title, told, good }) => (
          <div key={name} data-good={good} data-testid={`check-${name}`} data-result={result[name as keyof CheckResult]}>
            <dt>{title}</dt>
            <dd>{told}</dd>
          </div>
        ))}
      </dl>
    </>
  )
}
