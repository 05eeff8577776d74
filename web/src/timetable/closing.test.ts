import { expect, test } from 'vitest'
import type { Round } from '../api/types'
import { closing } from './closing'

const round = (phase: Round['phase'], rule_id: number | null, waiting = 0) =>
  ({ phase, rule_id, counts: { waiting, calling: 0, reached: 0, unreached: 0 } }) as Round

test('given a day when it closes then the rules’ rounds that have not begun go, and others stay', () => {
  const rounds = [round('open', 1, 3), round('planned', 2), round('live', 1, 5), round('open', null, 7), round('cancelled', 1, 9), round('over', 1, 2)]
  expect(closing(rounds)).toEqual({ cancelled: 2, places: 3, staying: 2 })
  expect(closing([])).toEqual({ cancelled: 0, places: 0, staying: 0 })
})
