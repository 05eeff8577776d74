import { expect, it } from 'vitest'
import type { Round } from '../api/types'
import { chosen, isPastEnd, momentOf, waysIn } from './call-later'

const at = (clock: string) => Date.parse(`2026-12-02T${clock}:00+03:30`)
const round = (ends: string, is_operators_line = false) => ({ ends_at: new Date(at(ends)).toISOString(), is_operators_line }) as Round

it('given a way when chosen then its moment is of the city’s clock', () => {
  const now = at('10:00')
  const moment = (way: Parameters<typeof momentOf>[0]['way']) => momentOf({ way }, round('12:00'), now)
  expect(moment('ten-minutes')).toBe('2026-12-02T06:40:00.000Z')
  expect(moment('an-hour')).toBe('2026-12-02T07:30:00.000Z')
  expect(moment('afternoon')).toBe('2026-12-02T11:30:00.000Z')
  expect(moment('tomorrow')).toBe('2026-12-03T05:30:00.000Z')
  expect(moment('next-round')).toBe('2026-12-02T08:30:00.000Z')
  expect(moment('soon')).toBeNull()
  expect(momentOf({ way: 'time', time: { day: '2026-12-02', time: '۱۱:۱۵' } }, undefined, now)).toBe('2026-12-02T07:45:00.000Z')
  expect(momentOf({ way: 'time', time: { day: '2026-12-02', time: '11:' } }, undefined, now)).toBeNull()
})

it('given a round when ways are offered then none leads past its end, but the next round and a time of one’s own', () => {
  expect(waysIn(round('12:00'), at('10:00'))).toEqual(['ten-minutes', 'an-hour', 'next-round', 'time'])
  expect(waysIn(round('12:00'), at('11:55'))).toEqual(['next-round', 'time'])
})

it('given the operators’ line when ways are offered then it has no end and no next round', () => {
  expect(waysIn(round('12:00', true), at('11:55'))).toEqual(['ten-minutes', 'an-hour', 'afternoon', 'tomorrow', 'time'])
  expect(waysIn(round('12:00', true), at('14:58'))).not.toContain('afternoon')
})

it('given a moment when it lies past the round’s end then that is said, of the operators’ line never', () => {
  const moment = new Date(at('12:00')).toISOString()
  expect(isPastEnd(moment, round('12:00'))).toBe(true)
  expect(isPastEnd(moment, round('12:01'))).toBe(false)
  expect(isPastEnd(moment, round('12:00', true))).toBe(false)
  expect(isPastEnd(null, round('12:00'))).toBe(false)
})

it('given another time when it is chosen then what was agreed of the first one is not said of it', () => {
  const agreed = { way: 'ten-minutes', agreed: true } as const
  expect(chosen(agreed, 'an-hour', at('10:00'))).toEqual({ way: 'an-hour' })
  expect(chosen(agreed, 'time', at('10:00'))).toEqual({ way: 'time', time: { day: '2026-12-02', time: '10:00' } })
})

it('given a way when it is chosen twice then the rules decide again', () => {
  expect(chosen({ way: 'an-hour', agreed: true }, 'an-hour', at('10:00'))).toEqual({ way: 'soon' })
})
