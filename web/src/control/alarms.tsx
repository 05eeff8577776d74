import type { Text } from '../language/fa'
import type { Format } from '../language/format'
import { useLanguage } from '../language/language'
import { Notice } from '../ui/notice'
import type { Alarm, LiveLine } from './queries'
import style from './control.module.css'

interface Props {
  alarms: Alarm[]
  lines: LiveLine[]
  now: number
}

/** What is wrong, and what to do about it. */
export function Alarms({ alarms, lines, now }: Props) {
  const { text, format, office } = useLanguage()
  const words = text.control
  const where = ({ round_id, desk_id, node }: Alarm) => {
    if (node !== null) return words.node(node)
    const at = lines.find(({ line }) => line.round_id === round_id)
    if (desk_id !== null) return text.line.atDesk(format.number(desk_id))
    return at ? office(at.line) : ''
  }
  return (
    <section aria-label={words.alarms} className={style.alarms} role="alert" data-testid="alarms">
      {alarms.map((alarm) => (
        <Notice
          key={`${alarm.kind} ${String(alarm.round_id)} ${String(alarm.desk_id)} ${String(alarm.node)}`} data-testid={`alarm-${alarm.kind}`}
          tone={alarm.kind === 'too-long' || alarm.node !== null ? 'warning' : 'error'}
        >
          {where(alarm) && <b>{where(alarm)}: </b>}
          <b>{what(alarm, text, format, now)}</b>
          <p className={style.todo}>{words.todo[alarm.cause ?? TODO[alarm.kind] ?? 'calling']}</p>
        </Notice>
      ))}
    </section>
  )
}

/** What to do where the kind alone says it. */
const TODO: Partial<Record<Alarm['kind'], keyof Text['control']['todo']>> = { threat: 'threat', 'clock-leapt': 'clock-leapt', owed: 'owed', 'node-silent': 'node-silent', 'node-without-trunk': 'node-without-trunk', 'too-long': 'too-long' }

function what({ kind, since, until, waiting, fits }: Alarm, text: Text, format: Format, now: number): string {
  const words = text.control.alarm
  if (kind === 'too-long') return words[kind](format.number(waiting ?? 0), format.number(fits ?? 0))
  if (!since) return ''
  if (kind === 'clock-leapt') return words[kind](format.time(until ?? since))
  if (kind === 'calls-down' || kind === 'node-silent' || kind === 'node-without-trunk') return words[kind](format.time(since))
  return words[kind](format.number(Math.max(0, Math.floor((now - Date.parse(since)) / 60_000))))
}
