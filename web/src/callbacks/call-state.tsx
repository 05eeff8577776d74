import {
  IconCheck, IconPencil, IconPhone, IconPhoneCall, IconPhoneIncoming, IconPhoneOutgoing, IconPhonePause, type Icon,
} from '@tabler/icons-react'
import { useLanguage } from '../language/language'
import { CALL_STATES, type CallState } from './call-states'
import tag from '../ui/tag.module.css'
import style from './call-state.module.css'

const ICONS: Record<CallState, Icon> = {
  ready: IconPhone,
  calling: IconPhoneOutgoing,
  waiting: IconPhoneIncoming,
  talking: IconPhoneCall,
  held: IconPhonePause,
  after: IconPencil,
  over: IconCheck,
}

/** Where a call stands, as large as the words beside it. */
export function CallIcon({ state }: { state: CallState }) {
  const Now = ICONS[state]
  return <Now className={style.icon} aria-hidden size="1em" stroke={2} data-call={state} />
}

/** Where a call stands, in a row: icon and word; `children` says more than the word. */
export function CallTag({ state, children }: { state: CallState; children?: string }) {
  const { text } = useLanguage()
  return (
    <span className={`${tag.tag} ${style.tag}`} data-call={state} data-testid="call-tag">
      <CallIcon state={state} /> {children ?? text.callStates[CALL_STATES[state].word]}
    </span>
  )
}
