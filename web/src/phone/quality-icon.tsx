import { IconAntennaBars2, IconAntennaBars3, IconAntennaBars5, type Icon } from '@tabler/icons-react'
import { useLanguage } from '../language/language'
import { Notice } from '../ui/notice'
import { useStore } from '../ui/store'
import type { Verdict } from './mos'
import type { RoomPhone } from './room-phone'
import style from './quality.module.css'

const ICONS: Record<Verdict, Icon> = { bad: IconAntennaBars2, fair: IconAntennaBars3, good: IconAntennaBars5 }

interface Props {
  phone: RoomPhone
}

/** How the phone sounds, at a glance; the numbers for whoever looks closely. */
export function QualityIcon({ phone }: Props) {
  const { text, format } = useLanguage()
  const { verdict, now } = useStore(phone.quality)
  if (!verdict) return null
  const words = text.quality
  const Icon = ICONS[verdict]
  const loss = now && Math.max(now.heard.loss, now.sent?.loss ?? 0)
  const jitter = now && Math.max(now.heard.jitter, now.sent?.jitter ?? 0)
  const about = [
    loss !== null && words.loss(format.share(loss / 100)),
    jitter !== null && words.jitter(format.number(Math.round(jitter))),
    now?.rtt != null && words.rtt(format.number(Math.round(now.rtt))),
  ].filter(Boolean)
  return (
    <span
      className={style.icon} role="img" data-testid="call-quality" data-verdict={verdict}
      aria-label={words.said(words.verdict[verdict])} title={[words.said(words.verdict[verdict]), ...about].join('\n')}
    >
      <Icon aria-hidden size={24} stroke={2.4} />
    </span>
  )
}

/** It has been bad for seconds: what to do. `talking`: a microphone that gives nothing matters. */
export function QualityWarning({ phone, talking }: Props & { talking: boolean }) {
  const { text } = useLanguage()
  const { warning } = useStore(phone.quality)
  const shown = warning !== 'microphone' || talking
  return (
    <div role="status" className="live">
      {warning && shown && <Notice tone="warning" data-testid="quality-warning">{text.quality.warning[warning]}</Notice>}
    </div>
  )
}
