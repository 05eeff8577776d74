import { useLanguage } from '../language/language'
import { Notice } from '../ui/notice'
import { useStore } from '../ui/store'
import type { Verdict } from './mos'
import type { RoomPhone } from './room-phone'
import style from './quality.module.css'

/** So many of the four bars are full. */
const BARS: Record<Verdict, number> = { bad: 1, fair: 2, good: 4 }

interface Props {
  phone: RoomPhone
}

/** How the phone sounds, at a glance; the numbers for whoever looks closely. */
export function QualityIcon({ phone }: Props) {
  const { text, format } = useLanguage()
  const { verdict, now, mos } = useStore(phone.quality)
  if (!verdict) return null
  const words = text.quality
  const loss = now && Math.max(now.heard.loss, now.sent?.loss ?? 0)
  const jitter = now && Math.max(now.heard.jitter, now.sent?.jitter ?? 0)
  const about = [
    mos === null ? words.said(words.verdict[verdict]) : words.kept(words.verdict[verdict], format.number(Math.round(mos * 10) / 10)),
    loss !== null && words.loss(format.share(loss / 100)),
    jitter !== null && words.jitter(format.number(Math.round(jitter))),
    now?.rtt != null && words.rtt(format.number(Math.round(now.rtt))),
  ].filter(Boolean)
  return (
    <span
      className={style.icon} role="img" data-testid="call-quality" data-verdict={verdict}
      aria-label={words.said(words.verdict[verdict])} title={about.join('\n')}
    >
      <svg aria-hidden viewBox="0 0 22 18" width={22} height={18} fill="currentColor">
        {[0, 1, 2, 3].map((bar) => (
          <rect key={bar} x={bar * 6} y={13 - bar * 4} width={4} height={5 + bar * 4} rx={1} opacity={bar < BARS[verdict] ? 1 : 0.25} />
        ))}
      </svg>
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
