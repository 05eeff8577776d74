import { latinDigits } from './digits'
import { CITY_ZONE } from './locale'

const CITY = new Intl.DateTimeFormat('en-CA', {
  timeZone: CITY_ZONE, year: 'numeric', month: '2-digit', day: '2-digit',
  hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
})

/** A moment as the city's calendar and clock show it: day is 2026-12-02 (shown in Jalali), time 09:30. */
export interface CityTime {
  day: string
  time: string
}

export function cityTime(at: string | number): CityTime {
  const part = Object.fromEntries(CITY.formatToParts(new Date(at)).map(({ type, value }) => [type, value]))
  return { day: `${part.year}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}` }
}

/** A time of day, written in any digits, as 09:30; null for one that is none. */
export function clockOf(written: string): string | null {
  const match = /^([01]?\d|2[0-3]):?([0-5]\d)$/.exec(latinDigits(written.trim()))
  return match && `${match[1]?.padStart(2, '0')}:${match[2]}`
}

/** Whether hours of a day, as 22:00 and 01:00, end on the next one: the end is not after the beginning. */
export const endsNextDay = (from: string | null, until: string | null) => from !== null && until !== null && until.slice(0, 5) <= from.slice(0, 5)

/** The moment in UTC, whatever the browser's own zone; null for a time that is none. */
export function toIso({ day, time }: CityTime): string | null {
  const clock = clockOf(time)
  if (!clock) return null
  const wall = Date.parse(`${day}T${clock}:00Z`)
  // What the city's clock shows at that moment of UTC tells how far it is ahead.
  const shown = cityTime(wall)
  return new Date(wall - (Date.parse(`${shown.day}T${shown.time}:00Z`) - wall)).toISOString()
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}
