import { cityTime, endsNextDay } from '../../shared/language/city-time'
import type { Text } from './fa'
import type { Format } from './format'

interface Span {
  starts_at: string
  ends_at: string
}

/** From when until when a round is; an end after midnight says its day, and midnight is the end of the day before. */
export const hoursIn = (text: Text, format: Format) => ({ starts_at, ends_at }: Span) => {
  const last = new Date(Date.parse(ends_at) - 1).toISOString()
  const until = cityTime(ends_at).time === '00:00' ? format.digits('24:00') : format.time(ends_at)
  const days = format.days(last, Date.parse(starts_at))
  const end = days === 0 ? until : days === 1 ? text.round.nextDay(until) : `${format.date(last)}${text.comma}${until}`
  return text.round.hours(format.time(starts_at), end)
}

/** The same of hours that recur, by the city's clock: 22:00:00 and 01:00:00. */
export const clockHoursIn = (text: Text, format: Format) => ({ starts_at, ends_at }: Span) => {
  const until = ends_at.slice(0, 5)
  const midnight = until === '00:00'
  const end = midnight ? format.digits('24:00') : format.digits(until)
  return text.round.hours(format.digits(starts_at.slice(0, 5)), endsNextDay(starts_at, ends_at) && !midnight ? text.round.nextDay(end) : end)
}
