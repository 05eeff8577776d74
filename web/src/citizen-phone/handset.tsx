import { Button } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useLanguage } from '../language/language'
import { Keypad } from '../phone/keypad'
import { ring } from '../phone/ring'
import type { PhoneStatus, Softphone } from '../phone/softphone'
import { CallIcon } from '../callbacks/call-state'
import { CALL_STATES, type CallState } from '../callbacks/call-states'
import { RunningTime } from '../ui/number'
import { useStore } from '../ui/store'
import style from './phone.module.css'

/** The same states as the desks', from the other end: who rings here waits there. */
const CALL: Partial<Record<PhoneStatus['state'], CallState>> = {
  registered: 'ready', calling: 'calling', ringing: 'waiting', talking: 'talking',
}

export function Handset({ phone, target }: { phone: Softphone; target: string }) {
  const { text } = useLanguage()
  const { state, problem } = useStore(phone.status)
  const call = CALL[state]
  const talking = state === 'talking'

  useEffect(() => (call && CALL_STATES[call].sound === 'ring' ? ring() : undefined), [call])

  return (
    <>
      <div className={style.state} role="status" data-testid="phone-state" data-call={call} data-state={state}>
        {call && <CallIcon state={call} />}
        {text.citizenPhone.state[state]}
        {talking && <Duration />}
      </div>
      <p className={style.problem} role="alert">{problem && text.phoneProblem[problem]}</p>
      <Keypad enabled={talking} onKey={(key) => phone.press(key)} />
      <div className={style.buttons}>
        {state === 'ringing' ? (
          <>
            <Button size="xl" color="turquoise" onClick={() => void phone.answer()} data-testid="answer">
              {text.citizenPhone.answer}
            </Button>
            <Button size="xl" color="brick" onClick={() => phone.hangUp()} data-testid="reject">
              {text.citizenPhone.reject}
            </Button>
          </>
        ) : state === 'calling' || talking ? (
          <Button size="xl" color="brick" onClick={() => phone.hangUp()} data-testid="hang-up" className={style.wide}>
            {text.citizenPhone.hangUp}
          </Button>
        ) : (
          <Button
            size="xl" disabled={state !== 'registered'} onClick={() => void phone.call(target)}
            data-testid="dial-137" className={style.wide}
          >
            {text.citizenPhone.dial}
          </Button>
        )}
      </div>
    </>
  )
}

function Duration() {
  const { format } = useLanguage()
  const [begin] = useState(() => Date.now())
  const [now, setNow] = useState(begin)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return <RunningTime>{format.duration(now - begin)}</RunningTime>
}
