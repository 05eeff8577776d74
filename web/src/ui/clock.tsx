import { useLanguage } from '../language/language'
import { RunningTime } from './number'
import { useNow } from './use-now'

/** The city's time of day. */
export function Clock({ className }: { className?: string | undefined }) {
  const { text, format } = useLanguage()
  const now = new Date(useNow(true)).toISOString()
  return <time className={className} dateTime={now} aria-label={text.clock} data-testid="clock"><RunningTime>{format.time(now)}</RunningTime></time>
}
